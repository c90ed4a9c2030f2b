"""How many cases there will be when all reports have come, and how much work that is.

The number reported of a period is a part p of those there will be. Given p the number still to come
is negative binomial (Jeffreys' prior for the number there will be); p itself is estimated, and its
uncertainty is carried by averaging over its distribution on the log-odds scale.

Source: Lawless, Can J Stat 1994;22:15-31 (adjustment for reporting delay).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from workbench.analysis import inputs
from workbench.analysis.coverage.delays import Arrival, Delays, arrival, day_of, read_delays
from workbench.analysis.coverage.lag import groups_of
from workbench.analysis.units.counted import check_level
from workbench.errors import DataError, StudyError

PERIODS = {"month": "M", "quarter": "Q", "year": "Y"}
LEAST_PART = 0.05  # of a period's reports: with less, what is to come is guesswork
N_POINTS = 61  # equally likely values of the part that has come
EPOCH = pd.Timestamp("1970-01-01")


def nowcast(
    cases: pd.DataFrame, *, event_date: str, reported_date: str, as_of: object, within: int,
    period: str = "year", by: str | Sequence[str] | None = None, window_days: int | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:  # fmt: skip
    """Say how many cases a period will have when all reports have come.

    Parameters
    ----------
    cases, event_date, reported_date, as_of, within, window_days
        As `reporting_lag`. Cases that would be reported later than D days are not counted.
    period
        "month", "quarter" or "year" of the event.

    Returns
    -------
    One row a group and period up to `as_of`: the columns of `by`, `period`, `reported` (so far,
    within D days), `arrived` (the part of all reports that has come), `expected`, `lower`,
    `upper`, and `is_provisional`. Of a finished period all three are what is reported. Where under
    5 % of the reports can have come, or the lag is not known: missing.

    Raises
    ------
    DataError, StudyError
        As `reporting_lag`; another period.
    """
    if period not in PERIODS:
        raise StudyError(f"period: expected one of {', '.join(PERIODS)}.")
    tail = check_level(confidence)
    parts = []
    for labels, group in groups_of(cases, inputs.names_of(by)):
        delays = read_delays(group, event_date, reported_date, as_of, within)
        ways = _arrivals(delays, as_of, within, window_days)
        days = pd.Series(EPOCH + pd.to_timedelta(delays.day, unit="D"))
        seen = days.dt.to_period(PERIODS[period]).value_counts()
        rows = [*_periods(seen, ways, as_of, PERIODS[period], tail)]
        parts.append(pd.DataFrame(rows).assign(**labels))
    whole = pd.concat(parts, ignore_index=True)
    names = inputs.names_of(by)
    return whole[[*names, *(one for one in whole.columns if one not in names)]]


def backlog(table: pd.DataFrame, *, forms: str, minutes_per_form: float) -> pd.DataFrame:
    """Say how much work the forms still to be sent are.

    Parameters
    ----------
    table
        One row a group with the column `forms`: cases without a report.
    minutes_per_form
        Minutes of work that one form takes; say where the number comes from.

    Returns
    -------
    The table with `hours`.

    Raises
    ------
    DataError, StudyError
        The column is not there or has negative values; minutes that are not above 0.
    """
    inputs.check_frame(table, [forms])
    if not minutes_per_form > 0:
        raise StudyError("minutes_per_form: expected a number above 0.")
    number = pd.to_numeric(table[forms], errors="coerce")
    if (number < 0).any():
        raise DataError(f"{forms}: below 0 in {int((number < 0).sum())} rows.")
    return table.assign(hours=number * minutes_per_form / 60)


def _arrivals(
    delays: Delays, as_of: object, within: int, window_days: int | None
) -> tuple[Arrival, ...]:
    """How reports arrive; where the lag changes, of the last window and of the one before it."""
    now = arrival(delays, as_of, within, window_days)
    if window_days is None:
        return (now,)
    earlier = day_of(as_of) - window_days
    seen = delays.day + delays.delay <= earlier
    before = replace(delays, day=delays.day[seen], delay=delays.delay[seen])
    then = EPOCH + pd.Timedelta(days=earlier)
    return now, arrival(before, then, within, window_days)


def _periods(
    seen: pd.Series, ways: tuple[Arrival, ...], as_of: object, frequency: str, tail: float
) -> Iterator[dict[str, object]]:
    if seen.empty:
        return
    last = day_of(as_of)
    within = len(ways[0].share) - 1
    for one in pd.period_range(seen.index.min(), pd.Period(pd.Timestamp(as_of), frequency)):
        first = (one.start_time.normalize() - EPOCH).days
        end = min((one.end_time.normalize() - EPOCH).days, last)
        reported = int(seen.get(one, 0))
        is_open = last - end < within
        told: dict[str, object] = {"period": str(one), "reported": reported}
        part, spread = _part(ways, last - np.arange(first, end + 1))
        told["arrived"] = part
        if not is_open:
            limits = (float(reported),) * 3
        elif np.isnan(part) or part < LEAST_PART:
            limits = (np.nan,) * 3
        else:
            limits = (reported / part, *_limits(reported, part, spread, tail))
        yield (
            told
            | dict(zip(("expected", "lower", "upper"), limits, strict=True))
            | {"is_provisional": is_open}
        )


def _part(ways: tuple[Arrival, ...], ages: np.ndarray) -> tuple[float, float]:
    """The part of a period's reports that has come, and the spread of its log-odds."""
    found = [_log_odds(one, ages) for one in ways]
    now, spread = found[0]
    if len(found) == 2 and np.isfinite(found[1][0]) and np.isfinite(now):
        # The window tells of its middle and what is to come arrives after its end: the change
        # between two windows goes on, as uncertain as both windows and as it is large itself.
        before, spread_before = found[1]
        drift = now - before
        now, spread = now + drift, float(np.sqrt(4 * spread**2 + spread_before**2 + drift**2 / 4))
    return float(1 / (1 + np.exp(-now))), spread


def _log_odds(arrives: Arrival, ages: np.ndarray) -> tuple[float, float]:
    """Log-odds of the part that has come, days counting alike, and their standard error."""
    share, log_error = arrives.at(ages)
    part = float(share.mean())
    # errors of neighbouring days go the same way; before the first report there is none
    error = float(np.where(share > 0, share * np.where(share > 0, log_error, 0.0), 0.0).mean())
    if np.isnan(part) or part >= 1:
        return (np.nan if np.isnan(part) else np.inf), 0.0
    if part <= 0:
        return -np.inf, 0.0
    return float(np.log(part / (1 - part))), error / (part * (1 - part))


def _limits(reported: int, part: float, spread: float, tail: float) -> tuple[float, float]:
    """Quantiles of the number there will be, over the uncertainty of the part that has come."""
    if part >= 1:
        return float(reported), float(reported)
    logit = np.log(part / (1 - part))
    points = stats.norm.ppf((np.arange(N_POINTS) + 0.5) / N_POINTS)
    parts = 1 / (1 + np.exp(-(logit + spread * points)))
    shape = reported + 0.5

    def quantile(q: float) -> float:
        low, high = -1, int(stats.nbinom.ppf(1 - 1e-9, shape, parts.min())) + 1
        while high - low > 1:
            middle = (low + high) // 2
            below = float(stats.nbinom.cdf(middle, shape, parts).mean())
            low, high = (low, middle) if below >= q else (middle, high)
        return float(reported + high)

    return quantile(tail), quantile(1 - tail)
