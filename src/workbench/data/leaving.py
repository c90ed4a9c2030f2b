"""What remains of what was removed: a tombstone that says when, how much and why, and not who."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal

import duckdb

from workbench.data import identity_scan
from workbench.data.store import Store, Tombstone, Version
from workbench.errors import DataError, StoreError, did_you_mean


@dataclass(frozen=True)
class Leaving:
    """What was removed: one tombstone a version, and how many of those asked for were known."""

    tombstones: tuple[Tombstone, ...]
    n_asked: int = 0
    n_found: int = 0
    n_unreadable: int = 0  # rows set aside in these tables whose number nobody could read


def tables_named(store: Store, asked: str) -> list[str]:
    """The tables in the store that are `asked`, or belong to the register `asked`."""
    names = [name for name in store.catalogue.tables if asked in {name, name.partition(".")[0]}]
    if not names:
        raise StoreError(
            f'The store holds no table "{asked}".{did_you_mean(asked, store.catalogue.tables)}'
        )
    return names


def refuse_telling(reason: str, *, as_of: date) -> None:
    """Raise `DataError` when the reason, which is kept, holds what looks like a number."""
    with duckdb.connect() as engine:
        engine.execute("create temp table reason (_place integer, text varchar)")
        engine.execute("insert into reason values (1, ?)", [reason])
        found = engine.execute(identity_scan.places_sql("from reason", as_of=as_of)).fetchall()
    if found:
        raise DataError(
            "The reason holds what looks like an identity number. It is kept with the store: say "
            "why, and not who."
        )


def tombstone(
    table: str,
    version: Version,
    what: Literal["persons", "version"],
    reason: str,
    *,
    n_rows_kept: int,
    n_rows_set_aside: int,
) -> Tombstone:
    """A record of what was removed from a version today."""
    return Tombstone(
        table=table,
        version=version.name,
        what=what,
        removed_at=datetime.now(UTC).date().isoformat(),
        reason=reason,
        n_rows_kept=n_rows_kept,
        n_rows_set_aside=n_rows_set_aside,
        rows_sha256=version.rows_sha256,
        sources=tuple(source.sha256 for source in version.sources),
    )
