"""The mean time without the event within a horizon, and how it differs between groups."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from workbench.analysis import inputs
from workbench.analysis.counts import EventCounts, event_counts
from workbench.analysis.survival.contrasts import differences, ratios, reference_row
from workbench.analysis.survival.hazards import (
    greenwood_steps,
    staying_shares,
    survival_shares,
)
from workbench.analysis.survival.intervals import check_interval, normal_quantile
from workbench.analysis.survival.jackknife import Influence, jackknife_variance
from workbench.analysis.survival.readings import last_follow_up
from workbench.errors import StudyError

if TYPE_CHECKING:
    import ibis


def restricted_mean(
    persons: pd.DataFrame | ibis.Table | EventCounts,
    *,
    duration: str | None = None,
    event: str | None = None,
    horizon: float,
    by: str | Sequence[str] | None = None,
    entry: str | None = None,
    weight: str | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Estimate the mean time lived without the event up to a horizon (restricted mean).

    Parameters
    ----------
    horizon
        Up to when, in the unit of the duration; above 0. The rest is as in `kaplan_meier`.

    Returns
    -------
    One row per group: the columns of `by`, `horizon`, `estimate` (area under Kaplan-Meier up to
    the horizon, in the unit of the duration), `std_error`, `lower`, `upper` (symmetric, within
    0 and the horizon). Missing for a group whose follow-up ends before the horizon with persons
    still without the event: the area beyond is not known. The variance is the sum over event
    times of (area from there to the horizon)^2 x events / (at_risk (at_risk - events)); robust
    where some weights are not whole numbers. Refuses what `kaplan_meier` refuses.

    References
    ----------
    Klein and Moeschberger, 2003, section 4.5; Royston and Parmar, 2013.
    """
    check_interval(confidence, "plain")
    counts = event_counts(
        persons, duration=duration, event=event, by=by, entry=entry, weight=weight
    )
    table = counts.groups.assign(horizon=horizon, **_areas(counts, _checked(horizon)))
    half = normal_quantile(confidence) * table["std_error"]
    lower = (table["estimate"] - half).clip(lower=0.0)
    return table.assign(lower=lower, upper=(table["estimate"] + half).clip(upper=horizon))


def restricted_mean_contrast(
    persons: pd.DataFrame | ibis.Table | EventCounts,
    *,
    duration: str | None = None,
    event: str | None = None,
    horizon: float,
    by: str | Sequence[str],
    contrast: str = "difference",
    reference: object = None,
    entry: str | None = None,
    weight: str | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Compare the mean time without the event between groups: time gained or lost.

    Parameters
    ----------
    contrast
        "difference" (in the unit of the duration) or "ratio".
    reference
        The group to compare with, as in the columns of `by` (a tuple where there are several);
        None is the first. The rest is as in `restricted_mean`.

    Returns
    -------
    One row per other group: the columns of `by`, `horizon`, `estimate`, `std_error` (of the
    ratio's logarithm for a ratio), `lower`, `upper`, `p_value` (two-sided, normal). Missing where
    one of the two means is.

    Raises
    ------
    DataError, StudyError
        As `restricted_mean`; one group only, an unknown contrast or reference.

    References
    ----------
    Royston and Parmar, 2013; Uno et al., 2014.
    """
    check_interval(confidence, "plain")
    if contrast not in ("difference", "ratio"):
        raise StudyError('contrast: expected "difference" or "ratio".')
    counts = event_counts(
        persons, duration=duration, event=event, by=by, entry=entry, weight=weight
    )
    row = reference_row(counts.groups, reference)
    areas = _areas(counts, _checked(horizon))
    compare = differences if contrast == "difference" else ratios
    found = compare(areas["estimate"], areas["std_error"], row, confidence)
    table = counts.groups.assign(horizon=horizon, **found)
    return table.drop(index=row).reset_index(drop=True)


def _checked(horizon: float) -> float:
    (asked,) = inputs.check_times([horizon])
    if asked <= 0:
        raise StudyError("horizon: expected a time above 0, in the unit of the duration.")
    return float(asked)


def _areas(counts: EventCounts, horizon: float) -> dict[str, np.ndarray]:
    shares = survival_shares(counts)
    time = np.minimum(counts.time.astype(float), horizon)
    until = np.append(time[1:], horizon)
    until[counts.first[1:] - 1] = horizon
    steps = np.maximum(until - time, 0.0) * shares
    # the area under the curve from each time to the horizon
    ahead = np.concatenate(
        [np.cumsum(steps[a:b][::-1])[::-1] for a, b in pairwise(counts.first.tolist())]
    )
    start = counts.first[:-1]
    estimate = ahead[start] + np.minimum(time[start], horizon)
    inside = counts.time < horizon
    variance = _variance(counts, np.where(inside, ahead, 0.0))[counts.first[1:] - 1]
    known = (last_follow_up(counts) >= horizon) | (shares[counts.first[1:] - 1] == 0)
    return {
        "estimate": np.where(known, estimate, np.nan),
        "std_error": np.where(known, np.sqrt(variance), np.nan),
    }


def _variance(counts: EventCounts, ahead: np.ndarray) -> np.ndarray:
    # nobody's influence but that of events before the horizon: beyond it `ahead` is 0
    if counts.spells is None:
        return counts.running(greenwood_steps(counts) * ahead**2)
    none = np.zeros(len(ahead))
    level = counts.running(greenwood_steps(counts) * ahead)
    jump = (staying_shares(counts) * ahead)[:, None]
    return jackknife_variance(counts, Influence(none + 1, level, none, jump, none[:, None]))
