"""Survival and cumulative hazard over time, from counts: Kaplan-Meier and its relatives.

Results are in the unit of the duration; what lies beyond a group's last follow-up is missing,
never carried forward. Equal to R's survfit to 1e-9: tests/reference/test_curves_against_r.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from workbench.analysis import inputs
from workbench.analysis.counts import EventCounts, event_counts
from workbench.analysis.survival.hazards import (
    fleming_harrington_steps,
    log_survival_variance,
    nelson_aalen_variance,
    survival_shares,
)
from workbench.analysis.survival.intervals import check_interval, limits, normal_quantile
from workbench.analysis.survival.readings import COUNTED, read_curve

if TYPE_CHECKING:
    import ibis

Columns = str | Sequence[str] | None
HAZARD_INTERVALS = ("log", "plain")


def kaplan_meier(
    persons: pd.DataFrame | ibis.Table | EventCounts,
    *,
    duration: str | None = None,
    event: str | None = None,
    by: Columns = None,
    entry: str | None = None,
    weight: str | None = None,
    times: Sequence[float] | None = None,
    confidence: float = 0.95,
    interval: str = "log-log",
) -> pd.DataFrame:
    """Estimate the share of persons still without the event over time (Kaplan-Meier).

    Where a competing event can prevent the event of interest, 1 minus this estimate is too high:
    use `competing.cumulative_incidence`.

    Parameters
    ----------
    persons
        One row per person: `duration` (0 or more), `event` (0/1), none missing; `entry` is when
        the person came under observation (before `duration`), `weight` a case weight above 0. A
        frame, an Ibis table (counted by the engine), or `EventCounts` (then without the columns).
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
        Columns or values that cannot be used; settings that make no sense; event codes above 1.

    References
    ----------
    Kaplan and Meier, 1958; Greenwood, 1926; Kalbfleisch and Prentice, 2002, section 1.4.
    """
    check_interval(confidence, interval)
    counts = event_counts(
        persons, duration=duration, event=event, by=by, entry=entry, weight=weight
    )
    return shown(counts, survival_columns(counts, confidence, interval), times, SURVIVAL_START)


def fleming_harrington(
    persons: pd.DataFrame | ibis.Table | EventCounts,
    *,
    duration: str | None = None,
    event: str | None = None,
    by: Columns = None,
    entry: str | None = None,
    times: Sequence[float] | None = None,
    confidence: float = 0.95,
    interval: str = "log-log",
) -> pd.DataFrame:
    """Estimate survival as exp(-cumulative hazard), with ties broken evenly (Fleming-Harrington).

    Of d events at one time the first is counted among all at risk, the next among one fewer, and
    so on. Differs from Kaplan-Meier by less than its standard error, and does not reach 0.

    Returns
    -------
    As `kaplan_meier`, without weights; `std_error` is the estimate times the square root of the
    sum of 1 / at_risk^2, with the same breaking of ties. Refuses what `kaplan_meier` refuses.

    References
    ----------
    Fleming and Harrington, 1984; R's survfit(stype = 2, ctype = 2).
    """
    check_interval(confidence, interval)
    counts = event_counts(persons, duration=duration, event=event, by=by, entry=entry)
    counts.refuse_weights("fleming_harrington")
    hazard, squares = fleming_harrington_steps(counts)
    estimate = np.exp(-counts.running(hazard))
    spread = np.sqrt(counts.running(squares))
    lower, upper = limits(estimate, spread, confidence, interval)
    columns = {"estimate": estimate, "std_error": estimate * spread}
    return shown(counts, columns | {"lower": lower, "upper": upper}, times, SURVIVAL_START)


def nelson_aalen(
    persons: pd.DataFrame | ibis.Table | EventCounts,
    *,
    duration: str | None = None,
    event: str | None = None,
    by: Columns = None,
    entry: str | None = None,
    weight: str | None = None,
    times: Sequence[float] | None = None,
    confidence: float = 0.95,
    interval: str = "log",
) -> pd.DataFrame:
    """Estimate the cumulative hazard of the event over time (Nelson-Aalen).

    Returns
    -------
    As `kaplan_meier`, but `estimate` is the sum of events / at_risk (0 or more, per person), its
    variance the sum of events / at_risk^2 (robust where some weights are not whole numbers), and
    `interval` is "log", H exp(-+ z std_error / H), or "plain", cut at 0. Where the estimate is 0
    so are the limits. Refuses what `kaplan_meier` refuses.

    References
    ----------
    Nelson, 1972; Aalen, 1978; Andersen, Borgan, Gill and Keiding, 1993, section IV.1.
    """
    check_interval(confidence, interval, HAZARD_INTERVALS)
    counts = event_counts(
        persons, duration=duration, event=event, by=by, entry=entry, weight=weight
    )
    y = np.where(counts.at_risk > 0, counts.at_risk, 1.0)
    hazard = counts.running(counts.events / y)
    std_error = np.sqrt(nelson_aalen_variance(counts))
    half = normal_quantile(confidence) * std_error
    if interval == "plain":
        lower, upper = np.maximum(hazard - half, 0.0), hazard + half
    else:
        ratio = np.exp(half / np.where(hazard > 0, hazard, 1.0))
        lower, upper = hazard / ratio, hazard * ratio
    columns = {"estimate": hazard, "std_error": std_error, "lower": lower, "upper": upper}
    return shown(counts, columns, times, dict.fromkeys(columns, 0.0))


SURVIVAL_START = {"estimate": 1.0, "std_error": 0.0, "lower": 1.0, "upper": 1.0}


def survival_columns(
    counts: EventCounts, confidence: float, interval: str
) -> dict[str, np.ndarray]:
    """Kaplan-Meier at every time of the counts: estimate, std_error, lower, upper."""
    estimate = survival_shares(counts)
    spread = np.sqrt(log_survival_variance(counts))
    lower, upper = limits(estimate, spread, confidence, interval)
    known = estimate > 0
    std_error = np.where(known, estimate * np.where(known, spread, 0.0), np.nan)
    return {"estimate": estimate, "std_error": std_error, "lower": lower, "upper": upper}


def shown(
    counts: EventCounts,
    columns: dict[str, np.ndarray],
    times: Sequence[float] | None,
    start: dict[str, float],
) -> pd.DataFrame:
    """Show a curve at the asked times, or at every time at which somebody leaves."""
    if times is not None:
        return read_curve(counts, columns, inputs.check_times(times), start)
    leaves = counts.leaves()
    table = counts.frame()
    table = table[[name for name in table if name in {*counts.groups, "time", *COUNTED}]]
    return table.assign(**columns)[leaves].reset_index(drop=True)
