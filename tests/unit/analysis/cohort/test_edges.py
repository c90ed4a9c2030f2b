"""What is decided where registers contradict themselves, or a study asks for what cannot be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from builders import bring_in, register_of, write_csv
from linked import cohort_of, make_store

from workbench.analysis.cohort import Cohort, select_cohort
from workbench.data.store import Store, open_store
from workbench.errors import StudyError, WorkbenchError
from workbench.registers.codes import CodeList
from workbench.registers.documents import parse_document
from workbench.study import Definitions, Study, check_study

PEOPLE = [["a", "1950-02-01", "1", None], ["b", "1950-07-01", "1", None]]
START = [["a", "2015-01-01", "f"]]
HOMES = [["a", "1950-02-01", "01"], ["b", "1950-07-01", "01"]]
CODES = {"in": ["diagnosis"], "list": "diabetes"}
DEATH = {"outcome": "death", "event_in": {"link": "people.persons", "date": "died"}, "unit": "days"}
DRAWN = {"n": 2, "match_on": ["birth_year", "sex"]}
SEX = {"link": "people.persons", "take": "value", "from": "sex"}


def world_of(folder: Path, **tables: list[list[Any]]) -> Store:
    rows = {"people.persons": PEOPLE, "renal.starts": START, "people.homes": HOMES}
    named = {name.replace("__", "."): rows for name, rows in tables.items()}
    return make_store(folder / "store", {**rows, **named})


def checks(cohort: Cohort) -> dict[str, int]:
    return cohort.ledger.checks.set_index("check")["n_rows"].to_dict()


def persons_of(cohort: Cohort) -> list[str]:
    return cohort.persons["person"].tolist()


# -- events ------------------------------------------------------------------------------------

STATUS = {
    "type": "code",
    "codes": {"0": "alive", "1": "dead", "9": "not known"},
    "unknown": ["9"],
}
CHANGED = {**STATUS, "editions": [{"last_year": "2012", "codes": {"1": "alive", "2": "dead"}}]}
DATED = [
    "a,2010-01-01,2015-01-01,1825,2", "b,2014-01-01,2015-01-01,365,1",
    "c,2014-01-01,2015-01-01,365,9", "d,2014-01-01,2015-01-01,365,0",
]  # fmt: skip


def followed(folder: Path, status: dict[str, Any], event: list[str], **how: str) -> Cohort:
    register = register_of(
        {
            "id": {"type": "code", "sensitivity": "pseudonym"}, "day": "date", "end": "date",
            "length": {"type": "integer", "unit": "days"}, "dead": status,
        },
        person="id", dated_by="day",
    )  # fmt: skip
    content = {
        "title": "t", "question": "q", "register": "small", "table": "rows", "as_of": "2020-01-01",
        "notebook": "n", "cohort": {"index_date": "day"},
        "follow_up": {"outcome": "death", "event": {"variable": "dead", "in": event}, **how},
    }  # fmt: skip
    study = parse_document(content, Study, where="study.yaml")
    table = register.table("rows")
    check_study(study, Definitions({"small.rows": table}), where="study.yaml")
    rows = write_csv(folder / "rows.csv", "id,day,end,length,dead", *DATED)
    bring_in(register, rows, folder / "s")
    return select_cohort(study, open_store(folder / "s"))


@pytest.mark.parametrize("how", [{"end_date": "end"}, {"duration": "length"}])
def test_a_status_that_is_not_known_is_no_status(tmp_path, how):
    cohort = followed(
        tmp_path, {**STATUS, "codes": {**STATUS["codes"], "2": "moved"}}, ["1"], **how
    )
    assert persons_of(cohort) == ["a", "b", "d"]
    assert cohort.persons["has_event"].tolist() == [False, True, False]
    steps = cohort.ledger.steps.set_index("reason")
    assert steps.loc["not known: death", "n_rows_out"] == 1


@pytest.mark.parametrize("how", [{"end_date": "end"}, {"duration": "length"}])
def test_a_status_means_what_it_meant_in_its_year(tmp_path, how):
    cohort = followed(tmp_path, CHANGED, ["dead"], **how)
    assert cohort.persons.set_index("person")["has_event"].to_dict() == {
        "a": True, "b": True, "d": False,
    }  # fmt: skip


@pytest.mark.parametrize("word", ["outcome", "death", "emigration"])
def test_a_competing_cause_may_not_be_called_as_what_ends_follow_up_already(tmp_path, word):
    cause = {"link": "care.stays", "codes": CODES}
    with pytest.raises(WorkbenchError, match=f"competing.{word}"):
        cohort_of(world_of(tmp_path), follow_up={**DEATH, "competing": {word: cause}})


def test_the_index_row_is_not_its_own_event(tmp_path):
    event = {"link": "renal.starts", "where": [{"variable": "access", "in": ["f"]}]}
    rules = {"outcome": "a second start", "event_in": event, "unit": "days"}
    with pytest.raises(StudyError, match="from_day: 1 or later"):
        cohort_of(world_of(tmp_path), follow_up=rules)
    store = world_of(tmp_path, renal__starts=[*START, ["a", "2015-01-31", "f"]])
    later = {**rules, "event_in": {**event, "from_day": "1"}}
    assert cohort_of(store, follow_up=later).persons["follow_up"].tolist() == [30]


def test_where_death_is_the_outcome_it_comes_before_a_competing_cause(tmp_path):
    store = world_of(
        tmp_path,
        people__persons=[["a", "1950-01-01", "1", "2016-01-01"]],
        care__stays=[["a", "2016-01-01", "E10", "", None, None]],
    )
    rules = {
        "outcome": "high haemoglobin or death", "or_death": "yes", "unit": "days",
        "event_in": {"link": "care.stays", "where": [{"variable": "hb", "at_least": "150"}]},
        "competing": {"diabetes": {"link": "care.stays", "codes": CODES}},
    }  # fmt: skip
    persons = cohort_of(store, follow_up=rules).persons
    assert persons["ended_by"].tolist() == ["outcome"]
    rules.pop("or_death")
    assert cohort_of(store, follow_up=rules).persons["ended_by"].tolist() == ["diabetes"]


# -- living in the country ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moves", "is_here"),
    [
        ([], True),
        ([["2016-01-01", "in"]], False),  # not come yet
        ([["2015-01-01", "in"]], True),  # comes on the index date
        ([["2014-01-01", "out"], ["2015-01-01", "in"]], True),
        ([["2014-01-01", "out"], ["2015-01-02", "in"]], False),
        ([["2014-01-01", "out"], ["2014-06-01", "out"], ["2014-07-01", "in"]], True),
        ([["2014-01-01", "out"], ["2014-01-01", "in"]], True),  # away for no day
        ([["2014-01-01", "in"], ["2014-01-01", "out"]], True),
    ],
)
def test_patients_and_comparison_persons_are_in_the_country_by_one_rule(tmp_path, moves, is_here):
    mine = [["a", *move] for move in moves]
    both_ways = {row[1] for row in mine if [*row[:2], "in"] in mine and [*row[:2], "out"] in mine}
    store = world_of(
        tmp_path / "a", people__migrations=mine, renal__starts=[*START, ["b", *START[0][1:]]]
    )
    cohort = cohort_of(store)
    assert persons_of(cohort) == (["a", "b"] if is_here else ["b"])
    assert checks(cohort).get(
        "days with moves out of the country and into it, counted as no move", 0
    ) == len(both_ways)
    theirs = [["b", *move] for move in moves]
    store = world_of(tmp_path / "b", people__migrations=theirs)
    cohort = cohort_of(store, comparison=DRAWN, variables={"sex": SEX})
    assert persons_of(cohort) == (["a", "b"] if is_here else ["a"])


def test_nobody_is_studied_before_birth(tmp_path):
    store = world_of(tmp_path, renal__starts=[*START, ["b", "2012-01-01", "f"]],
                     people__persons=[PEOPLE[0], ["b", "2013-01-01", "1", None]])  # fmt: skip
    cohort = cohort_of(store)
    assert persons_of(cohort) == ["a"]
    steps = cohort.ledger.steps.set_index("reason")
    assert steps.loc["index date before birth", "n_persons_out"] == 1
    assert "before birth" in cohort.ledger.links.conflicts["question"].tolist()


# -- persons with two numbers --------------------------------------------------------------------


def test_a_person_with_rows_under_two_numbers_is_one_person(tmp_path):
    people = [["x", "1940-01-01", "2", "2012-01-01"], *PEOPLE]
    store = world_of(tmp_path, people__persons=people, people__numbers=[["a", "x"]])
    age = {"link": "people.persons", "take": "age"}
    cohort = cohort_of(store, variables={"sex": SEX, "age": age}, comparison=DRAWN)
    mine = cohort.persons[cohort.persons["person"] == "a"]
    assert mine[["sex", "age"]].to_numpy().tolist() == [["male", 64]]
    assert checks(cohort)["rows of persons under a number they no longer have, not used"] == 1


def test_an_earlier_number_with_two_successors_is_nobodys(tmp_path):
    numbers = [["a", "x"], ["b", "x"]]
    stays = [["x", "2014-01-01", "E10", "", None, None]]
    store = world_of(tmp_path, people__numbers=numbers, care__stays=stays)
    days = {"from": -400, "to": -1}
    stay = {"link": "care.stays", "take": "count", "days": days}
    cohort = cohort_of(store, variables={"n": stay})
    assert cohort.persons["n"].tolist() == [0]
    assert checks(cohort)["earlier numbers with more than one successor, followed to none"] == 1


# -- covariates and conditions -------------------------------------------------------------------


def test_values_of_the_person_and_of_a_window_come_from_one_table(tmp_path):
    born = {"link": "people.persons", "take": "count", "days": {"to": 0}}
    age = {"link": "people.persons", "take": "age"}
    persons = cohort_of(world_of(tmp_path), variables={"born": born, "age": age}).persons
    assert persons[["born", "age"]].to_numpy().tolist() == [[1, 64]]


def test_the_own_table_is_linked_alone(tmp_path):
    before = {"link": "renal.starts", "take": "count", "days": {"to": -1}}
    store = world_of(tmp_path, renal__starts=[["a", "2012-01-01", "c"], *START])
    event = {"link": "renal.starts", "from_day": "1"}
    rules = {"outcome": "another start", "event_in": event, "unit": "days"}
    how = {"population": None, "variables": {"n": before}, "follow_up": rules}
    period = {"from": "2015-01-01", "to": "2019-12-31"}
    cohort = cohort_of(store, cohort={"index_date": "start", "period": period}, **how)
    assert cohort.persons["n"].tolist() == [1]


def test_a_number_of_the_own_table_is_missing_for_comparison_persons(tmp_path):
    rows = [["a", "2015-01-01", "E10", "", None, 120]]
    study = {
        "register": "care", "table": "stays", "cohort": {"index_date": "admitted"},
        "variables": {"hb": {}, "others": {}}, "comparison": DRAWN,
    }  # fmt: skip
    persons = cohort_of(world_of(tmp_path, care__stays=rows), **study).persons
    assert persons_of_kind(persons, "patient")["hb"].tolist() == [120]
    assert persons_of_kind(persons, "comparison person")["hb"].isna().tolist() == [True]


def persons_of_kind(persons: Any, kind: str) -> Any:
    return persons[persons["matched_as"] == kind]


@pytest.mark.parametrize(
    ("test", "stays"),
    [
        ({"in": ["365"]}, ["a"]),
        ({"at_least": "200"}, ["a"]),
        ({"at_most": "200"}, []),
        ({"not_in": ["365"]}, []),
    ],
)
def test_numbers_are_compared_as_numbers(tmp_path, test, stays):
    rows = [["a", "2014-01-01", "E10", "", None, 365]]
    last = {"link": "care.stays", "take": "last", "from": "hb", "days": {"to": 0}}
    rule = {"variable": "hb", **test, "because": "?"}
    how = {"variables": {"hb": last}, "cohort": {"index_date": "start", "include": [rule]}}
    store = world_of(tmp_path, care__stays=rows)
    if stays:
        assert persons_of(cohort_of(store, **how)) == stays
    else:
        with pytest.raises(WorkbenchError, match="empty"):
            cohort_of(store, **how)


def test_a_condition_compares_in_the_unit_of_its_column(tmp_path):
    rows = [["a", "2013-01-01", "E10", "", None, None]]
    since = {"link": "care.stays", "take": "last", "days": {"to": 0}, "unit": "years"}
    rule = {"variable": "since", "at_least": "-3", "because": "longer ago than three years"}
    how = {"variables": {"since": since}, "cohort": {"index_date": "start", "include": [rule]}}
    assert persons_of(cohort_of(world_of(tmp_path, care__stays=rows), **how)) == ["a"]


@pytest.mark.parametrize("value", ["20120101", "2012-1-1", "3"])
def test_a_date_is_written_as_dates_are(tmp_path, value):
    rule = {"variable": "start", "at_least": value, "because": "?"}
    with pytest.raises(StudyError, match="is not a value of start"):
        cohort_of(world_of(tmp_path), cohort={"index_date": "start", "include": [rule]})


def test_a_score_of_some_groups_knows_what_supersedes_them(tmp_path):
    scored = parse_document(
        {
            "name": "scored", "label": "Scored", "system": "icd10se", "source": "test",
            "match": "prefix",
            "groups": {
                "mild": {"label": "m", "codes": ["E10"], "weight": "1"},
                "grave": {"label": "g", "codes": ["E11"], "weight": "3", "supersedes": ["mild"]},
                "other": {"label": "o", "codes": ["I10"], "weight": "5"},
            },
        },
        CodeList,
        where="scored.yaml",
    )  # fmt: skip
    rows = [["a", "2014-01-01", "E10", "", None, None], ["a", "2014-02-01", "E11", "", None, None]]
    choice = {"in": ["diagnosis"], "list": "scored", "groups": ["mild", "other"]}
    score = {"link": "care.stays", "take": "score", "days": {"to": -1}, "codes": choice}
    store = world_of(tmp_path, care__stays=rows)
    cohort = cohort_of(store, variables={"s": score}, code_lists={"scored": scored})
    assert cohort.persons["s"].tolist() == [0]


NEEDS_DAYS = {"link": "care.stays", "days": {"to": -1}}
REFUSED = {
    "a unit of a count": (
        {"variables": {"n": {**NEEDS_DAYS, "take": "count", "unit": "years"}}},
        "has no unit to convert",
    ),
    "a cut of yes and no": (
        {"variables": {"n": {**NEEDS_DAYS, "take": "any", "cut": ["0", "1"]}}},
        "cannot be cut",
    ),
    "match on twice": (
        {"comparison": {"n": "1", "match_on": ["sex", "sex"]}, "variables": {"sex": SEX}},
        "names something twice",
    ),
    "names alike but for capitals": (
        {"variables": {"sex": SEX, "Sex": SEX}},
        'differs from "sex" by capitals only',
    ),
    "a column named as a variable of the table": (
        {
            "variables": {"access": SEX},
            "cohort": {
                "index_date": "start",
                "include": [{"variable": "access", "in": ["f"], "because": "?"}],
            },
        },
        "both a variable of starts and a column linked from",
    ),
    "comparison persons grouped by what they lack": (
        {"comparison": DRAWN, "variables": {"access": {}, "sex": SEX}, "group": "access"},
        "group: access is a variable of starts",
    ),
    "comparison persons followed by what they lack": (
        {
            "comparison": DRAWN,
            "variables": {"sex": SEX},
            "follow_up": {**DEATH, "end_date": "start"},
        },
        "leave out follow_up.end_date",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_means_nothing_is_refused_before_it_runs(tmp_path, what):
    changes, words = REFUSED[what]
    with pytest.raises(WorkbenchError, match=words):
        cohort_of(world_of(tmp_path), **changes)
