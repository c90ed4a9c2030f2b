"""Differences and ratios of each group's estimate to that of a reference group."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from workbench.analysis.survival.intervals import normal_quantile
from workbench.errors import DataError, StudyError


def reference_row(groups: pd.DataFrame, reference: object) -> int:
    """The row of the reference group; None is the first.

    Raises
    ------
    DataError, StudyError
        One group only; a reference that is no group.
    """
    if len(groups) < 2:
        raise DataError(
            f"by={list(groups.columns)}: one group only; a comparison needs two or more."
        )
    if reference is None:
        return 0
    wanted = reference if isinstance(reference, tuple) else (reference,)
    if len(wanted) == len(groups.columns):
        same = np.logical_and.reduce(
            [(groups[name] == value).to_numpy() for name, value in zip(groups, wanted, strict=True)]
        )
        if same.any():
            return int(np.flatnonzero(same)[0])
    raise StudyError(f"reference: no such group in the columns {list(groups.columns)}.")


def differences(
    estimate: np.ndarray, std_error: np.ndarray, row: int, confidence: float
) -> dict[str, np.ndarray]:
    """Differences from the reference row, with a symmetric interval and a two-sided p-value."""
    difference = estimate - estimate[row]
    spread = np.hypot(std_error, std_error[row])
    half = normal_quantile(confidence) * spread
    limits = {"lower": difference - half, "upper": difference + half}
    facts = {"estimate": difference, "std_error": spread} | limits
    return facts | {"p_value": _p_value(difference, spread)}


def ratios(
    estimate: np.ndarray, std_error: np.ndarray, row: int, confidence: float
) -> dict[str, np.ndarray]:
    """Ratios to the reference row; error, interval and p-value on the logarithmic scale."""
    known = np.where(estimate > 0, estimate, np.nan)
    logarithm, spread = (
        np.log(known / known[row]),
        np.hypot(std_error / known, std_error[row] / known[row]),
    )
    half = normal_quantile(confidence) * spread
    limits = {"lower": np.exp(logarithm - half), "upper": np.exp(logarithm + half)}
    facts = {"estimate": np.exp(logarithm), "std_error": spread} | limits
    return facts | {"p_value": _p_value(logarithm, spread)}


def _p_value(contrast: np.ndarray, spread: np.ndarray) -> np.ndarray:
    # without any event in both groups there is no error to compare with
    z = np.divide(contrast, spread, out=np.full(len(contrast), np.nan), where=spread > 0)
    return 2 * stats.norm.sf(np.abs(z))
