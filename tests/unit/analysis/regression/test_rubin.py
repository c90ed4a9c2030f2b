"""Rubin's rules by hand, with the small-sample degrees of freedom."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.analysis.regression import rubin
from workbench.errors import StudyError


def _fit(coefficient: float, std_error: float, term: str = "x", **facts) -> SimpleNamespace:
    table = pd.DataFrame(
        {
            "term": [term],
            "coefficient": [coefficient],
            "std_error": [std_error],
            "robust_std_error": [np.nan],
            "odds_ratio": [np.exp(coefficient)],
        }
    )
    return SimpleNamespace(coefficients=table, n=100, events=40, **facts)


def test_the_rules_by_hand():
    row = rubin.combine([1.0, 2.0, 3.0], [1.0, 1.0, 1.0], complete_df=np.inf).iloc[0]
    total = 1 + 4 / 3
    assert row["estimate"] == pytest.approx(2.0)
    assert row["std_error"] == pytest.approx(np.sqrt(total))
    assert row["degrees_of_freedom"] == pytest.approx(2 / (4 / 3 / total) ** 2)
    assert row["relative_increase"] == pytest.approx(4 / 3)
    df = row["degrees_of_freedom"]
    assert row["fraction_missing"] == pytest.approx((4 / 3 + 2 / (df + 3)) / (7 / 3))


def test_small_samples_have_fewer_degrees_of_freedom():
    row = rubin.combine([1.0, 2.0, 3.0], [1.0, 1.0, 1.0], complete_df=20).iloc[0]
    old = 2 / (4 / 7) ** 2
    observed = 21 / 23 * 20 * (1 - 4 / 7)
    assert row["degrees_of_freedom"] == pytest.approx(old * observed / (old + observed))


def test_imputations_that_agree_add_nothing():
    row = rubin.combine([2.0, 2.0], [0.5, 0.5], complete_df=np.inf).iloc[0]
    assert row["std_error"] == pytest.approx(0.5)
    assert row["lower"] == pytest.approx(2 - 1.959963984540054 * 0.5)
    assert row["fraction_missing"] == 0
    row = rubin.combine([2.0, 2.0], [0.5, 0.5], complete_df=10).iloc[0]
    assert row["degrees_of_freedom"] == pytest.approx(11 / 13 * 10)


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=8), st.floats(1, 1000))
def test_the_variance_never_shrinks(estimates, complete_df):
    row = rubin.combine(estimates, np.ones(len(estimates)), complete_df=complete_df).iloc[0]
    assert row["std_error"] >= 1
    assert 0 < row["degrees_of_freedom"] <= complete_df + 1e-9
    assert 0 <= row["fraction_missing"] <= 1


def test_fits_become_one_with_their_ratio():
    found = rubin.pool([_fit(0.1, 0.2), _fit(0.3, 0.2)])
    row = found.coefficients.iloc[0]
    assert row["odds_ratio"] == pytest.approx(np.exp(0.2))
    assert row["lower"] < row["odds_ratio"] < row["upper"]
    assert row["lower"] * row["upper"] == pytest.approx(row["odds_ratio"] ** 2)
    assert (found.n, found.events, found.n_imputations) == (100, 40, 2)


def test_complete_degrees_of_freedom_come_from_the_fit():
    by_events = rubin.pool([_fit(0.1, 0.2), _fit(0.3, 0.2)]).coefficients
    by_persons = rubin.pool([_fit(0.1, 0.2, residual_df=98), _fit(0.3, 0.2)]).coefficients
    told = rubin.pool([_fit(0.1, 0.2), _fit(0.3, 0.2)], complete_df=98).coefficients
    assert by_events["degrees_of_freedom"][0] < by_persons["degrees_of_freedom"][0]
    pd.testing.assert_frame_equal(by_persons, told)


def test_robust_standard_errors_are_used_where_there_are_some():
    fits = [_fit(0.1, 0.2), _fit(0.1, 0.2)]
    for fit in fits:
        fit.coefficients["robust_std_error"] = 0.4
    assert rubin.pool(fits).coefficients["std_error"][0] == pytest.approx(0.4)


def test_what_cannot_be_joined_is_refused():
    with pytest.raises(StudyError, match="two or more imputed"):
        rubin.pool([_fit(0.1, 0.2)])
    with pytest.raises(StudyError, match="different terms"):
        rubin.pool([_fit(0.1, 0.2), _fit(0.1, 0.2, term="y")])
    with pytest.raises(StudyError, match="two or more"):
        rubin.combine([1.0], [1.0])
    with pytest.raises(StudyError, match="above 0"):
        rubin.combine([1.0, 2.0], [1.0, 0.0])
