"""Start-stop rows know nothing before its day, and lose no time and no event."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.analysis import regression
from workbench.analysis.time_varying import check_spells, refuse_immortal_time, start_stop_rows
from workbench.errors import DataError, WorkbenchError

CALL = {
    "person": "who", "start": "start", "end": "end", "event": "died", "changed_on": "day",
    "values": ["treated"],
}  # fmt: skip
START = pd.Timestamp("1969-06-01")  # days before 1970 are days too


def day(n: float) -> pd.Timestamp:
    return START + pd.Timedelta(days=n)


def persons_of(*rows: tuple[str, int, int]) -> pd.DataFrame:
    """Persons by name, length of follow-up, and whether they die."""
    return pd.DataFrame(
        {
            "who": [one[0] for one in rows],
            "start": START,
            "end": [day(one[1]) for one in rows],
            "died": [one[2] for one in rows],
            "treated": 0,
        }
    )


def changes_of(*rows: tuple[str, int, int]) -> pd.DataFrame:
    facts = {"who": [one[0] for one in rows], "day": [day(one[1]) for one in rows]}
    return pd.DataFrame(facts | {"treated": [one[2] for one in rows]})


def test_a_change_cuts_follow_up_and_counts_from_its_day():
    persons, changes = persons_of(("a", 10, 1)), changes_of(("a", 4, 1))
    rows = start_stop_rows(persons, changes, **CALL)
    assert rows[["begin", "stop", "treated", "died"]].to_numpy().tolist() == [
        [0, 4, 0, 0], [4, 10, 1, 1],
    ]  # fmt: skip


def test_an_event_on_the_day_of_a_change_counts_before_it():
    rows = start_stop_rows(persons_of(("a", 10, 1)), changes_of(("a", 10, 1)), **CALL)
    assert rows[["begin", "stop", "treated", "died"]].to_numpy().tolist() == [[0, 10, 0, 1]]
    assert rows.attrs["not_used"]["changes on or after the end"] == 1


def test_the_last_change_up_to_the_start_is_what_is_known_there():
    changes = changes_of(("a", -30, 1), ("a", -10, 2), ("a", 0, 3))
    rows = start_stop_rows(persons_of(("a", 10, 0)), changes, **CALL)
    assert rows[["begin", "stop", "treated"]].to_numpy().tolist() == [[0, 10, 3]]


def test_a_missing_value_leaves_what_was_known():
    changes = changes_of(("a", 3, 1), ("a", 6, 2)).astype({"treated": float})
    changes.loc[1, "treated"] = np.nan
    rows = start_stop_rows(persons_of(("a", 10, 0)), changes, **CALL)
    assert rows["treated"].tolist() == [0, 1, 1]


def test_who_has_no_follow_up_has_no_row_and_is_counted():
    rows = start_stop_rows(persons_of(("a", 0, 0), ("b", 5, 0)), changes_of(("x", 1, 1)), **CALL)
    assert rows["who"].tolist() == ["b"]
    assert rows.attrs["not_used"] == {
        "changes on or after the end": 0, "changes of others": 1, "persons without follow-up": 1,
    }  # fmt: skip


@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_no_time_and_no_event_is_lost_and_nothing_is_known_early(data):
    n = data.draw(st.integers(1, 8))
    ends = data.draw(st.lists(st.integers(0, 50), min_size=n, max_size=n))
    persons = persons_of(*[(f"p{at}", end, at % 2) for at, end in enumerate(ends)])
    drawn = data.draw(
        st.lists(
            st.tuples(st.integers(0, n - 1), st.integers(-10, 60), st.integers(1, 3)),
            unique_by=lambda one: one[:2],
            max_size=12,
        )
    )
    changes = changes_of(*[(f"p{at}", when, value) for at, when, value in drawn])
    rows = start_stop_rows(persons, changes, **CALL)
    if len(rows):
        check_spells(rows, person="who")
    assert (rows["stop"] - rows["begin"]).sum() == sum(ends)
    followed = persons[persons["end"] > persons["start"]]
    assert rows["died"].sum() == followed["died"].sum()
    for row in rows.to_dict("records"):
        told = [
            (when, v) for at, when, v in drawn if f"p{at}" == row["who"] and when <= row["begin"]
        ]
        assert row["treated"] == (max(told)[1] if told else 0)


def test_cutting_where_nothing_changes_changes_no_coefficient():
    draw = np.random.default_rng(3)
    n = 300
    persons = persons_of(
        *[(f"p{at}", 1 + int(draw.integers(0, 400)), at % 3 == 0) for at in range(n)]
    )
    persons = persons.assign(treated=draw.integers(0, 2, n), died=persons["died"].astype(int))
    again = persons[["who", "treated"]].assign(day=[day(int(d)) for d in draw.integers(1, 300, n)])
    rows = start_stop_rows(persons, again, **CALL)
    assert len(rows) > n
    whole = regression.cox(
        persons.assign(t=(persons["end"] - persons["start"]).dt.days), "treated",
        duration="t", event="died",
    )  # fmt: skip
    cut = regression.cox(rows, "treated", duration="stop", event="died", entry="begin")
    for column in ("coefficient", "std_error"):
        np.testing.assert_allclose(cut.coefficients[column], whole.coefficients[column], rtol=1e-7)


@pytest.mark.parametrize(
    ("persons", "changes", "words"),
    [
        (persons_of(("a", 5, 0), ("a", 6, 0)), changes_of(("a", 1, 1)), "repeats a person"),
        (persons_of(("a", 5, 0)), changes_of(("a", 1, 1), ("a", 1, 2)), "1 say something else"),
        (persons_of(("a", -5, 0)), changes_of(("a", 1, 1)), 'before "start" in 1 rows'),
        (persons_of(("a", 5, 2)), changes_of(("a", 1, 1)), "neither 0 nor 1"),
        (persons_of(("a", 5, 0)), changes_of(("a", 1, 1))[["who"]], "no column day, treated"),
        (persons_of(("a", 5, 0)).assign(stop=1), changes_of(("a", 1, 1)), "Rename"),
    ],
)
def test_what_cannot_be_is_refused(persons, changes, words):
    with pytest.raises(WorkbenchError, match=words):
        start_stop_rows(persons, changes, **CALL)


def test_spells_that_overlap_have_no_length_or_leave_a_gap_are_counted():
    rows = pd.DataFrame({"who": list("aaabb"), "begin": [0, 3, 9, 0, 2], "stop": [4, 6, 9, 1, 5]})
    with pytest.raises(DataError) as told:
        check_spells(rows, person="who")
    assert "1 rows have no length" in str(told.value)
    assert "1 rows overlap" in str(told.value)
    assert "2 rows leave a gap" in str(told.value)
    check_spells(rows.iloc[3:], person="who", gaps=True)


def test_immortal_time_is_refused_with_the_covariate_and_how_many():
    persons = persons_of(("a", 9, 0), ("b", 9, 0), ("c", 9, 0)).assign(
        responded=[1, 1, 0], responded_on=[day(3), day(0), pd.NaT]
    )
    with pytest.raises(DataError, match='"responded": known after the start for 1 persons'):
        refuse_immortal_time(persons, start="start", known_on={"responded": "responded_on"})
    refuse_immortal_time(persons.iloc[1:], start="start", known_on={"responded": "responded_on"})
