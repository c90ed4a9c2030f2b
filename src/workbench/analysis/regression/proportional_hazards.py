"""Do hazard ratios change with time? The score test for an interaction of each term with time.

Reference: Grambsch and Therneau, 1994; the exact form of Therneau's `cox.zph` since survival 3.0,
not its older approximation (which lifelines has).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import linalg, stats

from workbench.analysis.regression.cox_likelihood import information
from workbench.analysis.regression.cox_solution import Solution
from workbench.errors import DataError, StudyError

TRANSFORMS = ("km", "rank", "log", "identity")


def proportional_hazards_table(solution: Solution, transform: str) -> pd.DataFrame:
    """The test of each term and of all together; see `CoxFit.proportional_hazards_test`."""
    if transform not in TRANSFORMS:
        raise StudyError(f"transform: expected one of {', '.join(TRANSFORMS)}.")
    risk, found = solution.risk, solution.found
    scale = _time_scale(solution, transform)
    scale = scale - np.average(scale, weights=risk.n_events)
    if not np.abs(scale).max() > 0:
        raise DataError("proportional_hazards_test: all events are at the same time.")
    score = _score(solution, scale)
    rows = solution.rows
    plain = information(rows, risk, found, found.steps)
    mixed = information(rows, risk, found, found.steps.times(scale))
    square = information(rows, risk, found, found.steps.times(scale**2))
    left = square - mixed @ linalg.solve(plain, mixed, assume_a="pos")
    table = []
    for name, own in [*_term_columns(solution), ("GLOBAL", list(range(len(score))))]:
        block = (
            square[np.ix_(own, own)]
            - mixed[own] @ linalg.solve(plain, mixed[:, own], assume_a="pos")
            if name != "GLOBAL"
            else left
        )
        statistic = float(score[own] @ linalg.solve(block, score[own], assume_a="sym"))
        table.append((name, statistic, len(own), float(stats.chi2.sf(statistic, len(own)))))
    return pd.DataFrame(table, columns=["term", "statistic", "degrees_of_freedom", "p_value"])


def _score(solution: Solution, scale: np.ndarray) -> np.ndarray:
    event, risk = solution.follow_up.event, solution.risk
    apart = solution.matrix[event] - risk.at_events(solution.event_means)[event]
    return (risk.died[event] * risk.at_events(scale)[event]) @ apart


def _time_scale(solution: Solution, transform: str) -> np.ndarray:
    """The transformed time of each event time (M)."""
    risk = solution.risk
    time = risk.time[risk.places]
    if transform == "identity":
        return time
    if transform == "log":
        if time.min() <= 0:
            raise DataError('proportional_hazards_test: an event at time 0; "log" has no value.')
        return np.log(time)
    if transform == "rank":
        times = np.sort(solution.follow_up.time)
        first, last = (np.searchsorted(times, time, side=side) for side in ("left", "right"))
        return (first + 1 + last) / 2
    times, place = np.unique(time, return_inverse=True)
    events = np.bincount(place, weights=risk.n_events)
    follow_up = solution.follow_up
    at_risk = len(follow_up.time) - np.searchsorted(np.sort(follow_up.time), times, side="left")
    if follow_up.entry is not None:
        entered = np.searchsorted(np.sort(follow_up.entry), times, side="left")
        at_risk = at_risk - (len(follow_up.time) - entered)
    survival = np.cumprod(1 - events / at_risk)
    return 1 - np.append(1.0, survival[:-1])[place]


def _term_columns(solution: Solution) -> list[tuple[str, list[int]]]:
    design, found, place = solution.covariates.design, [], 0
    for encoded in design.spec.structure:
        columns = [str(column) for column in encoded.columns]
        if columns == ["Intercept"] or not columns:
            continue
        found.append((str(encoded.term), list(range(place, place + len(columns)))))
        place += len(columns)
    return found
