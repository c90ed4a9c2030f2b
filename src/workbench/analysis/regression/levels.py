"""The persons and events behind each term of a model, reference levels included."""

from __future__ import annotations

import itertools
from typing import Any

import formulaic
import numpy as np
import pandas as pd

from workbench.analysis import inputs
from workbench.errors import DataError


def levels_of(
    spec: Any, matrix: pd.DataFrame, event: np.ndarray | None, *, model: str
) -> pd.DataFrame:
    """Count persons and events behind every term and reference level.

    Parameters
    ----------
    spec
        The model specification of formulaic, as fitted.
    matrix
        Persons x terms, with the intercept.
    event
        Events per person; None where the outcome is a number (`events` is then missing).

    Returns
    -------
    One row per term: `term`, `variable`, `level` ("" for a number), `n`, `events`,
    `is_reference`. For an interaction with categories: persons for whom the term is not 0.
    """
    rows: list[dict[str, Any]] = []
    for encoded in spec.structure:
        columns = [str(column) for column in encoded.columns]
        if columns == ["Intercept"]:
            everyone = np.ones(len(matrix), dtype=bool)
            rows.append(_row("Intercept", "", "", everyone, event))
        else:
            rows += _rows_of(encoded, spec, matrix, event, model)
    return pd.DataFrame(rows)


def _rows_of(
    encoded: Any, spec: Any, matrix: pd.DataFrame, event: np.ndarray | None, model: str
) -> list[dict[str, Any]]:
    factors = [str(factor.expr) for factor in encoded.term.factors]
    categories = {
        factor: spec.encoder_state[factor][1]["categories"]
        for factor in factors
        if "categories" in spec.encoder_state[factor][1]
    }
    variable = ":".join(_variable(factor) for factor in factors)
    labels = _labels(factors, categories)
    rows = []
    if len(factors) == 1 and categories:
        first, *others = categories[factors[0]]
        if not others:
            raise DataError(
                f'{model}: "{variable}" has one level only among {len(matrix)} persons.'
            )
        who = (matrix[list(encoded.columns)] == 0).all(axis=1).to_numpy()
        term = f"{factors[0]}[T.{first}]"
        rows.append(_row(term, variable, inputs.label(first), who, event, is_reference=True))
    for column in encoded.columns:
        if categories:
            who, level = (matrix[column] != 0).to_numpy(), labels.get(column, str(column))
        else:
            who, level = np.ones(len(matrix), dtype=bool), ""
        rows.append(_row(str(column), variable, level, who, event))
    return rows


def _row(
    term: str,
    variable: str,
    level: str,
    who: np.ndarray,
    event: np.ndarray | None,
    *,
    is_reference: bool = False,
) -> dict[str, Any]:
    events = None if event is None else int(event[who].sum())
    facts = {"term": term, "variable": variable, "level": level, "n": int(who.sum())}
    return facts | {"events": events, "is_reference": is_reference}


def _labels(factors: list[str], categories: dict[str, list[Any]]) -> dict[str, str]:
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
    if factor.isidentifier():
        return factor
    named = [name for name in formulaic.Formula(factor).required_variables if name != "rcs"]
    return str(named[0]) if len(named) == 1 else factor
