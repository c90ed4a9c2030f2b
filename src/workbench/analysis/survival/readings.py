"""Read counts and curves at given times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from workbench.analysis import inputs
from workbench.analysis.counts import EventCounts, event_counts

if TYPE_CHECKING:
    import ibis

COUNTED = ("at_risk", "events", "censored", "n_at_risk", "n_events", "n_censored")


def number_at_risk(
    persons: pd.DataFrame | ibis.Table | EventCounts,
    *,
    duration: str | None = None,
    event: str | None = None,
    times: Sequence[float],
    by: str | Sequence[str] | None = None,
    entry: str | None = None,
) -> pd.DataFrame:
    """Count who is still followed at given times, for the rows under a survival figure.

    Returns
    -------
    One row per group and time, sorted: the columns of `by`, `time`, `at_risk` (followed up to
    that time or longer, and entered before it), `events` (of any cause) and `censored` (persons,
    from the start to that time). Refuses what `kaplan_meier` refuses (DataError, StudyError),
    but takes several causes.
    """
    asked = inputs.check_times(times)
    counts = event_counts(persons, duration=duration, event=event, by=by, entry=entry, causes=True)
    return counts_until(counts, asked)


def counts_until(counts: EventCounts, times: np.ndarray) -> pd.DataFrame:
    """Who is at risk at given times, and who has left until then: one row a group and time."""
    rows, n_times = counts.rows_at(times), len(times)
    table = counts.groups.iloc[np.repeat(np.arange(len(counts.groups)), n_times)]
    table = table.reset_index(drop=True).assign(time=np.tile(times, len(counts.groups)))
    at = np.minimum(rows["at_or_after"], rows["last"])
    is_there = rows["at_or_after"] <= rows["last"]
    columns = {"": (counts.at_risk, counts.events, counts.sums.censored)}
    if counts.is_weighted:
        columns["n_"] = (counts.n_at_risk, counts.n_events, counts.persons.censored)
    for prefix, (at_risk, *leaving) in columns.items():
        table[f"{prefix}at_risk"] = np.where(is_there, at_risk[at], 0).ravel()
        for name, values in zip(("events", "censored"), leaving, strict=True):
            until = np.append(0, np.cumsum(values))
            table[prefix + name] = (until[rows["after"]] - until[rows["first"]]).ravel()
    return table


def read_curve(
    counts: EventCounts,
    columns: dict[str, np.ndarray],
    times: np.ndarray,
    start: dict[str, float],
) -> pd.DataFrame:
    """Read a curve at given times: its last step until then, missing past the last follow-up.

    `start` holds the values before the first step. Events and censored are since the time before.
    """
    table = counts_until(counts, times)
    for name in table.columns.intersection(["events", "censored", "n_events", "n_censored"]):
        until = table[name].to_numpy().reshape(-1, len(times))
        table[name] = np.diff(until, axis=1, prepend=0).ravel()
    return table.assign(**read_at(counts, columns, times, start))


def read_at(
    counts: EventCounts,
    columns: dict[str, np.ndarray],
    times: np.ndarray,
    start: dict[str, float],
) -> dict[str, np.ndarray]:
    """Values of a curve at given times, one element a group and time; see `read_curve`."""
    rows = counts.rows_at(times)
    before, latest = rows["after"] == rows["first"], np.maximum(rows["after"] - 1, 0)
    past = times > last_follow_up(counts)[:, None]
    return {
        name: np.where(past, np.nan, np.where(before, start[name], values[latest])).ravel()
        for name, values in columns.items()
    }


def last_follow_up(counts: EventCounts) -> np.ndarray:
    """The last time at which somebody leaves, one element a group."""
    return counts.time[counts.first[1:] - 1]
