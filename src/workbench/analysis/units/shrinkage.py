"""Effects of units drawn towards the whole: what is told of each, and of all together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special, stats

from workbench.analysis.regression.outcome_fit import coefficient_table
from workbench.analysis.units.linear_intercept import LinearFit
from workbench.analysis.units.mixed_fit import MixedFit
from workbench.analysis.units.ranking import expected_ranks
from workbench.analysis.units.unit_table import UnitTable, unit_table

NO_VARIATION = "no variation between units detected"
# rankability from which ranks say something
TELLING = 0.5
COLUMNS = {"n", "events", "estimate", "effect", "std_error", "lower", "upper", "shrunken"}
COLUMNS |= {"shrunken_lower", "shrunken_upper", "reliability", "left_out"}
COLUMNS |= {"expected_rank", "rank_lower", "rank_upper"}


@dataclass(frozen=True, eq=False)
class Drawn:
    """What either family finds; arrays are of the k units that have patients.

    `units` and `left_out` are of all units, `place` says which of them the k are. `predictor` and
    `weight`: the linear predictor of patients alike without their unit's effect, and how many.
    """

    units: pd.Series
    left_out: np.ndarray
    place: np.ndarray
    n: np.ndarray
    total: np.ndarray
    fit: MixedFit | LinearFit
    separate: np.ndarray
    predictor: np.ndarray
    weight: np.ndarray
    coefficients: pd.DataFrame


def drawn_units(found: Drawn, unit: str, confidence: float) -> UnitTable:
    """One row a unit, and the attributes, as `random_intercept` describes them."""
    fit = found.fit
    variance = fit.variance if isinstance(fit, MixedFit) else fit.between
    effect = fit.mode if isinstance(fit, MixedFit) else fit.effect
    half = float(stats.norm.ppf((1 + confidence) / 2)) * fit.spread
    singular = variance == 0
    rows: dict[str, object] = {"n": found.n.astype(int)}
    if isinstance(fit, MixedFit):
        rows["events"] = found.total.astype(int)
    rows |= {
        "estimate": found.total / found.n,
        "effect": effect,
        "std_error": fit.spread,
        "lower": effect - half,
        "upper": effect + half,
        "shrunken": _shrunken(found, effect),
        "shrunken_lower": _shrunken(found, effect - half),
        "shrunken_upper": _shrunken(found, effect + half),
        "reliability": 0.0 if singular else 1 - fit.spread**2 / variance,
    }
    ranks = expected_ranks(effect, fit.spread**2, confidence)
    table = pd.DataFrame(rows).join(ranks)
    table.index = pd.Index(found.place)
    # units without patients keep their row
    table = table.reindex(range(len(found.units)))
    for name in {"n", "events"} & set(table.columns):
        table[name] = table[name].fillna(0).astype(int)
    table.insert(0, unit, found.units)
    table["left_out"] = found.left_out
    return unit_table(table, **_attributes(found, variance))


def _shrunken(found: Drawn, effect: np.ndarray) -> np.ndarray:
    """The share or mean of all patients, were each unit's effect that of all."""
    if isinstance(found.fit, LinearFit):
        return found.predictor[0] + effect
    weight = found.weight / found.weight.sum()
    return np.array([weight @ special.expit(found.predictor + one) for one in effect])


def _attributes(found: Drawn, variance: float) -> dict[str, object]:
    fit = found.fit
    middle = float(np.median(found.separate))
    rankability = variance / (variance + middle) if np.isfinite(middle) and variance > 0 else 0.0
    gain = 2 * (fit.log_likelihood - fit.log_likelihood_alone)
    if isinstance(fit, MixedFit):
        within = np.pi**2 / 3
        odds = float(np.exp(np.sqrt(2 * variance) * stats.norm.ppf(0.75)))
    else:
        within, odds = fit.within, np.nan
    return {
        "intercept": float(fit.coefficient[0]),
        "coefficients": found.coefficients,
        "variance": variance,
        "residual_variance": fit.within if isinstance(fit, LinearFit) else np.nan,
        "median_odds_ratio": odds,
        "icc": variance / (variance + within),
        "rankability": rankability,
        "ranks_tell": rankability >= TELLING,
        "log_likelihood": fit.log_likelihood,
        "p_value": float(stats.chi2.sf(gain, 1) / 2) if gain > 0 and variance > 0 else 1.0,
        "is_singular": variance == 0,
        "note": NO_VARIATION if variance == 0 else "",
        "n_used": int(found.n.sum()),
        "n_left_out": int(found.left_out.sum()),
    }


def term_table(
    terms: list[str], fit: MixedFit | LinearFit, model: str, confidence: float
) -> pd.DataFrame:
    """One row a term, with its interval by the normal distribution."""
    table = coefficient_table(
        terms,
        fit.coefficient,
        np.sqrt(np.diag(fit.covariance)),
        None,
        model=model,
        residual_df=np.inf,
        confidence=confidence,
    )
    return table.drop(columns="robust_std_error")
