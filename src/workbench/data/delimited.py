"""Read delimited text: recognise encoding and delimiter, and let no line disappear.

The delimiter is the one that finds the most of the definition's own columns in the header line. A
line with too few or too many fields is a misfit: counted, kept apart, never padded or cut. Blank
lines are no rows.
"""

from __future__ import annotations

import csv
import mmap
import re
import shutil
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

import duckdb

from workbench.data.encodings import as_utf8
from workbench.data.engine import engine_session
from workbench.data.extracts import Extract, Misfit, Survey, places, survey_of
from workbench.data.headers import match_headers
from workbench.data.sql import file_to_read, literal
from workbench.data.staging import next_place
from workbench.errors import DataError
from workbench.registers.schema import Table

DELIMITERS = (";", ",", "\t", "|", "^", "~", ":")
SPOKEN = {"\t": "tab", ";": "semicolon", ",": "comma", "|": "bar"}
LONGEST_HEADER = 1 << 20  # characters
MOST_MISFITS = 1_000_000  # beyond this it is not lines that are wrong but the file
Rejected = tuple[int, int, str, bool]  # line, its place in bytes, its text, runs into others
BEFORE_BLANK = re.compile(rb"\n(?=\r?\n)")
BEFORE_BLANK_CR = re.compile(rb"\r(?=\r)")  # in files without any \n


@dataclass(frozen=True)
class _Layout:
    """A text file as it was recognised."""

    file: Path  # as it was delivered, for messages
    text: Path  # the same or a copy in UTF-8
    names: tuple[str, ...]
    delimiter: str

    def relation(self, faulty: str) -> str:
        """SQL that reads the lines that fit; `faulty` says what becomes of the others."""
        columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in self.names)
        read = (
            f"read_csv({file_to_read(self.text)}, auto_detect=false, header=true, "
            f"delim={literal(self.delimiter)}, quote='\"', escape='\"', nullstr='', "
            f"columns={{{columns}}}, {faulty})"
        )
        # The engine takes a blank line for a row where there is but one column.
        is_single = len(self.names) == 1
        return f"(from {read} where {self.names[0]} is not null)" if is_single else read


def read(file: Path, table: Table, *, staging: Path) -> Extract:
    """Make a delimited text file readable as text columns; raise `DataError` if it cannot be."""
    text_file, encoding = as_utf8(file, table, staging=staging)
    delimiter, headers = _recognise_header(file, text_file, table)
    found, strangers = match_headers(headers, table, where=str(file))
    layout = _Layout(file, text_file, tuple(places(headers)), delimiter)
    columns = {name: layout.names[place] for name, place in found.items()}
    how = f"{encoding}, {SPOKEN.get(delimiter, delimiter)}-separated"
    try:
        survey, misfits = _count(layout, columns, table, staging=staging)
    except duckdb.InvalidInputException:  # the engine's words quote the line
        how = f"{how}, line ends mixed"
        layout = replace(layout, text=_with_one_line_end(text_file, staging))
        try:
            survey, misfits = _count(layout, columns, table, staging=staging)
        except duckdb.InvalidInputException:
            raise DataError(
                f"{file} cannot be read as {how} text. Save it again as CSV, or ask for "
                "it as Parquet."
            ) from None
    return Extract(
        relation=layout.relation("ignore_errors=true"),
        columns=columns,
        strangers=strangers,
        survey=survey,
        misfits=misfits,
        is_delimited=True,
        how=how,
    )


def first_record(stream: TextIO) -> str:
    """The header: the first line, and the next ones as long as a quotation mark is open."""
    record = stream.readline(LONGEST_HEADER)
    while record.count('"') % 2 and len(record) < LONGEST_HEADER:
        more = stream.readline(LONGEST_HEADER)
        if not more:
            break
        record += more
    return record


def split_record(record: str, delimiter: str) -> list[str]:
    """The fields of one record; one that cannot be split is one field."""
    try:
        return next(csv.reader(record.splitlines(keepends=True), delimiter=delimiter), [])
    except csv.Error:
        return [record]


