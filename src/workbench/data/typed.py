"""Give every delivered text its variable's type, and keep account of those that have none.

The work is done in an engine session of the delivery, as relations that later steps read:
`fitting` (rows as delivered, all files after one another), `delivered` (the same, numbered),
`typed` (numbered rows in their types) and `untyped` (place, rule and column of every value that
has another type). A row's number among the fitting rows is its `_place`, from 1.

Identity numbers are pseudonyms from `typed` on, and a number that cannot be read is missing there.
Nothing here joins rows: that would lose their order, and with it their places.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa

from workbench.data import checks
from workbench.data.extracts import Extract
from workbench.data.numbers import hash_name, hash_sql, read_numbers, with_birth_date
from workbench.data.ordered import is_among, remember_places
from workbench.data.periods import and_in, periods_of, takes_any_text, year_of
from workbench.data.pseudonyms import identities
from workbench.data.row_stream import write_with_pseudonyms
from workbench.data.sql import file_to_read, file_to_write, identifier, literal
from workbench.errors import DataError
from workbench.registers.schema import Table

YEAR = "_year"
PLACES = "(_place bigint, rule varchar, column_name varchar)"


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
    *,
    as_of: date,
) -> None:
    """`typed`, written to `file`, `untyped`, and in `notes` what numbers make worth telling."""
    for relation in ("untyped", "notes"):
        engine.execute(f"create temp table {relation} {PLACES}")
    decimal = _decimal_mark(full_name, table, extracts)
    texts = with_birth_date(trimmed_sql(table, "fitting"), table, decimal=decimal)
    query = _typed_query(texts, table, decimal=decimal)
    if identities(table):
        numbers = [
            read_numbers(
                engine,
                _numbers_query(engine, texts, name, table, extracts),
                name,
                table,
                as_of=as_of,
            )
            for name in identities(table)
        ]
        write_with_pseudonyms(engine, query, table, numbers, file)
    else:
        engine.execute(f"copy ({query}) to {file_to_write(file)} (format parquet)")
    engine.execute(
        "create temp view typed as "
        "select file_row_number + 1 as _place, * exclude (file_row_number) "
        f"from read_parquet({file_to_read(file)}, file_row_number=true)"
    )
    for name in _variables_with_untyped(engine, table, extracts):
        _add_untyped(engine, name, table, n_rows=sum(extract.n_rows for extract in extracts))


def _numbers_query(
    engine: duckdb.DuckDBPyConnection,
    texts: str,
    name: str,
    table: Table,
    extracts: Sequence[Extract],
) -> str:
    """A query for the texts of one variable's numbers: those gathered already, else all rows'."""
    gathered = [extract.survey.numbers for extract in extracts]
    if name != table.person or any(numbers is None for numbers in gathered):
        return texts
    chunks = [chunk for numbers in gathered for chunk in numbers.chunks]
    engine.register("gathered", pa.table({name: pa.chunked_array(chunks, pa.string())}))
    return f"select {checks.value_sql(identifier(name), table)} as {identifier(name)} from gathered"


def trimmed_sql(table: Table, source: str, *also: str) -> str:
    """A query that gives the delivered texts of `source` without surrounding blanks."""
    # A step of its own, so that the engine does it once for each value.
    values = [
        f"{checks.value_sql(identifier(name), table)} as {identifier(name)}"
        for name in table.variables
    ]
    return f"select {', '.join([*also, *values])} from {source}"


def _typed_query(texts: str, table: Table, *, decimal: str) -> str:
    """A query for the typed rows; a short hash stands for each identity number."""
    query = texts
    if any(variable.editions for variable in table.variables.values()):
        dated_by = identifier(table.dated_by)
        day = checks.typed_sql(dated_by, table.variables[table.dated_by], decimal=decimal)
        query = f"select *, year({day}) as {YEAR} from ({query})"
    columns = []
    for name, variable in table.variables.items():
        if name in identities(table):
            columns.append(f"{hash_sql(name, table)} as {identifier(hash_name(name))}")
            continue
        typed = checks.typed_sql(identifier(name), variable, decimal=decimal, year=YEAR)
        columns.append(f"{typed}::{checks.STORED_TYPES[variable.type]} as {identifier(name)}")
    return f"select {', '.join(columns)} from ({query})"


def _add_untyped(
    engine: duckdb.DuckDBPyConnection, name: str, table: Table, *, n_rows: int
) -> None:
    value = checks.value_sql(identifier(name), table)
    for period in periods_of(table.variables[name], year_of(table)):
        if period.kind in {"text", "code"}:
            continue
        missing = f"select _place from typed where {identifier(name)} is null{and_in(period)}"
        remember_places(engine, "_missing", missing, n_rows=n_rows)
        for rule in checks.type_rules(name, period.kind, table):
            engine.execute(
                f"insert into untyped select _place, {literal(rule.name)}, {literal(name)} "
                f"from delivered where {value} is not null and ({rule.condition}) "
                f"and {is_among('_missing')}"
            )


def _decimal_mark(full_name: str, table: Table, extracts: Sequence[Extract]) -> str:
    """The declared mark where a file is text, else the one that the numbers have."""
    if table.delivery.decimal and any(extract.is_delimited for extract in extracts):
        return table.delivery.decimal
    marks = {mark for extract in extracts for mark in extract.survey.decimal_marks}
    if len(marks) > 1:
        raise DataError(
            f"{full_name}: some numbers have a decimal comma, others a point (or separators of "
            'thousands). Say which it is: delivery: decimal: "," or "."'
        )
    return marks.pop() if marks else "."


def _variables_with_untyped(
    engine: duckdb.DuckDBPyConnection, table: Table, extracts: Sequence[Extract]
) -> list[str]:
    """Variables with more delivered values than typed ones: a count a column, no rows moved.

    Text takes everything; identity numbers that cannot be read are known already.
    """
    names = [name for name, one in table.variables.items() if not takes_any_text(one)]
    counts = ", ".join(f"count({identifier(name)})" for name in names)
    (typed,) = engine.execute(f"select {counts or 'count(*)'} from typed").fetchall()
    return [
        name
        for name, n in zip(names, typed, strict=False)
        if n < sum(extract.survey.n_values[name] for extract in extracts)
    ]
