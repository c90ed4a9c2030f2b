"""From persons and a formula to the numbers of a model, the same way again for other persons.

Formulas are formulaic's, with `rcs` added; they may call Python functions, so a formula is code and
belongs in a study, never in an extract.
"""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass
from typing import Any

import formulaic
import numpy as np
import pandas as pd
from formulaic.errors import FormulaicError
from formulaic.parser.types import Factor
from pandas.api import types
from scipy import linalg

from workbench.analysis import inputs
from workbench.analysis.regression.levels import levels_of
from workbench.analysis.regression.splines import rcs
from workbench.errors import DataError, StudyError, did_you_mean, gathered

COLLINEAR = 1e-9
FUNCTIONS = {"rcs": rcs}


@dataclass(frozen=True, eq=False)
class Design:
    """How covariates become the columns of a model; holds no person.

    `formula`, `variables` (the columns it needs), `terms` (the columns it makes), `levels` (one row
    per term and reference level, with persons and events), `model` (for messages).
    """

    formula: str
    model: str
    variables: list[str]
    terms: list[str]
    levels: pd.DataFrame
    spec: Any
    known_levels: dict[str, list[Any]]

    def rows(self, persons: pd.DataFrame) -> np.ndarray:
        """The columns of the model (persons x terms) for other persons.

        Raises
        ------
        DataError
            A covariate that is not there, missing, or has a level that the fit has not seen.
        """
        inputs.check_frame(persons, self.variables)
        faults = []
        for name in self.variables:
            column = persons[name]
            if n_missing := int(column.isna().sum()):
                faults.append(f'column "{name}": missing in {n_missing} rows')
            elif name in self.known_levels:
                n_new = int((~column.isin(self.known_levels[name])).sum())
                if n_new:
                    faults.append(f'column "{name}": a level the fit has not seen in {n_new} rows')
        if faults:
            raise DataError(gathered(f"{self.model}: these persons cannot be predicted.", faults))
        covariates = persons[self.variables].reset_index(drop=True)
        design = _computed(self.spec, _prepared(covariates), self.formula)
        matrix = pd.DataFrame(design)[self.terms].astype(float)
        _check_finite(matrix, self.model)
        return matrix.to_numpy()


def variables_of(formula: str, persons: pd.DataFrame) -> list[str]:
    """The columns that the covariates' side of a formula needs.

    Raises
    ------
    DataError, StudyError
        A column that is not there (with the nearest), a formula that cannot be read.
    """
    try:
        parsed = formulaic.Formula(formula)
    except FormulaicError:
        raise StudyError(
            f'formula "{formula}": cannot be read. Expected e.g. "age + stage".'
        ) from None
    if not isinstance(parsed, formulaic.SimpleFormula):
        raise StudyError(f'formula "{formula}": expected one outcome and its covariates.')
    factors = {factor for term in parsed for factor in term.factors}
    if "contr." in formula or not any(factor.expr == "1" for factor in factors):
        raise StudyError(
            f'formula "{formula}": leave out "0 +", "-1" and contrasts. The first category is '
            "the reference: set the order of the categories instead."
        )
    named = set(parsed.required_variables) - set(FUNCTIONS)
    for factor in factors:
        named |= _names_inside(factor) & set(persons.columns)
    for name in sorted(named - set(persons.columns)):
        raise DataError(f'formula "{formula}": no column "{name}".{_nearest(name, persons)}')
    inputs.check_frame(persons, sorted(named))
    return sorted(named)


def build_design(
    persons: pd.DataFrame,
    formula: str,
    *,
    variables: list[str],
    model: str,
    event: np.ndarray | None,
    intercept: bool = True,
) -> tuple[Design, pd.DataFrame]:
    """Turn covariates into the columns of a model.

    Parameters
    ----------
    persons
        None of the covariates missing.
    formula
        The covariates: "age + stage".
    variables
        The columns it needs, by `variables_of`.
    event
        Per person: events, to be counted behind each level; None in a model of a number.

    Returns
    -------
    The design, and the matrix (persons x terms).

    Raises
    ------
    DataError, StudyError
        A term that cannot be computed, is not finite, or follows from the others (named).
    """
    prepared = _prepared(persons[variables].reset_index(drop=True))
    design = _computed(formulaic.Formula(formula), prepared, formula)
    matrix = pd.DataFrame(design).astype(float)
    if matrix.shape[1] == 1 and not intercept:
        raise DataError(f'formula "{formula}": no covariate has more than one level.')
    _check_finite(matrix, model)
    levels = levels_of(design.model_spec, matrix, event, model=model)
    n, n_terms = matrix.shape
    if n <= n_terms:
        raise DataError(f"{model}: {n} persons for {n_terms} terms. Leave terms out.")
    covariates = matrix.drop(columns="Intercept")
    _check_collinear(covariates, model)
    if not intercept:
        matrix, levels = covariates, levels[levels["term"] != "Intercept"].reset_index(drop=True)
    known = {
        str(name): list(column.cat.categories)
        for name, column in prepared.items()
        if isinstance(column.dtype, pd.CategoricalDtype)
    }
    matrix.columns = matrix.columns.astype(str)
    terms = list(matrix.columns)
    return Design(formula, model, variables, terms, levels, design.model_spec, known), matrix


def _computed(formula: Any, prepared: pd.DataFrame, text: str) -> Any:
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", formulaic.errors.DataMismatchWarning)
            return formula.get_model_matrix(prepared, context=FUNCTIONS, na_action="ignore")
    except formulaic.errors.DataMismatchWarning:
        raise DataError(f'formula "{text}": a category has a level the fit has not seen.') from None
    except FormulaicError as error:
        if isinstance(error.__cause__, StudyError):
            raise error.__cause__ from None
        # the library's text may quote a value, so it is not passed on
        raise StudyError(f'formula "{text}": a term cannot be computed. Check it.') from None


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
    return pd.DataFrame(prepared, index=covariates.index)


def _check_finite(matrix: pd.DataFrame, model: str) -> None:
    n_odd = (~np.isfinite(matrix)).sum()
    if n_odd.any():
        told = ", ".join(f'"{term}" in {n} rows' for term, n in n_odd[n_odd > 0].items())
        raise DataError(
            f"{model}: a term is not a finite number: {told}. A logarithm of 0, perhaps?"
        )


def _check_collinear(covariates: pd.DataFrame, model: str) -> None:
    if covariates.empty:
        return
    values = covariates.to_numpy()
    centred = values - values.mean(axis=0)
    size = np.sqrt((centred**2).sum(axis=0))
    still = size <= COLLINEAR * np.sqrt((values**2).sum(axis=0))
    if not still.any():
        # the triangle of the long matrix first: only that small one is sorted
        short = np.linalg.qr(centred / size, mode="r")
        _, r, order = linalg.qr(short, mode="economic", pivoting=True)
        still = np.abs(np.diag(r))[np.argsort(order)] < COLLINEAR
    if still.any():
        told = ", ".join(f'"{term}"' for term in covariates.columns[still])
        raise DataError(f"{model}: {told} follows from the other terms (collinear). Leave it out.")
