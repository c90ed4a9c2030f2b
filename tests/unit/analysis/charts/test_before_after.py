"""Before and after a change: the interval, and what may not be read into it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.analysis import charts, units
from workbench.errors import DataError, StudyError
from workbench.language import retold, speaking

CHANGE = {"at": 13, "because": "New form"}


def months(before=0.5, after=0.7, *, n=100, k=24, seed=1, rise=0.0, spread=0.0):
    """Months 1 to k, the change at 13."""
    draw = np.random.default_rng(seed)
    time = np.arange(1, k + 1)
    share = np.where(time < 13, before, after) + rise * time + spread * draw.normal(size=k)
    size = np.full(k, n)
    return pd.DataFrame(
        {"period": time, "n": size, "events": draw.binomial(size, np.clip(share, 0.01, 0.99))}
    )


def row_of(points, **how):
    return charts.before_after(points, **CHANGE, **how).table.iloc[0]


def test_the_interval_is_newcombes_where_points_vary_by_chance():
    # Newcombe, Stat Med 1998;17:873-890, table II, example a: 56/70 and 48/80, method 10
    points = pd.DataFrame({"period": [1, 13], "n": [80, 70], "events": [48, 56]})
    row = row_of(points)
    assert row["estimate"] == pytest.approx(0.2)
    assert (row["lower"], row["upper"]) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    ours = units.difference([56], [70], [48], [80]).iloc[0]
    assert row["p_value"] == pytest.approx(ours["p_value"]) and row["widening"] == 1


def test_a_clear_change_is_named_by_what_is_wanted_and_seen_on_the_chart():
    points = months()
    assert row_of(points, direction="high")["kind"] == "improvement"
    assert row_of(points, direction="low")["kind"] == "worsening"
    row = row_of(points)
    assert row["kind"] == "a change" and row["first_signal"] >= 13
    assert row["words"].startswith("New form (13): from ") and "not proof" in row["words"]
    assert f"a difference of {100 * row['estimate']:.1f} percentage points" in row["words"]


def test_without_a_change_it_is_rarely_decided():
    kinds = [row_of(months(after=0.5, seed=seed), direction="high")["kind"] for seed in range(40)]
    # one in twenty is wrong by chance: 2 of 40, above 6 in under one per cent
    assert sum(kind != "not decided" for kind in kinds) <= 6
    assert "not decided" in row_of(months(after=0.5, seed=2))["words"]


def test_variation_beyond_chance_widens_the_interval():
    calm, wild = row_of(months(n=800)), row_of(months(n=800, spread=0.08))
    assert wild["widening"] > 3 and "widened" in wild["words"]
    assert wild["upper"] - wild["lower"] > 1.5 * (calm["upper"] - calm["lower"])


def test_a_trend_that_was_there_before_is_told():
    points = months(before=0.3, after=0.3, rise=0.02, n=300)
    row = row_of(points, direction="high")
    assert row["trend_before_p_value"] < 0.05 and "same way before" in row["words"]
    down = row_of(months(before=0.8, after=1.0, rise=-0.01, n=300))
    assert np.isnan(down["trend_before_p_value"]) or "same way" not in down["words"]


@pytest.mark.parametrize(("k", "words"), [(24, "provisional"), (20, "under 10 points")])
def test_few_points_are_told(k, words):
    assert words in row_of(months(k=k))["words"]


def test_the_chart_begins_anew_with_its_reason():
    found = charts.before_after(months(), **CHANGE)
    assert found.chart.attrs["reasons"] == {"13": "New form"}
    assert found.chart.groupby("segment")["centre"].nunique().tolist() == [1, 1]
    assert found.chart.loc[found.chart["segment"] == 1, "period"].min() == 13


def test_units_are_compared_each_with_itself():
    points = pd.concat([months().assign(unit="A"), months(after=0.5, seed=2).assign(unit="B")])
    table = charts.before_after(points, **CHANGE, by="unit", direction="high").table
    assert table["unit"].tolist() == ["A", "B"]
    assert table["kind"].tolist() == ["improvement", "not decided"]


@pytest.mark.parametrize(
    ("points", "how", "kind", "words"),
    [
        (months(k=12), {}, StudyError, "no point is at 13"),
        (months().iloc[12:], {}, StudyError, "before 13"),
        (months(), {"because": " "}, StudyError, "write why"),
        (months().assign(events=0.5), {}, DataError, "no whole number"),
        (months().assign(events=200), {}, DataError, "no more events"),
    ],
)
def test_what_cannot_be_compared_is_refused(points, how, kind, words):
    with pytest.raises(kind, match=words):
        charts.before_after(points, **(CHANGE | how))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=2, max_size=12))
def test_the_interval_holds_the_difference_and_stays_in_range(pairs):
    points = pd.DataFrame(
        {
            "period": range(len(pairs)),
            "events": [a for a, _ in pairs],
            "n": [a + b + 1 for a, b in pairs],
        }
    )
    row = charts.before_after(points, at=1, because="x").table.iloc[0]
    assert -1 <= row["lower"] <= row["estimate"] + 1e-12 <= row["upper"] + 2e-12 <= 1 + 1e-9


@pytest.mark.parametrize("spoken", ["sv", "nb"])
def test_the_words_can_be_told_in_the_readers_language(spoken):
    words = row_of(months(before=0.3, after=0.35, rise=0.02, n=300, spread=0.05))["words"]
    with speaking(spoken):
        told = retold(words)
    ends = {"sv": "procentenheter", "nb": "prosentpoeng"}
    assert ends[spoken] in told and "." not in told.split(ends[spoken])[0]
    assert "change" not in told and "interval " not in told
