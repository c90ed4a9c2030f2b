"""Inside the package nothing imports the notebook vocabulary (the bare name `workbench`).

The direction between rooms and the doors of libraries are import contracts in pyproject.toml;
`make check` holds them. They cannot see this rule, because the vocabulary stands above all rooms.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "workbench"
ROOMS = {path.stem for path in PACKAGE.glob("*.py")} | {
    path.parent.name for path in PACKAGE.glob("*/__init__.py")
}


def _bare_imports(source: str, *, depth: int) -> list[int]:
    """Give the lines that import from the top name; `depth` is 1 for a file in the top folder."""
    lines = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            # `import workbench.errors` binds the top name too; `... as errors` does not.
            bare = any(n.name.split(".")[0] == "workbench" and not n.asname for n in node.names)
            bare = bare or any(n.name == "workbench" for n in node.names)
        elif isinstance(node, ast.ImportFrom):
            is_top = node.module == "workbench" or (node.module is None and node.level == depth)
            bare = is_top and any(n.name not in ROOMS - {"__init__"} for n in node.names)
        else:
            bare = False
        if bare:
            lines.append(node.lineno)
    return lines


def test_nothing_inside_imports_the_bare_top_name():
    faults = []
    for path in sorted(PACKAGE.rglob("*.py")):
        if path == PACKAGE / "__init__.py":
            continue
        inside = path.relative_to(PACKAGE)
        lines = _bare_imports(path.read_text(encoding="utf-8"), depth=len(inside.parts))
        faults += [f"{path.relative_to(ROOT)}:{line}" for line in lines]
    assert not faults, f"import from the room itself, not from `workbench`: {faults}"


@pytest.mark.parametrize(
    ("source", "is_bare"),
    [
        ("import workbench", True),
        ("import workbench as wb", True),
        ("import workbench.errors", True),
        ("import workbench.errors as errors", False),
        ("from workbench import DataError", True),
        ("from workbench import errors", False),
        ("from workbench.errors import DataError", False),
        ("from .. import load_study", True),
        ("from . import schema", False),
    ],
)
def test_bare_imports_are_recognised(source, is_bare):
    assert bool(_bare_imports(source, depth=2)) is is_bare
