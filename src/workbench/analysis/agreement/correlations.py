"""Agreement of numbers: intraclass correlation, and how far two readings lie apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from workbench.analysis.units.counted import check_level
from workbench.errors import DataError, StudyError

MODELS = ("agreement", "consistency", "one-way")


def icc(readings: Any, *, model: str = "agreement", confidence: float = 0.95) -> dict[str, float]:
    """Give the intraclass correlation of single readings: 1 when all readings of a case are equal.

    Parameters
    ----------
    readings
        One row a case, one column a reader, none missing (a frame or an array).
    model
        "agreement" (readers may differ by a constant, and that counts against them: ICC(2,1)),
        "consistency" (it does not: ICC(3,1)), "one-way" (each case has readers of its own:
        ICC(1,1)).

    Returns
    -------
    `n` (cases), `estimate`, `lower`, `upper`; missing where nothing varies.

    Raises
    ------
    DataError, StudyError
        Fewer than two cases or readers; values that are missing or no numbers; another model.

    References
    ----------
    Shrout and Fleiss, Psychol Bull 1979;86:420-428; McGraw and Wong, Psychol Methods 1996;1:30-46.
    """
    if model not in MODELS:
        raise StudyError(f"model: expected one of {', '.join(MODELS)}.")
    values, tail = _numbers(readings), check_level(confidence)
    n, k = values.shape
    between, readers, error, within = _mean_squares(values)
    nothing = {"n": n, "estimate": np.nan, "lower": np.nan, "upper": np.nan}
    if between + within <= 0:
        return nothing
    if model == "agreement":
        below = between + (k - 1) * error + k * (readers - error) / n
        if below <= 0:
            return nothing
        estimate = (between - error) / below
        lower, upper = _agreement_limits(n, k, between, readers, error, estimate, tail)
        return {"n": n, "estimate": estimate, "lower": lower, "upper": upper}
    noise, freedom = (error, (n - 1) * (k - 1)) if model == "consistency" else (within, n * (k - 1))
    estimate = (between - noise) / (between + (k - 1) * noise)
    if noise <= 0:
        return {"n": n, "estimate": estimate, "lower": 1.0, "upper": 1.0}
    ratio = between / noise
    low = ratio / float(stats.f.isf(tail, n - 1, freedom))
    high = ratio * float(stats.f.isf(tail, freedom, n - 1))
    limits = [(one - 1) / (one + k - 1) for one in (low, high)]
    return {"n": n, "estimate": estimate, "lower": limits[0], "upper": limits[1]}


def limits_of_agreement(original: Any, second: Any, *, confidence: float = 0.95) -> dict[str, Any]:
    """Say how far a second reading lies from the original: on average, and for single cases.

    Returns
    -------
    `n`, `estimate` (mean of second less original), `lower`, `upper` (its Student interval),
    `std_dev`, `lower_case`, `upper_case` (between these lie about 95 % of single differences).

    Raises
    ------
    DataError
        Two lengths, fewer than two cases, values that are missing or no numbers.

    References
    ----------
    Bland and Altman, Lancet 1986;327:307-310.
    """
    one, other = pd.Series(original).to_numpy(), pd.Series(second).to_numpy()
    if len(one) != len(other):
        raise DataError(f"original and second: {len(one)} and {len(other)} cases.")
    values, tail = _numbers(np.column_stack([one, other])), check_level(confidence)
    apart = values[:, 1] - values[:, 0]
    n, middle, spread = len(apart), float(apart.mean()), float(apart.std(ddof=1))
    half = float(stats.t.isf(tail, n - 1)) * spread / np.sqrt(n)
    single = float(stats.norm.isf(0.025)) * spread
    told = {"n": n, "estimate": middle, "lower": middle - half, "upper": middle + half}
    return told | {
        "std_dev": spread, "lower_case": middle - single, "upper_case": middle + single,
    }  # fmt: skip


def _numbers(readings: Any) -> np.ndarray:
    table = pd.DataFrame(readings).apply(pd.to_numeric, errors="coerce")
    values = table.to_numpy(float, na_value=np.nan)
    if n_odd := int((~np.isfinite(values)).any(axis=1).sum()):
        raise DataError(f"readings: missing or no number in {n_odd} cases. Leave them out, told.")
    if min(values.shape) < 2:
        raise DataError("readings: expected at least two cases and two readers.")
    return values


def _mean_squares(values: np.ndarray) -> tuple[float, ...]:
    """Mean squares between cases, between readers, of error, and within cases."""
    n, k = values.shape
    middle = values.mean()
    cases = k * ((values.mean(axis=1) - middle) ** 2).sum()
    readers = n * ((values.mean(axis=0) - middle) ** 2).sum()
    left = values - values.mean(axis=1)[:, None] - values.mean(axis=0)[None, :] + middle
    error = (left**2).sum()
    within = (error + readers) / (n * (k - 1))
    squares = (cases / (n - 1), readers / (k - 1), error / ((n - 1) * (k - 1)), within)
    return tuple(float(one) for one in squares)


def _agreement_limits(
    n: int, k: int, between: float, readers: float, error: float, estimate: float, tail: float
) -> tuple[float, float]:
    """Limits of ICC(2,1) with Satterthwaite's degrees of freedom (Shrout and Fleiss, 1979)."""
    if error <= 0:
        return (1.0, 1.0) if readers <= 0 else (np.nan, np.nan)
    ratio = readers / error
    a = k * estimate * ratio
    b = n * (1 + (k - 1) * estimate) - k * estimate
    freedom = (k - 1) * (n - 1) * (a + b) ** 2 / ((n - 1) * a**2 + b**2)
    over = float(stats.f.isf(tail, n - 1, freedom))
    under = float(stats.f.isf(tail, freedom, n - 1))
    noise = k * readers + (k * n - k - n) * error
    lower = n * (between - over * error) / (over * noise + n * between)
    upper = n * (under * between - error) / (noise + n * under * between)
    return lower, upper
