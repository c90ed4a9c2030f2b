"""Choose rows by their places without losing their order.

The engine keeps the order of rows that it only scans and filters, and a row is known by its place.
A join would lose the order (or build a table of all rows first), and sorting rows back takes
longer than all else. So a set of places is one bit for each row, and asking for it is a filter.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from workbench.data.sql import file_to_read, file_to_write, identifier


def remember_places(
    engine: duckdb.DuckDBPyConnection, name: str, places: str, *, n_rows: int
) -> None:
    """Keep places under a name for `is_among`.

    `places` is a query for the column `_place`, counted from 1; there are `n_rows` places.
    """
    engine.execute(
        f"set variable {name} = (select bitstring_agg(_place, 1, {max(n_rows, 1)}) from ({places}))"
    )


def is_among(name: str, place: str = "_place") -> str:
    """A condition that a row's place is among those kept under a name."""
    return f"coalesce(get_bit(getvariable('{name}'), ({place} - 1)::integer) = 1, false)"


def copy_without(
    engine: duckdb.DuckDBPyConnection,
    rows: Path,
    columns: Sequence[str],
    places: str,
    *,
    n_rows: int,
    to: Path,
) -> None:
    """Write `columns` of the `n_rows` rows of a file, but for those in `places`, in order."""
    remember_places(engine, "_leaving", places, n_rows=n_rows)
    chosen = ", ".join(identifier(name) for name in columns)
    engine.execute(
        f"copy (select {chosen} from read_parquet({file_to_read(rows)}, file_row_number=true) "
        f"where not {is_among('_leaving', '(file_row_number + 1)')}) "
        f"to {file_to_write(to)} (format parquet)"
    )
