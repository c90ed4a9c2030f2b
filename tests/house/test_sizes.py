"""Modules and functions stay small enough to be read at one sitting, and are named for a noun."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "src").rglob("*.py"))

# The rule is 300 and 40; a module or function that grows past the limit below must be divided.
MODULE_LINES, MODULE_LIMIT = 300, 350
FUNCTION_LINES, FUNCTION_LIMIT = 40, 60

FORBIDDEN_NAMES = {"common", "helper", "helpers", "manager", "managers", "misc", "util", "utils"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def _functions(path: Path) -> Iterator[Function]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def _lines(function: Function) -> int:
    """Lines of a function from its `def` to its end, the docstring left out."""
    lines = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function, clean=False) is not None:
        docstring = function.body[0]
        lines -= docstring.end_lineno - docstring.lineno + 1
    return lines


def test_modules_are_short():
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    too_long = [f"{p.relative_to(ROOT)}: {n}" for p, n in lengths.items() if n > MODULE_LIMIT]
    assert not too_long, f"divide these modules (aim: {MODULE_LINES} lines at most): {too_long}"


def test_functions_are_short():
    too_long = [
        f"{path.relative_to(ROOT)}:{function.lineno} {function.name}: {_lines(function)}"
        for path in MODULES
        for function in _functions(path)
        if _lines(function) > FUNCTION_LIMIT
    ]
    assert not too_long, f"divide these functions (aim: {FUNCTION_LINES} lines): {too_long}"


def test_docstrings_are_not_counted():
    source = 'def f():\n    """One.\n\n    Two.\n    """\n    return 1\n'
    assert _lines(ast.parse(source).body[0]) == 2


def test_modules_are_named_for_what_they_hold():
    names = {path: set(path.relative_to(ROOT / "src").with_suffix("").parts) for path in MODULES}
    vague = [
        str(path.relative_to(ROOT)) for path, parts in names.items() if parts & FORBIDDEN_NAMES
    ]
    assert not vague, f"a function lives in the room of its noun: {vague}"
