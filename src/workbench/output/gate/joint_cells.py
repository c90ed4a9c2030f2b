"""The cells of several linked tables as one: what is the same in two of them is one cell.

Two tables are *linked* when they count the same over the same groups: their sums over the keys they
share agree everywhere. Whoever holds both knows of each such sum what either shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy import sparse

from workbench.output.gate.count_systems import CountSystem
from workbench.output.gate.suppression import Cells
from workbench.output.gate.suppression.cells import COUNT, MEASURE, REST, TOTAL
from workbench.output.gate.suppression.doubts import Doubt

PARTNERS = ((COUNT, REST), (COUNT, TOTAL), (REST, TOTAL))


@dataclass(frozen=True, eq=False)
class JointCells(Cells):
    """Cells of several systems, with the measure of each and its partners in its group."""

    measures: np.ndarray = field(kw_only=True)
    partners: dict[tuple[str, str], np.ndarray] = field(kw_only=True)
    places: tuple[np.ndarray, ...] = field(kw_only=True)
    """For each system the joint cell of each of its cells."""

    def whole(self, parts: Sequence[np.ndarray], *, of: int = 0) -> np.ndarray:
        """Truths of the systems' cells, from one system on, as truths of the joint cells."""
        joined = np.zeros(len(self), dtype=bool)
        for places, part in zip(self.places[of:], parts, strict=True):
            joined[places[part]] = True
        return joined

    def moved(self, at: int, doubt: Doubt) -> Doubt:
        """A doubt of one system as one of the joint cells."""
        return Doubt(self.places[at][doubt.cells], doubt.changes)

    def _measured(self, measure: str) -> np.ndarray:
        return np.asarray(self.measures == measure)

    def _partner(self, one: str, other: str) -> np.ndarray:
        return self.partners[one, other]


def shared_cells(one: CountSystem, other: CountSystem) -> list[tuple[int, int]]:
    """Pairs of cells that are the same in two systems; none where the systems are not linked."""
    groups = [one.by_kind, other.by_kind]
    pairs: list[tuple[int, int]] = []
    is_linked = False
    for kind in groups[0].keys() & groups[1].keys():
        here, there = groups[0][kind], groups[1][kind]
        both = here.keys() & there.keys()
        agree = all(one.cells.counts[here[key]] == other.cells.counts[there[key]] for key in both)
        # a group that one table has not is one of nobody
        agree &= not any(one.cells.counts[here[key]] for key in here.keys() - both)
        agree &= not any(other.cells.counts[there[key]] for key in there.keys() - both)
        if agree:
            pairs += [(here[key], there[key]) for key in both]
            is_linked |= bool(kind[1])
    return sorted(pairs) if is_linked else []


def join(systems: Sequence[CountSystem]) -> JointCells:
    """Lay the cells of several systems together; shared ones are one cell."""
    starts = np.cumsum([0, *(len(one.cells) for one in systems)])
    first = np.arange(starts[-1])
    for at, one in enumerate(systems):
        for before in range(at):
            for own, theirs in shared_cells(one, systems[before]):
                root = first[starts[before] + theirs]
                same = first == first[starts[at] + own]
                first[same] = min(root, first[same].min())
    kept, number = np.unique(first, return_inverse=True)
    places = tuple(number[starts[at] : starts[at + 1]] for at in range(len(systems)))
    counts = np.concatenate([one.cells.counts for one in systems])[kept]
    printed = np.zeros(len(kept), dtype=bool)
    for one, place in zip(systems, places, strict=True):
        printed[place[one.cells.is_printed]] = True
    return JointCells(
        pd.DataFrame({"cell": kept}), counts, _relations(systems, places, len(kept)), printed,
        measures=np.concatenate([_measures(one) for one in systems])[kept],
        partners=_partners(systems, places, len(kept)), places=places,
    )  # fmt: skip


def _measures(system: CountSystem) -> np.ndarray:
    if MEASURE not in system.cells.names:
        return np.full(len(system.cells), "", dtype=object)
    return system.cells.names[MEASURE].to_numpy(dtype=object)


def _relations(
    systems: Sequence[CountSystem], places: Sequence[np.ndarray], n_cells: int
) -> sparse.csr_array:
    """Every system's sums; a sum that is the same in two tables stands there twice."""
    blocks = []
    for one, place in zip(systems, places, strict=True):
        block = one.cells.relations.tocoo()
        shape = (block.shape[0], n_cells)
        row, column = block.coords
        blocks.append(sparse.coo_array((block.data, (row, place[column])), shape=shape).tocsr())
    return sparse.vstack(blocks, format="csr")


def _partners(
    systems: Sequence[CountSystem], places: Sequence[np.ndarray], n_cells: int
) -> dict[tuple[str, str], np.ndarray]:
    found = {pair: np.full(n_cells, -1) for pair in PARTNERS}
    for one, place in zip(systems, places, strict=True):
        kinds = _measures(one)
        for (measure, other), partner in found.items():
            own, theirs = np.flatnonzero(kinds == measure), np.flatnonzero(kinds == other)
            if len(theirs):
                partner[place[own]] = place[theirs]
    return found
