"""Write the rows that are set aside: as they were delivered, each with its reasons.

Where a table declares identity numbers, its rows set aside hold none either: a number that can be
read is its pseudonym, and anything else that could be one, mistyped ones among them, is withheld.
So is a whole line with the wrong number of fields: nobody knows in which field its number stands.
"""

from __future__ import annotations

from datetime import date

import duckdb
import pyarrow as pa

from workbench.data import identity_scan
from workbench.data.faults import MISFIT
from workbench.data.identity_sql import NUMBER, read_sql
from workbench.data.numbers import BORN_BESIDE, is_dated, with_birth_date
from workbench.data.ordered import is_among, remember_places
from workbench.data.pseudonyms import identities, is_guarded, pseudonym_sql
from workbench.data.row_names import RowNames
from workbench.data.sql import identifier, literal
from workbench.data.typed import trimmed_sql
from workbench.registers.schema import Table

WITHHELD = "[withheld]"
FAULTY = "_faulty"
NOTHING = "select 0::bigint as _place, * from fitting limit 0"
_RAW = "_raw_"  # before the names of columns as they were delivered, blanks included


def set_aside_query(
    engine: duckdb.DuckDBPyConnection, table: Table, names: RowNames, *, n_rows: int, as_of: date
) -> str:
    """A query for the rows set aside of `n_rows`, in their order; lines that misfit come last."""
    remember_places(engine, FAULTY, "select distinct _place from faults", n_rows=n_rows)
    reason = "rule || ': ' || column_name"
    faulty = engine.execute(
        f"select _place, list(distinct {reason} order by {reason}) as _reasons "
        "from faults group by _place order by _place"
    ).to_arrow_table()
    rows = pa.array(names.of_places(faulty["_place"].to_pylist()), pa.string())
    misfits = [
        {"_row": row, "_reasons": [MISFIT], "_line": WITHHELD if is_guarded(table) else misfit.text}
        for row, misfit in names.of_misfits()
    ]
    told = [("_row", pa.string()), ("_reasons", pa.list_(pa.string())), ("_line", pa.string())]
    engine.register("faulty", faulty.append_column("_row", rows))
    engine.register("misfits", pa.Table.from_pylist(misfits, schema=pa.schema(told)))
    # Fetched before anything is done with them: they are few among the rows delivered.
    source = f"from delivered where {is_among(FAULTY)}" if len(faulty) else NOTHING
    engine.execute(f"create temp table raw_aside as {source}")
    delivered = ", ".join(f"aside.{identifier(name)}" for name in table.variables)
    return (
        "select * from ("
        f"select _row, _reasons, null::varchar as _line, {delivered} "
        f"from faulty join ({_delivered_query(table, as_of=as_of)}) as aside using (_place) "
        "order by _place) "
        "union all by name from misfits"
    )


def _delivered_query(table: Table, *, as_of: date) -> str:
    """The delivered texts of the rows set aside; without any number where some are declared."""
    if not is_guarded(table):
        return "from raw_aside"
    raw = [f"{identifier(name)} as {identifier(_RAW + name)}" for name in table.variables]
    read = with_birth_date(trimmed_sql(table, "raw_aside", "_place", *raw), table, decimal=".")
    for name, scheme in identities(table).items():
        read = read_sql(
            read,
            identifier(name),
            scheme,
            as_of=as_of,
            prefix=_prefix(name, table),
            born=BORN_BESIDE if is_dated(name, table) else "null::date",
        )
    columns = [f"{_shown(name, table)} as {identifier(name)}" for name in table.variables]
    return f"select _place, {', '.join(columns)} from ({read})"


def _shown(name: str, table: Table) -> str:
    value, raw = identifier(name), identifier(_RAW + name)
    if name in identities(table):
        pseudonym = pseudonym_sql(_prefix(name, table) + NUMBER, identities(table)[name])
        readable = f"coalesce({pseudonym}, {literal(WITHHELD)})"
        return f"case when {value} is null then {raw} else {readable} end"
    is_possible = identity_scan.possible_sql(raw)
    return f"case when {is_possible} then {literal(WITHHELD)} else {raw} end"


def _prefix(name: str, table: Table) -> str:
    """Before what is read of one variable's numbers."""
    return f"_{list(identities(table)).index(name)}_"
