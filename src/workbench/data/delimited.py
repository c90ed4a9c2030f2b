"""Read delimited text: recognise encoding and delimiter, and let no line disappear.

The encoding is recognised from the bytes and the whole file is verified against it. The
delimiter is the one that finds the most of the definition's own columns in the header line. A
line with too few or too many fields is a misfit: counted, kept apart, never padded or cut.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from workbench.data.headers import match_headers
from workbench.data.sql import identifier, literal
from workbench.errors import DataError
from workbench.registers.schema import Table

BLOCK = 1 << 22
DELIMITERS = (";", ",", "\t", "|", "^", "~", ":")
SPOKEN = {"\t": "tab", ";": "semicolon", ",": "comma", "|": "bar"}
# Letters of the North written as UTF-8 and read as Windows-1252: a file glued from two encodings.
MOJIBAKE = ("Ã¥", "Ã¤", "Ã¶", "Ã…", "Ã„", "Ã–", "Ã¸", "Ã˜", "Ã¦", "Ã†", "Ã©")


@dataclass(frozen=True)
class Misfit:
    """A line that does not have the header's number of fields."""

    row: int  # counted from 1, the first row after the header
    text: str


@dataclass(frozen=True)
class DelimitedRead:
    """What `read` found."""

    relation: str  # SQL for the engine: the lines that fit, every value as text
    columns: dict[str, str]
    strangers: tuple[str, ...]
    n_rows: int
    n_values: dict[str, int]
    misfits: tuple[Misfit, ...]
    how: str


def read(file: Path, table: Table, *, staging: Path) -> DelimitedRead:
    """Make a delimited text file readable as text columns; raise `DataError` when it cannot be trusted."""
    encoding = table.delivery.encoding or recognise_encoding(file)
    text_file = _as_utf8(file, encoding, staging)
    delimiter, headers = _recognise_header(file, text_file, table)
    columns, strangers = match_headers(headers, table, where=str(file))
    # The engine does not tell capitals apart, so columns are named by their place.
    places = {header: f"c{at}" for at, header in enumerate(headers)}
    relation = _relation(text_file, list(places.values()), delimiter)
    n_rows, n_values, misfits = _count(file, relation, list(places.values()))
    spoken = SPOKEN.get(delimiter, delimiter)
    placed = {name: places[header] for name, header in columns.items()}
    counted = {name: n_values[place] for name, place in placed.items()}
    return DelimitedRead(relation, placed, strangers, n_rows, counted, misfits, f"{encoding}, {spoken}-separated")


def recognise_encoding(file: Path) -> str:
    """The encoding of a text file by its marks and bytes: UTF-8, UTF-16 or Windows-1252."""
    with file.open("rb") as stream:
        start = stream.read(4096)
    if start.startswith(codecs.BOM_UTF8):
        return "utf-8"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\0" in start:  # text without a mark has NUL bytes only as half of a UTF-16 letter
        return "utf-16-le" if start[1::2].count(0) > start[::2].count(0) else "utf-16-be"
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for block in _blocks(file):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "windows-1252"
    return "utf-8"


def _as_utf8(file: Path, encoding: str, staging: Path) -> Path:
    """The file itself when it is plain UTF-8, else a UTF-8 copy in the staging folder."""
    if encoding == "utf-8":
        _verify_utf8(file)
        return file
    copy = staging / f"{file.name}.utf8"
    decoder = codecs.getincrementaldecoder("cp1252" if encoding == "windows-1252" else encoding)()
    n_mixed = 0
    try:
        with copy.open("w", encoding="utf-8", newline="") as target:
            for block in _blocks(file):
                text = decoder.decode(block)
                n_mixed += sum(text.count(mark) for mark in MOJIBAKE) if "Ã" in text else 0
                target.write(text)
            target.write(decoder.decode(b"", final=True))
    except UnicodeDecodeError:
        raise DataError(
            f"{file} is not {encoding} text: some of its bytes mean nothing there. Ask for the "
            "file as UTF-8, or declare delivery: encoding."
        ) from None
    if encoding == "windows-1252" and n_mixed:
        raise DataError(
            f"{file} mixes two encodings: {n_mixed} letters are UTF-8, others are Windows-1252. "
            "It was probably glued from two files. Ask for the file in one encoding."
        )
    return copy


def _verify_utf8(file: Path) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for block in _blocks(file):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise DataError(
            f"{file} is declared as UTF-8 but is not. Leave delivery: encoding out to have it recognised."
        ) from None


def _blocks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as stream:
        while block := stream.read(BLOCK):
            yield block


def _recognise_header(file: Path, text_file: Path, table: Table) -> tuple[str, list[str]]:
    """The delimiter and the headers: the split that finds most of the definition's columns."""
    with text_file.open(encoding="utf-8-sig", newline="") as stream:
        line = stream.readline(1 << 20)
    wanted = {table.header_of(name).strip().casefold() for name in table.variables}
    splits = {one: next(csv.reader([line.rstrip("\r\n")], delimiter=one), []) for one in DELIMITERS}
    hits = {one: sum(name.strip().casefold() in wanted for name in splits[one]) for one in splits}
    best = max(hits, key=lambda one: hits[one])
    declared = table.delivery.delimiter
    if declared is None:
        return best, splits[best]
    delimiter = "\t" if declared in {"tab", "\\t"} else declared
    if len(delimiter) != 1:
        raise DataError(f'delivery: delimiter "{declared}" must be one character, or tab.')
    headers = next(csv.reader([line.rstrip("\r\n")], delimiter=delimiter), [])
    found = sum(name.strip().casefold() in wanted for name in headers)
    if hits[best] > found:
        raise DataError(
            f"{file}: the definition says the delimiter is {SPOKEN.get(delimiter, delimiter)}; split there the "
            f"header holds {found} of {len(wanted)} columns, split at {SPOKEN.get(best, best)} it holds {hits[best]}. "
            "Change delivery: delimiter, or leave it out."
        )
    return delimiter, headers


def _relation(text_file: Path, names: list[str], delimiter: str) -> str:
    """SQL that reads the fitting lines; `ignore_errors` passes over those that `_count` kept."""
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
    return (
        f"read_csv({literal(text_file)}, auto_detect=false, header=true, delim={literal(delimiter)}, "
        f"quote='\"', escape='\"', nullstr='', columns={{{columns}}}, ignore_errors=true)"
    )


def _count(
    file: Path, relation: str, names: list[str]
) -> tuple[int, dict[str, int], tuple[Misfit, ...]]:
    """Read the file through once: the rows that fit, values a column, every line that does not."""
    keeping = relation.replace("ignore_errors=true", "store_rejects=true, rejects_limit=0")
    with duckdb.connect() as engine:
        # Every column is read, since the engine only notices faults in what it reads.
        reads = ", ".join(f"count({identifier(name)})" for name in names)
        ((n_rows, *counts),) = engine.execute(f"select count(*), {reads} from {keeping}").fetchall()
        rejected = engine.execute(
            "select line, any_value(error_type)::varchar, any_value(csv_line) "
            "from reject_errors group by line order by line"
        ).fetchall()
    for line, kind, _ in rejected:
        if kind in {"UNQUOTED VALUE", "LINE SIZE OVER MAXIMUM"}:
            raise DataError(
                f"{file}, row {line - 1}: a quotation mark is opened and never closed as it should "
                "be, so that rows would run together. Mend that row, or ask for the file again."
            )
    misfits = tuple(Misfit(row=line - 1, text=text or "") for line, _, text in rejected)
    return n_rows, dict(zip(names, counts, strict=True)), misfits
