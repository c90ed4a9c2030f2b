"""The arithmetic of ordinary outcome models: coefficients, their covariance and the scores.

Generalised linear models are fitted by statsmodels (iterated weighted least squares) to the last
digit; the negative binomial's dispersion is found as the root of its own score.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import optimize, special

MOST_STEPS = 100
# beyond these the counts vary as Poisson's do, or nearly all of the variance is between persons
DISPERSION_RANGE = (1e-5, 1e4)


@dataclass(frozen=True, eq=False)
class Estimates:
    """A fitted model in numbers.

    `coefficient` (p), `covariance` (p x p, model-based), `scores` (n x p: each row's share in the
    score, by which the sandwich is made), `bread` (p x p: inverse information of the scores),
    `log_likelihood`, `dispersion` (linear: residual variance; negative binomial: variance = mean +
    dispersion x mean^2; else 1).
    """

    coefficient: np.ndarray
    covariance: np.ndarray
    scores: np.ndarray
    bread: np.ndarray
    log_likelihood: float
    dispersion: float


def logistic(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray, offset: np.ndarray
) -> Estimates | None:
    """Logistic regression; None when it does not converge."""
    from statsmodels.genmod.families import Binomial

    return _generalised(x, y, weight, offset, Binomial())


def poisson(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray, offset: np.ndarray
) -> Estimates | None:
    """Poisson regression with a log link; None when it does not converge."""
    from statsmodels.genmod.families import Poisson

    return _generalised(x, y, weight, offset, Poisson())


def linear(x: np.ndarray, y: np.ndarray, weight: np.ndarray, offset: np.ndarray) -> Estimates:
    """Weighted least squares, with the residual variance on n - p degrees of freedom."""
    root = np.sqrt(weight)
    target = y - offset
    q, r = np.linalg.qr(root[:, None] * x)
    coefficient = np.linalg.solve(r, q.T @ (root * target))
    inverse = np.linalg.inv(r)
    bread = inverse @ inverse.T
    residual = target - x @ coefficient
    squares = float(weight @ residual**2)
    n, n_terms = x.shape
    variance = squares / max(1, n - n_terms)
    fit = (
        np.log(weight).sum() - n * (np.log(2 * np.pi * squares / n) + 1) if squares > 0 else np.inf
    )
    return Estimates(
        coefficient=coefficient,
        covariance=variance * bread,
        scores=(weight * residual)[:, None] * x,
        bread=bread,
        log_likelihood=float(fit) / 2,
        dispersion=variance,
    )


def negative_binomial(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray, offset: np.ndarray
) -> Estimates | None:
    """Negative binomial regression (variance = mean + dispersion x mean^2) with a log link.

    None when it does not converge or the counts vary no more than Poisson's.

    References
    ----------
    Lawless, Can J Stat 1987;15:209-225: coefficients and dispersion are uncorrelated, so the
    covariance of the coefficients is that at the estimated dispersion.
    """
    from statsmodels.genmod.families import NegativeBinomial

    def fitted(dispersion: float) -> Estimates | None:
        return _generalised(x, y, weight, offset, NegativeBinomial(alpha=dispersion))

    def slope(log_dispersion: float) -> float:
        found = fitted(np.exp(log_dispersion))
        if found is None:
            raise FloatingPointError
        mean = np.exp(x @ found.coefficient + offset)
        return _dispersion_score(y, mean, weight, np.exp(-log_dispersion))

    low, high = np.log(DISPERSION_RANGE)
    try:
        if not slope(low) < 0 < slope(high):
            return None
        root = optimize.brentq(slope, low, high, xtol=1e-12, rtol=1e-13)
    except FloatingPointError:
        return None
    return fitted(float(np.exp(root)))


def _dispersion_score(y: np.ndarray, mean: np.ndarray, weight: np.ndarray, size: float) -> float:
    """Derivative of the log-likelihood by the size, 1 / dispersion."""
    shares = special.digamma(y + size) - special.digamma(size) + np.log(size / (size + mean))
    return float(weight @ (shares + 1 - (y + size) / (size + mean)))


def _generalised(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray, offset: np.ndarray, family: Any
) -> Estimates | None:
    from statsmodels.genmod.generalized_linear_model import GLM

    with np.errstate(all="ignore"), warnings.catch_warnings():
        # what these warnings mean (separation, no convergence) is judged by the caller
        warnings.simplefilter("ignore")
        model = GLM(y, x, family=family, offset=offset, var_weights=weight)
        try:
            # relative as well: far from 0 a covariate leaves coefficients fewer digits
            limits = {"tol": 1e-13, "rtol": 1e-11, "tol_criterion": "params"}
            found = model.fit(maxiter=MOST_STEPS, scale=1.0, **limits)
        except (np.linalg.LinAlgError, ValueError):
            return None
        mean = found.fittedvalues
        slope = 1 / (family.link.deriv(mean) * family.variance(mean))
        scores = (weight * (y - mean) * slope)[:, None] * x
        log_likelihood = float(family.loglike(y, mean, var_weights=weight, scale=1.0))
    if not found.converged or not np.isfinite(found.params).all():
        return None
    try:  # at the estimate itself: the library's is that of the step before
        information = x.T @ ((weight * slope**2 * family.variance(mean))[:, None] * x)
        covariance = np.linalg.inv(information)
    except np.linalg.LinAlgError:
        return None
    return Estimates(
        coefficient=np.asarray(found.params),
        covariance=covariance,
        scores=scores,
        bread=covariance,
        log_likelihood=log_likelihood,
        dispersion=float(getattr(family, "alpha", 1.0)),
    )
