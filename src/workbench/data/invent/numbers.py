"""Fictitious Swedish identity numbers, from the series that the tax agency keeps for tests.

The tax agency's published test numbers (data set "Testpersonnummer") have birth numbers from 980
on, for every day of birth; 980-999 are ten for each sex and day, odd for men. Only these are used.
When a population is too large for them, and for persons whose number was changed, coordination
numbers (the day of birth plus 60) with the same last digits are used beside them.

The check digit is Luhn's over the ten digits without the century, as in SKV 704.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from workbench.data.invent.days import Days, day_of
from workbench.errors import DataError

FIRST_SERIAL = 980
PER_DAY = 10  # serial numbers of one sex on one day
FEWEST = 200  # fewer persons fill no register
FIRST_BIRTH = date(1900, 1, 1)
# When the busiest year needs more of its personal numbers than this, birth dates would have to move
# far to find room, and coordination numbers are used too.
CROWDED = 0.8
FILLED = 0.95


@dataclass(frozen=True)
class Numbers:
    """What every person is called, and was called before."""

    birth: Days  # moved to the nearest later day with room, where the day was full
    current: NDArray[np.integer]  # twelve digits
    earlier: NDArray[
        np.integer
    ]  # the coordination number that could have come before; 0: none free
    n_moved: int


def most_persons(as_of: date) -> int:
    """The largest number of persons that the test series has room for."""
    return int(FILLED * 4 * PER_DAY * _n_days(as_of))


def check_size(persons: int, as_of: date) -> None:
    """Raise `DataError` when there cannot be that many persons."""
    most = most_persons(as_of)
    if not FEWEST <= persons <= most:
        raise DataError(
            f"persons is {persons}; expected {FEWEST} to {most}. Fewer fill no register, and the "
            f"numbers set aside for tests have room for {most} births until {as_of}."
        )


def give_numbers(birth: Days, is_female: NDArray[np.bool_], *, as_of: date) -> Numbers:
    """Give every person a number of its own, and the birth date that number says."""
    n_days = _n_days(as_of)
    first = day_of(FIRST_BIRTH)
    moved, current = birth.copy(), np.zeros(len(birth), dtype=np.int64)
    earlier = current.copy()
    for female in (False, True):
        who = np.flatnonzero(is_female == female)
        in_busiest_year = np.bincount((birth[who] - first) // 366).max(initial=0)
        room = PER_DAY * (1 + int(in_busiest_year > CROWDED * PER_DAY * 366))
        order = who[np.argsort(birth[who], kind="stable")]
        place = _places(birth[order] - first, room, n_days)
        day, slot = place // room, place % room
        moved[order] = (day + first).astype(np.int32)
        is_coordination = slot >= PER_DAY
        serial = FIRST_SERIAL + 2 * (slot % PER_DAY) + (not female)
        current[order] = _number(moved[order], serial, is_coordination)
        taken = day[is_coordination] * PER_DAY + slot[is_coordination] - PER_DAY
        is_free = ~is_coordination & ~np.isin(day * PER_DAY + slot, taken)
        partner = _number(moved[order], serial, np.ones_like(is_coordination))
        earlier[order] = np.where(is_free, partner, 0)
    return Numbers(moved, current, earlier, int((moved != birth).sum()))


def as_text(numbers: NDArray[np.integer], *, hyphen: bool) -> pa.Array:
    """Numbers as a register writes them: twelve digits, or with a hyphen before the last four."""
    digits = pa.array(numbers).cast(pa.string())  # from year 1900 on none begins with 0
    if not hyphen:
        return digits
    born, rest = pc.utf8_slice_codeunits(digits, 0, 8), pc.utf8_slice_codeunits(digits, 8, 12)
    return pc.binary_join_element_wise(born, rest, "-")


def _n_days(as_of: date) -> int:
    return (as_of - FIRST_BIRTH).days + 1


def _places(day: Days, room: int, n_days: int) -> NDArray[np.integer]:
    """A place for each of those in order of birth: on their day, or the next with room."""
    rank = np.arange(len(day), dtype=np.int64)
    wanted = day.astype(np.int64) * room
    place = rank + np.maximum.accumulate(wanted - rank) if len(day) else rank
    return np.minimum(place, n_days * room - len(day) + rank)  # nobody after the last day


def _number(
    birth: Days, serial: NDArray[np.integer], is_coordination: NDArray[np.bool_]
) -> NDArray[np.integer]:
    born = birth.astype("datetime64[D]")
    months = born.astype("datetime64[M]")
    year = months.astype("datetime64[Y]").astype(np.int64) + 1970
    month = months.astype(np.int64) % 12 + 1
    day = (born - months.astype("datetime64[D]")).astype(np.int64) + 1 + 60 * is_coordination
    eleven = (year * 10_000 + month * 100 + day) * 1000 + serial
    return eleven * 10 + check_digit(eleven % 1_000_000_000)


def check_digit(nine: NDArray[np.integer]) -> NDArray[np.integer]:
    """The check digit of nine digits without the century."""
    total = np.zeros_like(nine)
    for at in range(9):
        digit = nine // 10**at % 10
        doubled = digit * 2 if at % 2 == 0 else digit
        total += doubled // 10 + doubled % 10
    return (10 - total % 10) % 10
