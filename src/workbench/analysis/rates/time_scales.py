"""The scales on which follow-up is cut: age, calendar time, time since something.

What a year is must be chosen, and is chosen once for a call (`years`):

"days"      dates are whole days; a person-year is 365.2425 of them. Ages and times since change on
            the anniversary (who is born on 29 February has it on 1 March without one), parts of a
            year in whole months alike. Every piece of follow-up is then a whole number of days.
"calendar"  a date is a calendar year and the share of it that has gone; all is counted in these,
            so that a leap day weighs less (as R's popEpi with year.length = "actual").
a number    a year of age or time since, and a person-year, is so many days (R's survival: 365.25).

Calendar years always begin on 1 January.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.analysis import inputs
from workbench.errors import StudyError

DAYS_PER_YEAR = 365.2425  # the mean Gregorian year
EPOCH = 1970
FARTHEST = 1e6  # years: limits farther away are as good as this


@dataclass(frozen=True)
class Scale:
    """One scale: where each person's zero lies, and where it is cut.

    `cuts` are lower limits in years, rising; the last one closes the scale, and may be infinite.
    `origin` names the column with the date of zero (birth, diagnosis); None is calendar time,
    whose cuts are calendar years that begin on 1 January.
    """

    cuts: tuple[float, ...]
    origin: str | None = None


def scale(cuts: Sequence[float], *, origin: str | None = None) -> Scale:
    """Make a scale of time: by age (`origin` the birth date), calendar year, or time since.

    Parameters
    ----------
    cuts
        Two or more limits in years, rising; the last one may be infinite.
    origin
        Column with the date of zero; None for calendar years.

    Raises
    ------
    StudyError
        Fewer than two limits, or limits that do not rise.
    """
    limits = np.asarray(list(cuts), dtype=float)
    if len(limits) < 2 or np.isnan(limits).any() or not (np.diff(limits) > 0).all():
        raise StudyError("cuts: expected two or more rising limits in years, such as [0, 1, 5].")
    return Scale(tuple(limits.tolist()), origin)


@dataclass(frozen=True, eq=False)
class Limits:
    """When each person reaches each limit of a scale: `base[first + step] + shift`.

    `first` and `shift` have one element a person, `step` one a limit. With that, ages that change
    on a birthday, times since and calendar years are all looked up in the same way.
    """

    base: np.ndarray
    first: np.ndarray
    step: np.ndarray
    shift: np.ndarray

    def of(self, who: np.ndarray) -> np.ndarray:
        """The limits of some persons (persons x limits)."""
        place = np.clip(self.first[who, None] + self.step, 0, len(self.base) - 1)
        return self.base[place] + self.shift[who, None]


def limits_of(
    one: Scale, zero: np.ndarray | None, days: tuple[float, float], n: int, years: str | float
) -> Limits:
    """Find the limits of a scale for each of `n` persons.

    `zero` is each person's day of zero, None on the calendar; `days` are the first and the last day
    of anyone's follow-up. Days count from 1970; the limits are in days, or calendar years.
    """
    cuts = np.array(one.cuts)
    step, nothing = np.arange(len(cuts)), np.zeros(n, dtype=np.int64)
    if years == "calendar":
        shift = np.zeros(n) if zero is None else calendar_years(zero)
        return Limits(cuts, nothing, step, shift)
    if zero is None:
        return Limits(in_days(cuts), nothing, step, np.zeros(n))
    if years != "days":
        return Limits(cuts * float(years), nothing, step, zero)
    months = np.clip(cuts, -FARTHEST, FARTHEST) * 12
    if (np.abs(months - months.round()) > 1e-9).any():
        return Limits((cuts * DAYS_PER_YEAR).round(), nothing, step, zero)
    return _anniversaries(zero, months.round().astype(np.int64), days)


def _anniversaries(zero: np.ndarray, months: np.ndarray, days: tuple[float, float]) -> Limits:
    """Limits so many months after a date; those well outside all follow-up need not be exact."""
    month = zero.astype("datetime64[D]").astype("datetime64[M]")
    from_first = (zero.astype("datetime64[D]") - month.astype("datetime64[D]")).astype(float)
    first, last = (np.datetime64(int(day), "D").astype("datetime64[M]").astype(int) for day in days)
    known = np.arange(first - 2, last + 2).astype("datetime64[M]").astype("datetime64[D]")
    base = np.append(known.astype(float), np.inf)
    return Limits(base, month.astype(np.int64) - (first - 2), months, from_first)


def read_dates(persons: pd.DataFrame, column: str, faults: list[str]) -> np.ndarray:
    """A column of dates as days since 1970 (the hour is dropped); what is wrong is in `faults`."""
    inputs.check_frame(persons, [column])
    series = persons[column]
    if isinstance(series.dtype, pd.DatetimeTZDtype):
        faults.append(f'column "{column}": dates with a time zone; give them without')
        return np.zeros(len(series))
    if not pd.api.types.is_datetime64_any_dtype(series.dtype):
        try:
            series = pd.to_datetime(series, format="%Y-%m-%d")
        except (ValueError, TypeError):
            faults.append(f'column "{column}": not dates')
            return np.zeros(len(series))
    if n_missing := int(series.isna().sum()):
        faults.append(f'column "{column}": missing in {n_missing} rows')
        return np.zeros(len(series))
    return (series - pd.Timestamp("1970-01-01")).dt.days.to_numpy(float)


def calendar_years(days: np.ndarray) -> np.ndarray:
    """Days since 1970 as calendar years with the share of the year gone: 2 July is about .5."""
    dates = days.astype("datetime64[D]")
    year = dates.astype("datetime64[Y]").astype(int) + EPOCH
    begin, length = _new_year(year), _new_year(year + 1) - _new_year(year)
    return year + (days - begin) / length


def in_days(years: np.ndarray) -> np.ndarray:
    """Calendar years, whole ones, as the day since 1970 on which they begin."""
    finite = np.isfinite(years)
    whole = np.floor(years[finite])
    if (whole != years[finite]).any():
        raise StudyError("cuts: calendar years begin on 1 January; give whole years.")
    days = years.astype(float)
    days[finite] = _new_year(whole.astype(int))
    return days


def _new_year(year: np.ndarray) -> np.ndarray:
    return (year - EPOCH).astype("datetime64[Y]").astype("datetime64[D]").astype(float)
