"""Draft a register's definition from an extract, so that a beginner starts from a working file.

The draft says types, empty columns and how dates are written; it holds no value of anybody. What a
file cannot say (what codes mean, what is sensitive) is left as a marked question.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections import Counter
from datetime import date
from pathlib import Path

import pandas as pd

from workbench.data.delimited import DELIMITERS, SPOKEN, first_record, split_record
from workbench.data.encodings import CODECS, recognise_encoding
from workbench.data.identity import read_number
from workbench.data.readers import DELIMITED, kind_of, sample_rows
from workbench.errors import DataError, DefinitionError
from workbench.registers.schema import RESERVED
from workbench.registers.variables import IdentityScheme

SAMPLE_ROWS = 5_000
MOST_STRANGE = 0.05  # share of other values in what is still a column of numbers
MOST_CODES = 12
_REGISTER_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_HEADER = re.compile(r"[^\W\d_][\w .()/%-]*")
_YEAR_MONTH_DAY = r"(18|19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])"
DATE_SHAPES = {  # day first stands before month first, which only fits where days are below 13
    r"([012]?\d|3[01])\.(0?\d|1[0-2])\.\d{4}": "%d.%m.%Y",
    r"([012]?\d|3[01])/(0?\d|1[0-2])/\d{4}": "%d/%m/%Y",
    r"([012]?\d|3[01])-(0?\d|1[0-2])-\d{4}": "%d-%m-%Y",
    r"(0?\d|1[0-2])/([012]?\d|3[01])/\d{4}": "%m/%d/%Y",
    r"\d{4}/(0?\d|1[0-2])/([012]?\d|3[01])": "%Y/%m/%d",
}


SENSITIVITY = "        sensitivity: health    # ? identity, pseudonym, indirect, health or open"
IDENTITY = """\
        sensitivity: identity  # numbers become pseudonyms, with your key: workbench new key"""
SCHEMES: tuple[IdentityScheme, ...] = ("swedish", "norwegian", "finnish", "danish")
NUMBERS_LOOKED_AT = 200
MOST_NO_NUMBERS = 0.1  # share of mistyped values in what is still a column of identity numbers

BLANK = """\
# A definition to start from. Replace the variables by those of your extract, or draft one from a
# file: workbench new register EXTRACT
name: {name}
label: {name}                # ? the register's full name
owner: ""                    # ? who is responsible for the data
tables:
  rows:
    person: patient          # ? the variable that says who; without it, every row is a person
    key: [patient]           # ? variables that together are unique
    dated_by: start_date     # ? the date that places a row in time
    variables:
      patient: {{type: code, required: yes, sensitivity: pseudonym}}
      start_date: {{type: date, required: yes}}
      end_date: {{type: date, label: Last day of follow-up}}
      status: {{type: code, codes: {{0: alive, 1: dead}}, required: yes}}
      age: {{type: integer, unit: years, minimum: 0, maximum: 120, label: Age}}
      sex: {{type: code, codes: {{1: male, 2: female}}, label: Sex, sensitivity: indirect}}
"""


def blank_register(name: str) -> str:
    """A commented definition to start from where there is no extract yet."""
    return BLANK.format(name=name)


def name_of(extract: Path) -> str:
    """A register's name made from its extract's: small letters, digits and _."""
    plain = unicodedata.normalize("NFKD", extract.stem).encode("ascii", "ignore").decode()
    name = re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_")
    return name if name[:1].isalpha() else f"register_{name}".rstrip("_")


