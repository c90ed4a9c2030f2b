"""Patients of units, checked and counted: those alike in unit and covariates become one row.

Counts hold all that a logistic or Poisson model needs, so that a million patients with a few
hundred combinations of covariates are as quick as a few hundred.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.analysis import inputs
from workbench.analysis.regression.design import variables_of
from workbench.analysis.regression.outcome_fit import OutcomeFit
from workbench.analysis.regression.outcome_fitting import outcome_of
from workbench.analysis.regression.outcome_models import logistic, poisson
from workbench.errors import DataError, StudyError

EVENTS, SIZE, PATIENTS = "events of patients alike", "size of patients alike", "patients alike"


@dataclass(frozen=True, eq=False)
class Alike:
    """Rows of patients alike, k units in sorted order.

    `units`: the labels (k). `left_out`: patients per unit with something missing (k). `unit` (r):
    0 .. k - 1. `events`, `size`, `patients` (r): events; what they are counted against (patients,
    or time at risk); patients. `rows`: the covariates (r rows).
    """

    units: pd.Series
    left_out: np.ndarray
    unit: np.ndarray
    events: np.ndarray
    size: np.ndarray
    patients: np.ndarray
    rows: pd.DataFrame
    outcome: str
    formula: str

    def by_unit(self, values: np.ndarray) -> np.ndarray:
        """Sum a number of each row over the rows of each unit (k)."""
        return np.bincount(self.unit, weights=values, minlength=len(self.units))

    def national(self, family: str, confidence: float) -> tuple[OutcomeFit, np.ndarray]:
        """Fit one model to all units together; gives it and its columns (r x p)."""
        if family == "poisson":
            rows = self.rows.assign(**{self.outcome: self.events, SIZE: self.size})
            # one row as two halves of its time, so that equal counts do not look like one outcome
            first, last = rows.iloc[[0]].copy(), rows.iloc[[0]].copy()
            first[SIZE], last[SIZE], last[self.outcome] = first[SIZE] / 2, last[SIZE] / 2, 0.0
            both = pd.concat([first, last, rows.iloc[1:]], ignore_index=True)
            text = f"{self.outcome} ~ {self.formula}"
            fit = poisson(both, text, exposure=SIZE, confidence=confidence)
        else:
            fit = self._logistic(confidence)
        if not fit.design.variables:
            return fit, np.ones((len(self.rows), 1))
        return fit, fit.design.rows(self.rows)

    def _logistic(self, confidence: float) -> OutcomeFit:
        with_event = self.rows.assign(**{self.outcome: 1, SIZE: self.events})
        without = self.rows.assign(**{self.outcome: 0, SIZE: self.size - self.events})
        both = pd.concat([with_event, without], ignore_index=True)
        both = both[both[SIZE] > 0]
        return logistic(
            both, f"{self.outcome} ~ {self.formula}", weight=SIZE, confidence=confidence
        )


def check_units(persons: pd.DataFrame, unit: str, columns: list[str], taken: set[str]) -> None:
    """Refuse a frame without the columns, or units that are missing or named as a result column.

    Raises
    ------
    DataError, StudyError
        With the column and how many rows lack a unit.
    """
    inputs.check_frame(persons, [unit, *columns])
    if unit in taken:
        raise StudyError(
            f'unit="{unit}": a column of the result has that name. Rename the column of units.'
        )
    if n_missing := int(persons[unit].isna().sum()):
        raise DataError(
            f'persons: column "{unit}": missing in {n_missing} of {len(persons)} rows. Give these '
            'patients a unit of their own ("unknown"), or leave them out, counted.'
        )


def count_alike(
    persons: pd.DataFrame,
    formula: str | None,
    *,
    outcome: str,
    unit: str,
    n: str | None = None,
    exposure: str | None = None,
    taken: set[str],
) -> Alike:
    """Check patients and count those alike.

    Parameters
    ----------
    persons
        One row a patient, `outcome` 0 or 1; with `n`, one row a group of `n` patients alike, of
        whom `outcome` have the event; with `exposure`, `outcome` is a count in that much time.
    formula
        The covariates, or None.
    taken
        Names of columns of the result, which the unit may not have.

    Raises
    ------
    DataError, StudyError
        Columns, counts or a formula that cannot be used; one unit only; nobody left.
    """
    counted = [name for name in (n, exposure) if name is not None]
    check_units(persons, unit, [outcome, *counted], taken)
    text = (formula or "").strip() or "1"
    variables = variables_of(text, persons)
    if odd := [name for name in variables if name in (outcome, unit, *counted)]:
        raise StudyError(
            f'formula "{text}": "{odd[0]}" is the outcome, the unit or a count, not a covariate.'
        )
    number = inputs.group_numbers(persons, [unit])
    if number.max() < 1:
        raise DataError(
            f'persons: one unit only in "{unit}"; it equals the whole. Expected two or more.'
        )
    inside = who_has_all(persons, outcome, variables, counted)
    rows = persons.loc[inside, variables].reset_index(drop=True)
    facts = _facts(persons[inside], outcome, n, exposure)
    rows = rows.assign(**facts, **{unit: number[inside]})
    rows = rows[rows[SIZE] > 0]
    _check_outcome(rows, outcome, n, exposure)
    keys, sums = [unit, *variables], [EVENTS, SIZE, PATIENTS]
    table = rows.groupby(keys, observed=True, sort=True)[sums].sum().reset_index()
    return Alike(
        units=labels_of(persons[unit], number),
        left_out=np.bincount(number[~inside], minlength=number.max() + 1),
        unit=table[unit].to_numpy(),
        events=table[EVENTS].to_numpy(float),
        size=table[SIZE].to_numpy(float),
        patients=table[PATIENTS].to_numpy(float),
        rows=table[variables],
        outcome=outcome,
        formula=text,
    )


def labels_of(column: pd.Series, number: np.ndarray) -> pd.Series:
    """The label of each unit (k), by the numbers 0 .. k - 1 of the rows' units."""
    once = ~column.duplicated().to_numpy()
    return column[once].iloc[np.argsort(number[once])].reset_index(drop=True)


