"""A study that links what cannot be linked is refused before anything runs, with the reason."""

from __future__ import annotations

from typing import Any

import pytest
from linked import STUDY, definitions

from workbench.errors import StudyError, WorkbenchError
from workbench.registers.documents import parse_document
from workbench.study import Study, check_study, load_definitions

WINDOW = {"from": -365, "to": -1}
CODES = {"in": ["diagnosis", "others"], "list": "diabetes"}
STAYS: dict[str, Any] = {"link": "care.stays", "take": "any", "days": WINDOW}


def told(**changes: Any) -> str:
    """What is said of the world's study with keys changed."""
    study = parse_document({**STUDY, **changes}, Study, where="study.yaml", error=StudyError)
    with pytest.raises(StudyError) as refused:
        check_study(study, definitions(), where="study.yaml")
    return str(refused.value)


def told_of(**covariate: Any) -> str:
    """What is said of one covariate."""
    return told(variables={"x": {**STAYS, **covariate}})


@pytest.mark.parametrize(
    ("covariate", "words"),
    [
        ({"days": {"from": -30, "to": 30}}, "30 days past the index date"),
        ({"days": {"from": -30, "to": 1}}, "immortal time"),
        ({"codes": {**CODES, "in": ["diagnoses"]}}, 'no variable "diagnoses".*"diagnosis"'),
        ({"codes": {**CODES, "in": ["hb"]}}, "hb has type integer, not code"),
        ({"codes": {**CODES, "groups": ["kidney"]}}, 'no "kidney"'),
        ({"take": "last", "from": "hemo"}, 'no variable "hemo"'),
        ({"take": "last", "from": "id"}, "says who a person is"),
        ({"take": "last", "from": "admitted"}, "a date cannot be a covariate"),
        ({"take": "last", "from": "sex", "cut": [0, 1]}, "cut needs numbers"),
        ({"take": "count", "from": "hb"}, "takes no variable"),
        ({"take": "score", "codes": CODES}, "needs a weight for diabetes"),
        ({"take": "value", "days": None, "from": "hb"}, "one row a person"),
        ({"where": [{"variable": "hbb", "at_least": "1"}]}, 'no variable "hbb".*"hb"'),
        ({"where": [{"variable": "sex", "in": ["3"]}]}, '"3" is no code of sex'),
        ({"where": [{"variable": "sex", "at_least": "1"}]}, "has categories"),
    ],
)
def test_a_covariate_that_cannot_be_taken_is_refused(covariate, words):
    import re

    assert re.search(words, told_of(**covariate), re.DOTALL)


@pytest.mark.parametrize(
    ("covariate", "words"),
    [
        ({"link": "care.stays"}, "a link needs take"),
        ({"take": "any"}, "needs link"),
        ({**STAYS, "days": None}, "needs days"),
        ({**STAYS, "days": {"from": -1, "to": -30}}, "ends before it begins"),
        ({**STAYS, "days": {"from": -1, "to": -1, "includes": "start"}}, "ends before it begins"),
        ({**STAYS, "take": "score"}, "take: score needs codes"),
        ({"link": "people.persons", "take": "age", "days": WINDOW}, "days means nothing"),
        ({**STAYS, "link": "stays"}, "link"),
    ],
)
def test_a_covariate_that_means_nothing_is_refused_as_it_is_read(covariate, words):
    with pytest.raises(WorkbenchError, match=words):
        parse_document({**STUDY, "variables": {"x": covariate}}, Study, where="study.yaml")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cohort": {}}, "linking needs a date"),
        ({"cohort": {"index_date": "start"}, "comparison": {"n": 1, "match_on": ["region"]},
          "population": None}, "name its register"),
        ({"follow_up": {"outcome": "x", "event_in": {"link": "care.stays", "date": "hb"}}},
         "hb has type integer, not date"),
        ({"follow_up": {"outcome": "x", "event_in": {"link": "care.stays"}, "or_death": "yes"},
          "population": None}, "deaths are known from a population register"),
        ({"follow_up": {"outcome": "x", "event_in": {"link": "people.numbers"}}},
         "say which date is meant"),
    ],
)  # fmt: skip
def test_links_that_lead_nowhere_are_refused(changes, words):
    assert words in told(**changes)


def test_what_is_not_defined_is_told_together_with_the_nearest(tmp_path):
    changes = {
        "population": "peopel",
        "variables": {"x": {**STAYS, "link": "care.stay", "codes": {**CODES, "list": "diabets"}}},
    }
    study = parse_document({**STUDY, **changes}, Study, where="study.yaml")
    with pytest.raises(StudyError) as refused:
        load_definitions(study, [tmp_path], where="study.yaml")
    message = str(refused.value)
    assert 'no register "peopel"' in message
    assert 'no register "care"' in message
    assert 'no code list "diabets"' in message
    assert '"diabetes"' in message


def test_competing_causes_and_a_duration_do_not_go_together():
    follow_up = {
        "outcome": "x", "duration": "start", "event": {"variable": "access", "in": ["f"]},
        "competing": {"other": {"link": "care.stays"}},
    }  # fmt: skip
    with pytest.raises(WorkbenchError, match="not both"):
        parse_document({**STUDY, "follow_up": follow_up}, Study, where="study.yaml")
