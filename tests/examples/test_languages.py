"""A real study in three languages: nothing left in English, and no two formats disagree."""

from __future__ import annotations

import io
import re
import shutil
from collections import defaultdict
from datetime import date
from html import unescape
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from openpyxl import load_workbook
from playwright.sync_api import sync_playwright
from pptx import Presentation

from workbench.data.intake import import_extract
from workbench.language import LANGUAGES
from workbench.language.sentences import PART, messages
from workbench.project import house_folder, open_project
from workbench.registers.schema import load_register
from workbench.runner.execute import run_study
from workbench.runner.index import write_index
from workbench.runner.plan import plan_run

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")
NUMBER = re.compile(r"(?<![\w<.,])−?\d[\d\u202f]*(?:[.,]\d+)?(?!\w)")
SERIOUS = {"moderate", "serious", "critical"}


@pytest.fixture(scope="module")
def releases(tmp_path_factory) -> dict[str, Path]:
    """The release folder of one study by language."""
    root = tmp_path_factory.mktemp("spoken")
    example = house_folder("examples") / "colorectal"
    study_file = example / "params" / "studies" / "colon.yaml"
    project = open_project(root, study_file=study_file)
    register = load_register("colorectal", open_project(example).params_folders)
    import_extract(
        register, "patients", [example / "data" / "colrec.csv"],
        store_folder=project.store_folder, as_of=date(2026, 1, 1),
    )  # fmt: skip
    found = {}
    for spoken in LANGUAGES:
        asked = {"language": spoken, "formats": ["workbook", "deck"]}
        plan = plan_run(study_file, project, overrides=asked)
        found[spoken] = run_study(plan).folder / "release"
    write_index(project.runs_folder)
    return found


def page_of(release: Path) -> str:
    return (release / "report.html").read_text(encoding="utf-8")


def tables_of_page(page: str) -> dict[str, list[list[str]]]:
    """Rows of every table of the page, by its caption; the page's own last one left out."""
    found = {}
    for table in re.findall(r"<table>(.*?)</table>", page, re.DOTALL):
        caption = unescape(re.search(r"<caption>(.*?)</caption>", table, re.DOTALL).group(1))
        rows = [
            re.findall(r"<(?:td|th)([^>]*)>(.*?)</(?:td|th)>", row, re.DOTALL)
            for row in re.findall(r"<tr[^>]*>(.*?)</tr>", table, re.DOTALL)[1:]
        ]
        found[caption] = [
            [unescape(cell) for attributes, cell in row if "number" in attributes] for row in rows
        ]
        found[caption] = [row for row in found[caption] if row]
    return found


def tables_of_deck(release: Path) -> dict[str, list[list[str]]]:
    found: dict[str, list[list[str]]] = defaultdict(list)
    deck = Presentation(io.BytesIO((release / "deck.pptx").read_bytes()))
    shapes = [shape for slide in deck.slides for shape in slide.shapes if shape.has_table]
    for shape in shapes:
        found[shape.name] += [
            [cell.text for cell in row.cells] for row in list(shape.table.rows)[1:]
        ]
    return dict(found)


def value_of(text: str) -> tuple[float, int]:
    """A number as it is written, and its decimals."""
    plain = text.replace("\u202f", "").replace(",", ".").replace("−", "-")
    return float(plain), len(plain.partition(".")[2])


def numbers_in(cells: list[list[str]]) -> list[str]:
    told = [cell for row in cells for cell in row if not cell.startswith(("<", "1 ("))]
    return [number for cell in told for number in NUMBER.findall(cell)]


@pytest.mark.parametrize("spoken", LANGUAGES)
def test_page_slides_and_workbook_tell_the_same_numbers(releases, spoken):
    page, deck = tables_of_page(page_of(releases[spoken])), tables_of_deck(releases[spoken])
    book = load_workbook(releases[spoken] / "workbook.xlsx")
    sheets = {sheet["A1"].value: sheet for sheet in book.worksheets[1:]}
    assert len(page) >= 6 and set(page) == set(deck) and set(page) <= set(sheets)
    for title, rows in page.items():
        on_slides = [cell for row in deck[title] for cell in row]
        assert all(cell in on_slides for row in rows for cell in row), title
        typed = [
            value
            for row in sheets[title].iter_rows(min_row=5, values_only=True)
            for value in row
            if isinstance(value, (int, float)) and not isinstance(value, bool)
        ]
        for text in numbers_in(rows):
            value, decimals = value_of(text)
            near = 0.5001 * 10**-decimals if decimals else 0.5001
            near = max(near, 5e-6 * abs(value))
            assert any(abs(one - value) <= near for one in typed), f"{title}: {text}"


def test_the_three_languages_tell_the_same_numbers(releases):
    told = {
        spoken: [
            [value_of(text) for text in numbers_in(rows)]
            for rows in tables_of_page(page_of(release)).values()
        ]
        for spoken, release in releases.items()
    }
    assert told["en"] == told["sv"] == told["nb"]
    for name in ("cox.csv", "survival-at-times.csv"):
        assert len({(release / name).read_bytes() for release in releases.values()}) == 1


def words_of(release: Path) -> str:
    """Everything that is read of a release: page, alternative texts, slides and workbook."""
    page = re.sub(r"<style>.*?</style>|data:image[^\"]*", "", page_of(release), flags=re.DOTALL)
    told = [
        unescape(re.sub(r"<[^>]*>", "\n", page)),
        *map(unescape, re.findall('alt="(.*?)"', page)),
    ]
    deck = Presentation(io.BytesIO((release / "deck.pptx").read_bytes()))
    for slide in deck.slides:
        told += [shape.text_frame.text for shape in slide.shapes if shape.has_text_frame]
        if slide.has_notes_slide:
            told.append(slide.notes_slide.notes_text_frame.text)
    told += [cell for rows in tables_of_deck(release).values() for row in rows for cell in row]
    for sheet in load_workbook(release / "workbook.xlsx").worksheets:
        told += [str(value) for row in sheet.iter_rows(values_only=True) for value in row if value]
    return "\n".join(told)


@pytest.mark.parametrize("spoken", ["sv", "nb"])
def test_no_sentence_of_the_workbench_is_left_in_english(releases, spoken):
    words = words_of(releases[spoken])
    left = []
    for (_context, english), told in messages(spoken).items():
        piece = max((one.strip() for one in PART.split(english)[::2]), key=len)
        is_sentence = piece.count(" ") >= 2 and len(piece) >= 14
        if is_sentence and piece not in "".join(told) and piece in words:
            left.append(english)
    assert left == []
    assert f'<html lang="{spoken}">' in page_of(releases[spoken])
    english_words = re.compile(r"\b(?:the|which|were|shown|hidden|persons|because|with)\b")
    own = (
        "Survival after colon cancer",
        "How long do",
        "(SHA-256",
        "Not stated with the published",
    )
    lines = [line for line in words.split("\n") if not any(one in line for one in own)]
    assert [line for line in lines if len(english_words.findall(line)) > 2] == []


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed here")
def test_a_screen_reader_stumbles_on_nothing_serious(releases):
    pages = [release / "report.html" for release in releases.values()]
    pages.append(pages[0].parents[3] / "index.html")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1000, "height": 900})
        found = {}
        for path in pages:
            page.goto(path.as_uri())
            faults = Axe().run(page).response["violations"]
            found[path.as_uri()] = [
                (one["id"], one["nodes"][0]["html"][:200])
                for one in faults
                if one["impact"] in SERIOUS
            ]
        browser.close()
    assert [faults for faults in found.values() if faults] == []
