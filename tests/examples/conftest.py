"""The demonstration, run once: examples and invented registers, from extracts to reports."""

from __future__ import annotations

from pathlib import Path

import pytest

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
