"""Copy a Parquet file's rows without some of them, in their order: a row is known by its place.

The engine keeps the order of rows that it only scans and filters. A join would lose it, and
sorting the rows back takes longer than all else, so one bit for each row says whether it goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from workbench.data.sql import file_to_read, file_to_write, identifier

_LEAVING = "_leaving"


def copy_without(
    engine: duckdb.DuckDBPyConnection,
    rows: Path,
    columns: Sequence[str],
    places: str,
    *,
    n_rows: int,
    to: Path,
) -> None:
    """Write `columns` of the `n_rows` rows of a file, but for those in `places`.

    `places` is a query for the column `_place`, counted from 1.
    """
    engine.execute(
        f"set variable {_LEAVING} = "
        f"(select bitstring_agg(_place, 1, {max(n_rows, 1)}) from ({places}))"
    )
    stays = f"coalesce(get_bit(getvariable('{_LEAVING}'), file_row_number::integer) = 0, true)"
    chosen = ", ".join(identifier(name) for name in columns)
    engine.execute(
        f"copy (select {chosen} from read_parquet({file_to_read(rows)}, file_row_number=true) "
        f"where {stays}) to {file_to_write(to)} (format parquet)"
    )
    engine.execute(f"reset variable {_LEAVING}")
