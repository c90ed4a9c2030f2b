"""Read an extract of any kind into one form: a relation in which every value is text.

The checks then meet the same thing whatever the register delivered: CSV in any delimiter and
encoding, Parquet, Excel, SAS, SPSS or Stata. Nothing is converted silently: bytes that no encoding
explains refuse the file, and a CSV line with the wrong number of fields is counted and kept apart.
This module is the only door to pyreadstat and openpyxl.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat

from workbench.data import delimited
from workbench.data.headers import match_headers
from workbench.data.sql import identifier, literal
from workbench.errors import DataError, did_you_mean
from workbench.registers.schema import Table

CHUNK_ROWS = 100_000
STATISTICAL: dict[str, Callable[..., Any]] = {
    ".sas7bdat": pyreadstat.read_sas7bdat,
    ".xpt": pyreadstat.read_xport,
    ".sav": pyreadstat.read_sav,
    ".zsav": pyreadstat.read_sav,
    ".por": pyreadstat.read_por,
    ".dta": pyreadstat.read_dta,
}
KINDS = (".csv", ".tsv", ".txt", ".parquet", ".xlsx", *STATISTICAL)
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Extract:
    """An extract as text: how the engine reads it, and the lines that did not fit."""

    relation: str  # SQL: one text column a header of the file, in the order of the file
    columns: dict[str, str]  # variable -> column of the relation
    strangers: tuple[str, ...]  # headers the definition does not know; they are not stored
    n_rows: int  # rows that fit; the misfits are not among them
    n_values: dict[str, int]  # variable -> fields that are not empty
    misfits: tuple[delimited.Misfit, ...]  # lines with too many or too few fields
    how: str  # what was recognised, in words


def read_extract(file: Path, table: Table, *, staging: Path, progress: Progress) -> Extract:
    """Read one extract into `staging`; raise `DataError` when it cannot be read whole."""
    if not file.is_file():
        raise DataError(f"{file}: there is no such file.")
    if file.stat().st_size == 0:
        raise DataError(f"{file} is empty: there is not even a header line.")
    kind = file.suffix.lower()
    if kind not in KINDS:
        raise DataError(f'{file}: files of kind "{kind}" cannot be read.{did_you_mean(kind, KINDS)}')
    progress(f"reading {file.name}")
    if kind in {".csv", ".tsv", ".txt"}:
        return Extract(**vars(delimited.read(file, table, staging=staging)))
    staged = staging / f"{len(list(staging.iterdir()))}.parquet"
    if kind == ".parquet":
        headers, n_rows = _stage_parquet(file, staged)
    elif kind == ".xlsx":
        headers, n_rows = _stage(_excel_chunks(file, table.delivery.sheet), file, staged)
    else:
        headers, n_rows = _stage(_statistical_chunks(file, STATISTICAL[kind]), file, staged)
    columns, strangers = match_headers(headers, table, where=str(file))
    relation = f"read_parquet({literal(staged)})"
    n_values = _count_values(relation, columns)
    return Extract(relation, columns, strangers, n_rows, n_values, (), f"{kind.removeprefix('.')} file")


def sample_rows(file: Path, n: int) -> pd.DataFrame:
    """The first rows of a file that is not delimited text, as text, to look at its columns."""
    kind = file.suffix.lower()
    if kind == ".parquet":
        with TemporaryDirectory() as folder:
            _stage_parquet(file, Path(folder) / "rows.parquet")
            return pq.read_table(Path(folder) / "rows.parquet").slice(0, n).to_pandas()
    if kind == ".xlsx":
        return next(_excel_chunks(file, None)).head(n)
    return next(_statistical_chunks(file, STATISTICAL[kind])).head(n)


def _count_values(relation: str, columns: dict[str, str]) -> dict[str, int]:
    counts = ", ".join(f"count({identifier(column)})" for column in columns.values())
    with duckdb.connect() as engine:
        (counted,) = engine.execute(f"select {counts} from {relation}").fetchall()
    return dict(zip(columns, counted, strict=True))


def _stage(chunks: Iterator[pd.DataFrame], file: Path, staged: Path) -> tuple[list[str], int]:
    """Write text chunks one after another; the file's headers and number of rows."""
    headers: list[str] = []
    n_rows = 0
    writer = None
    try:
        for chunk in chunks:
            headers = headers or [str(name) for name in chunk.columns]
            schema = pa.schema([(name, pa.string()) for name in headers])
            writer = writer or pq.ParquetWriter(staged, schema, compression="lz4")
            writer.write_table(pa.Table.from_pandas(chunk, schema=schema, preserve_index=False))
            n_rows += len(chunk)
    finally:
        if writer is not None:
            writer.close()
    if not headers:
        raise DataError(f"{file} holds no columns.")
    return headers, n_rows


