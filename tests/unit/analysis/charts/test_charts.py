"""Charts over time: what is decided at the edges, and how often chance alone gives a signal."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from workbench.analysis import charts
from workbench.errors import DataError, StudyError


def points_of(values: list[float] | np.ndarray, **more: object) -> pd.DataFrame:
    return pd.DataFrame({"period": range(len(values)), "value": values, **more})


SERIES = [62, 64, 61, 66, 63, 65, 60, 64, 62, 63, 67, 61, 63]


def test_under_ten_points_there_are_no_limits_and_under_thirteen_provisional_ones():
    few = charts.xmr(points_of(SERIES[:9]))
    assert few["centre"].isna().all() and not few["signal"].any()
    assert "Under 10 points" in few.attrs["notes"][0]
    some = charts.xmr(points_of(SERIES[:12]))
    assert some["is_provisional"].all() and some["upper"].notna().all()
    assert not charts.xmr(points_of(SERIES))["is_provisional"].any()


def test_order_of_rows_does_not_matter_and_groups_are_apart():
    both = pd.concat(
        [points_of(SERIES, unit="a"), points_of([2 * one for one in SERIES], unit="b")]
    )
    found = charts.xmr(both.sample(frac=1, random_state=2), by="unit")
    alone = charts.xmr(points_of(SERIES))
    pd.testing.assert_series_equal(
        found.loc[found["unit"] == "a", "upper"].reset_index(drop=True), alone["upper"]
    )
    assert found.loc[found["unit"] == "b", "centre"].iloc[0] == 2 * alone["centre"].iloc[0]


def test_limits_begin_anew_or_stay_only_with_a_reason():
    values = [*SERIES, *(one + 20 for one in SERIES)]
    whole = charts.xmr(points_of(values), direction="high")
    anew = charts.xmr(points_of(values), direction="high", rebase={13: "new ward"})
    frozen = charts.xmr(points_of(values), direction="high", freeze=(12, "before the change"))
    assert whole["signal"].sum() > 0 and anew["signal"].sum() == 0
    assert anew["segment"].unique().tolist() == [0, 1]
    assert anew.attrs["reasons"] == {"13": "new ward"}
    assert frozen["kind"].iloc[13:].eq("improvement").all()
    for how in ({"rebase": {13: " "}}, {"freeze": (12, "")}):
        with pytest.raises(StudyError, match="write why"):
            charts.xmr(points_of(values), **how)


def test_what_a_signal_means_depends_on_what_is_wanted():
    values = [*SERIES, 90]
    for direction, word in (("high", "improvement"), ("low", "concern"), (None, "no direction")):
        last = charts.xmr(points_of(values), direction=direction).iloc[-1]
        assert (last["rule"], last["kind"]) == ("outside limits", word)
    seven = charts.xmr(points_of([*SERIES, *range(60, 66)]), trend_points=6)
    assert seven["rule"].iloc[-1] in {"6 rising or falling", "outside limits"}


def test_limits_of_shares_and_rates_follow_their_size_and_stay_possible():
    draw = np.random.default_rng(5)
    n = draw.integers(5, 400, 24)
    points = pd.DataFrame({"period": range(24), "n": n, "events": draw.binomial(n, 0.1)})
    found = charts.p_chart(points)
    assert (found["lower"] >= 0).all() and (found["upper"] <= 1).all()
    width = found["upper"] - found["centre"]
    assert width.corr(1 / np.sqrt(found["n"])) > 0.9
    wide = charts.p_prime(points, floor=True)
    assert (wide["upper"] >= found["upper"] - 1e-12).all()
    rates = charts.u_chart(points.rename(columns={"n": "exposure"}))
    assert (rates["centre"] == points["events"].sum() / points["n"].sum()).all()


@pytest.mark.parametrize(("change", "told"), [
    ({"n": 0}, "needs patients"), ({"events": 999}, "no more events"),
    ({"events": None}, "missing"), ({"period": 1}, "stand where another"),
])  # fmt: skip
def test_points_that_cannot_be_are_refused(change, told):
    points = pd.DataFrame({"period": range(12), "n": 30, "events": 5}).assign(**change)
    with pytest.raises(DataError, match=told):
        charts.p_chart(points)


def test_rare_events_by_the_cases_between_them():
    found = charts.g_chart(points_of([12, 30, 5, 44, 18, 9, 61, 22, 3, 15, 27, 200]).rename(
        columns={"value": "between"}))  # fmt: skip
    assert found["rule"].iloc[-1] == "outside limits"


def test_a_shift_in_a_short_series_is_seen_and_a_flat_one_says_nothing():
    draw = np.random.default_rng(1)
    shifted = np.concatenate([draw.normal(0, 1, 12), draw.normal(4, 1, 12)])
    assert charts.run_chart(points_of(shifted))["signal"].all()
    flat = charts.run_chart(points_of([5.0] * 12))
    assert not flat["signal"].any() and flat["n_useful"].eq(0).all()


def test_cusum_signals_when_outcomes_get_worse_and_starts_anew():
    draw = np.random.default_rng(8)
    risk = draw.uniform(0.02, 0.3, 800)
    limit = charts.cusum_limit(risk, run_length_wanted=1000)
    worse = risk * 3 / (1 - risk + 3 * risk)
    dead = (draw.random(800) < worse).astype(int)
    persons = pd.DataFrame({"dead": dead, "risk": risk, "day": range(800)})
    mixed = persons.sample(frac=1, random_state=1)
    found = charts.cusum(mixed, outcome="dead", risk="risk", limit=limit, order="day")
    at = int(found.index[found["signal"] == "worse"][0])
    assert at < 400 and found["cusum_up"].iloc[at] > limit
    assert found["cusum_up"].iloc[at + 1] < limit
    assert found["vlad"].iloc[-1] < 0


def test_run_lengths_are_those_of_a_simulation():
    draw = np.random.default_rng(3)
    risk = np.array([0.05, 0.1, 0.3])
    lengths = []
    for _ in range(400):
        total, at = 0.0, 0
        while total <= 2.0:
            p = draw.choice(risk)
            total = max(0.0, total + (draw.random() < p) * np.log(2) - np.log(1 - p + 2 * p))
            at += 1
        lengths.append(at)
    found = charts.run_length(risk, limit=2.0)
    assert found == pytest.approx(np.mean(lengths), rel=0.12)


@pytest.mark.parametrize("years", [5, 10])
@pytest.mark.parametrize(("n", "share"), [(8, 0.5), (15, 0.1), (60, 0.9), (60, 0.02), (400, 0.6)])
def test_arrows_of_units_that_do_not_change_are_at_most_one_in_twenty(years, n, share):
    draw = np.random.default_rng(int(years * 1000 + n))
    repeats = 2000
    size = draw.poisson(n, (repeats, years))
    points = pd.DataFrame(
        {
            "unit": np.repeat(range(repeats), years),
            "year": np.tile(range(2014, 2014 + years), repeats),
            "n": size.ravel(), "events": draw.binomial(size, share).ravel(),
        }
    )  # fmt: skip
    found = charts.trend(points, by="unit")
    # 2,000 repeats: 5 % and three standard errors
    assert found["trend"].isin(["rises", "falls"]).mean() <= 0.05 + 3 * np.sqrt(
        0.05 * 0.95 / repeats
    )


def test_arrows_point_where_shares_go_and_mean_what_is_wanted():
    points = pd.DataFrame({"year": range(2015, 2024), "n": 200, "events": range(60, 150, 10)})
    found = charts.trend(points, direction="low").iloc[0]
    assert (found["trend"], found["kind"], found["n_years"]) == ("rises", "concern", 9)
    assert found["slope"] == pytest.approx(0.05)
    few = charts.trend(points.iloc[:2]).iloc[0]
    assert few["trend"] == "too short"
    empty = charts.trend(points.assign(events=0)).iloc[0]
    assert (empty["trend"], empty["p_value"]) == ("none", 1.0)
    with pytest.raises(DataError, match="whole numbers"):
        charts.trend(points.assign(events=300))


def test_a_target_needs_a_side():
    chart = charts.xmr(points_of(SERIES))
    with pytest.raises(StudyError, match="which side"):
        charts.icons(chart, target=70)
    assert charts.icons(chart, target=90, direction="high")["assurance"].tolist() == ["misses"]
    assert charts.icons(charts.xmr(points_of(SERIES[:5])))["assurance"].tolist() == [""]
