"""Counts: everything survival estimates need of the persons, and nothing more.

`event_counts` makes them from a frame or from an Ibis table (by the engine; no person is fetched);
they can be added, written and read. Exact counts by day are personal data: they stay in the store
or in a run's private part.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from workbench.analysis import inputs
from workbench.analysis.counts.counting import count_persons
from workbench.analysis.counts.engine import count_table, is_engine_table
from workbench.analysis.counts.files import read, write
from workbench.analysis.counts.sums import numbered, running
from workbench.analysis.counts.tally import EventCounts
from workbench.errors import StudyError

if TYPE_CHECKING:
    import ibis

__all__ = ["EventCounts", "count_events", "event_counts", "read", "running", "write"]


def event_counts(
    persons: pd.DataFrame | ibis.Table | EventCounts,
    *,
    duration: str | None = None,
    event: str | None = None,
    by: str | Sequence[str] | None = None,
    entry: str | None = None,
    weight: str | None = None,
    causes: bool = False,
) -> EventCounts:
    """Count who is at risk, who has the event and who is censored, per group and time.

    Parameters
    ----------
    persons
        One row per person, in a frame or an Ibis table (counted by the engine in one pass); see
        `inputs.check_follow_up`. Or counts already made: `by` then picks among their groups and
        adds over the others, and the columns of the persons are not needed.
    by
        Grouping column or columns, none missing; strata are named here too. Categories keep their
        order, others are sorted.
    causes
        Whether `event` may hold 2, 3 ... for competing causes.

    Returns
    -------
    `EventCounts`.

    Raises
    ------
    DataError, StudyError
        See `check_follow_up` and `check_groups`; counts by other columns, or of several causes
        where one is expected.
    """
    names = inputs.names_of(by)
    if isinstance(persons, EventCounts):
        if not causes and persons.causes != (1,):
            raise StudyError(f"counts: made of several causes of the event{inputs.COMPETING}.")
        return persons.grouped(names)
    if duration is None or event is None:
        raise StudyError("duration, event: expected the names of their columns.")
    if is_engine_table(persons):
        columns = {"duration": duration, "event": event, "entry": entry, "weight": weight}
        return count_table(persons, **columns, names=names, causes=causes)
    inputs.check_frame(persons, names)
    follow_up = inputs.check_follow_up(
        persons,
        duration=duration,
        event=event,
        entry=entry,
        weight=weight,
        causes=causes,
        keep_whole=True,
    )
    inputs.check_groups(persons, names)
    number, groups = numbered(persons, names)
    return count_persons(follow_up, number, groups)


def count_events(
    persons: pd.DataFrame | ibis.Table | EventCounts,
    *,
    duration: str | None = None,
    event: str | None = None,
    by: str | Sequence[str] | None = None,
    entry: str | None = None,
    weight: str | None = None,
) -> pd.DataFrame:
    """Count who is at risk, who has the event and who is censored: the counts as a frame.

    Returns
    -------
    One row per group and time at which somebody leaves (or, with `entry`, enters), sorted; the
    columns are those of `EventCounts.frame`. Parameters and refusals are those of `event_counts`.
    """
    counted = event_counts(
        persons, duration=duration, event=event, by=by, entry=entry, weight=weight
    )
    return counted.frame()
