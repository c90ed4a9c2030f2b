"""Count rows into groups and times: rows of persons, of the engine, or of counts to add."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.analysis.counts.tally import EventCounts, Spells, Sums, numbered
from workbench.analysis.inputs import FollowUp

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


def count_persons(follow_up: FollowUp, number: np.ndarray, groups: pd.DataFrame) -> EventCounts:
    """Count persons, one row each, into their groups (numbered as the rows of `groups`)."""
    weight = follow_up.weight
    leavers = Leavers(number, follow_up.time, follow_up.cause, weight=weight)
    arrivals = None
    if follow_up.entry is not None:
        arrivals = Arrivals(number, follow_up.entry, weight=weight)
    spells = None
    if weight is not None and (weight % 1 != 0).any():
        spells = summed_spells(
            Spells(number, follow_up.entry, follow_up.time, follow_up.cause, weight**2)
        )
    return counted(leavers, arrivals, groups, spells)


def counted(
    leavers: Leavers, arrivals: Arrivals | None, groups: pd.DataFrame, spells: Spells | None
) -> EventCounts:
    """Count rows that leave and enter, per group and time."""
    causes = _causes(leavers.cause)
    number, time = leavers.number, leavers.time
    if arrivals is not None:
        number = np.concatenate([number, arrivals.number])
        time = np.concatenate([time, arrivals.time])
    cell, cell_number, cell_time = _cells(number, time, len(groups))
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
    first = np.searchsorted(cell_number[used], np.arange(len(groups) + 1))
    return EventCounts(groups, causes, first, cell_time[used], weighted, persons, spells)


def combined(parts: Sequence[EventCounts], names: Sequence[str]) -> EventCounts:
    """Add counts, over all grouping columns but `names` (a group seen in one part only stays)."""
    labels = pd.concat([part.groups for part in parts], ignore_index=True)
    number, groups = numbered(labels, names)
    ends = np.cumsum([len(part.groups) for part in parts])
    numbers = np.split(number, ends[:-1])
    leavers = [_leaving_rows(part, own) for part, own in zip(parts, numbers, strict=True)]
    arrivals = None
    if parts[0].has_entry:
        arrivals = Arrivals(
            *_joined([_entering_rows(part, own) for part, own in zip(parts, numbers, strict=True)])
        )
    return counted(Leavers(*_joined(leavers)), arrivals, groups, _all_spells(parts, numbers))


def summed_spells(spells: Spells) -> Spells:
    """Add up squared weights over rows with the same group, entry, time and cause."""
    keys = {"number": spells.number, "time": spells.time, "cause": spells.cause}
    if spells.entry is not None:
        keys["entry"] = spells.entry
    table = pd.DataFrame(keys | {"squares": spells.squares})
    table = table.groupby(list(keys), as_index=False, sort=True)["squares"].sum()
    entry = None if spells.entry is None else table["entry"].to_numpy()
    columns = {name: table[name].to_numpy() for name in ("number", "time", "cause", "squares")}
    return Spells(entry=entry, **columns)


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


def _leaving_rows(counts: EventCounts, own: np.ndarray) -> tuple:
    codes = np.array([0, *counts.causes])
    persons = np.column_stack([counts.persons.censored, counts.persons.events])
    row, column = np.nonzero(persons)
    weight = None
    if counts.is_weighted:
        weight = np.column_stack([counts.sums.censored, counts.sums.events])[row, column]
    number = own[counts.number[row]]
    return number, counts.time[row], codes[column], persons[row, column], weight


def _entering_rows(counts: EventCounts, own: np.ndarray) -> tuple:
    row = np.flatnonzero(counts.persons.entered)
    weight = counts.sums.entered[row] if counts.is_weighted else None
    return own[counts.number[row]], counts.time[row], counts.persons.entered[row], weight


def _joined(parts: Sequence[tuple]) -> list[np.ndarray | None]:
    return [
        None if column[0] is None else np.concatenate(column) for column in zip(*parts, strict=True)
    ]


def _all_spells(parts: Sequence[EventCounts], numbers: Sequence[np.ndarray]) -> Spells | None:
    rows = [
        (
            own[part.spells.number],
            part.spells.entry,
            part.spells.time,
            part.spells.cause,
            part.spells.squares,
        )
        for part, own in zip(parts, numbers, strict=True)
        if part.spells is not None
    ]
    return summed_spells(Spells(*_joined(rows))) if rows else None
