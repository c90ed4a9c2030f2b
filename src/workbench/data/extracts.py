"""What reading a file gives, whatever its kind: columns of text, counted, and lines that misfit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import duckdb
import pyarrow as pa

from workbench.data.checks import value_sql
from workbench.data.periods import takes_any_text
from workbench.data.pseudonyms import identities
from workbench.data.sql import identifier
from workbench.registers.schema import Table


@dataclass(frozen=True)
class Misfit:
    """A line that does not have the header's number of fields."""

    row: int  # counted from 1, the first row after the header; blank lines are no rows
    text: str


@dataclass(frozen=True)
class Survey:
    """What reading a file through once tells of all its rows that fit."""

    n_rows: int
    n_values: dict[str, int]  # fields that are not empty, of variables that not every text fits
    decimal_marks: frozenset[str]  # found in the variables of type decimal
    # The different identity numbers of persons, where they were gathered on the way.
    numbers: pa.ChunkedArray | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Extract:
    """An extract as text: how the engine reads it, and the lines that did not fit."""

    relation: str  # SQL: text columns c0, c1 ... in the order of the file
    columns: dict[str, str]  # variable -> column of the relation
    strangers: tuple[str, ...]  # headers the definition does not know; they are not stored
    survey: Survey
    misfits: tuple[Misfit, ...]  # lines with too many or too few fields
    is_delimited: bool  # whether the file was text; others bring numbers that are numbers
    how: str  # what was recognised, in words

    @property
    def n_rows(self) -> int:
        """How many rows fit; the misfits are not among them."""
        return self.survey.n_rows


def places(headers: Sequence[str]) -> list[str]:
    """Names for the columns of a file by their place: headers may be double, blank or alike."""
    return [f"c{at}" for at in range(len(headers))]


def survey_of(
    engine: duckdb.DuckDBPyConnection, relation: str, columns: Mapping[str, str], table: Table
) -> Survey:
    """Read a relation through once: its rows, how many values, the decimal marks.

    Values are counted where not every text is one, so that those of another type can be missed.
    Where persons have many rows, their different numbers are gathered on the same way.
    """
    counted = [name for name in columns if not takes_any_text(table.variables[name])]
    asked = {"_n": "count(*)"}
    asked |= {f"_n{at}": f"count({identifier(columns[n])})" for at, n in enumerate(counted)}
    by_number = gathers_numbers(table)
    if by_number:
        # A count for each number first; the sums of those are the counts of all.
        person = identifier(columns[table.person])
        per_number = ", ".join(f"{sql} as {name}" for name, sql in asked.items())
        engine.execute(
            f"create temp table per_number as select {person} as _number, {per_number}, "
            f"{_marks_sql(columns, table)} from {relation} group by _number"
        )
        totals = [f"coalesce(sum({name}), 0)::bigint" for name in asked]
        totals += ["coalesce(bool_or(_comma), false)", "coalesce(bool_or(_point), false)"]
        query = f"select {', '.join(totals)} from per_number"
    else:
        query = f"select {', '.join(asked.values())}, {_marks_sql(columns, table)} from {relation}"
    ((n_rows, *n_values, has_comma, has_point),) = engine.execute(query).fetchall()
    marks = {mark for mark, is_there in ((",", has_comma), (".", has_point)) if is_there}
    numbers = None
    if by_number:
        different = "select _number from per_number where _number is not null"
        numbers = engine.execute(different).to_arrow_table()["_number"]
    return Survey(n_rows, dict(zip(counted, n_values, strict=True)), frozenset(marks), numbers)


def gathers_numbers(table: Table) -> bool:
    """Whether a survey gathers persons' numbers: they are numbers, and come without birth dates.

    A table with birth dates has few rows for each person, and a number is read together with them.
    """
    return table.person in identities(table) and table.meaning("birth_date") is None


def _marks_sql(columns: Mapping[str, str], table: Table) -> str:
    """Whether the decimal numbers have a comma, and whether they have a point."""
    decimals = [name for name in columns if table.variables[name].type == "decimal"]
    numbers = [value_sql(identifier(columns[name]), table) for name in decimals]
    parts = []
    for mark, name in ((",", "_comma"), (".", "_point")):
        seen = " or ".join(f"contains({number}, '{mark}')" for number in numbers) or "false"
        parts.append(f"coalesce(bool_or({seen}), false) as {name}")
    return ", ".join(parts)
