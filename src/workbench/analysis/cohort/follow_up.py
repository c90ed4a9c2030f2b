"""How long persons are followed, and what ended it: the event, another cause, death, emigration.

Follow-up ends at the first of everything that can end it. On one day the study's outcome comes
first, then competing causes in their order, death, emigration, the register's own end, `as_of`.
"""

from __future__ import annotations

from collections.abc import Mapping

import ibis
from ibis import _

from workbench.analysis.cohort.linkage import Sources
from workbench.analysis.cohort.moves import times_abroad
from workbench.analysis.cohort.steps import Step
from workbench.analysis.row_tests import fulfils, has_code, value_of
from workbench.registers.codes import CodeList
from workbench.registers.schema import Table
from workbench.study import DAYS_IN, LinkedEvent, Study

OUTCOME, DEATH, EMIGRATION = "outcome", "death", "emigration"
LAST_SEEN, AS_OF = "end of follow-up", "end of data"


def causes_of(study: Study) -> tuple[str, ...]:
    """What can end follow-up besides censoring, by the words of `ended_by`; the outcome first."""
    rules = study.follow_up
    if rules is None:
        return ()
    death_counts = study.population is not None and not rules.or_death
    return (OUTCOME, *rules.competing, *([DEATH] if death_counts else []))


def with_population(rows: ibis.Table, study: Study, sources: Sources) -> ibis.Table:
    """Add what the population register says of each row's person: known, death, abroad, emigration.

    `rows` carry `_person` and `_index_date`.
    """
    if study.population is None:
        return rows
    persons = sources.one_row_a_person(sources.roles["persons"])
    table = sources.table(sources.roles["persons"])
    died = table.meaning("death_date")
    death = persons[died] if died else ibis.null("date")
    birth = persons[str(table.meaning("birth_date"))]
    known = persons.select(_who=persons._person, _birth=birth, _death=death)
    rows = rows.left_join(known, rows._person == known._who)
    rows = rows.mutate(_is_known=rows._who.notnull()).drop("_who")
    if "migrations" not in sources.roles:
        return rows.mutate(_abroad=ibis.literal(False), _emigration=ibis.null("date"))
    moves = _moves(rows, sources)
    kept = sources.keep(moves, "moves")
    rows = rows.left_join(kept, rows.row_id == kept.row_id).drop("row_id_right")
    return rows.mutate(_abroad=rows._abroad.fill_null(False))


def _moves(rows: ibis.Table, sources: Sources) -> ibis.Table:
    """For each row: abroad on its index date, and the first emigration from then on.

    Who emigrates on the index date itself is followed for no time.
    """
    away = times_abroad(sources)
    index = rows.filter(rows._index_date.notnull()).select("row_id", "_person", "_index_date")
    joined = index.inner_join(away, index._person == away._who)
    day = joined._index_date
    had_left = joined._left.isnull() | (joined._left < day)
    still_away = joined._back.isnull() | (joined._back > day)
    return joined.group_by("row_id").agg(
        _abroad=(had_left & still_away).any(),
        _emigration=joined._left.min(where=joined._left >= day),
    )