def _stage_parquet(file: Path, staged: Path) -> tuple[list[str], int]:
    with duckdb.connect() as engine:
        try:
            described = engine.execute(f"describe from read_parquet({literal(file)})").fetchall()
            columns = [f"{_as_text_sql(name, kind)} as {identifier(name)}" for name, kind, *_ in described]
            engine.execute(
                f"copy (select {', '.join(columns)} from read_parquet({literal(file)})) "
                f"to {literal(staged)} (format parquet, compression lz4)"
            )
        except duckdb.InvalidInputException:
            raise DataError(f"{file} is not a whole Parquet file. Fetch it again.") from None
    return [name for name, *_ in described], pq.read_metadata(staged).num_rows


def _as_text_sql(name: str, kind: str) -> str:
    column = identifier(name)
    if kind in {"DOUBLE", "FLOAT"}:  # whole numbers stored as floating ones: 3, not 3.0
        whole = f"isfinite({column}) and {column} = floor({column}) and abs({column}) < 1e15"
        return f"case when {whole} then {column}::bigint::varchar when isnan({column}) then null else {column}::varchar end"
    return f"{column}::varchar"


def _excel_chunks(file: Path, wanted_sheet: str | None) -> Iterator[pd.DataFrame]:
    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
    except Exception:  # openpyxl has no error family of its own; its texts may quote cells
        raise DataError(f"{file} is not a whole Excel file. Save it again as .xlsx.") from None
    sheet_name = wanted_sheet or book.sheetnames[0]
    if sheet_name not in book.sheetnames:
        raise DataError(f'{file} has no sheet "{sheet_name}".{did_you_mean(sheet_name, book.sheetnames)}')
    rows = book[sheet_name].iter_rows(values_only=True)
    headers = [_cell_text(cell) or "" for cell in next(rows, ())]
    while headers and not headers[-1]:
        headers.pop()
    if not headers:
        raise DataError(f'{file}, sheet "{sheet_name}": the first row holds no headers.')
    values: list[list[str | None]] = []
    for row in rows:
        if any(cell is not None for cell in row[len(headers) :]):
            raise DataError(f'{file}, sheet "{sheet_name}": there are values to the right of the last header.')
        cells = [_cell_text(cell) for cell in row[: len(headers)]]
        if any(cell is not None for cell in cells):
            values.append(cells + [None] * (len(headers) - len(cells)))
        if len(values) == CHUNK_ROWS:
            yield pd.DataFrame(values, columns=headers, dtype=object)
            values = []
    yield pd.DataFrame(values, columns=headers, dtype=object)
    book.close()


def _statistical_chunks(file: Path, read: Callable[..., Any]) -> Iterator[pd.DataFrame]:
    try:
        _, about = read(str(file), metadataonly=True)
        if read is pyreadstat.read_xport or read is pyreadstat.read_por:
            chunks: Any = [read(str(file))]  # these formats do not say how many rows they hold
        else:
            chunks = pyreadstat.read_file_in_chunks(read, str(file), chunksize=CHUNK_ROWS)
        seen = 0
        for chunk, _ in chunks:
            seen += len(chunk)
            yield chunk.apply(_column_text)
        if not seen:
            yield pd.DataFrame({name: pd.Series(dtype=object) for name in about.column_names})
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, UnicodeDecodeError, ValueError):
        raise DataError(
            f"{file} is damaged or cut off, or not of the kind its name says. Fetch it again."
        ) from None
    if about.number_rows is not None and about.number_rows != seen:
        raise DataError(
            f"{file} is cut off: it says it holds {about.number_rows} rows, {seen} could be read. "
            "Fetch it again."
        )


def _column_text(values: pd.Series) -> pd.Series:
    """A column as text; whole floating numbers without decimals, dates as ISO."""
    if pd.api.types.is_float_dtype(values):
        whole = values.notna() & (values % 1 == 0) & (values.abs() < 1e15)
        text = values.astype(object).where(values.notna(), None).map(repr, na_action="ignore")
        text[whole] = values[whole].astype("int64").astype(str)
        return text
    return values.astype(object).where(values.notna(), None).map(_cell_text, na_action="ignore")


def _cell_text(cell: object) -> str | None:
    if cell is None or cell is pd.NaT:
        return None
    if isinstance(cell, datetime | pd.Timestamp):
        return cell.isoformat(sep=" ")
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return str(cell)
