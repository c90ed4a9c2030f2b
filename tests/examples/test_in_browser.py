"""The pages in a real browser: they open from disk, fetch nothing, and fit a narrow screen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page


@pytest.fixture
def page(browser) -> Iterator[Page]:
    """A page that must not fetch anything from anywhere, nor complain."""
    page = browser.new_page(viewport={"width": 1000, "height": 900})
    foreign: list[str] = []
    page.on("request", lambda request: foreign.append(request.url))
    page.on("console", lambda message: foreign.append(message.text))
    yield page
    page.close()
    assert [one for one in foreign if not one.startswith(("file:", "data:"))] == []


def fits(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_index_leads_to_every_report(demo, page):
    runs, index = demo
    page.goto(index.as_uri())
    assert page.get_by_role("row").count() == len(runs) + 1
    page.get_by_role("link", name="Report: Survival after colon cancer, by stage").click()
    assert (
        page.get_by_role("heading", level=1).inner_text() == "Survival after colon cancer, by stage"
    )


@pytest.mark.parametrize("study", ["colon", "colorectal_cohort", "lung_by_sex"])
def test_a_report_shows_its_figures_with_words_for_them(demo, page, study):
    page.goto((demo[0][study].folder / "release" / "report.html").as_uri())
    figures = page.get_by_role("figure")
    assert figures.count() >= 2
    for at in range(figures.count()):
        box = figures.nth(at).bounding_box()
        assert box is not None and box["width"] > 300 and box["height"] > 100
    pictures = page.locator("svg[role=img], img")
    for at in range(pictures.count()):
        words = pictures.nth(at).get_attribute("aria-label") or pictures.nth(at).get_attribute(
            "alt"
        )
        assert words or pictures.nth(at).get_attribute("aria-labelledby")
    assert page.get_by_role("table").count() >= 1
    assert page.get_by_text("What was hidden and why").count() >= 1


@pytest.mark.parametrize("width", [1000, 390])
def test_pages_fit_the_screen(demo, page, width):
    runs, index = demo
    page.set_viewport_size({"width": width, "height": 800})
    for path in (index, runs["colon"].report, runs["colorectal_cohort"].report):
        page.goto(path.as_uri())
        assert fits(page), f"{path.name} is wider than {width} points"


def test_a_report_prints_on_paper(demo, page):
    page.goto(demo[0]["colon"].report.as_uri())
    paper = page.pdf(format="A4")
    assert paper.startswith(b"%PDF") and len(paper) > 20_000