def with_follow_up(
    rows: ibis.Table, study: Study, sources: Sources, code_lists: Mapping[str, CodeList]
) -> ibis.Table:
    """Add `_length`, `_days` (one unit of length), `_event`, `_ended_by`, `_status_missing`.

    A study without follow-up gets nothing: its persons are described only.
    """
    rules = study.follow_up
    if rules is None:
        return rows
    if rules.duration is not None:
        return _with_duration(rows, study, sources.table(sources.main))
    ends, missing, unknown = [], ibis.literal(False), ibis.literal(False)
    if rules.event_in is not None:
        rows = _with_linked(rows, "_outcome", rules.event_in, sources, code_lists)
        ends.append((OUTCOME, rows._outcome))
    elif rules.event_date is not None:
        ends.append((OUTCOME, rows[rules.event_date]))
        if rules.end_date:
            unknown = rows[rules.event_date].isnull() & rows[rules.end_date].isnull()
    else:
        table = sources.table(sources.main)
        status = value_of(rows, rules.event.variable, table).cast("string")
        happened = status.isin(rules.event.is_in).fill_null(False)
        rows = rows.mutate(_outcome=ibis.ifelse(happened, rows[rules.end_date], ibis.null("date")))
        ends.append((OUTCOME, rows._outcome))
        missing, unknown = status.isnull(), rows[rules.end_date].isnull()
    if rules.or_death:  # on one day the outcome comes first, and death is the outcome here
        ends.append((OUTCOME, rows._death))
    for at, (name, event) in enumerate(rules.competing.items()):
        rows = _with_linked(rows, f"_cause_{at}", event, sources, code_lists)
        ends.append((name, rows[f"_cause_{at}"]))
    if study.population is not None:
        ends += [] if rules.or_death else [(DEATH, rows._death)]
        ends += [(EMIGRATION, rows._emigration)]
    if rules.end_date:
        ends.append((LAST_SEEN, rows[rules.end_date]))
    ends.append((AS_OF, ibis.literal(study.as_of)))
    rows = rows.mutate(
        _status_missing=missing,
        _unknown=unknown,
        **{f"_end_{at}": day for at, (_name, day) in enumerate(ends)},
    )
    days = [rows[f"_end_{at}"] for at in range(len(ends))]
    rows = rows.mutate(_end=ibis.ifelse(rows._unknown, None, ibis.least(*days)))
    first = [(rows[f"_end_{at}"] == rows._end, name) for at, (name, _day) in enumerate(ends)]
    rows = rows.mutate(_ended_by=ibis.cases(*first))
    return rows.mutate(
        _length=rows._end.delta(rows._index_date, unit="day").cast("float64"),
        _days=ibis.literal(1.0),
        _event=rows._ended_by == OUTCOME,
    ).drop("_unknown", *[f"_end_{at}" for at in range(len(ends))])


def _with_linked(
    rows: ibis.Table,
    name: str,
    event: LinkedEvent,
    sources: Sources,
    code_lists: Mapping[str, CodeList],
) -> ibis.Table:
    """Add the first day, from the index date on, of a row of another table that is the event."""
    table, linked = sources.table(event.link), sources.linked(event.link)
    counts = linked._person.notnull()
    for test in event.where:
        counts = counts & fulfils(linked, test, table)
    if event.codes:
        counts = counts & has_code(linked, event.codes, table, code_lists[event.codes.list_name])
    day = linked[event.date or str(table.dated_by)]
    linked = linked.filter(counts).select(_who=linked._person, _day=day)
    index = rows.filter(rows._index_date.notnull()).select("row_id", "_person", "_index_date")
    joined = index.inner_join(linked, index._person == linked._who)
    since = joined._day.delta(joined._index_date, unit="day") >= event.from_day
    first = joined.filter(since).group_by("row_id").agg(**{name: _._day.min()})
    kept = sources.keep(first, f"event{name}")
    return rows.left_join(kept, rows.row_id == kept.row_id).drop("row_id_right")


def _with_duration(rows: ibis.Table, study: Study, table: Table) -> ibis.Table:
    """Follow-up delivered as a length; where there is an index date it is cut at `as_of`."""
    rules = study.follow_up
    status = value_of(rows, rules.event.variable, table).cast("string")
    rows = rows.mutate(
        _status_missing=status.isnull(),
        _event=status.isin(rules.event.is_in).fill_null(False),
        _length=rows[str(rules.duration)].cast("float64"),
        _days=ibis.literal(DAYS_IN[str(table.variables[str(rules.duration)].unit)]),
        _is_later=ibis.literal(False),
    )
    if study.as_of is not None:
        known = ibis.literal(study.as_of).delta(rows._index_date, unit="day").cast("float64")
        is_later = ((rows._length > known) & (known >= 0)).fill_null(False)
        rows = rows.mutate(
            _is_later=is_later,
            _event=rows._event & ~is_later,
            _length=ibis.ifelse(is_later, known, rows._length),
        )
    ended_by = ibis.cases((rows._event, OUTCOME), (rows._is_later, AS_OF), else_=LAST_SEEN)
    return rows.mutate(_ended_by=ended_by).drop("_is_later")


def population_steps(study: Study) -> list[Step]:
    """Reasons to leave that the population register gives."""
    if study.population is None:
        return []
    return [
        Step("not in the population register", ~_._is_known),
        Step("index date before birth", _._index_date < _._birth),
        Step("dead before the index date", _._death < _._index_date),
        Step("abroad on the index date", _._abroad),
    ]


def follow_up_steps(study: Study) -> list[Step]:
    """Reasons to leave that the length of follow-up gives."""
    if study.follow_up is None:
        return []
    outcome = study.follow_up.outcome
    return [
        Step(f"not known: {outcome}", _._status_missing),
        Step("length of follow-up not known", _._length.isnull()),
        Step("follow-up ends before it begins", _._length < 0),
    ]
