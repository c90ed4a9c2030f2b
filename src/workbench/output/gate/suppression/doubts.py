"""Doubts: other tables that fit all that is shown, and what each keeps possible.

A doubt is a change of the true table (cells and by how much) after which every sum still holds,
every printed number would be printed alike and no count is below zero. A protected value is safe
from a reader when some doubt that changes nothing this reader knows gives the cell that value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from workbench.output.gate.suppression.bands import Bands
from workbench.output.gate.suppression.cells import Cells
from workbench.output.gate.suppression.doubt_kernels import count_behind, fits
from workbench.output.gate.suppression.protection import Protection
from workbench.output.gate.suppression.sums import possible_by_sums


@dataclass(frozen=True, eq=False)
class Doubt:
    """Cells and their changes."""

    cells: np.ndarray
    changes: np.ndarray


class Fit:
    """Whether a change keeps every sum, every band and every count at zero or above."""

    def __init__(self, cells: Cells, bands: Bands | None) -> None:
        """Lay the rows out by cells, in whole numbers."""
        rows = cells.relations.shape[0]
        matrix: sparse.csr_array = cells.relations
        lower = upper = np.zeros(rows, dtype=np.int64)
        if bands is not None:
            matrix = sparse.vstack([matrix, bands.matrix], format="csr")
            there = bands.matrix @ cells.counts
            lower = np.concatenate([lower, bands.lower - there])
            upper = np.concatenate([upper, bands.upper - there])
        self._counts, self._lower, self._upper = cells.counts, lower, upper
        self._moved = np.zeros(len(lower), dtype=np.int64)
        columns = matrix.tocsc()
        self._starts, self._rows, self._entries = columns.indptr, columns.indices, columns.data

    def __call__(self, doubt: Doubt) -> bool:
        """Check one change, exactly."""
        return bool(
            fits(
                self._counts, self._starts, self._rows, self._entries, self._lower, self._upper,
                doubt.cells, doubt.changes, self._moved,
            )
        )  # fmt: skip


class Doubts:
    """All doubts found so far, with the count of those behind each protected value.

    `readers` says for each reader which cells that reader knows besides what is shown (readers x
    cells; the public knows none).
    """

    def __init__(
        self,
        cells: Cells,
        protection: Protection,
        readers: np.ndarray,
        bands: Bands | None = None,
    ) -> None:
        """Start with the true table as the only one."""
        self.fits = Fit(cells, bands)
        self.targets = np.flatnonzero(protection.small(cells))
        self._counts, self._readers = cells.counts, readers
        self._place = np.full(len(cells), -1)
        self._place[self.targets] = np.arange(len(self.targets))
        self._lowest = protection.lowest
        self._width = protection.highest - protection.lowest + 1
        self._behind = np.zeros((len(readers), len(self.targets), self._width), dtype=np.int32)
        true = cells.counts[self.targets] - self._lowest
        self._behind[:, np.arange(len(self.targets)), true] = 1
        values = np.arange(self._width) + self._lowest
        for reader in np.flatnonzero(readers.any(axis=1)):
            # nobody is kept from knowing what follows from the own counts alone
            least, most = possible_by_sums(cells, ~readers[reader])
            least, most = least[self.targets, None], most[self.targets, None]
            self._behind[reader][(values < least) | (values > most)] = 1
        self._found: dict[int, Doubt] = {}
        self._through: dict[int, set[int]] = {}
        self._next = 0

    def __iter__(self) -> Iterator[Doubt]:
        """The doubts in the order in which they were found."""
        return iter(self._found.values())

    @property
    def limits(self) -> tuple[int, int]:
        """The lowest and the highest protected value."""
        return self._lowest, self._lowest + self._width - 1

    def possible(self) -> tuple[np.ndarray, np.ndarray]:
        """For every target the least and the greatest value possible for every reader."""
        always = np.greater(self._behind.min(axis=0), 0)
        highest = self._lowest + self._width - 1 - always[:, ::-1].argmax(axis=1)
        return self._lowest + always.argmax(axis=1), highest

    def add(self, doubt: Doubt) -> int | None:
        """Keep a doubt that fits; None when it does not."""
        if not self.fits(doubt):
            return None
        number, self._next = self._next, self._next + 1
        self._found[number] = doubt
        for cell in doubt.cells.tolist():
            self._through.setdefault(cell, set()).add(number)
        self._count(doubt, 1)
        return number

    def remove(self, number: int) -> Doubt:
        """Forget a doubt."""
        doubt = self._found.pop(number)
        for cell in doubt.cells.tolist():
            self._through[cell].discard(number)
        self._count(doubt, -1)
        return doubt

    @property
    def mark(self) -> int:
        """A mark to ask for later doubts with."""
        return self._next

    def since(self, mark: int) -> dict[int, Doubt]:
        """The doubts found since a mark was taken, by number."""
        return {
            number: self._found[number]
            for number in range(mark, self._next)
            if number in self._found
        }

    def through(self, cell: int) -> list[int]:
        """The doubts that change a cell."""
        return sorted(self._through.get(cell, ()))

    def missing(self, target: int) -> list[tuple[int, int]]:
        """(reader, value) pairs for which no doubt gives this target this value yet."""
        behind = self._behind[:, int(self._place[target])]
        gaps = np.argwhere(behind == 0)
        return [(int(reader), int(value) + self._lowest) for reader, value in gaps]

    def open_targets(self, among: Sequence[int] | np.ndarray | None = None) -> np.ndarray:
        """The targets of which some value is not possible yet for some reader."""
        chosen = self.targets if among is None else np.asarray(among, dtype=np.int64)
        places = self._place[chosen]
        n_behind = self._behind[:, places].min(axis=(0, 2), initial=1)
        return chosen[n_behind == 0]

    def targets_in(self, doubts: Sequence[Doubt]) -> np.ndarray:
        """The targets that these doubts change."""
        changed = np.unique(np.concatenate([doubt.cells for doubt in doubts]))
        return changed[self._place[changed] >= 0]

    def _count(self, doubt: Doubt, step: int) -> None:
        count_behind(
            self._behind, self._readers, self._place, self._counts, self._lowest,
            doubt.cells, doubt.changes, step,
        )  # fmt: skip
