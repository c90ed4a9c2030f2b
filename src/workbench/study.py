"""A study: one typed document that says which persons, from when, until what, shown how.

Everything that definitions alone can decide is checked here, before anything runs, and all faults
are told together. What needs the notebook or the store is added by the runner's plan.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from workbench.errors import StudyError, did_you_mean, gathered
from workbench.registers.documents import Document, parse_document, read_tree_with_lines
from workbench.registers.schema import Table, Variable

TimeUnit = Literal["days", "weeks", "months", "years"]
# Mean lengths of the Gregorian calendar (365.2425 days a year), as is usual in follow-up studies.
DAYS_IN: dict[str, float] = {"days": 1.0, "weeks": 7.0, "months": 30.436875, "years": 365.2425}


class Condition(Document):
    """One test on one variable, and why rows leave by it."""

    variable: str
    is_in: tuple[str, ...] | None = Field(default=None, alias="in")
    not_in: tuple[str, ...] | None = None
    at_least: str | None = None
    at_most: str | None = None
    is_missing: bool | None = None
    because: str  # what the ledger says of those who leave

    @model_validator(mode="after")
    def _one_test(self) -> Condition:
        given = [self.is_in, self.not_in, self.at_least or self.at_most, self.is_missing]
        if sum(test is not None for test in given) != 1:
            raise ValueError(
                "give one of in, not_in, at_least (with or without at_most), at_most, is_missing"
            )
        return self

    @property
    def values(self) -> tuple[str, ...]:
        """Every value the condition compares with."""
        limits = tuple(limit for limit in (self.at_least, self.at_most) if limit is not None)
        return (self.is_in or ()) + (self.not_in or ()) + limits


class Period(Document):
    """Index dates that count, both days included."""

    first: date = Field(alias="from")
    last: date = Field(alias="to")

    @model_validator(mode="after")
    def _in_order(self) -> Period:
        if self.first > self.last:
            raise ValueError(f"the period ends ({self.last}) before it begins ({self.first})")
        return self


class CohortRules(Document):
    """Who is in. (Tables of other registers are linked here in a coming version.)"""

    index_date: str | None = None  # date variable from which a person is followed
    period: Period | None = None
    include: tuple[Condition, ...] = ()  # rows that do not fulfil one leave
    exclude: tuple[Condition, ...] = ()  # rows that fulfil one leave


class Event(Document):
    """Which values of a status variable are the event."""

    variable: str
    is_in: tuple[str, ...] = Field(alias="in", min_length=1)


class FollowUp(Document):
    """How long persons are followed and what ends it."""

    outcome: str  # in words, for titles: "death from any cause"
    duration: str | None = None  # variable with the length of follow-up
    end_date: str | None = None  # variable with the last day of follow-up
    event_date: str | None = None  # variable with the day of the event, missing without one
    event: Event | None = None  # needed with duration, or with end_date alone
    unit: TimeUnit = "years"  # of results; durations are kept as they are and converted once

    @model_validator(mode="after")
    def _one_way(self) -> FollowUp:
        if self.duration and (self.end_date or self.event_date):
            raise ValueError("give duration, or dates (end_date, event_date), not both")
        if not (self.duration or self.end_date or self.event_date):
            raise ValueError("give duration, end_date or event_date")
        if bool(self.event) == bool(self.event_date):
            raise ValueError("say what the event is: event (a status), or event_date, one of them")
        return self


class Covariate(Document):
    """A column of the cohort made from one variable: converted, cut into groups, relabelled."""

    source: str | None = Field(default=None, alias="from")  # the variable; the same name if not said
    label: str | None = None
    unit: TimeUnit | None = None  # convert from the variable's own unit
    cut: tuple[float, ...] | None = None  # lower limits of groups, rising

    @model_validator(mode="after")
    def _rising(self) -> Covariate:
        if self.cut is not None and (len(self.cut) < 2 or list(self.cut) != sorted(set(self.cut))):
            raise ValueError("cut needs at least two limits, each above the one before")
        return self


class Study(Document):
    """One study, as it stands in params/studies/NAME.yaml."""

    title: str
    question: str
    register_name: str = Field(alias="register")
    table: str
    as_of: date | None = None  # last day that is known; needed where the table has dates
    seed: int = 1
    notebook: str
    release_profile: str = "standard"
    coverage: str = ""  # what is known of the register's coverage, in words
    cohort: CohortRules = CohortRules()
    follow_up: FollowUp
    variables: dict[str, Covariate] = Field(min_length=1)
    group: str | None = None  # compare by this variable
    model: tuple[str, ...] = ()  # variables of the regression model
    parameters: dict[str, Any] = Field(default_factory=dict)  # for the notebook

    def source_of(self, name: str) -> str:
        """The register's variable behind a column of the cohort."""
        return self.variables[name].source or name


