"""Give every delivered text its variable's type, and keep account of those that have none.

The work is done in an engine session of the delivery, as relations that later steps read:
`fitting` (rows as delivered, all files after one another), `delivered` (the same, numbered),
`typed` (numbered rows in their types) and `untyped` (place, rule and column of every value that
has another type). A row's number among the fitting rows is its `_place`, from 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from workbench.data import checks
from workbench.data.extracts import Extract
from workbench.data.sql import file_to_read, file_to_write, identifier, literal
from workbench.errors import DataError
from workbench.registers.schema import Table


def make_delivered(engine: duckdb.DuckDBPyConnection, extracts: Sequence[Extract]) -> None:
    """`fitting` and `delivered`: the rows of all files as they came."""
    parts = []
    for extract in extracts:
        columns = ", ".join(
            f"{identifier(column)} as {identifier(name)}"
            for name, column in extract.columns.items()
        )
        parts.append(f"select {columns} from {extract.relation}")
    engine.execute(f"create temp view fitting as {' union all '.join(parts)}")
    # Numbering keeps the engine to one core, so only what needs row numbers reads this view.
    engine.execute(
        "create temp view delivered as select row_number() over () as _place, * from fitting"
    )


def make_typed(
    engine: duckdb.DuckDBPyConnection,
    full_name: str,
    table: Table,
    extracts: Sequence[Extract],
    file: Path,
) -> None:
    """`typed`, written to `file`, and `untyped`."""
    decimal = _decimal_mark(full_name, table, extracts)
    typed = ", ".join(
        f"{checks.typed_sql(identifier(name), variable, decimal=decimal)}"
        f"::{checks.STORED_TYPES[variable.type]} as {identifier(name)}"
        for name, variable in table.variables.items()
    )
    values = {name: checks.value_sql(identifier(name), table) for name in table.variables}
    trimmed = ", ".join(f"{value} as {identifier(name)}" for name, value in values.items())
    # Trimmed first, in a step of its own, so that the engine does it once for each value.
    engine.execute(
        f"copy (select {typed} from (select {trimmed} from fitting)) to {file_to_write(file)} "
        "(format parquet)"
    )
    engine.execute(
        "create temp view typed as "
        "select file_row_number + 1 as _place, * exclude (file_row_number) "
        f"from read_parquet({file_to_read(file)}, file_row_number=true)"
    )
    engine.execute("create temp table untyped (_place bigint, rule varchar, column_name varchar)")
    for name in _variables_with_untyped(engine, table, extracts):
        for rule in checks.type_rules(name, table):
            engine.execute(
                f"insert into untyped select _place, {literal(rule.name)}, {literal(name)} "
                f"from delivered where {values[name]} is not null and ({rule.condition}) "
                f"and _place in (select _place from typed where {identifier(name)} is null)"
            )


def _decimal_mark(full_name: str, table: Table, extracts: Sequence[Extract]) -> str:
    """The declared mark where a file is text, else the one that the numbers have."""
    if table.delivery.decimal and any(extract.is_delimited for extract in extracts):
        return table.delivery.decimal
    marks = {mark for extract in extracts for mark in extract.decimal_marks}
    if len(marks) > 1:
        raise DataError(
            f"{full_name}: some numbers have a decimal comma, others a point (or separators of "
            'thousands). Say which it is: delivery: decimal: "," or "."'
        )
    return marks.pop() if marks else "."


def _variables_with_untyped(
    engine: duckdb.DuckDBPyConnection, table: Table, extracts: Sequence[Extract]
) -> list[str]:
    """Variables with more delivered values than typed ones: a count a column, no rows moved."""
    counts = ", ".join(f"count({identifier(name)})" for name in table.variables)
    (typed,) = engine.execute(f"select {counts} from typed").fetchall()
    return [
        name
        for name, n in zip(table.variables, typed, strict=True)
        if n < sum(extract.n_values[name] for extract in extracts)
        and table.variables[name].type not in {"text", "code"}
    ]
