"""Regression for time to event: Cox's model, fitted by lifelines and checked against R.

What lifelines computes otherwise than R is not offered here rather than given wrong: robust and
cluster standard errors with ties, tests of proportional hazards, the baseline of an Efron fit,
ties other than Efron's. A model without a finite answer (separation, collinear terms, levels
without events) is refused with the terms' names. Formulas are formulaic's; they may call Python
functions, so a formula is code and belongs in a study, never in an extract.

Agreement with R's coxph to 1e-7: tests/reference/test_survival_against_r.py.
"""

from __future__ import annotations

import ast
import itertools
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import formulaic
import numpy as np
import pandas as pd
from formulaic.errors import FormulaicError
from formulaic.parser.types import Factor
from lifelines import CoxPHFitter
from lifelines.exceptions import ConvergenceError, ConvergenceWarning
from pandas.api import types
from scipy import linalg, stats

from workbench.analysis import inputs, pairs
from workbench.errors import DataError, StudyError, did_you_mean

# Newton's method goes on to the last digit: lifelines' own rule leaves errors up to 2e-5
TO_THE_LAST_DIGIT = {"precision": 1e-16, "r_precision": 0.0, "max_steps": 100}
# beyond this, in standard deviations of the term, less than a thousandth of an event informs it
WIDEST_STD_ERROR = 50.0
COLLINEAR = 1e-9


@dataclass(frozen=True, eq=False)
class CoxFit:
    """A fitted Cox model: hazard ratios with their intervals, and the persons behind them.

    `coefficients`: one row per term: `term`, `coefficient`, `std_error`, `robust_std_error`
    (missing: not available yet), `hazard_ratio`, `lower`, `upper` (95 %), `z`, `p_value`.
    `levels`: one row per term and one per reference level: `term`, `variable`, `level` ("" for a
    number), `n` and `events` (persons), `is_reference`. For an interaction, persons for whom the
    term is not 0. `n`, `events`: persons in the fit and with the event; `n_missing`: persons left
    out because a covariate is missing. `concordance`: the share of comparable pairs where who has
    the higher hazard has the event first; ties count one half.
    """

    coefficients: pd.DataFrame
    levels: pd.DataFrame
    log_likelihood: float
    n: int
    events: int
    n_missing: int
    concordance: float


def cox(
    persons: pd.DataFrame,
    formula: str,
    *,
    duration: str,
    event: str,
    entry: str | None = None,
    strata: str | Sequence[str] | None = None,
    cluster: str | None = None,
    weight: str | None = None,
    ties: str = "efron",
) -> CoxFit:
    """Estimate how the hazard of the event depends on the persons' characteristics (Cox).

    Parameters
    ----------
    persons
        One row per person: `duration`, `event`, `entry` and `weight` as in
        `survival.kaplan_meier`. Persons who lack a covariate are left out and counted.
    formula
        The covariates, such as "age + stage" or "np.log(bilirubin) + C(stage)". Text, booleans
        and categories are categories; the first one is the reference.
    strata
        Column or columns with a baseline hazard of their own, none missing.
    cluster, ties
        Only None and "efron" are available yet.

    Returns
    -------
    `CoxFit`. Standard errors are model-based. With weights that are not whole numbers R bases
    interval, z and p on robust standard errors, so these four are missing here for now.

    Raises
    ------
    DataError, StudyError
        Columns, values or a formula that cannot be used; no events, a level without events,
        collinear terms, separation, no convergence; something that is not available yet.

    References
    ----------
    Cox, 1972; Efron, 1977 (ties); Harrell et al., 1996 (concordance).
    """
    if cluster is not None or ties != "efron":
        raise StudyError('cox: only cluster=None and ties="efron" are available yet.')
    layers = inputs.names_of(strata)
    columns = {"duration": duration, "event": event, "entry": entry, "weight": weight}
    follow_up = inputs.check_follow_up(persons, **columns)
    inputs.check_frame(persons, layers)
    inputs.check_groups(persons, layers)
    used = _variables(formula, persons)
    known = persons[used].notna().all(axis=1).to_numpy()
    inside, follow_up = persons[known].reset_index(drop=True), follow_up.of(known)
    if inside.empty:
        raise DataError(f"cox: no persons left; a covariate is missing in {len(known)} rows.")
    layer = inputs.group_numbers(inside, layers)
    matrix, levels = _design(inside[used], formula, follow_up.event)
    _check_answerable(matrix, levels, layer, follow_up.event)
    fitter = _fit(matrix, follow_up, layer)
    coefficients = _coefficients(matrix, fitter)
    if inputs.is_fractional(follow_up):
        coefficients[["lower", "upper", "z", "p_value"]] = np.nan
    return CoxFit(
        coefficients=coefficients,
        levels=levels,
        log_likelihood=float(fitter.log_likelihood_),
        n=len(inside),
        events=int(follow_up.event.sum()),
        n_missing=int((~known).sum()),
        concordance=_concordance(matrix, coefficients["coefficient"], follow_up, layer),
    )


