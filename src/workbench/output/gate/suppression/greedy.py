"""The usual method, for comparison: row by row and column by column, until no sum tells anything.

This is what is done by hand and by most tools: wherever a single sum gives a small count away, the
smallest other cell of that sum is hidden too. Several sums together can still give counts away.
"""

from __future__ import annotations

import numpy as np

from workbench.output.gate.suppression.cells import Cells
from workbench.output.gate.suppression.protection import Protection


def row_and_column(cells: Cells, protection: Protection) -> np.ndarray:
    """Hide by single sums only, the smallest cells first; one truth a cell.

    Parameters
    ----------
    cells
        All cells that are published together, with their true counts.
    protection
        What is small, and which values must stay possible.

    Returns
    -------
    numpy.ndarray
        True where a printed cell is hidden. Not attacked: it need not be safe.
    """
    small = protection.small(cells)
    counted = np.flatnonzero(cells.rest_of >= 0)
    hidden = small.copy()
    hidden[counted[small[cells.rest_of[counted]]]] = True
    unknown = hidden | ~cells.is_printed
    while True:
        before = unknown.copy()
        for row in _telling(cells, unknown, small, protection):
            _hide_one(cells, row, unknown)
        if (unknown == before).all():
            return unknown & cells.is_printed


def _telling(
    cells: Cells, unknown: np.ndarray, small: np.ndarray, protection: Protection
) -> list[int]:
    """The sums that alone give a small count away."""
    sums = abs(cells.relations)
    parts, total = cells.relations == -1, cells.relations == 1
    n_unknown = sums @ unknown.astype(np.int64)
    n_small = sums @ (small & unknown).astype(np.int64)
    together = parts @ np.where(unknown, cells.counts, 0)
    is_total_known = (total @ unknown.astype(np.int64)) == 0
    narrow = is_total_known & (together < protection.highest) & (parts @ small.astype(np.int64) > 0)
    return np.flatnonzero((n_small > 0) & ((n_unknown == 1) | narrow)).tolist()


def _hide_one(cells: Cells, row: int, unknown: np.ndarray) -> None:
    """Hide the smallest shown part of a sum that is not 0, or else the total."""
    start, end = cells.relations.indptr[row : row + 2]
    inside = cells.relations.indices[start:end]
    open_ = inside[~unknown[inside] & cells.is_printed[inside]]
    size = np.where(cells.counts[open_] == 0, np.inf, cells.counts[open_])
    unknown[open_[np.argmin(size)]] = True
