"""What a visitor may take along: the numbers as CSV and workbook, the picture as SVG.

They hold what the page shows and no more. A hidden cell stays `[c]`, a missing one empty; the same
choice gives the same bytes.
"""

from __future__ import annotations

import base64
import csv
import io
import re
from collections.abc import Sequence
from datetime import datetime
from html import escape

import xlsxwriter

from workbench.output.portal.results import Result, Row
from workbench.output.portal.words import HIDDEN, say

MADE = datetime(2000, 1, 1)  # no clock: the same choice gives the same bytes
KINDS = {
    "csv": "text/csv;charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "svg": "image/svg+xml",
}
STARTS = ("=", "+", "-", "@")  # what a spreadsheet would take for a formula


def to_csv(rows: Sequence[Row]) -> bytes:
    """The rows as they were released."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    columns = _columns(rows)
    writer.writerow(columns)
    writer.writerows([[_plain(row.get(one, "")) for one in columns] for row in rows])
    return stream.getvalue().encode("utf-8")


def to_workbook(rows: Sequence[Row], result: Result, language: str) -> bytes:
    """The rows on one sheet, numbers as numbers, and where they come from on another."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False}) as book:
        book.set_properties({"title": result.indicator, "created": MADE})
        heavy = book.add_format({"bold": True})
        about = book.add_worksheet(say(language, "About"))
        about.set_column(0, 0, 24)
        about.set_column(1, 1, 90)
        for at, (word, told) in enumerate(_about(result, language)):
            about.write_string(at, 0, word, heavy)
            about.write_string(at, 1, told)
        sheet = book.add_worksheet(say(language, "Numbers"))
        for at, name in enumerate(_columns(rows)):
            sheet.write_string(0, at, name, heavy)
            for line, row in enumerate(rows, start=1):
                _write_cell(sheet, line, at, row.get(name, ""))
        sheet.freeze_panes(1, 1)
        sheet.set_column(0, 0, 28)
    return buffer.getvalue()


def links(result: Result, rows: Sequence[Row], picture: str, language: str) -> str:
    """Three links that hold what they give: nothing is fetched from the server."""
    files = {"csv": to_csv(rows), "xlsx": to_workbook(rows, result, language)}
    if picture:
        files["svg"] = picture.encode("utf-8")
    words = {"csv": "Numbers (CSV)", "xlsx": "Numbers (Excel)", "svg": "Picture (SVG)"}
    name = file_name(result)
    items = [
        f'<a download="{name}.{ending}" href="data:{KINDS[ending]};base64,'
        f'{base64.b64encode(content).decode()}">{escape(say(language, words[ending]))}</a>'
        for ending, content in files.items()
    ]
    label = escape(say(language, "Download"))
    return f'<nav class="portal-downloads" aria-label="{label}">{label}: {" · ".join(items)}</nav>'


def file_name(result: Result) -> str:
    """A name for files: plain letters, digits and `-`."""
    folded = result.indicator.casefold().translate(str.maketrans("åäöøæéü", "aaooaeu"))
    return re.sub(r"[^a-z0-9]+", "-", folded).strip("-")[:60] or "result"


def _about(result: Result, language: str) -> list[tuple[str, str]]:
    lines = [
        ("Indicator", result.indicator), ("Study", result.title), ("Register", result.register),
        ("Level of organisation", result.unit), ("Period", result.period),
    ]  # fmt: skip
    told = [(say(language, word), what) for word, what in lines]
    hidden = say(language, "[c] hidden: it could point at a person, or tell what does.")
    return [*told, (HIDDEN, hidden)]


def _columns(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _write_cell(sheet: xlsxwriter.worksheet.Worksheet, row: int, at: int, told: str) -> None:
    try:
        sheet.write_number(row, at, float(told))
    except (ValueError, TypeError):
        if told:
            sheet.write_string(row, at, told)


def _plain(told: str) -> str:
    """Text that a spreadsheet would take for a formula, marked as text; numbers as they are."""
    if not told.startswith(STARTS):
        return told
    try:
        float(told)
    except ValueError:
        return f"'{told}"
    return told
