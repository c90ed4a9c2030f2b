"""The walk of each patient through the cells of a life table, about two cells a year.

Two walks are needed. The exact one crosses into the next cell at the very day (and fraction) on
which a birthday or a new year falls: expected survival. The stepped one takes, for each step of
follow-up time, the rate of the cell at the start of the step: net survival, as R's relsurv.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from workbench.analysis.relative.patients import Patients


@dataclass(frozen=True, eq=False)
class Piece:
    """What the patients `who` do next: follow-up days `start` to `stop` in a cell with `rate`."""

    who: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    rate: np.ndarray
    cell: np.ndarray


def pieces(patients: Patients, until: np.ndarray) -> Iterator[Piece]:
    """Walk all patients from day 0 to `until`, one piece each at a time."""
    table = patients.table
    n_ages = len(table.ages)
    ages, years = np.append(table.ages, np.inf), np.append(table.years, np.inf)
    rates = table.hazard.ravel()
    at_age = np.searchsorted(table.ages, patients.age, side="right") - 1
    at_year = np.searchsorted(table.years, patients.date, side="right") - 1
    who = np.flatnonzero(until > 0)
    start = np.zeros(len(who))
    while who.size:
        age, year = at_age[who], at_year[who]
        next_age = ages[age + 1] - patients.age[who]
        next_year = years[year + 1] - patients.date[who]
        stop = np.minimum(np.minimum(next_age, next_year), until[who])
        cell = (patients.row[who] * len(table.years) + np.maximum(year, 0)) * n_ages
        cell += np.maximum(age, 0)
        yield Piece(who, start, stop, rates[cell], cell)
        at_age[who] += next_age <= stop
        at_year[who] += next_year <= stop
        stays = stop < until[who]
        who, start = who[stays], stop[stays]


def cumulative_hazard(patients: Patients, until: np.ndarray) -> np.ndarray:
    """Each patient's expected cumulative hazard from start to `until` (days), walked exactly."""
    total = np.zeros(len(until))
    for piece in pieces(patients, until):
        total[piece.who] += piece.rate * (piece.stop - piece.start)
    return total


def hazard_at(patients: Patients, time: np.ndarray) -> np.ndarray:
    """Each patient's population hazard per day at a time of follow-up."""
    table = patients.table
    age = np.searchsorted(table.ages, patients.age + time, side="right") - 1
    year = np.searchsorted(table.years, patients.date + time, side="right") - 1
    found: np.ndarray = table.hazard[patients.row, np.maximum(year, 0), np.maximum(age, 0)]
    return found


def risk_set_hazard(patients: Patients, times: np.ndarray) -> np.ndarray:
    """Expected deaths up to each time (days) among who is still followed, walked exactly.

    A sum of straight lines: each piece of a walk adds its rate while it lasts.
    """
    start, stop, rate = [], [], []
    for piece in pieces(patients, patients.time):
        begin = np.maximum(piece.start, patients.entry[piece.who])
        kept = begin < piece.stop
        start.append(begin[kept])
        stop.append(piece.stop[kept])
        rate.append(piece.rate[kept])
    if not start:
        return np.zeros(len(times))
    rates = np.concatenate(rate)
    begun = _ramps(np.concatenate(start), rates, times)
    return begun - _ramps(np.concatenate(stop), rates, times)


def _ramps(start: np.ndarray, rate: np.ndarray, times: np.ndarray) -> np.ndarray:
    order = np.argsort(start, kind="stable")
    place = np.searchsorted(start[order], times, side="left")
    slope = np.append(0.0, np.cumsum(rate[order]))[place]
    shift = np.append(0.0, np.cumsum((rate * start)[order]))[place]
    return slope * times - shift
