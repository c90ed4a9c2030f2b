"""Changes of the table that no box gives, found by linear and whole-number programming (HiGHS)."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from workbench.output.gate.suppression.bands import UNLIMITED, Bands
from workbench.output.gate.suppression.cells import Cells
from workbench.output.gate.suppression.doubts import Doubt

FOUND, NONE, TIMED_OUT = "found", "none", "timed out"
HIDDEN_PRICE = 1e-3  # a change of hidden cells costs next to nothing, but is kept short
MOVED = 1e-9  # a smaller change is none
MOST_SECONDS = 30.0  # for one search


@dataclass(frozen=True)
class Answer:
    """Whether there is a change, the change, and which method decided ("lp" or "milp")."""

    status: str
    decided_by: str
    doubt: Doubt | None = None


class Solver:
    """Looks for the cheapest change that gives a cell a value and keeps sums and bands."""

    def __init__(self, cells: Cells, bands: Bands | None = None, *, seconds: float = 60) -> None:
        """Lay out the rows; all searches together may take so many seconds."""
        self._values = cells.counts
        rows = cells.relations.shape[0]
        self._matrix, lower, upper = cells.relations, np.zeros(rows), np.zeros(rows)
        if bands is not None:
            self._matrix = sparse.vstack([cells.relations, bands.matrix], format="csr")
            there = bands.matrix @ cells.counts
            lower = np.concatenate([lower, _open(bands.lower, there)])
            upper = np.concatenate([upper, _open(bands.upper, there)])
        self._lower, self._upper = lower, upper
        self._by_cell = self._matrix.tocsc()
        self._ends = monotonic() + seconds
        self.work = 0

    def cheapest(
        self, target: int, value: int, cost: np.ndarray, inside: np.ndarray | None = None
    ) -> Answer:
        """The change that gives the target a value, at the least cost a unit of change.

        Parameters
        ----------
        target, value
            The cell and the value it must take.
        cost
            A price for each cell; infinite for cells that are known.
        inside
            Cells to which the search is kept; all without it. The target is one of them.

        Returns
        -------
        Answer
            "none" is a proof that there is no such change inside; "timed out" proves nothing.
        """
        changeable = np.isfinite(cost)
        if inside is not None:
            changeable &= inside
        changeable[target] = True
        cells = np.flatnonzero(changeable)
        self.work += len(cells)
        columns = self._by_cell[:, cells]
        touched = np.flatnonzero(np.bincount(columns.indices, minlength=columns.shape[0]))
        block = columns[touched].tocsc().astype(float)
        change = float(value - self._values[target])
        up, down = np.full(len(cells), np.inf), self._values[cells].astype(float)
        at = int(np.flatnonzero(cells == target)[0])
        up[at], down[at] = max(change, 0), max(-change, 0)
        least = np.zeros(2 * len(cells))
        least[at if change > 0 else at + len(cells)] = abs(change)
        problem = {
            "c": np.tile(np.where(np.isfinite(cost[cells]), cost[cells], 0) + HIDDEN_PRICE, 2),
            "constraints": LinearConstraint(
                sparse.hstack([block, -block], format="csc"),
                self._lower[touched],
                self._upper[touched],
            ),
            "bounds": Bounds(least, np.concatenate([up, down])),
        }
        return self._decide(problem, block, cells)

    def _decide(
        self, problem: dict[str, Any], block: sparse.csc_array, cells: np.ndarray
    ) -> Answer:
        """Fractions first; where they leave it open whole numbers, beside them and then all."""
        moves, answer = self._attempt(problem, cells, "lp")
        if answer is not None:
            return answer
        if moves is not None:
            # whole numbers are nearly always found beside the fractions, and far sooner there
            beside = problem | {"bounds": _beside(moves, block, problem["bounds"])}
            _, answer = self._attempt(beside, cells, "milp")
            if answer is not None and answer.status == FOUND:
                return answer
        _, answer = self._attempt(problem, cells, "milp")
        return answer or Answer(TIMED_OUT, "timed out")

    def _attempt(
        self, problem: dict[str, Any], cells: np.ndarray, decided_by: str
    ) -> tuple[np.ndarray | None, Answer | None]:
        """One run: the changes, if any, and the answer; none where fractions leave it open."""
        left = self._ends - monotonic()
        if left <= 0:
            return None, Answer(TIMED_OUT, "timed out")
        whole = int(decided_by == "milp")
        found = milp(
            **problem,
            integrality=np.full(2 * len(cells), whole),
            options={"time_limit": min(left, MOST_SECONDS)},
        )
        if found.status == 2:
            return None, Answer(NONE, decided_by)
        if found.x is None:
            return None, Answer(TIMED_OUT, "timed out") if whole else None
        change = found.x[: len(cells)] - found.x[len(cells) :]
        rounded = np.round(change).astype(np.int64)
        if np.abs(change - rounded).max() > 1e-6:
            return change, None
        moved = rounded != 0
        return change, Answer(FOUND, decided_by, Doubt(cells[moved], rounded[moved]))


def _beside(moves: np.ndarray, block: sparse.csc_array, bounds: Bounds) -> Bounds:
    """Bounds that let only those cells change that share a sum with one that does."""
    rows = block[:, np.abs(moves) > MOVED].indices
    near = np.unique(block.tocsr()[np.unique(rows)].indices)
    free = np.isin(np.arange(block.shape[1]), near)
    return Bounds(bounds.lb, np.where(np.tile(free, 2), bounds.ub, 0))


def _open(limits: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Limits on the change; those that limit nothing as infinities."""
    return np.where(np.abs(limits) >= UNLIMITED, np.copysign(np.inf, limits), limits - there)
