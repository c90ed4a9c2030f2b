"""The cells of everything that is published together, and the sums that tie them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import sparse

from workbench.output.gate.suppression.hierarchies import Hierarchy

MEASURE = "measure"
COUNT, REST, TOTAL = "count", "rest", "total"


@dataclass(frozen=True, eq=False)
class Grid:
    """Where the cells lie in the product of their dimensions.

    `codes` are the nodes of each cell (cells x dimensions); `lookup` finds a cell from the sum of
    node x stride over the dimensions, -1 where there is no such cell.
    """

    trees: tuple[Hierarchy, ...]
    codes: np.ndarray
    lookup: np.ndarray
    strides: np.ndarray

    def near(self, cell: int) -> np.ndarray:
        """The cells on the levels above one and all below its parents; one truth a cell."""
        inside = np.ones(len(self.codes), dtype=bool)
        for axis, tree in enumerate(self.trees):
            inside &= tree.near(int(self.codes[cell, axis]))[self.codes[:, axis]]
        return inside


@dataclass(frozen=True, eq=False)
class Cells:
    """Counts that are published together, with the sums between them.

    `names` tells what each cell is, `counts` the true counts. A row of `relations` is a sum: its
    cells times its entries give 0 (1 for the total, -1 for each part). `is_printed` is False for a
    cell that exists without being published: the rest of a group, or a margin that is left out.
    """

    names: pd.DataFrame
    counts: np.ndarray
    relations: sparse.csr_array
    is_printed: np.ndarray
    grid: Grid | None = None

    def __len__(self) -> int:
        """The number of cells, printed or not."""
        return len(self.counts)

    @cached_property
    def is_rest(self) -> np.ndarray:
        """Which cells count those of a group who are not in the count."""
        return self._measured(REST)

    @cached_property
    def rest_of(self) -> np.ndarray:
        """The cell of the rest of each count; -1 where there is none."""
        return self._partner(COUNT, REST)

    @cached_property
    def total_of(self) -> np.ndarray:
        """The cell of the group of each count and of each rest; -1 where there is none."""
        return np.maximum(self._partner(COUNT, TOTAL), self._partner(REST, TOTAL))

    @property
    def total_values(self) -> np.ndarray:
        """Size of each cell's group; without a group of its own the cell's table, taken as 1."""
        sizes = np.where(self.total_of >= 0, self.counts[self.total_of], 1)
        return np.where(self._measured(TOTAL), self.counts, sizes)

    def _measured(self, measure: str) -> np.ndarray:
        if MEASURE not in self.names:
            return np.zeros(len(self), dtype=bool)
        return (self.names[MEASURE] == measure).to_numpy()

    def _partner(self, one: str, other: str) -> np.ndarray:
        """For the cells of one measure the cell of the other in the same group."""
        partner = np.full(len(self), -1)
        if MEASURE in self.names:
            # cells_of lays the measures out in the same order of groups
            partner[self._measured(one)] = np.flatnonzero(self._measured(other))
        return partner
