"""Read an extract of any kind into one form: a relation in which every value is text.

The checks then meet the same thing whatever the register delivered: CSV in any delimiter and
encoding, Parquet, Excel, SAS, SPSS or Stata. Nothing is converted silently: bytes that no encoding
explains refuse the file, and a CSV line with the wrong number of fields is counted and kept apart.
This module is the only door to pyreadstat and openpyxl.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from datetime import date, datetime
from itertools import chain
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat

from workbench.data import delimited
from workbench.data.engine import engine_session
from workbench.data.extracts import Extract, places, survey_of
from workbench.data.headers import match_headers
from workbench.data.sql import file_to_read, file_to_write, identifier
from workbench.data.staging import next_place, private_folder
from workbench.errors import DataError, did_you_mean
from workbench.registers.schema import Table

CHUNK_ROWS = 100_000
DELIMITED = (".csv", ".tsv", ".txt")
STATISTICAL: dict[str, Callable[..., Any]] = {
    ".sas7bdat": pyreadstat.read_sas7bdat,
    ".xpt": pyreadstat.read_xport,
    ".sav": pyreadstat.read_sav,
    ".zsav": pyreadstat.read_sav,
    ".por": pyreadstat.read_por,
    ".dta": pyreadstat.read_dta,
}
KINDS = (*DELIMITED, ".parquet", ".xlsx", *STATISTICAL)
WHOLE_ONLY = (".xpt", ".por")  # these cannot be read in chunks: they do not say how long they are
XPORT_RECORD = 80  # bytes; a transport file is a whole number of records
Progress = Callable[[str], None]


def read_extract(file: Path, table: Table, *, staging: Path, progress: Progress) -> Extract:
    """Read one extract into `staging`; raise `DataError` when it cannot be read whole."""
    kind = kind_of(file)
    progress(f"reading {file.name}")
    if kind in DELIMITED:
        return delimited.read(file, table, staging=staging)
    staged = next_place(staging, ".parquet")
    headers = _stage(file, staged, sheet=table.delivery.sheet)
    found, strangers = match_headers(headers, table, where=str(file))
    named = places(headers)
    columns = {name: named[place] for name, place in found.items()}
    relation = f"read_parquet({file_to_read(staged)})"
    with engine_session(staging) as engine:
        survey = survey_of(engine, relation, columns, table)
    return Extract(
        relation=relation,
        columns=columns,
        strangers=strangers,
        survey=survey,
        misfits=(),
        is_delimited=False,
        how=f"{kind.removeprefix('.')} file",
    )


def kind_of(file: Path) -> str:
    """The kind of a file by its ending; raise `DataError` when it cannot be read at all."""
    kind = file.suffix.lower()
    if not file.is_file():
        raise DataError(f"{file}: there is no such file.")
    if kind not in KINDS:
        shown = f'files of kind "{kind}"' if kind else "files without an ending"
        raise DataError(f"{file}: {shown} cannot be read.{did_you_mean(kind, KINDS)}")
    if file.stat().st_size == 0:
        raise DataError(f"{file} is empty: there is not even a header line.")
    return kind


def sample_rows(file: Path, n_rows: int) -> tuple[list[str], pd.DataFrame]:
    """The headers and first rows of a file that is not delimited text, as text."""
    with private_folder() as folder:
        staged = folder / "rows.parquet"
        headers = _stage(file, staged, sheet=None)
        return headers, pq.read_table(staged).slice(0, n_rows).to_pandas()


def _stage(file: Path, staged: Path, *, sheet: str | None) -> list[str]:
    """Write a file's rows as text into `staged`; give its headers."""
    kind = kind_of(file)
    if kind == ".parquet":
        return _stage_parquet(file, staged)
    chunks = _excel_chunks(file, sheet) if kind == ".xlsx" else _statistical_chunks(file, kind)
    with closing(chunks):
        headers, first = next(chunks)
        if not headers:
            raise DataError(f"{file} holds no columns.")
        schema = pa.schema([(name, pa.string()) for name in places(headers)])
        with pq.ParquetWriter(staged, schema, compression="lz4") as writer:
            for columns in chain([first], (columns for _, columns in chunks)):
                arrays = [pa.array(column, pa.string()) for column in columns]
                writer.write_table(pa.table(arrays, schema=schema))
    return headers


