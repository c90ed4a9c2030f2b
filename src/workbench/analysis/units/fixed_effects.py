"""Logistic models with a term for each unit, which is how units differ without any shrinkage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from workbench.errors import DataError

MOST_STEPS = 100
COLLINEAR = 1e-9
LONGEST_STEP = 4.0
# log odds that no patients can show: the search is on its way to infinity
FURTHEST = 25.0
ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class FixedEffects:
    """Effects of units, without any shrinkage.

    `effect` (k, log odds; minus or plus infinity where nobody or everybody has the event),
    `coefficient` of the covariates (p), `variance` of each unit's effect given them (k).
    """

    effect: np.ndarray
    coefficient: np.ndarray
    variance: np.ndarray


def fixed_effects(
    x: np.ndarray, events: np.ndarray, size: np.ndarray, unit: np.ndarray, offset: np.ndarray
) -> FixedEffects:
    """Estimate an effect for each unit, beside the covariates, by maximum likelihood.

    Parameters
    ----------
    x
        Covariates without an intercept (r x p; p may be 0).
    events, size, unit, offset
        Of each row of patients alike (r): events, patients, the unit 0 .. k - 1, log odds to add.

    Returns
    -------
    Units where nobody or everybody has the event say nothing about the covariates.

    Raises
    ------
    DataError
        Covariates that are the same for all patients of a unit, in every unit; no finite answer.

    References
    ----------
    He et al., Lifetime Data Anal 2013;19:490-512 (fixed effects of providers).
    """
    k = int(unit.max()) + 1
    n_events, n = np.bincount(unit, events, k), np.bincount(unit, size, k)
    told = (n_events > 0) & (n_events < n)
    if not told.any():
        raise DataError(
            "units: in every unit nobody or everybody has the outcome, so that the covariates "
            "cannot be told from the units. Take larger units or a longer period."
        )
    effect = np.where(n_events > 0, np.inf, -np.inf)
    use = told[unit]
    number = (np.cumsum(told) - 1)[unit[use]]
    part = _Rows(x[use], events[use], size[use], number, offset[use], int(told.sum()))
    inner, coefficient, variance = part.solve()
    effect[told] = inner
    spread = np.full(k, np.inf)
    spread[told] = variance
    return FixedEffects(effect, coefficient, spread)


@dataclass(frozen=True, eq=False)
class _Rows:
    x: np.ndarray
    events: np.ndarray
    size: np.ndarray
    unit: np.ndarray
    offset: np.ndarray
    k: int

    def _sum(self, values: np.ndarray) -> np.ndarray:
        return np.bincount(self.unit, weights=values, minlength=self.k)

    def _fit(self, predictor: np.ndarray) -> float:
        return float(self.events @ predictor - self.size @ np.logaddexp(0, predictor))

    def _step(self, x: np.ndarray, predictor: np.ndarray) -> tuple[np.ndarray, ...]:
        """Newton's step for effects and coefficients; the information of each effect."""
        chance = special.expit(predictor)
        weight = self.size * chance * (1 - chance)
        residual = self.events - self.size * chance
        information, score = self._sum(weight), self._sum(residual)
        cross = np.array([self._sum(weight * one) for one in x.T]).reshape(-1, self.k).T
        whole = (x * weight[:, None]).T @ x
        inner = whole - cross.T @ (cross / information[:, None])
        if predictor is self.offset:
            _check_within(inner, whole)
        move = np.linalg.solve(inner, x.T @ residual - cross.T @ (score / information))
        return (score - cross @ move) / information, move, information

    def solve(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Effects, coefficients and the variances of the effects, by Newton's steps."""
        mean, scale = self.x.mean(axis=0), self.x.std(axis=0)
        scale = np.where(scale > 0, scale, 1.0)
        x = (self.x - mean) / scale
        effect, coefficient = np.zeros(self.k), np.zeros(x.shape[1])
        predictor = self.offset
        for _ in range(MOST_STEPS):
            shift, move, information = self._step(x, predictor)
            largest = max(np.abs(shift).max(), np.abs(move).max(initial=0))
            if largest < 1e-10:
                coefficient = coefficient / scale
                return effect - mean @ coefficient, coefficient, 1 / information
            along, share = shift[self.unit] + x @ move, min(1.0, LONGEST_STEP / largest)
            before = self._fit(predictor)
            while self._fit(predictor + share * along) < before - ROUNDING * abs(before):
                share /= 2
            effect, coefficient = effect + share * shift, coefficient + share * move
            predictor = predictor + share * along
            if np.abs(predictor).max() > FURTHEST:
                break
        raise DataError(
            "units: the model with a term for each unit has no finite estimate (separation). "
            "Join levels of the covariates or leave a term out."
        )


def _check_within(inner: np.ndarray, whole: np.ndarray) -> None:
    """Refuse covariates that the units' own terms make up."""
    if not len(whole):
        return
    size = np.sqrt(np.diag(whole))
    size = np.where(size > 0, size, 1.0)
    if np.linalg.eigvalsh(inner / np.outer(size, size))[0] < COLLINEAR:
        raise DataError(
            "units: a covariate does not differ within any unit, so that its effect cannot be told "
            "from the units' own. Leave it out, or use the national model as the reference."
        )
