"""Check what a study takes from other tables: windows, codes, events, population, comparison."""

from __future__ import annotations

from collections.abc import Iterator

from workbench.registers.schema import Table
from workbench.study.definitions import Definitions, date_of
from workbench.study.model import DAYS_IN, Covariate, Study
from workbench.study.row_checks import code_faults, date_faults, no_variable, test_faults
from workbench.study.rows import AGES, WITHOUT_WINDOW, LinkedEvent

NUMBERS = frozenset({"integer", "decimal"})


def link_faults(study: Study, definitions: Definitions) -> Iterator[str]:
    """Every fault of what is linked, so that no link is followed that means nothing."""
    main = definitions.tables[study.main_table]
    if study.linked_tables or study.population:
        if not main.person:
            yield (
                f"the table {study.main_table} does not say who a row is about (person), so that "
                "nothing can be linked to it."
            )
        if study.cohort.index_date is None:
            yield "cohort.index_date: linking needs a date from which to look back and forward."
    for name in study.linked_tables:
        if name in definitions.tables and not definitions.tables[name].person:
            yield f"{name} does not say who a row is about (person), so it cannot be linked."
    for name, covariate in study.variables.items():
        if covariate.link:
            yield from _covariate_faults(f"variables.{name}", covariate, definitions)
    yield from _event_faults(study, definitions)
    yield from _population_faults(study, definitions)


def _covariate_faults(where: str, covariate: Covariate, definitions: Definitions) -> Iterator[str]:
    table = definitions.tables[str(covariate.link)]
    if covariate.take in WITHOUT_WINDOW and table.key != (table.person,):
        yield (
            f"{where}: take: {covariate.take} needs a table with one row a person (its key is the "
            f"person); {covariate.link} can have several. Use first, last or nearest."
        )
    if covariate.take in AGES:
        date_variable = date_of(covariate, table)
        if date_variable is None:
            yield f"{where}: say which date of birth is meant (from)."
        else:
            yield from date_faults(f"{where}.from", date_variable, table)
    elif covariate.source is not None or covariate.take == "value":
        yield from _source_faults(where, covariate, table)
    if covariate.days:
        yield from _window_faults(where, covariate, table)
    yield from _row_faults(where, covariate, table, definitions)
    if covariate.take == "score" and covariate.codes:
        groups = definitions.code_lists[covariate.codes.list_name].groups
        if no_weight := [name for name, group in groups.items() if group.weight is None]:
            yield f"{where}: take: score needs a weight for {', '.join(no_weight)}."


def _source_faults(where: str, covariate: Covariate, table: Table) -> Iterator[str]:
    if covariate.take in {"any", "count", "score"}:
        yield f"{where}: take: {covariate.take} takes no variable; leave out from."
        return
    if covariate.source not in table.variables:
        yield no_variable(f"{where}.from", str(covariate.source), table)
        return
    variable = table.variables[covariate.source]
    if variable.sensitivity in {"identity", "pseudonym"} or covariate.source == table.person:
        yield f"{where}: {covariate.source} says who a person is; it is never analysed."
    if variable.type == "date":
        yield f"{where}: a date cannot be a covariate; leave out from, and days are given."
    if covariate.cut and variable.type not in NUMBERS:
        yield f"{where}: cut needs numbers; {covariate.source} has type {variable.type}."
    if covariate.unit and variable.unit not in DAYS_IN:
        given = variable.unit or "no unit"
        yield f"{where}: unit converts days to years and the like; {covariate.source}: {given}."


def _window_faults(where: str, covariate: Covariate, table: Table) -> Iterator[str]:
    if table.dated_by is None:
        yield f"{where}.days: the rows of {covariate.link} have no date (dated_by)."
    if covariate.days and covariate.days.last_day > 0:
        yield (
            f"{where}.days: it looks {covariate.days.last_day} days past the index date. Persons "
            "would have to live until then to be counted (immortal time), so that is refused; end "
            "the window at 0 or earlier, or make that day the index date."
        )


def _event_faults(study: Study, definitions: Definitions) -> Iterator[str]:
    rules = study.follow_up
    if rules is None:
        return
    named = [("event_in", rules.event_in)] if rules.event_in else []
    named += [(f"competing.{name}", event) for name, event in rules.competing.items()]
    for key, event in named:
        where, table = f"follow_up.{key}", definitions.tables[event.link]
        if event.link == study.main_table and event.from_day == 0:
            yield (
                f"{where}.from_day: the event is looked for in the study's own table, where the "
                "index row itself would be found; say from_day: 1 or later."
            )
        date_variable = event.date or table.dated_by
        if date_variable is None:
            yield f"{where}: say which date is meant (date)."
        else:
            yield from date_faults(f"{where}.date", date_variable, table)
        yield from _row_faults(where, event, table, definitions)


def _row_faults(
    where: str, rows: Covariate | LinkedEvent, table: Table, definitions: Definitions
) -> Iterator[str]:
    if rows.codes:
        yield from code_faults(f"{where}.codes", rows.codes, table, definitions.code_lists)
    for at, test in enumerate(rows.where):
        yield from test_faults(f"{where}.where[{at}]", test, table)


def _population_faults(study: Study, definitions: Definitions) -> Iterator[str]:
    if study.population and study.follow_up and study.follow_up.duration:
        yield (
            "population: death and emigration are dates, so that a duration cannot be cut by them; "
            "use event_date, end_date or event_in."
        )
    if study.comparison is None:
        return
    if not study.population:
        yield "comparison: comparison persons are drawn from a population; name its register."
    elif "region" in study.comparison.match_on and "residences" not in definitions.roles:
        yield f"comparison.match_on: {study.population} has no table with role: residences."
    if study.follow_up and study.follow_up.end_date:
        yield (
            f"comparison: {study.follow_up.end_date} ends follow-up in the study's own table, in "
            "which comparison persons have no rows; leave out follow_up.end_date."
        )
    if study.follow_up is None or study.follow_up.event_in is None:
        yield (
            "comparison: comparison persons have no rows in the study's own table, so that the "
            "outcome must be found in another (follow_up.event_in)."
        )
