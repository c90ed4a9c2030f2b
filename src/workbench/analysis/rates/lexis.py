"""Divide follow-up into Lexis cells and count persons, events and person-years in each.

Every person's follow-up is cut where any scale is cut; each piece lies in one cell of every scale,
found by its middle. An event belongs to the last piece. Persons are taken in blocks, so that a
million of them need little memory.

Method: Lexis diagram; Clayton and Hills, 1993, chapter 6; Breslow and Day, 1987, chapter 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.analysis import inputs
from workbench.analysis.rates.time_scales import (
    DAYS_PER_YEAR,
    Scale,
    calendar_years,
    in_days,
    read_dates,
)
from workbench.errors import DataError, StudyError, gathered

BLOCK = 50_000
TAKEN = {"n", "events", "person_years", "start", "end", "event"}
YEARS = ("days", "calendar")


@dataclass(frozen=True, eq=False)
class Followed:
    """Checked follow-up, one element a person: times, and the zero of each scale that has one."""

    start: np.ndarray
    end: np.ndarray
    event: np.ndarray
    zero: Mapping[str, np.ndarray]
    scales: Mapping[str, Scale]
    in_years: float  # one unit of the times; calendar years where it is 1

    def in_calendar_years(self) -> Followed:
        """The same with every time as a calendar year and its share."""
        zero = {name: calendar_years(days) for name, days in self.zero.items()}
        start, end = calendar_years(self.start), calendar_years(self.end)
        return Followed(start, end, self.event, zero, self.scales, 1.0)

    def limits(self, name: str, who: np.ndarray) -> np.ndarray:
        """When some persons reach each limit of a scale (persons x limits)."""
        cuts = np.array(self.scales[name].cuts)
        if name in self.zero:
            return self.zero[name][who, None] + cuts / self.in_years
        return np.tile(cuts if self.in_years == 1 else in_days(cuts), (len(who), 1))


@dataclass(frozen=True, eq=False)
class Pieces:
    """Follow-up in pieces: whose, from and to, how long in years, which cell, whether it ends it.

    A cell is -1 where the piece lies before the first or after the last limit of a scale.
    """

    person: np.ndarray
    begin: np.ndarray
    stop: np.ndarray
    years: np.ndarray
    cell: Mapping[str, np.ndarray]
    event: np.ndarray


def split(
    persons: pd.DataFrame, *, start: str, end: str, event: str, scales: Mapping[str, Scale],
    years: str = "days",
) -> pd.DataFrame:  # fmt: skip
    """Cut each person's follow-up into rows that lie in one cell of every scale (Lexis split).

    Parameters
    ----------
    persons, start, end, event, scales, years
        As in `person_time`.

    Returns
    -------
    The columns of `persons`, repeated for each piece, in order; `begin` and `stop` in years since
    the start, `person_years`, a column for each scale with the cell's lower limit, and `events` (1
    in the piece in which the person's event lies). Pieces outside a scale are left out, counted in
    `attrs["outside"]`: person-years and events. Sums over a person's pieces are the person's own.

    Raises
    ------
    DataError, StudyError
        As `person_time`.
    """
    taken = sorted({"begin", "stop", "person_years", "events"} & set(persons.columns))
    if taken:
        raise DataError(f"persons: {', '.join(taken)} are columns of the result. Rename them.")
    followed = _read(persons, start, end, event, scales, years)
    parts, lost_years, lost_events = [], 0.0, 0
    for low in range(0, len(persons), BLOCK):
        pieces = _pieces(followed, np.arange(low, min(low + BLOCK, len(persons))))
        inside = _inside(pieces)
        lost_years += float(pieces.years[~inside].sum())
        lost_events += int(pieces.event[~inside].sum())
        rows = persons.iloc[pieces.person[inside]].reset_index(drop=True)
        own = followed.start[pieces.person[inside]]
        facts = {
            "begin": (pieces.begin[inside] - own) * followed.in_years,
            "stop": (pieces.stop[inside] - own) * followed.in_years,
            "person_years": pieces.years[inside],
            **_cells_as_written(pieces, inside, followed),
            "events": pieces.event[inside].astype(int),
        }
        parts.append(rows.assign(**facts))
    found = pd.concat(parts, ignore_index=True)
    found.attrs["outside"] = {"person_years": lost_years, "events": lost_events}
    return found


def person_time(
    persons: pd.DataFrame,
    *,
    start: str,
    end: str,
    event: str,
    scales: Mapping[str, Scale],
    by: str | Sequence[str] | None = None,
    years: str = "days",
) -> pd.DataFrame:
    """Count persons, events and person-years by age, calendar year or any other scale of time.

    Parameters
    ----------
    persons
        One row per person (or spell): `start` and `end` dates, `event` 0 or 1 at the end. Who ends
        on the day of the start has no time and counts in the cell of that day.
    scales
        Names of result columns with their scales, as `rates.scale` makes them:
        {"age": scale(range(0, 101, 5), origin="born"), "year": scale(range(2000, 2025))}.
    by
        Grouping column or columns, none missing.
    years
        What a year is: "days" counts days over 365.2425, so that person-years are exact to the
        day; "calendar" counts shares of calendar years (a leap day weighs less), as R's popEpi.

    Returns
    -------
    One row per group and cell with any time or event: the columns of `by`, each scale's column (the
    cell's lower limit), `n` (persons with time in the cell), `events`, `person_years`. What lies
    before the first or after the last limit of a scale is in no row and in `attrs["outside"]`
    (person_years, events); rows and `outside` add up to all follow-up.

    Raises
    ------
    DataError, StudyError
        Dates or events that are missing or cannot be, an end before the start, an origin after the
        end; no scale.
    """
    names = inputs.names_of(by)
    followed = _read(persons, start, end, event, scales, years)
    inputs.check_frame(persons, names)
    if clash := TAKEN.union(names).intersection(scales):
        raise StudyError(f"scales: {', '.join(sorted(clash))}: choose another name for the scale.")
    inputs.check_groups(persons, names)
    number = inputs.group_numbers(persons, names)
    shape = (int(number.max()) + 1, *(len(one.cuts) - 1 for one in scales.values()))
    sums = {key: np.zeros(int(np.prod(shape))) for key in ("n", "events", "person_years")}
    lost = {"person_years": 0.0, "events": 0}
    for low in range(0, len(persons), BLOCK):
        who = np.arange(low, min(low + BLOCK, len(persons)))
        _add_up(_pieces(followed, who), number, shape, sums, lost)
    found = _table(sums, shape, followed, persons, names, number)
    found.attrs["outside"] = lost
    return found


def _read(
    persons: pd.DataFrame, start: str, end: str, event: str, scales: Mapping[str, Scale], years: str
) -> Followed:
    if not scales:
        raise StudyError("scales: expected one or more, such as {'age': rates.scale(...)}.")
    if years not in YEARS:
        raise StudyError(f"years: expected one of {', '.join(YEARS)}.")
    inputs.check_frame(persons, [start, end, event])
    faults: list[str] = []
    begin, stop = read_dates(persons, start, faults), read_dates(persons, end, faults)
    if n_wrong := int((stop < begin).sum()):
        faults.append(f'column "{end}": before "{start}" in {n_wrong} rows')
    zero = {
        name: read_dates(persons, one.origin, faults)
        for name, one in scales.items()
        if one.origin is not None
    }
    happened = pd.to_numeric(persons[event], errors="coerce").to_numpy(float)
    if n_odd := int((~np.isin(happened, [0, 1])).sum()):
        faults.append(f'column "{event}": neither 0 nor 1 in {n_odd} rows')
    if faults:
        raise DataError(gathered("persons: some follow-up cannot be used.", faults))
    followed = Followed(begin, stop, happened == 1, zero, scales, 1 / DAYS_PER_YEAR)
    return followed.in_calendar_years() if years == "calendar" else followed


def _pieces(followed: Followed, who: np.ndarray) -> Pieces:
    """The pieces of some persons: cut where any scale is cut within their follow-up."""
    begin, stop = followed.start[who], followed.end[who]
    limits = {name: followed.limits(name, who) for name in followed.scales}
    inner = [np.clip(limit, begin[:, None], stop[:, None]) for limit in limits.values()]
    marks = np.sort(np.column_stack([begin, *inner, stop]), axis=1)
    length = np.diff(marks, axis=1)
    is_piece = length > 0
    is_piece[:, -1] |= stop == begin  # who has no time has one piece of no length
    row, column = np.nonzero(is_piece)
    first, last = marks[row, column], marks[row, column + 1]
    is_last = np.append(row[1:] != row[:-1], True)
    middle = (first + last) / 2
    cell = {name: (limit[row] <= middle[:, None]).sum(axis=1) - 1 for name, limit in limits.items()}
    for name, found in cell.items():
        found[found == len(followed.scales[name].cuts) - 1] = -1
    happened = followed.event[who][row] & is_last
    return Pieces(who[row], first, last, (last - first) * followed.in_years, cell, happened)


def _inside(pieces: Pieces) -> np.ndarray:
    """Which pieces lie in a cell of every scale."""
    return np.all([cell >= 0 for cell in pieces.cell.values()], axis=0)


def _add_up(
    pieces: Pieces,
    number: np.ndarray,
    shape: tuple[int, ...],
    sums: Mapping[str, np.ndarray],
    lost: dict[str, float],
) -> None:
    inside = _inside(pieces)
    lost["person_years"] += float(pieces.years[~inside].sum())
    lost["events"] += int(pieces.event[~inside].sum())
    person = pieces.person[inside]
    places = [number[person], *(cell[inside] for cell in pieces.cell.values())]
    flat = np.ravel_multi_index(places, shape)
    size = int(np.prod(shape))
    years, happened = pieces.years[inside], pieces.event[inside]
    # a person's pieces in one cell follow each other on no more than one stretch of each scale
    same = np.append(False, (person[1:] == person[:-1]) & (flat[1:] == flat[:-1]))
    sums["n"] += np.bincount(flat[~same], minlength=size)
    sums["events"] += np.bincount(flat[happened], minlength=size)
    sums["person_years"] += np.bincount(flat, weights=years, minlength=size)


def _table(
    sums: Mapping[str, np.ndarray],
    shape: tuple[int, ...],
    followed: Followed,
    persons: pd.DataFrame,
    names: list[str],
    number: np.ndarray,
) -> pd.DataFrame:
    used = np.flatnonzero(sums["n"] > 0)
    group, *cells = np.unravel_index(used, shape)
    _, first = np.unique(number, return_index=True)
    labels = persons[names].iloc[first[group]].reset_index(drop=True)
    for (name, one), cell in zip(followed.scales.items(), cells, strict=True):
        labels[name] = _as_written(np.array(one.cuts)[cell])
    for key in ("n", "events"):
        labels[key] = sums[key][used].astype(np.int64)
    return labels.assign(person_years=sums["person_years"][used])


def _cells_as_written(
    pieces: Pieces, inside: np.ndarray, followed: Followed
) -> dict[str, np.ndarray]:
    return {
        name: _as_written(np.array(followed.scales[name].cuts)[cell[inside]])
        for name, cell in pieces.cell.items()
    }


def _as_written(limits: np.ndarray) -> np.ndarray:
    """Whole limits as whole numbers."""
    return limits.astype(np.int64) if (limits == np.floor(limits)).all() else limits
