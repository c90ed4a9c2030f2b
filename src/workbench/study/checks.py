"""Check a study against the definition of its table, before anything runs."""

from __future__ import annotations

from collections.abc import Iterator

from workbench.errors import StudyError, did_you_mean, gathered
from workbench.registers.schema import Table
from workbench.study.definitions import Definitions, column_variable
from workbench.study.link_checks import link_faults
from workbench.study.model import DAYS_IN, Covariate, Study
from workbench.study.questionnaire_checks import questionnaire_faults
from workbench.study.row_checks import (
    code_faults,
    date_faults,
    no_variable,
    test_faults,
    test_value_faults,
    value_faults,
)
from workbench.study.rows import Condition
from workbench.study.source_checks import source_faults, unit_faults

# What a cohort has besides the study's variables.
COHORT_COLUMNS = frozenset(
    {
        "person",
        "index_date",
        "follow_up",
        "has_event",
        "ended_by",
        "cause",
        "matched_as",
        "matched_set",
    }
)


def check_study(study: Study, definitions: Definitions, *, where: str) -> None:
    """Check a study against what its tables are; raise `StudyError` with every fault."""
    table = definitions.tables[study.main_table]
    faults = [
        *_cohort_faults(study, table, definitions),
        *_follow_up_faults(study, table),
        *_variable_faults(study, table),
        *_calendar_faults(study, table),
        *_comparison_faults(study),
        *_relative_faults(study, definitions),
        *_group_faults(study, definitions),
        *link_faults(study, definitions),
        *source_faults(study, definitions),
        *unit_faults(study, definitions),
        *questionnaire_faults(study, definitions),
    ]
    if faults:
        raise StudyError(
            gathered(f"{where} does not fit the register {study.register_name}:", faults)
        )


def _cohort_faults(study: Study, table: Table, definitions: Definitions) -> Iterator[str]:
    for place in ("include", "exclude"):
        for at, condition in enumerate(getattr(study.cohort, place)):
            where = f"cohort.{place}[{at}]"
            if condition.codes:
                yield from code_faults(
                    f"{where}.codes", condition.codes, table, definitions.code_lists
                )
            else:
                yield from _condition_faults(where, condition, study, table, definitions)
    if study.cohort.index_date is not None:
        yield from date_faults("cohort.index_date", study.cohort.index_date, table)
    if study.cohort.washout_days and not (study.cohort.index_date and table.person):
        yield (
            "cohort.washout_days: a washout needs cohort.index_date, and persons who are known by "
            "an identity."
        )


def _condition_faults(
    where: str, condition: Condition, study: Study, table: Table, definitions: Definitions
) -> Iterator[str]:
    """A condition is on a variable of the table, or on a column linked from another."""
    name = str(condition.variable)
    column = study.variables.get(name)
    if column is not None and column.link and name in table.variables:
        yield (
            f"{where}: {name} is both a variable of {study.table} and a column linked from "
            f"{column.link}; give the column another name."
        )
    elif column is None or column.link is None:
        yield from test_faults(where, condition, table)
    elif column.cut:
        yield f"{where}: {name} is cut into groups; use a variable that is not."
    elif column.link in definitions.tables:
        variable = column_variable(study, name, definitions.tables)
        yield from test_value_faults(where, condition, name, variable)


def _follow_up_faults(study: Study, table: Table) -> Iterator[str]:
    rules = study.follow_up
    if rules is None:
        return
    if rules.or_death and not study.population:
        yield "follow_up.or_death: deaths are known from a population register; name it."
    for key in ("end_date", "event_date"):
        if (name := getattr(rules, key)) is not None:
            yield from date_faults(f"follow_up.{key}", name, table)
            if study.cohort.index_date is None:
                yield f"follow_up.{key}: a date needs cohort.index_date to count from."
    if rules.duration is not None:
        yield from _duration_faults(rules.duration, table)
    if rules.event is not None:
        variable = table.variables.get(rules.event.variable)
        if variable is None:
            yield no_variable("follow_up.event.variable", rules.event.variable, table)
        else:
            where, name = "follow_up.event", rules.event.variable
            yield from value_faults(where, rules.event.is_in, name, variable)


