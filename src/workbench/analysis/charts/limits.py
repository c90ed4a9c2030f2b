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
    """Centre and limits, one element a point."""

    centre: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


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
    centre = float(value[base].mean())
    half = XMR * moving_range(value[base], screening=screening)
    return _flat(centre, centre - half, centre + half, len(value))


def i_limits(value: np.ndarray, base: np.ndarray, *, screening: bool) -> Limits:
    """The same with three standard deviations, each the mean moving range over 1.128."""
    centre = float(value[base].mean())
    half = SIGMAS * moving_range(value[base], screening=screening) / SPREAD
    return _flat(centre, centre - half, centre + half, len(value))


def p_limits(
    events: np.ndarray, n: np.ndarray, base: np.ndarray, *, laney: bool, screening: bool,
    floor: bool,
) -> Limits:  # fmt: skip
    """Pooled share and three standard errors of each point, cut at 0 and 1."""
    centre = float(events[base].sum() / n[base].sum())
    error = np.sqrt(centre * (1 - centre) / n)
    return _with_errors(events / n, centre, error, base, laney, screening, floor, most=1.0)


def u_limits(
    events: np.ndarray, exposure: np.ndarray, base: np.ndarray, *, laney: bool, screening: bool,
    floor: bool,
) -> Limits:  # fmt: skip
    """Pooled rate and three standard errors of each point, cut at 0."""
    centre = float(events[base].sum() / exposure[base].sum())
    error = np.sqrt(centre / exposure)
    return _with_errors(
        events / exposure, centre, error, base, laney, screening, floor, most=np.inf
    )


def g_limits(between: np.ndarray, base: np.ndarray) -> Limits:
    """Cases between events: the median, and three standard deviations of a geometric number."""
    mean = float(between[base].mean())
    half = SIGMAS * np.sqrt(mean * (mean + 1))
    return _flat(float(np.median(between[base])), max(0.0, mean - half), mean + half, len(between))


def _with_errors(
    value: np.ndarray, centre: float, error: np.ndarray, base: np.ndarray, laney: bool,
    screening: bool, floor: bool, *, most: float,
) -> Limits:  # fmt: skip
    half = SIGMAS * error
    if laney:
        z = np.divide(value - centre, error, out=np.zeros_like(value), where=error > 0)
        wider = moving_range(z[base], screening=screening) / SPREAD
        half = half * (max(1.0, wider) if floor else wider)
    lower, upper = np.maximum(centre - half, 0.0), np.minimum(centre + half, most)
    return Limits(np.full(len(value), centre), lower, upper)


def _flat(centre: float, lower: float, upper: float, n: int) -> Limits:
    return Limits(*(np.full(n, one) for one in (centre, lower, upper)))
