"""Intervals for the mean of a Poisson count, from which those of rates and ratios are made."""

from __future__ import annotations

import numpy as np
from scipy import optimize, stats

from workbench.errors import StudyError

INTERVALS = ("exact", "mid-p", "byar", "profile", "wald")


def poisson_limits(
    counts: np.ndarray, confidence: float, interval: str
) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper limit of the mean behind each count.

    Parameters
    ----------
    counts
        Whole numbers, 0 or more.
    interval
        "exact" (Garwood, 1936, by chi-square; at least the confidence), "mid-p" (half of the
        observed count's chance; nearer to it), "byar" (Breslow and Day, 1987, p. 69), "profile"
        (profile likelihood), "wald" (on the log scale; none for a count of 0).

    Returns
    -------
    Two arrays. For a count of 0 the lower limit is 0.

    Raises
    ------
    StudyError
        Another interval, or a confidence that is not between 0 and 1.
    """
    if interval not in INTERVALS:
        raise StudyError(f"interval: expected one of {', '.join(INTERVALS)}.")
    if not 0 < confidence < 1:
        raise StudyError("confidence: expected a number between 0 and 1, such as 0.95.")
    o, tail = np.asarray(counts, dtype=float), (1 - confidence) / 2
    z = float(stats.norm.ppf(1 - tail))
    if interval == "exact":
        return np.where(o > 0, stats.gamma.ppf(tail, np.maximum(o, 1)), 0.0), stats.gamma.ppf(
            1 - tail, o + 1
        )
    if interval == "byar":
        return _byar(o, z)
    if interval == "wald":
        spread = np.exp(z / np.sqrt(np.where(o > 0, o, np.nan)))
        return o / spread, o * spread
    find = _mid_p if interval == "mid-p" else _profile
    unique, place = np.unique(o, return_inverse=True)
    pairs = np.array([find(float(one), tail) for one in unique])
    return pairs[place, 0], pairs[place, 1]


def p_value_of(observed: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Two-sided mid-p: how often chance alone lies at least as far from what was expected."""
    o, e = np.asarray(observed, dtype=float), np.asarray(expected, dtype=float)
    half = stats.poisson.pmf(o, e) / 2
    below, above = stats.poisson.cdf(o - 1, e) + half, stats.poisson.sf(o, e) + half
    return np.minimum(2 * np.minimum(below, above), 1.0)


def _byar(o: np.ndarray, z: float) -> tuple[np.ndarray, np.ndarray]:
    some = np.maximum(o, 1)
    # with few events and much confidence the bracket would be below 0
    low = np.where(o > 0, o * np.maximum(1 - 1 / (9 * some) - z / (3 * np.sqrt(some)), 0) ** 3, 0.0)
    return low, (o + 1) * (1 - 1 / (9 * (o + 1)) + z / (3 * np.sqrt(o + 1))) ** 3


def _mid_p(o: float, tail: float) -> tuple[float, float]:
    def above(mean: float) -> float:
        return float(stats.poisson.sf(o, mean) + stats.poisson.pmf(o, mean) / 2 - tail)

    def below(mean: float) -> float:
        return float(stats.poisson.cdf(o - 1, mean) + stats.poisson.pmf(o, mean) / 2 - tail)

    low = 0.0 if o == 0 else optimize.brentq(above, 1e-12, o, xtol=1e-12)
    return low, optimize.brentq(below, o, _far(o), xtol=1e-12)


def _profile(o: float, tail: float) -> tuple[float, float]:
    limit = stats.chi2.ppf(1 - 2 * tail, 1) / 2

    def away(mean: float) -> float:
        fit = o * np.log(o / mean) if o > 0 else 0.0
        return float(fit - (o - mean) - limit)

    low = 0.0 if o == 0 else optimize.brentq(away, 1e-12, o, xtol=1e-12)
    return low, optimize.brentq(away, max(o, 1e-12), _far(o), xtol=1e-12)


def _far(o: float) -> float:
    """A mean beyond every upper limit asked for."""
    return o + 40 * np.sqrt(o + 1) + 60
