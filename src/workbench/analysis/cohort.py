"""Choose the persons of a study and follow them: lazily on the engine, with a ledger that adds up.

Every row of the table gets the number of the first step at which it leaves, in one expression; the
ledger, the profile of those who left and the cohort itself are counted from that. Only the rows of
the cohort, with the study's columns, enter Python.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_

import ibis
import pandas as pd
from ibis import _

from workbench.analysis.covariates import as_analysed, is_in_words, variable_words
from workbench.analysis.ledger import Ledger, count_ledger
from workbench.data.store import Store, Version
from workbench.errors import DataError
from workbench.registers.schema import Table
from workbench.registers.variables import Variable
from workbench.study import DAYS_IN, Condition, Study

LATER_ROW = "a later row of the same person"


@dataclass(frozen=True)
class Cohort:
    """One row a person, and how they were chosen.

    `persons`: `person`, `index_date` where the register delivers dates, the study's variables
    (categories carry the definition's words, unknown codes are missing), `follow_up` in the
    study's unit and `has_event`.
    """

    persons: pd.DataFrame
    ledger: Ledger
    versions: dict[str, Version]  # table -> what was read

    @property
    def n(self) -> int:
        """Persons in the cohort."""
        return len(self.persons)

    @property
    def n_events(self) -> int:
        """Persons with the event."""
        return int(self.persons["has_event"].sum())


@dataclass(frozen=True)
class _Step:
    """A reason to leave, and the rows that have it."""

    reason: str
    leaves: ibis.Value


def select_cohort(study: Study, store: Store) -> Cohort:
    """The persons a study is about, each with index date, covariates, follow-up and event.

    The study must have been checked against the table's definition. Raises `StoreError` when the
    table is not in the store and `DataError` when nobody is left, saying at which step.
    """
    full_name = f"{study.register_name}.{study.table}"
    version = store.version(full_name)
    table = version.definition
    steps = [*_choice_steps(study, table), *_follow_up_steps(study, table)]
    rows = _prepared(store.rows(full_name), study, table)
    rows = rows.mutate(_step=_first_step(steps))
    rows = _one_row_a_person(rows, study, table, n_steps=len(steps))
    reasons = [step.reason for step in steps]
    reasons += [LATER_ROW] if table.person else []
    ledger = count_ledger(rows, reasons, study=study, version=version)
    persons = _persons(rows, study, table)
    if persons.empty:
        raise DataError(_nobody_left(ledger.steps))
    return Cohort(persons, ledger, {full_name: version})


def _prepared(rows: ibis.Table, study: Study, table: Table) -> ibis.Table:
    """Add person, index date, follow-up and event to every row; nothing leaves yet."""
    rows = rows.mutate(_person=rows[table.person] if table.person else rows.row_id)
    index_date = study.cohort.index_date
    if index_date:
        rows = rows.mutate(_index_date=rows[index_date])
    rules = study.follow_up
    if rules.event is not None:
        status = rows[rules.event.variable].cast("string")
        event = status.isin(rules.event.is_in)
        rows = rows.mutate(_status_missing=status.isnull(), _event=event)
    elif rules.event_date is not None:
        rows = rows.mutate(
            _status_missing=ibis.literal(False), _event=rows[rules.event_date].notnull()
        )
    if rules.duration is not None:
        days = DAYS_IN[str(table.variables[rules.duration].unit)]
        return _cut_at_as_of(
            rows.mutate(_length=rows[rules.duration].cast("float64"), _days=days), study
        )
    ends = [rows[name] for name in (rules.event_date, rules.end_date) if name]
    end = ibis.least(*ends) if len(ends) > 1 else ends[0]
    if rules.event_date:
        # Without an event a person is followed to the end date, or to as_of where there is none.
        last = rows[rules.end_date] if rules.end_date else ibis.literal(study.as_of)
        end = ibis.coalesce(end, rows[rules.event_date], last)
        rows = rows.mutate(_event=rows._event & (rows[rules.event_date] <= end))
    length = end.delta(rows._index_date, unit="day")
    return _cut_at_as_of(rows.mutate(_length=length.cast("float64"), _days=1.0), study)


def _cut_at_as_of(rows: ibis.Table, study: Study) -> ibis.Table:
    """End follow-up at `as_of`: what happened later is not known yet."""
    if study.as_of is None:
        return rows
    known = ibis.literal(study.as_of).delta(rows._index_date, unit="day").cast("float64")
    is_later = (rows._length > known) & (known >= 0)
    return rows.mutate(
        _event=rows._event & ~is_later.fill_null(False),
        _length=ibis.ifelse(is_later.fill_null(False), known, rows._length),
    )


def _choice_steps(study: Study, table: Table) -> list[_Step]:
    """Reasons to leave that the study's rules on persons and periods give, in their order."""
    rules = study.cohort
    steps = []
    if rules.index_date:
        steps.append(_Step(f"no {variable_words(rules.index_date, table)}", _._index_date.isnull()))
        if rules.period:
            first, last = rules.period.first, rules.period.last
            steps.append(_Step(f"before {first}", _._index_date < ibis.literal(first)))
            steps.append(_Step(f"after {last}", _._index_date > ibis.literal(last)))
        elif study.as_of:
            steps.append(_Step(f"after {study.as_of}", _._index_date > ibis.literal(study.as_of)))
    for condition in rules.include:
        fulfilled = _fulfils(condition, table.variables[condition.variable])
        steps.append(_Step(condition.because, ~fulfilled.fill_null(False)))
    for condition in rules.exclude:
        fulfilled = _fulfils(condition, table.variables[condition.variable])
        steps.append(_Step(condition.because, fulfilled.fill_null(False)))
    return steps


def _follow_up_steps(study: Study, table: Table) -> list[_Step]:
    outcome = study.follow_up.outcome
    return [
        _Step(f"not known: {outcome}", _._status_missing),
        _Step("length of follow-up not known", _._length.isnull()),
        _Step("follow-up ends before it begins", _._length < 0),
    ]


def _fulfils(condition: Condition, variable: Variable) -> ibis.Value:
    column = _[condition.variable]
    missing = column.isnull()
    if variable.unknown:
        missing = missing | column.cast("string").isin(variable.unknown)
    if condition.is_missing is not None:
        return missing if condition.is_missing else ~missing
    if condition.is_in is not None:
        return column.cast("string").isin(condition.is_in)
    if condition.not_in is not None:
        return column.cast("string").notin(condition.not_in)
    kind = {"date": "date", "integer": "int64"}.get(variable.type, "float64")
    limits = []
    if condition.at_least is not None:
        limits.append(column >= ibis.literal(condition.at_least).cast(kind))
    if condition.at_most is not None:
        limits.append(column <= ibis.literal(condition.at_most).cast(kind))
    return reduce(and_, limits)


def _first_step(steps: Sequence[_Step]) -> ibis.Value:
    """The number of the first step at which a row leaves, from 1; missing when it stays."""
    return ibis.cases(*[(step.leaves, number) for number, step in enumerate(steps, start=1)])


def _one_row_a_person(rows: ibis.Table, study: Study, table: Table, *, n_steps: int) -> ibis.Table:
    """Of several rows of one person that stay, only the first by index date (then row) stays."""
    if not table.person:
        return rows
    order = [_._index_date] if study.cohort.index_date else []
    window = ibis.window(group_by=["_person", rows._step.isnull()], order_by=[*order, _.row_id])
    place = ibis.row_number().over(window)
    is_later = rows._step.isnull() & (place > 0)
    return rows.mutate(_step=ibis.ifelse(is_later, n_steps + 1, rows._step))


def _persons(rows: ibis.Table, study: Study, table: Table) -> pd.DataFrame:
    """The rows that stay, as a frame with the study's columns."""
    unit = DAYS_IN[study.follow_up.unit]
    columns = {"person": _._person}
    if study.cohort.index_date:
        columns["index_date"] = _._index_date
    for name in study.variables:
        source = _[study.source_of(name)]
        columns[name] = source.cast("string") if is_in_words(study, name, table) else source
    chosen = rows.filter(rows._step.isnull()).order_by("_person")
    # A duration already in the study's unit is not touched: 12 months stay 12.
    length = rows._length if _same_unit(study, table) else _._length * _._days / unit
    frame = chosen.select(**columns, follow_up=length, has_event=_._event).execute()
    for name in study.variables:
        frame[name] = as_analysed(frame[name], study, name, table)
    return frame


def _same_unit(study: Study, table: Table) -> bool:
    duration = study.follow_up.duration
    given = str(table.variables[duration].unit) if duration else "days"
    return given == study.follow_up.unit


def _nobody_left(steps: pd.DataFrame) -> str:
    emptied = steps[(steps["n_rows_in"] > 0) & (steps["n_rows_in"] == steps["n_rows_out"])]
    at = f' The last ones left at the step "{emptied["reason"].iloc[0]}".' if len(emptied) else ""
    return f"The cohort is empty: nobody fulfils the study's rules.{at} Widen the rules."
