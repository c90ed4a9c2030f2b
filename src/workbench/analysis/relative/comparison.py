"""Test whether net survival differs between groups (log-rank-type test)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from workbench.analysis import inputs
from workbench.analysis.relative.life_table import LifeTable
from workbench.analysis.relative.net import net_curve
from workbench.analysis.relative.patients import read_patients
from workbench.errors import DataError


@dataclass(frozen=True, eq=False)
class NetSurvivalTest:
    """A chi-square test of equal net survival.

    `table` has one row per group: the columns of `by`, `n`, `events` (persons), `observed` and
    `expected` (weighted excess deaths, the second if net survival were the same in all groups).
    """

    statistic: float
    degrees_of_freedom: int
    p_value: float
    table: pd.DataFrame


def net_survival_test(
    persons: pd.DataFrame,
    life_table: LifeTable,
    *,
    duration: str,
    event: str,
    age: str,
    sex: str,
    start_date: str,
    by: str | Sequence[str],
    unit: str = "days",
    age_unit: str = "years",
    sex_codes: Mapping[object, object] | None = None,
    step: float | None = 1.0,
) -> NetSurvivalTest:
    """Test whether groups differ in net survival, over the whole follow-up.

    Parameters
    ----------
    persons, life_table, duration, event, age, sex, start_date, by, unit, age_unit, sex_codes, step
        As in `net_survival`.

    Returns
    -------
    A `NetSurvivalTest`.

    Raises
    ------
    DataError, StudyError
        As `net_survival`; one group only, no deaths, or groups never at risk together.

    Notes
    -----
    With weights w = exp(expected cumulative hazard): excess deaths of each group less its share of
    all excess deaths, the share being that of the weights at risk; variance from the squared
    weights of who died.

    References
    ----------
    Graffeo, Castell, Belot and Giorgi, Biometrics 2016.
    """
    patients = read_patients(
        persons, life_table, duration=duration, event=event, age=age, sex=sex,
        start_date=start_date, by=by, age_unit=age_unit, unit=unit, sex_codes=sex_codes,
    )  # fmt: skip
    names, n_groups = inputs.names_of(by), len(patients.groups)
    if n_groups < 2:
        raise DataError(f"by={names}: one group only; a comparison needs two or more.")
    if not patients.event.any():
        raise DataError(f'column "{event}": no events, so there is nothing to compare.')
    times = np.unique(patients.time)
    weight, excess, square = (np.zeros((n_groups, len(times))) for _ in range(3))
    for number in range(n_groups):
        group = patients.of(np.flatnonzero(patients.number == number))
        curve = net_curve(group, times, method="pohar-perme", step=step)
        place = np.searchsorted(times, curve.times)
        risk = np.where(curve.at_risk > 0, curve.weight, 0.0)
        weight[number, place] = risk
        excess[number, place] = (curve.observed - curve.expected) * risk
        square[number, place] = curve.variance * risk**2
    share = weight / weight.sum(axis=0)
    expected = (share * excess.sum(axis=0)).sum(axis=1)
    observed = excess.sum(axis=1)
    # sum over groups l of (1[h = l] - share_h)(1[j = l] - share_j) times the squares of l
    cross = share @ square.T
    variance = np.diag(square.sum(axis=1)) - cross - cross.T
    variance += (share * square.sum(axis=0)) @ share.T
    difference = (observed - expected)[:-1]
    inner = variance[:-1, :-1]
    if np.linalg.matrix_rank(inner, hermitian=True) < n_groups - 1:
        raise DataError(f"by={names}: some groups were never at risk together. Join groups.")
    statistic = float(difference @ np.linalg.solve(inner, difference))
    table = patients.groups.assign(
        n=np.bincount(patients.number, minlength=n_groups),
        events=np.bincount(patients.number, patients.event, n_groups).astype(int),
        observed=observed,
        expected=expected,
    )
    p_value = float(stats.chi2.sf(statistic, n_groups - 1))
    return NetSurvivalTest(statistic, n_groups - 1, p_value, table)
