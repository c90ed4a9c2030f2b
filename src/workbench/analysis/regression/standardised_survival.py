"""Standardised survival: everyone given each group in turn, predicted and averaged (g-computation).

With S_i(t) = exp(-r_i H(t)) for person i, the average changes with the baseline hazard H by
-mean(S r) and with the coefficients by -mean(S r x) H + mean(S r) x the drift of H; the variance
follows from those of H and of the coefficients (delta method), for differences too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types
from scipy import stats

from workbench.analysis import inputs
from workbench.analysis.regression.baseline import Baseline, baselines
from workbench.analysis.regression.cox_solution import Solution
from workbench.analysis.survival.intervals import check_interval, limits, normal_quantile
from workbench.errors import DataError, StudyError, did_you_mean

MOST_VALUES = 10
# persons x times held at once
CELLS = 4_000_000


@dataclass(frozen=True, eq=False)
class Average:
    """Mean survival at K times; how it falls with baselines (L x K) and coefficients (K x p)."""

    survival: np.ndarray
    by_hazard: np.ndarray
    by_coefficient: np.ndarray


def standardised_curves(
    solution: Solution,
    by: str,
    times: Sequence[float],
    levels: Sequence[Any] | None,
    confidence: float,
    interval: str,
) -> pd.DataFrame:
    """The standardised curves; see `CoxFit.adjusted_survival`."""
    check_interval(confidence, interval)
    asked = inputs.check_times(times)
    read = [base.at(asked) for base in baselines(solution)]
    variance = np.array([base.variance for base in read])
    parts = []
    for level in _levels(solution, by, levels):
        found = _average(solution, by, level, read)
        change = found.by_coefficient
        spread = (found.by_hazard**2 * variance).sum(axis=0)
        spread = np.sqrt(spread + np.einsum("kp,pq,kq->k", change, solution.covariance, change))
        share = np.where(found.survival > 1 - 1e-15, 1.0, found.survival)
        lower, upper = limits(share, spread / share, confidence, interval)
        table = {by: level, "time": asked, "estimate": share, "std_error": spread}
        parts.append(pd.DataFrame(table | {"lower": lower, "upper": upper}))
    return pd.concat(parts, ignore_index=True)


def standardised_means(
    solution: Solution,
    by: str,
    horizon: float,
    levels: Sequence[Any] | None,
    confidence: float,
) -> pd.DataFrame:
    """Areas under the standardised curves; see `CoxFit.adjusted_restricted_mean`."""
    check_interval(confidence, "plain")
    if not 0 < horizon < np.inf:
        raise StudyError("horizon: expected a number above 0, in the unit of the duration.")
    lines = baselines(solution)
    events = np.unique(np.concatenate([base.time for base in lines]))
    steps = np.concatenate([[0.0], events[(events < horizon) & (events > 0)]])
    width = np.diff(np.append(steps, horizon))
    read = [base.at(steps) for base in lines]
    jumps = np.array([np.diff(base.variance, prepend=0.0) for base in read])
    areas, slopes = [], []
    asked = _levels(solution, by, levels)
    for level in asked:
        found = _average(solution, by, level, read)
        tail = np.cumsum((found.by_hazard * width)[:, ::-1], axis=1)[:, ::-1]
        areas.append(float(width @ found.survival))
        slopes.append((tail, width @ found.by_coefficient))

    def spread(tail: np.ndarray, change: np.ndarray) -> float:
        return float(np.sqrt((tail**2 * jumps).sum() + change @ solution.covariance @ change))

    z = normal_quantile(confidence)
    rows = []
    for level, area, (tail, change) in zip(asked, areas, slopes, strict=True):
        own = spread(tail, change)
        apart = area - areas[0]
        apart_error = spread(tail - slopes[0][0], change - slopes[0][1])
        rows.append(
            {by: level, "estimate": area, "std_error": own}
            | {"lower": max(area - z * own, 0.0), "upper": min(area + z * own, horizon)}
            | {"difference": apart, "difference_std_error": apart_error}
            | {"difference_lower": apart - z * apart_error}
            | {"difference_upper": apart + z * apart_error}
            | {"p_value": 2 * stats.norm.sf(abs(apart) / apart_error) if apart_error else np.nan}
        )
    table = pd.DataFrame(rows)
    first = [column for column in table if column.startswith(("difference", "p_value"))]
    table.loc[0, first] = np.nan
    return table


def _levels(solution: Solution, by: str, levels: Sequence[Any] | None) -> list[Any]:
    design = solution.covariates.design
    if by not in design.variables:
        raise DataError(
            f'by="{by}": not a covariate of the formula.{did_you_mean(by, design.variables)}'
        )
    if levels is not None:
        if len(levels) == 0:
            raise StudyError("levels: expected one or more.")
        return list(levels)
    if by in design.known_levels:
        return list(design.known_levels[by])
    values = np.unique(solution.persons[by].to_numpy())
    if len(values) > MOST_VALUES:
        raise StudyError(f'by="{by}": {len(values)} different numbers. Name levels=[...].')
    return list(values)


def _set_to(solution: Solution, by: str, level: Any) -> np.ndarray:
    """Covariates of the persons with `by` set to one level (n x p, centred)."""
    persons, column = solution.persons, solution.persons[by]
    if isinstance(column.dtype, pd.CategoricalDtype):
        same: Any = pd.Categorical([level] * len(persons), categories=column.cat.categories)
    else:
        same = pd.Series([level] * len(persons), index=persons.index)
        if types.is_bool_dtype(column.dtype):
            same = same.astype(column.dtype)
    return solution.covariates.design.rows(persons.assign(**{by: same})) - solution.covariates.mean


def _average(solution: Solution, by: str, level: Any, read: list[Baseline]) -> Average:
    columns = _set_to(solution, by, level)
    score = columns @ solution.coefficient
    ratio = np.exp(score if solution.offset is None else score + solution.offset)
    weight = solution.follow_up.weight
    part = np.full(len(ratio), 1 / len(ratio)) if weight is None else weight / weight.sum()
    n_times = len(read[0].time)
    survival, by_hazard = np.zeros(n_times), np.zeros((len(read), n_times))
    by_coefficient = np.zeros((n_times, columns.shape[1]))
    size = max(CELLS // max(n_times, 1), 1)
    for number, base in enumerate(read):
        own = np.flatnonzero(solution.layer == number)
        for rows in np.split(own, np.arange(size, len(own), size)):
            share = part[rows, None] * np.exp(-ratio[rows, None] * base.hazard)
            survival += share.sum(axis=0)
            share *= ratio[rows, None]
            by_hazard[number] += share.sum(axis=0)
            by_coefficient += (share.T @ columns[rows]) * base.hazard[:, None]
        by_coefficient -= by_hazard[number][:, None] * base.drift
    return Average(survival, by_hazard, by_coefficient)
