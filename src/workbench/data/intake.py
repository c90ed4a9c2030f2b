"""Bring an extract into the store: check it, set faulty rows aside, put the version in its place.

A delivery is taken whole or refused whole: before the last step nothing in the store has changed.
No message, record or log holds a value.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from workbench.data.delivery import Delivery, Progress, Surroundings, delivery_of
from workbench.data.keys import Key, demonstration_key
from workbench.data.population import population_of
from workbench.data.pseudonyms import identities
from workbench.data.staging import private_folder
from workbench.data.store import Store, Version, Writer, open_store, writing
from workbench.errors import DataError, KeyFault, RunError, StoreError
from workbench.registers.schema import Register, Table

NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
NO_ROOM_WORDS = ("No space left", "quota exceeded", "File too large")


@dataclass(frozen=True)
class Import:
    """What an import did, or would do."""

    table: str
    version: Version
    is_new: bool  # False: the same files were imported before, nothing has changed
    is_dry_run: bool = False


def import_extract(
    register: Register,
    table_name: str,
    files: Sequence[Path],
    *,
    store_folder: Path,
    as_of: date,
    key: Key | None = None,
    dry_run: bool = False,
    accept_withdrawn: bool = False,
    progress: Progress = lambda _: None,
) -> Import:
    """Check one delivery of a table, in one file or several, and put it into the store.

    `as_of` is the day the delivery is judged from: later dates lie in the future. `key` makes the
    pseudonyms of a table that declares identity numbers, and is not needed for others. `dry_run`
    only checks. `accept_withdrawn` takes files again that held persons who left since.

    Raises `DataError` when the delivery cannot be read or too many rows are faulty, `KeyFault` when
    a key is needed and there is none, `StoreError` when the store is locked, damaged or made with
    another key, `RunError` when the disk is full; the store is then as it was.
    """
    table = register.table(table_name)
    full_name = f"{register.name}.{table_name}"
    if identities(table) and key is None:
        raise _no_key(full_name, table)
    key = key if identities(table) else None
    bring_in = _Intake(register, table_name, files, as_of, key, accept_withdrawn, progress)
    try:
        if dry_run:
            return bring_in.try_out(open_store(store_folder))
        with writing(store_folder) as writer:
            return bring_in.store_with(writer)
    except (OSError, duckdb.Error) as reason:
        raise _translated(full_name, reason, store_folder) from None


@dataclass(frozen=True)
class _Intake:
    """One import: what was asked for, and its two ways."""

    register: Register
    table_name: str
    files: Sequence[Path]
    as_of: date
    key: Key | None
    accept_withdrawn: bool
    progress: Progress

    @property
    def full_name(self) -> str:
        return f"{self.register.name}.{self.table_name}"

    def try_out(self, store: Store) -> Import:
        """Check the delivery beside the store."""
        with private_folder() as folder, self._delivery(store, folder) as delivery:
            self._refuse_withdrawn(store, delivery)
            version = delivery.check("dry-run", progress=self.progress)
            return Import(self.full_name, version, is_new=True, is_dry_run=True)

    def store_with(self, writer: Writer) -> Import:
        """Check the delivery and put it in its place."""
        known = writer.store.catalogue.tables.get(self.full_name, ())
        with self._delivery(writer.store, writer.staging) as delivery:
            if known and known[-1].key == delivery.key:
                return Import(self.full_name, known[-1], is_new=False)
            self._refuse_withdrawn(writer.store, delivery)
            name = writer.next_name(self.full_name)
            checked = delivery.check(name, progress=self.progress)
            files_folder, version = delivery.write(checked, progress=self.progress)
        self.progress("putting the version in its place")
        fingerprint = self.key.fingerprint if self.key else None
        writer.add_version(self.full_name, files_folder, version, key_fingerprint=fingerprint)
        return Import(self.full_name, version, is_new=True)

    @contextmanager
    def _delivery(self, store: Store, folder: Path) -> Iterator[Delivery]:
        if self.key:
            refuse_other_key(store, self.key)
        around = Surroundings(
            self.as_of, self.key, population_of(self.register, self.table_name, store)
        )
        table = self.register.table(self.table_name)
        with delivery_of(self.full_name, table, self.files, around, folder=folder) as delivery:
            yield delivery

    def _refuse_withdrawn(self, store: Store, delivery: Delivery) -> None:
        """Files that held persons who left would bring them back."""
        left = {
            sum_: stone.removed_at
            for stone in store.catalogue.tombstones
            if stone.table == self.full_name and stone.what == "persons"
            for sum_ in stone.sources
        }
        found = [left[one] for one in delivery.sums if one in left]
        if found and not self.accept_withdrawn:
            raise DataError(
                f"{self.full_name}: this delivery held persons who were removed from the store on "
                f"{found[0]}; importing it again would bring them back. Ask the register for a new "
                "delivery without them. Or import it with --accept-withdrawn, and remove them "
                "again at once: workbench forget"
            )


def refuse_other_key(store: Store, key: Key) -> None:
    """Raise `StoreError` when a store's pseudonyms were made with another key.

    Pseudonyms of two keys never meet: one person would be two.
    """
    made_with = store.catalogue.key_fingerprint
    if made_with in {None, key.fingerprint}:
        return
    if made_with == demonstration_key().fingerprint:
        raise StoreError(
            f"The store {store.folder} holds invented persons, made with the public demonstration "
            "key. Real persons need a store of their own: add --store FOLDER."
        )
    if key.is_demonstration:
        raise StoreError(
            f"The store {store.folder} holds persons under a secret key; invented persons, made "
            "with the public demonstration key, need a store of their own: add --store FOLDER."
        )
    raise StoreError(
        f"The store {store.folder} was made with another key than that of {key.origin}. Persons "
        "could not be linked. Use the key it was made with, or import everything into a new store "
        "with this one: add --store FOLDER. See docs/identity.md."
    )


def _no_key(full_name: str, table: Table) -> KeyFault:
    return KeyFault(
        f"{full_name} declares identity numbers ({', '.join(identities(table))}), which become "
        "pseudonyms, and there is no key to make them with. Make one, once, and keep a copy in a "
        "safe place: workbench new key"
    )


def _translated(full_name: str, reason: Exception, store_folder: Path) -> DataError | RunError:
    """The engine's own words may quote a value; the kind of fault is enough."""
    text = str(reason)
    if getattr(reason, "errno", None) in NO_ROOM or any(words in text for words in NO_ROOM_WORDS):
        return RunError(
            f"{full_name} could not be written: the disk of {store_folder} is full. Nothing has "
            "changed. Make room and import again."
        )
    if isinstance(reason, duckdb.OutOfMemoryException):
        return RunError(f"{full_name}: the import ran out of memory. Nothing has changed.")
    if isinstance(reason, OSError):
        where = reason.filename or store_folder
        return DataError(f"{full_name}: {reason.strerror} ({where}). Nothing has changed.")
    kind = type(reason).__name__
    return DataError(
        f"{full_name}: the engine could not read or check the delivery ({kind}). Nothing has "
        "changed. Try the files one by one, and report this if one fails by itself."
    )
