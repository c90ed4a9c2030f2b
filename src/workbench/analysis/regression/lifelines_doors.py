"""Doors to lifelines: a Cox fit as its object, and its parametric models with our checks.

The only module of the room that imports lifelines, which takes a second; import it when needed.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
from lifelines import CoxPHFitter, LogLogisticAFTFitter, LogNormalAFTFitter, WeibullAFTFitter
from lifelines.exceptions import ConvergenceError

from workbench.analysis import inputs
from workbench.analysis.regression.cox_solution import Solution
from workbench.analysis.regression.design import variables_of
from workbench.errors import DataError, StudyError

# Newton's method goes on to the last digit: lifelines' own rule leaves errors up to 2e-5
TO_THE_LAST_DIGIT = {"precision": 1e-16, "r_precision": 0.0, "max_steps": 100}
FITTERS = {
    "weibull": WeibullAFTFitter,
    "log-normal": LogNormalAFTFitter,
    "log-logistic": LogLogisticAFTFitter,
}


def cox_fitter(solution: Solution, *, is_robust: bool) -> CoxPHFitter:
    """Fit the model of a solution again by lifelines; see `CoxFit.to_lifelines`."""
    if solution.ties != "efron" or solution.offset is not None:
        raise StudyError("to_lifelines: lifelines has Efron's ties only, and no offset.")
    matrix = solution.matrix + solution.covariates.mean
    frame = pd.DataFrame(matrix, columns=solution.covariates.design.terms)
    columns: dict[str, Any] = {"duration_col": "_duration", "event_col": "_event"}
    follow_up = solution.follow_up
    frame = frame.assign(_duration=follow_up.time, _event=follow_up.event)
    optional = {
        "entry_col": follow_up.entry,
        "weights_col": follow_up.weight,
        "strata": solution.layer if len(solution.strata) > 1 else None,
        "cluster_col": solution.cluster,
    }
    for name, values in optional.items():
        if values is not None:
            frame[f"_{name}"], columns[name] = values, f"_{name}"
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitter = CoxPHFitter()
        return fitter.fit(frame, **columns, robust=is_robust, fit_options=TO_THE_LAST_DIGIT)


def fit_parametric(
    persons: pd.DataFrame,
    formula: str,
    *,
    duration: str,
    event: str,
    entry: str | None,
    weight: str | None,
    distribution: str,
) -> Any:
    """Fit an accelerated failure time model; see `regression.parametric`."""
    if distribution not in FITTERS:
        raise StudyError(f"distribution: expected one of {', '.join(FITTERS)}.")
    follow_up = inputs.check_follow_up(
        persons, duration=duration, event=event, entry=entry, weight=weight
    )
    if n_zero := int((follow_up.time <= 0).sum()):
        raise DataError(
            f'parametric: column "{duration}": 0 in {n_zero} rows; these models need a time above '
            "0. Add half a unit, or leave these persons out."
        )
    if not follow_up.event.any():
        raise DataError(f"parametric: no events among {len(persons)} persons.")
    text = formula.strip().removeprefix("~").strip()
    used = variables_of(text, persons)
    inside = persons[persons[used].notna().all(axis=1).to_numpy()].reset_index(drop=True)
    if inside.empty:
        raise DataError("parametric: no persons left; a covariate is missing in every row.")
    optional = {"entry_col": entry, "weights_col": weight}
    columns = {name: column for name, column in optional.items() if column is not None}
    kept = inside[list(dict.fromkeys([*used, duration, event, *columns.values()]))]
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return FITTERS[distribution]().fit(
                kept, duration_col=duration, event_col=event, formula=text, **columns
            )
    except (ConvergenceError, np.linalg.LinAlgError, ValueError):
        # the library's text may quote values, so it is not passed on
        raise DataError(
            "parametric: no finite estimate (separation or collinear terms). Look at the events "
            "behind each term; join levels or leave a term out."
        ) from None
