"""Counts per group and time: who is at risk, has the event, is censored or enters.

The counts are all that an estimator of survival needs. They are made in one pass over persons, by
numpy or by the engine, and two registers' counts can be added. At risk at a time t is who was
followed up to t or longer and, with delayed entry, had entered before t. Times are compared
exactly: use whole days, not fractions from different divisions.

Method: Andersen, Borgan, Gill and Keiding, 1993, chapter IV.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import pandas as pd

from workbench.analysis.counts.cells import Arrivals, Leavers, count_cells
from workbench.analysis.counts.sums import Spells, Sums, numbered, running, summed_spells
from workbench.errors import StudyError, did_you_mean


@dataclass(frozen=True, eq=False)
class EventCounts:
    """Everything survival estimates need of the persons: counts per group and time.

    `groups` has one row a group (its columns are the grouping columns; none: everyone), sorted.
    Group g has the times `time[first[g]:first[g + 1]]`, ascending: every time at which somebody
    leaves or enters. `causes` are the codes of events counted, `sums` the counts (with weights:
    sums of weights), `persons` the numbers of persons behind them, `spells` what a robust
    variance needs. Exact daily counts are personal data: keep them in the store or in a run's
    private part, as the persons they were made from.
    """

    groups: pd.DataFrame
    causes: tuple[int, ...]
    first: np.ndarray
    time: np.ndarray
    sums: Sums
    persons: Sums
    spells: Spells | None = None

    @property
    def is_weighted(self) -> bool:
        """Whether the counts are sums of weights."""
        return self.sums is not self.persons

    @property
    def has_entry(self) -> bool:
        """Whether persons came under observation later than at time 0."""
        return self.sums.entered is not None

    @cached_property
    def number(self) -> np.ndarray:
        """The number of the group of each time."""
        return np.repeat(np.arange(len(self.groups)), np.diff(self.first))

    @cached_property
    def n_at_risk(self) -> np.ndarray:
        """How many persons are at risk just before each time."""
        return self.persons.at_risk(self.first)

    @cached_property
    def at_risk(self) -> np.ndarray:
        """Who is at risk just before each time: persons, or the sum of their weights."""
        if not self.is_weighted:
            return self.n_at_risk
        # a sum of weights leaves a rest in the last digit when everybody has left
        return np.where(self.n_at_risk > 0, self.sums.at_risk(self.first), 0.0)

    @cached_property
    def events(self) -> np.ndarray:
        """Who has an event of any cause at each time."""
        return self.sums.events.sum(axis=1)

    @cached_property
    def n_events(self) -> np.ndarray:
        """How many persons have an event of any cause at each time."""
        return self.persons.events.sum(axis=1)

    @cached_property
    def everybody(self) -> np.ndarray:
        """Where everybody at risk has an event: told from persons, as weights may not cancel."""
        return (self.n_events > 0) & (self.n_events == self.n_at_risk)

    def running(self, values: np.ndarray) -> np.ndarray:
        """Cumulative sums that start anew in every group."""
        return running(np.add, values, self.first)

    def labels(self) -> pd.DataFrame:
        """The grouping columns, one row a time."""
        return self.groups.iloc[self.number].reset_index(drop=True)

    def grouped(self, by: str | Sequence[str] | None) -> EventCounts:
        """Keep some of the grouping columns and add the counts over the others.

        Raises
        ------
        StudyError
            A column by which the counts were not made.
        """
        names = [by] if isinstance(by, str) else list(by or [])
        if names == list(self.groups.columns):
            return self
        for name in names:
            if name not in self.groups.columns:
                near = did_you_mean(name, list(self.groups.columns))
                raise StudyError(f'by: the counts were not made by "{name}".{near}')
        return combined([self], names)

    def __add__(self, other: EventCounts) -> EventCounts:
        """Add the counts of two registers: equal to counting the persons of both together."""
        if not isinstance(other, EventCounts):
            return NotImplemented
        if set(self.groups.columns) != set(other.groups.columns):
            raise StudyError(
                "counts: made by different columns, so they cannot be added. Make both by the same."
            )
        kinds = [(c.has_entry, c.is_weighted, c.spells is None) for c in (self, other)]
        if kinds[0] != kinds[1]:
            raise StudyError(
                "counts: one has entry times, weights or weights that are not whole and the other "
                "has not, so they cannot be added. Make both with the same columns."
            )
        return combined([self, other], list(self.groups.columns))

    def frame(self) -> pd.DataFrame:
        """The counts as a frame: one row a group and time.

        Columns: those of the groups, `time`, `at_risk`, `events`, `censored`; with several causes
        `events_1`, `events_2` ... ; `entered` with delayed entry; with weights `n_at_risk`,
        `n_events`, `n_censored` (persons).
        """
        table = self.labels().assign(time=self.time, at_risk=self.at_risk, events=self.events)
        table["censored"] = self.sums.censored
        if self.causes != (1,):
            for column, cause in enumerate(self.causes):
                table[f"events_{cause}"] = self.sums.events[:, column]
        if self.has_entry:
            table["entered"] = self.sums.entered
        if self.is_weighted:
            table["n_at_risk"], table["n_events"] = self.n_at_risk, self.n_events
            table["n_censored"] = self.persons.censored
        return table

    def refuse_weights(self, what: str) -> None:
        """Refuse weighted counts where a method is not made for them (StudyError)."""
        if self.is_weighted:
            raise StudyError(f"{what}: made for persons, not for weights. Count without weights.")

    def of_groups(self, kept: np.ndarray) -> EventCounts:
        """The counts of some of the groups (a yes or no for each)."""
        rows, numbers = kept[self.number], np.cumsum(kept) - 1
        groups = self.groups[kept].reset_index(drop=True)
        first = np.append(0, np.cumsum(np.diff(self.first)[kept]))
        persons = self.persons.at(rows)
        sums = self.sums.at(rows) if self.is_weighted else persons
        spells = self.spells
        if spells is not None:
            own = kept[spells.number]
            entry = None if spells.entry is None else spells.entry[own]
            facts = (spells.time[own], spells.cause[own], spells.squares[own])
            spells = Spells(numbers[spells.number[own]], entry, *facts)
        return EventCounts(groups, self.causes, first, self.time[rows], sums, persons, spells)

    def rows_of(self, number: np.ndarray, time: np.ndarray) -> np.ndarray:
        """Where the given times of the given groups (numbers) lie; both must be there."""
        known = np.unique(self.time)
        key = self.number * len(known) + np.searchsorted(known, self.time)
        return np.searchsorted(key, number * len(known) + np.searchsorted(known, time))

    def leaves(self) -> np.ndarray:
        """Where somebody leaves; at the other times persons only enter."""
        return self.n_events + self.persons.censored > 0

    def rows_at(self, times: np.ndarray) -> dict[str, np.ndarray]:
        """Find, per group and asked time, where in the counts that time falls.

        Returns
        -------
        Row positions: `first` and `last` of each group (shape groups x 1), `at_or_after` and
        `after` the asked time (shape groups x times). One past `last` means: no such row.
        """
        groups = [self.time[a:b] for a, b in pairwise(self.first.tolist())]
        start = self.first[:-1, None]
        found = {
            "at_or_after": start + np.array([np.searchsorted(time, times) for time in groups]),
            "after": start + np.array([np.searchsorted(time, times, "right") for time in groups]),
        }
        return {"first": self.first[:-1, None], "last": self.first[1:, None] - 1} | found


def counted(
    leavers: Leavers, arrivals: Arrivals | None, groups: pd.DataFrame, spells: Spells | None
) -> EventCounts:
    """Count rows that leave and enter, per group and time."""
    cells = count_cells(leavers, arrivals, len(groups))
    return EventCounts(
        groups, cells.causes, cells.first, cells.time, cells.sums, cells.persons, spells
    )


def combined(parts: Sequence[EventCounts], names: Sequence[str]) -> EventCounts:
    """Add counts, over all grouping columns but `names` (a group seen in one part only stays)."""
    labels = pd.concat([part.groups for part in parts], ignore_index=True)
    number, groups = numbered(labels, names)
    ends = np.cumsum([len(part.groups) for part in parts])
    numbers = np.split(number, ends[:-1])
    leavers = [_leaving_rows(part, own) for part, own in zip(parts, numbers, strict=True)]
    arrivals = None
    if parts[0].has_entry:
        arrivals = Arrivals(
            *_joined([_entering_rows(part, own) for part, own in zip(parts, numbers, strict=True)])
        )
    return counted(Leavers(*_joined(leavers)), arrivals, groups, _all_spells(parts, numbers))


def _leaving_rows(counts: EventCounts, own: np.ndarray) -> tuple:
    codes = np.array([0, *counts.causes])
    persons = np.column_stack([counts.persons.censored, counts.persons.events])
    row, column = np.nonzero(persons)
    weight = None
    if counts.is_weighted:
        weight = np.column_stack([counts.sums.censored, counts.sums.events])[row, column]
    number = own[counts.number[row]]
    return number, counts.time[row], codes[column], persons[row, column], weight


def _entering_rows(counts: EventCounts, own: np.ndarray) -> tuple:
    row = np.flatnonzero(counts.persons.entered)
    weight = counts.sums.entered[row] if counts.is_weighted else None
    return own[counts.number[row]], counts.time[row], counts.persons.entered[row], weight


def _joined(parts: Sequence[tuple]) -> list[np.ndarray | None]:
    return [
        None if column[0] is None else np.concatenate(column) for column in zip(*parts, strict=True)
    ]


def _all_spells(parts: Sequence[EventCounts], numbers: Sequence[np.ndarray]) -> Spells | None:
    rows = [
        (
            own[part.spells.number],
            part.spells.entry,
            part.spells.time,
            part.spells.cause,
            part.spells.squares,
        )
        for part, own in zip(parts, numbers, strict=True)
        if part.spells is not None
    ]
    return summed_spells(Spells(*_joined(rows))) if rows else None
