"""The linear model with a random intercept for each unit, by restricted maximum likelihood.

Given the ratio of the two variances everything else has a closed form, made of sums within units;
only that ratio is searched for. (A general optimiser may end at a variance of 0 on plain data.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize

from workbench.errors import DataError

# variance between units over variance within: the range that is searched, as logarithms
RANGE = np.log(1e-8), np.log(1e8)
N_TRIED = 81
# less than this, in twice the log-likelihood, is no sign of variation
NO_GAIN = 1e-7
NO_VARIATION = 1e-20


@dataclass(frozen=True, eq=False)
class LinearFit:
    """`coefficient` (p), `covariance` (p x p), variance `between` units and `within`, each unit's
    `effect` and its posterior `spread` (k), and the restricted log-likelihood.
    """

    coefficient: np.ndarray
    covariance: np.ndarray
    between: float
    within: float
    effect: np.ndarray
    spread: np.ndarray
    log_likelihood: float
    log_likelihood_alone: float


@dataclass(frozen=True, eq=False)
class _Sums:
    """Sums over all patients (`xx` p x p, `xy` p, `yy`), and over those of each unit (`x` k x p,
    `y` and `n` k).
    """

    xx: np.ndarray
    xy: np.ndarray
    yy: float
    x: np.ndarray
    y: np.ndarray
    n: np.ndarray

    def solve(self, ratio: float) -> tuple[np.ndarray, np.ndarray, float]:
        """Coefficients, the information without the variance, and the sum of squares."""
        share = ratio / (1 + self.n * ratio)
        information = self.xx - (self.x * share[:, None]).T @ self.x
        score = self.xy - self.x.T @ (share * self.y)
        coefficient = np.linalg.solve(information, score)
        squares = self.yy - share @ self.y**2 - coefficient @ score
        return coefficient, information, float(squares)

    def criterion(self, log_ratio: float) -> float:
        """Minus twice the restricted log-likelihood, the residual variance profiled out."""
        ratio = float(np.exp(log_ratio))
        _, information, squares = self.solve(ratio)
        left = self.n.sum() - len(self.xy)
        scale = left * (1 + np.log(2 * np.pi * max(squares, 1e-300) / left))
        inner = np.linalg.slogdet(information)[1]
        return float(scale + np.log1p(self.n * ratio).sum() + inner)


def fit_linear(x: np.ndarray, y: np.ndarray, unit: np.ndarray) -> LinearFit:
    """Fit the model.

    Parameters
    ----------
    x, y, unit
        Patients: columns with the intercept first (n x p), outcome (n), unit 0 .. k - 1, each
        with a patient.

    Raises
    ------
    DataError
        One patient in every unit; no variation within units; fewer patients than terms.

    References
    ----------
    Patterson and Thompson, Biometrika 1971;58:545-554; Robinson, Stat Sci 1991;6:15-32.
    """
    n = np.bincount(unit)
    if n.max() < 2:
        raise DataError(
            "random_intercept: one patient in every unit, so that variation between units cannot "
            "be told from variation between patients. Take larger units or a longer period."
        )
    sums, back, middle = _sums(x, y, unit)
    within = y - (np.bincount(unit, y) / n)[unit]
    if not (within**2).sum() > NO_VARIATION * max(sums.yy, 1e-300):
        raise DataError(
            "random_intercept: the outcome does not vary within units. Look at the data."
        )
    alone, ratio = sums.criterion(-np.inf), _ratio(sums)
    lowest = sums.criterion(np.log(ratio))
    if lowest > alone - NO_GAIN:
        lowest, ratio = alone, 0.0
    coefficient, information, squares = sums.solve(ratio)
    scale = squares / (len(y) - x.shape[1])
    effect = ratio * (sums.y - sums.x @ coefficient) / (1 + n * ratio)
    whole = back @ coefficient
    whole[0] += middle
    # the criterion of the columns as they came, not of those centred and scaled
    shift = -np.linalg.slogdet(back)[1]
    return LinearFit(
        coefficient=whole,
        covariance=scale * back @ np.linalg.inv(information) @ back.T,
        between=scale * ratio,
        within=scale,
        effect=effect,
        spread=np.sqrt(scale * ratio / (1 + n * ratio)),
        log_likelihood=-lowest / 2 - shift,
        log_likelihood_alone=-alone / 2 - shift,
    )


def _sums(x: np.ndarray, y: np.ndarray, unit: np.ndarray) -> tuple[_Sums, np.ndarray, float]:
    """The sums of columns centred and scaled, the way back for coefficients, and the mean of y."""
    mean, scale = x.mean(axis=0), x.std(axis=0)
    mean[0], scale[0] = 0.0, 1.0
    inner = (x - mean) / scale
    back = np.diag(1 / scale)
    back[0, 1:] = -mean[1:] / scale[1:]
    middle = float(y.mean())
    target = y - middle
    by_unit = np.column_stack([np.bincount(unit, column) for column in inner.T])
    sums = _Sums(
        xx=inner.T @ inner,
        xy=inner.T @ target,
        yy=float(target @ target),
        x=by_unit,
        y=np.bincount(unit, target),
        n=np.bincount(unit).astype(float),
    )
    return sums, back, middle


def _ratio(sums: _Sums) -> float:
    """The ratio of the variances with the lowest criterion, near the best of a grid."""
    tried = np.linspace(*RANGE, N_TRIED)
    best = int(np.argmin([sums.criterion(one) for one in tried]))
    bounds = tried[max(best - 1, 0)], tried[min(best + 1, N_TRIED - 1)]
    found = optimize.minimize_scalar(
        sums.criterion, bounds=bounds, method="bounded", options={"xatol": 1e-10}
    )
    return float(np.exp(found.x))
