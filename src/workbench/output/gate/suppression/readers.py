"""Readers who know more than the public: a unit its own counts, everybody what was shown before."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd

from workbench.errors import DataError, did_you_mean
from workbench.output.gate.suppression.cells import Cells


def as_readers(cells: Cells, readers: np.ndarray | None) -> np.ndarray:
    """Readers x cells; without any given, one reader who knows only what is shown."""
    if readers is None:
        return np.zeros((1, len(cells)), dtype=bool)
    given = np.atleast_2d(np.asarray(readers))
    if given.shape[1:] != (len(cells),) or given.dtype != bool or not len(given):
        raise DataError(
            f"readers: expected one truth for each reader and each of {len(cells)} cells."
        )
    return given


def holders(cells: Cells, dimension: str, labels: Sequence[Hashable] | None = None) -> np.ndarray:
    """The public, then one reader for each unit who knows that unit's own counts.

    Parameters
    ----------
    cells
        All cells.
    dimension
        The dimension whose labels get packs of their own.
    labels
        Those that do; all but the total without it.

    Returns
    -------
    numpy.ndarray
        Truths, (1 + labels) x cells: what each reader knows besides what is shown.

    Raises
    ------
    DataError
        An unknown dimension or label.
    """
    if dimension not in cells.names:
        raise DataError(f'"{dimension}" is not a dimension.{did_you_mean(dimension, cells.names)}')
    column = cells.names[dimension]
    known = list(dict.fromkeys(column))
    if labels is None:
        labels = known[1:]
    for one in labels:
        if one not in set(known):
            raise DataError(f'"{dimension}" has no {one}.{did_you_mean(str(one), map(str, known))}')
    readers = [np.zeros(len(cells), dtype=bool)]
    readers += [_with_sums(cells, (column == one).to_numpy()) for one in labels]
    return np.array(readers)


def _with_sums(cells: Cells, known: np.ndarray) -> np.ndarray:
    """What follows from known counts without any release: a region with one unit is that unit."""
    members = abs(cells.relations).astype(np.int64)
    while True:
        n_unknown = members @ (~known).astype(np.int64)
        one_left = (members.T @ (n_unknown == 1).astype(np.int64)) > 0
        if not (one_left & ~known).any():
            return known
        known = known | one_left


def shown_before(cells: Cells, earlier: pd.DataFrame) -> np.ndarray:
    """Which cells an earlier release of the same counts has shown; one truth a cell.

    Parameters
    ----------
    cells
        All cells.
    earlier
        One row a cell that was shown: the columns of `cells.names`.

    Raises
    ------
    DataError
        A column is missing, or a row names no cell of these.
    """
    columns = list(cells.names)
    for column in columns:
        if column not in earlier:
            raise DataError(f'earlier: no column "{column}".{did_you_mean(column, earlier)}')
    own = pd.MultiIndex.from_frame(cells.names.astype(object))
    before = pd.MultiIndex.from_frame(earlier[columns].astype(object))
    places = own.get_indexer(before)
    if (places < 0).any():
        raise DataError(
            f"earlier: {int((places < 0).sum())} rows name no cell of this release. Leave them out."
        )
    shown = np.zeros(len(cells), dtype=bool)
    shown[places] = True
    return shown
