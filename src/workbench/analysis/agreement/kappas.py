"""Cohen's kappa, plain and weighted: agreement beyond what chance alone would give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from workbench.analysis.units.counted import check_level
from workbench.errors import DataError, StudyError

WEIGHTS = ("linear", "quadratic")
ALL_ONE = "All cases are in one category: chance alone would agree as well, and there is no kappa."
ALL_ALIKE = "All agree: the interval of kappa has no width; look at that of the share that agrees."


def kappa(
    original: Sequence[Any] | pd.Series, second: Sequence[Any] | pd.Series, *,
    categories: Sequence[object] | None = None, weights: str | None = None,
    confidence: float = 0.95,
) -> dict[str, Any]:  # fmt: skip
    """Say how far two readings of the same cases agree beyond chance.

    Parameters
    ----------
    original, second
        The category of each case, in the same order; none missing.
    categories
        All categories, in their order where they are weighted; else those that occur.
    weights
        Nothing (all disagreement counts alike), "linear" or "quadratic" (the further apart, the
        more it counts; categories need an order).

    Returns
    -------
    `n`, `observed` (weighted share that agrees), `expected` (by chance), `estimate` (kappa),
    `std_error`, `lower`, `upper`, `std_error_null`, `p_value` (two-sided, of kappa 0), `note`.
    Limits are missing where all agree, everything where there is one category only.

    Raises
    ------
    DataError, StudyError
        Two lengths, missing values, categories that are not named; weights without an order.

    References
    ----------
    Cohen, Educ Psychol Meas 1960;20:37-46; Cohen, Psychol Bull 1968;70:213-220; Fleiss, Cohen and
    Everitt, Psychol Bull 1969;72:323-327 (standard errors).
    """
    one, other = (
        pd.Series(original).reset_index(drop=True),
        pd.Series(second).reset_index(drop=True),
    )
    if len(one) != len(other) or not len(one):
        raise DataError(f"original and second: {len(one)} and {len(other)} cases.")
    if n_missing := int((one.isna() | other.isna()).sum()):
        raise DataError(f"original and second: missing in {n_missing} cases. Leave them out, told.")
    if categories is None and weights is not None:
        raise StudyError("categories: weighted kappa needs them all, in their order.")
    known = _known(one, other) if categories is None else list(categories)
    rows, columns = (pd.Index(known).get_indexer(values) for values in (one, other))
    if n_odd := int(((rows < 0) | (columns < 0)).sum()):
        raise DataError(f"categories: {n_odd} cases have a category that is not named.")
    table = np.zeros((len(known), len(known)))
    np.add.at(table, (rows, columns), 1)
    return kappa_of_table(table, weights=weights, confidence=confidence)


def kappa_of_table(
    table: np.ndarray, *, weights: str | None = None, confidence: float = 0.95
) -> dict[str, Any]:
    """As `kappa`, of a square table of cases: rows the first reading, columns the second."""
    counts = np.asarray(table, dtype=float)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or not np.isfinite(counts).all():
        raise DataError("table: expected as many rows as columns, all numbers.")
    if (counts < 0).any() or counts.sum() <= 0:
        raise DataError("table: expected counts of 0 or more, and at least one case.")
    tail = check_level(confidence)
    n, p = float(counts.sum()), counts / counts.sum()
    weight = _weights(len(p), weights)
    row, column = p.sum(axis=1), p.sum(axis=0)
    observed, expected = float((weight * p).sum()), float(row @ weight @ column)
    told: dict[str, Any] = {"n": int(n), "observed": observed, "expected": expected}
    nothing = ("estimate", "std_error", "lower", "upper", "std_error_null", "p_value")
    if 1 - expected < 1e-12:
        return told | dict.fromkeys(nothing, np.nan) | {"note": ALL_ONE}
    mean = (weight @ column)[:, None] + (row @ weight)[None, :]
    error = _error(p, weight, mean, observed, expected, n)
    null = np.outer(row, column) * (weight - mean) ** 2
    error_null = float(np.sqrt(max(null.sum() - expected**2, 0.0) / n)) / (1 - expected)
    estimate, z = (observed - expected) / (1 - expected), float(stats.norm.isf(tail))
    p_value = float(2 * stats.norm.sf(abs(estimate) / error_null)) if error_null > 0 else np.nan
    is_whole = 1 - observed < 1e-12
    half = np.nan if is_whole else z * error
    return told | {
        "estimate": estimate, "std_error": error, "lower": max(estimate - half, -1.0),
        "upper": min(estimate + half, 1.0) if not is_whole else np.nan,
        "std_error_null": error_null, "p_value": p_value, "note": ALL_ALIKE if is_whole else "",
    }  # fmt: skip


def _error(
    p: np.ndarray, weight: np.ndarray, mean: np.ndarray, observed: float, expected: float, n: float
) -> float:
    """Standard error of kappa where kappa is not 0 (Fleiss, Cohen and Everitt, formula 13)."""
    inner = (p * (weight * (1 - expected) - mean * (1 - observed)) ** 2).sum()
    spread = inner - (observed * expected - 2 * expected + observed) ** 2
    return float(np.sqrt(max(spread, 0.0) / n)) / (1 - expected) ** 2


def _weights(size: int, weights: str | None) -> np.ndarray:
    """Agreement weights: 1 on the diagonal, 0 at the far corners."""
    if weights is None:
        return np.eye(size)
    if weights not in WEIGHTS:
        raise StudyError(f"weights: expected {' or '.join(WEIGHTS)}, or nothing.")
    if size < 2:
        return np.eye(size)
    apart = np.abs(np.subtract.outer(np.arange(size), np.arange(size))) / (size - 1)
    return 1 - (apart if weights == "linear" else apart**2)


def _known(one: pd.Series, other: pd.Series) -> list[object]:
    try:
        return sorted(set(one) | set(other))
    except TypeError as odd:
        raise DataError("original and second: values of several kinds. Make them alike.") from odd
