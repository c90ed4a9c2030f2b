"""What reading a file gives, whatever its kind: columns of text, counted, and lines that misfit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from workbench.data.checks import value_sql
from workbench.data.periods import takes_any_text
from workbench.data.sql import identifier
from workbench.registers.schema import Table


@dataclass(frozen=True)
class Misfit:
    """A line that does not have the header's number of fields."""

    row: int  # counted from 1, the first row after the header; blank lines are no rows
    text: str


@dataclass(frozen=True)
class Extract:
    """An extract as text: how the engine reads it, and the lines that did not fit."""

    relation: str  # SQL: text columns c0, c1 ... in the order of the file
    columns: dict[str, str]  # variable -> column of the relation
    strangers: tuple[str, ...]  # headers the definition does not know; they are not stored
    n_rows: int  # rows that fit; the misfits are not among them
    n_values: dict[str, int]  # fields that are not empty, of variables that not every text fits
    decimal_marks: frozenset[str]  # found in the variables of type decimal
    misfits: tuple[Misfit, ...]  # lines with too many or too few fields
    is_delimited: bool  # whether the file was text; others bring numbers that are numbers
    how: str  # what was recognised, in words


def places(headers: Sequence[str]) -> list[str]:
    """Names for the columns of a file by their place: headers may be double, blank or alike."""
    return [f"c{at}" for at in range(len(headers))]


def survey(
    engine: duckdb.DuckDBPyConnection, relation: str, columns: Mapping[str, str], table: Table
) -> tuple[int, dict[str, int], frozenset[str]]:
    """Read a relation through once: its rows, how many values, the decimal marks.

    Values are counted where not every text is one, so that those of another type can be missed.
    """
    counted = [name for name in columns if not takes_any_text(table.variables[name])]
    decimals = [name for name in columns if table.variables[name].type == "decimal"]
    numbers = [value_sql(identifier(columns[name]), table) for name in decimals]
    asked = ["count(*)", *(f"count({identifier(columns[name])})" for name in counted)]
    for mark in ",.":
        seen = " or ".join(f"contains({number}, '{mark}')" for number in numbers) or "false"
        asked.append(f"coalesce(bool_or({seen}), false)")
    ((n_rows, *n_values, has_comma, has_point),) = engine.execute(
        f"select {', '.join(asked)} from {relation}"
    ).fetchall()
    marks = {mark for mark, is_there in ((",", has_comma), (".", has_point)) if is_there}
    return n_rows, dict(zip(counted, n_values, strict=True)), frozenset(marks)
