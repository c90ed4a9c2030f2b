"""The workbook: every released table on a sheet of its own, with numbers that can be reckoned with.

The same released results as in the report, cell by cell: a hidden one reads `[c]`, a missing one is
empty. A sheet in front says what it is, from what, and what is hidden.
"""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pandas as pd
import xlsxwriter

from workbench.language import retold, speaking, text
from workbench.output import wording
from workbench.output.disclosure import HIDDEN, Released, count_hidden, require_released
from workbench.output.formats.report import ReportContext, Section, told_in

ABOUT = "About"
LONGEST_NAME = 31  # of a sheet
WIDEST = 60
WORDS_WIDE, TEXT_WIDE, LINE = 28, 100, 15  # letters of the front sheet's columns; points
MADE = datetime(2000, 1, 1)  # no clock: the same results give the same bytes


def build_workbook(context: ReportContext, sections: Sequence[Section]) -> bytes:
    """The whole workbook; the same input gives the same bytes.

    Raises
    ------
    DisclosureError
        A section holds something that was not released.
    """
    for section in sections:
        require_released(section.released)
    with speaking(context.language):
        return _build(context, sections)


def _build(context: ReportContext, sections: Sequence[Section]) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False}) as book:
        book.set_properties({"title": context.title, "created": MADE})
        styles = {
            "title": book.add_format({"bold": True, "font_size": 14}),
            "head": book.add_format(
                {"bold": True, "text_wrap": True, "valign": "top", "bottom": 1}
            ),
            "text": book.add_format({"text_wrap": True, "valign": "top"}),
            "soft": book.add_format({"font_color": "#595959"}),
        }
        names = _sheet_names(sections)
        _write_about(book.add_worksheet(text(ABOUT)), context, sections, names, styles)
        for section, name in zip(sections, names, strict=True):
            _write_table(book.add_worksheet(name), section, context, styles, book)
    return buffer.getvalue()


def _sheet_names(sections: Sequence[Section]) -> list[str]:
    """Names of sheets: the headings, without the signs a sheet may not have, each once."""
    taken, names = {text(ABOUT).casefold()}, []
    for section in sections:
        plain = re.sub(r"[\[\]:*?/\\']", " ", retold(section.heading)).strip() or section.name
        name, at = plain[:LONGEST_NAME], 1
        while name.casefold() in taken:
            at += 1
            name = f"{plain[: LONGEST_NAME - len(str(at)) - 1]} {at}"
        taken.add(name.casefold())
        names.append(name)
    return names


def _write_about(
    sheet: Any, context: ReportContext, sections: Sequence[Section], names: Sequence[str],
    styles: dict[str, Any],
) -> None:  # fmt: skip
    _fit_paper(sheet)
    sheet.set_column(0, 0, WORDS_WIDE)
    sheet.set_column(1, 1, TEXT_WIDE)
    sheet.write_string(0, 0, context.title, styles["title"])
    sheet.write_string(1, 0, context.question)
    results = [section.released for section in sections]
    notes = list(dict.fromkeys(note for result in results for note in result.notes))
    hidden = [f"{n} {retold(reason)}" for reason, n in count_hidden(results).items()]
    lines = [
        *told_in(context.facts).items(),
        (HIDDEN, text("Hidden: it could point at a person, or tell what does.")),
        (text("(empty)"), text("Missing: there is no value.")),
        (text("Hidden here"), "; ".join(hidden) or text("nothing")),
        *((text("Note"), retold(note)) for note in notes),
        *(
            (text("Sheet {name}", name=name), retold(section.released.title))
            for name, section in zip(names, sections, strict=True)
        ),
        *told_in(context.provenance).items(),
    ]
    for at, (word, told) in enumerate(lines, start=3):
        sheet.set_row(at, LINE * max(_lines(word, WORDS_WIDE), _lines(str(told), TEXT_WIDE)))
        sheet.write_string(at, 0, word, styles["head"] if word != text("Note") else styles["text"])
        sheet.write_string(at, 1, str(told), styles["text"])


def _write_table(
    sheet: Any, section: Section, context: ReportContext, styles: dict[str, Any], book: Any
) -> None:
    result = section.released
    sheet.write_string(0, 0, retold(result.title), styles["title"])
    sheet.write_string(1, 0, retold(section.method), styles["soft"])
    frame, hidden = result.frame, result.hidden
    deepest = 1
    for at, name in enumerate(frame.columns):
        heading = wording.label(name, context.labels)
        sheet.write_string(3, at, heading, styles["head"])
        column = frame[name]
        style = book.add_format({"num_format": _format_of(column, result)})
        ours = wording.is_ours(name, result)
        for row, (value, is_hidden) in enumerate(zip(column, hidden[name], strict=True), start=4):
            told = retold(value) if ours and isinstance(value, str) else value
            _write_cell(sheet, row, at, told, is_hidden, style)
        longest = max(
            [*map(len, heading.split()), *(len(str(value)) for value in column[:200])], default=8
        )
        width = min(max(longest, 8) + 2, WIDEST)
        sheet.set_column(at, at, width)
        deepest = max(deepest, _lines(heading, width - 1))
    sheet.set_row(3, LINE * deepest)
    sheet.freeze_panes(4, 0)
    _fit_paper(sheet)


def _lines(words: str, width: int) -> int:
    """Lines that words need in a column; not every program works that out when it opens a file."""
    return max(1, len(textwrap.wrap(words, max(width, 4))))


def _fit_paper(sheet: Any) -> None:
    """On paper a sheet is as wide as the page."""
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)


def _write_cell(sheet: Any, row: int, at: int, value: Any, is_hidden: bool, style: Any) -> None:
    if is_hidden:
        sheet.write_string(row, at, HIDDEN)
    elif wording.is_missing(value):
        sheet.write_blank(row, at, None, style)
    elif isinstance(value, bool):
        sheet.write_boolean(row, at, value)
    elif pd.api.types.is_number(value):
        sheet.write_number(row, at, float(value), style)
    else:
        sheet.write_string(row, at, str(value))


def _format_of(column: pd.Series, result: Released) -> str:
    """How a column's numbers are shown: whole ones whole, others with the profile's decimals."""
    numbers = pd.to_numeric(column, errors="coerce").dropna()
    if (numbers % 1 == 0).all():
        return "0"
    return "0." + "0" * int(result.rules["decimals"])
