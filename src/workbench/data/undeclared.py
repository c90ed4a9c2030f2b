"""Refuse a delivery with identity numbers that must not be stored as they are declared.

A signed number refuses at once. Bare digits refuse a column when at least 1 % of its values are
numbers with right check digits and, of all that could be one by their date, at least half: sample
numbers that begin with a date are right one time in ten, real numbers nearly always.
"""

from __future__ import annotations

from datetime import date

import duckdb

from workbench.data import identity_scan
from workbench.data.checks import Rule
from workbench.data.faults import count_broken, count_of_rows
from workbench.data.numbers import TEST_NUMBER
from workbench.data.pseudonyms import identities, is_guarded
from workbench.data.row_names import RowNames
from workbench.data.sql import identifier, literal
from workbench.errors import DataError, gathered
from workbench.registers.schema import Table

SIGNED_NUMBER = "signed number"
SMALLEST_SHARE = 0.01  # of a column's values: below it, chance hits among codes would refuse too
LEAST_RIGHT = 0.5  # of the values that could be a number: chance gives a tenth
SMALLEST_BARE = 10**9  # ten digits


def refuse_identity(
    engine: duckdb.DuckDBPyConnection,
    full_name: str,
    table: Table,
    names: RowNames,
    *,
    as_of: date,
) -> None:
    """Raise `DataError` when something that would be stored looks like identity numbers.

    Where the table declares identity numbers, those in rows set aside are withheld one by one;
    where it does not, rows set aside are stored as delivered, and looked at whole.
    """
    has_aside = engine.execute("select count(*) from faults").fetchall() != [(0,)]
    kept = "typed where _place not in (select _place from faults)"
    found = _in_columns(
        engine, table, kept if has_aside and is_guarded(table) else "typed", as_of=as_of
    )
    n_lines = 0
    if not is_guarded(table):
        n_lines = _n_lines(engine, names)
        if has_aside:
            _add_set_aside(engine, table, found)
    faults = [
        f'the column "{name}" holds what looks like identity numbers in {count_of_rows(n)}'
        for name, n in found.items()
        if n
    ]
    if n_lines:
        faults.append(
            f"what looks like identity numbers stands in {count_of_rows(n_lines)} with a wrong "
            "number of fields"
        )
    if faults:
        raise DataError(
            gathered(f"{full_name} is refused, nothing was stored:", faults)
            + "\nDeclare the column (sensitivity: identity with its identity_scheme, or free_text: "
            "scanned), take the numbers out, or deliver a running number in their place."
        )


def refuse_real_numbers(engine: duckdb.DuckDBPyConnection, full_name: str, table: Table) -> None:
    """Raise `DataError` when numbers that persons may have would be hidden by a public key only.

    The table `notes` tells which numbers are of a series that nobody was given.
    """
    for name in identities(table):
        ((n_numbers, n_tests),) = engine.execute(
            f"select (select count({identifier(name)}) from typed), (select count(*) from notes "
            f"where rule = {literal(TEST_NUMBER)} and column_name = {literal(name)})"
        ).fetchall()
        if n_numbers > n_tests:
            raise DataError(
                f"{full_name} is refused, nothing was stored: {name} holds numbers that real "
                f"persons may have in {count_of_rows(n_numbers - n_tests)}, and with the "
                "demonstration key, which is public, anybody could find them. Make a secret one: "
                "workbench new key"
            )


def _in_columns(
    engine: duckdb.DuckDBPyConnection, table: Table, source: str, *, as_of: date
) -> dict[str, int]:
    """For every variable, how many of its typed values are identity numbers."""
    looked_at = _looked_at(table)
    asked = [f"count({identifier(name)})" for name in looked_at]
    asked += [f"count(*) filter (where {_signed(name, table)})" for name in looked_at]
    asked += [f"count(*) filter (where {_may_be_bare(name, table)})" for name in looked_at]
    (counted,) = engine.execute(
        f"select {', '.join([*asked, 'count(*)'])} from {source}"
    ).fetchall()
    n = len(looked_at)
    found = dict.fromkeys(table.variables, 0)
    for at, name in enumerate(looked_at):
        n_values, n_signed, n_long = counted[at], counted[n + at], counted[2 * n + at]
        found[name] = n_signed
        if not n_signed and n_long and n_long >= SMALLEST_SHARE * n_values:
            found[name] = _n_bare(engine, name, table, source, n_values, as_of=as_of)
    return found


def _looked_at(table: Table) -> list[str]:
    """Columns of free values that no rule of their own guards."""
    return [
        name
        for name, one in table.variables.items()
        if one.type in {"text", "code", "integer"}
        and not (one.codes or one.identity_scheme or one.free_text)
    ]


def _signed(name: str, table: Table) -> str:
    is_number = table.variables[name].type == "integer"
    return "false" if is_number else identity_scan.signed_sql(identifier(name))


def _may_be_bare(name: str, table: Table) -> str:
    if table.variables[name].type == "integer":
        return f"{identifier(name)} >= {SMALLEST_BARE}"
    return identity_scan.may_be_bare_sql(identifier(name))


def _n_bare(
    engine: duckdb.DuckDBPyConnection,
    name: str,
    table: Table,
    source: str,
    n_values: int,
    *,
    as_of: date,
) -> int:
    """How many values of a column are bare numbers; none when they may be so by chance."""
    texts = (
        f"select _place, {identifier(name)}::varchar as text from (from {source}) "
        f"where {_may_be_bare(name, table)}"
    )
    ((n_possible, n_right),) = engine.execute(
        "select count(distinct _place), count(distinct _place) filter (where is_right) "
        f"from ({identity_scan.bare_sql(texts, as_of=as_of)})"
    ).fetchall()
    is_chance = n_right < LEAST_RIGHT * n_possible or n_right < SMALLEST_SHARE * n_values
    return 0 if is_chance else int(n_right)


def _add_set_aside(engine: duckdb.DuckDBPyConnection, table: Table, found: dict[str, int]) -> None:
    """Count signed numbers in rows that would be stored as delivered, in the other columns."""
    rules = [
        Rule(SIGNED_NUMBER, name, identity_scan.signed_sql(identifier(name)))
        for name in table.variables
        if name not in _looked_at(table) or table.variables[name].type == "integer"
    ]
    aside = "delivered semi join faults using (_place)"
    for rule, n in zip(rules, count_broken(engine, rules, aside), strict=True):
        found[rule.column] += n


def _n_lines(engine: duckdb.DuckDBPyConnection, names: RowNames) -> int:
    texts = [misfit.text for _, misfit in names.of_misfits()]
    if not texts:
        return 0
    ((n,),) = engine.execute(
        "select count(*) from (select unnest(?::varchar[]) as text) "
        f"where {identity_scan.signed_sql('text')}",
        [texts],
    ).fetchall()
    return int(n)