def load_study(path: Path, *, overrides: Mapping[str, Any] | None = None) -> Study:
    """Read a study file; `overrides` are dotted keys with new values, as from the command line.

    Raises `StudyError` with every fault of the file and its line.
    """
    data, lines = read_tree_with_lines(path, error=StudyError)
    for key, value in (overrides or {}).items():
        _override(data, key, value)
    return parse_document(data, Study, where=str(path), lines=lines, error=StudyError)


def is_study_key(key: str) -> bool:
    """Whether a dotted key belongs to the study itself, not to its notebook's parameters."""
    fields = {field.alias or name for name, field in Study.model_fields.items()}
    return key.split(".")[0] in fields - {"parameters"}


def _override(data: dict[str, Any], key: str, value: Any) -> None:
    *parents, last = key.split(".")
    for parent in parents:
        data = data.setdefault(parent, {})
        if not isinstance(data, dict):
            raise StudyError(f'-p {key}: "{parent}" has no keys of its own.')
    data[last] = value


def check_study(study: Study, table: Table, *, where: str) -> None:
    """Check a study against the definition of its table; raise `StudyError` with every fault."""
    faults = [
        *_cohort_faults(study, table),
        *_follow_up_faults(study, table),
        *_variable_faults(study, table),
        *_calendar_faults(study, table),
    ]
    if faults:
        raise StudyError(gathered(f"{where} does not fit the register {study.register_name}:", faults))


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
        variable = table.variables.get(study.source_of(name))
        where = f"variables.{name}"
        if variable is None:
            yield _no_variable(where, study.source_of(name), table)
            continue
        if covariate.unit and variable.unit not in DAYS_IN:
            yield f"{where}: unit converts between days, weeks, months and years; {study.source_of(name)} is in {variable.unit or 'no unit'}."
        if covariate.cut and variable.type not in {"integer", "decimal"}:
            yield f"{where}: cut needs numbers; {study.source_of(name)} has type {variable.type}."
        if variable.sensitivity == "pseudonym" or study.source_of(name) == table.person:
            yield f"{where}: {study.source_of(name)} says who a person is; it is never analysed."
        if variable.type == "date":
            yield f"{where}: a date cannot be a covariate; use it in the cohort or the follow-up."
    if study.group is not None:
        if study.group not in study.variables:
            yield f'group: "{study.group}" is not among the variables.{did_you_mean(study.group, study.variables)}'
        elif not _is_category(study, study.group, table):
            yield f"group: {study.group} is a number; cut it into groups first (cut: [...])."
    for name in study.model:
        if name not in study.variables:
            yield f'model: "{name}" is not among the variables.{did_you_mean(name, study.variables)}'


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
    if study.as_of and duration is not None and duration.unit in DAYS_IN and duration.unit != "days":
        yield f"as_of: {study.follow_up.duration} is in {duration.unit}; only days can be cut at a day."


def _value_faults(
    where: str, values: Sequence[str], name: str, variable: Variable
) -> Iterator[str]:
    for value in values:
        if variable.codes and value not in variable.codes:
            yield f'{where}: "{value}" is no code of {name}.{did_you_mean(value, variable.codes)}'
        elif not _has_type(value, variable):
            yield f'{where}: "{value}" is not a value of {name}, which has type {variable.type}.'


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
