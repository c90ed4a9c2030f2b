"""Levels follow the written limits exactly, and say how sure they are."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from workbench.analysis.indicators import level, level_of_estimate
from workbench.errors import DataError, StudyError

TWO = {"green": 0.9, "yellow": 0.8, "direction": "high"}


def test_a_share_on_a_limit_has_reached_it_in_both_directions():
    high = level([90, 89, 80, 79], [100] * 4, **TWO)
    assert list(high["level"]) == ["high", "moderate", "moderate", "low"]
    low = level([5, 6, 10, 11], [100] * 4, green=0.05, yellow=0.1, direction="low")
    assert list(low["level"]) == ["high", "moderate", "moderate", "low"]


def test_limits_are_compared_as_the_fractions_that_were_written():
    assert level(69, 100, green=0.69, direction="high")["level"].item() == "high"
    assert level(7, 100, green=0.07, direction="low")["level"].item() == "high"
    third = Decimal("0.3333333333333333333333")
    assert level(1, 3, green=third, direction="high")["level"].item() == "high"
    assert level(1, 3, green=Fraction(1, 3), direction="high")["level"].item() == "high"
    assert level(1, 3, green=third, direction="low")["level"].item() == "low"
    big = 10**15
    one_short = level(9 * big // 10 - 1, big, green="0.9", direction="high")
    assert one_short["level"].item() == "low"


def test_without_yellow_there_are_two_levels():
    found = level([90, 89], [100, 100], green=0.9, direction="high")
    assert list(found["level"]) == ["high", "low"]
    assert found["level_words"].iloc[1] == "not decided between high and low"


def test_of_nobody_there_is_no_level():
    found = level([0, 3], [0, 3], **TWO)
    assert found["level"].iloc[0] is None and np.isnan(found["level_probability"].iloc[0])
    assert not found["level_decided"].iloc[0] and found["level_words"].iloc[0] == "no patients"


def test_the_probability_is_the_posterior_of_the_level_at_0_and_n_of_n_too():
    x, n = np.array([0, 20, 17, 400]), np.array([20, 20, 20, 400])
    found = level(x, n, **TWO)
    belief = stats.beta(x + 0.5, n - x + 0.5)
    parts = {"high": belief.sf(0.9), "low": belief.cdf(0.8)}
    parts["moderate"] = 1 - parts["high"] - parts["low"]
    expected = [parts[one][at] for at, one in enumerate(found["level"])]
    np.testing.assert_allclose(found["level_probability"], expected, rtol=1e-9)
    assert list(found["level_decided"]) == [True, True, False, True]
    assert found["level_words"].iloc[3] == "high"


def test_a_limit_of_one_is_never_decided_to_be_reached():
    found = level([200, 199], [200, 200], green=1, direction="high")
    assert list(found["level"]) == ["high", "low"]
    assert found["level_probability"].iloc[0] == 0 and not found["level_decided"].iloc[0]
    assert found["level_words"].iloc[0] == "not decided between high and low"


def test_the_index_is_kept_and_nothing_is_changed():
    events, n = pd.Series([1, 2], index=["b", "a"]), pd.Series([3, 4], index=["b", "a"])
    found = level(events, n, **TWO)
    assert list(found.index) == ["b", "a"]
    with pytest.raises(DataError, match="indexes differ"):
        level(events, n.sort_index(), **TWO)


@pytest.mark.parametrize(
    ("events", "n", "words"),
    [
        ([3], [2], "above n in 1 rows"),
        ([1.5], [2], "not whole"),
        ([-1], [2], "below 0"),
        ([None], [2], "missing"),
        ([1], [np.nan], "missing"),
        (["many"], [2], "no numbers"),
        ([1, 2], [2], "2 and 1 values"),
    ],
)
def test_counts_that_are_none_are_refused(events, n, words):
    with pytest.raises(DataError, match=words):
        level(events, n, **TWO)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"green": 90}, "outside 0 to 1"),
        ({"green": -0.1}, "outside 0 to 1"),
        ({"green": 0.7}, "worse than yellow"),
        ({"direction": "low"}, "worse than yellow"),
        ({"direction": "none"}, "direction"),
        ({"green": "nine"}, "expected a number"),
        ({"green": float("nan")}, "expected a number"),
        ({"green": None}, "expected a number"),
    ],
)
def test_limits_that_make_no_sense_are_refused(change, words):
    with pytest.raises(StudyError, match=words):
        level([1], [2], **TWO | change)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 100), st.integers(0, 100))
def test_a_level_agrees_with_fractions_and_mirrors(x, more, one, other):
    n = x + more
    low, high = sorted((Fraction(one, 100), Fraction(other, 100)))
    found = level(x, n, green=high, yellow=low, direction="high").iloc[0]
    mirrored = level(n - x, n, green=1 - high, yellow=1 - low, direction="low").iloc[0]
    assert found["level"] == mirrored["level"]
    if n == 0:
        return
    share = Fraction(x, n)
    assert found["level"] == ("high" if share >= high else "low" if share < low else "moderate")
    assert found["level_probability"] == pytest.approx(mirrored["level_probability"], abs=1e-9)
    assert found["level_decided"] == (found["level_probability"] >= 0.95)


def test_an_estimate_has_its_level_by_its_own_interval():
    keys = {"green": 10, "yellow": 20, "direction": "low"}
    found = level_of_estimate(
        [8, 8, 15, 25, None], lower=[6, 6, 12, 21, None], upper=[10, 12, 18, 30, None], **keys
    )
    assert list(found["level"]) == ["high", "high", "moderate", "low", None]
    assert list(found["level_decided"]) == [True, False, True, True, False]
    assert found["level_words"].iloc[1] == "not decided between high and moderate"
    assert found["level_words"].iloc[4] == "no estimate"
    assert found["level_probability"].isna().all()


def test_an_estimate_has_its_level_by_its_error():
    found = level_of_estimate(
        [0.9, 0.5, 0.95], std_error=[0.1, 0, None], green=0.9, yellow=0.5, direction="high"
    )
    assert list(found["level"]) == ["high", "moderate", "high"]
    np.testing.assert_allclose(found["level_probability"], [0.5, 1, np.nan])
    assert list(found["level_decided"]) == [False, True, False]


@pytest.mark.parametrize(
    ("keys", "error", "words"),
    [
        ({}, StudyError, "give lower and upper"),
        ({"lower": [1]}, StudyError, "give lower and upper"),
        ({"lower": [1], "upper": [3], "std_error": [1]}, StudyError, "give lower and upper"),
        ({"lower": [3], "upper": [4]}, DataError, "do not hold"),
        ({"std_error": [-1]}, DataError, "below 0"),
        ({"std_error": [1, 2]}, DataError, "2 values for 1"),
        ({"std_error": ["x"]}, DataError, "no numbers"),
    ],
)
def test_an_estimate_without_its_error_is_refused(keys, error, words):
    with pytest.raises(error, match=words):
        level_of_estimate([2], green=1, direction="low", **keys)