def draft_register(name: str, file: Path) -> str:
    """A commented YAML definition that fits an extract.

    Raises `DefinitionError` when the name is no register's name, `DataError` when the file cannot
    be read or its first line does not hold the names of the columns.
    """
    if not _REGISTER_NAME.fullmatch(name):
        raise DefinitionError(
            f'"{name}" cannot be a register\'s name: use small letters, digits and _, beginning '
            "with a letter, at most 40."
        )
    is_delimited = kind_of(file) in DELIMITED
    headers, rows, marks = _sample(file) if is_delimited else (*sample_rows(file, SAMPLE_ROWS), [])
    headers = [header.strip() for header in headers]
    rows.columns = pd.RangeIndex(len(headers))
    _refuse_without_headers(file, headers, rows)
    comma = _has_decimal_comma(rows)
    names = _variable_names(headers)
    lines = _opening(name, file, marks)
    for at, header in enumerate(headers):
        given = _given(rows[at])
        kind, extra = _guess(given, decimal="," if comma else ".")
        is_full = len(given) == len(rows) < SAMPLE_ROWS
        scheme = _identity_scheme(given)
        if scheme:
            kind, extra = "code", [f"identity_scheme: {scheme}"]
        lines += _variable(names[at], header, kind, extra, is_full=is_full)
        lines.append(IDENTITY if scheme else SENSITIVITY)
    return "\n".join(lines) + "\n"


def _refuse_without_headers(file: Path, headers: list[str], rows: pd.DataFrame) -> None:
    """Not told which are no headers: without a header line they would be a person's values."""
    if rows.empty:
        raise DataError(f"{file} has no rows to look at.")
    counted = Counter(header.casefold() for header in headers)
    n_strange = sum(
        not _HEADER.fullmatch(header)
        or counted[header.casefold()] > 1
        or header in set(_given(rows[at]))
        for at, header in enumerate(headers)
    )
    if n_strange:
        raise DataError(
            f"{file}: {n_strange} of {len(headers)} columns have no usable header: none at all, "
            "one that stands twice, or what looks like a value. The first line must hold the "
            "names of the columns."
        )


def _sample(file: Path) -> tuple[list[str], pd.DataFrame, list[str]]:
    encoding = recognise_encoding(file)
    try:
        with file.open(encoding=CODECS.get(encoding, encoding), newline="") as stream:
            first = first_record(stream)
            delimiter = max(DELIMITERS, key=lambda one: len(split_record(first, one)))
            headers = split_record(first, delimiter)
            reader = csv.reader(stream, delimiter=delimiter)
            lines = [
                row
                for row, _ in zip(reader, range(SAMPLE_ROWS), strict=False)
                if len(row) == len(headers)
            ]
    except (UnicodeDecodeError, csv.Error):
        raise DataError(
            f"{file} cannot be read as {encoding} text. Save it again as CSV in UTF-8."
        ) from None
    rows = pd.DataFrame(lines, columns=pd.RangeIndex(len(headers)), dtype=object)
    spoken = SPOKEN.get(delimiter, delimiter)
    note = f"    # Read as {encoding}, {spoken}-separated; recognised again at every import."
    return headers, rows, [note]


def _given(values: pd.Series) -> pd.Series:
    """The values that are not empty, without surrounding blanks, as intake sees them."""
    given = values.dropna().astype(str).str.strip(" ")
    return given[given != ""]


def _has_decimal_comma(rows: pd.DataFrame) -> bool:
    """Whether some column is numbers with a comma: a delivery has one decimal mark."""
    columns = [_given(rows[at]) for at in rows.columns]
    return any(
        bool(given.str.fullmatch(r"[+-]?\d*,?\d+").all() and given.str.contains(",").any())
        for given in columns
    )


def _variable_names(headers: list[str]) -> list[str]:
    """A name for each header that a definition may use, each once."""
    names: list[str] = []
    taken = set(RESERVED)
    for header in headers:
        stem = re.sub(r"\W+", "_", header).strip("_")
        name, n = stem, 1
        while name.casefold() in taken:
            n += 1
            name = f"{stem}_{n}"
        names.append(name)
        taken.add(name.casefold())
    return names


