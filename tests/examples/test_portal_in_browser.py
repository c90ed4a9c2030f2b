"""The portal in a real browser: choose, see the figure change, take the numbers along."""

from __future__ import annotations

import csv
import socket
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from releases import shares, write_run

from workbench.output.portal.launch import Served, serving
from workbench.project import house_folder

PAGE = house_folder("notebooks") / "portal" / "results.ipynb"
# What Voila's own scripts say of their versions; nothing a visitor sees.
OF_VOILA = ("Unsatisfied version", "No satisfying version", "Starting WebSocket")
# What the browser says itself when the process behind the page has been ended on purpose.
ENDED = ("Failed to load resource: the server responded with a status of 404", "WebSocket")


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> Iterator[Served]:
    runs = tmp_path_factory.mktemp("project") / "runs"
    write_run(runs, nation={"n": 2000, "events": 800})
    table = shares().replace("region,", "hospital,", 1)
    tables = {"planned": ("Planned start", table)}
    write_run(runs, "starts", title="Starts", tables=tables)
    broken = write_run(runs, "broken")
    (broken / "catheter.csv").write_text("changed", encoding="utf-8")
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    with serving(runs, PAGE, port=port) as portal:
        yield portal


@pytest.fixture(scope="module")
def page(browser, served) -> Iterator[Page]:
    """A page that must fetch nothing from elsewhere, nor complain."""
    context = browser.new_context(
        viewport={"width": 1100, "height": 900}, locale="en-GB", accept_downloads=True
    )
    page = context.new_page()
    foreign: list[str] = []
    page.on("request", lambda request: foreign.append(request.url))
    page.on("console", lambda message: foreign.append(message.text))
    yield page
    context.close()
    ours = (served.address, served.address.replace("http", "ws"), "data:", *OF_VOILA, *ENDED)
    assert [one for one in foreign if not one.startswith(ours)] == []


@pytest.fixture(scope="module")
def opened(page, served) -> Page:
    page.goto(f"{served.address}results")
    page.locator(".portal-picture svg").wait_for(timeout=30_000)
    return page


@pytest.fixture
def explorer(opened) -> Page:
    """The same page for all, back where it began; to load it takes seconds."""
    opened.get_by_label("Language").select_option("English")
    expect(opened.get_by_label("Shown as")).to_be_visible()
    opened.get_by_label("Study").select_option("Renal results")
    opened.get_by_label("Period").select_option(index=0)
    opened.get_by_label("Units beside the nation").select_option([])
    opened.get_by_label("Units sorted").check()
    expect(opened.locator(".portal-picture svg")).to_contain_text("Nation 40 %")
    return opened


def words(page: Page) -> str:
    return page.locator(".portal-picture svg").text_content() or ""


def fits(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_choosing_changes_the_figure_and_the_numbers(explorer, tmp_path):
    assert "Nation 40 %" in words(explorer)
    explorer.get_by_label("Funnel").check()
    expect(explorer.locator(".portal-picture svg")).to_contain_text("Patients")
    explorer.get_by_label("Units beside the nation").select_option(["Alvik", "Ekeby"])
    expect(explorer.locator(".portal-picture svg")).to_contain_text("Alvik")
    explorer.get_by_label("Period").select_option("2021")
    expect(explorer.locator(".portal-notice")).to_contain_text("not for one year")
    explorer.get_by_label("Table", exact=True).check()
    expect(explorer.get_by_role("row")).to_have_count(2)  # heads and Alvik: Ekeby has no year
    with explorer.expect_download() as awaited:
        explorer.get_by_role("link", name="Numbers (CSV)").click()
    awaited.value.save_as(tmp_path / "numbers.csv")
    with (tmp_path / "numbers.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [(row["region"], row["year"], row["n"]) for row in rows] == [("Alvik", "2021", "20")]


def test_another_study_brings_its_own_indicators_and_levels(explorer):
    explorer.get_by_label("Study").select_option("Starts")
    expect(explorer.locator(".portal-status")).to_contain_text("Planned start")
    expect(explorer.get_by_label("Level of organisation")).to_have_text("Hospital")
    expect(explorer.locator(".portal-hidden").first).to_contain_text("What was hidden and why")


def test_a_broken_release_is_told_in_the_page(explorer):
    expect(explorer.locator(".portal-below")).to_contain_text(
        "broken/aaaa: catheter.csv is not the file that was released."
    )


def test_the_language_changes_by_a_widget(explorer):
    explorer.get_by_label("Language").select_option("Svenska")
    expect(explorer.get_by_label("Visas som")).to_be_visible()
    expect(explorer.locator(".portal-picture svg")).to_contain_text("Riket 40")
    assert explorer.evaluate("document.documentElement.lang") == "sv"


def test_all_controls_are_reached_by_keyboard(explorer):
    explorer.get_by_label("Study").focus()
    explorer.keyboard.press("ArrowDown")
    expect(explorer.locator(".portal-status")).to_contain_text("Planned start")
    explorer.get_by_label("Units sorted").focus()
    explorer.keyboard.press("ArrowDown")
    expect(explorer.get_by_label("Funnel")).to_be_checked()
    assert explorer.locator(".portal-status").get_attribute("aria-live") == "polite"


def stumbles(page: Page) -> list[tuple[str, str]]:
    found = Axe().run(page).response["violations"]
    return [(one["id"], one["nodes"][0]["html"][:160]) for one in found]


def test_a_screen_reader_stumbles_on_nothing_in_the_explorer(explorer):
    assert stumbles(explorer) == []
    explorer.get_by_label("Table", exact=True).check()
    expect(explorer.get_by_role("table")).to_be_visible()
    assert stumbles(explorer) == []


def test_the_explorer_fits_a_narrow_screen(explorer):
    explorer.set_viewport_size({"width": 360, "height": 800})
    assert fits(explorer)
    explorer.get_by_label("Table", exact=True).check()
    expect(explorer.get_by_role("table")).to_be_visible()
    assert fits(explorer)
    explorer.set_viewport_size({"width": 1100, "height": 900})


def test_on_paper_stand_results_without_controls(explorer):
    explorer.emulate_media(media="print")
    assert not explorer.get_by_label("Study").is_visible()
    assert explorer.locator(".portal-picture svg").is_visible()
    assert explorer.pdf(format="A4").startswith(b"%PDF")
    explorer.emulate_media(media="screen")


def test_a_page_whose_process_ended_says_so(explorer, served):
    kernel = explorer.evaluate(
        "JSON.parse(document.getElementById('jupyter-config-data').textContent).kernelId"
    )
    explorer.evaluate(f"fetch('/voila/api/shutdown/{kernel}', {{method: 'POST'}})")
    explorer.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(explorer.get_by_role("alert")).to_contain_text("rested for too long", timeout=10_000)


@pytest.mark.parametrize("width", [1100, 360])
def test_the_start_page_leads_to_reports_and_fits(page, served, width):
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{served.address}nb")
    assert fits(page) and stumbles(page) == []
    page.get_by_role("link", name="Rapport").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Renal results")
