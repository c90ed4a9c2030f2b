"""Find what is wrong with the rows of a delivery: counted per rule and column, told by row.

Works in the delivery's engine session, on what `typed` made there, and leaves the table `faults`
(place, rule and column of everything that sets a row aside). Nothing told holds a value.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import duckdb

from workbench.data import identity_scan, row_rules
from workbench.data.checks import Rule
from workbench.data.row_names import RowNames
from workbench.data.sql import identifier, literal
from workbench.data.store import Fault
from workbench.registers.schema import Table

ROWS_TOLD = 5  # row numbers told for a fault; the set-aside file holds every one
MISFIT = "wrong number of fields"
IN_FREE_TEXT = "identity number in free text"


def find_faults(
    engine: duckdb.DuckDBPyConnection, table: Table, names: RowNames, *, as_of: date
) -> tuple[Fault, ...]:
    """Everything that sets a row aside, the most frequent first."""
    engine.execute("create temp table faults as select _place, rule, column_name from untyped")
    _add_broken(engine, "faults", list(row_rules.row_rules(table, as_of=as_of)))
    for name, variable in table.variables.items():
        if variable.free_text == "scanned":
            _add_numbers_in_text(engine, name, as_of=as_of)
    if table.key:
        key = literal(", ".join(table.key))
        duplicates = row_rules.duplicate_sql(table, "typed")
        engine.execute(f"insert into faults select *, {key} from ({duplicates})")
    faults = told(engine, "faults", names)
    if misfits := [row for row, _ in names.of_misfits()]:
        first = tuple(misfits[:ROWS_TOLD])
        faults.append(Fault(rule=MISFIT, column="(line)", n_rows=len(misfits), first_rows=first))
    return tuple(sorted(faults, key=lambda fault: -fault.n_rows))


def find_notes(
    engine: duckdb.DuckDBPyConnection, table: Table, names: RowNames
) -> tuple[Fault, ...]:
    """What is worth telling of the rows kept, with what the table `notes` holds already."""
    _add_broken(engine, "notes", list(row_rules.note_rules(table)))
    engine.execute("delete from notes where _place in (select _place from faults)")
    return tuple(told(engine, "notes", names))


def describe_faults(faults: Sequence[Fault]) -> list[str]:
    """Faults as lines to read: rule, column, how many rows, the first row numbers."""
    lines = []
    for fault in faults:
        more = ", ..." if fault.n_rows > len(fault.first_rows) else ""
        first = f" (row {', '.join(fault.first_rows)}{more})" if fault.first_rows else ""
        lines.append(f"{fault.column}: {fault.rule} in {count_of_rows(fault.n_rows)}{first}")
    return lines


def count_of_rows(n: int) -> str:
    """A number of rows in words."""
    return "1 row" if n == 1 else f"{n} rows"


def count_broken(
    engine: duckdb.DuckDBPyConnection, rules: Sequence[Rule], source: str = "typed"
) -> list[int]:
    """How many rows break each rule, in one pass over the rows."""
    if not rules:
        return []
    counts = ", ".join(f"count(*) filter (where {rule.condition})" for rule in rules)
    return list(engine.execute(f"select {counts} from {source}").fetchall()[0])


def told(engine: duckdb.DuckDBPyConnection, where: str, names: RowNames) -> list[Fault]:
    """Faults per rule and column, the most frequent first."""
    rows = engine.execute(
        f"select rule, column_name, count(*), list_sort(min(_place, {ROWS_TOLD})) from {where} "
        "group by rule, column_name order by 3 desc, 1, 2"
    ).fetchall()
    return [
        Fault(rule=rule, column=column, n_rows=n, first_rows=tuple(names.of_places(first)))
        for rule, column, n, first in rows
    ]


def _add_broken(engine: duckdb.DuckDBPyConnection, target: str, rules: Sequence[Rule]) -> None:
    """Add the rows that break a rule: one count over all rules, then only what is needed."""
    for rule, n in zip(rules, count_broken(engine, rules), strict=True):
        if n:
            engine.execute(
                f"insert into {target} select _place, {literal(rule.name)}, "
                f"{literal(rule.column)} from typed where {rule.condition}"
            )


def _add_numbers_in_text(engine: duckdb.DuckDBPyConnection, name: str, *, as_of: date) -> None:
    text = identifier(name)
    digits = f"regexp_matches({text}, '[0-9]{{6}}')"  # every number has them
    source = f"select _place, {text} as text from typed where {digits}"
    engine.execute(
        f"insert into faults select _place, {literal(IN_FREE_TEXT)}, {literal(name)} "
        f"from ({identity_scan.places_sql(source, as_of=as_of)})"
    )
