"""Linked registers give the cohort that plain Python gives, row by row, and nothing is lost."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import ibis
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from linked import cohort_of, make_store

from workbench.data.store import Store
from workbench.errors import DataError, StudyError, WorkbenchError
from workbench.registers.codes import REMOVED_SIGNS, load_code_list, normalise

DAY = timedelta(days=1)
AS_OF = date(2020, 12, 31)
CODES = {"in": ["diagnosis", "others"], "list": "diabetes"}


def stays(take: str, first: int | None, last: int, **more: Any) -> dict[str, Any]:
    """A covariate taken from stays in a window."""
    days = {"to": last} if first is None else {"from": first, "to": last}
    return {"link": "care.stays", "take": take, "days": days, **more}


VARIABLES = {
    "access": {"label": "Access"},
    "diabetes": stays("any", -400, -1, codes=CODES),
    "n_stays": stays("count", None, 0),
    "first_hb": stays("first", -700, 0, **{"from": "hb"}),
    "last_hb": stays("last", -700, 0, **{"from": "hb"}),
    "days_since": stays("nearest", None, -1),
    "sex": {"link": "people.persons", "take": "value", "from": "sex"},
    "age": {"link": "people.persons", "take": "age"},
}


# -- the same rules in plain Python ------------------------------------------------------------


def plain_cohort(world: dict[str, list[list[Any]]], washout: int, events: str) -> pd.DataFrame:
    now = {earlier: current for current, earlier in world["people.numbers"]}

    def who(number: str) -> str:
        return now.get(number, number)

    people = {who(row[0]): row for row in world["people.persons"] if row[0] in now}
    people |= {row[0]: row for row in world["people.persons"] if row[0] not in now}
    starts = [
        (who(row[0]), row[1], at, row[2]) for at, row in enumerate(world["renal.starts"], start=1)
    ]
    rows = []
    for person, index, at, access in starts:
        earlier = [
            other for other in starts
            if other[0] == person and (other[1], other[2]) < (index, at)
        ]  # fmt: skip
        if not date(2010, 1, 1) <= index <= date(2019, 12, 31):
            continue
        if any((index - other[1]).days < washout for other in earlier):
            continue
        moves = plain_moves([m for m in world["people.migrations"] if who(m[0]) == person])
        if person not in people:
            continue
        _id, born, sex, died = people[person]
        if (died and died < index) or plain_abroad(moves, index):
            continue
        left = [day for day, way in moves.items() if way == "out" and day >= index]
        ends = [(died, 0, "outcome"), (min(left, default=None), 1, "emigration")]
        end, _order, ended_by = min(one for one in [*ends, (AS_OF, 2, "end of data")] if one[0])
        mine = [
            ((row[1] - index).days, place, row)
            for place, row in enumerate(world["care.stays"])
            if who(row[0]) == person
        ]
        rows.append(
            {
                "person": person,
                "index_date": index,
                "at": at,
                "access": {"f": "fistula", "c": "catheter"}[access],
                **plain_covariates(mine),
                "sex": {"1": "male", "2": "female"}[sex],
                "age": index.year - born.year - ((index.month, index.day) < (born.month, born.day)),
                "follow_up": float((end - index).days),
                "has_event": ended_by == "outcome",
                "ended_by": ended_by,
            }
        )
    frame = pd.DataFrame(rows)
    if frame.empty:
        return frame
    frame = frame.sort_values(["person", "index_date", "at"])
    if events == "first":
        frame = frame.groupby("person").head(1)
    return frame.sort_values(["person", "at"]).drop(columns="at").reset_index(drop=True)


def plain_moves(moves: list[list[Any]]) -> dict[date, str]:
    """Where each day's moves lead; days with moves both ways change nothing."""
    ways: dict[date, set[str]] = {}
    for _id, day, way in moves:
        ways.setdefault(day, set()).add(way)
    return {day: way.copy().pop() for day, way in sorted(ways.items()) if len(way) == 1}


