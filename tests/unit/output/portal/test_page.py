"""The page's parts: table, downloads, notices and the controls that follow them."""

from __future__ import annotations

import base64
import csv
import io
import re
from contextlib import suppress
from dataclasses import replace
from importlib import resources

import openpyxl
import pytest
from babel.messages.pofile import read_po
from releases import write_run
from traitlets import TraitError

from workbench.output.portal import downloads, page, tables
from workbench.output.portal.choices import VIEWS, Choice, Choices
from workbench.output.portal.explorer import ResultExplorer, explore_results
from workbench.output.portal.releases import copy_releases, find_releases
from workbench.output.portal.start_page import start_page, waiting_page
from workbench.output.portal.words import say


def test_a_table_marks_hidden_and_missing_apart_and_says_what_they_mean(result):
    html = tables.to_html(result, (), "en")
    assert "<td>[c]</td>" in html and "<td>–</td>" in html
    assert "[c] hidden: a count under 5" in html and "– missing: there is no value." in html
    assert "Hög &lt;b&gt;" in html and "<b>" not in html


def test_a_table_has_the_chosen_units_and_the_nation(result):
    html = tables.to_html(result, ("Alvik",), "sv")
    heads = re.findall(r'<th scope="row">([^<]*)', html)
    assert heads == ["Alvik", "Riket"] and "● hög" in html


def test_levels_that_are_not_decided_say_between_which(result):
    assert "○ not decided between high and low" in tables.to_html(result, ("Ekeby",), "en")


def test_a_csv_holds_the_released_cells_as_they_are(result):
    lines = list(csv.DictReader(io.StringIO(downloads.to_csv(result.rows).decode())))
    assert lines == [dict(row) for row in result.rows]


def test_a_csv_has_no_cell_that_a_spreadsheet_would_reckon():
    told = downloads.to_csv([{"region": "=1+1", "n": "-5"}]).decode()
    assert told == "region,n\n'=1+1,-5\n"


def test_a_workbook_has_numbers_as_numbers_and_is_the_same_each_time(result):
    made = downloads.to_workbook(result.rows, result, "nb")
    assert made == downloads.to_workbook(result.rows, result, "nb")
    book = openpyxl.load_workbook(io.BytesIO(made))
    assert book.sheetnames == ["Om", "Tall"]
    values = list(book["Tall"].values)
    assert values[1][:3] == ("Alvik", 100, 40) and values[2][2] == "[c]" and values[3][2] is None


def test_downloads_are_what_the_page_shows(result):
    links = downloads.links(result, result.rows, "<svg/>", "en")
    files = dict(re.findall(r'download="([^"]+)" href="data:[^,]+,([^"]+)"', links))
    assert list(files) == [f"catheter-at-the-first-haemodialysis.{one}" for one in
                           ("csv", "xlsx", "svg")]  # fmt: skip
    assert base64.b64decode(files["catheter-at-the-first-haemodialysis.svg"]) == b"<svg/>"


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("language", ["sv", "nb", "en"])
def test_every_view_tells_what_was_hidden_and_why(result, view, language):
    told = page.below(result, Choice(view=view), (), language)
    assert say(language, "What was hidden and why") in told and "2 " in told and "9 " in told


@pytest.mark.parametrize(
    ("view", "told"), [("funnel", "No limits of chance"), ("trend", "No numbers by year")]
)
def test_a_view_without_numbers_says_so(result, view, told):
    empty = replace(result, limits=(), years=())
    assert told in page.figure(empty, Choice(view=view), "en")
    assert "not for one year" in page.figure(empty, Choice(view="funnel", year="2020"), "en")


def test_without_a_choice_a_trend_shows_the_units_with_most_years(result):
    assert page.shown_over_years(result, Choice()) == ("Berga", "Dalby", "Alvik")


def test_the_language_changes_all_words(result):
    explorer = ResultExplorer(Choices([result]))
    explorer.controls["language"].index = 0
    assert explorer.controls["period"].description == "Period"
    assert explorer.controls["view"].options == (
        "Enheter i ordning",
        "Tratt",
        "Utveckling",
        "Tabell",
    )
    assert 'data-lang="sv"' in explorer.status.value and "Enheter: 7" in explorer.status.value


