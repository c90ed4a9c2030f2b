"""Multiple imputation of missing covariates by chained equations.

Each column with missing values is drawn in turn from a model given all the others and the outcome,
some cycles long, and all of it several times. Fit the same model to every completed frame and join
the fits with `rubin.pool`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.api import types

from workbench.analysis import inputs
from workbench.analysis.regression.imputation_models import draw_levels, draw_numbers
from workbench.errors import DataError, StudyError, gathered

FEWEST_KNOWN = 10
MOST_LEVELS = 50


@dataclass(frozen=True, eq=False)
class Imputed:
    """Completed data sets, and what was missing.

    `frames`: the persons, once per imputation, with the missing values filled in. `missing`: one
    row per column that had missing values: `column`, `n_missing`, `share`, `n_known`, `method`.
    `trace`: `imputation`, `cycle`, `column` and `mean` of the imputed values (of the level numbers,
    for categories); the lines of the imputations should mix without a trend. `n_complete`: persons
    who lacked nothing.
    """

    frames: list[pd.DataFrame]
    missing: pd.DataFrame
    trace: pd.DataFrame
    n_complete: int


@dataclass(eq=False)
class Variable:
    """A column in numbers: the values, or the number of the level; -1 or missing where unknown."""

    name: str
    numbers: np.ndarray
    known: np.ndarray
    levels: list[object] | None

    def predictors(self) -> np.ndarray:
        """The columns by which this one predicts others: standardised, or one per level."""
        if self.levels is not None:
            return (self.numbers[:, None] == np.arange(1, len(self.levels))).astype(float)
        spread = self.numbers.std()
        return (self.numbers - self.numbers.mean())[:, None] / (spread if spread > 0 else 1.0)


def impute(
    persons: pd.DataFrame,
    columns: Sequence[str],
    *,
    outcome: str | Sequence[str] | None = None,
    duration: str | None = None,
    event: str | None = None,
    n_imputations: int = 20,
    n_cycles: int = 10,
    seed: int,
) -> Imputed:
    """Fill in missing covariates several times, so that the uncertainty of not knowing is counted.

    Assumes that, given `columns` and the outcome, whether a value is missing does not depend on the
    value itself (missing at random).

    Parameters
    ----------
    persons
        One row per person.
    columns
        The covariates of the later model, complete ones too, and further columns that help to
        predict. Numbers, yes/no, text and categories (at most 50 levels).
    outcome
        Outcome column or columns of an ordinary model; none missing. The outcome must be in the
        imputation, or associations are diluted.
    duration, event
        For a hazard model, instead of `outcome`: 0 is censored, 1, 2 ... are causes. The indicator
        and the Nelson-Aalen cumulative hazard of each cause at the person's own time predict.
    n_imputations, n_cycles, seed
        Completed frames, rounds over the columns for each, and the number that makes the draws
        repeatable. At least as many imputations as percent of persons who lack something.

    Returns
    -------
    `Imputed`. Numbers get the value of one of the five persons with the nearest prediction, so they
    stay within what was seen; categories come from logistic models. The same seed gives the same
    frames, in any order of the rows unless persons are alike in all these columns.

    Raises
    ------
    DataError, StudyError
        Nothing is missing; an outcome is missing; fewer than 10 known values, or one value only;
        dates; too many levels; numbers of imputations or cycles below 2 or 1.

    References
    ----------
    van Buuren, Flexible Imputation of Missing Data, 2018; White and Royston, Stat Med
    2009;28:1982-1998 (event and Nelson-Aalen in the imputation model).
    """
    _check_numbers(n_imputations, n_cycles)
    outcomes = inputs.names_of(outcome)
    inputs.check_frame(persons, [*columns, *outcomes])
    fixed = _outcome_predictors(persons, outcomes, duration, event)
    faults: list[str] = []
    variables = [_read(persons[name], faults) for name in dict.fromkeys(columns)]
    if faults:
        raise DataError(gathered("impute: some columns cannot be imputed.", faults))
    gaps = [variable for variable in variables if not variable.known.all()]
    if not gaps:
        raise DataError("impute: nothing is missing in these columns. Fit the model as it stands.")
    # the order of the rows must not matter, so the draws follow an order of their own
    keys = [np.where(v.known, v.numbers, np.inf) for v in variables] + list(fixed.T)
    order = np.lexsort(keys)
    for variable in variables:
        variable.numbers, variable.known = variable.numbers[order], variable.known[order]
    rng = np.random.default_rng(seed)
    frames, trace = [], []
    for number in range(1, n_imputations + 1):
        drawn = _one_chain(variables, fixed[order], n_cycles, rng)
        trace += [{"imputation": number, **row} for row in drawn]
        frames.append(_completed(persons, gaps, order))
    complete = np.logical_and.reduce([variable.known for variable in variables])
    return Imputed(frames, _missing(gaps), pd.DataFrame(trace), int(complete.sum()))


def _check_numbers(n_imputations: int, n_cycles: int) -> None:
    if n_imputations < 2 or n_cycles < 1:
        raise StudyError("impute: expected two or more imputations of one or more cycles.")


def _outcome_predictors(
    persons: pd.DataFrame, outcomes: list[str], duration: str | None, event: str | None
) -> np.ndarray:
    if (duration is None) != (event is None) or (duration is None) == (not outcomes):
        raise StudyError("impute: name either the outcome, or both the duration and the event.")
    if duration is None or event is None:
        faults = [
            f'column "{name}": missing in {n_missing} of {len(persons)} rows'
            for name in outcomes
            if (n_missing := int(persons[name].isna().sum()))
        ]
        variables = [] if faults else [_read(persons[name], faults) for name in outcomes]
        if faults:
            advice = "Leave these persons out, counted; an outcome is not imputed."
            raise DataError(gathered(f"impute: the outcome cannot be used. {advice}", faults))
        return np.column_stack([variable.predictors() for variable in variables])
    follow_up = inputs.check_follow_up(persons, duration=duration, event=event, causes=True)
    codes = follow_up.cause
    assert codes is not None
    columns = []
    for cause in np.unique(codes[codes > 0]):
        happened = (codes == cause).astype(float)
        columns += [happened, _nelson_aalen(follow_up.time, happened)]
    if not columns:
        raise DataError(f'impute: no events in column "{event}" among {len(persons)} persons.')
    found = np.column_stack(columns)
    return (found - found.mean(axis=0)) / np.where(found.std(axis=0) > 0, found.std(axis=0), 1.0)


def _nelson_aalen(time: np.ndarray, happened: np.ndarray) -> np.ndarray:
    times, step = np.unique(time, return_inverse=True)
    at_risk = np.cumsum(np.bincount(step)[::-1])[::-1]
    events = np.bincount(step, weights=happened, minlength=len(times))
    return np.cumsum(events / at_risk)[step]


def _read(column: pd.Series, faults: list[str]) -> Variable:
    name, known = str(column.name), column.notna().to_numpy()
    if not (is_dated := types.is_datetime64_any_dtype(column.dtype)) and known.sum() < FEWEST_KNOWN:
        faults.append(f'column "{name}": {int(known.sum())} known values; expected 10 or more')
    if is_dated:
        faults.append(f'column "{name}": a date cannot be imputed. Count days or years')
        return Variable(name, np.zeros(len(column)), known, None)
    if types.is_numeric_dtype(column.dtype) and not types.is_bool_dtype(column.dtype):
        values = column.to_numpy(dtype=float, na_value=np.nan)
        if n_odd := int(np.isinf(values).sum()):
            faults.append(f'column "{name}": infinite in {n_odd} rows')
        levels = None
    else:
        groups = column.astype("category").cat.remove_unused_categories()
        values, levels = groups.cat.codes.to_numpy(dtype=float), list(groups.cat.categories)
        if len(levels) > MOST_LEVELS:
            faults.append(f'column "{name}": {len(levels)} levels; expected {MOST_LEVELS} at most')
    if not known.all() and len(np.unique(values[known])) < 2:
        faults.append(f'column "{name}": one value only among those known. Leave it out')
    return Variable(name, values, known, levels)


def _one_chain(
    variables: list[Variable], fixed: np.ndarray, n_cycles: int, rng: np.random.Generator
) -> list[dict[str, object]]:
    gaps = sorted((v for v in variables if not v.known.all()), key=lambda v: (~v.known).sum())
    for variable in gaps:
        start = rng.choice(variable.numbers[variable.known], int((~variable.known).sum()))
        variable.numbers = np.where(variable.known, variable.numbers, 0.0)
        variable.numbers[~variable.known] = start
    trace = []
    for cycle in range(1, n_cycles + 1):
        for variable in gaps:
            others = [other.predictors() for other in variables if other is not variable]
            x = np.column_stack([np.ones(len(fixed)), *others, fixed])
            _draw(variable, x, rng)
            drawn = float(variable.numbers[~variable.known].mean())
            trace.append({"cycle": cycle, "column": variable.name, "mean": drawn})
    return trace


def _draw(variable: Variable, x: np.ndarray, rng: np.random.Generator) -> None:
    known = variable.known
    values = variable.numbers.copy()
    if variable.levels is None:
        values[~known] = draw_numbers(x[known], values[known], x[~known], rng)
    else:
        codes = values[known].astype(np.int64)
        values[~known] = draw_levels(x[known], codes, x[~known], len(variable.levels), rng)
    variable.numbers = values


def _completed(persons: pd.DataFrame, gaps: list[Variable], order: np.ndarray) -> pd.DataFrame:
    frame = persons.copy()
    for variable in gaps:
        rows = order[~variable.known]
        values = variable.numbers[~variable.known]
        before = persons[variable.name]
        if variable.levels is None:
            whole = types.is_integer_dtype(before.dtype)
            filled = before.to_numpy(dtype=float, na_value=np.nan, copy=True)
            filled[rows] = values
            column = pd.Series(filled, index=frame.index)
            frame[variable.name] = column.round().astype("int64") if whole else column
        else:
            kept = np.asarray(before.astype(object), dtype=object).copy()
            kept[rows] = np.array(variable.levels, dtype=object)[values.astype(np.int64)]
            is_yes_no = all(isinstance(level, bool | np.bool_) for level in variable.levels)
            kind = bool if is_yes_no else before.dtype
            frame[variable.name] = pd.Series(kept, index=frame.index).astype(kind)
    return frame


def _missing(gaps: list[Variable]) -> pd.DataFrame:
    rows = []
    for variable in gaps:
        n_known, n = int(variable.known.sum()), len(variable.known)
        if variable.levels is None:
            method = "predictive mean matching"
        else:
            method = "logistic" if len(variable.levels) == 2 else "multinomial logistic"
        facts = {"column": variable.name, "n_missing": n - n_known, "share": 1 - n_known / n}
        rows.append(facts | {"n_known": n_known, "method": method})
    return pd.DataFrame(rows)
