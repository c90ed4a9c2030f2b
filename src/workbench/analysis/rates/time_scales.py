"""The scales on which follow-up is cut: age, calendar time, time since something."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.analysis import inputs
from workbench.errors import StudyError

DAYS_PER_YEAR = 365.2425  # the mean Gregorian year, as everywhere in the workbench
EPOCH = 1970


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


def read_dates(persons: pd.DataFrame, column: str, faults: list[str]) -> np.ndarray:
    """A column of dates as days since 1970; missing ones and other things are told in `faults`."""
    inputs.check_frame(persons, [column])
    series = persons[column]
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
