"""The share of persons who have had each of several competing events (Aalen-Johansen).

Equal to R's survfit, prodlim and cuminc to 1e-9: tests/reference/test_incidence_against_r.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from workbench.analysis import inputs
from workbench.analysis.counts import EventCounts, event_counts
from workbench.analysis.survival.hazards import (
    greenwood_steps,
    shares_before,
    staying_shares,
    survival_shares,
)
from workbench.analysis.survival.intervals import check_interval, limits
from workbench.analysis.survival.jackknife import Influence, jackknife_variance
from workbench.analysis.survival.readings import read_at
from workbench.errors import StudyError

if TYPE_CHECKING:
    import ibis

VARIANCES = ("delta", "aalen")
LAST_DIGITS = 1e-12
START = dict.fromkeys(("estimate", "std_error", "lower", "upper"), 0.0)


def cumulative_incidence(
    persons: pd.DataFrame | ibis.Table | EventCounts,
    *,
    duration: str | None = None,
    event: str | None = None,
    by: str | Sequence[str] | None = None,
    entry: str | None = None,
    weight: str | None = None,
    times: Sequence[float] | None = None,
    confidence: float = 0.95,
    interval: str = "log-log",
    variance: str = "delta",
) -> pd.DataFrame:
    """Estimate the share of persons who have had each event over time, others competing.

    Amputation with death as the competing event is the standing example: 1 minus Kaplan-Meier,
    with deaths censored, would tell the share in a world in which nobody dies.

    Parameters
    ----------
    persons
        One row per person: `duration` (0 or more, the time of the first event of any cause),
        `event` 0 for censored and 1, 2 ... for the causes; the rest is as in
        `survival.kaplan_meier`. A frame, an Ibis table (counted by the engine), or `EventCounts`.
    times
        Times to report. None reports every time at which somebody leaves.
    confidence, interval
        Coverage of the interval (0-1) and its scale: "log-log", "log" (as R's survfit) or
        "plain" (as prodlim); formulas in `survival.intervals.limits`.
    variance
        "delta": the delta-method variance, equal to survfit's infinitesimal jackknife where
        everybody is followed from the start, and to prodlim's; "aalen": Aalen's, as cmprsk's
        cuminc, a little larger. With delayed entry, "delta" is the same formula with those at
        risk. Where some weights are not whole numbers the variance is the infinitesimal jackknife
        itself (robust), as in R.

    Returns
    -------
    One row per group, cause and time, sorted: the columns of `by`, `cause`, `time`, `at_risk`
    (just before that time), `events` (of the cause, at that time; with `times`: since the time
    before), `estimate` (0-1), `std_error`, `lower`, `upper`. With `weight`, counts are sums of
    weights. Past the last follow-up of a group the last four are missing; where the estimate is 0
    they are 0. A group without events of a cause that others have keeps its rows, at 0.

    Raises
    ------
    DataError, StudyError
        Columns or values that cannot be used; settings that make no sense.

    References
    ----------
    Aalen and Johansen, 1978; Aalen, 1978; Andersen, Borgan, Gill and Keiding, 1993, section IV.4;
    Braun and Yuan, 2007 (comparison of the variances).
    """
    check_interval(confidence, interval)
    names = inputs.names_of(by)
    if "cause" in names:
        raise StudyError('by: "cause" is a column of the result. Rename it first.')
    if variance not in VARIANCES:
        raise StudyError(f"variance: expected one of {', '.join(VARIANCES)}.")
    counts = event_counts(
        persons, duration=duration, event=event, by=by, entry=entry, weight=weight, causes=True
    )
    if counts.is_weighted and variance == "aalen":
        raise StudyError('variance: "aalen" is made for persons, not for weights; use "delta".')
    asked = None if times is None else inputs.check_times(times)
    parts = []
    for column, cause in enumerate(counts.causes):
        columns = _columns(counts, column, variance, confidence, interval)
        table = _shown(counts, column, columns, asked)
        table.insert(len(names), "cause", cause)
        parts.append(table)
    together = pd.concat(parts, ignore_index=True)
    number = inputs.group_numbers(together, names)
    order = np.lexsort((together["time"], together["cause"], number))
    return together.iloc[order].reset_index(drop=True)


def incidence_shares(counts: EventCounts, column: int) -> np.ndarray:
    """The share that has had the events of one column after each time."""
    y = np.where(counts.at_risk > 0, counts.at_risk, 1)
    before = shares_before(survival_shares(counts), counts.first)
    return counts.running(before * counts.sums.events[:, column] / y)


def _columns(
    counts: EventCounts, column: int, variance: str, confidence: float, interval: str
) -> dict[str, np.ndarray]:
    share = incidence_shares(counts, column)
    if counts.spells is not None:
        squared = _robust(counts, column, share)
    elif variance == "delta":
        squared = _delta(counts, column, share)
    else:
        squared = _aalen(counts, column, share)
    std_error = np.sqrt(np.maximum(squared, 0.0))
    # a sum of shares may miss 1 by its last digits
    share = np.where(share > 1 - LAST_DIGITS, 1.0, share)
    spread = np.divide(std_error, share, out=np.zeros(len(share)), where=share > 0)
    lower, upper = limits(share, spread, confidence, interval)
    none = share == 0
    lower[none], upper[none] = 0.0, 0.0
    return {"estimate": share, "std_error": std_error, "lower": lower, "upper": upper}


def _sum_of_squares(
    counts: EventCounts, share: np.ndarray, a: np.ndarray, b: np.ndarray, c: np.ndarray
) -> np.ndarray:
    # sum over s <= t of (F(t) - F(s))^2 a(s) + b(s) - 2 (F(t) - F(s)) c(s), for all t at once
    def run(values: np.ndarray) -> np.ndarray:
        return counts.running(values)

    squares = share**2 * run(a) - 2 * share * run(a * share) + run(a * share**2)
    return squares + run(b) - 2 * (share * run(c) - run(c * share))


def _delta(counts: EventCounts, column: int, share: np.ndarray) -> np.ndarray:
    y = np.where(counts.at_risk > 0, counts.at_risk, 1) * 1.0
    own = counts.sums.events[:, column]
    before = shares_before(survival_shares(counts), counts.first)
    b = before**2 * own * (y - own) / y**3
    return _sum_of_squares(counts, share, greenwood_steps(counts), b, before * own / y**2)


def _aalen(counts: EventCounts, column: int, share: np.ndarray) -> np.ndarray:
    y = np.where(counts.at_risk > 0, counts.at_risk, 1) * 1.0
    own = counts.sums.events[:, column]
    others, fewer = counts.events - own, np.maximum(y - 1, 1.0)
    before, staying = shares_before(survival_shares(counts), counts.first), staying_shares(counts)
    # ties as in a draw without replacement, of each kind of event by itself
    tied_own, tied_others = own * (y - own) / fewer, others * (y - others) / fewer
    a = (tied_own + tied_others) * staying**2
    return _sum_of_squares(
        counts, share, a, tied_own * (before / y) ** 2, tied_own * before * staying / y
    )


def _robust(counts: EventCounts, column: int, share: np.ndarray) -> np.ndarray:
    y = np.where(counts.at_risk > 0, counts.at_risk, 1.0)
    before = shares_before(survival_shares(counts), counts.first)
    steps, staying = greenwood_steps(counts), staying_shares(counts)
    level = counts.running(steps)
    offset = counts.running(steps * share + before * counts.sums.events[:, column] / y**2)
    jumps = np.repeat(staying[:, None], len(counts.causes), axis=1)
    offset_jumps = jumps * share[:, None]
    offset_jumps[:, column] += before / y
    return jackknife_variance(counts, Influence(share, level, offset, jumps, offset_jumps))


def _shown(
    counts: EventCounts, column: int, columns: dict[str, np.ndarray], asked: np.ndarray | None
) -> pd.DataFrame:
    own = counts.sums.events[:, column]
    if asked is None:
        leaves = counts.leaves()
        table = counts.labels().assign(time=counts.time, at_risk=counts.at_risk, events=own)
        return table.assign(**columns)[leaves].reset_index(drop=True)
    rows, n_groups = counts.rows_at(asked), len(counts.groups)
    at = np.minimum(rows["at_or_after"], rows["last"])
    at_risk = np.where(rows["at_or_after"] <= rows["last"], counts.at_risk[at], 0)
    until = np.append(0, np.cumsum(own))
    events = np.diff(until[rows["after"]] - until[rows["first"]], axis=1, prepend=0)
    table = counts.groups.iloc[np.repeat(np.arange(n_groups), len(asked))].reset_index(drop=True)
    table = table.assign(time=np.tile(asked, n_groups), at_risk=at_risk.ravel())
    return table.assign(events=events.ravel(), **read_at(counts, columns, asked, START))
