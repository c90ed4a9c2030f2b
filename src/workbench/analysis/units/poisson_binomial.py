"""How often patients with chances of their own make so many events: the Poisson-binomial law.

Exact but for rounding, also far out in the tails: chances are first tilted so that what was
observed lies in the middle, where convolution by Fourier transforms loses nothing.
"""

from __future__ import annotations

import numpy as np
from scipy import fft, optimize, special


def count_chances(chance: np.ndarray) -> np.ndarray:
    """How likely 0, 1, 2 ... n events are among n patients with these chances.

    Parameters
    ----------
    chance
        One number from 0 to 1 a patient (n); or n x m, for m groups of n patients.

    Returns
    -------
    n + 1 chances that sum to 1 (or m x (n + 1)). Each is right to about 1e-16, not to so many
    digits: for tails use `mid_p_tails`.

    References
    ----------
    Hong, Comput Stat Data Anal 2013;59:41-51, for other ways to the same numbers.
    """
    rows = np.stack([1 - chance, chance], axis=-1)
    n = len(rows)
    if n == 0:
        return np.ones((*chance.shape[1:], 1))
    while len(rows) > 1:
        if len(rows) % 2:
            nobody = np.zeros((1, *rows.shape[1:]))
            nobody[..., 0] = 1.0
            rows = np.concatenate([rows, nobody])
        size = 2 * rows.shape[-1] - 1
        fast = fft.next_fast_len(size, real=True)
        waves = fft.rfft(rows, fast)
        rows = fft.irfft(waves[::2] * waves[1::2], fast)[..., :size]
    return np.clip(rows[0, ..., : n + 1], 0.0, 1.0)


def mid_p_tails(observed: int, chance: np.ndarray) -> tuple[float, float]:
    """How often there are fewer, and how often more events, half of the observed count in each.

    Parameters
    ----------
    observed
        The events, 0 to n.
    chance
        The chance of each of n patients, from 0 to 1.

    Returns
    -------
    P(X < observed) + P(X = observed) / 2, and the same above; they sum to 1, and the smaller one
    is right to about 12 digits however small it is.
    """
    unsure = chance[(chance > 0) & (chance < 1)]
    rest = observed - int((chance == 1).sum())
    if rest < 0 or rest > len(unsure):
        return (0.0, 1.0) if rest < 0 else (1.0, 0.0)
    if len(unsure) == 0:
        return 0.5, 0.5
    if rest in (0, len(unsure)):
        edge = float(np.exp(np.log1p(-unsure).sum() if rest == 0 else np.log(unsure).sum())) / 2
        return (edge, 1 - edge) if rest == 0 else (1 - edge, edge)
    logit = special.logit(unsure)
    tilt = _tilt(logit, rest)
    tilted = count_chances(special.expit(logit + tilt))
    # the factor that leads back from the tilted chances, as a logarithm
    back = np.logaddexp(np.log1p(-unsure), np.log(unsure) + tilt).sum() - tilt * rest
    away = np.arange(len(tilted)) - rest
    side = away > 0 if tilt >= 0 else away < 0
    sum_beyond = tilted[side] @ np.exp(-tilt * away[side])
    tail = float(np.exp(back) * (sum_beyond + tilted[rest] / 2))
    return (1 - tail, tail) if tilt >= 0 else (tail, 1 - tail)


def _tilt(logit: np.ndarray, count: int) -> float:
    """The log odds to add to everybody so that `count` events are expected."""
    far = float(np.abs(logit).max()) + 40.0
    return float(optimize.brentq(lambda tilt: special.expit(logit + tilt).sum() - count, -far, far))
