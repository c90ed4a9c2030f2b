"""Trend arrows: only where a change over the years is more than chance makes of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from workbench.analysis.charts.series import groups_of, read_plan
from workbench.errors import DataError, StudyError

FEWEST_YEARS = 3


def trend(
    points: pd.DataFrame, *, events: str = "events", n: str = "n", period: str = "year",
    by: str | Sequence[str] | None = None, direction: str | None = None, level: float = 0.05,
) -> pd.DataFrame:  # fmt: skip
    """Say for each unit whether its share rises or falls over the years, where chance does not.

    Parameters
    ----------
    points
        One row a unit and year with `events` and `n`; years are numbers. Years without patients
        say nothing.
    direction
        What is wanted: "high", "low" or nothing.
    level
        Chance of an arrow where nothing changes: at most this.

    Returns
    -------
    One row a group: the columns of `by`, `n_years`, `slope` (change of the share a year), `z`,
    `p_value` (two-sided), `trend`: "rises", "falls", "none", "too short" (under three years), and
    `kind`: "improvement", "concern", "no direction", or "common cause" without an arrow.

    Raises
    ------
    DataError, StudyError
        Counts that cannot be used; years that are no numbers.

    References
    ----------
    Cochran, Biometrics 1954;10:417-451; Armitage, Biometrics 1955;11:375-386: the score test for a
    linear trend, given the number of events, with a correction for continuity, so that few events
    do not make arrows.
    """
    if not 0 < level < 1:
        raise StudyError("level: expected a share between 0 and 1.")
    plan = read_plan(period=period, by=by, direction=direction, rebase=None, freeze=None,
                     trend_points=7, screening=False)  # fmt: skip
    rows = []
    for labels, group in groups_of(points, plan, [events, n]):
        x, of = group[events].to_numpy(), group[n].to_numpy()
        if (x < 0).any() or (x > of).any() or (x % 1 != 0).any() or (of % 1 != 0).any():
            raise DataError(f"{events}, {n}: expected whole numbers, no more events than patients.")
        time = pd.to_numeric(group[period], errors="coerce").to_numpy(float)
        if not np.isfinite(time).all():
            raise DataError(f'column "{period}": expected years as numbers.')
        rows.append({**labels, **_of_one(x, of, time, direction, level)})
    return pd.DataFrame(rows)


def _of_one(
    x: np.ndarray, n: np.ndarray, time: np.ndarray, direction: str | None, level: float
) -> dict[str, object]:
    some = n > 0
    x, n, time = x[some], n[some], time[some]
    told: dict[str, object] = {"n_years": len(n), "slope": np.nan, "z": np.nan, "p_value": np.nan}
    if len(n) < FEWEST_YEARS:
        return told | {"trend": "too short", "kind": "common cause"}
    z, slope, p_value = trend_test(x, n, time)
    told |= {"slope": slope, "z": z, "p_value": p_value}
    if not p_value < level:
        return told | {"trend": "none", "kind": "common cause"}
    kind = "no direction"
    if direction is not None:
        kind = "improvement" if (z > 0) == (direction == "high") else "concern"
    return told | {"trend": "rises" if z > 0 else "falls", "kind": kind}


def trend_test(x: np.ndarray, n: np.ndarray, time: np.ndarray) -> tuple[float, float, float]:
    """Score test for a linear trend in shares: z, slope, and the two-sided p value, corrected.

    The variance is that given the number of events; the sum can only move in steps of the smallest
    distance between two years, half of which is taken off.
    """
    share, whole = x.sum() / n.sum(), n.sum()
    middle = float((n * time).sum() / whole)
    spread = float((n * (time - middle) ** 2).sum())
    away = float((x * (time - middle)).sum())
    variance = share * (1 - share) * spread * whole / max(whole - 1, 1)
    slope = away / spread if spread > 0 else np.nan
    if variance <= 0:
        return 0.0, slope, 1.0
    z = away / np.sqrt(variance)
    step = float(np.diff(np.unique(time)).min())
    corrected = max(0.0, abs(away) - step / 2) / np.sqrt(variance)
    return float(z), slope, float(2 * stats.norm.sf(corrected))
