"""For a paper: methods and checklist from a study's own files, with nothing made up."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest

from workbench.errors import DefinitionError, DisclosureError
from workbench.output.departure.page_tables import page_tables
from workbench.output.disclosure import release
from workbench.output.reporting import (
    build_paper,
    checklist_csv,
    facts_of_run,
    fill_checklist,
    methods_paragraph,
)
from workbench.registers.checklists import load_checklist
from workbench.registers.profiles import load_profile
from workbench.study import load_study

STUDIES = Path(__file__).parents[4] / "params" / "studies"
RECORD = load_checklist("record")
INPUTS = {
    "tables": {"vascular.procedures": {"version": "v0003"}},
    "code_lists": {
        "statins": {"label": "Statins", "system": "atc", "match": "prefix", "source": "WHO",
                    "codes": ["C10AA"], "excepted": ["C10AA06"]},
        "dialysis": {"system": "kva", "match": "exact", "source": "KVÅ", "given_groups": {
            "haemodialysis": {"label": "Haemodialysis", "codes": ["DR016"]}}},
    },
    "release_profile": {"threshold": 5},
    "environment": {"python": "3.11.7", "pandas": "2.3.3"},
}  # fmt: skip


@pytest.fixture
def ledger(make_ledger):
    return release(make_ledger([7, 2, 40]), load_profile("standard"), title="Study population")


@pytest.fixture
def facts(ledger):
    study = load_study(STUDIES / "leg_amputation.yaml")
    return facts_of_run(study, inputs=INPUTS, ledger=ledger, kinds=["table_one", "cox"],
                        methods=["Cox model", "Cox model"], run="abc")  # fmt: skip


def test_the_checklist_has_every_item_of_strobe_and_record():
    numbers = [one.number for one in RECORD.items]
    assert sorted({int(one.rstrip("abcde").split(".")[0]) for one in numbers}) == [*range(1, 23)]
    record = [one.number for one in RECORD.items if one.is_record]
    assert record == ["1.1", "1.2", "1.3", "6.1", "6.2", "6.3", "7.1", "12.1", "12.2", "12.3",
                      "13.1", "19.1", "22.1"]  # fmt: skip
    assert len(numbers) - len(record) == 34
    with pytest.raises(DefinitionError, match="record"):
        load_checklist("records")


def test_every_fact_that_an_item_asks_for_can_be_there(facts):
    asked = {about for one in RECORD.items for about in one.filled_by}
    dialysis = load_study(STUDIES / "dialysis_comparison.yaml")
    known = {*facts.sentences, *facts_of_run(dialysis, inputs={}).sentences}
    assert asked - known <= {"validation", "groupings", "matching", "groups"}


def test_methods_tell_what_the_study_says(facts):
    told = methods_paragraph(facts)
    assert "vascular.procedures (version v0003)" in told["Design and data sources"]
    assert (
        "left out where Diabetes is missing or Major amputation before is true."
        in (told["Participants"])
    )
    assert "major_amputation" in told["Outcome and follow-up"]
    assert told["Statistical analysis"].count("Cox model") == 1
    assert "Counts below 5" in told["Statistical analysis"]
    assert "run abc" in told["Reproducibility"] and "seed 1" in told["Reproducibility"]


def test_hidden_numbers_stay_hidden(facts):
    flow = facts.sentences["flow"]
    assert not re.search(r"\b2 rows", flow) and "42 rows: r1 or r2" in flow  # joined with the next
    assert not re.search(r"\b2 rows", build_paper(facts, RECORD))


def test_nothing_is_filled_that_nobody_knows(facts):
    answers = {one.item.number: one for one in fill_checklist(facts, RECORD)}
    for number in ("1b", "2", "9", "19.1", "20", "22"):
        assert answers[number].state == "to write"
    assert answers["6b"].state == "does not apply"
    assert answers["7.1"].state == "filled"
    bare = facts_of_run(load_study(STUDIES / "leg_amputation.yaml"), inputs={})
    states = {one.item.number: one.state for one in fill_checklist(bare, RECORD)}
    assert states["13a"] == states["14a"] == "to write"


def test_code_lists_stand_in_full(facts):
    rows = {one["list"]: one for one in facts.code_lists}
    assert rows["statins"]["codes"] == "C10AA, without C10AA06"
    assert rows["dialysis"]["group"] == "Haemodialysis" and rows["dialysis"]["match"] == "exact"


def test_a_matched_study_says_how(facts):
    study = load_study(STUDIES / "dialysis_comparison.yaml")
    told = facts_of_run(study, inputs={}).sentences["matching"]
    assert f"{study.comparison.n} of the population" in told and "birth year" in told


@pytest.mark.parametrize("path", sorted(STUDIES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_study_of_the_house_makes_a_page(path):
    facts = facts_of_run(load_study(path), inputs={})
    page = build_paper(facts, RECORD)
    assert "None" not in page and "{" not in page.split("</style>")[1]
    for words in facts.sentences.values():
        assert ".." not in words and "  " not in words


def test_page_and_csv_say_the_same(facts):
    page = build_paper(facts, RECORD)
    assert page == build_paper(facts, RECORD) and "http" not in page
    rows = list(csv.DictReader(io.StringIO(checklist_csv(facts, RECORD).decode("utf-8"))))
    assert [row["item"] for row in rows] == [one.number for one in RECORD.items]
    table = next(one for one in page_tables(page) if list(one.columns)[:2] == ["Item", "Asks"])
    by_item = {str(row.iloc[0]).split(" ")[0]: str(row.iloc[3]) for _, row in table.iterrows()}
    for row in rows:
        assert by_item[row["item"]] == row["answer"]


def test_titles_are_escaped_and_formulas_are_text(ledger):
    study = load_study(STUDIES / "leg_amputation.yaml",
                       overrides={"title": "<b>A & B</b>", "question": "=1+1"})  # fmt: skip
    facts = facts_of_run(study, inputs={}, ledger=ledger)
    assert "&lt;b&gt;A &amp; B" in build_paper(facts, RECORD)
    assert "'=1+1" in checklist_csv(facts, RECORD).decode()


def test_a_ledger_that_was_not_released_is_refused(make_ledger):
    study = load_study(STUDIES / "leg_amputation.yaml")
    with pytest.raises(DisclosureError):
        facts_of_run(study, inputs={}, ledger=make_ledger([1]))
