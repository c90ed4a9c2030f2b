"""Follow-up cut into pieces that lie in one Lexis cell each, and their sums by cell.

A piece begins at the start or at a limit and lies in the cells that begin at or before it. Persons
are taken in blocks, so that a million of them need little memory; large data are walked by a
compiled kernel instead, with the same sums.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from workbench.analysis.compiled import use_compiled
from workbench.analysis.rates.follow_up import Followed
from workbench.errors import StudyError

BLOCK = 50_000
MOST_CELLS = 20_000_000


@dataclass(frozen=True, eq=False)
class Pieces:
    """Follow-up in pieces: whose, from and to, which cell of each scale, whether an event ends it.

    A cell is -1 where the piece lies before the first limit of a scale, and the number of cells
    where it lies after the last.
    """

    person: np.ndarray
    begin: np.ndarray
    stop: np.ndarray
    cell: Mapping[str, np.ndarray]
    event: np.ndarray
    inside: np.ndarray


@dataclass(frozen=True, eq=False)
class CellSums:
    """Sums of each group and cell (flat), and of what lies in none: persons, events, time."""

    n: np.ndarray
    events: np.ndarray
    time: np.ndarray
    outside_events: int
    outside_time: float
    shape: tuple[int, ...]


def pieces_of(followed: Followed) -> Iterator[Pieces]:
    """The pieces of everybody's follow-up, in the order of persons and time, block by block."""
    n = len(followed.start)
    for low in range(0, n, BLOCK):
        yield _pieces(followed, np.arange(low, min(low + BLOCK, n)))


def sums_of(followed: Followed, number: np.ndarray) -> CellSums:
    """Persons, events and time of each group (`number`, one a person) and cell.

    Raises
    ------
    StudyError
        More cells than can be held.
    """
    shape = (int(number.max()) + 1, *followed.n_cells)
    size = int(np.prod(np.array(shape, dtype=float)))
    if size > MOST_CELLS:
        raise StudyError(
            f"scales and by: {size:,} cells; expected at most {MOST_CELLS:,}. Use wider cells or "
            "fewer groups, or count the rows of rates.split."
        )
    if use_compiled(len(number)):
        from workbench.analysis.rates import cell_kernels  # compiled: only for large data

        return cell_kernels.walked(followed, number, shape)
    n, events, time = np.zeros(size), np.zeros(size), np.zeros(size)
    lost_events, lost_time = 0, 0.0
    for pieces in pieces_of(followed):
        inside, length = pieces.inside, pieces.stop - pieces.begin
        lost_events += int(pieces.event[~inside].sum())
        lost_time += float(length[~inside].sum())
        places = [number[pieces.person[inside]], *(c[inside] for c in pieces.cell.values())]
        flat = np.ravel_multi_index(places, shape)
        # time goes forward on every scale, so that nobody comes into a cell twice
        n += np.bincount(flat, minlength=size)
        events += np.bincount(flat[pieces.event[inside]], minlength=size)
        time += np.bincount(flat, weights=length[inside], minlength=size)
    return CellSums(n, events, time, lost_events, lost_time, shape)


def _pieces(followed: Followed, who: np.ndarray) -> Pieces:
    begin, stop = followed.start[who], followed.end[who]
    limits = {name: limit.of(who) for name, limit in followed.limits.items()}
    inner = [np.clip(limit, begin[:, None], stop[:, None]) for limit in limits.values()]
    marks = np.sort(np.column_stack([begin, *inner, stop]), axis=1)
    is_piece = np.diff(marks, axis=1) > 0
    is_piece[:, -1] |= stop == begin  # who has no time has one piece of no length
    row, column = np.nonzero(is_piece)
    first, last = marks[row, column], marks[row, column + 1]
    is_last = np.append(row[1:] != row[:-1], True)
    cell = {name: (limit[row] <= first[:, None]).sum(axis=1) - 1 for name, limit in limits.items()}
    sizes = zip(cell.values(), followed.n_cells, strict=True)
    inside = np.all([(found >= 0) & (found < size) for found, size in sizes], axis=0)
    return Pieces(who[row], first, last, cell, followed.event[who][row] & is_last, inside)
