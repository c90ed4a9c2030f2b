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
from datetime import UTC, date, datetime
from importlib.metadata import version as installed_version
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from workbench.data.extracts import Extract
from workbench.data.faults import MISFIT, describe_faults, find_faults, find_notes, refuse_identity
from workbench.data.readers import read_extract
from workbench.data.row_names import RowNames
from workbench.data.sql import file_to_write, identifier, literal
from workbench.data.store import ROWS, SET_ASIDE, Source, Version
from workbench.data.typed import make_delivered, make_typed
from workbench.errors import DataError, gathered
from workbench.registers.schema import Table

MEMORY = "1GB"
Progress = Callable[[str], None]


@contextmanager
def delivery_of(
    full_name: str, table: Table, files: Sequence[Path], *, as_of: date, folder: Path
) -> Iterator[Delivery]:
    """A delivery with an engine session of its own, which spills into `folder`."""
    with duckdb.connect() as engine:
        engine.execute(f"set memory_limit = '{MEMORY}'")
        engine.execute(f"set temp_directory = {literal(str(folder / 'spill'))}")
        yield Delivery(engine, full_name, table, files, as_of=as_of, folder=folder)


class Delivery:
    """The files of one delivery on their way into the store; made by `delivery_of`."""

    def __init__(
        self,
        engine: duckdb.DuckDBPyConnection,
        full_name: str,
        table: Table,
        files: Sequence[Path],
        *,
        as_of: date,
        folder: Path,
    ) -> None:
        self._engine = engine
        self.full_name = full_name
        self.table = table
        self.files = files
        self.as_of = as_of
        self.folder = folder
        self._typed_file = folder / "typed.parquet"
        for file in files:
            if not file.is_file():
                raise DataError(f"{file}: there is no such file.")
        self._sums = [sha256_of(file) for file in files]
        if len(set(self._sums)) < len(self._sums):
            raise DataError(f"{full_name}: two of the files are the same. Name each file once.")
        self.definition_sha256 = hashlib.sha256(table.model_dump_json().encode()).hexdigest()
        # The same key again changes nothing in the store.
        self.key = hashlib.sha256(
            json.dumps([*self._sums, self.definition_sha256]).encode()
        ).hexdigest()

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
        make_delivered(self._engine, extracts)
        make_typed(self._engine, self.full_name, self.table, extracts, self._typed_file)
        faults = find_faults(self._engine, self.table, self._names, as_of=self.as_of)
        refuse_identity(self._engine, self.full_name, self.table, self._names)
        n_aside = self._count("select count(distinct _place) from faults") + n_misfits
        first_date, last_date = self._period()
        left_out = dict.fromkeys(name for extract in extracts for name in extract.strangers)
        version = Version(
            name=name,
            key=self.key,
            imported_at=datetime.now(UTC).isoformat(timespec="seconds"),
            as_of=self.as_of,
            sources=self._sources(extracts),
            definition_sha256=self.definition_sha256,
            definition=self.table,
            n_rows_read=n_read,
            n_rows_kept=n_read - n_aside,
            n_rows_set_aside=n_aside,
            faults=faults,
            notes=find_notes(self._engine, self.table, self._names),
            columns_left_out=tuple(left_out),
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
            faulty = "(select _place from faults)"
            self._copy(  # in order, since a row is known by its place
                f"select * exclude (_place) from typed where _place not in {faulty} "
                "order by _place",
                rows,
            )
        else:
            self._typed_file.rename(rows)
        self._write_set_aside(version_folder / SET_ASIDE)
        counted = [pq.read_metadata(version_folder / part).num_rows for part in (ROWS, SET_ASIDE)]
        if counted != [version.n_rows_kept, version.n_rows_set_aside]:
            raise AssertionError("rows kept and rows set aside do not add up to the rows read")
        return version_folder, version.model_copy(update={"rows_sha256": sha256_of(rows)})

    def _write_set_aside(self, file: Path) -> None:
        """The rows set aside as they were delivered, each with its reasons."""
        reason = "rule || ': ' || column_name"
        faulty = self._engine.execute(
            f"select _place, list(distinct {reason} order by {reason}) as _reasons "
            "from faults group by _place order by _place"
        ).to_arrow_table()
        rows = pa.array(self._names.of_places(faulty["_place"].to_pylist()), pa.string())
        misfits = [
            {"_row": row, "_reasons": [MISFIT], "_line": misfit.text}
            for row, misfit in self._names.of_misfits()
        ]
        told = [("_row", pa.string()), ("_reasons", pa.list_(pa.string())), ("_line", pa.string())]
        self._engine.register("faulty", faulty.append_column("_row", rows))
        self._engine.register("misfits", pa.Table.from_pylist(misfits, schema=pa.schema(told)))
        delivered = ", ".join(f"delivered.{identifier(name)}" for name in self.table.variables)
        source = "delivered" if len(faulty) else "(select 0 as _place, * from fitting limit 0)"
        self._copy(
            "select * from ("
            f"select _row, _reasons, null::varchar as _line, {delivered} "
            f"from faulty join {source} as delivered using (_place) order by _place) "
            "union all by name from misfits",
            file,
        )

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
            for file, total, extract in zip(self.files, self._sums, extracts, strict=True)
        )

    def _copy(self, query: str, place: Path) -> None:
        self._engine.execute(f"copy ({query}) to {file_to_write(place)} (format parquet)")

    def _count(self, query: str) -> int:
        return int(self._engine.execute(query).fetchall()[0][0])


def sha256_of(file: Path) -> str:
    """The SHA-256 sum of a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