def _variables(formula: str, persons: pd.DataFrame) -> list[str]:
    try:
        parsed = formulaic.Formula(formula.strip().removeprefix("~"))
    except FormulaicError:
        raise StudyError(
            f'formula "{formula}": cannot be read. Expected e.g. "age + stage".'
        ) from None
    if not isinstance(parsed, formulaic.SimpleFormula):
        raise StudyError(f'formula "{formula}": name the covariates only, such as "age + stage".')
    factors = {factor for term in parsed for factor in term.factors}
    if "contr." in formula or not any(factor.expr == "1" for factor in factors):
        raise StudyError(
            f'formula "{formula}": leave out "0 +", "-1" and contrasts. The first category is '
            "the reference: set the order of the categories instead."
        )
    named = set(parsed.required_variables)
    for factor in factors:
        named |= _names_inside(factor) & set(persons.columns)
    if not named:
        raise StudyError(f'formula "{formula}": names no covariate.')
    for name in sorted(named - set(persons.columns)):
        raise DataError(f'formula "{formula}": no column "{name}".{_nearest(name, persons)}')
    inputs.check_frame(persons, sorted(named))
    return sorted(named)


def _nearest(name: str, persons: pd.DataFrame) -> str:
    if hasattr(np, name):
        return f' Did you mean the function "np.{name}"?'
    return did_you_mean(name, [column for column in persons.columns if isinstance(column, str)])


def _names_inside(factor: Factor) -> set[str]:
    # formulaic does not list what is used inside some of its own functions, such as poly(age, 2)
    if factor.eval_method is not Factor.EvalMethod.PYTHON:
        return set()
    try:
        tree = ast.parse(factor.expr, mode="eval")
    except SyntaxError:
        return set()
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _prepared(covariates: pd.DataFrame) -> pd.DataFrame:
    prepared = {}
    for name, column in covariates.items():
        if isinstance(column.dtype, pd.CategoricalDtype):
            prepared[name] = column.cat.remove_unused_categories()
        elif types.is_datetime64_any_dtype(column.dtype):
            raise DataError(f'column "{name}": a date cannot be a covariate. Count days or years.')
        elif types.is_bool_dtype(column.dtype) or not types.is_numeric_dtype(column.dtype):
            prepared[name] = column.astype("category")
        else:
            whole = types.is_integer_dtype(column.dtype)
            prepared[name] = column.astype(np.int64 if whole else np.float64)
    return pd.DataFrame(prepared)


def _design(
    covariates: pd.DataFrame, formula: str, event: np.ndarray
) -> tuple[pd.DataFrame, pd.DataFrame]:
    prepared = _prepared(covariates)
    parsed = formulaic.Formula(formula.strip().removeprefix("~"))
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            design = parsed.get_model_matrix(prepared, context={}, na_action="ignore")
    except FormulaicError:
        # the library's text may quote a value, so it is not passed on
        raise StudyError(f'formula "{formula}": a term cannot be computed. Check it.') from None
    matrix = pd.DataFrame(design).drop(columns="Intercept").astype(float)
    if matrix.empty:
        raise DataError(f'formula "{formula}": no covariate has more than one level.')
    n_odd = (~np.isfinite(matrix)).sum()
    if n_odd.any():
        told = ", ".join(f'"{term}" in {n} rows' for term, n in n_odd[n_odd > 0].items())
        raise DataError(f"cox: a term is not a finite number: {told}. A logarithm of 0, perhaps?")
    terms = [term for term in design.model_spec.structure if term.columns != ["Intercept"]]
    rows = [_levels_of(term, design.model_spec, matrix, event) for term in terms]
    return matrix, pd.DataFrame(list(itertools.chain.from_iterable(rows)))


def _levels_of(encoded, spec, matrix: pd.DataFrame, event: np.ndarray) -> list[dict]:
    factors = [str(factor.expr) for factor in encoded.term.factors]
    categories = {
        factor: spec.encoder_state[factor][1]["categories"]
        for factor in factors
        if "categories" in spec.encoder_state[factor][1]
    }
    variable = ":".join(_variable(factor) for factor in factors)
    labels = _labels(factors, categories)

    def row(term: str, level: str, who: np.ndarray, *, is_reference: bool = False) -> dict:
        n, events = int(who.sum()), int(event[who].sum())
        found = {"term": term, "variable": variable, "level": level, "n": n, "events": events}
        return found | {"is_reference": is_reference}

    everyone = np.ones(len(matrix), dtype=bool)
    rows = []
    if len(factors) == 1 and categories:
        first, *others = categories[factors[0]]
        if not others:
            raise DataError(f'cox: "{variable}" has one level only among {len(matrix)} persons.')
        who = (matrix[list(encoded.columns)] == 0).all(axis=1).to_numpy()
        rows.append(row(f"{factors[0]}[T.{first}]", inputs.label(first), who, is_reference=True))
    for column in encoded.columns:
        who = (matrix[column] != 0).to_numpy() if categories else everyone
        rows.append(row(column, labels.get(column, column) if categories else "", who))
    return rows


