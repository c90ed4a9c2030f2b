"""The explorer counts what a run counts: on linked registers, and after any change of choices."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from tests.linked import DIABETES, STUDY, cohort_of, definitions, make_store
from workbench.analysis.description import table_one
from workbench.output.explorer.facts import FactRoom
from workbench.output.explorer.queries import choose_rows
from workbench.registers.documents import parse_document
from workbench.study import Study

N = 60
WORLD = {
    "people.persons": [
        (f"p{at}", f"19{40 + at % 40}-0{1 + at % 9}-11", str(1 + at % 2),
         f"201{5 + at % 5}-06-01" if at % 3 == 0 else None)
        for at in range(N)
    ],
    "people.migrations": [
        (f"p{at}", "2016-05-01" if at % 2 else "2009-05-01", "out") for at in range(0, N, 7)
    ],
    "people.homes": [(f"p{at}", "2000-01-01", "north") for at in range(N)],
    "people.numbers": [("p3", "old3")],
    "renal.starts": [
        (f"p{at % N}" if at % 20 else "stranger", f"201{at % 7}-0{1 + at % 9}-15",
         "fc"[at % 2] if at % 9 else None)
        for at in range(2 * N)
    ],
    "care.stays": [
        ("old3" if at == 3 else f"p{at % N}", f"201{at % 6}-02-03", "E101" if at % 4 else "I10",
         "E119 I10", "1", 90 + at)
        for at in range(3 * N)
    ],
}  # fmt: skip
CHANGES: list[dict[str, Any]] = [
    {},
    {"cohort": {"index_date": "start", "period": {"from": "2012-01-01", "to": "2015-12-31"}}},
    {"cohort": {"index_date": "start", "events": "every"}},
    {"cohort": {"index_date": "start", "washout_days": 400}},
    {
        "cohort": {
            "index_date": "start",
            "include": [{"variable": "age", "at_least": "50", "because": "younger than 50"}],
            "exclude": [{"variable": "access", "is_missing": "true", "because": "not known"}],
        },
        "group": "access",
    },
    {"follow_up": None},
]
VARIABLES = {
    "access": {"label": "Access"},
    "age": {"link": "people.persons", "take": "age", "label": "Age"},
    "sex": {"link": "people.persons", "take": "value", "from": "sex", "label": "Sex"},
    "diabetes": {
        "link": "care.stays", "take": "any", "days": {"from": -3000, "to": 0},
        "codes": {"in": ["diagnosis", "others"], "list": "diabetes"},
    },
    "hb": {"link": "care.stays", "take": "last", "from": "hb", "days": {"from": -3000, "to": 0}},
}  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return make_store(tmp_path_factory.mktemp("linked") / "store", WORLD)


def test_one_room_answers_as_runs_do(store):
    room = FactRoom(store, lambda: None)
    known = replace(definitions(), code_lists={"diabetes": DIABETES})
    try:
        for change in [*CHANGES, *CHANGES[::-1]]:
            given = {"variables": VARIABLES, **change}
            study = parse_document({**STUDY, **given}, Study, where="study.yaml")
            chosen = choose_rows(room.facts_of(study, known), study, known)
            ran = cohort_of(store, **given)
            ledger = chosen.ledger()
            pd.testing.assert_frame_equal(ledger.steps, ran.ledger.steps)
            pd.testing.assert_frame_equal(ledger.leavers, ran.ledger.leavers, check_dtype=False)
            assert chosen.n_left == ran.n
            names = [name for name in study.variables if name != study.group]
            described = table_one(ran.persons, variables=names, by=study.group)
            pd.testing.assert_frame_equal(chosen.table_one(), described)
            if study.follow_up:
                columns = ["follow_up", "has_event", "cause"]
                counted = chosen.counted_out(columns).sort_values(columns, ignore_index=True)
                fetched = ran.persons[columns].sort_values(columns, ignore_index=True)
                pd.testing.assert_frame_equal(counted, fetched)
    finally:
        room.close()


def test_a_filter_looks_nothing_up_again(store):
    room = FactRoom(store, lambda: None)
    known = replace(definitions(), code_lists={"diabetes": DIABETES})
    try:
        study = parse_document({**STUDY, "variables": VARIABLES}, Study, where="study.yaml")
        facts = room.facts_of(study, known)
        tree = {**STUDY, "variables": VARIABLES, **CHANGES[1]}
        assert room.facts_of(parse_document(tree, Study, where="study.yaml"), known) is facts
        fewer = {name: VARIABLES[name] for name in ("access", "age")}
        tree = {**STUDY, "variables": fewer}
        again = room.facts_of(parse_document(tree, Study, where="study.yaml"), known)
        assert again is not facts
        kept = [name for name in again.sources.made if "facts" in name]
        assert len(kept) == 1  # what nobody asks any more is not kept
    finally:
        room.close()
