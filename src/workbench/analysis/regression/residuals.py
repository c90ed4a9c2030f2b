"""Residuals of a Cox model: one per person, or one per event.

References: Therneau, Grambsch and Fleming, 1990; Schoenfeld, 1982; Grambsch and Therneau, 1994;
Therneau and Grambsch, 2000, chapter 4. Equal to R's `residuals.coxph`, Efron's ties included.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special

from workbench.analysis.regression.cox_solution import Solution
from workbench.errors import StudyError

PER_PERSON = ("martingale", "deviance", "score", "dfbeta", "dfbetas")
PER_EVENT = ("schoenfeld", "scaled schoenfeld")


def residual_frame(solution: Solution, kind: str) -> pd.DataFrame:
    """The residuals of a kind; see `CoxFit.residuals`."""
    terms = solution.covariates.design.terms
    if kind in PER_EVENT:
        return _by_event(solution, schoenfeld(solution, scaled=kind != "schoenfeld"), terms)
    if kind not in PER_PERSON:
        raise StudyError(
            f'residuals: no kind "{kind}". Known: {", ".join(PER_PERSON + PER_EVENT)}.'
        )
    if kind == "martingale":
        values, names = martingale(solution)[:, None], ["residual"]
    elif kind == "deviance":
        values, names = _deviance(solution)[:, None], ["residual"]
    else:
        values, names = score(solution) if kind == "score" else _change(solution), terms
        if kind == "dfbetas":
            values = values / np.sqrt(np.diag(solution.model_covariance))
    return pd.DataFrame(values, columns=names, index=solution.index)


def _met(solution: Solution) -> np.ndarray:
    """Baseline hazard that each row has met, its own tied events taken out (n)."""
    risk, steps = solution.risk, solution.found.steps
    met = risk.over_follow_up(risk.running(steps.hazard))
    died = solution.follow_up.event
    met[died] -= risk.at_events(steps.taken)[died]
    return met


def martingale(solution: Solution) -> np.ndarray:
    """Events less expected events per row (n)."""
    return solution.follow_up.event - solution.ratio * _met(solution)


def _deviance(solution: Solution) -> np.ndarray:
    left = martingale(solution)
    happened = solution.follow_up.event.astype(float)
    inside = -2 * (left + special.xlogy(happened, happened - left))
    return np.sign(left) * np.sqrt(inside.clip(min=0))


def score(solution: Solution) -> np.ndarray:
    """Each row's part of the gradient, unweighted (n x p)."""
    risk, event = solution.risk, solution.follow_up.event
    whole, taken = solution.mean_steps
    drift = risk.over_follow_up(risk.running(whole))
    drift[event] -= risk.at_events(taken)[event]
    ratio = solution.ratio[:, None]
    parts = -ratio * (solution.matrix * _met(solution)[:, None] - drift)
    means = risk.at_events(solution.event_means)
    parts[event] += solution.matrix[event] - means[event]
    return parts


def _change(solution: Solution) -> np.ndarray:
    """What leaving out each row would do to the coefficients, to a first order (n x p)."""
    parts = score(solution)
    if solution.follow_up.weight is not None:
        parts = parts * solution.follow_up.weight[:, None]
    return parts @ solution.model_covariance


def robust_covariance(solution: Solution) -> np.ndarray:
    """The sandwich: what each person, or each cluster, does to the coefficients (p x p)."""
    change = _change(solution)
    if solution.cluster is not None:
        change = np.column_stack([np.bincount(solution.cluster, weights=c) for c in change.T])
    return change.T @ change


def schoenfeld(solution: Solution, *, scaled: bool) -> np.ndarray:
    """Covariates of who had the event less their mean among those at risk (events x p)."""
    event = solution.follow_up.event
    values = solution.matrix[event] - solution.risk.at_events(solution.event_means)[event]
    if not scaled:
        return values
    return len(values) * values @ solution.model_covariance + solution.coefficient


def _by_event(solution: Solution, values: np.ndarray, terms: list[str]) -> pd.DataFrame:
    event = solution.follow_up.event
    table = pd.DataFrame(values, columns=terms, index=solution.index[event])
    place = solution.risk.exit[event]
    table.insert(0, "time", solution.risk.time[place])
    names = solution.strata.iloc[solution.layer[event]].set_axis(table.index)
    table = pd.concat([names, table], axis=1) if len(names.columns) else table
    return table.iloc[np.argsort(place, kind="stable")]
