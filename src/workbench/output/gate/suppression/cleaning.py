"""Showing again what was hidden without need."""

from __future__ import annotations

import numpy as np

from workbench.output.gate.suppression.cells import Cells
from workbench.output.gate.suppression.doubts import Doubts
from workbench.output.gate.suppression.search import Search

MOST_DOUBTS = 80  # a cell that more tables need is hardly ever spared by boxes alone
# cells that solvers look at; not seconds, so that the pattern is always the same
MOST_WORK = 450_000


def show_again(
    cells: Cells, found: Doubts, search: Search, cost: np.ndarray, first: np.ndarray
) -> None:
    """Show complementary cells whose doubts can be replaced by others; changes `cost` and `found`.

    Cells that few tables need come first. A cell stays shown when every value that its tables kept
    possible is possible by others within what is hidden. Boxes, which are fast, look over all
    cells before the solver does. `first` is the cost before anything was hidden for others.
    """
    most_work = search.work + MOST_WORK
    for by_solver in (False, True):
        spare = np.flatnonzero((cost == 0) & cells.is_printed & (first > 0))
        needed = np.array([len(found.through(int(cell))) for cell in spare], dtype=int)
        for cell in spare[np.argsort(needed, kind="stable")].tolist():
            if by_solver and search.work >= most_work:
                break
            if not by_solver and len(found.through(cell)) > MOST_DOUBTS:
                continue
            if _is_spared(found, search, cost, cell, by_solver=by_solver):
                cost[cell] = first[cell]


def _is_spared(
    found: Doubts, search: Search, cost: np.ndarray, cell: int, *, by_solver: bool
) -> bool:
    """Whether all is as safe without changing a cell; leaves the doubts as they were if not."""
    removed = [found.remove(number) for number in found.through(cell)]
    if not removed:
        return True
    price = np.where(cost == 0, 0.0, np.inf)
    price[cell] = np.inf
    mark = found.mark
    settle = search.nearby if by_solver else search.by_boxes
    for target in found.open_targets(found.targets_in(removed)):
        if not settle(int(target), price):
            for number in found.since(mark):
                found.remove(number)
            for doubt in removed:
                found.add(doubt)
            return False
    return True