def plain_abroad(moves: dict[date, str], index: date) -> bool:
    """Left before the day and not back by it; or not come yet."""
    if moves.get(index) == "in":
        return False
    before = [way for day, way in moves.items() if day < index]
    if before:
        return before[-1] == "out"
    return bool(moves) and next(iter(moves.values())) == "in"


def plain_covariates(mine: list[tuple[int, int, list[Any]]]) -> dict[str, Any]:
    def coded(row: list[Any]) -> bool:
        cells = [row[2] or "", *(row[3] or "").split(" ")]
        return any(one.replace(".", "").upper().startswith(("E10", "E11")) for one in cells)

    hb = sorted((day, at, row[5]) for day, at, row in mine if -700 <= day <= 0 and row[5])
    past = [day for day, _at, _row in mine if day <= -1]
    return {
        "diabetes": "yes" if any(coded(r) and -400 <= d <= -1 for d, _at, r in mine) else "no",
        "n_stays": sum(day <= 0 for day, _at, _row in mine),
        "first_hb": hb[0][2] if hb else None,
        "last_hb": hb[-1][2] if hb else None,
        "days_since": max(past, default=None),
    }


# -- random worlds -----------------------------------------------------------------------------

ids = st.sampled_from(["a", "b", "c", "d", "e"])
days = st.integers(0, 4500).map(lambda n: date(2009, 1, 1) + n * DAY)
births = st.integers(0, 25000).map(lambda n: date(1930, 1, 1) + n * DAY)
codes = st.sampled_from(["E10", "e11.9", "E119A", "I10", "J20", "AE10", ""])


@st.composite
def worlds(draw: st.DrawFn) -> dict[str, list[list[Any]]]:
    known = draw(st.lists(ids, unique=True, min_size=1))
    renumbered = draw(st.booleans())
    both_numbers = ["x"] if renumbered and draw(st.booleans()) else []
    persons = [
        [one, draw(births), draw(st.sampled_from("12")), draw(st.none() | days)]
        for one in [*both_numbers, *known]
    ]
    anyone = st.sampled_from(["a", "b", "c", "d", "e", "x"])
    cell = st.lists(codes, max_size=3).map(" ".join)
    return {
        "people.persons": persons,
        "people.migrations": draw(
            st.lists(
                st.tuples(ids, days, st.sampled_from(["in", "out"])).map(list),
                max_size=5,
            )
        ),
        "people.numbers": [["a", "x"]] if renumbered else [],
        "renal.starts": draw(
            st.lists(
                st.tuples(anyone, days, st.sampled_from("fc")).map(list), min_size=1, max_size=8
            )
        ),
        "care.stays": draw(
            st.lists(
                st.tuples(
                    anyone,
                    days,
                    codes,
                    cell,
                    st.sampled_from(["1", "2", None]),
                    st.none() | st.integers(60, 160),
                ).map(list),
                max_size=10,
            )
        ),
    }


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    world=worlds(),
    washout=st.sampled_from([1, 30, 400]),
    events=st.sampled_from(["first", "every"]),
)
def test_linkage_equals_the_same_rules_in_plain_python(world, washout, events):
    expected = plain_cohort(world, washout, events)
    with TemporaryDirectory() as folder:
        store = make_store(Path(folder) / "store", world)
        rules = {
            "index_date": "start",
            "period": {"from": "2010-01-01", "to": "2019-12-31"},
            "washout_days": str(washout),
            "events": events,
        }
        if expected.empty:
            with pytest.raises(DataError, match="empty"):
                cohort_of(store, variables=VARIABLES, cohort=rules)
            return
        cohort = cohort_of(store, variables=VARIABLES, cohort=rules)
    found = cohort.persons
    for name in expected.columns:
        left, right = found[name].tolist(), expected[name].tolist()
        if name == "index_date":
            left = [pd.Timestamp(one).date() for one in left]
        assert [None if pd.isna(one) else one for one in left] == [
            None if pd.isna(one) else one for one in right
        ], name
    steps = cohort.ledger.steps
    assert steps["n_rows_in"].iloc[0] == len(world["renal.starts"])
    assert steps["n_rows_in"].iloc[-1] == len(expected)
    assert steps["n_persons_in"].iloc[-1] == expected["person"].nunique()


