"""Reporting lag, right truncation allowed for, and the cases that there will be."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from workbench.analysis import coverage
from workbench.errors import DataError, StudyError

AS_OF = "2023-12-31"
HOW = {"event_date": "event", "reported_date": "reported", "as_of": AS_OF}


def cases_of(
    n: int, *, median: float = 90, seed: int = 1, first: str = "2019-01-01"
) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    days = (pd.Timestamp(AS_OF) - pd.Timestamp(first)).days
    event = pd.Timestamp(first) + pd.to_timedelta(draw.integers(0, days + 1, n), unit="D")
    delay = np.minimum(np.exp(np.log(median) + 0.8 * draw.standard_normal(n)), 700).round()
    return pd.DataFrame({"event": event, "reported": event + pd.to_timedelta(delay, unit="D")})


def seen(cases: pd.DataFrame) -> pd.DataFrame:
    return cases[cases["reported"] <= AS_OF]


def test_the_lag_is_that_of_all_reports_and_not_only_of_the_quick_ones():
    cases = cases_of(40_000)
    true = (cases["reported"] - cases["event"]).dt.days
    found = coverage.reporting_lag(seen(cases), **HOW, within=730).iloc[0]
    naive = (seen(cases)["reported"] - seen(cases)["event"]).dt.days
    assert abs(found["median_days"] - true.median()) <= 1
    assert true.median() - naive.median() >= 3  # who looks at what has come sees too short a lag
    assert found["p90_days"] == pytest.approx(true.quantile(0.9), rel=0.02)
    for days in (30, 60, 90, 180):
        share = (true <= days).mean()
        assert found[f"share_{days}_lower"] - 0.005 <= share <= found[f"share_{days}_upper"] + 0.005


def test_without_truncation_it_is_the_plain_distribution():
    cases = cases_of(300, first="2015-01-01")
    cases = cases[cases["event"] < "2021-06-01"]  # all have had their time
    true = (cases["reported"] - cases["event"]).dt.days
    found = coverage.reporting_lag(cases, **HOW, within=730).iloc[0]
    for days in (30, 60, 90, 180):
        assert found[f"share_{days}"] == pytest.approx((true <= days).mean(), abs=1e-12)


def test_intervals_of_shares_hold_the_truth():
    true = (lambda one: (one["reported"] - one["event"]).dt.days)(cases_of(200_000, seed=99))
    held = [
        found["share_90_lower"] <= (true <= 90).mean() <= found["share_90_upper"]
        for seed in range(120)
        for found in [
            coverage.reporting_lag(seen(cases_of(250, seed=seed)), **HOW, within=730).iloc[0]
        ]
    ]
    assert 0.89 <= np.mean(held) <= 0.995


def test_past_the_longest_delay_and_without_old_cases_nothing_is_said():
    cases = seen(cases_of(400))
    found = coverage.reporting_lag(cases, **HOW, within=100, days=(90, 180)).iloc[0]
    assert found["within_days"] == 100 and np.isfinite(found["share_90"])
    assert np.isnan(found["share_180"])
    young = cases[cases["event"] > "2023-06-01"]
    assert np.isnan(coverage.reporting_lag(young, **HOW, within=730).iloc[0]["median_days"])


def test_reports_before_the_event_and_very_late_ones_are_counted():
    cases = pd.DataFrame(
        {
            "event": pd.to_datetime(["2020-01-10", "2020-01-10", "2020-01-10", "2020-02-01"]),
            "reported": pd.to_datetime(["2020-01-01", "2023-01-01", "2020-03-01", "2020-02-20"]),
            "region": ["N", "N", None, "N"],
        }
    )
    found = coverage.reporting_lag(cases, **HOW, within=365, by="region")
    assert found["region"].tolist() == ["N", "not known"]
    assert found[["n", "n_negative", "n_later"]].to_numpy().tolist() == [[1, 1, 1], [1, 0, 0]]


def test_the_curve_rises_to_one():
    curve = coverage.arrival_curve(seen(cases_of(500)), **HOW, within=730)
    assert curve["estimate"].is_monotonic_increasing
    assert curve["estimate"].iloc[-1] == 1.0 and len(curve) == 731


def test_years_that_may_still_change():
    years = coverage.provisional_years([2021, 2022, 2023], as_of=AS_OF, within=400)
    assert years.tolist() == [False, True, True]


def test_a_finished_year_is_what_was_reported_and_an_open_one_is_more():
    cases = cases_of(4000)
    found = coverage.nowcast(seen(cases), **HOW, within=730)
    true = cases["event"].dt.year.value_counts().sort_index()
    assert found["period"].tolist() == [str(year) for year in true.index]
    done = found[~found["is_provisional"]]
    assert (done["expected"] == done["reported"]).all()
    for row in found[found["is_provisional"]].itertuples():
        assert row.reported <= row.lower <= row.expected <= row.upper
        assert row.lower <= true[int(row.period)] <= row.upper


@pytest.mark.parametrize(("window", "growth"), [(None, 1.0), (365, 2.0)])
def test_intervals_of_nowcasts_hold_the_number_there_will_be(window, growth):
    held = []
    for seed in range(60):
        cases = cases_of(600, seed=seed)
        age = (cases["event"] - cases["event"].min()).dt.days / 1826
        delay = (cases["reported"] - cases["event"]) * growth**age
        cases["reported"] = (
            cases["event"] + delay.clip(upper=pd.Timedelta(days=730))
        ).dt.normalize()
        found = coverage.nowcast(seen(cases), **HOW, within=730, window_days=window).iloc[-1]
        held.append(found["lower"] <= (cases["event"].dt.year == 2023).sum() <= found["upper"])
    # 60 repeats tell 95 % from 80 %; benchmarks/nowcast_coverage.py has 500 of more plans
    assert np.mean(held) >= 0.85


def test_too_early_to_tell_is_missing():
    cases = seen(cases_of(4000, median=200))
    found = coverage.nowcast(cases, **HOW, within=730, period="month").iloc[-1]
    assert found["arrived"] < 0.05 and np.isnan(found["expected"])


def test_work_that_is_left():
    table = pd.DataFrame({"region": ["N"], "left": [90]})
    assert coverage.backlog(table, forms="left", minutes_per_form=20)["hours"].tolist() == [30]
    with pytest.raises(StudyError, match="above 0"):
        coverage.backlog(table, forms="left", minutes_per_form=0)
    with pytest.raises(DataError, match="below 0"):
        coverage.backlog(table.assign(left=-1), forms="left", minutes_per_form=1)


@pytest.mark.parametrize(("change", "how", "told"), [
    ({"reported": None}, {}, "missing in"), ({}, {"within": 0}, "within"),
    ({}, {"as_of": "soon"}, "as_of"), ({"event": "x"}, {}, "not dates"),
])  # fmt: skip
def test_dates_that_cannot_be_used_are_told(change, how, told):
    cases = seen(cases_of(20)).assign(**change)
    with pytest.raises((DataError, StudyError), match=told):
        coverage.reporting_lag(cases, **{**HOW, "within": 365, **how})
