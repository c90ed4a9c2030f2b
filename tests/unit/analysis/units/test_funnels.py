"""Funnels: curve and flag agree, and chance alone seldom raises a flag."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from workbench.analysis import units
from workbench.analysis.units.mid_p import Binomial, Poisson, place_of
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


def false_flags(chance: np.ndarray, place: np.ndarray) -> tuple[float, float]:
    """How often chance alone is flagged: at 95 or 99.8, and at 99.8."""
    far = np.minimum(place, 1 - place)
    return float(chance[far < 0.025].sum()), float(chance[far < 0.001].sum())


def test_false_flags_of_shares_around_a_known_centre():
    """Exact sums. 8 % at 95 is passed at a few sizes, and no rule of mid-p can pass 10 or 0.4 %."""
    found = []
    for n in (*range(1, 41), 50, 75, 100, 200, 400, 600, 1000):
        counts = np.arange(n + 1)
        for share in np.arange(0.005, 0.5001, 0.005):
            among = Binomial(np.full(n + 1, n), share)
            found.append((n, share, *false_flags(among.pmf(counts), place_of(counts, among))))
    rates = pd.DataFrame(found, columns=["n", "share", "at_95", "at_998"])
    assert rates["at_998"].max() < 0.004
    worst = rates.loc[rates["at_95"].idxmax()]
    assert (worst["n"], worst["at_95"]) == (6, pytest.approx(0.0877, abs=2e-4))
    assert (rates["at_95"] > 0.08).mean() < 0.005
    assert rates["at_95"].mean() < 0.05 and rates["at_998"].mean() < 0.002


def test_false_flags_of_ratios_around_a_known_centre():
    counts = np.arange(400)
    found = np.array([
        false_flags(among.pmf(counts), place_of(counts, among))
        for among in (Poisson(np.full(400, mean)) for mean in np.arange(0.1, 150, 0.1))
    ])  # fmt: skip
    assert found[:, 0].max() < 0.085 and found[:, 1].max() < 0.004
    assert (found[:, 0] > 0.08).mean() < 0.005


def test_the_funnel_flags_as_often_as_the_sums_say():
    n, share = 6, 0.4
    counts = np.arange(n + 1)
    found = units.funnel(table_of(np.full(n + 1, n), counts), events="events", n="n", centre=share)
    chance = stats.binom.pmf(counts, n, share)
    assert chance[(found["flag"] != "none").to_numpy()].sum() == pytest.approx(0.0876, abs=1e-4)


def test_false_flags_around_the_units_own_centre():
    draw = np.random.default_rng(11)
    flags = {"known": [], "own": []}
    for _ in range(150):
        n = draw.integers(5, 200, 25)
        table = table_of(n, draw.binomial(n, 0.3))
        for name, centre in {"known": 0.3, "own": None}.items():
            found = units.funnel(table, events="events", n="n", centre=centre)
            flags[name].append(found["flag"].to_numpy())
    rates = {}
    for name, parts in flags.items():
        every = np.concatenate(parts).astype(str)
        rates[name] = (every != "none").mean(), np.char.endswith(every, "99.8").mean()
    # 4.9 and 4.3 %, 0.20 and 0.14 % in 40 000 units
    assert rates["own"][0] < rates["known"][0] < 0.06
    assert rates["own"][1] <= rates["known"][1] < 0.004


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


def test_ratios_of_one_chance_are_the_funnel_of_shares():
    draw = np.random.default_rng(3)
    n = draw.integers(20, 200, 25)
    table = table_of(n, draw.binomial(n, 0.9)).assign(expected=n * 0.9)
    shares = units.funnel(table, events="events", n="n", centre=0.9, overdispersion="additive")
    ratios = units.funnel(
        table, events="events", expected="expected", n="n", overdispersion="additive"
    )
    assert ratios["flag"].tolist() == shares["flag"].tolist()
    assert ratios["p_value"].tolist() == pytest.approx(shares["p_value"].tolist())
    assert ratios.tau2 == pytest.approx(shares.tau2)
    for limit in ("lower_95", "upper_998", "adjusted_upper_95"):
        assert (ratios[limit] * 0.9).tolist() == pytest.approx(shares[limit].tolist(), nan_ok=True)
        drawn = ratios.curve[limit] * 0.9
        assert drawn.tolist() == pytest.approx(shares.curve[limit].tolist(), nan_ok=True)


@pytest.mark.parametrize("middle", [2.8, 0.0, -2.5])  # 93, 50 and 9 % have the event
def test_ratios_of_patients_are_flagged_as_their_own_chances_say(middle):
    draw, alike, flagged = np.random.default_rng(1), [], []
    for _ in range(20):
        unit = np.repeat(np.arange(30), draw.integers(20, 300, 30))
        age = draw.normal(0, 1, len(unit)) + draw.normal(0, 0.3, 30)[unit]
        event = draw.random(len(unit)) < special.expit(middle + 0.7 * age)
        persons = pd.DataFrame({"unit": unit, "age": age, "event": event.astype(int)})
        exact = units.case_mix(persons, "age", outcome="event", unit="unit").table
        table = exact[["unit", "n", "observed", "expected"]]
        found = units.funnel(table, events="observed", expected="expected", n="n")
        alike += (found["flag"] == exact["flag"].to_numpy()).tolist()
        flagged += (found["flag"] != "none").tolist()
    # a little fewer than 1 in 20: the unit's mean chance is wider than its patients' own
    assert np.mean(alike) > 0.97 and 0.02 < np.mean(flagged) < 0.06


def test_no_more_can_be_expected_than_there_are_patients():
    table = pd.DataFrame({"events": [3, 9], "expected": [4.0, 11.0], "n": [10, 10]})
    with pytest.raises(DataError, match="more than n in 1 units"):
        units.funnel(table, events="events", expected="expected", n="n")
    with pytest.raises(DataError, match="more than n in 1 units"):
        units.funnel(
            table.assign(expected=[4.0, 6.0]), events="events", expected="expected", n="n", centre=2
        )


def test_flags_of_many_units_are_also_judged_together():
    found = units.false_discovery(np.array([0.001, np.nan, 0.04, 0.5]))
    assert found[[0, 2, 3]].tolist() == pytest.approx([0.003, 0.06, 0.5]) and np.isnan(found[1])


def test_units_equally_far_from_a_target_are_alike():
    table = pd.DataFrame({"events": [0] * 12, "expected": [10.0] * 12})
    found = units.funnel(table, events="events", expected="expected")
    assert (found["flag"] == "low 99.8").all()
    assert found.heterogeneity["statistic"] == 0 and found.heterogeneity["p_value"] == 1
    away = units.funnel(table_of(np.full(12, 40), np.full(12, 20)), events="events", n="n",
                        centre=0.9)  # fmt: skip
    assert away.heterogeneity["statistic"] == pytest.approx(0, abs=1e-9)


def test_limits_of_the_table_are_those_of_the_curve():
    draw = np.random.default_rng(5)
    n = np.arange(20, 220, 10)
    events = draw.binomial(n, draw.uniform(0.2, 0.6, len(n)))
    for how in ("additive", "multiplicative"):
        found = units.funnel(table_of(n, events), events="events", n="n", overdispersion=how)
        curve = found.curve.set_index("size")
        for row in found[found["n"].isin(curve.index)].itertuples():
            for name in ("lower_95", "upper_998", "adjusted_lower_95", "adjusted_upper_998"):
                assert curve.loc[row.n, name] == pytest.approx(getattr(row, name), nan_ok=True)
        assert (found["n"].isin(curve.index)).sum() > 5


def test_phi_is_that_of_the_limits_it_made():
    draw = np.random.default_rng(5)
    n = draw.integers(40, 200, 20)
    table = table_of(n, draw.binomial(n, draw.uniform(0.2, 0.6, len(n))))
    found = units.funnel(table, events="events", n="n", overdispersion="multiplicative")
    half = stats.norm.ppf(0.975) * np.sqrt(found.phi * found.centre * (1 - found.centre) / n)
    np.testing.assert_allclose(found["adjusted_upper_95"], found.centre + half, rtol=1e-12)
    assert np.isnan(found.tau2) and found.phi > 1


def test_nothing_happened_anywhere():
    table = pd.DataFrame({"events": [0] * 12, "days": [10.0] * 12, "n": [10] * 12})
    for how in (None, "additive"):
        found = units.funnel(table, events="events", exposure="days", overdispersion=how)
        assert (found["flag"] == "none").all() and found.phi == 0 and found.centre == 0
    for how in ("additive", "multiplicative"):
        found = units.funnel(table, events="events", n="n", overdispersion=how)
        assert found.phi == 0 and (found["adjusted_flag"] == "none").all()
        assert found.heterogeneity["p_value"] == 1


@pytest.mark.parametrize(("how", "told"), [
    ({"levels": (95,)}, "levels"), ({"levels": ()}, "levels"), ({"events": "flag"}, '"flag"'),
    ({"overdispersion": "wide"}, "additive"), ({"centre": float("nan")}, "centre"),
    ({"centre": 0.0, "overdispersion": "multiplicative"}, "no room"),
])  # fmt: skip
def test_what_cannot_be_asked_for_is_refused(how, told):
    table = table_of(np.full(12, 10), np.full(12, 4)).assign(flag=1)
    with pytest.raises(StudyError, match=told):
        units.funnel(table, **{"events": "events", "n": "n", **how})


def test_a_unit_in_two_rows_is_refused_and_a_large_one_named():
    table = pd.DataFrame({"unit": ["a", "a", "b"], "n": [10, 10, 90], "events": [1, 2, 30]})
    with pytest.raises(DataError, match="repeat a unit"):
        units.funnel(table, events="events", n="n", unit="unit")
    found = units.funnel(table.iloc[1:], events="events", n="n", unit="unit")
    assert found.note.startswith("Unit b holds 90 %")
    with pytest.raises(DataError, match="missing in 1"):
        units.funnel(table.assign(unit=["a", None, "b"]), events="events", n="n", unit="unit")
