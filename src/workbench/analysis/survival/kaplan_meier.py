"""Estimate survival from counts: Kaplan-Meier, quantiles, number at risk, log-rank tests.

Every estimator turns persons into counts (`workbench.analysis.counts`) and works on those.
Results are in the unit of the duration; what lies beyond a group's last follow-up is missing,
never carried forward. Equal to R's survfit, quantile and survdiff to 1e-9:
tests/reference/test_survival_against_r.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from workbench.analysis import counts, inputs
from workbench.errors import DataError, StudyError

Columns = str | Sequence[str] | None
INNER = ["entered", "events_squares", "censored_squares"]
INTERVALS = ("log-log", "log", "plain")
# R's quantile.survfit takes a curve within this distance of the asked share as being on it
ON_THE_LINE = float(np.sqrt(np.finfo(float).eps))


@dataclass(frozen=True, eq=False)
class LogRank:
    """Whether survival differs between groups: a chi-square test and what it was made of.

    `table` has one row per group: the columns of `by`, `n` and `events` (persons), `observed` and
    `expected` (events; weighted when rho or gamma is not 0, as in R).
    """

    statistic: float
    degrees_of_freedom: int
    p_value: float
    table: pd.DataFrame


def kaplan_meier(
    persons: pd.DataFrame,
    *,
    duration: str,
    event: str,
    by: Columns = None,
    entry: str | None = None,
    weight: str | None = None,
    times: Sequence[float] | None = None,
    confidence: float = 0.95,
    interval: str = "log-log",
) -> pd.DataFrame:
    """Estimate the share of persons still without the event over time (Kaplan-Meier).

    Parameters
    ----------
    persons
        One row per person: `duration` (0 or more), `event` (0/1), none missing; `entry` is when
        the person came under observation (before `duration`), `weight` a case weight above 0.
    by
        Grouping column or columns; None is everyone, and then there is no group column.
    times
        Times to report. None reports every time at which somebody leaves.
    confidence, interval
        Coverage of the interval (0-1) and its scale: "log-log", "log" (R's default) or "plain".

    Returns
    -------
    One row per group and time, sorted: the columns of `by`, `time`, `at_risk` (just before that
    time), `events` and `censored` (at that time; with `times`: since the time before),
    `estimate`, `std_error` (Greenwood, survival scale), `lower`, `upper` (0-1). Past the last
    follow-up of a group these four are missing, and so are the last three where the estimate is
    0. With delayed entry a risk set that empties early sends the curve to 0 for good, as in R.
    With `weight`, counts are sums of weights and `n_at_risk`, `n_events`, `n_censored` are the
    persons; whole weights are repeated persons (Greenwood), and when some are not whole the
    standard error is robust (infinitesimal jackknife), as in R.

    Raises
    ------
    DataError, StudyError
        Columns or values that cannot be used; settings that make no sense; `entry` together with
        weights that are not whole (not available yet).

    References
    ----------
    Kaplan and Meier, 1958; Greenwood, 1926; Kalbfleisch and Prentice, 2002, section 1.4.
    """
    names = inputs.names_of(by)
    _check_interval(confidence, interval)
    table = counts.count_events(
        persons, duration=duration, event=event, by=by, entry=entry, weight=weight
    )
    if "events_squares" in table and entry is not None:
        raise StudyError("entry with weights that are not whole numbers: not available yet.")
    curve = _curve(table, names, confidence, interval)
    if times is not None:
        return _curve_at(curve, names, inputs.check_times(times))
    leaves = curve["events"] + curve["censored"] > 0
    return curve[leaves].drop(columns=INNER, errors="ignore").reset_index(drop=True)


def quantiles(
    persons: pd.DataFrame,
    *,
    duration: str,
    event: str,
    by: Columns = None,
    q: float | Sequence[float] = 0.5,
    confidence: float = 0.95,
    interval: str = "log-log",
) -> pd.DataFrame:
    """Tell by when a given share of persons has had the event (0.5: median survival).

    Parameters
    ----------
    q
        Share or shares with the event, above 0 and below 1; the rest is as in `kaplan_meier`.

    Returns
    -------
    One row per group and share, sorted: the columns of `by`, `q`, `n` (persons), `events`,
    `estimate`, `lower`, `upper` (times; missing when not reached). Where the curve lies flat
    exactly on the share, the middle of the flat stretch, as in R. Limits invert the pointwise
    interval (Brookmeyer and Crowley, 1982). Refuses what `kaplan_meier` refuses (DataError,
    StudyError), and a q outside 0-1.
    """
    names = inputs.names_of(by)
    _check_interval(confidence, interval)
    shares = np.unique(np.atleast_1d(np.asarray(q, dtype=float)))
    if not ((shares > 0) & (shares < 1)).all() or shares.size == 0:
        raise StudyError("q: expected shares above 0 and below 1, such as 0.5 for the median.")
    table = counts.count_events(persons, duration=duration, event=event, by=by)
    curve = _curve(table, names, confidence, interval)
    parts = []
    for _, part in curve.groupby(inputs.group_numbers(curve, names)):
        rows = part[names].iloc[[0] * len(shares)].reset_index(drop=True)
        facts = {"q": shares, "n": part["at_risk"].iloc[0], "events": part["events"].sum()}
        for limit in ("estimate", "lower", "upper"):
            facts[limit] = _crossings(part["time"].to_numpy(), part[limit].to_numpy(), shares)
        parts.append(rows.assign(**facts))
    return pd.concat(parts, ignore_index=True)


def number_at_risk(
    persons: pd.DataFrame, *, duration: str, event: str, times: Sequence[float], by: Columns = None
) -> pd.DataFrame:
    """Count who is still followed at given times, for the rows under a survival figure.

    Returns
    -------
    One row per group and time, sorted: the columns of `by`, `time`, `at_risk` (followed up to
    that time or longer), `events` and `censored` (persons, from the start to that time).
    Refuses what `kaplan_meier` refuses (DataError, StudyError).
    """
    asked = inputs.check_times(times)
    table = counts.count_events(persons, duration=duration, event=event, by=by)
    return _counts_at(table, inputs.names_of(by), asked)


def logrank(
    persons: pd.DataFrame,
    *,
    duration: str,
    event: str,
    by: str | Sequence[str],
    strata: Columns = None,
    rho: float = 0,
    gamma: float = 0,
) -> LogRank:
    """Test whether groups differ in survival (log-rank and its weighted relatives).

    Parameters
    ----------
    by, strata
        The groups to compare, and the columns within which to compare them before adding up.
    rho, gamma
        Weight S(t-)^rho (1 - S(t-))^gamma with S the pooled curve of the stratum: 0, 0 is the
        log-rank test (Mantel, 1966); 1, 0 Peto and Peto's; 0, 1 looks at late differences
        (Fleming and Harrington, 1991, chapter 7).

    Returns
    -------
    `LogRank`. Groups that were never at risk when an event happened do not count in the degrees
    of freedom, as in R.

    Raises
    ------
    DataError, StudyError
        As `kaplan_meier`; one group only; no event; groups never at risk together; a negative
        rho or gamma.
    """
    names, layers = inputs.names_of(by), inputs.names_of(strata)
    if not (rho >= 0 and gamma >= 0):
        raise StudyError("rho, gamma: expected 0 or more.")
    table = counts.count_events(persons, duration=duration, event=event, by=[*layers, *names])
    number, layer = (
        inputs.group_numbers(table, names),
        inputs.group_numbers(table, layers),
    )
    n_groups = int(number.max()) + 1
    if not names or n_groups < 2:
        raise DataError(f"by={names}: one group only; a comparison needs two or more.")
    if not table["events"].any():
        raise DataError(f'column "{event}": no events, so there is nothing to compare.')
    observed, expected = np.zeros(n_groups), np.zeros(n_groups)
    variance = np.zeros((n_groups, n_groups))
    for value in np.unique(layer):
        inside = layer == value
        terms = _compare(table[inside], number[inside], n_groups, rho, gamma)
        observed, expected = observed + terms[0], expected + terms[1]
        variance = variance + terms[2]
    statistic, freedom = _chi_square(observed - expected, variance, expected > 0, names)
    groups = table[names].iloc[np.unique(number, return_index=True)[1]].reset_index(drop=True)
    sums = table.groupby(number)[["events", "censored"]].sum()
    groups = groups.assign(n=sums.sum(axis=1), events=sums["events"])
    groups = groups.assign(observed=observed, expected=expected)
    return LogRank(statistic, freedom, float(stats.chi2.sf(statistic, freedom)), groups)


def _check_interval(confidence: float, interval: str) -> None:
    if interval not in INTERVALS:
        raise StudyError(f"interval: expected one of {', '.join(INTERVALS)}.")
    if not 0 < confidence < 1:
        raise StudyError("confidence: expected a number between 0 and 1, such as 0.95.")


def _curve(table: pd.DataFrame, names: list[str], confidence: float, interval: str) -> pd.DataFrame:
    number = inputs.group_numbers(table, names)
    d, y = table["events"].to_numpy(float), table["at_risk"].to_numpy(float)
    persons = ("n_events", "n_at_risk") if "n_events" in table else ("events", "at_risk")
    # everybody at risk has the event: told from persons, since sums of weights may not cancel
    everybody = (d > 0) & (table[persons[0]] == table[persons[1]]).to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.where(everybody, 0.0, 1 - np.where(d > 0, d / y, 0.0))
        term = np.where(everybody, np.inf, np.where(d > 0, d / (y * (y - d)), 0.0))
    estimate = pd.Series(factor).groupby(number).cumprod().to_numpy()
    spread = np.sqrt(pd.Series(term).groupby(number).cumsum().to_numpy())
    if "events_squares" in table:
        spread = _robust_spread(table, number, spread**2, y - d)
    lower, upper = _limits(estimate, spread, stats.norm.ppf((1 + confidence) / 2), interval)
    std_error = np.where(estimate > 0, estimate * np.where(estimate > 0, spread, 0.0), np.nan)
    return table.assign(estimate=estimate, std_error=std_error, lower=lower, upper=upper)


def _robust_spread(
    table: pd.DataFrame, number: np.ndarray, slope: np.ndarray, staying: np.ndarray
) -> np.ndarray:
    # infinitesimal jackknife. The log of the curve changes with a person's weight by slope(t) for
    # who stays beyond t, slope(s) for who leaves at s, with the event slope(s) - 1 / staying(s)
    died, gone = table["events_squares"], table["events_squares"] + table["censored_squares"]
    with np.errstate(divide="ignore", invalid="ignore"):
        left = (table["censored_squares"] * slope**2).where(slope > 0, 0.0)
        left = left + (died * (slope - 1 / staying) ** 2).where(died > 0, 0.0)
        stay = gone.groupby(number).transform("sum") - gone.groupby(number).cumsum()
        return np.sqrt((left.groupby(number).cumsum() + stay * slope**2).to_numpy())


def _limits(
    estimate: np.ndarray, spread: np.ndarray, z: float, interval: str
) -> tuple[np.ndarray, np.ndarray]:
    lower, upper = np.full(len(estimate), np.nan), np.full(len(estimate), np.nan)
    lower[estimate == 1], upper[estimate == 1] = 1.0, 1.0
    inside = (estimate > 0) & (estimate < 1)
    s, half = estimate[inside], z * spread[inside]
    if interval == "plain":
        low, high = s - s * half, s + s * half
    elif interval == "log":
        low, high = s * np.exp(-half), s * np.exp(half)
    else:
        low, high = s ** np.exp(-half / np.log(s)), s ** np.exp(half / np.log(s))
    lower[inside], upper[inside] = np.maximum(low, 0.0), np.minimum(high, 1.0)
    return lower, upper


def _counts_at(table: pd.DataFrame, names: list[str], times: np.ndarray) -> pd.DataFrame:
    rows = counts.rows_at(table, names, times)
    labels = table[names].iloc[np.repeat(rows["first"][:, 0], len(times))].reset_index(drop=True)
    labels["time"] = np.tile(times, len(rows["first"]))
    for column in [name for name in table.columns if name in inputs.COUNT_COLUMNS]:
        if column.endswith("at_risk"):
            padded = np.append(table[column].to_numpy(), 0)
            found = np.where(rows["at_or_after"] <= rows["last"], padded[rows["at_or_after"]], 0)
        else:
            running = np.append(0, table[column].to_numpy().cumsum())
            found = running[rows["after"]] - running[rows["first"]]
        labels[column] = found.ravel()
    return labels


def _curve_at(curve: pd.DataFrame, names: list[str], times: np.ndarray) -> pd.DataFrame:
    table = _counts_at(curve, names, times)
    for column in table.columns.intersection(["events", "censored", "n_events", "n_censored"]):
        until = table[column].to_numpy().reshape(-1, len(times))
        table[column] = np.diff(until, axis=1, prepend=0).ravel()
    rows = counts.rows_at(curve, names, times)
    before, latest = rows["after"] == rows["first"], np.maximum(rows["after"] - 1, 0)
    past = times > curve["time"].to_numpy()[rows["last"]]
    for column, at_start in (
        ("estimate", 1.0),
        ("std_error", 0.0),
        ("lower", 1.0),
        ("upper", 1.0),
    ):
        found = np.where(before, at_start, curve[column].to_numpy()[latest])
        table[column] = np.where(past, np.nan, found).ravel()
    return table


def _crossings(time: np.ndarray, share: np.ndarray, q: np.ndarray) -> np.ndarray:
    # limits may rise again late in a curve: the running minimum finds the first crossing
    falling = -np.fmin.accumulate(np.where(np.isnan(share), np.inf, share))
    padded = np.append(time, np.nan).astype(float)
    reached = np.searchsorted(falling, q - 1 - ON_THE_LINE)
    passed = np.searchsorted(falling, q - 1 + ON_THE_LINE, side="right")
    # a curve that ends on the line: the flat stretch ends with the last follow-up
    end = np.where(passed < len(time), padded[passed], time[-1])
    return np.where(passed > reached, (padded[reached] + end) / 2, padded[reached])


def _compare(
    table: pd.DataFrame, number: np.ndarray, n_groups: int, rho: float, gamma: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    time, events = table["time"].to_numpy(), table["events"].to_numpy()
    at = np.unique(time[events > 0])
    at_risk, died = np.zeros((n_groups, len(at))), np.zeros((n_groups, len(at)))
    for group in np.unique(number):
        own = number == group
        place = np.searchsorted(time[own], at)
        at_risk[group] = np.append(table["at_risk"].to_numpy()[own], 0)[place]
        here = np.append(time[own], np.inf)[place] == at
        died[group] = np.where(here, np.append(events[own], 0)[place], 0)
    n, d = at_risk.sum(axis=0), died.sum(axis=0)
    before = np.append(1.0, np.cumprod(1 - d / n))[:-1]
    weight = before**rho * (1 - before) ** gamma
    share = at_risk / n
    spread = np.where(n > 1, weight**2 * d * (n - d) / np.maximum(n - 1, 1), 0.0)
    variance = np.diag(share @ spread) - (share * spread) @ share.T
    return died @ weight, share @ (weight * d), variance


def _chi_square(
    difference: np.ndarray, variance: np.ndarray, compared: np.ndarray, names: list[str]
) -> tuple[float, int]:
    used = np.flatnonzero(compared)[:-1]
    inner = variance[np.ix_(used, used)]
    if used.size == 0 or np.linalg.matrix_rank(inner, hermitian=True) < used.size:
        told = "some groups were never at risk together when an event happened. Join groups or"
        raise DataError(f"by={names}: {told} leave out the strata.")
    return float(difference[used] @ np.linalg.solve(inner, difference[used])), int(used.size)
