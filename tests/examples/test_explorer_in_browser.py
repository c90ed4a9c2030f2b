"""The cohort explorer in a real browser: choose, see the figure change, save, run, same numbers."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.projects import STUDY, import_rows, make_project, many_rows
from workbench.data.store import CATALOGUE
from workbench.project import Project, house_folder, open_project
from workbench.runner.execute import run_study
from workbench.runner.plan import plan_run

SECONDS = 90
CURVE, READY = ".explorer-figure svg >> nth=0", ".explorer-message >> nth=0"


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    """A project with the explorer's notebook, as a clinic has it."""
    folder = tmp_path_factory.mktemp("p")
    study = f"{STUDY}parameters: {{times: [1000, 2000], horizon: 2500}}\n"
    import_rows(make_project(folder, study=study), *many_rows(600))
    place = folder / "notebooks" / "explore" / "cohort.ipynb"
    place.parent.mkdir(parents=True)
    shutil.copyfile(house_folder("notebooks") / "explore" / "cohort.ipynb", place)
    return open_project(folder)


@pytest.fixture(scope="module")
def address(project, tmp_path_factory) -> Iterator[str]:
    """The notebook served on this machine alone."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    home = tmp_path_factory.mktemp("h")
    command = [
        sys.executable, "-m", "voila", "cohort.ipynb", "--no-browser", f"--port={port}",
        "--Voila.ip=127.0.0.1", "--VoilaConfiguration.theme=light",
    ]  # fmt: skip
    settings = {**os.environ, "HOME": str(home), "JUPYTER_NO_CONFIG": "1", "OMP_NUM_THREADS": "1"}
    with (home / "log").open("wb") as log:
        served = subprocess.Popen(
            command, cwd=project.root / "notebooks" / "explore", env=settings, stdout=log,
            stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        _wait_for(port, served, home / "log")
        yield f"http://127.0.0.1:{port}/"
    finally:
        served.terminate()
        served.wait(20)


def _wait_for(port: int, served: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until and served.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/voila/static/", timeout=5):
                return
        except urllib.error.HTTPError as answered:
            answered.close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"voila did not start: {log.read_text(encoding='utf-8')[-2000:]}")


def opened(browser: Browser, address: str, *, width: int = 1300) -> Page:
    page = browser.new_page(viewport={"width": width, "height": 1000})
    page.set_default_timeout(SECONDS * 1000)
    page.goto(address)
    page.wait_for_selector(".explorer-message")
    return page


def is_ready(page: Page) -> None:
    expect(page.locator(READY)).to_contain_text("Ready", timeout=SECONDS * 1000)


def described(page: Page) -> str:
    return page.locator(f"{CURVE} >> desc").inner_html()


@pytest.fixture(scope="module")
def page(browser, address) -> Iterator[Page]:
    page = opened(browser, address)
    yield page
    page.close()


def test_choose_see_save_run_and_get_the_same_numbers(page, project):
    is_ready(page)
    page.get_by_role("textbox", name="Study file").fill("dialysis")
    page.get_by_role("button", name="Open study").click()
    page.wait_for_selector(f"{CURVE} >> desc", state="attached")
    page.wait_for_function(
        "document.querySelector('.explorer-figure desc').textContent.includes('fistula')"
    )
    before = described(page)
    page.get_by_role("textbox", name="From").fill("2013-01-01")
    page.get_by_role("textbox", name="From").press("Tab")
    page.wait_for_function(
        "words => document.querySelector('.explorer-figure desc').innerHTML !== words", arg=before
    )
    is_ready(page)
    page.get_by_role("textbox", name="Study file").fill("from_2013")
    page.get_by_role("button", name="Save study").click()
    expect(page.locator(READY)).to_contain_text("workbench run")
    run = run_study(plan_run(project.root / "params" / "studies" / "from_2013.yaml", project))
    assert run.manifest.state == "finished"
    report = (run.folder / "release" / "report.html").read_text(encoding="utf-8")
    assert described(page) in report  # every number of the curves, in the same words


def test_undo_by_the_keyboard(page):
    is_ready_or_written = page.locator(READY)
    expect(is_ready_or_written).to_be_visible()
    before = described(page)
    button = page.get_by_role("button", name="Undo")
    button.focus()
    button.press("Enter")
    page.wait_for_function(
        "words => document.querySelector('.explorer-figure desc').innerHTML !== words", arg=before
    )


def test_every_control_has_a_name_for_a_screen_reader(page):
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('.explorer input, .explorer select, \
.explorer textarea, .explorer button')].filter(one => one.offsetParent !== null
            && !(one.labels && one.labels.length) && !one.getAttribute('aria-label')
            && !one.getAttribute('aria-labelledby') && !one.textContent.trim()).length"""
    )
    assert nameless == 0


def test_the_page_fits_a_narrow_screen(browser, address):
    page = opened(browser, address, width=420)
    is_ready(page)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
    page.close()


def test_a_broken_store_is_told_in_the_page(browser, address, project):
    catalogue = project.store_folder / CATALOGUE
    kept = catalogue.read_bytes()
    catalogue.write_text("{", encoding="utf-8")
    try:
        page = opened(browser, address)
        expect(page.get_by_role("alert")).to_contain_text("is damaged")
        page.close()
    finally:
        catalogue.write_bytes(kept)
