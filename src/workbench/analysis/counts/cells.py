"""Count rows into cells of group and time, whatever the rows are: persons, or counts of persons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.analysis.counts.sums import Sums

# whole times are counted without sorting while the table of all times is not much larger than
# the data, or small anyhow
SMALL_TABLE = 1 << 20


@dataclass(frozen=True, eq=False)
class Leavers:
    """Rows that leave: each one person, or `persons` of them with a sum of weights."""

    number: np.ndarray
    time: np.ndarray
    cause: np.ndarray
    persons: np.ndarray | None = None
    weight: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Arrivals:
    """Rows that enter: each one person, or `persons` of them with a sum of weights."""

    number: np.ndarray
    time: np.ndarray
    persons: np.ndarray | None = None
    weight: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Cells:
    """What counting gives: the causes seen, where groups begin, times, and the sums there."""

    causes: tuple[int, ...]
    first: np.ndarray
    time: np.ndarray
    sums: Sums
    persons: Sums


def count_cells(leavers: Leavers, arrivals: Arrivals | None, n_groups: int) -> Cells:
    """Count rows that leave and enter, per group and time."""
    causes = _causes(leavers.cause)
    number, time = leavers.number, leavers.time
    if arrivals is not None:
        number = np.concatenate([number, arrivals.number])
        time = np.concatenate([time, arrivals.time])
    cell, cell_number, cell_time = _cells(number, time, n_groups)
    n_leavers, shape = len(leavers.number), (len(cell_number), len(causes) + 1)
    place = _places(cell[:n_leavers], leavers.cause, causes)

    def sums(part: str) -> Sums:
        left = _sums(place, getattr(leavers, part), shape[0] * shape[1]).reshape(shape)
        entered = None
        if arrivals is not None:
            entered = _sums(cell[n_leavers:], getattr(arrivals, part), shape[0])
        return Sums(left[:, 1:], left[:, 0], entered)

    persons = sums("persons")
    used = persons.events.any(axis=1) | (persons.censored > 0)
    used = used if persons.entered is None else used | (persons.entered > 0)
    persons = persons.at(used)
    weighted = persons if leavers.weight is None else sums("weight").at(used)
    first = np.searchsorted(cell_number[used], np.arange(n_groups + 1))
    return Cells(causes, first, cell_time[used], weighted, persons)


def _causes(cause: np.ndarray) -> tuple[int, ...]:
    largest = int(cause.max())
    # 0 and 1 alone are the plain case, also where nobody has the event
    if largest <= 1:
        return (1,)
    return tuple(np.flatnonzero(np.bincount(cause)[1:]) + 1)


def _places(cell: np.ndarray, cause: np.ndarray, causes: tuple[int, ...]) -> np.ndarray:
    if causes == tuple(range(1, len(causes) + 1)):
        return cell * (len(causes) + 1) + cause
    column = np.zeros(max(causes) + 1, dtype=np.int64)
    column[list(causes)] = np.arange(1, len(causes) + 1)
    return cell * (len(causes) + 1) + column[cause]


def _cells(
    number: np.ndarray, time: np.ndarray, n_groups: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    # gives the cell of every row, and the group and time of every cell, in their order
    width = int(time.max()) + 1
    if n_groups * width <= max(len(time) // 2, SMALL_TABLE):
        whole = time if time.dtype.kind == "i" else time.astype(np.int64)
        if whole is time or (whole == time).all():
            cell = whole if n_groups == 1 else number * width + whole
            numbers = np.repeat(np.arange(n_groups), width)
            return cell, numbers, np.tile(np.arange(width).astype(time.dtype), n_groups)
    order = np.argsort(time)
    if n_groups > 1:
        # a stable sort of small integers takes no comparisons
        small = np.int16 if n_groups < 2**15 else np.int64
        order = order[np.argsort(number[order].astype(small), kind="stable")]
    number, time = number[order], time[order]
    is_new = np.append(True, (time[1:] != time[:-1]) | (number[1:] != number[:-1]))
    cell = np.empty(len(order), dtype=np.int64)
    cell[order] = np.cumsum(is_new) - 1
    return cell, number[is_new], time[is_new]


def _sums(place: np.ndarray, size: np.ndarray | None, length: int) -> np.ndarray:
    if size is not None and size.dtype.kind == "i":
        # sums of whole numbers below 2**53 are exact in floats
        return np.bincount(place, weights=size, minlength=length).astype(np.int64)
    return np.bincount(place, weights=size, minlength=length)