def _opening(name: str, file: Path, marks: list[str]) -> list[str]:
    return [
        f"# A draft made from {file.name}. It works as it stands; read every line marked '?' and",
        f"# mend it. Then: workbench import {name}.rows FILE --dry-run",
        f"name: {name}",
        f"label: {name}                # ? the register's full name",
        'owner: ""                  # ? who is responsible for the data',
        'source: ""                 # ? how and when this extract was ordered',
        "tables:",
        "  rows:",
        "    one_row_is: one row of the extract   # ? one patient, one admission, ...",
        "    # person: PATIENT_NUMBER    # ? the variable that says who; without it, every row",
        "    # key: [PATIENT_NUMBER]     # ? variables that together are unique",
        "    # dated_by: A_DATE          # ? the date that places a row in time",
        *marks,
        "    variables:",
    ]


def _variable(name: str, header: str, kind: str, extra: list[str], *, is_full: bool) -> list[str]:
    lines = [f"      {name}:", f"        type: {kind}"]
    if name != header:
        lines.append(f'        delivered_as: "{header}"')
    lines += [f"        {line}" for line in extra]
    if is_full:
        lines.append("        required: yes          # ? no empty field in the file")
    return lines


def _guess(given: pd.Series, *, decimal: str) -> tuple[str, list[str]]:
    """The type that all values have, and what else the file says."""
    if not len(given):
        return "text", ["# ? the column was empty in the rows looked at"]

    def all_like(pattern: str) -> bool:
        return bool(given.str.fullmatch(pattern).all())

    if all_like(r"\d{4}-\d{2}-\d{2}([ T]00:00(:00)?)?") or all_like(_YEAR_MONTH_DAY):
        return "date", []
    for shape, written in DATE_SHAPES.items():
        if all_like(shape):
            return "date", [f'date_format: "{written}"   # ? day or month first']
    n_different = given.nunique()
    is_number = not given.str.fullmatch(r"[+-]?0\d+").any()  # a leading zero: a code
    if is_number and n_different > MOST_CODES and all_like(r"[+-]?\d{1,18}"):
        return "integer", ['# unit: ""              # ? days, years, mg/l, ...']
    has_mark = given.str.contains(decimal, regex=False).any()
    if is_number and has_mark and all_like(rf"[+-]?\d*[{decimal}]?\d+"):
        return "decimal", ['# unit: ""              # ? days, years, mg/l, ...']
    if n_different <= MOST_CODES:
        return "code", [
            f"# codes: {{CODE: meaning}}   # ? {n_different} different codes among the rows looked "
            "at: list them"
        ]
    nearly = _nearly_a_number(given, decimal) if is_number else None
    return nearly or (("code" if all_like(r"[+-]?\d+") else "text"), [])


def _identity_scheme(given: pd.Series) -> IdentityScheme | None:
    """The scheme of identity numbers that nearly all values are of, if there is one."""
    values = given.head(NUMBERS_LOOKED_AT)
    for scheme in SCHEMES if len(values) else ():
        read = [read_number(text, scheme, as_of=date.today()) for text in values]
        # Danish numbers have no check digit; without a sign they could be any number of ten digits.
        is_sure = scheme != "danish" or values.str.contains("-", regex=False).all()
        n_wrong = sum(one.problem is not None for one in read)
        if is_sure and n_wrong <= MOST_NO_NUMBERS * len(values):
            return scheme
    return None


def _nearly_a_number(given: pd.Series, decimal: str) -> tuple[str, list[str]] | None:
    """A number column in which a few values are something else: those would be set aside."""
    for kind, pattern in (("integer", r"[+-]?\d{1,18}"), ("decimal", rf"[+-]?\d*[{decimal}]?\d+")):
        n_strange = int((~given.str.fullmatch(pattern)).sum())
        if 0 < n_strange <= MOST_STRANGE * len(given):
            told = f"# ? {n_strange} of {len(given)} values are no {kind}: they would be set aside"
            return kind, [told, '# unit: ""              # ? days, years, mg/l, ...']
    return None
