"""Whether units differ by more than chance, and limits that allow for what units differ anyway.

Method: Spiegelhalter, Qual Saf Health Care 2005;14:347-351, and Stat Med 2005;24:1185-1202: scores
on a scale where their spread does not depend on the level (arcsine of the square root of shares,
square root of ratios), winsorised at a tenth on each side.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from workbench.errors import DataError

FEWEST = 10  # units below which a tenth on each side is nobody
TRIM = 0.1


@dataclass(frozen=True)
class Scores:
    """How far each unit lies from the centre on the transformed scale.

    `z` (k) in standard errors, `spread` (k) the standard errors, `middle` the centre, one for all
    or one a unit.
    """

    z: np.ndarray
    spread: np.ndarray
    middle: np.ndarray | float


def share_scores(share: np.ndarray, n: np.ndarray, centre: np.ndarray | float) -> Scores:
    """Of shares: arcsine of the square root."""
    spread, middle = 1 / (2 * np.sqrt(n)), np.arcsin(np.sqrt(centre))
    return Scores((np.arcsin(np.sqrt(share)) - middle) / spread, spread, middle)


def ratio_scores(ratio: np.ndarray, expected: np.ndarray) -> Scores:
    """Of observed over expected: the square root."""
    spread = 1 / (2 * np.sqrt(expected))
    return Scores((np.sqrt(ratio) - 1) / spread, spread, 1.0)


def plain_scores(share: np.ndarray, n: np.ndarray, centre: float) -> Scores:
    """Of shares as they are; where the centre is 0 or 1 chance has no spread, and none is told."""
    if centre in {0.0, 1.0}:
        return Scores(np.zeros(len(n)), np.ones(len(n)), centre)
    spread = np.sqrt(centre * (1 - centre) / n)
    return Scores((share - centre) / spread, spread, centre)


def winsorised(z: np.ndarray) -> np.ndarray:
    """The scores, the outer tenth on each side drawn in to the rest (quantiles of type 7)."""
    low, high = np.quantile(z, [TRIM, 1 - TRIM])
    return np.clip(z, low, high)


def phi_of(z: np.ndarray) -> float:
    """How many times as large as chance the variation is: the mean of the squared scores."""
    return float((winsorised(z) ** 2).mean())


def tau2_of(scores: Scores) -> float:
    """Variance between units on the transformed scale, 0 where chance explains all of it."""
    k, weight = len(scores.z), 1 / scores.spread**2
    phi = phi_of(scores.z)
    if k * phi < k - 1:
        return 0.0
    return float((k * phi - (k - 1)) / (weight.sum() - (weight**2).sum() / weight.sum()))


def heterogeneity(scores: Scores) -> dict[str, float]:
    """Test whether the units are one and the same (Cochran's Q).

    Around the units' own weighted mean, not around the centre: units that all lie equally far from
    a target are alike. Gives `statistic` (chi-square), `degrees_of_freedom`, `p_value`, and `i2`,
    the share of the variation that chance does not explain.
    """
    z, free = scores.z, len(scores.z) - 1
    if free < 1:
        return {"statistic": np.nan, "degrees_of_freedom": 0.0, "p_value": np.nan, "i2": np.nan}
    away = (z / scores.spread).sum() / (1 / scores.spread**2).sum()
    q = float(((z - away / scores.spread) ** 2).sum())
    p_value = float(stats.chi2.sf(q, free))
    i2 = max(0.0, (q - free) / q) if q > 0 else 0.0
    return {"statistic": q, "degrees_of_freedom": float(free), "p_value": p_value, "i2": i2}


def require_enough(k: int) -> None:
    """Refuse over-dispersion of few units: a tenth of them on each side must be someone.

    Raises
    ------
    DataError
        Fewer than ten units.
    """
    if k < FEWEST:
        raise DataError(
            f"overdispersion: {k} units; expected {FEWEST} or more. With fewer, how much units "
            "differ cannot be told from who is among them: leave overdispersion out."
        )


def share_limits(scores: Scores, tau2: float, z: float) -> tuple[np.ndarray, np.ndarray]:
    """Limits of shares that allow for the variation between units."""
    half = z * np.sqrt(scores.spread**2 + tau2)
    low, high = (np.clip(scores.middle + sign * half, 0, np.pi / 2) for sign in (-1, 1))
    return np.sin(low) ** 2, np.sin(high) ** 2


def ratio_limits(scores: Scores, tau2: float, z: float) -> tuple[np.ndarray, np.ndarray]:
    """Limits of ratios that allow for the variation between units."""
    half = z * np.sqrt(scores.spread**2 + tau2)
    return np.maximum(1 - half, 0) ** 2, (1 + half) ** 2


def factor_of(scores: Scores) -> float:
    """Phi where it is beyond what chance makes of it among so many units, otherwise 1."""
    phi = phi_of(scores.z)
    return phi if phi > 1 + 2 * np.sqrt(2 / len(scores.z)) else 1.0


def multiplied_limits(
    centre: float, n: np.ndarray, factor: float, z: float
) -> tuple[np.ndarray, np.ndarray]:
    """Normal limits of shares, the variance `factor` times what chance gives."""
    half = z * np.sqrt(factor * centre * (1 - centre) / n)
    return np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)
