"""What a Cox model says of other persons: survival at given times, or hazard ratios."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from workbench.analysis import inputs
from workbench.analysis.regression.baseline import baselines, variance_of
from workbench.analysis.regression.cox_solution import Solution
from workbench.analysis.survival.intervals import check_interval, limits, normal_quantile
from workbench.errors import DataError, StudyError

KINDS = ("survival", "hazard_ratio", "linear")


def predicted(
    solution: Solution,
    persons: pd.DataFrame,
    *,
    times: Sequence[float] | None,
    kind: str,
    confidence: float,
    interval: str,
) -> pd.DataFrame:
    """Predict; see `CoxFit.predict`."""
    check_interval(confidence, interval)
    if kind not in KINDS:
        raise StudyError(f'predict: no kind "{kind}". Known: {", ".join(KINDS)}.')
    if (times is None) == (kind == "survival"):
        told = "needs times" if kind == "survival" else "takes no times"
        raise StudyError(f'predict: kind="{kind}" {told}.')
    columns = solution.covariates.design.rows(persons) - solution.covariates.mean
    shift = _offset(solution, persons)
    if kind == "survival":
        asked = inputs.check_times(times)
        return _survival(solution, persons, columns, shift, asked, confidence, interval)
    columns = columns - (reference_point(solution) - solution.covariates.mean)
    score = columns @ solution.coefficient + shift
    spread = np.sqrt(np.einsum("ij,jk,ik->i", columns, solution.covariance, columns))
    half = normal_quantile(confidence) * spread
    outer = np.exp if kind == "hazard_ratio" else np.asarray
    table = {
        "estimate": outer(score),
        "std_error": spread * np.exp(score) if kind == "hazard_ratio" else spread,
        "lower": outer(score - half),
        "upper": outer(score + half),
    }
    return pd.DataFrame(table, index=persons.index)


def reference_point(solution: Solution) -> np.ndarray:
    """Who the others are compared with: mean numbers, and 0 where a column is -1, 0 or 1 (p)."""
    parts, point = solution.covariates, solution.covariates.mean.copy()
    places = [(parts.table, parts.table_terms), (parts.numbers, parts.number_terms)]
    for values, terms in places:
        for column, place in zip(values.T, terms, strict=True):
            raw = column + parts.mean[place]
            # centred and back leaves rounding
            if (np.abs(raw - np.round(raw)) < 1e-9).all() and np.abs(raw).max() < 1.5:
                point[place] = 0.0
    return point


def strata_of(solution: Solution, persons: pd.DataFrame) -> np.ndarray:
    """The number of each person's stratum; refuses strata that the fit has not seen."""
    names = list(solution.strata.columns)
    if not names:
        return np.zeros(len(persons), dtype=np.int64)
    inputs.check_frame(persons, names)
    known = {row: number for number, row in enumerate(solution.strata.itertuples(False, None))}
    rows = persons[names].itertuples(False, None)
    found = np.array([known.get(row, -1) for row in rows])
    if n_new := int((found < 0).sum()):
        told = ", ".join(f'"{name}"' for name in names)
        raise DataError(f"predict: {n_new} rows are in a stratum of {told} the fit has not seen.")
    return found


def _offset(solution: Solution, persons: pd.DataFrame) -> np.ndarray:
    name = solution.offset_name
    if name is None:
        return np.zeros(len(persons))
    inputs.check_frame(persons, [name])
    values = pd.to_numeric(persons[name], errors="coerce").to_numpy(float, na_value=np.nan)
    if n_odd := int((~np.isfinite(values)).sum()):
        raise DataError(f'predict: offset "{name}" is not a finite number in {n_odd} rows.')
    return values


def _survival(
    solution: Solution,
    persons: pd.DataFrame,
    columns: np.ndarray,
    shift: np.ndarray,
    times: np.ndarray,
    confidence: float,
    interval: str,
) -> pd.DataFrame:
    layer = strata_of(solution, persons)
    ratio = np.exp(columns @ solution.coefficient + shift)[:, None]
    share, spread = np.empty((len(persons), len(times))), np.empty((len(persons), len(times)))
    for number, base in enumerate(baselines(solution)):
        own = layer == number
        if own.any():
            read = base.at(times)
            share[own] = np.exp(-ratio[own] * read.hazard)
            variance = variance_of(read, columns[own], solution.covariance)
            spread[own] = ratio[own] * np.sqrt(variance)
    lower, upper = limits(share, spread, confidence, interval)
    table = {
        "time": np.tile(times, len(persons)),
        "estimate": share.ravel(),
        "std_error": (share * spread).ravel(),
        "lower": lower.ravel(),
        "upper": upper.ravel(),
    }
    return pd.DataFrame(table, index=persons.index.repeat(len(times)))
