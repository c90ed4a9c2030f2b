"""The deck: slides for a meeting, with native tables and text, pictures and speaker notes.

The same released results as in the report. A long table goes over several slides; what stands under
a figure, how it was computed and its words for who cannot see it are in the notes too.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from pptx import Presentation
from pptx.dml.color import RGBColor
from pptx.enum.text import PP_ALIGN
from pptx.opc.constants import RELATIONSHIP_TYPE
from pptx.util import Emu, Inches, Pt

from workbench.language import retold, speaking, text
from workbench.output import tables
from workbench.output.disclosure import require_released
from workbench.output.formats.report import ReportContext, Section, told_in

WIDTH, HEIGHT, EDGE = Inches(13.333), Inches(7.5), Inches(0.5)
TITLE_AND_SUBTITLE, TITLE_ONLY = 0, 5  # layouts of the library's own template
MOST_LINES, MOST_COLUMNS = 14, 10  # lines with the heading, a cell's own breaks counted
FIRST_SHARE = 0.3  # of the width, for the column that names a row
SIGNS_PER_INCH = 11
SHORTEST, LONGEST = 8, 44  # signs that a column of texts is as wide as, at least and at most
LETTER, CELL_MARGIN, SMALLEST = 0.62, 0.22, 7.0  # of a point's size, bold; inches; points
LONG_TITLE = 50  # signs from which a slide's title is set smaller, and still stands over the rest
DARK, SOFT = RGBColor(0x1F, 0x2A, 0x36), RGBColor(0x59, 0x59, 0x59)
MADE = datetime(2000, 1, 1)  # no clock: the same results give the same bytes
FIRST_DATE = (1980, 1, 1, 0, 0, 0)  # the first one an archive can tell


def build_deck(context: ReportContext, sections: Sequence[Section]) -> bytes:
    """The whole deck; the same input gives the same bytes.

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
    deck = Presentation()
    _drop_printer(deck)
    deck.slide_width, deck.slide_height = WIDTH, HEIGHT
    properties = deck.core_properties
    properties.title, properties.author = context.title, ""
    properties.created = properties.modified = MADE
    properties.last_modified_by, properties.language = "", context.language
    _add_front(deck, context)
    for section in sections:
        if "png" in section.released.files:
            _add_picture(deck, section)
        else:
            _add_table(deck, section, context)
        if section.points:
            _add_points(deck, section)
    _add_provenance(deck, context)
    buffer = io.BytesIO()
    deck.save(buffer)
    return _without_clock(buffer.getvalue())


def _drop_printer(deck: Any) -> None:
    """The empty deck remembers somebody's printer, in a form that nobody can look into."""
    for key, relation in list(deck.part.rels.items()):
        if relation.reltype == RELATIONSHIP_TYPE.PRINTER_SETTINGS:
            deck.part.drop_rel(key)


def _add_front(deck: Any, context: ReportContext) -> None:
    slide = deck.slides.add_slide(deck.slide_layouts[TITLE_AND_SUBTITLE])
    title, subtitle = slide.shapes.title, slide.placeholders[1]
    for shape, top, height in ((title, 1.6, 1.6), (subtitle, 3.4, 2.6)):
        shape.left, shape.top = EDGE, Inches(top)
        shape.width, shape.height = WIDTH - 2 * EDGE, Inches(height)
    title.text_frame.text = context.title
    _style(title.text_frame, 36, DARK, bold=True)
    asked = ("Period", "Coverage")
    facts = {word: context.facts[word] for word in asked if word in context.facts}
    told = [f"{word}: {fact}" for word, fact in told_in(facts).items()]
    subtitle.text_frame.text = "\n".join([context.question, *told])
    _style(subtitle.text_frame, 18, SOFT)


def _add_provenance(deck: Any, context: ReportContext) -> None:
    facts = told_in({**context.facts, **context.provenance})
    lines = [f"{word}: {told}" for word, told in facts.items()]
    slide = _titled(deck, text("Where the numbers come from"))
    box = slide.shapes.add_textbox(EDGE, Inches(1.2), WIDTH - 2 * EDGE, HEIGHT - Inches(1.6))
    box.text_frame.word_wrap = True
    box.text_frame.text = "\n".join(
        line if len(line) < 400 else line[:400] + " ..." for line in lines
    )
    _style(box.text_frame, 11, DARK)


