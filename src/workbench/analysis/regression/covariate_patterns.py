"""Covariates of many persons as patterns of their categories beside plain numbers.

A formula of categories and of numbers (also a logarithm or root of one) need not become a matrix
of all persons: persons with the same categories share one row of a small table. Any other formula
becomes a matrix, with one pattern for all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import formulaic
import numpy as np
import pandas as pd
from formulaic.parser.types import Factor
from pandas.api import types

from workbench.analysis.regression.design import Design, build_design
from workbench.errors import DataError

# fewer persons are quicker done as one matrix
FEWEST_PERSONS = 20_000
MOST_PATTERNS = 50_000
WIDEST_COUNT = 4_000_000
CACHED_ROWS = 8_192
# beside the patterns, so many persons show what a formula makes of numbers
SHOWN = 2_000
# smallest eigenvalue of the correlations above which no term can follow from the others
FAR_FROM_COLLINEAR = 1e-6
ELEMENTWISE = re.compile(r"np\.(log|log2|log10|log1p|sqrt|exp|square)\((\w+)\)")
CATEGORICAL = re.compile(r"C\((\w+)\)")


@dataclass(frozen=True, eq=False)
class Covariates:
    """The columns of a model for n persons.

    `pattern` (n) names each person's row of `table` (P x F); `numbers` is n x Q. `table_terms`
    and `number_terms` are the places of their columns among the terms of `design`. All columns
    are centred on their mean, `mean` (p).
    """

    design: Design
    pattern: np.ndarray
    table: np.ndarray
    numbers: np.ndarray
    table_terms: np.ndarray
    number_terms: np.ndarray
    mean: np.ndarray

    @property
    def order(self) -> np.ndarray:
        """The place among the terms of each of the F + Q columns."""
        return np.concatenate([self.table_terms, self.number_terms])

    def matrix(self) -> np.ndarray:
        """All columns (n x p), centred, in the order of the terms."""
        if not len(self.table_terms):
            return self.numbers
        whole = np.empty((len(self.pattern), len(self.mean)))
        whole[:, self.table_terms] = self.table[self.pattern]
        whole[:, self.number_terms] = self.numbers
        return whole

    def of(self, rows: np.ndarray) -> Covariates:
        """The same columns for some of the persons."""
        return replace(self, pattern=self.pattern[rows], numbers=self.numbers[rows])

    def spread(self) -> np.ndarray:
        """Standard deviation of each term (p)."""
        size = np.bincount(self.pattern, minlength=len(self.table))
        square = np.empty(len(self.mean))
        square[self.table_terms] = size @ self.table**2
        square[self.number_terms] = np.einsum("ij,ij->j", self.numbers, self.numbers)
        return np.sqrt(square / max(len(self.pattern) - 1, 1))

    def score(self, coefficient: np.ndarray) -> np.ndarray:
        """Linear predictor x'b per person (n); the same to the last digit for persons alike."""
        score = (self.table @ coefficient[self.table_terms])[self.pattern]
        for column, b in zip(self.numbers.T, coefficient[self.number_terms], strict=True):
            score = score + column * b
        return score


def covariates_of(
    persons: pd.DataFrame, formula: str, *, variables: list[str], model: str, event: np.ndarray
) -> Covariates:
    """Turn the covariates of persons into the columns of a model without an intercept.

    Parameters
    ----------
    persons
        None of `variables` missing, index 0, 1, 2 ...
    event
        Events per person, to be counted behind each level.

    Raises
    ------
    DataError, StudyError
        See `build_design`.
    """
    if len(persons) >= FEWEST_PERSONS and (plan := _plan(persons, formula, variables)):
        found = _by_patterns(persons, formula, variables, model, event, plan)
        if found is not None:
            return found
    design, matrix = build_design(
        persons, formula, variables=variables, model=model, event=event, intercept=False
    )
    values = matrix.to_numpy()
    mean = values.mean(axis=0)
    return Covariates(
        design=design,
        pattern=np.zeros(len(persons), dtype=np.int32),
        table=np.zeros((1, 0)),
        numbers=values - mean,
        table_terms=np.zeros(0, dtype=np.int64),
        number_terms=np.arange(len(mean)),
        mean=mean,
    )


@dataclass(frozen=True)
class _Plan:
    """The variables that are categories, and the function and variable of each number term."""

    categories: list[str]
    numbers: dict[str, tuple[str | None, str]]


def _plan(persons: pd.DataFrame, formula: str, variables: list[str]) -> _Plan | None:
    """How the formula splits into categories and numbers, or None if it does not."""
    categories: set[str] = set()
    numbers: dict[str, tuple[str | None, str]] = {}
    for term in formulaic.Formula(formula):
        kinds = [_kind(factor, persons, variables) for factor in term.factors if factor.expr != "1"]
        if not kinds:
            continue
        if all(kind is not None and kind[0] == "category" for kind in kinds):
            categories |= {kind[1] for kind in kinds}
        elif len(kinds) == 1 and kinds[0] is not None:
            function = None if kinds[0][0] == "number" else kinds[0][0]
            numbers[str(term)] = (function, kinds[0][1])
        else:
            return None
    return _Plan(sorted(categories), numbers)


def _kind(factor: Factor, persons: pd.DataFrame, variables: list[str]) -> tuple[str, str] | None:
    text = str(factor.expr)
    if text in variables:
        return ("category" if _is_category(persons[text]) else "number"), text
    if (found := CATEGORICAL.fullmatch(text)) and found[1] in variables:
        return "category", found[1]
    found = ELEMENTWISE.fullmatch(text)
    if found and found[2] in variables and not _is_category(persons[found[2]]):
        return found[1], found[2]
    return None


