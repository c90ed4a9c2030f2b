"""Shares, rates and differences of units: edges decided, bad counts refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
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


def test_who_is_left_out_is_compared_with_the_others_own_rate():
    found = units.indirect_standardised(strata(), unit="unit", stratum="age", leave_one_out=True)
    ratio = 7 / (50 * 2 / 80 + 50 * 20 / 100)
    assert found["rate"].iloc[0] == pytest.approx(ratio * 22 / 180)
    with pytest.raises(StudyError, match="leave_one_out"):
        units.indirect_standardised(
            strata(), strata(), unit="unit", stratum="age", leave_one_out=True
        )


@pytest.mark.parametrize("call", [units.direct_standardised, units.indirect_standardised])
def test_patients_without_unit_or_stratum_are_not_lost_in_silence(call):
    for name in ("unit", "age"):
        table = strata()
        table.loc[3, name] = None
        with pytest.raises(DataError, match=f'"{name}": missing in 1'):
            call(table, unit="unit", stratum="age")
    with pytest.raises(StudyError, match="Rename"):
        call(strata().rename(columns={"age": "estimate"}), unit="unit", stratum="estimate")


def test_no_name_of_a_column_is_taken_for_a_count():
    plain = units.indirect_standardised(strata(), unit="unit", stratum="age")
    renamed = strata().rename(columns={"unit": "x", "age": "size"})
    found = units.indirect_standardised(renamed, unit="x", stratum="size")
    pd.testing.assert_frame_equal(found.rename(columns={"x": "unit"}), plain)


@pytest.mark.parametrize("weights", [
    {"young": 1, "old": None}, {"young": 2, "old": -1}, {"young": 0, "old": 0},
    {"young": 1, "old": float("inf")},
])  # fmt: skip
def test_a_standard_that_cannot_be_is_refused(weights):
    with pytest.raises(StudyError, match="numbers of 0 or more"):
        units.direct_standardised(strata(), unit="unit", stratum="age", weights=weights)


def test_standardised_rates_around_no_event():
    table = strata(events=[0, 0, 2, 20])
    dobson = units.direct_standardised(table, unit="unit", stratum="age").iloc[0]
    assert dobson["estimate"] == 0 and np.isnan(dobson["upper"])
    gamma = units.direct_standardised(table, unit="unit", stratum="age", method="fay-feuer").iloc[0]
    assert gamma["lower"] == 0 and gamma["upper"] == pytest.approx(150 / 280 / 50 * 3.6888794541)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(*[st.integers(0, 40)] * 3), min_size=1, max_size=6))
def test_shares_of_types_add_up_to_all(rows):
    types = ["fistula", "graft", "catheter"]
    table = pd.DataFrame(rows, columns=types).assign(unit=range(len(rows)))
    before = table.copy()
    found = units.share_of_types(table, unit="unit", types=types)
    pd.testing.assert_frame_equal(table, before)
    assert list(found.columns) == ["unit", "type", "n", "events", "estimate", "lower", "upper"]
    assert found["events"].tolist() == table[types].to_numpy().ravel().tolist()
    for _, part in found.groupby("unit"):
        if part["n"].iloc[0]:
            assert part["estimate"].sum() == pytest.approx(1)
        else:
            assert part["estimate"].isna().all()


def test_types_that_do_not_add_up_are_refused():
    table = pd.DataFrame({"unit": ["a", "b"], "one": [1, 2], "two": [3, 4], "n": [4, 7]})
    with pytest.raises(DataError, match="do not add up to n in 1 units"):
        units.share_of_types(table, unit="unit", types=["one", "two"], n="n")
    with pytest.raises(DataError, match="not known is not 0"):
        units.share_of_types(table.assign(one=[1, None]), unit="unit", types=["one", "two"])
    for types in ("one", ["one"], ["one", "one"]):
        with pytest.raises(StudyError, match="two or more"):
            units.share_of_types(table, unit="unit", types=types)


def test_a_unit_in_two_rows_is_not_compared_with_itself():
    table = pd.DataFrame({"unit": ["a", "a"], "n": [5, 5], "events": [1, 2], "expected": 2.0})
    with pytest.raises(DataError, match="repeat a unit"):
        units.beside_rest(table, unit="unit")
    with pytest.raises(DataError, match="repeat a unit"):
        units.small_areas(table, area="unit", observed="events", expected="expected")


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
