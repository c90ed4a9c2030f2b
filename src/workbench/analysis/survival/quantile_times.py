"""By when a given share of persons has had the event."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from workbench.analysis.counts import EventCounts, event_counts
from workbench.analysis.survival.curves import survival_columns
from workbench.analysis.survival.intervals import check_interval
from workbench.errors import StudyError

if TYPE_CHECKING:
    import ibis

# R's quantile.survfit takes a curve within this distance of the asked share as being on it
ON_THE_LINE = float(np.sqrt(np.finfo(float).eps))


def quantiles(
    persons: pd.DataFrame | ibis.Table | EventCounts,
    *,
    duration: str | None = None,
    event: str | None = None,
    by: str | Sequence[str] | None = None,
    entry: str | None = None,
    weight: str | None = None,
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
    One row per group and share, sorted: the columns of `by`, `q`, `n` and `events` (persons, also
    with weights), `estimate`, `lower`, `upper` (times; missing when not reached). Where the curve
    lies flat exactly on the share, the middle of the flat stretch, as in R. Limits invert the
    pointwise interval (Brookmeyer and Crowley, 1982). Refuses what `kaplan_meier` refuses
    (DataError, StudyError), and a q outside 0-1.
    """
    check_interval(confidence, interval)
    shares = np.unique(np.atleast_1d(np.asarray(q, dtype=float)))
    if not ((shares > 0) & (shares < 1)).all() or shares.size == 0:
        raise StudyError("q: expected shares above 0 and below 1, such as 0.5 for the median.")
    counts = event_counts(
        persons, duration=duration, event=event, by=by, entry=entry, weight=weight
    )
    columns = survival_columns(counts, confidence, interval)
    leaves, n_shares = counts.leaves(), len(shares)
    parts = []
    for start, end in pairwise(counts.first.tolist()):
        rows = np.arange(start, end)[leaves[start:end]]
        n_events = counts.n_events[rows].sum()
        facts = {"n": n_events + counts.persons.censored[rows].sum(), "events": n_events}
        for limit in ("estimate", "lower", "upper"):
            facts[limit] = _crossings(counts.time[rows], columns[limit][rows], shares)
        parts.append(pd.DataFrame({"q": shares} | facts))
    labels = counts.groups.iloc[np.repeat(np.arange(len(counts.groups)), n_shares)]
    return pd.concat([labels.reset_index(drop=True), pd.concat(parts, ignore_index=True)], axis=1)


def _crossings(time: np.ndarray, share: np.ndarray, q: np.ndarray) -> np.ndarray:
    # limits may rise again late in a curve: the running minimum finds the first crossing
    falling = -np.fmin.accumulate(np.where(np.isnan(share), np.inf, share))
    padded = np.append(time, np.nan).astype(float)
    reached = np.searchsorted(falling, q - 1 - ON_THE_LINE)
    passed = np.searchsorted(falling, q - 1 + ON_THE_LINE, side="right")
    # a curve that ends on the line: the flat stretch ends with the last follow-up
    end = np.where(passed < len(time), padded[passed], time[-1])
    return np.where(passed > reached, (padded[reached] + end) / 2, padded[reached])