def _is_category(column: pd.Series) -> bool:
    return types.is_bool_dtype(column.dtype) or not types.is_numeric_dtype(column.dtype)


def _by_patterns(
    persons: pd.DataFrame,
    formula: str,
    variables: list[str],
    model: str,
    event: np.ndarray,
    plan: _Plan,
) -> Covariates | None:
    pattern = _patterns(persons, plan.categories)
    if pattern is None:
        return None
    n_patterns = int(pattern.max()) + 1
    shown = np.empty(n_patterns, dtype=np.int64)
    shown[pattern[::-1]] = np.arange(len(pattern))[::-1]
    rows = np.concatenate([shown, np.linspace(0, len(pattern) - 1, SHOWN).astype(np.int64)])
    try:
        design, sample = build_design(
            persons.iloc[rows],
            formula,
            variables=variables,
            model=model,
            event=event[rows],
            intercept=False,
        )
    except DataError:
        # few persons may lack what all of them have; only the whole can be refused
        return None
    number_terms = np.array([design.terms.index(t) for t in plan.numbers], dtype=np.int64)
    table_terms = np.setdiff1d(np.arange(len(design.terms)), number_terms)
    table = sample.to_numpy()[:n_patterns][:, table_terms]
    numbers, number_means = _numbers(persons, plan)
    size = np.bincount(pattern, minlength=n_patterns)
    mean = np.empty(len(design.terms))
    mean[table_terms], mean[number_terms] = size @ table / len(pattern), number_means
    if not np.isfinite(mean).all():
        return None
    levels = _levels(
        design.levels,
        pd.DataFrame(table, columns=[design.terms[i] for i in table_terms]),
        size,
        np.bincount(pattern, weights=event, minlength=n_patterns),
    )
    found = Covariates(
        design=Design(
            design.formula, model, variables, design.terms, levels, design.spec, design.known_levels
        ),
        pattern=pattern,
        table=table - mean[table_terms],
        numbers=numbers,
        table_terms=table_terms,
        number_terms=number_terms,
        mean=mean,
    )
    return found if _is_far_from_collinear(found, size) else None


def _patterns(persons: pd.DataFrame, categories: list[str]) -> np.ndarray | None:
    """Number the combinations of categories that occur; None where they are too many."""
    key, n_keys = np.zeros(len(persons), dtype=np.int64), 1
    for name in categories:
        code, n_codes = _codes(persons[name])
        n_keys *= n_codes
        if n_keys > WIDEST_COUNT:
            return None
        key = key * n_codes + code
    present = np.bincount(key, minlength=n_keys) > 0
    n_patterns = int(present.sum())
    if n_patterns > min(MOST_PATTERNS, len(persons) // 10):
        return None
    return (np.cumsum(present, dtype=np.int32) - np.int32(1))[key]


def _codes(column: pd.Series) -> tuple[np.ndarray, int]:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.codes.to_numpy().astype(np.int64), len(column.cat.categories)
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iub":
        values = column.to_numpy().astype(np.int64)
        least, span = int(values.min()), int(values.max()) - int(values.min()) + 1
        if span <= WIDEST_COUNT:
            return values - least, span
    code, found = pd.factorize(column)
    return code.astype(np.int64), len(found)


def _numbers(persons: pd.DataFrame, plan: _Plan) -> tuple[np.ndarray, np.ndarray]:
    """The number terms of all persons, centred (n x Q), and their means (Q)."""
    columns, means = [], []
    with np.errstate(all="ignore"):
        for function, name in plan.numbers.values():
            column = persons[name].to_numpy(dtype=float)
            column = column if function is None else getattr(np, function)(column)
            means.append(column.mean())
            columns.append(column - means[-1])
    values = np.empty((len(persons), len(columns)))
    # side by side in pieces that stay in the cache: several times faster than by whole columns
    for first in range(0, len(persons), CACHED_ROWS):
        rows = slice(first, first + CACHED_ROWS)
        for j, column in enumerate(columns):
            values[rows, j] = column[rows]
    return values, np.array(means)


def _levels(
    levels: pd.DataFrame, table: pd.DataFrame, size: np.ndarray, events: np.ndarray
) -> pd.DataFrame:
    """The levels of the persons shown, with the persons and events of all."""
    behind = {str(term): (table[term] != 0).to_numpy() for term in table}
    n, n_events = [], []
    for row in levels.itertuples():
        who = behind.get(row.term, np.ones(len(size), dtype=bool))
        if row.is_reference:
            factor = row.term[: row.term.rindex("[T.")]
            others = [t for t in behind if t.startswith(f"{factor}[T.") and ":" not in t]
            who = ~np.any([behind[t] for t in others], axis=0)
        n.append(int(size[who].sum()))
        n_events.append(int(events[who].sum()))
    return levels.assign(n=n, events=n_events)


def _is_far_from_collinear(found: Covariates, size: np.ndarray) -> bool:
    """Whether the correlations alone show that no term follows from the others."""
    n_table, n_numbers = found.table.shape[1], found.numbers.shape[1]
    cross = np.empty((n_table + n_numbers, n_table + n_numbers))
    cross[:n_table, :n_table] = (found.table * size[:, None]).T @ found.table
    cross[n_table:, n_table:] = found.numbers.T @ found.numbers
    if n_table and n_numbers:
        sums = [np.bincount(found.pattern, weights=x, minlength=len(size)) for x in found.numbers.T]
        cross[:n_table, n_table:] = found.table.T @ np.column_stack(sums)
        cross[n_table:, :n_table] = cross[:n_table, n_table:].T
    spread = np.sqrt(np.diag(cross))
    if not (spread > 0).all():
        return False
    least: Any = np.linalg.eigvalsh(cross / np.outer(spread, spread))[0]
    return bool(least > FAR_FROM_COLLINEAR)
