"""Counts as they are given to the calls of this room, checked: none missing, none negative."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from workbench.errors import DataError, StudyError

ArrayLike = Any  # a number, a sequence, an array or a Series


def read_counts(values: ArrayLike, name: str) -> np.ndarray:
    """Whole numbers of 0 or more; a missing one is never taken for 0.

    Raises
    ------
    DataError
        Values that are missing, negative, no numbers or not whole, with how many.
    """
    numbers = read_amounts(values, name)
    if n_odd := int((numbers % 1 != 0).sum()):
        raise DataError(f"{name}: {n_odd} values are not whole numbers of events or persons.")
    return numbers


def read_amounts(values: ArrayLike, name: str) -> np.ndarray:
    """Numbers of 0 or more (person-time, expected events).

    Raises
    ------
    DataError
        Values that are missing, negative or no numbers, with how many.
    """
    series = pd.Series(values) if np.ndim(values) else pd.Series([values])
    numbers = pd.to_numeric(series, errors="coerce").to_numpy(float, na_value=np.nan)
    if n_odd := int((~np.isfinite(numbers)).sum()):
        raise DataError(
            f"{name}: {n_odd} values are missing or no numbers. What is not known is not 0: leave "
            "these rows out, or find it."
        )
    if n_odd := int((numbers < 0).sum()):
        raise DataError(f"{name}: {n_odd} values are below 0.")
    return numbers


def read_pair(events: ArrayLike, n: ArrayLike, names: tuple[str, str]) -> tuple[np.ndarray, ...]:
    """Events and the persons they are of, of one length.

    Raises
    ------
    DataError
        As `read_counts`; more events than persons; two lengths.
    """
    x, of = read_counts(events, names[0]), read_counts(n, names[1])
    if len(x) != len(of):
        raise DataError(f"{names[0]} and {names[1]}: {len(x)} and {len(of)} values.")
    if n_odd := int((x > of).sum()):
        raise DataError(f"{names[0]}: above {names[1]} in {n_odd} rows.")
    return x, of


def check_level(confidence: float) -> float:
    """The share left out on each side of an interval.

    Raises
    ------
    StudyError
        Not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise StudyError("confidence: expected a number between 0 and 1, such as 0.95.")
    return (1 - confidence) / 2


def index_of(values: ArrayLike) -> pd.Index | None:
    """The index that results keep: that of the Series that was given."""
    return values.index if isinstance(values, pd.Series) else None
