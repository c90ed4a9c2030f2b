"""Centres and limits of control charts, from the points of one segment.

Sources: Wheeler and Chambers, Understanding Statistical Process Control, 1992 (XmR, 2.66);
Montgomery, Statistical Quality Control, 2013, chapters 6 and 7 (P, U, C, G); Laney, Qual Eng
2002;14:531-537 (P', U').
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

XMR, SPREAD, SCREEN = 2.66, 1.128, 3.267  # factors of the mean moving range
SIGMAS = 3.0


@dataclass(frozen=True)
class Limits:
    """Centre and limits, one element a point; `_2s` are those of two sigma."""

    centre: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    lower_2s: np.ndarray
    upper_2s: np.ndarray


def moving_range(value: np.ndarray, *, screening: bool) -> float:
    """The mean moving range; with screening those far above it are left out once."""
    ranges = np.abs(np.diff(value))
    if not len(ranges):
        return 0.0
    if screening:
        kept = ranges[ranges < SCREEN * ranges.mean()]
        return float(kept.mean()) if len(kept) else 0.0
    return float(ranges.mean())


def xmr_limits(value: np.ndarray, base: np.ndarray, *, screening: bool) -> Limits:
    """Mean of the points and 2.66 times their mean moving range."""
    half = XMR * moving_range(value[base], screening=screening)
    return _around(float(value[base].mean()), half / SIGMAS, len(value))


def i_limits(value: np.ndarray, base: np.ndarray, *, screening: bool) -> Limits:
    """The same with three standard deviations, each the mean moving range over 1.128."""
    sigma = moving_range(value[base], screening=screening) / SPREAD
    return _around(float(value[base].mean()), sigma, len(value))


def p_limits(
    events: np.ndarray, n: np.ndarray, base: np.ndarray, *, laney: bool, screening: bool,
    floor: bool,
) -> Limits:  # fmt: skip
    """Pooled share and three standard errors of each point, cut at 0 and 1."""
    centre = float(events[base].sum() / n[base].sum())
    error = np.sqrt(centre * (1 - centre) / n)
    if laney:
        error = error * _wider(events / n, centre, error, base, screening=screening, floor=floor)
    return _around(centre, error, len(n), least=0.0, most=1.0)


def u_limits(
    events: np.ndarray, exposure: np.ndarray, base: np.ndarray, *, laney: bool, screening: bool,
    floor: bool,
) -> Limits:  # fmt: skip
    """Pooled rate and three standard errors of each point, cut at 0."""
    centre = float(events[base].sum() / exposure[base].sum())
    error = np.sqrt(centre / exposure)
    if laney:
        rate = events / exposure
        error = error * _wider(rate, centre, error, base, screening=screening, floor=floor)
    return _around(centre, error, len(exposure), least=0.0)


def g_limits(between: np.ndarray, base: np.ndarray) -> Limits:
    """Cases between events: the median, and standard deviations of a geometric number."""
    mean = float(between[base].mean())
    found = _around(mean, float(np.sqrt(mean * (mean + 1))), len(between), least=0.0)
    centre = np.full(len(between), float(np.median(between[base])))
    return Limits(centre, found.lower, found.upper, found.lower_2s, found.upper_2s)


def _wider(
    value: np.ndarray, centre: float, error: np.ndarray, base: np.ndarray, *, screening: bool,
    floor: bool,
) -> float:  # fmt: skip
    """Laney's factor: how far points vary, in their own standard errors."""
    z = np.divide(value - centre, error, out=np.zeros_like(value), where=error > 0)
    found = moving_range(z[base], screening=screening) / SPREAD
    return max(1.0, found) if floor else found


def _around(
    centre: float, sigma: np.ndarray | float, n: int, *, least: float = -np.inf,
    most: float = np.inf,
) -> Limits:  # fmt: skip
    """Two and three sigma on each side; cut only at the end, so that two stay two."""
    sides = [centre + by * np.broadcast_to(sigma, n) for by in (-SIGMAS, SIGMAS, -2.0, 2.0)]
    return Limits(np.full(n, centre), *(np.clip(side, least, most) for side in sides))
