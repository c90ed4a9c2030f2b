"""The store: one folder a table, every version kept, a catalogue that says what holds.

A version is a folder that is never changed once it has its name. Writing goes: files into a
staging folder, the folder renamed into its place, the catalogue replaced. A writer that is killed
between these leaves the old version in force; what it left behind is swept by the next writer.
Readers need no lock: they read the catalogue once and then files that nobody changes.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from workbench.data.catalogue import FORMAT, Catalogue, Fault, Source, Tombstone, Version
from workbench.data.sql import only_this
from workbench.errors import StoreError, did_you_mean

if TYPE_CHECKING:
    import ibis
    from ibis.backends.duckdb import Backend

__all__ = [
    "CATALOGUE", "FORMAT", "ROWS", "SET_ASIDE", "Catalogue", "Fault", "Source", "Store",
    "Tombstone", "Version", "Writer", "open_store", "sweep_leftovers", "writing",
]  # fmt: skip
CATALOGUE = "catalogue.json"
ROWS = "rows.parquet"
SET_ASIDE = "set_aside.parquet"
VERSIONS = "*/*/v[0-9]*"  # register, table, version
# Long enough for a command that only sweeps to be done, too short to wait for an import.
PATIENCE_SECONDS = 1.0


@dataclass(frozen=True)
class Store:
    """A store as it stood when it was opened."""

    folder: Path
    catalogue: Catalogue

    def version(self, table: str) -> Version:
        """The newest version of `register.table`; an unknown name names the nearest."""
        versions = self.catalogue.tables.get(table)
        if not versions:
            raise StoreError(
                f'The store holds no table "{table}".{did_you_mean(table, self.catalogue.tables)} '
                f"Bring it in with: workbench import {table} FILE"
            )
        return versions[-1]

    def pinned(self, versions: Mapping[str, str]) -> Store:
        """The same store showing only the named version of each table, so that a run reads it."""
        tables = {
            table: tuple(one for one in self.catalogue.tables.get(table, ()) if one.name == name)
            for table, name in versions.items()
        }
        return Store(self.folder, self.catalogue.model_copy(update={"tables": tables}))

    def file(self, table: str, version: Version, name: str = ROWS) -> Path:
        """Where a version's rows, or its rows set aside, lie."""
        path = self.folder / table.replace(".", "/") / version.place / name
        if not path.is_file():
            raise StoreError(
                f"The store is damaged: {path.relative_to(self.folder)} is missing. Restore it "
                "from a backup, or move the store's folder away and import again."
            )
        return path

    def rows(self, table: str, *, on: Backend | None = None) -> ibis.Table:
        """The rows of a table's newest version, lazily, on the embedded engine.

        Tables that are joined must be read `on` one engine. `row_id` is a row's place in the
        version, from 1: what stands for a person where a register delivers no identity.
        """
        import ibis  # here: it takes half a second, and whoever only writes need not wait

        path = self.file(table, self.version(table))
        engine = on or ibis.duckdb.connect()
        rows = engine.read_parquet(only_this(path), file_row_number=True)
        return rows.mutate(row_id=rows.file_row_number + 1).drop("file_row_number")


def open_store(folder: Path) -> Store:
    """Read the catalogue; a folder that does not exist is an empty store.

    Raises `StoreError` when the store is damaged or was made by a newer workbench.
    """
    path = folder / CATALOGUE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        made_by = content["format"]
        if made_by > FORMAT:
            raise StoreError(
                f"{folder} was made by a newer workbench (format {made_by}; this one reads "
                f"{FORMAT}). Update the workbench."
            )
        return Store(folder, Catalogue.model_validate(content))
    except FileNotFoundError:
        if any(folder.glob(VERSIONS)):  # without this, the next writer would sweep them
            raise _damaged(path, "is missing, while versions of tables are there") from None
        return Store(folder, Catalogue())
    except OSError as reason:
        raise StoreError(f"{path} cannot be read: {reason.strerror}.") from None
    except (ValueError, KeyError, TypeError):  # ValidationError is a ValueError
        raise _damaged(path, "is damaged") from None


def _damaged(path: Path, what: str) -> StoreError:
    return StoreError(
        f"{path} {what}. Restore it from a backup, or move the folder away and import again."
    )