def test_controls_follow_each_other(result):
    other = replace(result, study="b", title="Other", rows=result.rows[:1], limits=(), years=())
    explorer = ResultExplorer(Choices([result, other]))
    assert not explorer.controls["study"].disabled and explorer.controls["unit"].disabled
    explorer.controls["view"].index = VIEWS.index("funnel")
    assert "99.8 %" in explorer.figure.value
    explorer.controls["units"].index = (0, 2)
    assert explorer.choice.units == ("Alvik", "Dalby")
    explorer.controls["study"].index = 1
    assert explorer.choice.units == ("Alvik",) and explorer.controls["units"].options == ("Alvik",)
    assert "portal-notice" in explorer.figure.value


def test_more_than_five_units_are_cut_and_told(result):
    explorer = ResultExplorer(Choices([result]))
    explorer.controls["units"].index = tuple(range(7))
    assert len(explorer.controls["units"].index) == 5
    assert "At most 5 units" in explorer.status.value


@pytest.mark.parametrize("state", [{"index": -5}, {"index": 99}, {"index": "x"}, {"index": None},
                                   {"_options_labels": ["<script>"]}, {"value": "x"}])  # fmt: skip
@pytest.mark.parametrize("name", ["study", "indicator", "period", "view", "units", "language"])
def test_hostile_values_change_nothing_that_is_shown(result, name, state):
    explorer = ResultExplorer(Choices([result]))
    before = explorer.figure.value
    with suppress(TraitError, TypeError, ValueError):  # what the widgets' own library says to it
        explorer.controls[name].set_state(state)
    assert explorer.figure.value == before and "<script>" not in explorer.status.value


def test_a_fault_in_the_code_is_one_sentence_in_the_page(result, monkeypatch):
    explorer = ResultExplorer(Choices([result]))

    def broken(*_):
        raise ValueError("secret detail")

    monkeypatch.setattr(page, "figure", broken)
    explorer.controls["view"].index = 1
    assert "This choice could not be shown" in explorer.figure.value
    assert "secret" not in explorer.figure.value


def test_an_empty_or_vanished_folder_is_a_readable_page(tmp_path):
    for folder in (tmp_path / "gone", tmp_path):
        shown = explore_results(folder).children[2]
        status, figure, below = (one.value for one in shown.children)
        assert "There is nothing to show." in status and "No released result" in figure
        assert "is not there, or cannot be read" in below


def test_the_start_page_lists_registers_reports_and_what_is_left_out(tmp_path):
    write_run(tmp_path / "runs", title="Title <i>")
    releases, _ = find_releases(tmp_path / "runs")
    html = start_page(releases, ["renal/x: left out."], "en")
    assert "<h2>Renal register</h2>" in html and 'href="/released/1/report.html"' in html
    assert "Title &lt;i&gt;" in html and "renal/x: left out." in html
    assert "workbook" not in html and 'href="results"' in html
    assert "No released result" in start_page([], [], "en")


def test_the_waiting_page_tries_again_by_itself():
    html = waiting_page("nb", 15)
    assert '<meta http-equiv="refresh" content="15">' in html and "Alle plasser er opptatt" in html


def test_the_page_opens_copies_only(tmp_path):
    write_run(tmp_path / "runs")
    copy_releases(find_releases(tmp_path / "runs")[0], tmp_path / "portal")
    explorer = explore_results(tmp_path / "portal", language="nb")
    assert "Catheter at the first haemodialysis" in explorer.children[2].children[0].value


SAID = re.compile(r'(?:say|notice)\(\s*(?:self\.)?language,\s*((?:"[^"]*"\s*)+)')


def test_every_sentence_stands_in_both_catalogues():
    package = resources.files("workbench.output.portal")
    code = "".join(
        one.read_text(encoding="utf-8")
        for folder in (package, package / "pictures")
        for one in folder.iterdir()
        if one.name.endswith(".py")
    )
    said = {"".join(re.findall(r'"([^"]*)"', one)) for one in SAID.findall(code)}
    assert len(said) > 30
    for language in ("sv", "nb"):
        with (package / "catalogues" / f"{language}.po").open("rb") as lines:
            known = {str(one.id): str(one.string) for one in read_po(lines, locale=language)}
        assert said - set(known) == set()
        for sentence, told in known.items():
            parts = re.findall(r"\{\w*\}", sentence)
            assert not sentence or (told and sorted(parts) == sorted(re.findall(r"\{\w*\}", told)))
