"""Days as whole numbers since 1970-01-01, as the engine and Arrow count them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

Days = NDArray[np.integer[Any]]
Years = NDArray[np.integer[Any]]

DAYS_A_YEAR = 365.25
NEVER = np.int32(2**30)  # later than every day: what has not happened
_ORIGIN = date(1970, 1, 1)


def day_of(day: date) -> int:
    """A date as a number."""
    return (day - _ORIGIN).days


def date_of(day: int) -> date:
    """The date of a number."""
    return _ORIGIN + timedelta(days=int(day))


def new_year(year: int) -> int:
    """The first of January of a year."""
    return day_of(date(year, 1, 1))


def year_of(days: Days) -> Years:
    """The calendar year of each day."""
    return days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970


def age_at(days: Days, birth: Days) -> NDArray[np.float64]:
    """Age in years, with decimals."""
    return (days.astype(np.int64) - birth) / DAYS_A_YEAR


def birthday_in(birth: Days, year: int) -> Days:
    """The birthday in a year; who was born on 29 February has it on 1 March in other years."""
    born = birth.astype("datetime64[D]")
    in_year = born - born.astype("datetime64[Y]").astype("datetime64[D]")
    leap_born = _is_leap(year_of(birth))
    after_february = in_year.astype(np.int64) >= 59 + leap_born
    shift = after_february * (int(_is_leap(np.array([year]))[0]) - leap_born.astype(np.int64))
    is_leap_day = leap_born & (in_year.astype(np.int64) == 59)
    shift = np.where(is_leap_day, 0, shift)
    return (new_year(year) + in_year.astype(np.int64) + shift).astype(np.int32)


def _is_leap(years: Years) -> NDArray[np.bool_]:
    return (years % 4 == 0) & ((years % 100 != 0) | (years % 400 == 0))
