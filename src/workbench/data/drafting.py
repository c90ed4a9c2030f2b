"""Draft a register's definition from an extract, so that a beginner starts from a working file.

The draft says types, empty columns and how dates are written; it holds no value of anybody. What a
file cannot say (what codes mean, what is sensitive) is left as a marked question.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pandas as pd

from workbench.data.delimited import DELIMITERS, SPOKEN, recognise_encoding
from workbench.data.readers import KINDS, sample_rows
from workbench.errors import DataError, did_you_mean

SAMPLE_ROWS = 5_000
MOST_CODES = 12
_HEADER = re.compile(r"^[^\W\d_][\w .()/%-]*$")
DATE_SHAPES = {
    r"\d{1,2}\.\d{1,2}\.\d{4}": "%d.%m.%Y",
    r"\d{1,2}/\d{1,2}/\d{4}": "%d/%m/%Y",
    r"\d{1,2}-\d{1,2}-\d{4}": "%d-%m-%Y",
    r"\d{4}/\d{1,2}/\d{1,2}": "%Y/%m/%d",
}


def draft_register(name: str, file: Path) -> str:
    """A commented YAML definition that fits an extract; raise `DataError` when it has no headers."""
    if not file.is_file():
        raise DataError(f"{file}: there is no such file.")
    kind = file.suffix.lower()
    if kind not in KINDS:
        raise DataError(
            f'{file}: files of kind "{kind}" cannot be read.{did_you_mean(kind, KINDS)}'
        )
    rows, delivery = (
        _sample(file) if kind in {".csv", ".tsv", ".txt"} else (sample_rows(file, SAMPLE_ROWS), [])
    )
    strange = [header for header in rows.columns if not _HEADER.match(str(header).strip())]
    if strange or rows.empty:
        # Not told which: without a header line these would be a person's values.
        raise DataError(
            f"{file}: {len(strange)} of {len(rows.columns)} columns have no usable header, or there are no rows. "
            "The first line must hold the names of the columns."
        )
    lines = _opening(name, file, delivery)
    for header in rows.columns:
        lines += _variable(str(header).strip(), rows[header])
    return "\n".join(lines) + "\n"


def _sample(file: Path) -> tuple[pd.DataFrame, list[str]]:
    encoding = recognise_encoding(file)
    codec = {"windows-1252": "cp1252", "utf-8": "utf-8-sig"}.get(encoding, encoding)
    with file.open(encoding=codec, newline="") as stream:
        first = stream.readline()
        delimiter = max(
            DELIMITERS, key=lambda one: len(next(csv.reader([first], delimiter=one), []))
        )
        stream.seek(0)
        reader = csv.reader(stream, delimiter=delimiter)
        headers = next(reader, [])
        lines = [
            row
            for row, _ in zip(reader, range(SAMPLE_ROWS), strict=False)
            if len(row) == len(headers)
        ]
    rows = pd.DataFrame(lines, columns=pd.Index(headers), dtype=object)
    marks = f"# Read as {encoding}, {SPOKEN.get(delimiter, delimiter)}-separated; recognised again at every import."
    return rows.map(lambda text: text.strip() or None), [f"    {marks}"]


def _opening(name: str, file: Path, delivery: list[str]) -> list[str]:
    return [
        f"# A draft made from {file.name}. It works as it stands; read every line marked '?' and mend it.",
        "# Then: workbench import " + f"{name}.rows FILE --dry-run",
        f"name: {name}",
        f"label: {name}                # ? the register's full name",
        'owner: ""                  # ? who is responsible for the data',
        'source: ""                 # ? how and when this extract was ordered',
        "tables:",
        "  rows:",
        "    one_row_is: one row of the extract   # ? one patient, one admission, ...",
        "    # person: PATIENT_NUMBER    # ? the variable that says who; without it every row is a person",
        "    # key: [PATIENT_NUMBER]     # ? variables that together are unique",
        "    # dated_by: A_DATE          # ? the date that places a row in time",
        *delivery,
        "    variables:",
    ]


def _variable(header: str, values: pd.Series) -> list[str]:
    given = values.dropna().astype(str).str.strip()
    given = given[given != ""]
    name = re.sub(r"\W+", "_", header).strip("_")
    kind, extra = _guess(given)
    lines = [f"      {name}:", f"        type: {kind}"]
    if name != header:
        lines.append(f'        delivered_as: "{header}"')
    lines += [f"        {line}" for line in extra]
    if len(given) == len(values):
        lines.append("        required: yes          # ? no empty field among the rows looked at")
    lines.append("        sensitivity: health    # ? identity, pseudonym, indirect, health or open")
    return lines


def _guess(given: pd.Series) -> tuple[str, list[str]]:
    """The type that all values have, and what else the file says."""
    n_different = given.nunique()
    if not len(given):
        return "text", ["# ? the column was empty in the rows looked at"]

    def all_like(pattern: str) -> bool:
        return bool(given.str.fullmatch(pattern).all())

    if all_like(r"\d{4}-\d{2}-\d{2}([ T]00:00(:00)?)?"):
        return "date", []
    for shape, written in DATE_SHAPES.items():
        if all_like(shape):
            return "date", [f'date_format: "{written}"   # ? day or month first']
    if all_like(r"[+-]?\d+") and not all_like(r"0\d+"):
        if n_different <= MOST_CODES:
            return "code", [_codes_wanted(n_different)]
        return "integer", ['# unit: ""              # ? days, years, mg/l, ...']
    if all_like(r"[+-]?\d*[.,]?\d+"):
        if all_like(r"\d+"):  # a leading zero: a code, not a number
            return "code", []
        return "decimal", ['# unit: ""              # ? days, years, mg/l, ...']
    if n_different <= MOST_CODES:
        return "code", [_codes_wanted(n_different)]
    return "text", []


def _codes_wanted(n: int) -> str:
    return (
        f"# codes: {{CODE: meaning}}   # ? {n} different codes among the rows looked at: list them"
    )
