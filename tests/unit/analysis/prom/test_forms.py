"""The forms a cohort was sent: the first in the window, and what had come by the last day."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.linked import STUDY, definitions, make_store
from workbench.analysis.cohort import select_cohort
from workbench.analysis.prom import read_forms
from workbench.errors import DataError, StudyError
from workbench.registers.documents import parse_document
from workbench.registers.proms import Prom
from workbench.study import Study, check_study

SMALL = parse_document(
    {
        "name": "small",
        "label": "Small",
        "source": "made for this test",
        "licence": "none",
        "keys": {"rising": {1: 0, 2: 50, 3: 100}},
        "items": {"rising": ["walking", "mood"]},
        "scales": {"health": {"label": "Health", "items": ["walking", "mood"]}},
        "composites": {},
    },
    Prom,
    where="small.yaml",
)
RULES = {
    "form": "small", "link": "renal.forms", "answered": "came",
    "days": {"from": 300, "to": 430}, "columns": {"walking": "walk"},
}  # fmt: skip
BORN = "1950-01-01"
PEOPLE = [(who, BORN, "1", None) for who in "abcde"]
STARTS = [(who, "2015-01-01", "f") for who in "abcd"]


def study_of(**changes: object) -> Study:
    content = {**STUDY, "units": {"by": "access"}, "questionnaire": {**RULES, **changes}}
    study = parse_document(content, Study, where="study.yaml")
    check_study(study, replace(definitions(), prom=SMALL), where="study.yaml")
    return study


def read(tmp_path, forms, *, starts=STARTS, numbers=(), **changes):
    rows = {"people.persons": PEOPLE, "renal.starts": starts, "renal.forms": forms}
    store = make_store(tmp_path / "store", {**rows, "people.numbers": numbers})
    study = study_of(**changes)
    persons = select_cohort(study, store).persons
    return read_forms(study, store, persons, SMALL).set_index("person")


def test_the_first_form_in_the_window_counts(tmp_path):
    found = read(tmp_path, [
        ("a", "2015-06-01", "2015-06-10", 1, 1),  # before the window
        ("a", "2016-02-20", "2016-03-01", 3, 3),  # a second one
        ("a", "2016-01-01", None, None, None),
        ("b", "2016-01-01", "2016-01-20", 2, None),
        ("c", "2016-06-01", "2016-06-02", 1, 1),  # after the window
    ])  # fmt: skip
    assert found["answered"].to_dict() == {"a": 0, "b": 1}
    assert found.loc["b", "walk"] == 2 and found.loc["a", ["walk", "mood"]].isna().all()
    assert found["access"].tolist() == ["fistula", "fistula"]


def test_an_answer_after_the_last_day_is_not_known_yet(tmp_path):
    starts = [("a", "2019-12-01", "f"), ("b", "2019-12-01", "f"), ("c", "2019-12-15", "f")]
    found = read(tmp_path, [
        ("a", "2020-12-01", "2021-01-05", 3, 3),
        ("b", "2020-12-01", "2020-12-31", 3, 3),
        ("c", "2021-01-01", "2021-01-05", 3, 3),  # sent after the last day: not there
    ], starts=starts)  # fmt: skip
    assert found["answered"].to_dict() == {"a": 0, "b": 1}
    assert found.loc["a", ["walk", "mood"]].isna().all()


def test_a_form_with_answers_and_no_date_came(tmp_path):
    found = read(
        tmp_path, [("a", "2016-01-01", None, 2, None), ("b", "2016-01-01", None, None, None)]
    )
    assert found["answered"].to_dict() == {"a": 1, "b": 0}


def test_a_form_under_an_earlier_number_is_the_persons(tmp_path):
    found = read(
        tmp_path, [("old", "2016-01-01", "2016-01-09", 2, 2)], numbers=[("a", "old")]
    )  # fmt: skip
    assert found["answered"].to_dict() == {"a": 1}


def test_nobody_asked_is_an_error_that_says_where_to_look(tmp_path):
    with pytest.raises(DataError, match="questionnaire.days"):
        read(tmp_path, [("e", "2016-01-01", None, None, None)])


@pytest.mark.parametrize(("change", "told"), [
    ({"columns": {"walkin": "walk"}}, 'no item "walkin". Did you mean "walking"'),
    ({"columns": {}}, 'item walking: the table has no variable "walking"'),
    ({"columns": {"walking": "came"}}, "came has type date; answers are numbers"),
    ({"answered": "mood"}, "questionnaire.answered: mood has type integer, not date"),
    ({"sent": "cam"}, 'questionnaire.sent: the table has no variable "cam"'),
])  # fmt: skip
def test_a_questionnaire_that_does_not_fit_is_told(change, told):
    with pytest.raises(StudyError) as refused:
        study_of(**change)
    assert told in str(refused.value)


def test_a_variable_cannot_be_called_as_an_answer_is():
    content = {**STUDY, "units": {"by": "access"}, "questionnaire": RULES}
    variables = {**STUDY["variables"], "walk": {"from": "access"}, "answered": {"from": "access"}}
    study = parse_document({**content, "variables": variables}, Study, where="study.yaml")
    with pytest.raises(StudyError, match="does not fit") as refused:
        check_study(study, replace(definitions(), prom=SMALL), where="study.yaml")
    assert "variables.walk: the questionnaire" in str(refused.value)
    assert "variables.answered: the questionnaire" in str(refused.value)


def test_a_questionnaire_needs_units_and_an_index_date():
    content = {**STUDY, "questionnaire": RULES, "population": None, "follow_up": None}
    study = parse_document({**content, "cohort": {}}, Study, where="study.yaml")
    with pytest.raises(StudyError) as refused:
        check_study(study, replace(definitions(), prom=SMALL), where="study.yaml")
    assert "units.by" in str(refused.value) and "cohort.index_date" in str(refused.value)
