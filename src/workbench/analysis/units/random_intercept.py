"""Units drawn towards the whole, as far as their own patients say little: random intercepts."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.analysis import inputs
from workbench.analysis.regression.design import variables_of
from workbench.analysis.regression.outcome_models import linear
from workbench.analysis.units.alike import check_units, count_alike, labels_of, who_has_all
from workbench.analysis.units.fixed_effects import fixed_effects
from workbench.analysis.units.linear_intercept import fit_linear
from workbench.analysis.units.mixed_fit import fit_mixed
from workbench.analysis.units.shrinkage import COLUMNS, Drawn, drawn_units, term_table
from workbench.analysis.units.unit_table import UnitTable
from workbench.errors import DataError, StudyError

MOST_NODES = 100


def random_intercept(
    persons: pd.DataFrame,
    *,
    outcome: str,
    unit: str,
    formula: str | None = None,
    family: str = "logistic",
    n: str | None = None,
    nodes: int = 15,
    confidence: float = 0.95,
) -> UnitTable:
    """Estimate how much units differ, and each unit's place, and not take chance for difference.

    Units' effects are taken as drawn from one normal distribution; a unit with few patients is
    drawn towards the whole. A shrunken value is not the unit's observed one: show both.

    Parameters
    ----------
    persons
        One row a patient; with `n`, one row a group of patients (a unit, or those alike). Who
        lacks the outcome or a covariate is left out, counted by unit.
    outcome
        0 or 1, or yes/no; with `n` the number of events; with `family="linear"` a number.
    unit
        Column of the unit, none missing, two units or more.
    formula
        Covariates as in `regression.logistic`, or None.
    family
        "logistic" or "linear".
    n
        Column of the number of patients of each row ("logistic" only).
    nodes
        Of the adaptive quadrature; 1 is Laplace's approximation ("logistic" only).
    confidence
        Level of the intervals.

    Returns
    -------
    One row a unit, sorted: the unit, `n`, `events` ("logistic"), `estimate` (raw share or mean),
    `effect` (log odds, or the outcome's own unit, beside the whole: the mode of its posterior),
    `std_error` (from the curvature there, coefficients and variance taken as known), `lower`,
    `upper` (of the effect), `shrunken`, `shrunken_lower`, `shrunken_upper` (share or mean if all
    patients of all units were this unit's), `reliability` (1 - posterior variance / variance),
    `expected_rank` (1 is the lowest effect), `rank_lower`, `rank_upper` (see
    `ranking.expected_ranks`), `left_out`. A unit all of whose patients are left out keeps its row,
    with nothing judged.

    Attributes: `intercept`, `coefficients` (a table), `variance` between units,
    `residual_variance` ("linear"), `median_odds_ratio` ("logistic"), `icc` (logistic: latent,
    variance / (variance + pi^2 / 3)), `rankability` (variance / (variance + median variance of
    the units' separate effects)), `ranks_tell` (rankability of a half or more: show no ranks
    otherwise), `log_likelihood` (restricted for "linear"; of each patient's own outcome),
    `p_value` of no variation (likelihood ratio, half of chi-square with 1 degree), `is_singular`,
    `note` ("no variation between units detected" where the variance is 0: all shrunken values are
    the same then, and every rank is expected to be the middle one), `n_used`, `n_left_out`.

    Raises
    ------
    DataError, StudyError
        Columns, values or a formula that cannot be used; missing units or counts; events above
        `n`; one unit only; an outcome that is the same for all; nobody or everybody with the
        outcome in every unit; one patient in every unit; separation or collinear terms; no
        maximum.

    References
    ----------
    Pinheiro and Bates, J Comput Graph Stat 1995;4:12-35 (quadrature); Larsen and Merlo, Am J
    Epidemiol 2005;161:81-88 (median odds ratio); van Houwelingen et al., 1999, and Lingsma et
    al., BMC Med Res Methodol 2010;10:41 (rankability, expected rank); Self and Liang, JASA
    1987;82:605-610 (test of the variance).
    """
    _check_choices(family, n, nodes, confidence)
    if family == "linear":
        found = _linear(persons, formula, outcome, unit, confidence)
    else:
        found = _logistic(persons, formula, outcome, unit, n, nodes, confidence)
    return drawn_units(found, unit, confidence)


def _check_choices(family: str, n: str | None, nodes: int, confidence: float) -> None:
    if family not in ("logistic", "linear"):
        raise StudyError('random_intercept: family is "logistic" or "linear".')
    if family == "linear" and n is not None:
        raise StudyError('random_intercept: "n" belongs to counts of events, family="logistic".')
    if isinstance(nodes, bool) or nodes != int(nodes) or not 1 <= nodes <= MOST_NODES:
        raise StudyError(f"random_intercept: nodes is a whole number from 1 to {MOST_NODES}.")
    if not 0 < confidence < 1:
        raise StudyError("confidence: expected a number between 0 and 1, such as 0.95.")


def _logistic(
    persons: pd.DataFrame,
    formula: str | None,
    outcome: str,
    unit: str,
    n: str | None,
    nodes: int,
    confidence: float,
) -> Drawn:
    alike = count_alike(persons, formula, outcome=outcome, unit=unit, n=n, taken=COLUMNS)
    place, number = np.unique(alike.unit, return_inverse=True)
    _check_several(alike.by_unit(alike.size)[place])
    whole, x = alike.national("logistic", confidence)
    fit = fit_mixed(
        x,
        alike.events,
        alike.size,
        number,
        start=whole.coefficients["coefficient"].to_numpy(),
        nodes=int(nodes),
    )
    predictor = x @ fit.coefficient
    alone = fixed_effects(x[:, :0], alike.events, alike.size, number, predictor)
    return Drawn(
        units=alike.units,
        left_out=alike.left_out,
        place=place,
        n=alike.by_unit(alike.size)[place],
        total=alike.by_unit(alike.events)[place],
        fit=fit,
        separate=alone.variance,
        predictor=predictor,
        weight=alike.size,
        coefficients=term_table(whole.design.terms, fit, "logistic", confidence),
    )


def _check_several(n: np.ndarray) -> None:
    if len(n) < 2:
        raise DataError("random_intercept: one unit only has patients. Expected two or more.")
    if n.max() < 2:
        raise DataError(
            "random_intercept: one patient in every unit, so that variation between units cannot "
            "be told from chance. Take larger units or a longer period."
        )


def _linear(
    persons: pd.DataFrame, formula: str | None, outcome: str, unit: str, confidence: float
) -> Drawn:
    check_units(persons, unit, [outcome], COLUMNS)
    text = (formula or "").strip() or "1"
    variables = variables_of(text, persons)
    if unit in variables or outcome in variables:
        raise StudyError(f'formula "{text}": the outcome or the unit is no covariate.')
    numbers = inputs.group_numbers(persons, [unit])
    inside = who_has_all(persons, outcome, variables, [])
    place, number = np.unique(numbers[inside], return_inverse=True)
    n = np.bincount(number)
    _check_several(n)
    rows = persons.loc[inside, [outcome, *variables]].reset_index(drop=True)
    whole = linear(rows, f"{outcome} ~ {text}", confidence=confidence)
    x = whole.design.rows(rows) if variables else np.ones((len(rows), 1))
    y = rows[outcome].to_numpy(float)
    fit = fit_linear(x, y, number)
    labels = labels_of(persons[unit], numbers)
    return Drawn(
        units=labels,
        left_out=np.bincount(numbers[~inside], minlength=len(labels)),
        place=place,
        n=n,
        total=np.bincount(number, y),
        fit=fit,
        separate=fit.within / n,
        predictor=np.array([(x @ fit.coefficient).mean()]),
        weight=np.ones(1),
        coefficients=term_table(whole.design.terms, fit, "linear", confidence),
    )
