"""What a store knows of itself: every version of every table, and what was removed for good.

Records hold counts, names and sums, and nobody's values. A catalogue of an older workbench is read
as it is; what it did not know of has its default.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from workbench.registers.schema import Table

# Raised when an older workbench could no longer read the store. 2: keys, removed persons.
FORMAT = 2


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Record):
    """A file that was imported."""

    name: str
    sha256: str
    n_bytes: int
    n_rows: int
    read_as: str


class Fault(_Record):
    """A rule that rows broke: counted, with the first row numbers, without values."""

    rule: str
    column: str
    n_rows: int
    first_rows: tuple[str, ...]


class Version(_Record):
    """One import of a table: what came, what was kept, what was set aside and why."""

    name: str
    key: str  # of source files and definition: the same key again changes nothing
    imported_at: str
    as_of: date
    sources: tuple[Source, ...]
    definition_sha256: str
    definition: Table
    n_rows_read: int  # kept + set aside; rows of persons who left since are not among them
    n_rows_kept: int
    n_rows_set_aside: int
    faults: tuple[Fault, ...]
    notes: tuple[Fault, ...]
    columns_left_out: tuple[str, ...]
    first_date: date | None
    last_date: date | None
    rows_sha256: str
    workbench_version: str
    free_text_left_out: tuple[str, ...] = ()  # variables that the definition says to leave out
    not_checked: tuple[str, ...] = ()  # checks that could not be made, in words
    n_rows_removed: int = 0  # rows of persons who left
    folder: str = ""  # where its files lie, when that is no longer the folder of its name

    @property
    def place(self) -> str:
        """The name of the folder that holds the version's files."""
        return self.folder or self.name


class Tombstone(_Record):
    """That something was removed for good: when, how much and why, and of nobody in particular."""

    table: str
    version: str
    what: Literal["persons", "version"]
    removed_at: str
    reason: str
    n_rows_kept: int  # how many of the rows removed had been kept
    n_rows_set_aside: int
    rows_sha256: str  # of the rows as they were before: by this, runs are found that used them
    sources: tuple[str, ...]  # sums of the files that held what was removed


class Catalogue(_Record):
    """Everything the store holds, in the order it came."""

    format: int = FORMAT
    tables: dict[str, tuple[Version, ...]] = Field(default_factory=dict)
    key_fingerprint: str | None = None  # of the key that made the pseudonyms; not the key
    tombstones: tuple[Tombstone, ...] = ()

    def next_name(self, table: str) -> str:
        """The name of a table's next version; one that was removed is never given again."""
        names = [version.name for version in self.tables.get(table, ())]
        names += [one.version for one in self.tombstones if one.table == table]
        return f"v{max((int(name[1:]) for name in names), default=0) + 1:04d}"
