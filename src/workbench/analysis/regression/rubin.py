"""One result from several imputed data sets (Rubin's rules)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from workbench.errors import StudyError

RATIOS = ("hazard_ratio", "odds_ratio", "rate_ratio", "risk_ratio")


@dataclass(frozen=True, eq=False)
class PooledFit:
    """One model fitted to every imputed data set, as one result.

    `coefficients`: one row per term: `term`, `coefficient`, `std_error`, the ratio of the fits
    (such as `odds_ratio`; none for linear models), `lower`, `upper`, `t`, `degrees_of_freedom`,
    `p_value`, `fraction_missing` (the share of the information that is missing) and
    `relative_increase` (of the variance, from not knowing). `n`, `events`: persons in each fit and
    with the event (missing where the outcome is a number); `n_imputations`.
    """

    coefficients: pd.DataFrame
    n: int
    events: int | None
    n_imputations: int
    confidence: float


def pool(
    fits: Sequence[Any], *, confidence: float = 0.95, complete_df: float | None = None
) -> PooledFit:
    """Join the same model fitted to each imputed data set into one result.

    Parameters
    ----------
    fits
        Two or more fits of `regression` or `competing` with the same terms. Where a fit has robust
        standard errors these are used, as in its own intervals.
    complete_df
        Degrees of freedom the fit would have without missing values. By default the fit's own:
        persons (of an ordinary model; clusters, where given) or events (of a hazard model), less
        terms.

    Raises
    ------
    StudyError
        Fewer than two fits, different terms, or no standard error.

    References
    ----------
    Rubin, Multiple Imputation, 1987; Barnard and Rubin, Biometrika 1999;86:948-955.
    """
    if len(fits) < 2:
        raise StudyError("pool: expected fits to two or more imputed data sets.")
    tables = [fit.coefficients for fit in fits]
    terms = list(tables[0]["term"])
    if any(list(table["term"]) != terms for table in tables):
        raise StudyError("pool: the fits have different terms. Fit the same formula to each.")
    estimates = np.array([table["coefficient"] for table in tables])
    std_errors = np.array([table["robust_std_error"] for table in tables])
    if np.isnan(std_errors).any():
        std_errors = np.array([table["std_error"] for table in tables])
    given = complete_df if complete_df is not None else _complete_df(fits[0])
    pooled = combine(estimates, std_errors, complete_df=given, confidence=confidence)
    pooled = pooled.rename(columns={"estimate": "coefficient"})
    ratio = next((name for name in RATIOS if name in tables[0]), None)
    if ratio is not None:
        pooled.insert(2, ratio, np.exp(pooled["coefficient"]))
        pooled[["lower", "upper"]] = np.exp(pooled[["lower", "upper"]])
    pooled.insert(0, "term", terms)
    return PooledFit(pooled, fits[0].n, fits[0].events, len(fits), confidence)


def combine(
    estimates: ArrayLike,
    std_errors: ArrayLike,
    *,
    complete_df: float = np.inf,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Join estimates of several imputed data sets by Rubin's rules.

    Parameters
    ----------
    estimates, std_errors
        Imputations x quantities (or a list of one number each), on the scale where the estimate is
        nearly normal: logarithms of ratios.
    complete_df
        Degrees of freedom without missing values; infinite for large samples.

    Returns
    -------
    One row a quantity: `estimate`, `std_error`, `lower`, `upper`, `t`, `degrees_of_freedom`,
    `p_value`, `fraction_missing`, `relative_increase`.

    Raises
    ------
    StudyError
        Fewer than two imputations, different shapes, or standard errors that are not above 0.

    References
    ----------
    Rubin, Multiple Imputation, 1987; Barnard and Rubin, Biometrika 1999;86:948-955.
    """
    found, errors = np.asarray(estimates, dtype=float), np.asarray(std_errors, dtype=float)
    if found.shape != errors.shape or found.ndim not in (1, 2) or len(found) < 2:
        raise StudyError("combine: expected as many standard errors as estimates, two or more.")
    if not (np.isfinite(found).all() and np.isfinite(errors).all() and (errors > 0).all()):
        raise StudyError("combine: expected finite estimates and standard errors above 0.")
    found, errors = found.reshape(len(found), -1), errors.reshape(len(found), -1)
    m = len(found)
    estimate, within = found.mean(axis=0), (errors**2).mean(axis=0)
    between = (1 + 1 / m) * found.var(axis=0, ddof=1)
    total = within + between
    increase, share = between / within, between / total
    df = _degrees_of_freedom(share, m, complete_df)
    std_error = np.sqrt(total)
    half = stats.t.ppf((1 + confidence) / 2, df) * std_error
    return pd.DataFrame(
        {
            "estimate": estimate,
            "std_error": std_error,
            "lower": estimate - half,
            "upper": estimate + half,
            "t": estimate / std_error,
            "degrees_of_freedom": df,
            "p_value": 2 * stats.t.sf(np.abs(estimate / std_error), df),
            "fraction_missing": (increase + 2 / (df + 3)) / (increase + 1),
            "relative_increase": increase,
        }
    )


def _degrees_of_freedom(share: np.ndarray, m: int, complete_df: float) -> np.ndarray:
    with np.errstate(divide="ignore"):
        old = (m - 1) / share**2
    if np.isinf(complete_df):
        return old
    observed = (complete_df + 1) / (complete_df + 3) * complete_df * (1 - share)
    # written without old in the numerator: it is infinite where nothing differs
    return observed / (1 + observed / old)


def _complete_df(fit: Any) -> float:
    own = getattr(fit, "residual_df", None)
    return float(own if own is not None else max(1, fit.events - len(fit.coefficients)))
