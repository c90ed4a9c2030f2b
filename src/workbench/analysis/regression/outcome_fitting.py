"""Fitting an ordinary outcome model: who is in, what can be answered, and robust errors."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from pandas.api import types

from workbench.analysis import inputs
from workbench.analysis.regression import outcome_estimation as estimation
from workbench.analysis.regression.design import Design, build_design, variables_of
from workbench.analysis.regression.outcome_fit import OutcomeFit, coefficient_table
from workbench.errors import DataError, StudyError, gathered

# beyond this, in standard deviations of the term, less than a thousandth of an event informs it
WIDEST_STD_ERROR = 50.0
# below this share of the outcome's variance, what is left is rounding
NO_VARIATION = 1e-20

Estimator = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], estimation.Estimates | None]
ESTIMATORS: dict[str, Estimator] = {
    "logistic": estimation.logistic,
    "poisson": estimation.poisson,
    "negative_binomial": estimation.negative_binomial,
    "linear": estimation.linear,
}


def outcome_of(persons: pd.DataFrame, name: str, model: str) -> np.ndarray:
    """The outcome as numbers, none missing; refuses what the model cannot have as its outcome."""
    column = persons[name].infer_objects()
    if not types.is_numeric_dtype(column.dtype) or types.is_complex_dtype(column.dtype):
        raise DataError(f'{model}: outcome "{name}" holds {column.dtype}; expected numbers.')
    values = column.to_numpy(dtype=float, na_value=np.nan)
    wrong = ~np.isfinite(values)
    expected = "a number"
    if model == "logistic":
        wrong, expected = wrong | ((values != 0) & (values != 1)), "0 or 1"
    elif model != "linear":
        wrong, expected = wrong | (values < 0) | (values % 1 != 0), "a count 0, 1, 2 ..."
    if n_wrong := int(wrong.sum()):
        raise DataError(f'{model}: outcome "{name}" in {n_wrong} rows is not {expected}.')
    return values


def fit_outcome(
    model: str,
    persons: pd.DataFrame,
    formula: str,
    *,
    cluster: str | None,
    weight: str | None,
    offset: str | None,
    exposure: str | None = None,
    confidence: float,
) -> OutcomeFit:
    """Fit one of the models of `ESTIMATORS`; parameters and errors as in `outcome_models`."""
    if not 0 < confidence < 1:
        raise StudyError("confidence: expected a number between 0 and 1, such as 0.95.")
    name, terms = _sides(formula, model)
    inputs.check_frame(persons, [c for c in (name, cluster, weight, offset, exposure) if c])
    used = variables_of(terms, persons)
    inside = _complete(persons, [name, *used], model)
    y = outcome_of(inside, name, model)
    weights, offsets, is_robust = _row_terms(inside, weight, offset, exposure)
    event = None if model == "linear" else y
    design, matrix = build_design(inside, terms, variables=used, model=model, event=event)
    x = matrix.to_numpy()
    _check_answerable(design, y, model, name)
    found = ESTIMATORS[model](x, y, weights, offsets)
    if found is None:
        raise _no_answer(model, [])
    _check_found(found, matrix, y, model)
    groups = _clusters(inside, cluster, is_robust=is_robust, model=model)
    robust = None if groups is None else _sandwich(found, groups, model)
    n_clusters = None if groups is None else int(groups.max()) + 1
    residual_df = float(len(y) - x.shape[1] if n_clusters is None else n_clusters - 1)
    covariance = found.covariance if robust is None else robust
    return OutcomeFit(
        model=model,
        outcome=name,
        coefficients=coefficient_table(
            design.terms,
            found.coefficient,
            np.sqrt(np.diag(found.covariance)),
            None if robust is None else np.sqrt(np.diag(robust)),
            model=model,
            residual_df=residual_df,
            confidence=confidence,
        ),
        levels=design.levels,
        covariance=pd.DataFrame(covariance, index=design.terms, columns=design.terms),
        log_likelihood=found.log_likelihood,
        n=len(y),
        n_missing=len(persons) - len(y),
        events=None if model == "linear" else int(y.sum()),
        n_clusters=n_clusters,
        residual_df=residual_df,
        dispersion=found.dispersion,
        confidence=confidence,
        design=design,
    )


def _sides(formula: str, model: str) -> tuple[str, str]:
    left, mark, right = formula.partition("~")
    name = left.strip().strip("`")
    if not (mark and name and right.strip()):
        raise StudyError(
            f'{model}: formula "{formula}": expected the outcome and the covariates, such as '
            '"died ~ age + stage".'
        )
    return name, right.strip()


def _complete(persons: pd.DataFrame, used: list[str], model: str) -> pd.DataFrame:
    inside = persons[persons[used].notna().all(axis=1).to_numpy()].reset_index(drop=True)
    if inside.empty:
        raise DataError(f"{model}: no persons left; something is missing in {len(persons)} rows.")
    return inside


def _row_terms(
    persons: pd.DataFrame, weight: str | None, offset: str | None, exposure: str | None
) -> tuple[np.ndarray, np.ndarray, bool]:
    faults: list[str] = []
    weights, offsets = np.ones(len(persons)), np.zeros(len(persons))
    for column, is_positive in ((weight, True), (offset, False), (exposure, True)):
        if column is None:
            continue
        values = pd.to_numeric(persons[column], errors="coerce").to_numpy(float, na_value=np.nan)
        wrong = ~np.isfinite(values) | (is_positive & (values <= 0))
        if n_wrong := int(wrong.sum()):
            told = "a number above 0" if is_positive else "a finite number"
            faults.append(f'column "{column}": not {told} in {n_wrong} rows')
        elif column == weight:
            weights = values
        else:
            offsets = offsets + (np.log(values) if column == exposure else values)
    if faults:
        raise DataError(gathered("persons: some rows cannot be used.", faults))
    return weights, offsets, bool((weights % 1 != 0).any())


def _check_answerable(design: Design, y: np.ndarray, model: str, name: str) -> None:
    if y.min() == y.max():
        raise DataError(f'{model}: outcome "{name}" is the same for all {len(y)} persons.')
    if model == "linear":
        return
    levels = design.levels[design.levels["level"] != ""]
    everybody = levels["events"] == levels["n"] if model == "logistic" else False
    barren = levels[(levels["events"] == 0) | everybody]
    if len(barren):
        told = ", ".join(f'"{term}"' for term in barren["term"])
        who = "nobody or everybody has the outcome" if model == "logistic" else "there is no event"
        why = "so there is no finite estimate (separation)"
        raise DataError(f"{model}: in {told} {who}, {why}. Join it with another level.")


def _check_found(
    found: estimation.Estimates, matrix: pd.DataFrame, y: np.ndarray, model: str
) -> None:
    std_error = np.sqrt(np.diag(found.covariance))
    if model == "linear":
        if not found.dispersion > NO_VARIATION * y.var():
            raise DataError("linear: the terms give the outcome exactly; nothing to estimate.")
        return
    spread = matrix.to_numpy().std(axis=0)
    astray = ~(std_error * spread < WIDEST_STD_ERROR) | ~np.isfinite(std_error)
    if astray.any():
        raise _no_answer(model, list(matrix.columns[astray]))


def _no_answer(model: str, terms: list[str]) -> DataError:
    told = ", ".join(f'"{term}"' for term in terms)
    why = "separation or collinear terms"
    if model == "negative_binomial" and not terms:
        why = "the counts may vary no more than Poisson's: try regression.poisson"
    return DataError(
        f"{model}: no finite estimate{' for ' + told if told else ''} ({why}). Look at the events "
        "behind each term; join levels or leave a term out."
    )


def _clusters(
    persons: pd.DataFrame, cluster: str | None, *, is_robust: bool, model: str
) -> np.ndarray | None:
    if cluster is None:
        return np.arange(len(persons)) if is_robust else None
    if n_missing := int(persons[cluster].isna().sum()):
        raise DataError(f'column "{cluster}": missing in {n_missing} rows; expected a cluster.')
    groups = inputs.group_numbers(persons, [cluster])
    if groups.max() < 1:
        raise DataError(f'{model}: one cluster only in "{cluster}"; expected two or more.')
    return groups


def _sandwich(found: estimation.Estimates, groups: np.ndarray, model: str) -> np.ndarray:
    n, n_terms = found.scores.shape
    n_groups = int(groups.max()) + 1
    sums = np.column_stack(
        [np.bincount(groups, weights=column, minlength=n_groups) for column in found.scores.T]
    )
    factor = n_groups / (n_groups - 1)
    if model == "linear":
        factor *= (n - 1) / (n - n_terms)
    return factor * found.bread @ (sums.T @ sums) @ found.bread
