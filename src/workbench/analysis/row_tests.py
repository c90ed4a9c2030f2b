"""Tests of a study on rows of the engine: values, limits, codes of a list."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import and_, or_

import ibis

from workbench.registers.codes import REMOVED_IN_CELL, REMOVED_SIGNS, CodeList
from workbench.registers.schema import Table
from workbench.registers.variables import Values, Variable
from workbench.study import CodeChoice, RowTest

SEPARATORS = {"blank": " ", "comma": ",", "semicolon": ";"}
TYPES = {"date": "date", "integer": "int64", "decimal": "float64"}


def value_of(rows: ibis.Table, name: str, table: Table) -> ibis.Value:
    """A variable's value as it is analysed: unknown codes are missing.

    A variable whose codes changed with the years gives the words of the year's own codes, since
    one code can have meant two things.
    """
    variable, column = table.variables[name], rows[name]
    if not any(edition.codes for edition in variable.editions):
        if not variable.unknown:
            return column
        return ibis.ifelse(column.cast("string").isin(variable.unknown), ibis.null(), column)
    year = rows[str(table.dated_by)].year()
    branches = []
    for edition in variable.editions:
        within = ibis.literal(True)
        if edition.first_year:
            within = within & (year >= edition.first_year)
        if edition.last_year:
            within = within & (year <= edition.last_year)
        branches.append((within, _worded(column, edition)))
    return ibis.cases(*branches, else_=_worded(column, variable))


def _worded(column: ibis.Value, values: Values) -> ibis.Value:
    """Codes put into words; unknown ones are missing."""
    known = {code: word for code, word in values.codes.items() if code not in values.unknown}
    text = column.cast("string")
    if not known:
        return text
    return ibis.cases(*[(text == code, ibis.literal(word)) for code, word in known.items()])


def fulfils(rows: ibis.Table, test: RowTest, table: Table) -> ibis.Value:
    """Whether each row fulfils a test on one of its table's variables; missing fulfils none."""
    name = str(test.variable)
    return fulfilled(value_of(rows, name, table), test, table.variables[name])


def fulfilled(value: ibis.Value, test: RowTest, variable: Variable) -> ibis.Value:
    """Whether values fulfil a test; only `is_missing` is fulfilled by a missing one."""
    if test.is_missing is not None:
        return value.isnull() if test.is_missing else value.notnull()
    if test.is_in is not None:
        return _is_one_of(value, test.is_in, variable).fill_null(False)
    if test.not_in is not None:
        return (~_is_one_of(value, test.not_in, variable)).fill_null(False)
    kind = TYPES.get(variable.type, "float64")
    limits = []
    if test.at_least is not None:
        limits.append(value >= ibis.literal(test.at_least).cast(kind))
    if test.at_most is not None:
        limits.append(value <= ibis.literal(test.at_most).cast(kind))
    return reduce(and_, limits).fill_null(False)


def _is_one_of(value: ibis.Value, wanted: Sequence[str], variable: Variable) -> ibis.Value:
    """Numbers and dates are compared as such: 1.5 is 1.50."""
    kind = TYPES.get(variable.type)
    if kind is None or variable.is_category:
        return value.cast("string").isin(wanted)
    return value.cast(kind).isin([ibis.literal(one).cast(kind) for one in wanted])


def has_code(rows: ibis.Table, choice: CodeChoice, table: Table, code_list: CodeList) -> ibis.Value:
    """Whether any of the chosen variables holds a code of the list (of its groups, if named)."""
    groups = choice.groups or None
    found = []
    for name in choice.variables:
        separator = table.variables[name].separated_by
        cell = rows[name].upper()
        if separator is not None:
            cell = cell.replace(SEPARATORS[separator], " ")
        for sign in REMOVED_SIGNS if separator is None else REMOVED_IN_CELL:
            cell = cell.replace(sign, "")
        pattern = code_list.pattern if separator is None else code_list.pattern_in_cell
        found.append(cell.re_search(pattern(groups)))
    return reduce(or_, found).fill_null(False)