class Writer:
    """The one writer of a store; made by `writing`."""

    def __init__(self, folder: Path) -> None:
        self.store = open_store(folder)
        self.staging = Path(mkdtemp(prefix=".staging-", dir=folder))

    def add_version(
        self, table: str, files: Path, version: Version, *, key_fingerprint: str | None = None
    ) -> None:
        """Put a finished folder of files in its place and tell the catalogue."""
        self._place(table, files, version)
        known = self.store.catalogue
        tables = {**known.tables, table: (*known.tables.get(table, ()), version)}
        update = {"tables": tables, "key_fingerprint": key_fingerprint or known.key_fingerprint}
        self._tell(known.model_copy(update=update))

    def replace(self, catalogue: Catalogue, files: Mapping[str, Mapping[str, Path]]) -> None:
        """Put new files of versions in place, tell the catalogue, and remove what it tells no more.

        `files` holds a folder of files for each table and version name that got a new place. Until
        the catalogue is replaced all is as it was, after that all is new; what a writer killed in
        between leaves is swept by the next one.
        """
        for table, folders in files.items():
            for version in catalogue.tables[table]:
                if version.name in folders:
                    self._place(table, folders[version.name], version)
        self._tell(catalogue)
        _sweep_versions(self.store.folder, catalogue)

    def _place(self, table: str, files: Path, version: Version) -> None:
        _to_disk(files)
        place = self.store.folder
        for name in table.split("."):
            place = place / name
            place.mkdir(exist_ok=True, mode=0o700)
            _sync_folder(place.parent)
        _move_into_place(files, place / version.place)

    def _tell(self, catalogue: Catalogue) -> None:
        current = catalogue.model_copy(update={"format": FORMAT})
        _write_catalogue(self.store.folder / CATALOGUE, current)
        self.store = Store(self.store.folder, current)

    def next_name(self, table: str) -> str:
        """The name of a table's next version."""
        return self.store.catalogue.next_name(table)


@contextmanager
def writing(folder: Path) -> Iterator[Writer]:
    """Open a store for writing; a second writer is told to wait.

    The lock is the operating system's, so that it goes with a writer that is killed. What such a
    writer left is swept first.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    lock = _lock_of(folder)
    try:
        lock.acquire(timeout=PATIENCE_SECONDS)
    except Timeout:
        raise StoreError(
            f"{folder} is being written by another import. Try again when it is done."
        ) from None
    try:
        catalogue = open_store(folder).catalogue
        _sweep(folder, catalogue)
        if not (folder / CATALOGUE).exists():
            _write_catalogue(folder / CATALOGUE, catalogue)
        writer = Writer(folder)
        try:
            yield writer
        finally:
            shutil.rmtree(writer.staging, ignore_errors=True)
    finally:
        lock.release()


def sweep_leftovers(folder: Path) -> None:
    """Remove what a killed writer left, which may hold identity numbers, unless one is at work.

    A store that cannot be written, or whose catalogue cannot be read, is left as it is.
    """
    if not any(folder.glob(".staging-*")):
        return
    lock = _lock_of(folder)
    try:
        lock.acquire(timeout=0)
    except (Timeout, OSError):
        return
    try:
        _sweep(folder, open_store(folder).catalogue)
    except (StoreError, OSError):
        return
    finally:
        lock.release()


def _lock_of(folder: Path) -> FileLock:
    return FileLock(folder / ".lock", mode=0o600)


def _move_into_place(files: Path, place: Path) -> None:
    files.rename(place)
    _sync_folder(place.parent)


def _write_catalogue(path: Path, catalogue: Catalogue) -> None:
    new = path.with_suffix(".new")
    with new.open("w", encoding="utf-8") as stream:
        stream.write(catalogue.model_dump_json(indent=1))
        stream.flush()
        os.fsync(stream.fileno())
    new.chmod(0o600)
    new.replace(path)
    _sync_folder(path.parent)


def _to_disk(folder: Path) -> None:
    """Wait until the files are on disk: a rename must never outlive what it names."""
    for path in folder.iterdir():
        path.chmod(0o600)
        with path.open("rb+") as stream:
            os.fsync(stream.fileno())
    folder.chmod(0o700)
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":  # Windows cannot open a folder; NTFS journals the rename itself
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sweep(folder: Path, catalogue: Catalogue) -> None:
    """Remove what a killed writer left: staging folders and versions nobody knows."""
    for left in [*folder.glob(".staging-*"), folder / "catalogue.new"]:
        shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink(missing_ok=True)
    _sweep_versions(folder, catalogue)


def _sweep_versions(folder: Path, catalogue: Catalogue) -> None:
    for place in folder.glob(VERSIONS):
        table = f"{place.parent.parent.name}.{place.parent.name}"
        if place.name not in {version.place for version in catalogue.tables.get(table, ())}:
            shutil.rmtree(place)
