"""What the outcome would be if everybody had one level of an exposure, or another (g-computation).

The fitted model predicts every person's outcome at each level, whatever the person's own; the means
are compared. The answer is causal only as far as the model holds all confounders.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special, stats

from workbench.analysis import inputs
from workbench.analysis.regression.outcome_fit import OutcomeFit, mean_and_slope, quantile
from workbench.errors import DataError, StudyError


@dataclass(frozen=True, eq=False)
class StandardisedRisk:
    """Mean outcomes at each level of an exposure, standardised to the same persons.

    `risks`: one row a level: `level`, `estimate` (a probability, count, rate or mean), `std_error`,
    `lower`, `upper`. `contrasts`: per level other than the reference: `level`, `reference`,
    `measure` ("difference" or "ratio"), `estimate`, `std_error` (of a ratio: of its logarithm),
    `lower`, `upper`, `p_value`. `n`: persons standardised to; `n_missing`: persons left out because
    a covariate is missing.
    """

    risks: pd.DataFrame
    contrasts: pd.DataFrame
    n: int
    n_missing: int


def standardised_risk(
    fit: OutcomeFit,
    persons: pd.DataFrame,
    *,
    exposure: str,
    levels: Sequence[object] | None = None,
    reference: object = None,
    weight: str | None = None,
    confidence: float = 0.95,
) -> StandardisedRisk:
    """Compare the outcome if everybody were exposed with the outcome if nobody were.

    Parameters
    ----------
    fit
        A fit of `logistic`, `poisson`, `negative_binomial` or `linear`. Its offset and exposure
        time are taken as 0 and 1: counts are per unit of exposure.
    persons
        The population to standardise to, as a rule the persons of the fit.
    exposure
        The covariate to set, by its column.
    levels
        Values to set it to: by default the levels of a category, or 0 and 1.
    reference
        The level the others are compared with; by default the first.
    weight
        Column of weights above 0, where persons stand for more or fewer.

    Returns
    -------
    `StandardisedRisk`. Intervals by the delta method from the fit's covariance (robust where the
    fit's is), for these persons' covariates as they are. Probabilities have theirs on the logit
    scale, counts on the log scale, ratios on the log scale.

    Raises
    ------
    DataError, StudyError
        A covariate that is not there; an exposure that is not in the model; fewer than two levels;
        a level the fit has not seen; a reference that is not a level; no persons.

    References
    ----------
    Robins, Math Modelling 1986;7:1393-1512; Localio et al., J Clin Epidemiol 2007;60:874-882.
    """
    used = fit.design.variables
    inputs.check_frame(persons, [*used, *([] if weight is None else [weight])])
    values = _levels(fit, exposure, levels)
    first = values[0] if reference is None else reference
    if first not in values:
        raise StudyError(f'standardised_risk: the reference is not a level of "{exposure}".')
    others = [name for name in used if name != exposure]
    known = persons[others].notna().all(axis=1).to_numpy()
    if not known.any():
        raise DataError(f"standardised_risk: a covariate is missing in all {len(known)} rows.")
    inside = persons.loc[known, [*others, *([] if weight is None else [weight])]]
    size = _sizes(inside, weight)
    covariance = fit.covariance.to_numpy()
    found = [_mean(fit, inside, exposure, value, size) for value in values]
    width = quantile(confidence, fit.model, fit.residual_df)
    start = found[values.index(first)]
    contrasts = [
        {"level": value, "reference": first} | row
        for value, one in zip(values, found, strict=True)
        if value != first
        for row in _contrasts(one, start, covariance, width, fit)
    ]
    risks = [
        {"level": value} | _risk(*one, covariance, width, fit.model)
        for value, one in zip(values, found, strict=True)
    ]
    table = pd.DataFrame(contrasts)
    return StandardisedRisk(pd.DataFrame(risks), table, int(known.sum()), int((~known).sum()))


def _levels(fit: OutcomeFit, exposure: str, levels: Sequence[object] | None) -> list[object]:
    if exposure not in fit.design.variables:
        told = ", ".join(fit.design.variables)
        raise StudyError(f'standardised_risk: "{exposure}" is not in the model. There: {told}.')
    seen = fit.design.known_levels.get(exposure)
    values = list(dict.fromkeys(levels if levels is not None else seen or [0, 1]))
    if len(values) < 2:
        raise StudyError(f'standardised_risk: expected two or more levels of "{exposure}".')
    return values


def _sizes(persons: pd.DataFrame, weight: str | None) -> np.ndarray:
    if weight is None:
        return np.full(len(persons), 1 / len(persons))
    size = pd.to_numeric(persons[weight], errors="coerce").to_numpy(float, na_value=np.nan)
    if n_wrong := int((~(np.isfinite(size) & (size > 0))).sum()):
        raise DataError(f'column "{weight}": not a number above 0 in {n_wrong} rows.')
    return size / size.sum()


def _mean(
    fit: OutcomeFit, persons: pd.DataFrame, exposure: str, value: object, size: np.ndarray
) -> tuple[float, np.ndarray]:
    """The mean outcome with the exposure set to a value, and its gradient by the coefficients."""
    matrix = fit.design.rows(persons.assign(**{exposure: value}))
    estimate, slope = mean_and_slope(fit.model, matrix @ fit.coefficients["coefficient"].to_numpy())
    return float(size @ estimate), (size * slope) @ matrix


def _risk(
    estimate: float, gradient: np.ndarray, covariance: np.ndarray, width: float, model: str
) -> dict[str, float]:
    std_error = float(np.sqrt(gradient @ covariance @ gradient))
    facts = {"estimate": estimate, "std_error": std_error}
    if model == "linear":
        return facts | {
            "lower": estimate - width * std_error,
            "upper": estimate + width * std_error,
        }
    if model == "logistic":
        half = width * std_error / (estimate * (1 - estimate))
        lower, upper = special.expit(special.logit(estimate) + np.array([-half, half]))
    else:
        lower, upper = estimate * np.exp(np.array([-1, 1]) * width * std_error / estimate)
    return facts | {"lower": float(lower), "upper": float(upper)}


def _contrasts(
    one: tuple[float, np.ndarray],
    start: tuple[float, np.ndarray],
    covariance: np.ndarray,
    width: float,
    fit: OutcomeFit,
) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    changes = {"difference": (one[0] - start[0], one[1] - start[1])}
    if fit.model != "linear":
        by_log = one[1] / one[0] - start[1] / start[0]
        changes["ratio"] = (float(np.log(one[0] / start[0])), by_log)
    for measure, (change, gradient) in changes.items():
        std_error = float(np.sqrt(gradient @ covariance @ gradient))
        numbers = np.array([change, change - width * std_error, change + width * std_error])
        estimate, lower, upper = np.exp(numbers) if measure == "ratio" else numbers
        row = {"measure": measure, "estimate": estimate, "std_error": std_error}
        p_value = _p_value(change / std_error, fit) if std_error > 0 else np.nan
        rows.append(row | {"lower": lower, "upper": upper, "p_value": p_value})
    return rows


def _p_value(z: float, fit: OutcomeFit) -> float:
    tail = stats.t.sf(abs(z), fit.residual_df) if fit.model == "linear" else stats.norm.sf(abs(z))
    return float(2 * tail)
