"""Columns on their way into a file: values by their place, made into text block by block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from workbench.data.invent.chance import Numbers, Places
from workbench.data.invent.days import NEVER, Days, date_of, day_of
from workbench.registers.variables import Variable

_FIRST_TEXT, _LAST_TEXT = day_of(date(1900, 1, 1)), day_of(date(2099, 12, 31))


class Column(Protocol):
    """Values of one variable, one for each row."""

    def text(self, rows: NDArray[np.integer], variable: Variable, decimal: str) -> pa.Array:
        """The values of some rows as they are delivered."""


@dataclass(frozen=True)
class Coded:
    """One of a few texts a row; place -1 is a missing value."""

    codes: Sequence[str]
    place: Places

    def text(self, rows: NDArray[np.integer], variable: Variable, decimal: str) -> pa.Array:
        """The code of each row."""
        place = self.place[rows]
        found = pa.array(np.maximum(place, 0).astype(np.int32), mask=place < 0)
        return pc.take(pa.array(self.codes, pa.string()), found)


@dataclass(frozen=True)
class Dated:
    """A day a row; NEVER is a missing value."""

    day: Days

    def text(self, rows: NDArray[np.integer], variable: Variable, decimal: str) -> pa.Array:
        """The date of each row, in the variable's own format."""
        day = self.day[rows].astype(np.int64)
        texts = _date_texts(variable.date_format or "%Y-%m-%d")
        place = np.where(day < NEVER, day - _FIRST_TEXT, 0).astype(np.int32)
        return pc.take(texts, pa.array(place, mask=day >= NEVER))


@dataclass(frozen=True)
class Measured:
    """A number a row, with some decimals; NaN is a missing value."""

    values: Numbers
    decimals: int | NDArray[np.integer] = 0

    def text(self, rows: NDArray[np.integer], variable: Variable, decimal: str) -> pa.Array:
        """The number of each row, with the register's decimal mark."""
        values = self.values[rows]
        missing = np.isnan(values)
        places = np.broadcast_to(self.decimals, self.values.shape)[rows]
        scaled = np.rint(np.where(missing, 0, values) * 10.0**places).astype(np.int64)
        whole = pa.array(scaled // 10**places, mask=missing).cast(pa.string())
        if not places.any():
            return whole
        part = pa.array(scaled % 10**places).cast(pa.string())
        part = pc.utf8_lpad(part, int(places.max()), "0")
        both = pc.binary_join_element_wise(whole, part, decimal)
        return pc.if_else(pa.array(places > 0), both, whole)


@dataclass(frozen=True)
class Numbered:
    """An identity number a row; `place` is a place in `numbers`."""

    numbers: pa.Array
    place: Places

    def text(self, rows: NDArray[np.integer], variable: Variable, decimal: str) -> pa.Array:
        """The number of each row."""
        return pc.take(self.numbers, pa.array(self.place[rows]))


@dataclass(frozen=True)
class Rows:
    """The rows of one table: its columns by variable, and who each row is about."""

    person: Places
    day: Days
    columns: dict[str, Column] = field(default_factory=dict)

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.person)

    def order(self) -> NDArray[np.integer]:
        """The order in which rows are delivered: by person, then by day."""
        key = self.person.astype(np.int64) * 2**32 + (self.day.astype(np.int64) + 2**31)
        return np.argsort(key, kind="stable")


def yes_no(values: NDArray[np.bool_], missing: NDArray[np.bool_] | None = None) -> Coded:
    """A column of ones and zeros, as boolean variables are delivered."""
    place = values.astype(np.int64)
    return Coded(("0", "1"), place if missing is None else np.where(missing, -1, place))


def coded(values: Places, codes: Sequence[str], **missing: NDArray[np.bool_]) -> Coded:
    """A column of codes; `unknown` rows get the last code, `empty` rows none."""
    place = values.astype(np.int64)
    if "unknown" in missing:
        place = np.where(missing["unknown"], len(codes) - 1, place)
    if "empty" in missing:
        place = np.where(missing["empty"], -1, place)
    return Coded(codes, place)


@lru_cache(maxsize=16)
def _date_texts(pattern: str) -> pa.Array:
    days = (date_of(day) for day in range(_FIRST_TEXT, _LAST_TEXT + 1))
    return pa.array([day.strftime(pattern) for day in days], pa.string())