def _stage_parquet(file: Path, staged: Path) -> list[str]:
    source = f"read_parquet({file_to_read(file)})"
    with engine_session(staged.parent) as engine:
        try:
            described = engine.execute(f"describe from {source}").fetchall()
            headers = pq.read_schema(file).names  # the engine renames double ones
            columns = [
                f"{_text_sql(identifier(name), kind)} as {identifier(place)}"
                for (name, kind, *_), place in zip(described, places(headers), strict=True)
            ]
            engine.execute(
                f"copy (select {', '.join(columns)} from {source}) to {file_to_write(staged)} "
                "(format parquet, compression lz4)"
            )
        except (duckdb.InvalidInputException, pa.ArrowInvalid):
            raise DataError(f"{file} is not a whole Parquet file. Fetch it again.") from None
    return headers


def _text_sql(column: str, kind: str) -> str:
    if kind in {"DOUBLE", "FLOAT"}:  # whole numbers stored as floating ones: 3, not 3.0
        whole = f"isfinite({column}) and {column} = floor({column}) and abs({column}) < 1e15"
        return (
            f"case when {whole} then {column}::bigint::varchar "
            f"when isnan({column}) then null else {column}::varchar end"
        )
    if kind == "TIMESTAMP WITH TIME ZONE":  # the engine would show it in this machine's zone
        return f"make_timestamp(epoch_us({column}))::varchar"
    return f"{column}::varchar"


# Headers, and the columns of some rows as text.
Chunks = Generator[tuple[list[str], list[Any]], None, None]


def _excel_chunks(file: Path, wanted_sheet: str | None) -> Chunks:
    try:
        import openpyxl  # here: few extracts are Excel files, and it takes its time to load

        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
    except Exception:  # openpyxl has no error family of its own; its texts may quote cells
        raise DataError(f"{file} is not a whole Excel file. Save it again as .xlsx.") from None
    with closing(book):
        names = [sheet.title for sheet in book.worksheets]
        name = wanted_sheet or names[0]
        if name not in names:
            raise DataError(f'{file} has no sheet "{name}".{did_you_mean(name, names)}')
        book[name].reset_dimensions()  # what a file says of its size is often wrong
        with closing(_excel_rows(file, book[name])) as rows:
            yield from _excel_table(f'{file}, sheet "{name}"', rows)


def _excel_table(where: str, rows: Iterator[list[str | None]]) -> Chunks:
    headers = [cell or "" for cell in next(rows, [])]
    while headers and not headers[-1].strip():
        headers.pop()
    if not headers:
        raise DataError(f"{where}: the first row holds no headers.")
    values: list[list[str | None]] = []
    for cells in rows:
        if any(cell is not None for cell in cells[len(headers) :]):
            raise DataError(f"{where}: there are values to the right of the last header.")
        if any(cell is not None for cell in cells):
            values.append([*cells[: len(headers)], *[None] * (len(headers) - len(cells))])
        if len(values) == CHUNK_ROWS:
            yield headers, list(zip(*values, strict=True))
            values = []
    yield headers, list(zip(*values, strict=True)) or [()] * len(headers)


def _excel_rows(file: Path, sheet: Any) -> Generator[list[str | None], None, None]:
    try:
        with closing(sheet.iter_rows(values_only=True)) as rows:
            for row in rows:
                yield [_cell_text(cell) for cell in row]
    except Exception:  # as above: any error of a damaged file, in words that may quote cells
        raise DataError(f"{file} is not a whole Excel file. Save it again as .xlsx.") from None


def _statistical_chunks(file: Path, kind: str) -> Chunks:
    read = STATISTICAL[kind]
    if kind == ".xpt" and file.stat().st_size % XPORT_RECORD:
        raise DataError(f"{file} is cut off: it ends within a record. Fetch it again.")
    n_read = 0
    try:
        _, about = read(str(file), metadataonly=True)
        headers = list(about.column_names)
        if kind in WHOLE_ONLY:
            chunks: Any = [read(str(file))]
        else:
            chunks = pyreadstat.read_file_in_chunks(read, str(file), chunksize=CHUNK_ROWS)
        for chunk, _ in chunks:
            n_read += len(chunk)
            yield headers, [_column_text(chunk.iloc[:, at]) for at in range(len(headers))]
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, ValueError):
        raise DataError(
            f"{file} is damaged or cut off, or not of the kind its name says. Fetch it again."
        ) from None
    if about.number_rows is not None and about.number_rows != n_read:
        raise DataError(
            f"{file} is cut off: it says it holds {about.number_rows} rows, {n_read} could be "
            "read. Fetch it again."
        )
    if not n_read:
        yield headers, [()] * len(headers)


def _column_text(values: pd.Series) -> list[str | None]:
    """A column as text; whole floating numbers without decimals, dates as ISO."""
    return [_cell_text(cell) for cell in values.astype(object).where(values.notna(), None)]


def _cell_text(cell: object) -> str | None:
    if cell is None or cell is pd.NaT:
        return None
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return str(cell)
