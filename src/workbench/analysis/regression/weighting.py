"""Inverse-probability weights: make groups alike in their covariates, and show how alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.analysis import inputs
from workbench.analysis.regression.balance import balance_table, effective_sizes, overlap_table
from workbench.analysis.regression.outcome_fit import OutcomeFit
from workbench.analysis.regression.outcome_fitting import outcome_of
from workbench.analysis.regression.outcome_models import logistic
from workbench.errors import DataError, StudyError, did_you_mean

TARGETS = ("ate", "att", "atc", "overlap")


@dataclass(frozen=True, eq=False)
class Weights:
    """Weights for comparing exposed and unexposed, with what they do.

    `persons`: the persons with known covariates, with `propensity` and `weight` added. `balance`:
    per covariate or level: `variable`, `level`, mean or share among `exposed` and `unexposed` and
    the `difference` in standard deviations, each before and after weighting. `effective_size`: per
    group: `n`, `sum_weights`, `effective_n` (as many persons of equal weight would tell as much),
    `largest_weight`. `overlap`: propensity in tenths: persons of both groups. `n_outside`: persons
    whose propensity lies outside the range that both groups share. `n_truncated`: persons whose
    weight was cut, at `limits` (lowest and highest weight). `fit`: the model of the exposure.
    """

    persons: pd.DataFrame
    balance: pd.DataFrame
    effective_size: pd.DataFrame
    overlap: pd.DataFrame
    n_outside: int
    n_truncated: int
    limits: tuple[float, float] | None
    target: str
    fit: OutcomeFit


def inverse_probability_weights(
    persons: pd.DataFrame,
    formula: str,
    *,
    target: str = "ate",
    stabilised: bool = True,
    truncate: tuple[float, float] | None = None,
) -> Weights:
    """Weigh persons so that exposed and unexposed have the same covariates.

    Give the weights to a model (`weight="weight"`): its standard errors are then robust, which for
    the average effect is on the safe side, since the weights are taken as known.

    Parameters
    ----------
    persons
        One row per person; no columns named `propensity` or `weight`.
    formula
        The exposure (0/1 or yes/no) and the covariates, such as "treated ~ age + stage".
    target
        Whose effect: "ate" everyone's (weights 1/p and 1/(1-p)), "att" the exposed's (1 and
        p/(1-p)), "atc" the unexposed's ((1-p)/p and 1), "overlap" those who might have been either
        (1-p and p), where p is the propensity, the probability of exposure by a logistic model.
    stabilised
        For "ate": multiply by the share of the person's own group, so that the weights' mean is
        near 1. The others are not changed.
    truncate
        Two shares, such as (0.01, 0.99): weights beyond these quantiles are set to them, counted.

    Returns
    -------
    `Weights`.

    Raises
    ------
    DataError, StudyError
        As `logistic`; an unknown target; truncation that is not two shares; taken names.

    References
    ----------
    Robins, Hernán and Brumback, Epidemiology 2000;11:550-560; Li, Morgan and Zaslavsky, J Am Stat
    Assoc 2018;113:390-400 (overlap); Austin and Stuart, Stat Med 2015;34:3661-3679 (balance).
    """
    _check(persons, target, truncate)
    fit = logistic(persons, formula)
    name = fit.outcome
    used = fit.design.variables
    known = persons[[name, *used]].notna().all(axis=1).to_numpy()
    inside = persons[known]
    exposed = outcome_of(inside, name, "logistic") == 1
    chance = fit.predict(inside)["estimate"].to_numpy()
    weight = _weights(exposed, chance, target)
    if stabilised and target == "ate":
        weight = weight * np.where(exposed, exposed.mean(), (~exposed).mean())
    limits, n_truncated = None, 0
    if truncate is not None:
        low, high = (float(value) for value in np.quantile(weight, truncate))
        n_truncated = int(((weight < low) | (weight > high)).sum())
        weight, limits = np.clip(weight, low, high), (low, high)
    shared = (
        max(chance[exposed].min(), chance[~exposed].min()),
        min(chance[exposed].max(), chance[~exposed].max()),
    )
    return Weights(
        persons=inside.assign(propensity=chance, weight=weight),
        balance=balance_table(inside[used], exposed, weight),
        effective_size=effective_sizes(exposed, weight),
        overlap=overlap_table(exposed, chance),
        n_outside=int(((chance < shared[0]) | (chance > shared[1])).sum()),
        n_truncated=n_truncated,
        limits=limits,
        target=target,
        fit=fit,
    )


def _check(persons: pd.DataFrame, target: str, truncate: tuple[float, float] | None) -> None:
    inputs.check_frame(persons, [])
    if target not in TARGETS:
        near = did_you_mean(target, TARGETS)
        raise StudyError(f'inverse_probability_weights: no target "{target}".{near}')
    if truncate is not None and not (len(truncate) == 2 and 0 <= truncate[0] < truncate[1] <= 1):
        raise StudyError("truncate: expected two shares that rise, such as (0.01, 0.99).")
    if taken := [name for name in ("propensity", "weight") if name in persons.columns]:
        told = ", ".join(f'"{name}"' for name in taken)
        raise DataError(f"persons: {told} is the name of a result here. Rename the column first.")


def _weights(exposed: np.ndarray, chance: np.ndarray, target: str) -> np.ndarray:
    if target == "ate":
        return np.where(exposed, 1 / chance, 1 / (1 - chance))
    if target == "att":
        return np.where(exposed, 1.0, chance / (1 - chance))
    if target == "atc":
        return np.where(exposed, (1 - chance) / chance, 1.0)
    return np.where(exposed, 1 - chance, chance)
