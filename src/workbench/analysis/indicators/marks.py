"""Which rows an indicator counts: marked, never removed."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from importlib import import_module
from operator import and_

import ibis
import pandas as pd

from workbench.analysis.indicators.row_frames import engine_rows
from workbench.analysis.inputs import check_frame
from workbench.analysis.row_tests import fulfilled, value_of
from workbench.errors import DataError, StudyError, did_you_mean
from workbench.registers.indicators import Indicator

MARKS = ("in_denominator", "in_numerator")
DAYS_TYPE = "int64"


def mark(rows: pd.DataFrame | ibis.Table, indicator: Indicator) -> pd.DataFrame | ibis.Table:
    """Mark which rows an indicator counts, and which of these are in its numerator.

    Parameters
    ----------
    rows
        Rows of the indicator's table with the register's own codes, as a frame or as a table of
        the engine (which is then marked lazily).
    indicator
        From `workbench.registers.indicators.load_indicator`.

    Returns
    -------
    The same rows in their order with two more columns:

    - `in_denominator`: never missing. A condition on a missing value is not fulfilled, and rows
      before the indicator's first year do not count.
    - `in_numerator`: missing outside the denominator, and where a variable that the numerator
      asks for is missing or not known: such a row is counted as missing, never as a no. For a
      mean, a median or a count it says whether the row's value is known.

    Raises
    ------
    DataError
        Columns that are missing (with the nearest name), or already named so; in a frame also
        codes that the register does not have, dates that are no dates, or no rows.
    StudyError
        A function that cannot be found, or that does not mark rows as above.
    """
    taken = [name for name in MARKS if name in rows.columns]
    if taken:
        raise DataError(f"rows: there is a column {taken[0]} already. Rename it first.")
    if indicator.definition.function:
        return _marked_by_function(rows, indicator)
    if isinstance(rows, ibis.Table):
        return rows.mutate(**marks_of(rows, indicator))
    check_frame(rows, list(columns_needed(indicator)))
    with engine_rows(rows, columns_needed(indicator), indicator) as (engine, table):
        marked = table.select("_row", **marks_of(table, indicator)).order_by("_row")
        found = engine.to_pyarrow(marked)
    in_denominator, in_numerator = (found[name].to_pandas().to_numpy() for name in MARKS)
    return rows.assign(
        in_denominator=in_denominator.astype(bool),
        in_numerator=pd.array(in_numerator, dtype="boolean"),
    )


def columns_needed(indicator: Indicator) -> tuple[str, ...]:
    """The columns of the table from which rows are marked."""
    definition = indicator.definition
    tested = [test.variable for test in (*definition.denominator, *definition.numerator)]
    names = dict.fromkeys([*tested, *definition.numerator_variables])
    wanted: list[str] = []
    for name in names:
        between = definition.days.get(name)
        wanted += [between.first, between.last] if between else [name]
        variable = indicator.table.variables.get(name)
        if variable and any(edition.codes for edition in variable.editions):
            wanted.append(str(indicator.table.dated_by))
    wanted += [indicator.dated_by] if definition.period.first_year else []
    return tuple(dict.fromkeys(wanted))


def marks_of(rows: ibis.Table, indicator: Indicator) -> dict[str, ibis.Value]:
    """The two marks as expressions of the engine.

    Raises `DataError` for a column that is not there, with the nearest.
    """
    for name in columns_needed(indicator):
        if name not in rows.columns:
            raise DataError(f'rows: no column "{name}".{did_you_mean(name, rows.columns)}')
    definition = indicator.definition
    counted = reduce(and_, _tests(rows, indicator, "denominator"), ibis.literal(True))
    if definition.period.first_year:
        year = rows[indicator.dated_by].year()
        counted = counted & (year >= definition.period.first_year).fill_null(False)
    known = reduce(
        and_,
        [value_in(rows, name, indicator).notnull() for name in definition.numerator_variables],
        ibis.literal(True),
    )
    yes = reduce(and_, _tests(rows, indicator, "numerator"), ibis.literal(True))
    judged = ibis.ifelse(counted & known, yes, ibis.null("boolean"))
    return dict(zip(MARKS, (counted, judged), strict=True))


def value_in(rows: ibis.Table, name: str, indicator: Indicator) -> ibis.Value:
    """A variable of the table, or days between two dates; days that run backwards are missing."""
    # the cohort's room marks its persons with this module, so that it cannot be loaded before it
    between = indicator.definition.days.get(name)
    if between is None:
        return value_of(rows, name, indicator.table)
    first, last = (rows[one].cast("date") for one in (between.first, between.last))
    days = last.delta(first, unit="day").cast(DAYS_TYPE)
    return ibis.ifelse(days >= 0, days, ibis.null(DAYS_TYPE))


def _tests(rows: ibis.Table, indicator: Indicator, part: str) -> list[ibis.Value]:
    return [
        fulfilled(value_in(rows, test.variable, indicator), test, indicator.variable(test.variable))
        for test in getattr(indicator.definition, part)
    ]


def _marked_by_function(
    rows: pd.DataFrame | ibis.Table, indicator: Indicator
) -> pd.DataFrame | ibis.Table:
    marked = _function(indicator)(rows)
    where = f"{indicator.name}: the function {indicator.definition.function}"
    if type(marked) is not type(rows) or any(name not in marked.columns for name in MARKS):
        raise StudyError(f"{where} did not give its rows back with {' and '.join(MARKS)}.")
    if isinstance(marked, ibis.Table):
        return marked
    if not marked.index.equals(rows.index):
        raise StudyError(f"{where} gave other rows back than it got.")
    counted, judged = (marked[name].astype("boolean") for name in MARKS)
    if n_missing := int(counted.isna().sum()):
        raise StudyError(f"{where} left in_denominator missing in {n_missing} rows.")
    return marked.assign(in_denominator=counted.astype(bool), in_numerator=judged.where(counted))


def _function(indicator: Indicator) -> Callable:
    module, _, name = str(indicator.definition.function).partition(":")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError):
        raise StudyError(
            f"{indicator.name}: there is no {name} in {module}. Mend function: in the definition."
        ) from None
