"""One delivery of a table: its files staged as text, judged row by row, written in two parts.

Rows read = rows kept + rows set aside; the two parts are counted apart and compared before
anything reaches the store. Faults are told per rule and column, with row numbers counted in the
file from 1, the first row after the header; blank lines are no rows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.metadata import version as installed_version
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from workbench.data.engine import engine_session
from workbench.data.extracts import Extract
from workbench.data.faults import describe_faults, find_faults, find_notes
from workbench.data.keys import Key
from workbench.data.ordered import copy_without
from workbench.data.population import NOT_CHECKED, NotChecked, Population, add_notes
from workbench.data.pseudonyms import give_key
from workbench.data.readers import read_extract
from workbench.data.row_names import RowNames
from workbench.data.set_aside import set_aside_query
from workbench.data.sql import file_to_write, identifier
from workbench.data.store import ROWS, SET_ASIDE, Source, Version
from workbench.data.sums import sha256_of
from workbench.data.typed import make_delivered, make_typed
from workbench.data.undeclared import refuse_identity, refuse_real_numbers
from workbench.errors import DataError, gathered
from workbench.registers.schema import Table

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Surroundings:
    """What a delivery is judged by besides its definition."""

    as_of: date
    key: Key | None = None
    population: Population | NotChecked | None = None


@contextmanager
def delivery_of(
    full_name: str, table: Table, files: Sequence[Path], around: Surroundings, *, folder: Path
) -> Iterator[Delivery]:
    """A delivery with an engine session of its own, which spills into `folder`."""
    with engine_session(folder) as engine:
        if around.key:
            give_key(engine, around.key)
        yield Delivery(engine, full_name, table, files, around, folder=folder)


class Delivery:
    """The files of one delivery on their way into the store; made by `delivery_of`."""

    def __init__(
        self,
        engine: duckdb.DuckDBPyConnection,
        full_name: str,
        table: Table,
        files: Sequence[Path],
        around: Surroundings,
        *,
        folder: Path,
    ) -> None:
        self._engine = engine
        self.full_name = full_name
        self.definition = table
        self.table = table.without_left_out()
        self.files = files
        self.around = around
        self.folder = folder
        self._typed_file = folder / "typed.parquet"
        for file in files:
            if not file.is_file():
                raise DataError(f"{file}: there is no such file.")
        self.sums = [sha256_of(file) for file in files]
        if len(set(self.sums)) < len(self.sums):
            raise DataError(f"{full_name}: two of the files are the same. Name each file once.")
        self.definition_sha256 = hashlib.sha256(table.model_dump_json().encode()).hexdigest()
        self.key = self._key()

    def _key(self) -> str:
        """What the delivery is known by: the same key again changes nothing in the store.

        Whether it could be compared with the population register belongs to it, so that importing
        it again once that register has come makes up for the comparison.
        """
        parts = [*self.sums, self.definition_sha256]
        if self.around.population is not None:
            parts.append(type(self.around.population).__name__)
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def check(self, name: str, *, progress: Progress) -> Version:
        """Read and judge the delivery; raise `DataError` when it must be refused."""
        extracts = [
            read_extract(file, self.table, staging=self.folder, progress=progress)
            for file in self.files
        ]
        n_misfits = sum(len(extract.misfits) for extract in extracts)
        n_read = sum(extract.n_rows for extract in extracts) + n_misfits
        if n_read == 0:
            raise DataError(f"{self.full_name}: the delivery has headers but no rows.")
        progress("checking rows")
        self._names = RowNames([file.name for file in self.files], extracts)
        as_of = self.around.as_of
        make_delivered(self._engine, extracts)
        make_typed(
            self._engine, self.full_name, self.table, extracts, self._typed_file, as_of=as_of
        )
        if self.around.key and self.around.key.is_demonstration:
            refuse_real_numbers(self._engine, self.full_name, self.table)
        faults = find_faults(self._engine, self.table, self._names, as_of=as_of)
        refuse_identity(self._engine, self.full_name, self.table, self._names, as_of=as_of)
        n_aside = self._count("select count(distinct _place) from faults") + n_misfits
        self._n_fitting = n_read - n_misfits
        not_checked = self._compare_with_population(progress)
        first_date, last_date = self._period()
        left_out, free_text = self._left_out(extracts)
        version = Version(
            name=name,
            key=self.key,
            imported_at=datetime.now(UTC).isoformat(timespec="seconds"),
            as_of=as_of,
            sources=self._sources(extracts),
            definition_sha256=self.definition_sha256,
            definition=self.definition,
            n_rows_read=n_read,
            n_rows_kept=n_read - n_aside,
            n_rows_set_aside=n_aside,
            faults=faults,
            notes=find_notes(self._engine, self.table, self._names),
            columns_left_out=left_out,
            free_text_left_out=free_text,
            not_checked=not_checked,
            first_date=first_date,
            last_date=last_date,
            rows_sha256="",  # known when the rows are written
            workbench_version=installed_version("register-workbench"),
        )
        self._refuse_too_many(version)
        return version

    def write(self, version: Version, *, progress: Progress) -> tuple[Path, Version]:
        """Write the rows kept and the rows set aside into a folder of their own."""
        progress("writing rows")
        version_folder = self.folder / "version"
        version_folder.mkdir()
        rows = version_folder / ROWS
        if version.n_rows_set_aside:
            self._write_kept(rows)
        else:
            self._typed_file.rename(rows)
        query = set_aside_query(
            self._engine,
            self.table,
            self._names,
            n_rows=self._n_fitting,
            as_of=self.around.as_of,
        )
        self._copy(query, version_folder / SET_ASIDE)
        counted = [pq.read_metadata(version_folder / part).num_rows for part in (ROWS, SET_ASIDE)]
        if counted != [version.n_rows_kept, version.n_rows_set_aside]:
            raise AssertionError("rows kept and rows set aside do not add up to the rows read")
        return version_folder, version.model_copy(update={"rows_sha256": sha256_of(rows)})

    def _write_kept(self, file: Path) -> None:
        """The typed rows without faulty ones."""
        copy_without(
            self._engine,
            self._typed_file,
            list(self.table.variables),
            "select distinct _place from faults",
            n_rows=self._n_fitting,
            to=file,
        )

    def _compare_with_population(self, progress: Progress) -> tuple[str, ...]:
        """Note histories that cannot be; give what could not be checked, in words."""
        match self.around.population:
            case Population() as population:
                progress("comparing with the population register")
                return add_notes(self._engine, self.table, population)
            case NotChecked(because=because):
                return (NOT_CHECKED + because,)
        return ()

    def _left_out(self, extracts: Sequence[Extract]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Columns that are not stored: unknown to the definition, and left out by it."""
        dropped = [name for name in self.definition.variables if name not in self.table.variables]
        headers = {self.definition.header_of(name).strip().casefold() for name in dropped}
        strangers = dict.fromkeys(name for extract in extracts for name in extract.strangers)
        unknown = tuple(name for name in strangers if name.casefold() not in headers)
        return unknown, tuple(dropped)

    def _period(self) -> tuple[date | None, date | None]:
        """The first and the last date of the rows kept."""
        if self.table.dated_by is None:
            return None, None
        name = identifier(self.table.dated_by)
        ((first, last),) = self._engine.execute(
            f"select min({name}), max({name}) from typed "
            "where _place not in (select _place from faults)"
        ).fetchall()
        return first, last

    def _refuse_too_many(self, version: Version) -> None:
        limit = self.table.set_aside_limit
        share = version.n_rows_set_aside / version.n_rows_read
        if version.n_rows_kept and share <= limit:
            return
        raise DataError(
            gathered(
                f"{self.full_name} is refused: {version.n_rows_set_aside} of "
                f"{version.n_rows_read} rows ({share:.1%}) are faulty, more than the "
                f"{100 * limit:.4g}% that may be set aside. Nothing was stored.",
                describe_faults(version.faults),
            )
            + "\nMend the file or the definition. The limit is the table's set_aside_limit."
        )

    def _sources(self, extracts: Sequence[Extract]) -> tuple[Source, ...]:
        return tuple(
            Source(
                name=file.name,
                sha256=total,
                n_bytes=file.stat().st_size,
                n_rows=extract.n_rows + len(extract.misfits),
                read_as=extract.how,
            )
            for file, total, extract in zip(self.files, self.sums, extracts, strict=True)
        )

    def _copy(self, query: str, place: Path) -> None:
        self._engine.execute(f"copy ({query}) to {file_to_write(place)} (format parquet)")

    def _count(self, query: str) -> int:
        return int(self._engine.execute(query).fetchall()[0][0])
