"""The search for doubts about one cell: boxes first, then solvers near it, then everywhere."""

from __future__ import annotations

import numpy as np

from workbench.output.gate.suppression.bands import Bands
from workbench.output.gate.suppression.boxes import Boxes
from workbench.output.gate.suppression.cells import Cells
from workbench.output.gate.suppression.doubts import Doubts
from workbench.output.gate.suppression.solving import FOUND, NONE, TIMED_OUT, Answer, Solver
from workbench.output.gate.suppression.walks import farthest, settle_by_walks

TABLES = "tables"


class Search:
    """Finds doubts until every protected value of a cell is possible for every reader."""

    def __init__(
        self,
        cells: Cells,
        found: Doubts,
        readers: np.ndarray,
        bands: Bands | None,
        *,
        seconds: float,
    ) -> None:
        """Keep what is searched; `found` is filled on the way."""
        self._cells, self._found, self._readers = cells, found, readers
        self._boxes = None if cells.grid is None else Boxes(cells.grid)
        self._solver = Solver(cells, bands, seconds=seconds)

    @property
    def work(self) -> int:
        """The cells that solvers have looked at, over all searches."""
        return self._solver.work

    def by_boxes(self, target: int, cost: np.ndarray) -> bool:
        """Search by boxes alone, which is fast; whether nothing is left open."""
        if self._boxes is None:
            return not self._found.missing(target)
        return settle_by_walks(self._found, self._boxes, self._cells, target, cost, self._readers)

    def nearby(self, target: int, cost: np.ndarray) -> bool:
        """Search by boxes, then by the solver near the cell; whether nothing is left open."""
        if self.by_boxes(target, cost):
            return True
        near = None if self._cells.grid is None else self._cells.grid.near(target)
        return self.by_solver(target, cost, near).status == FOUND

    def thoroughly(self, target: int, cost: np.ndarray) -> Answer:
        """Search by boxes, then by the solver: near the cell in what is hidden, near it, anywhere.

        Gives the last answer.
        """
        if self.by_boxes(target, cost):
            return Answer(FOUND, TABLES)
        if self._cells.grid is not None:
            near = self._cells.grid.near(target) & np.isfinite(cost)
            hidden = near & (cost == 0)
            for inside in (hidden, near) if (near != hidden).any() else (near,):
                answer = self.by_solver(target, cost, inside)
                if answer.status == FOUND:
                    return answer
        return self.by_solver(target, cost)

    def by_solver(self, target: int, cost: np.ndarray, inside: np.ndarray | None = None) -> Answer:
        """Solve for every value that is still open; the last answer, or the first no."""
        answer = Answer(FOUND, TABLES)
        price = cost
        while missing := self._found.missing(target):
            reader, value = farthest(missing, int(self._cells.counts[target]))
            known = self._readers[reader]
            answer = self._solver.cheapest(target, value, np.where(known, np.inf, price), inside)
            if answer.doubt is None:
                return answer
            if self._found.add(answer.doubt) is None:
                return Answer(NONE, TIMED_OUT)  # rounded by the solver: nothing is proved
            price = price.copy()
            price[answer.doubt.cells] = 0
        return answer
