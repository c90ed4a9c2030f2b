"""A small project with a store, made once, and explorers that are closed again."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.projects import import_rows, make_project, many_rows
from workbench.output.explorer.view import Explorer
from workbench.project import Project, open_project


@pytest.fixture(scope="session")
def kidney_template(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("kidney")
    import_rows(make_project(folder), *many_rows(600))
    return folder


@pytest.fixture
def project(kidney_template, tmp_path) -> Project:
    folder = tmp_path / "project"
    shutil.copytree(kidney_template, folder)
    return open_project(folder)


@pytest.fixture
def explorer_of() -> Iterator[Callable[..., Explorer]]:
    made: list[Explorer] = []

    def make(*given: Any, **named: Any) -> Explorer:
        made.append(Explorer(*given, **named))
        assert made[-1].wait(60)
        return made[-1]

    yield make
    for one in made:
        one.close()