def _add_picture(deck: Any, section: Section) -> None:
    result = section.released
    slide = _titled(deck, _heading(section))
    picture = slide.shapes.add_picture(io.BytesIO(result.files["png"]), EDGE, Inches(1.1))
    room = (WIDTH - 2 * EDGE, HEIGHT - Inches(1.9))
    scale = min(room[0] / picture.width, room[1] / picture.height)
    picture.width, picture.height = (
        Emu(int(picture.width * scale)),
        Emu(int(picture.height * scale)),
    )
    picture.left = Emu(int((WIDTH - picture.width) / 2))
    picture._element.nvPicPr.cNvPr.set("descr", result.alternative_text)
    _add_foot(slide, section)
    _add_notes(slide, section)


def _add_points(deck: Any, section: Section) -> None:
    """What there is to talk about, on a slide of its own."""
    slide = _titled(deck, retold(section.chapter or section.heading))
    box = slide.shapes.add_textbox(EDGE, Inches(1.2), WIDTH - 2 * EDGE, HEIGHT - Inches(1.6))
    box.text_frame.word_wrap = True
    box.text_frame.text = "\n".join(f"\u2022 {retold(point)}" for point in section.points)
    _style(box.text_frame, 18, DARK)


def _add_table(deck: Any, section: Section, context: ReportContext) -> None:
    table = tables.lay_out(section.released, labels=context.labels)
    lines = [
        (f"{heading}: {row[0]}" if heading and row[0] else heading or row[0], *row[1:])
        for heading, rows in table.sections
        for row in rows
    ]
    pages = [*_pages(table.header, lines, table.n_text_columns)]
    for at, (header, rows) in enumerate(pages, start=1):
        many = len(pages) > 1
        part = " " + text("({at} of {pages})", at=at, pages=len(pages)) if many else ""
        slide = _titled(deck, _heading(section) + part)
        height = Inches(0.38 * (len(rows) + 1))
        shape = slide.shapes.add_table(
            len(rows) + 1, len(header), EDGE, Inches(1.2), WIDTH - 2 * EDGE, height
        )
        shape.name = retold(section.released.title)
        shape._element.nvGraphicFramePr.cNvPr.set("descr", retold(section.released.title))
        widths = _widths(header, rows, table.n_text_columns)
        for column, width in zip(shape.table.columns, widths, strict=True):
            column.width = width
        sizes = _sizes(header, widths)
        for row_at, row in enumerate([header, *rows]):
            for column_at, cell in enumerate(row):
                frame = shape.table.cell(row_at, column_at).text_frame
                frame.text = cell
                _style(
                    frame, sizes[column_at] if row_at == 0 else sizes[-1], None, bold=row_at == 0
                )
                if column_at >= table.n_text_columns:
                    frame.paragraphs[0].alignment = PP_ALIGN.RIGHT
        _add_foot(slide, section)
        _add_notes(slide, section)


def _pages(
    header: Sequence[str], lines: Sequence[Sequence[str]], n_text_columns: int
) -> Iterator[tuple[list[str], list[list[str]]]]:
    """Parts of a table that fit on a slide: rows first, then columns, the first one on each."""
    for rows in _by_height(lines, header, n_text_columns):
        for left in range(1, max(len(header), 2), MOST_COLUMNS - 1):
            columns = [0, *range(left, min(left + MOST_COLUMNS - 1, len(header)))]
            yield [header[at] for at in columns], [[row[at] for at in columns] for row in rows]