def _check_outcome(rows: pd.DataFrame, outcome: str, n: str | None, exposure: str | None) -> None:
    if rows.empty:
        raise DataError(f'persons: column "{n}": 0 in all rows; there are no patients.')
    if rows[EVENTS].sum() == 0 or (exposure is None and (rows[EVENTS] == rows[SIZE]).all()):
        raise DataError(
            f'persons: column "{outcome}" is the same for all {rows[PATIENTS].sum():.0f} patients. '
            "There is nothing to compare: look at the outcome, or take a longer period."
        )


def who_has_all(
    persons: pd.DataFrame, outcome: str, variables: list[str], counted: list[str]
) -> np.ndarray:
    """Who has the outcome and all covariates (one yes or no a row).

    Raises
    ------
    DataError
        Nobody; or a count that is missing, since nobody knows how many it stands for.
    """
    for name in [*counted, outcome] if counted else []:
        if n_missing := int(persons[name].isna().sum()):
            raise DataError(
                f'persons: column "{name}": missing in {n_missing} rows; a missing count is not 0. '
                "Fill it in or leave the row out, counted."
            )
    whole: np.ndarray = persons[[outcome, *variables]].notna().all(axis=1).to_numpy()
    if not whole.any():
        raise DataError(f"persons: nobody left; something is missing in all {len(persons)} rows.")
    return whole


def _facts(
    inside: pd.DataFrame, outcome: str, n: str | None, exposure: str | None
) -> dict[str, np.ndarray]:
    """Events, size and patients of each row."""
    one = np.ones(len(inside))
    if exposure is not None:
        time = pd.to_numeric(inside[exposure], errors="coerce").to_numpy(float, na_value=np.nan)
        if n_wrong := int((~np.isfinite(time) | (time <= 0)).sum()):
            raise DataError(f'persons: column "{exposure}": not above 0 in {n_wrong} rows.')
        return {EVENTS: outcome_of(inside, outcome, "poisson"), SIZE: time, PATIENTS: one}
    if n is None:
        return {EVENTS: outcome_of(inside, outcome, "logistic"), SIZE: one, PATIENTS: one}
    events = outcome_of(inside, outcome, "poisson")
    size = outcome_of(inside, n, "poisson")
    if n_wrong := int((events > size).sum()):
        raise DataError(
            f'persons: "{outcome}" is above "{n}" in {n_wrong} rows; events are among the patients.'
        )
    return {EVENTS: events, SIZE: size, PATIENTS: size}
