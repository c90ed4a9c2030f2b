"""The demonstration, run once: examples and invented registers, from extracts to reports."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from playwright.sync_api import Browser, sync_playwright

from workbench.project import Project, open_project
from workbench.runner.demo import run_demo
from workbench.runner.execute import Run


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory, worker_id) -> Path:
    """Where the demonstration lies; every process of the tests is told the same folder."""
    base = tmp_path_factory.getbasetemp()
    return (base if worker_id == "master" else base.parent) / "demonstration"


@pytest.fixture(scope="session")
def demo_project(demo_folder) -> Project:
    demo_folder.mkdir(exist_ok=True)
    return open_project(demo_folder)


@pytest.fixture(scope="session")
def demo(demo_project, demo_folder) -> tuple[dict[str, Run], Path]:
    """The runs by study and the index. It takes minutes: who asks first runs it for all."""
    made = demo_folder / "made.pickle"
    with FileLock(demo_folder / "made.lock"):
        if not made.exists():
            told = run_demo(demo_project, progress=lambda _: None)
            made.write_bytes(pickle.dumps(told))
        runs, index = pickle.loads(made.read_bytes())
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
