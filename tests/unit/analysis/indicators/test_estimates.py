"""Rates and counts of indicators, and medians from counted values."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.analysis import units
from workbench.analysis.indicators import aggregate
from workbench.analysis.indicators.estimates import medians
from workbench.registers.documents import parse_document
from workbench.registers.indicator_model import Indicator, IndicatorDefinition
from workbench.registers.schema import Table

TABLE = parse_document(
    {
        "dated_by": "day",
        "variables": {
            "day": {"type": "date"},
            "unit": {"type": "code", "means": "unit"},
            "infections": {"type": "integer"},
            "catheter_days": {"type": "integer"},
            "infected": {"type": "boolean"},
        },
    },
    Table,
    where="test",
)
ROWS = pd.DataFrame(
    {
        "day": pd.to_datetime(["2020-01-01"] * 5),
        "unit": ["A", "A", "B", "B", "C"],
        "infections": [3, 1, 0, None, 0],
        "catheter_days": [100, 300, 50, 20, 0],
        "infected": [True, True, False, None, False],
    }
)


def indicator(**facts) -> Indicator:
    common = {
        "name": "own", "label": "Own", "specialty": "test", "table": "test.rows",
        "denominator_kind": "prevalent", "direction": "none", "units": {"treatment": "unit"},
    }  # fmt: skip
    return Indicator(parse_document(common | facts, IndicatorDefinition, where="test"), TABLE)


def test_a_rate_is_events_over_exposure_where_both_are_known():
    rate = indicator(type="rate", value="infections", exposure="catheter_days", per=1000)
    found = aggregate(ROWS, [rate], as_of=date(2021, 1, 1)).set_index("place")
    theirs = units.rate([4], [400], per=1000).iloc[0]
    for name in ("estimate", "lower", "upper"):
        assert found.loc["A", name] == pytest.approx(theirs[name])
    assert found.loc["B", "missing"] == 1 and found.loc["B", "exposure"] == 50
    assert found.loc["B", "estimate"] == 0
    assert np.isnan(found.loc["C", "estimate"])
    assert found.loc["nation", "estimate"] == pytest.approx(1000 * 4 / 450)


def test_a_rate_may_count_rows_instead():
    facts = {"numerator": [{"variable": "infected", "in": ["true"]}], "exposure": "catheter_days"}
    found = aggregate(ROWS, [indicator(type="rate", **facts)], as_of=date(2021, 1, 1))
    assert found.set_index("place").loc["A", "estimate"] == pytest.approx(2 / 400)


def test_a_count_has_the_interval_of_a_count():
    found = aggregate(ROWS, [indicator(type="count")], as_of=date(2021, 1, 1)).set_index("place")
    theirs = units.rate([2], [1]).iloc[0]
    assert found.loc["A", "events"] == 2
    for name in ("estimate", "lower", "upper"):
        assert found.loc["A", name] == pytest.approx(theirs[name])


def test_a_mean_of_equal_values_has_no_width_and_of_one_no_interval():
    mean = indicator(type="mean", value="catheter_days")
    found = aggregate(ROWS.assign(catheter_days=7), [mean], as_of=date(2021, 1, 1))
    found = found.set_index("place")
    assert found.loc["A", ["estimate", "lower", "upper"]].tolist() == [7, 7, 7]
    assert found.loc["C", "estimate"] == 7 and np.isnan(found.loc["C", "lower"])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9)), min_size=1, max_size=60))
def test_medians_of_counted_values_are_those_of_the_values(pairs):
    rows = pd.DataFrame(pairs, columns=["group", "value"])
    counted = rows.value_counts(["group", "value"]).rename("n").reset_index()
    found = medians(counted.sample(frac=1, random_state=1), ["group"])
    for group, values in rows.groupby("group")["value"]:
        ours = found.set_index("group").loc[group]
        theirs = units.median(values).iloc[0]
        for name in ("estimate", "lower", "upper"):
            np.testing.assert_allclose(ours[name], theirs[name])
