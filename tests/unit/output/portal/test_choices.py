"""A choice always exists, whatever a browser sends."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.output.portal.choices import Choice, Choices, picked
from workbench.output.portal.results import Result

ROWS = tuple({"region": f"u{at}", "n": "10", "estimate": "0.5"} for at in range(9))
YEARS = ({"region": "u1", "year": "2020", "estimate": "0.5"},)
RESULTS = [
    Result("a", "Title", "R", "x", "region", "p1", rows=ROWS, years=YEARS),
    Result("a", "Title", "R", "x", "region", "p2", rows=ROWS),
    Result("a", "Title", "R", "x", "unit", "p1", rows=({"unit": "v1", "estimate": "0.1"},)),
    Result("a", "Title", "R", "y", "region", "p1", rows=ROWS),
    Result("b", "Title", "R", "z", "region", "p1", rows=ROWS[:2]),
]
words = st.sampled_from(
    ["a", "b", "x", "y", "z", "region", "unit", "p1", "p2", "2020", "", "../.."]
)


def test_without_a_choice_the_first_of_all_is_shown():
    now = Choices(RESULTS).settled(Choice())
    assert (now.study, now.indicator, now.unit, now.period, now.year) == (
        "a",
        "x",
        "region",
        "p1",
        "",
    )


def test_studies_of_the_same_title_are_told_apart():
    assert Choices(RESULTS).studies() == [("Title (a)", "a"), ("Title (b)", "b")]


def test_levels_and_periods_are_those_of_the_chosen_indicator():
    choices = Choices(RESULTS)
    now = choices.settled(Choice(study="a", indicator="x"))
    assert choices.levels(now) == ["region", "unit"]
    assert choices.periods(now) == [("p1", ""), ("p1", "2020"), ("p2", "")]


def test_at_most_five_units_are_kept_and_the_rest_counted():
    now = Choices(RESULTS).settled(Choice(units=tuple(f"u{at}" for at in range(9))))
    assert now.units == ("u0", "u1", "u2", "u3", "u4") and now.n_left_out == 4


def test_a_unit_that_is_not_there_is_dropped():
    now = Choices(RESULTS).settled(Choice(units=("u1", "nobody", "u1")))
    assert now.units == ("u1",)


@given(st.lists(words, min_size=6, max_size=6), st.lists(words, max_size=8))
@settings(max_examples=200, deadline=None)
def test_any_choice_settles_into_one_that_exists(told, units):
    choices = Choices(RESULTS)
    now = choices.settled(Choice(*told[:5], units=tuple(units), view=told[5]))
    assert choices.result(now) is not None
    assert choices.settled(now) == replace(now, n_left_out=0)


def test_nothing_to_choose_from_is_no_error():
    now = Choices([]).settled(Choice(study="a"))
    assert Choices([]).result(now) is None and now == Choice()


@pytest.mark.parametrize("position", [-1, 3, 10**30, None, "0", 1.0, True, [0], {"a": 1}])
def test_what_is_no_position_picks_nothing(position):
    assert picked(["a", "b", "c"], position) is None


def test_a_position_picks_its_option():
    assert picked(["a", "b", "c"], 2) == "c"