# -- one thing at a time -----------------------------------------------------------------------

PEOPLE = [["a", "1950-02-01", "1", None], ["b", "1960-07-01", "2", None]]
START = [["a", "2015-01-01", "f"]]


def world_of(folder: Path, **tables: list[list[Any]]) -> Store:
    """A store of the world; tables named with two underscores for the point."""
    rows = {"people.persons": PEOPLE, "renal.starts": START}
    named = {name.replace("__", "."): rows for name, rows in tables.items()}
    return make_store(folder / "store", {**rows, **named})


def value(store: Store, covariate: dict[str, Any]) -> Any:
    """What one covariate gives for the only person."""
    persons = cohort_of(store, variables={"x": covariate}).persons
    return persons["x"].tolist()[0]


@pytest.mark.parametrize(("includes", "n"), [("both", 3), ("start", 2), ("end", 2), ("neither", 1)])
def test_the_ends_of_a_window_are_in_or_out_as_stated(tmp_path, includes, n):
    rows = [["a", f"2014-12-{day}", "I10", "", None, None] for day in ("21", "25", "31")]
    window = {"from": -11, "to": -1, "includes": includes}
    store = world_of(tmp_path, care__stays=rows)
    assert value(store, {"link": "care.stays", "take": "count", "days": window}) == n


def test_the_first_and_last_known_value_pass_over_missing_ones(tmp_path):
    rows = [
        ["a", "2014-01-01", "I10", "", None, None],
        ["a", "2014-02-01", "I10", "", None, 110],
        ["a", "2014-03-01", "I10", "", None, 120],
        ["a", "2014-03-01", "I10", "", None, 130],  # the same day: the later row is the last
        ["a", "2014-04-01", "I10", "", None, None],
    ]
    store = world_of(tmp_path, care__stays=rows)
    assert value(store, stays("first", None, 0, **{"from": "hb"})) == 110
    assert value(store, stays("last", None, 0, **{"from": "hb"})) == 130
    assert value(store, stays("nearest", None, 0, **{"from": "hb"})) == 130


def test_a_covariate_may_ask_for_certain_rows_only(tmp_path):
    rows = [
        ["a", "2014-01-01", "I10", "", None, 100],
        ["a", "2014-02-01", "I10", "", None, 130],
    ]
    store = world_of(tmp_path, care__stays=rows)
    where = [{"variable": "hb", "at_least": "120"}]
    assert value(store, stays("count", None, 0, where=where)) == 1


def test_who_turns_a_year_older_on_the_index_date_is_a_year_older(tmp_path):
    age = {"link": "people.persons", "take": "age"}
    people = [["a", "1950-01-01", "1", None]]
    assert value(world_of(tmp_path, people__persons=people), age) == 65
    people = [["a", "1952-02-29", "1", None]]
    starts = [["a", "2015-02-28", "f"]]
    leap = world_of(tmp_path / "leap", people__persons=people, renal__starts=starts)
    assert value(leap, age) == 62
    exact = value(leap, {**age, "take": "exact_age"})
    assert exact == (date(2015, 2, 28) - date(1952, 2, 29)).days / 365.2425


def test_a_window_may_not_look_past_the_index_date(tmp_path):
    with pytest.raises(StudyError, match="immortal time"):
        value(world_of(tmp_path), stays("any", -30, 30))


def test_a_window_ends_after_it_begins(tmp_path):
    with pytest.raises(WorkbenchError, match="ends before it begins"):
        value(world_of(tmp_path), stays("any", -30, -60))


