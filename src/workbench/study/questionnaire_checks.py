"""Check that the forms of a questionnaire can be read from the table that a study names."""

from __future__ import annotations

from collections.abc import Iterator

from workbench.errors import did_you_mean
from workbench.registers.proms import Prom
from workbench.registers.schema import Table
from workbench.study.definitions import Definitions
from workbench.study.model import Study
from workbench.study.questionnaire_rules import Questionnaire
from workbench.study.row_checks import date_faults, no_variable

NUMBERS = frozenset({"integer", "decimal"})
WHERE = "questionnaire"


def questionnaire_faults(study: Study, definitions: Definitions) -> Iterator[str]:
    """Every fault of the questionnaire that a study reads."""
    rules = study.questionnaire
    if rules is None:
        return
    if study.cohort.index_date is None:
        yield f"{WHERE}.days: they are counted from cohort.index_date. Name it."
    if study.units is None:
        yield f"{WHERE}: answers are told by unit; say which units (units.by)."
    table = definitions.tables.get(rules.link)
    if table is None:  # told with the tables
        return
    if not table.person:
        yield f"{WHERE}.link: {rules.link} does not say who a row is about (person)."
    if rules.sent is not None:
        yield from date_faults(f"{WHERE}.sent", rules.sent, table)
    elif table.dated_by is None:
        yield f"{WHERE}: {rules.link} has no date of its own; say when a form was sent (sent)."
    yield from date_faults(f"{WHERE}.answered", rules.answered, table)
    if definitions.prom is not None:
        yield from _column_faults(study, rules, definitions.prom)
        yield from _item_faults(rules, table, definitions.prom)


def _column_faults(study: Study, rules: Questionnaire, prom: Prom) -> Iterator[str]:
    """The forms are laid beside the study's variables: one name is one column."""
    taken = {rules.columns.get(item, item) for item in prom.key_of} | {"answered", *prom.labels}
    for name in sorted(taken & set(study.variables)):
        yield f"variables.{name}: the questionnaire has a column of that name; choose another."


def _item_faults(rules: Questionnaire, table: Table, prom: Prom) -> Iterator[str]:
    items = prom.key_of
    for item in rules.columns:
        if item not in items:
            yield f'{WHERE}.columns: {rules.form} has no item "{item}".{did_you_mean(item, items)}'
    for item in items:
        name = rules.columns.get(item, item)
        variable = table.variables.get(name)
        if variable is None:
            yield no_variable(f"{WHERE}, item {item}", name, table)
        elif variable.type not in NUMBERS:
            yield f"{WHERE}, item {item}: {name} has type {variable.type}; answers are numbers."
