"""The counts of a funnel, read and checked: shares, ratios to what is expected, rates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.analysis.units.counted import read_amounts, read_counts, read_pair
from workbench.analysis.units.mid_p import Binomial, Counts, Poisson
from workbench.errors import DataError, StudyError


@dataclass(frozen=True)
class FunnelCounts:
    """Counts of units and what chance makes of them; `size` is n, expected events or exposure.

    A count times `scale` is the estimate; `kind` is "share", "ratio" or "rate".
    """

    events: np.ndarray
    size: np.ndarray
    among: Counts
    scale: np.ndarray
    kind: str
    centre: float


def read_funnel(
    table: pd.DataFrame, events: str, given: Mapping[str, str | None], centre: float | None
) -> FunnelCounts:
    """Read a funnel's counts; `given` says which of n, expected and exposure is which column.

    Raises
    ------
    DataError, StudyError
        As `funnel`.
    """
    columns = {kind: column for kind, column in given.items() if column is not None}
    if len(columns) != 1:
        raise StudyError("funnel: give one of n, expected, exposure.")
    kind, column = next(iter(columns.items()))
    if kind == "n":
        return _shares(table, events, column, centre)
    return _ratios(table, events, column, kind, centre)


def _shares(table: pd.DataFrame, events: str, n: str, centre: float | None) -> FunnelCounts:
    x, size = read_pair(table[events], table[n], (events, n))
    if not size.sum():
        raise DataError(f"{n}: no unit has patients.")
    middle = float(x.sum() / size.sum()) if centre is None else centre
    if not 0 <= middle <= 1:
        raise StudyError("centre: expected a share between 0 and 1.")
    with np.errstate(divide="ignore"):
        return FunnelCounts(x, size, Binomial(size, middle), 1 / size, "share", middle)


def _ratios(
    table: pd.DataFrame, events: str, column: str, kind: str, centre: float | None
) -> FunnelCounts:
    x, size = read_counts(table[events], events), read_amounts(table[column], column)
    if n_odd := int(((size == 0) & (x > 0)).sum()):
        raise DataError(
            f"{column}: 0 in {n_odd} units that have events. Look at these units first."
        )
    if not size.any():
        raise DataError(f"{column}: 0 in every unit.")
    middle = 1.0 if kind == "expected" else float(x.sum() / size.sum())
    middle = middle if centre is None else centre
    if middle < 0:
        raise StudyError("centre: expected a number of 0 or more.")
    words = "ratio" if kind == "expected" else "rate"
    with np.errstate(divide="ignore"):
        return FunnelCounts(x, size, Poisson(size * middle), 1 / size, words, middle)