def test_conditions_may_ask_for_what_other_registers_say(tmp_path):
    rows = [["a", "2014-01-01", "E109", "", None, None]]
    starts = [["a", "2015-01-01", "f"], ["b", "2015-01-01", "c"]]
    store = world_of(tmp_path, care__stays=rows, renal__starts=starts)
    rules = {
        "index_date": "start",
        "exclude": [{"variable": "diabetes", "in": ["true"], "because": "diabetes before"}],
    }
    cohort = cohort_of(store, variables={"diabetes": VARIABLES["diabetes"]}, cohort=rules)
    assert cohort.persons["person"].tolist() == ["b"]
    steps = cohort.ledger.steps.set_index("reason")
    assert steps.loc["diabetes before", "n_persons_out"] == 1
    leavers = cohort.ledger.leavers
    assert leavers[leavers["variable"] == "diabetes"]["level"].tolist() == ["yes"]


def test_follow_up_ends_at_the_first_of_outcome_cause_death_emigration_and_as_of(tmp_path):
    people = [
        ["a", "1950-01-01", "1", "2016-01-01"],
        ["b", "1950-01-01", "1", "2016-01-01"],
        ["c", "1950-01-01", "1", "2017-01-01"],
        ["d", "1950-01-01", "1", None],
        ["e", "1950-01-01", "1", "2016-01-01"],
    ]
    rows = [
        ["a", "2015-06-01", "E109", "", None, None],
        ["b", "2015-03-01", "I10", "", None, 50],
        ["e", "2016-01-01", "E109", "", None, None],  # on the day of death: the outcome comes first
    ]
    store = world_of(
        tmp_path,
        people__persons=people,
        people__migrations=[["c", "2016-06-01", "out"]],
        renal__starts=[[one, "2015-01-01", "f"] for one in "abcde"],
        care__stays=rows,
    )
    low_hb = {"link": "care.stays", "where": [{"variable": "hb", "at_most": "60"}]}
    follow_up = {
        "outcome": "a stay for diabetes",
        "event_in": {"link": "care.stays", "codes": CODES},
        "competing": {"anaemia": low_hb},
        "unit": "days",
    }
    cohort = cohort_of(store, follow_up=follow_up)
    assert cohort.causes == ("outcome", "anaemia", "death")
    persons = cohort.persons.set_index("person")
    assert persons["cause"].to_dict() == {"a": 1, "b": 2, "c": 0, "d": 0, "e": 1}
    assert persons["ended_by"].to_dict() == {
        "a": "outcome",
        "b": "anaemia",
        "c": "emigration",
        "d": "end of data",
        "e": "outcome",
    }
    assert persons["has_event"].tolist() == [True, False, False, False, True]


def test_death_may_count_as_the_event(tmp_path):
    store = world_of(
        tmp_path,
        people__persons=[["a", "1950-01-01", "1", "2016-01-01"], ["b", "1950-01-01", "1", None]],
        renal__starts=[["a", "2015-01-01", "f"], ["b", "2015-01-01", "f"]],
        care__stays=[["b", "2015-06-01", "E109", "", None, None]],
    )
    follow_up = {
        "outcome": "diabetes or death",
        "event_in": {"link": "care.stays", "codes": CODES},
        "or_death": "yes",
        "unit": "days",
    }
    persons = cohort_of(store, follow_up=follow_up).persons
    assert persons["has_event"].tolist() == [True, True]
    assert persons["follow_up"].tolist() == [365, 151]


def test_a_study_without_follow_up_describes_its_persons(tmp_path):
    cohort = cohort_of(world_of(tmp_path), follow_up=None)
    assert cohort.persons.columns.tolist() == ["person", "index_date", "access"]
    assert cohort.n_events == 0


def test_who_emigrates_on_the_index_date_is_followed_for_no_time(tmp_path):
    store = world_of(tmp_path, people__migrations=[["a", "2015-01-01", "out"]])
    persons = cohort_of(store).persons
    assert persons["follow_up"].tolist() == [0]
    assert persons["ended_by"].tolist() == ["emigration"]


def test_a_returner_is_followed_again(tmp_path):
    moves = [["a", "2010-01-01", "out"], ["a", "2012-01-01", "in"]]
    assert cohort_of(world_of(tmp_path, people__migrations=moves)).persons["person"].tolist() == [
        "a"
    ]


