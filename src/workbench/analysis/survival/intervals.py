"""Confidence limits of a share (survival, incidence) on three scales."""

from __future__ import annotations

import numpy as np
from scipy import stats

from workbench.errors import StudyError

INTERVALS = ("log-log", "log", "plain")


def check_interval(confidence: float, interval: str, known: tuple[str, ...] = INTERVALS) -> None:
    """Refuse a confidence outside 0-1 and an unknown scale (StudyError)."""
    if interval not in known:
        raise StudyError(f"interval: expected one of {', '.join(known)}.")
    if not 0 < confidence < 1:
        raise StudyError("confidence: expected a number between 0 and 1, such as 0.95.")


def normal_quantile(confidence: float) -> float:
    """Half the width of an interval of the normal distribution, in standard errors."""
    return float(stats.norm.ppf((1 + confidence) / 2))


def limits(
    share: np.ndarray, spread: np.ndarray, confidence: float, interval: str
) -> tuple[np.ndarray, np.ndarray]:
    """Give the limits of shares within 0-1.

    Parameters
    ----------
    share
        The estimates p, 0-1.
    spread
        Standard error of log p, that is the standard error of p over p; same shape.
    confidence, interval
        Coverage, and the scale on which the interval is symmetric: "plain" p, "log" log p,
        "log-log" log(-log p). With half = z x spread: p -+ p half; p exp(-+ half);
        p^exp(-+ half / log p).

    Returns
    -------
    Lower and upper limits, cut at 0 and 1. Where the share is 1 both are 1: nothing has happened
    yet. Where it is 0 both are missing.

    References
    ----------
    Kalbfleisch and Prentice, 2002, section 1.4.
    """
    lower, upper = np.full(share.shape, np.nan), np.full(share.shape, np.nan)
    lower[share == 1], upper[share == 1] = 1.0, 1.0
    inside = (share > 0) & (share < 1)
    s, half = share[inside], normal_quantile(confidence) * spread[inside]
    if interval == "plain":
        low, high = s - s * half, s + s * half
    elif interval == "log":
        low, high = s * np.exp(-half), s * np.exp(half)
    else:
        low, high = s ** np.exp(-half / np.log(s)), s ** np.exp(half / np.log(s))
    lower[inside], upper[inside] = np.maximum(low, 0.0), np.minimum(high, 1.0)
    return lower, upper