def _by_height(
    lines: Sequence[Sequence[str]], header: Sequence[str], n_text_columns: int
) -> Iterator[list[Sequence[str]]]:
    """Rows in parts of about as many lines as a slide holds, breaks within cells counted."""
    shown = [row[:MOST_COLUMNS] for row in lines]
    widths = _widths(header[:MOST_COLUMNS], shown, n_text_columns)
    inches = [width / Inches(1) for width in widths]

    def needed_by(row: Sequence[str]) -> int:
        signs = [len(cell) / (inches[min(at, len(inches) - 1)] * SIGNS_PER_INCH)
                 for at, cell in enumerate(row)]  # fmt: skip
        return max(1, *(int(-(-one // 1)) for one in signs))

    page: list[Sequence[str]] = []
    height, most = 0, MOST_LINES - needed_by(header)
    for row in lines:
        needed = needed_by(row)
        if page and height + needed > most:
            yield page
            page, height = [], 0
        page.append(row)
        height += needed
    yield page


def _widths(
    header: Sequence[str], lines: Sequence[Sequence[str]], n_text_columns: int
) -> list[int]:
    """Widths of a table's columns: the one that names the rows is wider, and so are long texts."""
    room, n_columns = WIDTH - 2 * EDGE, len(header)
    if n_columns == 1:
        return [room]
    if n_text_columns > 1:
        longest = [max(len(row[at]) for row in (header, *lines)) for at in range(n_columns)]
        weights = [min(max(one, SHORTEST), LONGEST) for one in longest]
        return [int(room * weight / sum(weights)) for weight in weights]
    first = int(room * max(FIRST_SHARE, 1 / n_columns))
    return [first, *[int((room - first) / (n_columns - 1))] * (n_columns - 1)]


def _sizes(header: Sequence[str], widths: Sequence[int]) -> list[float]:
    """Points of each column's heading, so that no word of it is broken; last those of the cells."""
    usual = 12.0 if len(header) <= 7 else 10.0
    sizes = []
    for name, width in zip(header, widths, strict=True):
        letters = max((len(word) for word in name.split()), default=1)
        fits = 72 * (width / Inches(1) - CELL_MARGIN) / (LETTER * max(letters, 1))
        sizes.append(max(min(usual, float(int(fits))), SMALLEST))
    return [*sizes, usual]


def _heading(section: Section) -> str:
    heading, chapter = retold(section.heading), retold(section.chapter)
    return f"{chapter}: {heading}" if chapter else heading


def _titled(deck: Any, heading: str) -> Any:
    slide = deck.slides.add_slide(deck.slide_layouts[TITLE_ONLY])
    title = slide.shapes.title
    title.left, title.top, title.width, title.height = (
        EDGE,
        Inches(0.3),
        WIDTH - 2 * EDGE,
        Inches(0.8),
    )
    title.text_frame.text = heading
    _style(title.text_frame, 26 if len(heading) < LONG_TITLE else 19, DARK, bold=True)
    return slide


def _add_foot(slide: Any, section: Section) -> None:
    if not section.method:
        return
    box = slide.shapes.add_textbox(EDGE, HEIGHT - Inches(0.75), WIDTH - 2 * EDGE, Inches(0.6))
    box.text_frame.word_wrap = True
    box.text_frame.text = retold(section.method)
    _style(box.text_frame, 10, SOFT)


def _add_notes(slide: Any, section: Section) -> None:
    result = section.released
    parts = [
        retold(result.title),
        *(retold(part) for part in section.text.strip().split("\n\n")),
        result.alternative_text,
        retold(section.method),
        *(retold(note) for note in result.notes),
    ]
    slide.notes_slide.notes_text_frame.text = "\n\n".join(part for part in parts if part)


def _style(frame: Any, size: float, colour: RGBColor | None, *, bold: bool = False) -> None:
    for paragraph in frame.paragraphs:
        paragraph.font.size, paragraph.font.bold = Pt(size), bold
        if colour is not None:
            paragraph.font.color.rgb = colour


def _without_clock(made: bytes) -> bytes:
    """The same archive with the same date on every member."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(made)) as given,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as clean,
    ):
        for member in given.infolist():
            at = zipfile.ZipInfo(member.filename, date_time=FIRST_DATE)
            at.compress_type, at.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            clean.writestr(at, given.read(member))
    return buffer.getvalue()