def test_a_new_number_is_the_same_person(tmp_path):
    store = world_of(
        tmp_path,
        people__numbers=[["y", "x"], ["a", "y"]],  # x became y, y became a
        care__stays=[["x", "2014-01-01", "E109", "", None, None]],
    )
    cohort = cohort_of(store, variables={"diabetes": VARIABLES["diabetes"]})
    assert cohort.persons["diabetes"].tolist() == ["yes"]
    tables = cohort.ledger.links.tables.set_index("table")
    assert tables.loc["care.stays", "n_rows_renumbered"] == 1


def test_number_changes_in_a_circle_are_told_and_change_nothing(tmp_path):
    store = world_of(tmp_path, people__numbers=[["x", "y"], ["y", "x"]])
    checks = cohort_of(store).ledger.checks.set_index("check")["n_rows"]
    assert checks["number changes that lead in a circle"] == 2


def test_a_code_list_that_matches_nothing_is_told(tmp_path):
    store = world_of(tmp_path, care__stays=[["a", "2014-01-01", "I10", "", None, None]])
    checks = cohort_of(store, variables={"dm": VARIABLES["diabetes"]}).ledger.checks
    assert "rows of care.stays (diagnosis, others) with a code of diabetes" in set(checks["check"])
    follow_up = {"outcome": "diabetes", "event_in": {"link": "care.stays", "codes": CODES}}
    with pytest.raises(DataError, match="nobody could have the outcome"):
        cohort_of(store, follow_up=follow_up)


def test_the_link_report_tells_matches_and_conflicts(tmp_path):
    store = world_of(
        tmp_path,
        people__persons=[["a", "1950-01-01", "1", "2016-01-01"], ["b", "1950-01-01", "2", None]],
        renal__starts=[["a", "2015-01-01", "f"], ["b", "2016-01-01", "f"]],
        care__stays=[
            ["a", "2014-01-01", "I10", "", "2", None],  # another sex
            ["a", "2017-01-01", "I10", "", "1", None],  # after death
            ["z", "2017-01-01", "I10", "", "1", None],
        ],
    )
    links = cohort_of(store, variables={"n": stays("count", None, 0)}).ledger.links
    matches = links.matches.set_index(["table", "year"])
    assert matches.loc[("care.stays", 2015)].tolist() == [1, 1, 0]
    assert matches.loc[("care.stays", 2016)].tolist() == [1, 0, 1]
    stays_row = links.tables.set_index("table").loc["care.stays"]
    assert stays_row["n_rows_of_others"] == 1
    assert stays_row["n_several_rows"] == 1
    conflicts = links.conflicts.set_index(["table", "question"])["n_conflicts"]
    assert conflicts["care.stays", "other sex"] == 1
    assert conflicts["care.stays", "after death"] == 1


CHARLSON = load_code_list("charlson", ())
DIAGNOSES = ("I21", "E10.9", "E11.2", "K70.3", "R18", "i85.0", "C509", "C78", "B20", "J449", "Z00")


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.sampled_from(DIAGNOSES), max_size=5))
def test_a_score_is_that_of_the_groups_present(codes):
    with TemporaryDirectory() as folder:
        rows = [["a", "2014-01-01", "I10", " ".join(codes), None, None]]
        store = make_store(
            Path(folder) / "store",
            {"people.persons": PEOPLE, "renal.starts": START, "care.stays": rows},
        )
        choice = {"in": ["diagnosis", "others"], "list": "charlson"}
        score = stays("score", -400, -1, codes=choice)
        persons = cohort_of(
            store, code_lists={"charlson": CHARLSON}, variables={"x": score}
        ).persons
    present = {group for code in ["I10", *codes] for group in CHARLSON.groups_of(code)}
    assert persons["x"].tolist() == [CHARLSON.score(present)]


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12))
def test_the_engine_writes_codes_as_the_lists_do(code):
    cell = ibis.memtable(pd.DataFrame({"code": [code]})).code.upper()
    for sign in REMOVED_SIGNS:
        cell = cell.replace(sign, "")
    assert cell.as_table().execute().iloc[0, 0] == normalise(code)
