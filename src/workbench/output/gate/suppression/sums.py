"""What single sums tell of hidden counts: fast, and enough to find most of what is given away."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from workbench.output.gate.suppression.bands import Bands
from workbench.output.gate.suppression.cells import Cells

UNBOUNDED = 2**40  # above every count, and small enough to be added up without rounding
MOST_SWEEPS = 200


def possible_by_sums(
    cells: Cells, unknown: np.ndarray, bands: Bands | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The least and the greatest that each cell can be, from one sum at a time.

    Parameters
    ----------
    cells
        All cells with their true counts.
    unknown
        One truth a cell: the reader does not know it.
    bands
        Other printed numbers.

    Returns
    -------
    tuple of numpy.ndarray
        Least and greatest, one element a cell; the true count where it is known.
    """
    matrix, lower = cells.relations, np.zeros(cells.relations.shape[0], dtype=np.int64)
    upper = lower
    if bands is not None:
        matrix = sparse.vstack([matrix, bands.matrix], format="csr")
        lower = np.concatenate([lower, bands.lower])
        upper = np.concatenate([upper, bands.upper])
    free = np.flatnonzero(unknown)
    known = matrix @ np.where(unknown, 0, cells.counts)
    left = matrix[:, free].tocsr()
    left.eliminate_zeros()
    matters = np.flatnonzero(np.diff(left.indptr))
    least, most = cells.counts.copy(), cells.counts.copy()
    least[free], most[free] = narrowed(
        left[matters], (lower - known)[matters], (upper - known)[matters]
    )
    return least, most


def narrowed(
    matrix: sparse.csr_array, lower: np.ndarray, upper: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Bounds of whole numbers >= 0 by each row alone, repeated until nothing changes.

    Whatever lies outside the bounds is impossible; not all inside need be possible.
    """
    least = np.zeros(matrix.shape[1], dtype=np.int64)
    most = np.full(matrix.shape[1], UNBOUNDED, dtype=np.int64)
    if matrix.nnz == 0:
        return least, most
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    cells, entries = matrix.indices, matrix.data
    for _ in range(MOST_SWEEPS):
        low = np.where(entries > 0, entries * least[cells], entries * most[cells])
        high = np.where(entries > 0, entries * most[cells], entries * least[cells])
        sum_low = _sums(rows, low, matrix.shape[0])
        sum_high = _sums(rows, high, matrix.shape[0])
        # what the other cells of the row leave to this one
        from_below = lower[rows] - (sum_high[rows] - high)
        from_above = upper[rows] - (sum_low[rows] - low)
        size = np.abs(entries)
        up = np.where(entries > 0, from_above, -from_below) // size
        down = -(-np.where(entries > 0, from_below, -from_above) // size)
        new_least, new_most = least.copy(), most.copy()
        np.maximum.at(new_least, cells, down)
        np.minimum.at(new_most, cells, up)
        if (new_least == least).all() and (new_most == most).all():
            break
        least, most = new_least, new_most
    return least, most


def _sums(rows: np.ndarray, terms: np.ndarray, n_rows: int) -> np.ndarray:
    """Sums by row in whole numbers (weights of bincount would be rounded)."""
    total = np.zeros(n_rows, dtype=np.int64)
    np.add.at(total, rows, terms)
    return total
