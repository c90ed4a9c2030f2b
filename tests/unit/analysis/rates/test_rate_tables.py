"""Rates and ratios: by hand, at the edges, and by what must hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from workbench.analysis import rates
from workbench.analysis.rates.poisson_limits import INTERVALS, poisson_limits
from workbench.errors import WorkbenchError

TABLE = pd.DataFrame(
    {
        "unit": ["a", "a", "b", "b"],
        "age": [40, 60, 40, 60],
        "events": [4, 30, 2, 0],
        "person_years": [1000.0, 500.0, 400.0, 900.0],
    }
)
REFERENCE = pd.DataFrame({"age": [40, 60], "rate": [0.005, 0.04]})


def test_crude_rates_by_hand():
    found = rates.rate(TABLE, by="unit", per=1000)
    assert found["estimate"].tolist() == [34 / 1500 * 1000, 2 / 1300 * 1000]
    lower = stats.chi2.ppf(0.025, 2 * 34) / 2 / 1500 * 1000
    assert found["lower"][0] == pytest.approx(lower, rel=1e-12)


def test_standardised_ratio_by_hand():
    found = rates.standardised_ratio(TABLE, REFERENCE, on="age", by="unit")
    assert found["expected"].tolist() == pytest.approx([5 + 20, 2 + 36])
    assert found["estimate"].tolist() == pytest.approx([34 / 25, 2 / 38])
    assert (found["p_value"] < [0.2, 1e-6]).all()


@pytest.mark.parametrize("interval", INTERVALS)
@settings(deadline=None, max_examples=25)
@given(count=st.integers(0, 400))
def test_every_interval_holds_its_count_and_none_starts_below_zero(interval, count):
    lower, upper = poisson_limits(np.array([count]), 0.95, interval)
    if interval == "wald" and count == 0:
        assert np.isnan(lower[0]) and np.isnan(upper[0])
        return
    assert 0 <= lower[0] <= count <= upper[0]


def test_exact_intervals_are_the_widest_and_mid_p_lies_within():
    counts = np.arange(1, 60)
    exact, mid = (poisson_limits(counts, 0.95, name) for name in ("exact", "mid-p"))
    assert (exact[0] < mid[0]).all() and (mid[1] < exact[1]).all()


def test_mid_p_limits_leave_their_share_on_each_side():
    (low,), (high,) = poisson_limits(np.array([7]), 0.95, "mid-p")
    above = stats.poisson.sf(7, low) + stats.poisson.pmf(7, low) / 2
    below = stats.poisson.cdf(6, high) + stats.poisson.pmf(7, high) / 2
    assert (above, below) == (pytest.approx(0.025), pytest.approx(0.025))


def test_a_group_with_the_standards_own_ages_keeps_its_crude_rate():
    weights = TABLE[TABLE["unit"] == "a"].set_index("age")["person_years"]
    found = rates.direct_standardised(TABLE, stratum="age", weights=weights, by="unit")
    assert found["estimate"][0] == pytest.approx(found["crude"][0], rel=1e-12)


def test_standardised_rates_of_no_events_are_zero_with_an_upper_limit():
    none = TABLE.assign(events=0)
    found = rates.direct_standardised(none, stratum="age", weights={40: 1, 60: 1}, by="unit")
    assert found["estimate"].tolist() == [0, 0] and found["lower"].tolist() == [0, 0]
    assert (found["upper"] > 0).all()


def test_rate_ratio_without_strata_is_the_ratio_of_rates():
    found = rates.rate_ratio(TABLE, group="unit", reference="b")
    assert found["estimate"][0] == pytest.approx((34 / 1500) / (2 / 1300))
    error = np.sqrt(1 / 34 + 1 / 2)
    assert np.log(found["upper"][0] / found["estimate"][0]) == pytest.approx(
        1.959964 * error, rel=1e-6
    )


def test_rate_ratio_within_strata_is_mantel_and_haenszels():
    found = rates.rate_ratio(TABLE, group="unit", reference="b", strata="age")
    above = 4 * 400 / 1400 + 30 * 900 / 1400
    below = 2 * 1000 / 1400 + 0
    assert found["estimate"][0] == pytest.approx(above / below)


def test_a_ratio_without_events_on_one_side_is_missing():
    found = rates.rate_ratio(TABLE.assign(events=[4, 30, 0, 0]), group="unit", reference="b")
    assert found[["estimate", "lower", "upper", "p_value"]].isna().all(axis=None)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: rates.rate(TABLE.assign(events=-1)), '"events": missing, negative'),
        (lambda: rates.rate(TABLE.assign(person_years=0)), "0 in 1 groups"),
        (lambda: rates.rate(TABLE, interval="guess"), "interval: expected one of"),
        (
            lambda: rates.standardised_ratio(TABLE, REFERENCE.iloc[:1], on="age"),
            "no rate for 2 cells of age",
        ),
        (
            lambda: rates.standardised_ratio(TABLE, pd.concat([REFERENCE] * 2), on="age"),
            "2 rows repeat a cell",
        ),
        (
            lambda: rates.direct_standardised(TABLE, stratum="age", weights={40: 1}),
            "1 strata of the table have no weight",
        ),
        (
            lambda: rates.direct_standardised(
                TABLE.iloc[:3], stratum="age", weights={40: 1, 60: 1}, by="unit"
            ),
            "no person-years in a stratum",
        ),
        (lambda: rates.rate_ratio(TABLE, group="unit", reference="c"), "no such group"),
        (lambda: rates.rate(TABLE, by="units"), 'mean "unit"'),
    ],
)
def test_what_cannot_be_is_refused(call, words):
    with pytest.raises(WorkbenchError, match=words):
        call()
