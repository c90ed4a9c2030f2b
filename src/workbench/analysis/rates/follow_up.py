"""Follow-up by dates, checked: what every count of person-time starts from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.analysis import inputs
from workbench.analysis.rates.time_scales import (
    DAYS_PER_YEAR,
    Limits,
    Scale,
    calendar_years,
    limits_of,
    read_dates,
)
from workbench.errors import DataError, StudyError, gathered

SHORTEST, LONGEST = 300, 400  # days that may be called a year


@dataclass(frozen=True, eq=False)
class Followed:
    """Checked follow-up, one element a person, and when each reaches the limits of each scale.

    Times are days since 1970 or, with years="calendar", calendar years; `in_years` is one of them.
    """

    start: np.ndarray
    end: np.ndarray
    event: np.ndarray
    limits: Mapping[str, Limits]
    scales: Mapping[str, Scale]
    in_years: float

    @property
    def n_cells(self) -> tuple[int, ...]:
        """How many cells each scale has."""
        return tuple(len(one.cuts) - 1 for one in self.scales.values())


def read_follow_up(
    persons: pd.DataFrame, *, start: str, end: str, event: str, scales: Mapping[str, Scale],
    years: str | float,
) -> Followed:  # fmt: skip
    """Read everybody's dates, events and scales, and refuse all that cannot be, at once.

    Raises
    ------
    DataError, StudyError
        As `rates.person_time`.
    """
    if not scales or not all(isinstance(one, Scale) for one in scales.values()):
        raise StudyError("scales: expected one or more, such as {'age': rates.scale(...)}.")
    in_years = _in_years(years)
    inputs.check_frame(persons, [start, end, event])
    faults: list[str] = []
    begin, stop = read_dates(persons, start, faults), read_dates(persons, end, faults)
    if not faults and (n_wrong := int((stop < begin).sum())):
        faults.append(f'column "{end}": before "{start}" in {n_wrong} rows')
    zero = {
        name: None if one.origin is None else read_dates(persons, one.origin, faults)
        for name, one in scales.items()
    }
    happened = pd.to_numeric(persons[event], errors="coerce").to_numpy(float, na_value=np.nan)
    if n_odd := int((~np.isin(happened, [0, 1])).sum()):
        faults.append(f'column "{event}": neither 0 nor 1 in {n_odd} rows')
    if faults:
        raise DataError(gathered("persons: some follow-up cannot be used.", faults))
    days, n = (float(begin.min()), float(stop.max())), len(persons)
    limits = {name: limits_of(one, zero[name], days, n, years) for name, one in scales.items()}
    if years == "calendar":
        begin, stop = calendar_years(begin), calendar_years(stop)
    return Followed(begin, stop, happened == 1, limits, scales, in_years)


def _in_years(years: str | float) -> float:
    if years == "calendar":
        return 1.0
    if years == "days":
        return 1 / DAYS_PER_YEAR
    if isinstance(years, str) or not SHORTEST <= years <= LONGEST:
        raise StudyError('years: expected "days", "calendar" or the days of a year, such as 365.25')
    return 1 / float(years)
