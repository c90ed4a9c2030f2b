"""Workbook, slides and paper say what the page and the tables say, and the same each time."""

from __future__ import annotations

import io

import pandas as pd
import pytest
from openpyxl import load_workbook
from pptx import Presentation

from workbench.output import figures, tables
from workbench.output.departure.contents import open_content
from workbench.output.formats import paper
from workbench.output.formats.report import ReportContext
from workbench.output.publication import Publication

FACTS = {"Register": "R", "Period": "2013 to 2020", "Coverage": "95 %"}
CONTEXT = ReportContext(title="T", question="Q?", facts=FACTS, provenance={"Seed": "1"})


@pytest.fixture
def published(tmp_path, ledger, curve):
    """Sections of every kind, written with a workbook and slides; the sections and the folder."""
    publication = Publication(tmp_path / "release")
    publication.add(ledger, name="ledger", heading="The ledger: steps", method="counted")
    publication.add(figures.draw_survival(curve, unit="years"), name="survival", heading="Survival")
    publication.add(curve, name="curve", heading="Survival", method="Kaplan-Meier")
    publication.write(CONTEXT, formats=["workbook", "deck"])
    return publication.sections, tmp_path / "release"


def test_every_number_of_the_workbook_is_the_released_one(published):
    sections, folder = published
    book = load_workbook(folder / "workbook.xlsx")
    assert book.sheetnames == ["About", "The ledger  steps", "Survival", "Survival 2"]
    for section, sheet in zip(sections, book.worksheets[1:], strict=True):
        frame, hidden = section.released.frame, section.released.hidden
        rows = list(sheet.iter_rows(min_row=5, values_only=True))
        assert len(rows) == len(frame)
        for at, name in enumerate(frame.columns):
            for row, value, is_hidden in zip(rows, frame[name], hidden[name], strict=True):
                if is_hidden:
                    assert row[at] == "[c]"
                elif pd.isna(value):
                    assert row[at] is None
                elif isinstance(value, str):
                    assert row[at] == value
                else:
                    assert float(row[at]) == pytest.approx(float(value), rel=1e-12)


def test_slides_hold_the_tables_as_the_page_lays_them_out(published):
    sections, folder = published
    deck = Presentation(io.BytesIO((folder / "deck.pptx").read_bytes()))
    told = [
        [[cell.text for cell in row.cells] for row in shape.table.rows]
        for slide in deck.slides
        for shape in slide.shapes
        if shape.has_table
    ]
    for section in (sections[0], sections[2]):
        table = tables.lay_out(section.released)
        lines = [row for _, rows in table.sections for row in rows]
        pages = [page for page in told if page[0] == list(table.header)]
        assert [row for page in pages for row in page[1:]] == [list(row) for row in lines]
        assert max(map(len, pages)) <= 15


def test_all_of_the_slides_can_be_looked_into_before_they_leave(published):
    deck = (published[1] / "deck.pptx").read_bytes()
    assert open_content("deck.pptx", deck).unread == []


def test_pictures_on_slides_have_words_and_every_slide_a_title(published):
    sections, folder = published
    deck = Presentation(io.BytesIO((folder / "deck.pptx").read_bytes()))
    assert all(slide.shapes.title.text for slide in deck.slides)
    pictures = [one for slide in deck.slides for one in slide.shapes if one.shape_type == 13]
    words = [one._element.nvPicPr.cNvPr.get("descr") for one in pictures]
    assert words == [sections[1].released.alternative_text]
    notes = [
        slide.notes_slide.notes_text_frame.text for slide in deck.slides if slide.has_notes_slide
    ]
    assert any(sections[1].released.alternative_text in text for text in notes)


def test_the_same_results_give_the_same_bytes(published, tmp_path):
    sections, folder = published
    again = Publication(tmp_path / "again")
    again.sections.extend(sections)
    again.write(CONTEXT, formats=["workbook", "deck"])
    for name in ("workbook.xlsx", "deck.pptx"):
        assert (folder / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_without_a_browser_the_page_says_so(tmp_path, ledger, monkeypatch):
    monkeypatch.setattr(paper, "BROWSERS", ("no-such-browser",))
    publication = Publication(tmp_path / "release")
    publication.add(ledger, name="ledger", heading="Ledger")
    publication.write(CONTEXT, formats=["pdf"])
    assert not (tmp_path / "release" / "report.pdf").exists()
    assert "no browser is installed" in (tmp_path / "release" / "report.html").read_text("utf-8")


@pytest.mark.skipif(not paper.find_browser(), reason="no browser is installed")
def test_the_page_on_paper_is_the_same_each_time(tmp_path, ledger):
    publication = Publication(tmp_path / "release")
    publication.add(ledger, name="ledger", heading="Ledger")
    publication.write(CONTEXT, formats=["pdf"])
    first = (tmp_path / "release" / "report.pdf").read_bytes()
    assert first.startswith(b"%PDF") and len(first) > 5000
    publication.write(CONTEXT, formats=["pdf"])
    assert (tmp_path / "release" / "report.pdf").read_bytes() == first
    places = int(first.rsplit(b"startxref", 1)[1].split()[0])
    assert first[places:].startswith(b"xref")  # each part still begins where the file says
