"""Run charts: a shift without any assumption on how values are distributed (Anhoej's rules)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from workbench.analysis.charts.series import groups_of, read_plan


def run_limits(n_useful: int) -> tuple[int, int]:
    """The longest run and the fewest crossings that chance explains among useful points.

    Anhoej, PLoS ONE 2015;10:e0121349: round(log2 n) + 3; the 5 % quantile of n - 1 halves.
    """
    longest = round(float(np.log2(n_useful))) + 3
    return longest, int(stats.binom.ppf(0.05, n_useful - 1, 0.5)) if n_useful > 1 else 0


def run_chart(
    points: pd.DataFrame, *, value: str = "value", period: str = "period",
    by: str | Sequence[str] | None = None, direction: str | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Look for a shift in a short series, around its median (run chart).

    Parameters
    ----------
    points
        As `xmr`. Points on the median are not useful and count for nothing.

    Returns
    -------
    One row a point: the columns of `by`, `period`, `value`, `centre` (the median), `signal` and
    `rule` ("long run", "few crossings", both, or ""), the same for every point of a series;
    `n_useful`, `longest_run`, `longest_run_max`, `n_crossings`, `n_crossings_min` (missing where no
    point is useful). Below about ten useful points the rules find little.

    Raises
    ------
    DataError, StudyError
        As `xmr`.

    References
    ----------
    Anhoej and Olesen, PLoS ONE 2014;9:e113825; Anhoej, PLoS ONE 2015;10:e0121349.
    """
    plan = read_plan(period=period, by=by, direction=direction, rebase=None, freeze=None,
                     trend_points=7, screening=False)  # fmt: skip
    parts = []
    for labels, rows in groups_of(points, plan, [value]):
        numbers = rows[value].to_numpy()
        centre = float(np.median(numbers))
        found = rows[[plan.period]].assign(value=numbers, centre=centre, **_runs(numbers - centre))
        parts.append(found.assign(**labels))
    whole = pd.concat(parts, ignore_index=True)
    return whole[[*plan.by, *(one for one in whole.columns if one not in plan.by)]]


def _runs(away: np.ndarray) -> dict[str, object]:
    side = np.sign(away[away != 0])
    if not len(side):
        nothing = ("longest_run", "longest_run_max", "n_crossings", "n_crossings_min")
        return {"signal": False, "rule": "", "n_useful": 0, **dict.fromkeys(nothing, np.nan)}
    turns = np.flatnonzero(np.diff(side) != 0)
    edges = np.concatenate([[-1], turns, [len(side) - 1]])
    longest, crossings = int(np.diff(edges).max()), len(turns)
    most, fewest = run_limits(len(side))
    words = (("long run", longest > most), ("few crossings", crossings < fewest))
    counts = {"longest_run": longest, "longest_run_max": most}
    counts |= {"n_crossings": crossings, "n_crossings_min": fewest}
    rule = " and ".join(word for word, is_so in words if is_so)
    return {"signal": bool(rule), "rule": rule, "n_useful": len(side), **counts}
