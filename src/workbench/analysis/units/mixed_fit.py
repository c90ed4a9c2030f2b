"""The most likely logistic model with a random intercept: coefficients and the variance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import linalg, optimize, special

from workbench.analysis.units.mixed_likelihood import MixedLikelihood
from workbench.errors import DataError

# where the search for the standard deviation between units (log odds) starts at least and at most
STARTS = (0.1, 2.0)
# beyond this the units have nothing in common
WIDEST = 30.0
# less than this in the log-likelihood is no sign of variation
NO_GAIN = 1e-7
STEP = 1e-5
POLISHES = 4


@dataclass(frozen=True, eq=False)
class MixedFit:
    """`coefficient` (p), `covariance` (p x p), `variance` between units, each unit's `mode` and
    its posterior `spread` (k), the log-likelihood, and that of the model without variation.
    """

    coefficient: np.ndarray
    covariance: np.ndarray
    variance: float
    mode: np.ndarray
    spread: np.ndarray
    log_likelihood: float
    log_likelihood_alone: float


def fit_mixed(
    x: np.ndarray,
    events: np.ndarray,
    size: np.ndarray,
    unit: np.ndarray,
    *,
    start: np.ndarray,
    nodes: int,
) -> MixedFit:
    """Find the maximum of the likelihood.

    Parameters
    ----------
    x, events, size, unit
        Rows of patients alike, sorted by unit; `x` (r x p) has the intercept first.
    start
        Coefficients of the model without variation between units.
    nodes
        Of the quadrature; 1 is Laplace's approximation.

    Returns
    -------
    `MixedFit`; variance 0, and the model without variation, where no variation makes the outcomes
    more likely. Covariances count that the variance is estimated.

    Raises
    ------
    DataError
        All units with all or no events, or no maximum.
    """
    _check_told(events, size, unit)
    # covariates of mean 0 and spread 1, so that one step suits all
    mean, scale = _scales(x)
    inner = (x - mean) / scale
    back = np.diag(1 / scale)
    back[0, 1:] = -mean[1:] / scale[1:]
    likelihood = MixedLikelihood(inner, events, size, unit, nodes)
    chance = special.expit(x @ start)
    alone = float((events * np.log(chance) + (size - events) * np.log1p(-chance)).sum())
    weight = size * chance * (1 - chance)
    covariance = linalg.inv((inner * weight[:, None]).T @ inner)
    k = len(likelihood.first)
    spread = _spread(events - size * chance, weight, unit)
    theta = np.append(linalg.solve(back, start), np.log(np.clip(spread, *STARTS)))
    guess = linalg.block_diag(covariance, 1 / k)
    theta = _climb(likelihood.value, theta, (guess + guess.T) / 2)
    if likelihood.value(theta)[0] <= alone + NO_GAIN:
        still = np.zeros(k)
        return MixedFit(start, back @ covariance @ back.T, 0.0, still, still, alone, alone)
    theta, hidden = _polished(likelihood.value, theta)
    value, peak = likelihood.value(theta)[0], likelihood.peaks(theta)
    whole = back @ linalg.inv(hidden)[:-1, :-1] @ back.T
    variance = float(np.exp(2 * theta[-1]))
    return MixedFit(back @ theta[:-1], whole, variance, peak.mode, peak.width, value, alone)


def _check_told(events: np.ndarray, size: np.ndarray, unit: np.ndarray) -> None:
    n_events, n = np.bincount(unit, events), np.bincount(unit, size)
    if ((n_events == 0) | (n_events == n)).all():
        raise DataError(
            "random_intercept: in every unit nobody or everybody has the outcome, so that the "
            "variance between units has no finite estimate. Take larger units or a longer period."
        )


def _scales(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean, scale = x.mean(axis=0), x.std(axis=0)
    mean[0], scale[0] = 0.0, 1.0
    return mean, np.where(scale > 0, scale, 1.0)


def _spread(residual: np.ndarray, weight: np.ndarray, unit: np.ndarray) -> float:
    """A first guess of the standard deviation between units, from how far their sums lie off."""
    total, w = np.bincount(unit, residual), np.bincount(unit, weight)
    return float(np.sqrt(max((total**2 - w).sum(), 0.0) / (w**2).sum()))


Value = Callable[[np.ndarray], tuple[float, np.ndarray]]


def _climb(value: Value, theta: np.ndarray, guess: np.ndarray) -> np.ndarray:
    def fall(at: np.ndarray) -> tuple[float, np.ndarray]:
        # far out the likelihood is flat: a wall keeps the search where numbers are numbers
        if not abs(at[-1]) < np.log(1e6) or not np.isfinite(at).all():
            return np.inf, np.zeros(len(at))
        found, gradient = value(at)
        return -found, -gradient

    with np.errstate(all="ignore"):
        found = optimize.minimize(
            fall, theta, jac=True, method="BFGS", options={"gtol": 1e-6, "hess_inv0": guess}
        )
    best: np.ndarray = found.x
    return best


def _polished(value: Value, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The last digits by Newton's steps; gives the parameters and the information there."""
    for _ in range(POLISHES):
        if theta[-1] > np.log(WIDEST):
            break
        information, gradient = _information(value, theta), value(theta)[1]
        if not linalg.eigvalsh(information)[0] > 0:
            break
        move = linalg.solve(information, gradient, assume_a="pos")
        if np.abs(move).max() < 1e-7:
            return theta, information
        theta = theta + move * min(1.0, 1.0 / np.abs(move).max())
    raise DataError(
        "random_intercept: the likelihood has no clear maximum. Look at the units' events; join "
        "levels of the covariates, leave a term out, or take larger units."
    )


def _information(value: Value, theta: np.ndarray) -> np.ndarray:
    steps = STEP * np.eye(len(theta))
    rows = [(value(theta - one)[1] - value(theta + one)[1]) / (2 * STEP) for one in steps]
    square = np.array(rows)
    return (square + square.T) / 2