def _labels(factors: list[str], categories: dict[str, list]) -> dict[str, str]:
    pieces = [
        [(f"{factor}[{t}{c}]", inputs.label(c)) for c in categories[factor] for t in ("T.", "")]
        if factor in categories
        else [(factor, "")]
        for factor in factors
    ]
    return {
        ":".join(name for name, _ in parts): ":".join(label for _, label in parts if label)
        for parts in itertools.product(*pieces)
    }


def _variable(factor: str) -> str:
    named = formulaic.Formula(factor).required_variables
    return str(next(iter(named))) if len(named) == 1 else factor


def _check_answerable(
    matrix: pd.DataFrame, levels: pd.DataFrame, layer: np.ndarray, event: np.ndarray
) -> None:
    if not event.any():
        raise DataError(f"cox: no events among {len(event)} persons.")
    barren = levels[(levels["level"] != "") & (levels["events"] == 0)]
    if len(barren):
        told = ", ".join(f'"{term}"' for term in barren["term"])
        why = "so a hazard ratio has no finite estimate (separation)"
        raise DataError(f"cox: no events in {told}, {why}. Join it with another level.")
    centred = matrix - matrix.groupby(layer).transform("mean")
    size = np.sqrt((centred**2).sum())
    still = size <= COLLINEAR * np.sqrt((matrix**2).sum())
    if not still.any():
        _, r, order = linalg.qr(centred / size, mode="economic", pivoting=True)
        rest = np.append(np.abs(np.diag(r)), np.zeros(matrix.shape[1]))[: matrix.shape[1]]
        still = pd.Series(rest[np.argsort(order)] < COLLINEAR, index=matrix.columns)
    if still.any():
        told = ", ".join(f'"{term}"' for term in matrix.columns[still])
        raise DataError(f"cox: {told} follows from the other terms (collinear). Leave it out.")


def _fit(matrix: pd.DataFrame, follow_up: inputs.FollowUp, layer: np.ndarray) -> CoxPHFitter:
    frame = matrix.set_axis([f"term_{i}" for i in range(matrix.shape[1])], axis=1)
    frame = frame.assign(time=follow_up.time, event=follow_up.event)
    columns = {"duration_col": "time", "event_col": "event"}
    if follow_up.entry is not None:
        frame, columns["entry_col"] = frame.assign(entry=follow_up.entry), "entry"
    if follow_up.weight is not None:
        frame, columns["weights_col"] = frame.assign(weight=follow_up.weight), "weight"
    if layer.any():
        frame, columns["strata"] = frame.assign(layer=layer), "layer"
    fitter = CoxPHFitter()
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            fitter.fit(frame, **columns, fit_options=TO_THE_LAST_DIGIT)
    except (ConvergenceError, np.linalg.LinAlgError, ValueError):
        raise _no_answer([]) from None
    failed = any(
        issubclass(warning.category, ConvergenceWarning)
        and str(warning.message).lstrip().startswith(("Newton-Raphson", "The log-likelihood"))
        for warning in heard
    )
    wide = fitter.standard_errors_.to_numpy() * matrix.std().to_numpy()
    astray = ~(wide < WIDEST_STD_ERROR) | ~np.isfinite(fitter.params_.to_numpy())
    if failed or astray.any():
        raise _no_answer(list(matrix.columns[astray]))
    return fitter


def _no_answer(terms: list[str]) -> DataError:
    told = ", ".join(f'"{term}"' for term in terms)
    return DataError(
        f"cox: no finite estimate{' for ' + told if told else ''} (separation or collinear "
        "terms). Look at the events behind each term; join levels or leave a term out."
    )


def _coefficients(matrix: pd.DataFrame, fitter: CoxPHFitter) -> pd.DataFrame:
    coefficient = fitter.params_.to_numpy()
    std_error = fitter.standard_errors_.to_numpy()
    half = stats.norm.ppf(0.975) * std_error
    return pd.DataFrame(
        {
            "term": matrix.columns.astype(str),
            "coefficient": coefficient,
            "std_error": std_error,
            "robust_std_error": np.nan,
            "hazard_ratio": np.exp(coefficient),
            "lower": np.exp(coefficient - half),
            "upper": np.exp(coefficient + half),
            "z": coefficient / std_error,
            "p_value": 2 * stats.norm.sf(np.abs(coefficient / std_error)),
        }
    )


def _concordance(
    matrix: pd.DataFrame, coefficient: pd.Series, follow_up: inputs.FollowUp, layer: np.ndarray
) -> float:
    # added up term by term, so that persons alike get the same sum to the last digit
    score = sum(matrix[c].to_numpy() * b for c, b in zip(matrix, coefficient, strict=True))
    below, tied, comparable = pairs.count_pairs(score, follow_up, layer)
    return float((below + tied / 2) / comparable) if comparable else float("nan")
