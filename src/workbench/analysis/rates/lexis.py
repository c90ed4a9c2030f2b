"""Divide follow-up into Lexis cells: the rows themselves, or persons, events and person-years.

Every person's follow-up is cut where any scale is cut; each piece lies in one cell of every scale.
An event belongs to the last piece, so that one on the day of a limit counts before it.

Method: Lexis diagram; Clayton and Hills, 1993, chapter 6; Breslow and Day, 1987, chapter 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from workbench.analysis import inputs
from workbench.analysis.rates.cells import CellSums, Pieces, pieces_of, sums_of
from workbench.analysis.rates.follow_up import Followed, read_follow_up
from workbench.analysis.rates.time_scales import Scale
from workbench.errors import DataError, StudyError

TAKEN = {"n", "events", "person_years", "start", "end", "event"}
OF_PIECES = {"begin", "stop", "person_years", "events"}


def split(
    persons: pd.DataFrame, *, start: str, end: str, event: str, scales: Mapping[str, Scale],
    years: str | float = "days",
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
        As `person_time`; columns of `persons` named as one of the result.
    """
    followed = read_follow_up(
        persons, start=start, end=end, event=event, scales=scales, years=years
    )
    if taken := sorted((OF_PIECES | set(scales)) & set(persons.columns)):
        raise DataError(f"persons: {', '.join(taken)} are columns of the result. Rename them.")
    if clash := sorted(OF_PIECES & set(scales)):
        raise StudyError(f"scales: {', '.join(clash)}: choose another name for the scale.")
    parts, lost_time, lost_events = [], 0.0, 0
    for pieces in pieces_of(followed):
        outside = ~pieces.inside
        lost_time += float((pieces.stop - pieces.begin)[outside].sum())
        lost_events += int(pieces.event[outside].sum())
        parts.append(_rows(persons, pieces, followed))
    found = pd.concat(parts, ignore_index=True)
    lost = {"person_years": lost_time * followed.in_years, "events": lost_events}
    found.attrs["outside"] = lost
    return found


def person_time(
    persons: pd.DataFrame,
    *,
    start: str,
    end: str,
    event: str,
    scales: Mapping[str, Scale],
    by: str | Sequence[str] | None = None,
    years: str | float = "days",
) -> pd.DataFrame:
    """Count persons, events and person-years by age, calendar year or any other scale of time.

    Parameters
    ----------
    persons
        One row per person (or spell): `start` and `end` dates, `event` 0 or 1 at the end. The day
        of the start is the first at risk, that of the end no longer. Who ends on the day of the
        start has no time, and counts in the cell of that day.
    scales
        Names of result columns with their scales, as `rates.scale` makes them:
        {"age": scale(range(0, 101, 5), origin="born"), "year": scale(range(2000, 2025))}.
    by
        Grouping column or columns, none missing.
    years
        What a year is. "days": whole days over 365.2425, ages change on the birthday, so that
        person-years are exact to the day; "calendar": shares of calendar years (a leap day weighs
        less), as R's popEpi; a number: a year of so many days for ages and person-years alike, as
        R's survival with 365.25.

    Returns
    -------
    One row per group and cell with any time or event: the columns of `by`, each scale's column (the
    cell's lower limit), `n` (persons who come into the cell), `events`, `person_years`. What lies
    before the first or after the last limit of a scale is in no row and in `attrs["outside"]`
    (person_years, events); rows and `outside` add up to all follow-up.

    Raises
    ------
    DataError, StudyError
        Dates or events that are missing or cannot be, an end before the start; missing groups; no
        scale, or one named as a column of the result; more than 20 million cells.
    """
    names = inputs.names_of(by)
    followed = read_follow_up(
        persons, start=start, end=end, event=event, scales=scales, years=years
    )
    inputs.check_frame(persons, names)
    if clash := TAKEN.union(names).intersection(scales):
        raise StudyError(f"scales: {', '.join(sorted(clash))}: choose another name for the scale.")
    inputs.check_groups(persons, names)
    number = inputs.group_numbers(persons, names)
    sums = sums_of(followed, number)
    found = _table(sums, followed, persons, names, number)
    lost = {"person_years": sums.outside_time * followed.in_years, "events": sums.outside_events}
    found.attrs["outside"] = lost
    return found


def _rows(persons: pd.DataFrame, pieces: Pieces, followed: Followed) -> pd.DataFrame:
    """The pieces of a block that lie in a cell, as rows."""
    inside = pieces.inside
    who, begin, stop = pieces.person[inside], pieces.begin[inside], pieces.stop[inside]
    facts = {
        "begin": (begin - followed.start[who]) * followed.in_years,
        "stop": (stop - followed.start[who]) * followed.in_years,
        "person_years": (stop - begin) * followed.in_years,
    }
    cells = {
        name: _as_written(followed.scales[name], cell[inside]) for name, cell in pieces.cell.items()
    }
    rows = persons.iloc[who].reset_index(drop=True)
    return rows.assign(**facts, **cells, events=pieces.event[inside].astype(np.int64))


def _table(
    sums: CellSums, followed: Followed, persons: pd.DataFrame, names: list[str], number: np.ndarray
) -> pd.DataFrame:
    used = np.flatnonzero(sums.n > 0)
    group, *cells = np.unravel_index(used, sums.shape)
    _, first = np.unique(number, return_index=True)
    labels = persons[names].iloc[first[group]].reset_index(drop=True)
    for (name, one), cell in zip(followed.scales.items(), cells, strict=True):
        labels[name] = _as_written(one, cell)
    counts = {"n": sums.n[used].astype(np.int64), "events": sums.events[used].astype(np.int64)}
    return labels.assign(**counts, person_years=sums.time[used] * followed.in_years)


def _as_written(one: Scale, cell: np.ndarray) -> np.ndarray:
    """The lower limit of each cell; whole limits as whole numbers."""
    low = np.array(one.cuts[:-1])
    is_whole = np.isfinite(low).all() and (low == np.floor(low)).all()
    return (low.astype(np.int64) if is_whole else low)[cell]
