"""Check a study against the definition of its table, before anything runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation

from workbench.errors import StudyError, did_you_mean, gathered
from workbench.registers.schema import Table
from workbench.registers.variables import Variable
from workbench.study.model import DAYS_IN, Covariate, Study

# What a cohort has besides the study's variables.
COHORT_COLUMNS = frozenset({"person", "index_date", "follow_up", "has_event"})


def check_study(study: Study, table: Table, *, where: str) -> None:
    """Check a study against the definition of its table; raise `StudyError` with every fault."""
    faults = [
        *_cohort_faults(study, table),
        *_follow_up_faults(study, table),
        *_variable_faults(study, table),
        *_calendar_faults(study, table),
    ]
    if faults:
        raise StudyError(
            gathered(f"{where} does not fit the register {study.register_name}:", faults)
        )


def _cohort_faults(study: Study, table: Table) -> Iterator[str]:
    for place in ("include", "exclude"):
        for at, condition in enumerate(getattr(study.cohort, place)):
            where = f"cohort.{place}[{at}]"
            variable = table.variables.get(condition.variable)
            if variable is None:
                yield _no_variable(f"{where}.variable", condition.variable, table)
                continue
            yield from _value_faults(where, condition.values, condition.variable, variable)
            if (condition.at_least or condition.at_most) and variable.is_category:
                yield f"{where}: {condition.variable} has categories; use in or not_in."
    if study.cohort.index_date is not None:
        yield from _date_faults("cohort.index_date", study.cohort.index_date, table)


def _follow_up_faults(study: Study, table: Table) -> Iterator[str]:
    rules = study.follow_up
    for key in ("end_date", "event_date"):
        if (name := getattr(rules, key)) is not None:
            yield from _date_faults(f"follow_up.{key}", name, table)
            if study.cohort.index_date is None:
                yield f"follow_up.{key}: a date needs cohort.index_date to count from."
    if rules.duration is not None:
        variable = table.variables.get(rules.duration)
        if variable is None:
            yield _no_variable("follow_up.duration", rules.duration, table)
        elif variable.unit not in DAYS_IN:
            yield (
                f"follow_up.duration: {rules.duration} needs a unit in the register's definition, "
                f"one of {', '.join(DAYS_IN)}."
            )
    if rules.event is not None:
        variable = table.variables.get(rules.event.variable)
        if variable is None:
            yield _no_variable("follow_up.event.variable", rules.event.variable, table)
        else:
            where, name = "follow_up.event", rules.event.variable
            yield from _value_faults(where, rules.event.is_in, name, variable)


def _variable_faults(study: Study, table: Table) -> Iterator[str]:
    for name, covariate in study.variables.items():
        source = study.source_of(name)
        if name in COHORT_COLUMNS:
            yield f"variables.{name}: the cohort has a column of that name; choose another."
        if source in table.variables:
            yield from _covariate_faults(name, covariate, source, table)
        else:
            yield _no_variable(f"variables.{name}", source, table)
    if study.group is not None:
        if study.group not in study.variables:
            near = did_you_mean(study.group, study.variables)
            yield f'group: "{study.group}" is not among the variables.{near}'
        elif not _is_category(study, study.group, table):
            yield f"group: {study.group} is a number; cut it into groups first (cut: [...])."
    for name in study.model:
        if name not in study.variables:
            near = did_you_mean(name, study.variables)
            yield f'model: "{name}" is not among the variables.{near}'


def _covariate_faults(name: str, covariate: Covariate, source: str, table: Table) -> Iterator[str]:
    variable, where = table.variables[source], f"variables.{name}"
    if covariate.unit and variable.unit not in DAYS_IN:
        given = variable.unit or "no unit"
        yield f"{where}: unit converts days, weeks, months and years; {source} is in {given}."
    if covariate.cut and variable.type not in {"integer", "decimal"}:
        yield f"{where}: cut needs numbers; {source} has type {variable.type}."
    if variable.sensitivity in {"identity", "pseudonym"} or source == table.person:
        yield f"{where}: {source} says who a person is; it is never analysed."
    if variable.type == "date":
        yield f"{where}: a date cannot be a covariate; use it in the cohort or the follow-up."


def _calendar_faults(study: Study, table: Table) -> Iterator[str]:
    """Rules of the calendar need dates; where a register delivers none, none are invented."""
    index_date, period = study.cohort.index_date, study.cohort.period
    if not table.has_dates:
        reason = f"the table {study.table} has durations and no dates"
        if period:
            yield f"cohort.period: {reason}, so that no period can be chosen. Take it out."
        if study.as_of:
            yield f"as_of: {reason}, so that follow-up cannot be cut at a day. Take it out."
        return
    if study.as_of is None:
        yield "as_of: this key is missing. Say the last day on which events are known."
    if period and index_date is None:
        yield "cohort.period: a period needs cohort.index_date."
    if period and study.as_of and period.last > study.as_of:
        yield f"cohort.period: it ends ({period.last}) after as_of ({study.as_of})."
    duration = table.variables.get(study.follow_up.duration or "")
    if study.as_of and study.follow_up.duration and index_date is None:
        yield "as_of: a duration can be cut at a day only from cohort.index_date. Name it."
    if study.as_of and duration is not None and duration.unit in set(DAYS_IN) - {"days"}:
        name = study.follow_up.duration
        yield f"as_of: {name} is in {duration.unit}; only days can be cut at a day."


def _value_faults(
    where: str, values: Sequence[str], name: str, variable: Variable
) -> Iterator[str]:
    for value in values:
        if variable.codes and value not in variable.codes:
            yield f'{where}: "{value}" is no code of {name}.{did_you_mean(value, variable.codes)}'
        elif not _has_type(value, variable):
            yield f'{where}: "{value}" is not a value of {name} (type {variable.type}).'


def _has_type(value: str, variable: Variable) -> bool:
    try:
        if variable.type == "date":
            date.fromisoformat(value)
        elif variable.type == "integer":
            int(value)
        elif variable.type == "decimal":
            Decimal(value)
        elif variable.type == "boolean":
            return value in {"true", "false"}
    except (ValueError, InvalidOperation):
        return False
    return True


def _date_faults(where: str, name: str, table: Table) -> Iterator[str]:
    variable = table.variables.get(name)
    if variable is None:
        yield _no_variable(where, name, table)
    elif variable.type != "date":
        dates = [other for other, one in table.variables.items() if one.type == "date"]
        known = f"Dates: {', '.join(dates)}." if dates else "The table has durations and no dates."
        yield f"{where}: {name} has type {variable.type}, not date. {known}"


def _no_variable(where: str, name: str, table: Table) -> str:
    return f'{where}: the table has no variable "{name}".{did_you_mean(name, table.variables)}'


def _is_category(study: Study, name: str, table: Table) -> bool:
    variable = table.variables.get(study.source_of(name))
    return variable is None or study.variables[name].cut is not None or variable.is_category
