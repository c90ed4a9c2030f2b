"""Shares, rates and differences of units: edges decided, bad counts refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.analysis import units
from workbench.errors import DataError, StudyError, WorkbenchError


@given(st.integers(0, 60), st.integers(0, 60), st.sampled_from(["wilson", "exact", "jeffreys"]))
def test_an_interval_holds_its_share_and_stays_possible(x, more, method):
    found = units.proportion(x, x + more, method=method).iloc[0]
    if x + more == 0:
        assert found.isna().all()
        return
    assert 0 <= found["lower"] <= found["estimate"] <= found["upper"] <= 1
    assert (found["lower"] == 0) == (x == 0)
    assert (found["upper"] == 1) == (more == 0)


@given(st.integers(0, 300), st.floats(0.1, 1e6), st.sampled_from(["byar", "exact", "mid-p"]))
def test_an_interval_of_a_rate_holds_it(x, exposure, method):
    found = units.rate(x, exposure, method=method).iloc[0]
    assert 0 <= found["lower"] <= found["estimate"] <= found["upper"]


def test_results_keep_the_index_and_inputs_stay():
    x = pd.Series([3, 5], index=["a", "b"])
    before = x.copy()
    assert units.proportion(x, pd.Series([10, 10], index=["a", "b"])).index.tolist() == ["a", "b"]
    pd.testing.assert_series_equal(x, before)


@pytest.mark.parametrize(("events", "n", "told"), [
    ([-1], [5], "below 0"), ([None], [5], "not known is not 0"), ([1.5], [5], "whole"),
    ([6], [5], "above n in 1 rows"), ([1, 2], [5], "2 and 1 values"),
])  # fmt: skip
def test_counts_that_cannot_be_are_refused(events, n, told):
    with pytest.raises(DataError, match=told):
        units.proportion(events, n)


def test_nothing_expected_is_no_ratio_and_events_then_stop():
    assert units.ratio(0, 0).iloc[0].isna().all()
    with pytest.raises(DataError, match="Look at these rows"):
        units.ratio(3, 0)
    with pytest.raises(StudyError, match="confidence"):
        units.rate(3, 10, confidence=95)
    with pytest.raises(StudyError, match="method"):
        units.proportion(3, 10, method="wald")


def test_a_unit_is_compared_with_the_others_and_not_with_itself():
    table = pd.DataFrame({"unit": ["a", "b", "c"], "n": [100, 50, 50], "events": [60, 20, 20]})
    found = units.beside_rest(table, unit="unit")
    assert found["nation"].tolist() == [0.5] * 3
    assert found["rest"].tolist() == pytest.approx([0.4, 80 / 150, 80 / 150])
    assert found["estimate"].iloc[0] == pytest.approx(0.2)
    alone = units.beside_rest(table.iloc[:1], unit="unit").iloc[0]
    assert np.isnan(alone["rest"]) and np.isnan(alone["p_value"])


def test_medians_of_few_have_no_interval():
    found = units.median([3, 1, 2]).iloc[0]
    assert found["estimate"] == 2 and np.isnan(found["lower"])
    with pytest.raises(DataError, match="Leave them out"):
        units.median([1, None])
    with pytest.raises(DataError, match="none"):
        units.mean([])


def strata(**change: object) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "unit": list("aabb"),
            "age": ["young", "old"] * 2,
            "events": [1, 6, 2, 20],
            "n": [50, 50, 80, 100],
        }
    )
    return table.assign(**change)


def test_standardised_rates_with_the_nations_own_mix():
    found = units.direct_standardised(strata(), unit="unit", stratum="age")
    weights = np.array([130, 150]) / 280
    assert found["estimate"].iloc[0] == pytest.approx(weights @ [1 / 50, 6 / 50])
    assert found["events"].tolist() == [7, 22]
    with pytest.raises(DataError, match="lack a stratum"):
        units.direct_standardised(strata().iloc[:3], unit="unit", stratum="age")
    with pytest.raises(DataError, match="not known is not 0"):
        units.direct_standardised(strata(events=[1, None, 2, 3]), unit="unit", stratum="age")


def test_expected_numbers_add_up_and_a_stratum_without_rate_stops():
    found = units.indirect_standardised(strata(), unit="unit", stratum="age")
    assert found["expected"].sum() == pytest.approx(29)
    others = units.indirect_standardised(strata(), unit="unit", stratum="age", leave_one_out=True)
    assert others["expected"].iloc[0] == pytest.approx(50 * 2 / 80 + 50 * 20 / 100)
    known = pd.DataFrame({"age": ["young", "old"], "events": [0, 5], "n": [100, 100]})
    with pytest.raises(DataError, match="age young"):
        units.indirect_standardised(strata(), known, unit="unit", stratum="age")
    with pytest.raises(WorkbenchError, match="agee"):
        units.indirect_standardised(strata(), unit="unit", stratum="agee")


def test_small_areas_that_do_not_differ():
    table = pd.DataFrame({"area": list("abc"), "observed": [10, 20, 30], "expected": [11, 19, 30]})
    found = units.small_areas(table, area="area", observed="observed", expected="expected")
    assert found.scv == 0 and found.scv_raw == pytest.approx(-0.05527981909246074)
    assert np.isinf(found.alpha) and found["shrunken"].eq(1).all()
    with pytest.raises(DataError, match="one area"):
        units.small_areas(table.iloc[:1], area="area", observed="observed", expected="expected")


def test_small_areas_that_differ():
    table = pd.DataFrame(
        {"area": list("abcdef"), "observed": [5, 40, 12, 80, 9, 30], "expected": 25.0}
    )
    found = units.small_areas(table, area="area", observed="observed", expected="expected")
    assert found.scv > 0.3 and 0 < found.alpha < 20
    assert found["shrunken"].between(found["ratio"].min(), found["ratio"].max()).all()
    assert found.ft1 == pytest.approx(16) and found.quintile_ratio > 1
