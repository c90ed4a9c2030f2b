"""Check tests on rows, and choices of codes, against the definition of a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from workbench.errors import did_you_mean
from workbench.registers.codes import CodeList
from workbench.registers.row_tests import has_type
from workbench.registers.schema import Table
from workbench.registers.variables import Variable
from workbench.study.rows import CodeChoice, Condition, RowTest

SAME_SYSTEM = {"icd10se": "icd10"}  # the Swedish edition refines the international one


def test_faults(where: str, test: RowTest | Condition, table: Table) -> Iterator[str]:
    """What is wrong with one test on one variable."""
    name = str(test.variable)
    variable = table.variables.get(name)
    if variable is None:
        yield no_variable(f"{where}.variable", name, table)
        return
    yield from test_value_faults(where, test, name, variable)


def test_value_faults(
    where: str, test: RowTest | Condition, name: str, variable: Variable
) -> Iterator[str]:
    """What is wrong with the values a test compares a variable with."""
    values = test.values if isinstance(test, RowTest) else test.test.values
    yield from value_faults(where, values, name, variable)
    if (test.at_least or test.at_most) and variable.is_category:
        yield f"{where}: {name} has categories; use in or not_in."


def code_faults(
    where: str, choice: CodeChoice, table: Table, code_lists: Mapping[str, CodeList]
) -> Iterator[str]:
    """What is wrong with a choice of codes."""
    code_list = code_lists[choice.list_name]
    for group in choice.groups:
        if group not in code_list.groups:
            near = did_you_mean(group, code_list.groups)
            yield f'{where}.groups: the code list {choice.list_name} has no "{group}".{near}'
    for name in choice.variables:
        variable = table.variables.get(name)
        if variable is None:
            yield no_variable(f"{where}.in", name, table)
        elif variable.type != "code":
            yield f"{where}.in: {name} has type {variable.type}, not code."
        else:
            systems = {variable.code_system, *(one.code_system for one in variable.editions)}
            known = {SAME_SYSTEM.get(one, one) for one in systems if one}
            if known and SAME_SYSTEM.get(code_list.system, code_list.system) not in known:
                yield (
                    f"{where}: {name} holds codes of {' and '.join(sorted(filter(None, systems)))};"
                    f" the list {choice.list_name} is of {code_list.system}."
                )


def value_faults(where: str, values: Sequence[str], name: str, variable: Variable) -> Iterator[str]:
    """Which values a variable can never have.

    Where codes changed with the years a study names words, since a code means two things.
    """
    changed = any(edition.codes for edition in variable.editions)
    known = set(variable.words.values()) if changed else set(variable.words)
    kind = "no word" if changed else "no code"
    for value in values:
        if variable.codes and value not in known:
            yield f'{where}: "{value}" is {kind} of {name}.{did_you_mean(value, known)}'
        elif not changed and not has_type(value, variable):
            yield f'{where}: "{value}" is not a value of {name} (type {variable.type}).'


def date_faults(where: str, name: str, table: Table) -> Iterator[str]:
    """Why a variable cannot be used as a date."""
    variable = table.variables.get(name)
    if variable is None:
        yield no_variable(where, name, table)
    elif variable.type != "date":
        dates = [other for other, one in table.variables.items() if one.type == "date"]
        known = f"Dates: {', '.join(dates)}." if dates else "The table has durations and no dates."
        yield f"{where}: {name} has type {variable.type}, not date. {known}"


def no_variable(where: str, name: str, table: Table) -> str:
    """A variable that is not there, with the nearest."""
    return f'{where}: the table has no variable "{name}".{did_you_mean(name, table.variables)}'