def _recognise_header(file: Path, text_file: Path, table: Table) -> tuple[str, list[str]]:
    """The delimiter and the headers: the split that finds most of the definition's columns."""
    with text_file.open(encoding="utf-8-sig", newline="") as stream:
        header = first_record(stream)
    wanted = {table.header_of(name).strip().casefold() for name in table.variables}

    def n_found(delimiter: str) -> int:
        return sum(name.strip().casefold() in wanted for name in split_record(header, delimiter))

    best = max(DELIMITERS, key=n_found)
    declared = {"tab": "\t"}.get(table.delivery.delimiter or "", table.delivery.delimiter)
    if declared and n_found(best) > n_found(declared):
        raise DataError(
            f"{file}: the definition says the delimiter is {SPOKEN.get(declared, declared)}; split "
            f"there the header holds {n_found(declared)} of {len(wanted)} columns, split at "
            f"{SPOKEN.get(best, best)} it holds {n_found(best)}. Change delivery: delimiter, or "
            "leave it out."
        )
    delimiter = declared or best
    return delimiter, split_record(header, delimiter)


def _count(
    layout: _Layout, columns: dict[str, str], table: Table, *, staging: Path
) -> tuple[Survey, tuple[Misfit, ...]]:
    """Read the file through once: rows that fit, values a column, every line that does not fit."""
    keeping = layout.relation("store_rejects=true, rejects_limit=0")
    with engine_session(staging) as engine:
        survey = survey_of(engine, keeping, columns, table)
        rejected = engine.execute(
            "select line, any_value(line_byte_position), coalesce(any_value(csv_line), ''), "
            "bool_or(error_type::varchar not in ('MISSING COLUMNS', 'TOO MANY COLUMNS')) "
            f"from reject_errors group by line order by line limit {MOST_MISFITS + 1}"
        ).fetchall()
    if len(rejected) > MOST_MISFITS:
        raise DataError(
            f"{layout.file}: more than {MOST_MISFITS} lines do not have the header's "
            f"{len(layout.names)} fields. Check the delimiter and the header."
        )
    return survey, _misfits(layout.file, layout.text, rejected)


def _misfits(file: Path, text_file: Path, rejected: Sequence[Rejected]) -> tuple[Misfit, ...]:
    rows = _row_numbers(text_file, rejected)
    for row, (_, _, _, runs_on) in zip(rows, rejected, strict=True):
        if runs_on:
            raise DataError(
                f"{file}, row {row}: a quotation mark is not closed as it should be, so that rows "
                "would run together. Mend that row, or ask for the file again."
            )
    texts = [text.lstrip("\r\n") for _, _, text, _ in rejected]
    return tuple(Misfit(row=row, text=text) for row, text in zip(rows, texts, strict=True))


def _row_numbers(text_file: Path, rejected: Sequence[Rejected]) -> list[int]:
    """Row numbers of rejected lines: the engine numbers lines, and blank ones among them."""
    if not rejected:
        return []
    blanks = _blank_lines(text_file)
    numbers = []
    for line, position, text, _ in rejected:
        # A rejected line is told together with the blank lines before it.
        n_leading = len(text) - len(text.lstrip("\r\n"))
        numbers.append(line - 1 - bisect_left(blanks, position + n_leading))
    return numbers


def _blank_lines(text_file: Path) -> list[int]:
    """Where blank lines begin, in bytes; those inside quotation marks are part of a value."""
    blanks, n_marks, done = [], 0, 0
    with (
        text_file.open("rb") as stream,
        mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data,
    ):
        pattern = BEFORE_BLANK if data.find(b"\n") >= 0 else BEFORE_BLANK_CR
        for found in pattern.finditer(data):
            n_marks += data[done : found.end()].count(b'"')
            done = found.end()
            if n_marks % 2 == 0:
                blanks.append(done)
    return blanks


def _with_one_line_end(text_file: Path, staging: Path) -> Path:
    """A copy in which every line ends alike, since the engine reads no file with several ends."""
    copy = next_place(staging, ".csv")
    with (
        text_file.open(encoding="utf-8-sig", newline=None) as source,
        copy.open("w", encoding="utf-8", newline="\n") as target,
    ):
        shutil.copyfileobj(source, target, 1 << 20)
    return copy
