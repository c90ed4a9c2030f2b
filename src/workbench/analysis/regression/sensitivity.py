"""How strong an unmeasured confounder would have to be to explain a result away (E-value)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from workbench.errors import StudyError, did_you_mean, gathered

# each measure on the scale of a risk ratio (VanderWeele and Ding, 2017, table 2)
MEASURES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "risk_ratio": lambda x: x,
    "rate_ratio": lambda x: x,
    "odds_ratio": np.sqrt,
    "hazard_ratio": lambda x: (1 - 0.5 ** np.sqrt(x)) / (1 - 0.5 ** np.sqrt(1 / x)),
}


def e_value(
    estimate: ArrayLike,
    lower: ArrayLike | None = None,
    upper: ArrayLike | None = None,
    *,
    measure: str = "risk_ratio",
    is_rare: bool = False,
    true: float = 1.0,
) -> pd.DataFrame:
    """Say how strong unmeasured confounding would have to be to explain a ratio away.

    The E-value is the smallest risk ratio that an unmeasured confounder would need with both the
    exposure and the outcome, beyond all covariates in the model, to move the estimate to `true`.

    Parameters
    ----------
    estimate, lower, upper
        One or more ratios and their confidence limits, above 0; limits may be left out.
    measure
        "risk_ratio", "rate_ratio", "odds_ratio" or "hazard_ratio".
    is_rare
        Whether the outcome is rare (below about 15 %) at the end of follow-up: odds and hazard
        ratios are then near risk ratios and are used as they stand. Otherwise they are first
        brought to that scale by the approximations of the source.
    true
        The risk ratio to move the estimate to; 1 for no effect.

    Returns
    -------
    One row an estimate: `estimate`, `lower`, `upper` as given, `risk_ratio` (the scale of the
    E-value), `e_value` for the estimate and `e_value_limit` for the limit that is nearer to
    `true` (1 where the interval holds it, missing without limits).

    Raises
    ------
    StudyError
        An unknown measure; ratios that are not above 0; limits on the wrong side.

    References
    ----------
    VanderWeele and Ding, Ann Intern Med 2017;167:268-274.
    """
    if measure not in MEASURES:
        raise StudyError(f'e_value: no measure "{measure}".{did_you_mean(measure, MEASURES)}')
    point = np.atleast_1d(np.asarray(estimate, dtype=float))
    low, high = (_limits(limit, point) for limit in (lower, upper))
    _check(point, low, high, true)
    scale = MEASURES["risk_ratio" if is_rare else measure]
    ratio, low_ratio, high_ratio = (scale(values) for values in (point, low, high))
    nearest = np.where(ratio >= true, low_ratio, high_ratio)
    inside = (low_ratio <= true) & (high_ratio >= true)
    # with one limit only, it decides: it lies on the estimate's own side or it does not
    crossed = inside | np.where(ratio >= true, nearest <= true, nearest >= true)
    at_limit = np.where(crossed, 1.0, _needed(nearest, true))
    return pd.DataFrame(
        {
            "estimate": point,
            "lower": low,
            "upper": high,
            "risk_ratio": ratio,
            "e_value": _needed(ratio, true),
            "e_value_limit": np.where(np.isnan(nearest), np.nan, at_limit),
        }
    )


def _needed(ratio: np.ndarray, true: float) -> np.ndarray:
    away = np.maximum(ratio / true, true / ratio)
    return away + np.sqrt(away * (away - 1))


def _limits(limit: ArrayLike | None, point: np.ndarray) -> np.ndarray:
    if limit is None:
        return np.full(point.shape, np.nan)
    return np.atleast_1d(np.asarray(limit, dtype=float))


def _check(point: np.ndarray, low: np.ndarray, high: np.ndarray, true: float) -> None:
    if not point.shape == low.shape == high.shape or point.ndim != 1:
        raise StudyError("e_value: expected as many lower and upper limits as estimates.")
    faults = []
    if n_odd := int((~(np.isfinite(point) & (point > 0))).sum()):
        faults.append(f"the estimate is not a finite number above 0 in {n_odd} rows")
    with np.errstate(invalid="ignore"):
        n_wrong = int(((low > point) | (high < point) | (low <= 0)).sum())
    if n_wrong:
        faults.append(f"the limits do not enclose the estimate, or are not above 0, in {n_wrong}")
    if not (np.isfinite(true) and true > 0):
        faults.append("true: expected a risk ratio above 0")
    if faults:
        raise StudyError(gathered("e_value: expected ratios and their limits.", faults))
