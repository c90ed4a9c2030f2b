"""Write a stored version anew without some of its rows, and tell it as it is then."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from workbench.data.faults import MISFIT, ROWS_TOLD
from workbench.data.ordered import copy_without
from workbench.data.sql import file_to_read, identifier
from workbench.data.store import ROWS, SET_ASIDE, Fault, Store, Version
from workbench.data.sums import sha256_of
from workbench.registers.schema import Table


def rewrite_without(
    engine: duckdb.DuckDBPyConnection,
    store: Store,
    table: str,
    version: Version,
    places: Mapping[str, str],
    folder: Path,
) -> Version:
    """Write a version's files into `folder` without some rows; give the version as it is then.

    `places` are queries for the places (`_place`) of the rows that leave each of the two files.
    """
    n_before = {ROWS: version.n_rows_kept, SET_ASIDE: version.n_rows_set_aside}
    for part, n_rows in n_before.items():
        before = store.file(table, version, part)
        columns = pq.read_schema(before).names
        copy_without(engine, before, columns, places[part], n_rows=n_rows, to=folder / part)
    n_left = {part: pq.read_metadata(folder / part).num_rows for part in n_before}
    n_gone = sum(n_before.values()) - sum(n_left.values())
    first, last = _period(engine, version.definition, folder / ROWS)
    return version.model_copy(
        update={
            "folder": _next_folder(version),
            "n_rows_read": version.n_rows_read - n_gone,
            "n_rows_kept": n_left[ROWS],
            "n_rows_set_aside": n_left[SET_ASIDE],
            "n_rows_removed": version.n_rows_removed + n_gone,
            "faults": _faults_left(engine, version, folder / SET_ASIDE),
            # Of rows kept nobody knows their rows in the file, so that numbers could stay behind
            # that lead to those who left.
            "notes": tuple(one.model_copy(update={"first_rows": ()}) for one in version.notes),
            "first_date": first,
            "last_date": last,
            "rows_sha256": sha256_of(folder / ROWS),
        }
    )


def _faults_left(
    engine: duckdb.DuckDBPyConnection, version: Version, set_aside: Path
) -> tuple[Fault, ...]:
    """The faults of the rows that are still set aside, told as at import."""
    told = engine.execute(
        f"select reason, count(*), array_agg(_row order by place)[1:{ROWS_TOLD}] from ("
        "select file_row_number as place, _row, unnest(_reasons) as reason "
        f"from read_parquet({file_to_read(set_aside)}, file_row_number=true)) group by reason"
    ).fetchall()
    left = {reason: (n, tuple(rows)) for reason, n, rows in told}
    faults = []
    for fault in version.faults:
        reason = MISFIT if fault.rule == MISFIT else f"{fault.rule}: {fault.column}"
        if reason in left:
            n, rows = left[reason]
            faults.append(fault.model_copy(update={"n_rows": n, "first_rows": rows}))
    return tuple(sorted(faults, key=lambda fault: -fault.n_rows))


def _period(
    engine: duckdb.DuckDBPyConnection, table: Table, rows: Path
) -> tuple[date | None, date | None]:
    if table.dated_by is None:
        return None, None
    day = identifier(table.dated_by)
    query = f"select min({day}), max({day}) from read_parquet({file_to_read(rows)})"
    ((first, last),) = engine.execute(query).fetchall()
    return first, last


def _next_folder(version: Version) -> str:
    """A folder that the version never had: v0001, v0001-2, v0001-3."""
    _, _, turn = version.folder.partition("-")
    return f"{version.name}-{int(turn or 1) + 1}"
