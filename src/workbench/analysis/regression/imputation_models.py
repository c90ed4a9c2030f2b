"""Draws for missing values: numbers by predictive mean matching, categories by logistic models.

Every draw is "proper": the coefficients are drawn first, from their posterior, then the values.
"""

from __future__ import annotations

import numpy as np

DONORS = 5
MOST_STEPS = 50
# a weak normal prior, in standard deviations of the predictors: keeps separated levels finite
PRIOR_STD = 10.0


def draw_numbers(
    known: np.ndarray, values: np.ndarray, unknown: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Draw numbers from persons alike: one of the five with the nearest prediction.

    Parameters
    ----------
    known, values
        Predictors (n x p, with a column of ones) and values where they are known.
    unknown
        Predictors of those to draw for (m x p).

    References
    ----------
    Little, 1988; van Buuren, Flexible Imputation of Missing Data, 2018, algorithm 3.3 (type 1).
    """
    cross = known.T @ known
    # a little on the diagonal, so that collinear predictors share what none can tell alone
    root = np.linalg.cholesky(np.linalg.inv(cross + np.diag(1e-8 * np.diag(cross) + 1e-12)))
    best = root @ (root.T @ (known.T @ values))
    predicted = known @ best
    spare = max(1, len(values) - known.shape[1])
    variance = float(((values - predicted) ** 2).sum()) / rng.chisquare(spare)
    drawn = best + np.sqrt(variance) * (root @ rng.standard_normal(len(best)))
    order = np.argsort(predicted, kind="stable")
    return values[order[_near(predicted[order], unknown @ drawn, rng)]]


def draw_levels(
    known: np.ndarray,
    codes: np.ndarray,
    unknown: np.ndarray,
    n_levels: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw categories from a (multinomial) logistic model; `codes` are 0 .. n_levels - 1.

    References
    ----------
    Rubin, Multiple Imputation, 1987, section 5.3; van Buuren, 2018, section 3.6.
    """
    best, information = _logistic(known, codes, n_levels)
    root = np.linalg.cholesky(np.linalg.inv(information))
    drawn = best + (root @ rng.standard_normal(best.size)).reshape(best.shape)
    chance = np.cumsum(_chances(unknown, drawn), axis=1)
    return np.minimum((chance < rng.random(len(unknown))[:, None]).sum(axis=1), n_levels - 1)


def _near(sorted_known: np.ndarray, wanted: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """For each wanted prediction, the place of one of those who are as near as the fifth nearest.

    Where more than five are equally near (few distinct predictions), all of them are donors: to
    take the same five each time would make the imputations differ far too much.
    """
    place = np.searchsorted(sorted_known, wanted)
    around = place[:, None] + np.arange(-DONORS, DONORS)
    outside = (around < 0) | (around >= len(sorted_known))
    around = np.clip(around, 0, len(sorted_known) - 1)
    distance = np.where(outside, np.inf, np.abs(sorted_known[around] - wanted[:, None]))
    reach = np.sort(distance, axis=1)[:, DONORS - 1] + 1e-9 * np.ptp(sorted_known)
    first = np.searchsorted(sorted_known, wanted - reach, side="left")
    last = np.searchsorted(sorted_known, wanted + reach, side="right")
    return rng.integers(first, np.maximum(last, first + 1))


def _chances(x: np.ndarray, coefficient: np.ndarray) -> np.ndarray:
    predictor = np.column_stack([np.zeros(len(x)), x @ coefficient.T])
    odds = np.exp(predictor - predictor.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def _logistic(x: np.ndarray, codes: np.ndarray, n_levels: int) -> tuple[np.ndarray, np.ndarray]:
    """The most likely coefficients ((levels - 1) x p) under the weak prior, and the information."""
    n_terms = x.shape[1]
    happened = (codes[:, None] == np.arange(1, n_levels)).astype(float)
    scale = np.where(x.std(axis=0) > 0, x.std(axis=0), 1.0)
    prior = np.tile((scale / PRIOR_STD) ** 2, n_levels - 1)
    coefficient = np.zeros((n_levels - 1, n_terms))
    information = np.diag(prior)
    for _ in range(MOST_STEPS):
        chance = _chances(x, coefficient)[:, 1:]
        gradient = ((happened - chance).T @ x).ravel() - prior * coefficient.ravel()
        information = np.diag(prior)
        for j in range(n_levels - 1):
            for k in range(n_levels - 1):
                share = chance[:, j] * ((j == k) - chance[:, k])
                block = np.s_[j * n_terms : (j + 1) * n_terms, k * n_terms : (k + 1) * n_terms]
                information[block] += x.T @ (share[:, None] * x)
        move = np.linalg.solve(information, gradient)
        largest = float(np.abs(move).max())
        coefficient = coefficient + (move * min(1.0, 5.0 / max(largest, 1e-300))).reshape(
            coefficient.shape
        )
        if largest < 1e-6:
            break
    return coefficient, information