def _duration_faults(name: str, table: Table) -> Iterator[str]:
    variable = table.variables.get(name)
    if variable is None:
        yield no_variable("follow_up.duration", name, table)
    elif variable.unit not in DAYS_IN:
        yield (
            f"follow_up.duration: {name} needs a unit in the register's definition, "
            f"one of {', '.join(DAYS_IN)}."
        )


def _variable_faults(study: Study, table: Table) -> Iterator[str]:
    seen: dict[str, str] = {}
    for name, covariate in study.variables.items():
        source = study.source_of(name)
        other = seen.setdefault(name.lower(), name)
        if other != name:
            yield f'variables.{name}: differs from "{other}" by capitals only; choose another.'
        if name in COHORT_COLUMNS:
            yield f"variables.{name}: the cohort has a column of that name; choose another."
        if covariate.link:
            continue
        if source in table.variables:
            yield from _covariate_faults(name, covariate, source, table)
        else:
            yield no_variable(f"variables.{name}", source, table)
    known = {*study.variables, *(["matched_as"] if study.comparison else [])}
    if study.group is not None and study.group not in known:
        near = did_you_mean(study.group, known)
        yield f'group: "{study.group}" is not among the variables.{near}'
    for name in study.model:
        if name not in known:
            near = did_you_mean(name, known)
            yield f'model: "{name}" is not among the variables.{near}'


def _comparison_faults(study: Study) -> Iterator[str]:
    """Comparison persons have no rows in the study's own table, and so none of its variables."""
    if study.comparison is None:
        return
    for key, names in (("group", (study.group,)), ("model", study.model)):
        for name in names:
            column = study.variables.get(name or "")
            if column is not None and column.link is None:
                yield (
                    f"{key}: {name} is a variable of {study.table}, in which comparison persons "
                    "have no rows; link a variable that both have."
                )


def _relative_faults(study: Study, definitions: Definitions) -> Iterator[str]:
    """Relative survival needs dates, exact ages, sexes, and the strata of its life table."""
    rules = study.relative_survival
    if rules is None:
        return
    where = "relative_survival"
    if study.follow_up is None or study.cohort.index_date is None:
        yield f"{where}: it needs follow_up and cohort.index_date."
    strata = definitions.life_table.definition.strata if definitions.life_table else ()
    for key, name in (("age", rules.age), ("sex", rules.sex), *(("strata", s) for s in strata)):
        if name not in study.variables:
            near = did_you_mean(name, study.variables)
            yield f'{where}.{key}: "{name}" is not among the variables.{near}'
            continue
        try:
            variable = column_variable(study, name, definitions.tables)
        except KeyError:  # told with the variables
            continue
        column = study.variables[name]
        if key == "age" and column.take == "age":
            yield f"{where}.age: {name} is in completed years; take: exact_age."
        elif key == "age" and (column.cut or (column.unit or variable.unit) not in DAYS_IN):
            yield f"{where}.age: {name} is not an age in years or days."
        elif key != "age" and not variable.is_category:
            yield f"{where}.{key}: {name} has no categories."


def _group_faults(study: Study, definitions: Definitions) -> Iterator[str]:
    """Groups are made by categories, never by a number."""
    group = study.variables.get(study.group or "")
    if group is None or group.cut is not None:
        return
    try:
        variable = column_variable(study, str(study.group), definitions.tables)
    except KeyError:  # told with the variables
        return
    if not variable.is_category:
        yield f"group: {study.group} is a number; cut it into groups first (cut: [...])."


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
    rules = study.follow_up
    duration = table.variables.get(rules.duration or "") if rules else None
    if study.as_of and duration is not None and index_date is None:
        yield "as_of: a duration can be cut at a day only from cohort.index_date. Name it."
    if study.as_of and duration is not None and duration.unit in set(DAYS_IN) - {"days"}:
        name = rules.duration if rules else ""
        yield f"as_of: {name} is in {duration.unit}; only days can be cut at a day."
