"""docs/requirements.md: every requirement stands there once, and the tests it names exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "requirements.md"
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)(?:::(\w+))?`")
STATES = {"met", "partly", "in work", "not met"}
WIDEST = 90  # characters of what is asked, and of a place
LONGEST = 120  # lines


def _rows() -> list[list[str]]:
    """The cells of each requirement's row: number, asked, where, tests, state, what is left."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in lines
        if re.match(r"\| *R\d", line)
    ]


@cache
def _tests_of(name: str) -> frozenset[str]:
    """The test functions of a file, and its methods as CLASS::METHOD; none if there is no file."""
    path = ROOT / name
    if not path.is_file():
        return frozenset()
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            methods = [one.name for one in node.body if isinstance(one, ast.FunctionDef)]
            found |= {f"{node.name}::{method}" for method in methods}
    return frozenset(found)


def test_every_requirement_stands_once():
    assert [row[0] for row in _rows()] == [f"R{number}" for number in range(1, 41)]


@pytest.mark.parametrize("row", _rows(), ids=lambda row: row[0])
def test_no_row_is_empty(row):
    assert len(row) == 6
    _, asked, where, tests, state, left = row
    assert asked and where
    assert len(asked) <= WIDEST and len(where) <= WIDEST
    assert state in STATES
    # What is met is shown by a test; of anything else it is said what is left.
    assert NAMED.search(tests) or state in {"in work", "not met"}
    assert left or state == "met"


@pytest.mark.parametrize("row", _rows(), ids=lambda row: row[0])
def test_the_tests_that_are_named_exist(row):
    # Each test stands in the form that is looked for, so that none is passed over.
    assert row[3].count("tests/") == len(NAMED.findall(row[3]))
    missing = [
        f"{file}::{name}"
        for file, *parts in NAMED.findall(row[3])
        if (name := "::".join(filter(None, parts))) not in _tests_of(file)
        or not name.split("::")[-1].startswith("test_")
    ]
    assert not missing


@pytest.mark.parametrize("row", _rows(), ids=lambda row: row[0])
def test_the_places_that_are_named_exist(row):
    rooms = re.findall(r"`([\w.]+)`", row[2])
    assert rooms
    for room in rooms:
        place = ROOT / "src" / "workbench" / room.replace(".", "/")
        assert place.is_dir() or place.with_suffix(".py").is_file(), room


def test_the_page_is_short_and_has_no_row_beside_the_requirements():
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= LONGEST
    assert sum(line.startswith("|") for line in lines) == 40 + 2  # the head and its rule
