"""Remove whole versions for good: old ones, or all when an approval ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path

from workbench.data.leaving import Leaving, refuse_telling, tables_named, tombstone
from workbench.data.store import Store, Tombstone, Version, open_store, writing
from workbench.errors import StoreError, did_you_mean

# Of the versions of one table, oldest first, those that go.
Choice = Callable[[Sequence[Version]], Sequence[Version]]


def all_but_newest(n: int) -> Choice:
    """Every version but the newest `n` of each table."""
    return lambda versions: versions[: max(len(versions) - n, 0)]


def imported_before(day: date) -> Choice:
    """Every version that was imported before a day."""
    return lambda versions: [one for one in versions if one.imported_at[:10] < day.isoformat()]


def named(name: str) -> Choice:
    """The version of that name; `StoreError` where there is none."""

    def choose(versions: Sequence[Version]) -> Sequence[Version]:
        found = [one for one in versions if one.name == name]
        if not found:
            near = did_you_mean(name, [one.name for one in versions])
            raise StoreError(f'There is no version "{name}".{near}')
        return found

    return choose


def prune_versions(
    store_folder: Path,
    choice: Choice,
    *,
    as_of: date,
    table: str | None = None,
    reason: str = "",
    dry_run: bool = False,
) -> Leaving:
    """Remove the versions of a choice from one table, a register, or (without `table`) all.

    `dry_run` only tells. Runs that used them are marked by the runner, not here.
    """
    refuse_telling(reason, as_of=as_of)
    if dry_run:
        store = open_store(store_folder)
        return Leaving(_tombstones(_going(store, table, choice), reason))
    with writing(store_folder) as writer:
        known = writer.store.catalogue
        going = _going(writer.store, table, choice)
        stones = _tombstones(going, reason)
        if stones:
            tables = {
                name: left
                for name, versions in known.tables.items()
                if (left := tuple(one for one in versions if one not in going.get(name, ())))
            }
            update = {"tables": tables, "tombstones": (*known.tombstones, *stones)}
            writer.replace(known.model_copy(update=update), {})
        return Leaving(stones)


def _going(store: Store, table: str | None, choice: Choice) -> dict[str, Sequence[Version]]:
    names = list(store.catalogue.tables) if table is None else tables_named(store, table)
    return {name: choice(store.catalogue.tables[name]) for name in names}


def _tombstones(going: Mapping[str, Sequence[Version]], reason: str) -> tuple[Tombstone, ...]:
    return tuple(
        tombstone(
            name,
            version,
            "version",
            reason,
            n_rows_kept=version.n_rows_kept,
            n_rows_set_aside=version.n_rows_set_aside,
        )
        for name, versions in going.items()
        for version in versions
    )
