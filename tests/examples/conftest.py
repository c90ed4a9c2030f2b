"""The demonstration, run once: examples and invented registers, from extracts to reports."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from workbench.project import Project, open_project
from workbench.runner.demo import run_demo
from workbench.runner.execute import Run


@pytest.fixture(scope="session")
def demo_project(tmp_path_factory) -> Project:
    return open_project(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="session")
def demo(demo_project) -> tuple[dict[str, Run], Path]:
    runs, index = run_demo(demo_project, progress=lambda _: None)
    return {run.manifest.study: run for run in runs}, index


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The installed Chromium; without one the tests that need it skip and say so."""
    names = ("chromium", "google-chrome", "chrome")
    chromium = next((found for name in names if (found := shutil.which(name))), None)
    if chromium is None:
        pytest.skip("no Chromium is installed here")
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=chromium, args=quiet)
        yield started
        started.close()
