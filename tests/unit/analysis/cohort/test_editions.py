"""A code means what it meant in the year of its row."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import bring_in, register_of, write_csv

from workbench.analysis.cohort import Cohort, select_cohort
from workbench.data.store import open_store
from workbench.errors import StudyError
from workbench.registers.documents import parse_document
from workbench.study import Definitions, Study, check_study

ACCESS = {
    "type": "code",
    "codes": {"1": "catheter", "2": "fistula", "9": "not known"},
    "unknown": ["9"],
    "editions": [
        {"last_year": "2012", "codes": {"1": "fistula", "2": "catheter", "3": "graft", "8": "?"},
         "unknown": ["8"]}
    ],
}  # fmt: skip
REGISTER = register_of(
    {
        "id": {"type": "code", "sensitivity": "pseudonym"}, "day": "date", "end": "date",
        "dead": {"type": "code", "codes": {"0": "no", "1": "yes"}}, "access": ACCESS,
    },
    person="id",
    dated_by="day",
)  # fmt: skip
ROWS = [
    "a,2010-01-01,2015-01-01,0,1", "b,2013-01-01,2015-01-01,0,1", "c,2012-12-31,2015-01-01,0,3",
    "d,2014-01-01,2015-01-01,0,9", "e,2010-01-01,2015-01-01,0,8",
]  # fmt: skip


def cohort_of(folder: Path, **cohort) -> Cohort:
    content = {
        "title": "t", "question": "q", "register": "small", "table": "rows", "as_of": "2020-01-01",
        "notebook": "n", "cohort": {"index_date": "day", **cohort}, "variables": {"access": {}},
        "follow_up": {
            "outcome": "death", "end_date": "end", "event": {"variable": "dead", "in": ["1"]},
        },
    }  # fmt: skip
    study = parse_document(content, Study, where="study.yaml")
    table = REGISTER.table("rows")
    check_study(study, Definitions({"small.rows": table}), where="study.yaml")
    bring_in(
        REGISTER, write_csv(folder / "rows.csv", "id,day,end,dead,access", *ROWS), folder / "s"
    )
    return select_cohort(study, open_store(folder / "s"))


def test_one_code_has_the_meaning_of_its_year(tmp_path):
    persons = cohort_of(tmp_path).persons.set_index("person")["access"]
    assert persons.dropna().to_dict() == {"a": "fistula", "b": "catheter", "c": "graft"}
    assert persons.isna().sum() == 2


def test_conditions_name_the_words(tmp_path):
    rule = {"variable": "access", "in": ["fistula"], "because": "no fistula"}
    assert cohort_of(tmp_path, include=[rule]).persons["person"].tolist() == ["a"]


def test_a_code_whose_meaning_changed_is_refused_in_a_condition(tmp_path):
    rule = {"variable": "access", "in": ["1"], "because": "?"}
    with pytest.raises(StudyError, match='"1" is no word of access'):
        cohort_of(tmp_path, include=[rule])
