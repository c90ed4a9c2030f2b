"""Bring an extract into the store: check it, set faulty rows aside, put the version in its place.

A delivery is taken whole or refused whole: before the last step nothing in the store has changed.
No message, record or log holds a value.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from workbench.data.delivery import delivery_of
from workbench.data.store import Version, Writer, writing
from workbench.errors import DataError, RunError
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
    dry_run: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Import:
    """Check one delivery of a table, in one file or several, and put it into the store.

    `as_of` is the day the delivery is judged from: later dates lie in the future. `dry_run` only
    checks. Raises `DataError` when the delivery cannot be read or too many rows are faulty,
    `StoreError` when the store is locked or damaged, `RunError` when the disk is full; the store
    is then as it was.
    """
    table = register.table(table_name)
    full_name = f"{register.name}.{table_name}"
    _refuse_identity(full_name, table)
    try:
        if dry_run:
            with (
                TemporaryDirectory() as folder,
                delivery_of(
                    full_name, table, files, as_of=as_of, folder=Path(folder).resolve()
                ) as delivery,
            ):
                version = delivery.check("dry-run", progress=progress)
                return Import(full_name, version, is_new=True, is_dry_run=True)
        with writing(store_folder) as writer:
            return _import(writer, full_name, table, files, as_of=as_of, progress=progress)
    except (OSError, duckdb.Error) as reason:
        raise _translated(full_name, reason, store_folder) from None


def _import(
    writer: Writer,
    full_name: str,
    table: Table,
    files: Sequence[Path],
    *,
    as_of: date,
    progress: Callable[[str], None],
) -> Import:
    known = writer.store.catalogue.tables.get(full_name, ())
    with delivery_of(full_name, table, files, as_of=as_of, folder=writer.staging) as delivery:
        if known and known[-1].key == delivery.key:
            return Import(full_name, known[-1], is_new=False)
        checked = delivery.check(writer.next_name(full_name), progress=progress)
        files_folder, version = delivery.write(checked, progress=progress)
    progress("putting the version in its place")
    writer.add_version(full_name, files_folder, version)
    return Import(full_name, version, is_new=True)


def _refuse_identity(full_name: str, table: Table) -> None:
    identities = [name for name, one in table.variables.items() if one.sensitivity == "identity"]
    if identities:
        raise DataError(
            f"{full_name} declares identity numbers ({', '.join(identities)}). They must never "
            "reach the store, and pseudonymising is not built yet. Deliver a running number "
            "instead and declare it with sensitivity: pseudonym."
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
