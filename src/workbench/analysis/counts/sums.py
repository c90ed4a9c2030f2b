"""The building blocks of counts: sums at each time, spells for a robust variance, group numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from workbench.analysis.inputs import group_numbers


@dataclass(frozen=True, eq=False)
class Sums:
    """What happens at each time: numbers of persons, or sums of their weights.

    `events` has one row a time and one column a cause; `censored` and `entered` one element a
    time (`entered` is None where everybody is followed from the start).
    """

    events: np.ndarray
    censored: np.ndarray
    entered: np.ndarray | None

    def at(self, rows: np.ndarray) -> Sums:
        """The sums at some of the times."""
        entered = None if self.entered is None else self.entered[rows]
        return Sums(self.events[rows], self.censored[rows], entered)

    def at_risk(self, first: np.ndarray) -> np.ndarray:
        """Who is at risk just before each time, from who leaves (and enters) when."""
        leaving = self.events.sum(axis=1) + self.censored
        if self.entered is None:
            backwards = len(leaving) - first[::-1]
            return running(np.add, leaving[::-1], backwards)[::-1]
        change = self.entered - leaving
        return running(np.add, change, first) - change


@dataclass(frozen=True, eq=False)
class Spells:
    """Sums of squared weights by group, entry, time and cause (0: censored).

    They are needed for a robust variance only, and kept only where weights are not whole numbers.
    `entry` is None where everybody is followed from the start.
    """

    number: np.ndarray
    entry: np.ndarray | None
    time: np.ndarray
    cause: np.ndarray
    squares: np.ndarray


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


def running(step: np.ufunc, values: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Accumulate (add, multiply) along the first axis, anew in every group of rows."""
    out = np.empty_like(values)
    for start, end in pairwise(first.tolist()):
        step.accumulate(values[start:end], axis=0, out=out[start:end])
    return out


def numbered(table: pd.DataFrame, names: Sequence[str]) -> tuple[np.ndarray, pd.DataFrame]:
    """Number the groups of a table in their sorted order, and give each group's labels once."""
    if not names:
        return np.zeros(len(table), dtype=np.int64), pd.DataFrame(index=range(1))
    number = group_numbers(table, names)
    where = np.zeros(int(number.max()) + 1, dtype=np.int64)
    where[number] = np.arange(len(number))
    return number, table[list(names)].iloc[where].reset_index(drop=True)
