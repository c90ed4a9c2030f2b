"""Survival at given times: compared between groups, and given that one has come so far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from workbench.analysis import inputs
from workbench.analysis.counts import EventCounts, event_counts
from workbench.analysis.survival.contrasts import differences, reference_row
from workbench.analysis.survival.curves import SURVIVAL_START, survival_columns
from workbench.analysis.survival.hazards import log_survival_variance, survival_shares
from workbench.analysis.survival.intervals import check_interval, limits
from workbench.analysis.survival.readings import counts_until, read_at
from workbench.errors import StudyError

if TYPE_CHECKING:
    import ibis

METHODS = ("wald", "newcombe")


def landmark(
    persons: pd.DataFrame | ibis.Table | EventCounts,
    *,
    duration: str | None = None,
    event: str | None = None,
    by: str | Sequence[str],
    times: Sequence[float],
    reference: object = None,
    entry: str | None = None,
    weight: str | None = None,
    confidence: float = 0.95,
    method: str = "newcombe",
) -> pd.DataFrame:
    """Compare survival at given times, such as 1 and 5 years, between groups.

    Parameters
    ----------
    times
        Times to compare at, in the unit of the duration.
    reference
        The group to compare with (a tuple where `by` has several columns); None is the first.
    method
        "newcombe" combines the two groups' own log-log intervals, and stays within -1 and 1;
        "wald" is symmetric. The rest is as in `kaplan_meier`.

    Returns
    -------
    One row per other group and time: the columns of `by`, `time`, `survival` and
    `reference_survival` (0-1), `estimate` (their difference), `std_error`, `lower`, `upper`,
    `p_value` (two-sided, from the symmetric test). Missing past the last follow-up of either.

    Raises
    ------
    DataError, StudyError
        As `kaplan_meier`; one group only, an unknown reference or method.

    References
    ----------
    Klein et al., 2007; Zou and Donner, 2008 (the interval from the groups' own).
    """
    check_interval(confidence, "plain")
    asked = inputs.check_times(times)
    if method not in METHODS:
        raise StudyError(f"method: expected one of {', '.join(METHODS)}.")
    counts = event_counts(
        persons, duration=duration, event=event, by=by, entry=entry, weight=weight
    )
    row = reference_row(counts.groups, reference)
    columns = survival_columns(counts, confidence, "log-log")
    read = read_at(counts, columns, asked, SURVIVAL_START)
    at = {name: values.reshape(-1, len(asked)) for name, values in read.items()}
    parts = []
    for place, time in enumerate(asked.tolist()):
        share, error = at["estimate"][:, place], at["std_error"][:, place]
        found = differences(share, error, row, confidence)
        if method == "newcombe":
            low, high = at["lower"][:, place], at["upper"][:, place]
            found["lower"] = found["estimate"] - np.hypot(share - low, high[row] - share[row])
            found["upper"] = found["estimate"] + np.hypot(high - share, share[row] - low[row])
        facts = {"time": time, "survival": share, "reference_survival": share[row]}
        parts.append(counts.groups.assign(**facts, **found).drop(index=row))
    table = pd.concat(parts).sort_index(kind="stable").reset_index(drop=True)
    return table.astype({"time": asked.dtype})


def conditional_survival(
    persons: pd.DataFrame | ibis.Table | EventCounts,
    *,
    duration: str | None = None,
    event: str | None = None,
    given: float,
    times: Sequence[float],
    by: str | Sequence[str] | None = None,
    entry: str | None = None,
    confidence: float = 0.95,
    interval: str = "log-log",
) -> pd.DataFrame:
    """Estimate survival for those who have come so far without the event.

    Parameters
    ----------
    given
        The time until which they have come.
    times
        Times to report, from the start of follow-up, none before `given`.

    Returns
    -------
    One row per group and time: the columns of `by`, `given`, `time`, `at_risk` (just before that
    time), `estimate` S(time) / S(given), `std_error`, `lower`, `upper` (0-1; Greenwood's sum over
    the times after `given`). Missing past the last follow-up, and where nobody came so far.
    Weights are taken if they are whole numbers (repeated persons).

    Raises
    ------
    DataError, StudyError
        As `kaplan_meier`; times before `given`.

    References
    ----------
    Henson and Ries, 1994 (as conditional relative survival); Davis et al., 1999.
    """
    check_interval(confidence, interval)
    asked, (start,) = inputs.check_times(times), inputs.check_times([given])
    if asked[0] < start:
        raise StudyError("times: expected none before `given`; count from the start of follow-up.")
    counts = event_counts(persons, duration=duration, event=event, by=by, entry=entry)
    if counts.spells is not None:
        raise StudyError(
            "conditional_survival: weights that are not whole numbers are not supported. Count "
            "those who have come so far, with entry at `given`, and use kaplan_meier."
        )
    log_variance = log_survival_variance(counts)
    columns = {"share": survival_shares(counts), "variance": log_variance}
    begin = {"share": 1.0, "variance": 0.0}
    until = read_at(counts, columns, asked, begin)
    before = read_at(counts, columns, np.array([start]), begin)
    share, variance = (np.repeat(before[name], len(asked)) for name in ("share", "variance"))
    estimate = np.divide(until["share"], share, out=np.full(len(share), np.nan), where=share > 0)
    known = estimate > 0
    spread = np.sqrt(np.where(known, np.maximum(until["variance"] - variance, 0.0), 0.0))
    lower, upper = limits(estimate, spread, confidence, interval)
    table = counts_until(counts, asked).drop(columns=["events", "censored"])
    table.insert(len(counts.groups.columns), "given", start)
    std_error = np.where(known, estimate * spread, np.nan)
    return table.assign(estimate=estimate, std_error=std_error, lower=lower, upper=upper)
