"""Check what a study sets beside each other: a register and its reference, units and the nation."""

from __future__ import annotations

from collections.abc import Iterator

from workbench.errors import did_you_mean
from workbench.registers.schema import Table
from workbench.study.definitions import Definitions, column_variable
from workbench.study.model import Study
from workbench.study.row_checks import code_faults, date_faults, no_variable, test_faults
from workbench.study.source_rules import SourceComparison


def source_faults(study: Study, definitions: Definitions) -> Iterator[str]:
    """Every fault of a comparison of sources."""
    rules = study.compare_sources
    if rules is None:
        return
    where = "compare_sources"
    for key, value, words in (
        ("as_of", study.as_of, "the last day on which a report could have come"),
        ("cohort.period", study.cohort.period, "the years whose cases are compared"),
    ):
        if value is None:
            yield f"{where}: it needs {key}, {words}."
    yield from _table_faults(rules, definitions)
    for part, name in rules.parts.items():
        if name in definitions.tables:
            yield from _part_faults(f"{where}.parts.{part}", rules, definitions.tables[name], name)
    if rules.reference.table in definitions.tables:
        yield from _reference_faults(rules, definitions)


def _table_faults(rules: SourceComparison, definitions: Definitions) -> Iterator[str]:
    where = "compare_sources"
    for name in dict.fromkeys(rules.tables):
        table = definitions.tables.get(name)
        if table is None:  # told with the tables
            continue
        if not table.person:
            yield f"{where}: {name} does not say who a row is about (person)."
        if rules.by not in table.variables:
            yield no_variable(f"{where}.by ({name})", rules.by, table)


def unit_faults(study: Study, definitions: Definitions) -> Iterator[str]:
    """Every fault of a comparison of units."""
    rules = study.units
    if rules is None:
        return
    if rules.by not in study.variables:
        near = did_you_mean(rules.by, study.variables)
        yield f'units.by: "{rules.by}" is not among the variables.{near}'
        return
    column = study.variables[rules.by]
    if column.link or column.cut:
        yield f"units.by: {rules.by} must be a variable of {study.table} as it is."
        return
    try:
        variable = column_variable(study, rules.by, definitions.tables)
    except KeyError:  # told with the variables
        return
    if not variable.is_category:
        yield f"units.by: {rules.by} is a number, and names no unit."


def _part_faults(where: str, rules: SourceComparison, table: Table, name: str) -> Iterator[str]:
    if table.dated_by is None:
        yield f"{where}: {name} has no date of its own (dated_by)."
    for at, test in enumerate(rules.where):
        yield from test_faults(f"compare_sources.where[{at}] ({name})", test, table)
    if rules.lag is None:
        return
    if rules.lag.reported is not None:
        yield from date_faults(f"compare_sources.lag.reported ({name})", rules.lag.reported, table)
    elif table.meaning("registered_date") is None:
        yield (
            f"{where}: no variable of {name} means registered_date, so that its lag is not known. "
            "Say which date is meant (lag.reported), or leave lag out."
        )


def _reference_faults(rules: SourceComparison, definitions: Definitions) -> Iterator[str]:
    reference, where = rules.reference, "compare_sources.reference"
    table = definitions.tables[reference.table]
    if reference.date is not None:
        yield from date_faults(f"{where}.date", reference.date, table)
    elif table.dated_by is None:
        yield f"{where}: {reference.table} has no date of its own; say which is meant (date)."
    for at, test in enumerate(reference.where):
        yield from test_faults(f"{where}.where[{at}]", test, table)
    if reference.codes is None:
        return
    yield from code_faults(f"{where}.codes", reference.codes, table, definitions.code_lists)
    groups = definitions.code_lists[reference.codes.list_name].groups
    for part in rules.parts if len(rules.parts) > 1 else ():
        if part not in groups:
            near = did_you_mean(part, groups)
            yield (
                f"compare_sources.parts.{part}: the code list {reference.codes.list_name} has no "
                f'group "{part}".{near}'
            )
