"""Funnels: curve and flag agree, and chance alone seldom raises a flag."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from workbench.analysis import units
from workbench.errors import DataError, StudyError


def table_of(n: np.ndarray, events: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"unit": range(len(n)), "n": n, "events": events})


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 90), st.floats(0, 1)), min_size=2, max_size=12))
def test_flags_are_where_the_limits_are(pairs):
    n = np.array([size for size, _ in pairs])
    if not n.any():
        return
    events = np.array([round(size * share) for size, share in pairs])
    found = units.funnel(table_of(n, events), events="events", n="n")
    for row in found.itertuples():
        if row.n == 0:
            assert row.flag is None and np.isnan(row.estimate)
            continue
        # one at 95 is one at 99.8 or less
        low = row.estimate < row.lower_95 if np.isfinite(row.lower_95) else False
        high = row.estimate > row.upper_95 if np.isfinite(row.upper_95) else False
        assert (row.flag != "none") == bool(low or high)
        assert row.flag.startswith("low" if low else "high" if high else "none")


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3, 0.5, 0.9])
def test_false_flags_around_a_known_centre(share):
    """Exact sums: over sizes that registers have, never over 8 % at 95 nor 0.4 % at 99.8."""
    for n in (5, 10, 20, 50, 100, 200, 400):
        counts = np.arange(n + 1)
        found = units.funnel(
            table_of(np.full(n + 1, n), counts), events="events", n="n", centre=share
        )
        chance = stats.binom.pmf(counts, n, share)
        outside = chance[(found["flag"] != "none").to_numpy()].sum()
        far = chance[found["flag"].str.endswith("99.8").to_numpy()].sum()
        assert outside <= 0.08
        assert far <= 0.004


def test_false_flags_around_the_units_own_centre():
    draw = np.random.default_rng(11)
    flags = []
    for _ in range(300):
        n = draw.integers(5, 200, 25)
        found = units.funnel(table_of(n, draw.binomial(n, 0.3)), events="events", n="n")
        flags.append(found["flag"].to_numpy())
    every = np.concatenate(flags)
    assert (every != "none").mean() <= 0.06
    assert np.char.endswith(every.astype(str), "99.8").mean() <= 0.004


def test_what_is_said_of_all_units_is_kept_beside_them():
    draw = np.random.default_rng(2)
    n = draw.integers(40, 300, 30)
    events = draw.binomial(n, np.clip(draw.normal(0.5, 0.12, 30), 0.05, 0.95))
    plain = units.funnel(table_of(n, events), events="events", n="n")
    wide = units.funnel(table_of(n, events), events="events", n="n", overdispersion="additive")
    assert plain.centre == pytest.approx(events.sum() / n.sum())
    assert np.isnan(plain.tau2) and wide.tau2 > 0 and wide.phi > 1
    assert wide.heterogeneity["p_value"] < 0.001
    assert list(plain.curve.columns) == ["size", "lower_95", "upper_95", "lower_998", "upper_998"]
    assert (wide["adjusted_upper_95"] > wide["upper_95"]).all()
    is_flagged = wide["adjusted_flag"] != "none"
    assert (wide.loc[is_flagged, "flag"] != "none").all()
    assert is_flagged.sum() < (wide["flag"] != "none").sum()
    assert type(wide[wide["n"] > 50]) is pd.DataFrame and type(wide.table) is pd.DataFrame


def test_equal_units_have_no_variation_and_no_flag():
    found = units.funnel(table_of(np.array([20] * 12), np.array([10] * 12)), events="events", n="n",
                         overdispersion="additive")  # fmt: skip
    assert (found.phi, found.tau2) == (0.0, 0.0)
    assert (found["flag"] == "none").all() and (found["adjusted_flag"] == "none").all()


def test_one_unit_is_the_nation_and_few_have_no_overdispersion():
    one = units.funnel(table_of(np.array([20]), np.array([5])), events="events", n="n")
    assert one["flag"].tolist() == ["none"] and "100 % of the nation" in one.note
    with pytest.raises(DataError, match="expected 10 or more"):
        units.funnel(table_of(np.array([20, 30]), np.array([5, 9])), events="events", n="n",
                     overdispersion="additive")  # fmt: skip


def test_ratios_and_rates():
    table = pd.DataFrame(
        {"events": [0, 12, 40], "expected": [2.5, 10.0, 22.0], "days": [100, 900, 1500]}
    )
    ratios = units.funnel(table, events="events", expected="expected")
    assert ratios.centre == 1 and ratios["flag"].tolist() == ["none", "none", "high 99.8"]
    rates = units.funnel(table, events="events", exposure="days")
    assert rates.centre == pytest.approx(52 / 2500)
    with pytest.raises(DataError, match="Look at these units"):
        units.funnel(table.assign(expected=[2, 0, 3]), events="events", expected="expected")
    with pytest.raises(StudyError, match="one of n, expected"):
        units.funnel(table, events="events")
    with pytest.raises(StudyError, match="between 0 and 1"):
        units.funnel(table.assign(n=99), events="events", n="n", centre=40)


def test_flags_of_many_units_are_also_judged_together():
    found = units.false_discovery(np.array([0.001, np.nan, 0.04, 0.5]))
    assert found[[0, 2, 3]].tolist() == pytest.approx([0.003, 0.06, 0.5]) and np.isnan(found[1])
