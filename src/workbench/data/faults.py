"""Find what is wrong with the rows of a delivery: counted per rule and column, told by row.

Works in the delivery's engine session, on what `typed` made there, and leaves the table `faults`
(place, rule and column of everything that sets a row aside). Nothing told holds a value.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import duckdb

from workbench.data import checks
from workbench.data.row_names import RowNames
from workbench.data.sql import identifier, literal
from workbench.data.store import Fault
from workbench.errors import DataError, gathered
from workbench.registers.schema import Table

ROWS_TOLD = 5  # row numbers told for a fault; the set-aside file holds every one
MISFIT = "wrong number of fields"


def find_faults(
    engine: duckdb.DuckDBPyConnection, table: Table, names: RowNames, *, as_of: date
) -> tuple[Fault, ...]:
    """Everything that sets a row aside, the most frequent first."""
    engine.execute("create temp table faults as select _place, rule, column_name from untyped")
    _add_broken(engine, "faults", list(checks.row_rules(table, as_of=as_of)))
    if table.key:
        key = literal(", ".join(table.key))
        duplicates = checks.duplicate_sql(table, "typed")
        engine.execute(f"insert into faults select *, {key} from ({duplicates})")
    faults = _told(engine, "faults", names)
    if misfits := [row for row, _ in names.of_misfits()]:
        first = tuple(misfits[:ROWS_TOLD])
        faults.append(Fault(rule=MISFIT, column="(line)", n_rows=len(misfits), first_rows=first))
    return tuple(sorted(faults, key=lambda fault: -fault.n_rows))


def find_notes(
    engine: duckdb.DuckDBPyConnection, table: Table, names: RowNames
) -> tuple[Fault, ...]:
    """What is worth telling but sets no row aside."""
    engine.execute("create temp table notes (_place bigint, rule varchar, column_name varchar)")
    _add_broken(engine, "notes", list(checks.note_rules(table)))
    return tuple(_told(engine, "notes", names))


def refuse_identity(
    engine: duckdb.DuckDBPyConnection, full_name: str, table: Table, names: RowNames
) -> None:
    """Raise `DataError` when something that would be stored looks like identity numbers.

    Rows set aside are stored as delivered, so that all their columns are looked at.
    """
    rules = list(checks.identity_rules(table))
    found = dict.fromkeys(table.variables, 0)
    for rule, n in zip(rules, _count_broken(engine, rules), strict=True):
        found[rule.column] += n
    if engine.execute("select count(*) from faults").fetchall() != [(0,)]:
        searched = [
            checks.Rule("identity number", name, checks.identity_sql(identifier(name)))
            for name in table.variables
            if name not in {rule.column for rule in rules}
        ]
        aside = "delivered semi join faults using (_place)"
        for rule, n in zip(searched, _count_broken(engine, searched, aside), strict=True):
            found[rule.column] += n
    faults = [
        f'the column "{name}" holds what looks like identity numbers in {_rows(n)}'
        for name, n in found.items()
        if n
    ]
    if n_lines := _lines_with_identity(engine, names):
        faults.append(
            f"what looks like identity numbers stands in {_rows(n_lines)} with a wrong number of "
            "fields"
        )
    if faults:
        raise DataError(
            gathered(f"{full_name} is refused, nothing was stored:", faults)
            + "\nTake the numbers out, or deliver a running number in their place."
        )


def describe_faults(faults: Sequence[Fault]) -> list[str]:
    """Faults as lines to read: rule, column, how many rows, the first row numbers."""
    lines = []
    for fault in faults:
        more = ", ..." if fault.n_rows > len(fault.first_rows) else ""
        first = ", ".join(fault.first_rows)
        lines.append(f"{fault.column}: {fault.rule} in {_rows(fault.n_rows)} (row {first}{more})")
    return lines


def _rows(n: int) -> str:
    return "1 row" if n == 1 else f"{n} rows"


def _lines_with_identity(engine: duckdb.DuckDBPyConnection, names: RowNames) -> int:
    texts = [misfit.text for _, misfit in names.of_misfits()]
    if not texts:
        return 0
    found = engine.execute(
        f"select count(*) from (select unnest(?::varchar[]) as text) "
        f"where {checks.identity_sql('text')}",
        [texts],
    ).fetchall()
    return int(found[0][0])


def _count_broken(
    engine: duckdb.DuckDBPyConnection, rules: Sequence[checks.Rule], source: str = "typed"
) -> list[int]:
    """How many rows break each rule, in one pass over the rows."""
    if not rules:
        return []
    counts = ", ".join(f"count(*) filter (where {rule.condition})" for rule in rules)
    return list(engine.execute(f"select {counts} from {source}").fetchall()[0])


def _add_broken(
    engine: duckdb.DuckDBPyConnection, target: str, rules: Sequence[checks.Rule]
) -> None:
    """Add the rows that break a rule: one count over all rules, then only what is needed."""
    for rule, n in zip(rules, _count_broken(engine, rules), strict=True):
        if n:
            engine.execute(
                f"insert into {target} select _place, {literal(rule.name)}, "
                f"{literal(rule.column)} from typed where {rule.condition}"
            )


def _told(engine: duckdb.DuckDBPyConnection, where: str, names: RowNames) -> list[Fault]:
    """Faults per rule and column, the most frequent first."""
    rows = engine.execute(
        f"select rule, column_name, count(*), list_sort(min(_place, {ROWS_TOLD})) from {where} "
        "group by rule, column_name order by 3 desc, 1, 2"
    ).fetchall()
    return [
        Fault(rule=rule, column=column, n_rows=n, first_rows=tuple(names.of_places(first)))
        for rule, column, n, first in rows
    ]
