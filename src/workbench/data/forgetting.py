"""Remove persons from every version a store keeps, for good.

A patient may leave a quality register at any time. What is left is a tombstone: when, how many
rows, why; and of nobody in particular. All versions of all tables asked for change together or not
at all: new files are written beside the old ones, the catalogue is replaced, the old files go.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb

from workbench.data.engine import engine_session
from workbench.data.id_lists import How, Person, read_persons, refuse_doubtful
from workbench.data.intake import refuse_other_key
from workbench.data.keys import Key
from workbench.data.leaving import Leaving, refuse_telling, tables_named, tombstone
from workbench.data.pseudonyms import identities
from workbench.data.rewriting import rewrite_without
from workbench.data.set_aside import WITHHELD
from workbench.data.sql import file_to_read, identifier, literal
from workbench.data.store import ROWS, SET_ASIDE, Store, Tombstone, Version, Writer, writing
from workbench.errors import DataError, StoreError
from workbench.registers.schema import Table

# What parts a field of a line that did not fit; its own delimiter is not known any more.
FIELD_ENDS = r"[;,|^~:\t\s\"]+"


def forget_persons(
    store_folder: Path,
    table: str,
    ids_file: Path,
    *,
    key: Key | None,
    as_of: date,
    reason: str = "",
) -> Leaving:
    """Remove the persons of a list from `register.table`, or from all tables of a register.

    The list has one identity number, pseudonym or running number a line. Raises `StoreError` when
    there is no such table or the key is not the store's, `DataError` when the list cannot be used;
    the store is then as it was.
    """
    refuse_telling(reason, as_of=as_of)
    if not ids_file.is_file():
        raise DataError(f"{ids_file}: there is no such file.")
    with writing(store_folder) as writer, engine_session(writer.staging) as engine:
        store = writer.store
        if key:
            refuse_other_key(store, key)
        kept = _Kept(engine, store, tables_with_persons(store, table))
        persons = read_persons(ids_file, kept.hows, key=key, as_of=as_of)
        known = kept.find(persons)
        refuse_doubtful(ids_file, persons, known)
        n_found = sum(any(names & known for names in one.names.values()) for one in persons)
        n_unreadable = kept.count_unreadable()
        stones = _replace(writer, kept, reason)
        return Leaving(stones, len(persons), n_found, n_unreadable)


def tables_with_persons(store: Store, asked: str) -> list[str]:
    """The tables named by `register.table` or `register` whose rows say who they are about."""
    names = tables_named(store, asked)
    with_persons = [name for name in names if store.version(name).definition.person]
    if not with_persons:
        raise StoreError(
            f"{asked}: the rows carry no identity, so that nobody can be found in them. Whole "
            "versions can be removed: workbench prune"
        )
    return with_persons


class _Kept:
    """The versions of some tables, and which rows of each belong to persons who leave."""

    def __init__(
        self, engine: duckdb.DuckDBPyConnection, store: Store, tables: Sequence[str]
    ) -> None:
        self.engine = engine
        self.store = store
        self.versions = [(name, one) for name in tables for one in store.catalogue.tables[name]]
        engine.execute("create temp table leaving (how varchar, name varchar)")
        engine.execute("create temp table found (table_no int, part varchar, _place bigint)")

    @property
    def hows(self) -> set[How]:
        """The ways in which persons are named in these tables."""
        return {_how(version.definition) for _, version in self.versions}

    def find(self, persons: Sequence[Person]) -> set[str]:
        """Note every row of these persons; give the names that were found in rows kept."""
        for how in self.hows:
            names = sorted(set().union(*(person.names[how] for person in persons)))
            self.engine.execute(
                "insert into leaving select ?, unnest(?::varchar[])", [str(how), names]
            )
        known: set[str] = set()
        for number, (table, version) in enumerate(self.versions):
            for part in (ROWS, SET_ASIDE):
                known |= self._find_in(number, table, version, part)
        return known

    def places(self, number: int, part: str) -> str:
        """A query for the places of rows that leave one part of a version."""
        return f"select distinct _place from found where table_no = {number} and part = '{part}'"

    def count(self, number: int, part: str) -> int:
        """How many rows leave one part of a version."""
        return _count(self.engine, f"select count(*) from ({self.places(number, part)})")

    def count_unreadable(self) -> int:
        """Rows set aside whose number could not be read: whose they are nobody knows."""
        n = 0
        for table, version in self.versions:
            rows = file_to_read(self.store.file(table, version, SET_ASIDE))
            columns = ["_line", *map(identifier, identities(version.definition))]
            is_withheld = " or ".join(f"{column} = {literal(WITHHELD)}" for column in columns)
            query = f"select count(*) from read_parquet({rows}) where {is_withheld}"
            n += _count(self.engine, query)
        return n

    def _find_in(self, number: int, table: str, version: Version, part: str) -> set[str]:
        how = _how(version.definition)
        names = {version.definition.person, *identities(version.definition)}
        rows = file_to_read(self.store.file(table, version, part))
        texts = [f"[trim({identifier(name)}::varchar)]" for name in sorted(names)]
        if version.definition.variables[version.definition.person].type == "integer":
            texts += [f"[try_cast({identifier(name)} as bigint)::varchar]" for name in names]
        if part == SET_ASIDE:
            texts.append(f"coalesce(regexp_split_to_array(_line, '{FIELD_ENDS}'), [])")
        self.engine.execute(
            "create or replace temp table hits as "
            "select _place, name from (select file_row_number + 1 as _place, "
            f"unnest(list_concat({', '.join(texts)})) as name "
            f"from read_parquet({rows}, file_row_number=true)) "
            f"semi join (select name from leaving where how = '{how}') using (name)"
        )
        self.engine.execute(f"insert into found select {number}, '{part}', _place from hits")
        return {
            name for (name,) in self.engine.execute("select distinct name from hits").fetchall()
        }


def _replace(writer: Writer, kept: _Kept, reason: str) -> tuple[Tombstone, ...]:
    """Write the versions concerned anew and put them in force together."""
    store = writer.store
    tables = {name: list(versions) for name, versions in store.catalogue.tables.items()}
    files: dict[str, dict[str, Path]] = {}
    stones = []
    for number, (table, version) in enumerate(kept.versions):
        if not (kept.count(number, ROWS) or kept.count(number, SET_ASIDE)):
            continue
        folder = writer.staging / f"rewritten-{number}"
        folder.mkdir()
        places = {part: kept.places(number, part) for part in (ROWS, SET_ASIDE)}
        changed = rewrite_without(kept.engine, store, table, version, places, folder)
        at = tables[table].index(version)
        tables[table][at] = changed
        files.setdefault(table, {})[version.name] = folder
        stones.append(
            tombstone(
                table,
                version,
                "persons",
                reason,
                n_rows_kept=version.n_rows_kept - changed.n_rows_kept,
                n_rows_set_aside=version.n_rows_set_aside - changed.n_rows_set_aside,
            )
        )
    if stones:
        update = {
            "tables": {name: tuple(versions) for name, versions in tables.items()},
            "tombstones": (*store.catalogue.tombstones, *stones),
        }
        writer.replace(store.catalogue.model_copy(update=update), files)
    return tuple(stones)


def _how(table: Table) -> How:
    """How a table names persons: by numbers of a scheme, or by running numbers."""
    return table.variables[table.person].identity_scheme


def _count(engine: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(engine.execute(query).fetchall()[0][0])
