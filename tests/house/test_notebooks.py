"""Every notebook in notebooks/ is thin, stripped and ready for the runner.

Nothing is run here. Faults are told as file, cell number and rule, never with the cell's content.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted(
    path for path in (ROOT / "notebooks").rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts
)
# notebooks/portal/ holds a page of its own kernel, which no study runs
STUDIES = [path for path in NOTEBOOKS if path.parent.name != "portal"]
CODE_LINES = 8
BLOCKS = {
    ast.FunctionDef: "def",
    ast.AsyncFunctionDef: "def",
    ast.ClassDef: "class",
    ast.For: "for",
    ast.AsyncFor: "for",
    ast.While: "while",
}
ABSOLUTE = re.compile(r"^(~|/[\w.]|[A-Za-z]:[\\/]|\\\\)")


def _read(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def _source(cell: dict) -> str:
    return "".join(cell["source"])


def _code_cells() -> Iterator[tuple[str, dict]]:
    """Every code cell with the place to tell: file and cell number, from 1, text cells counted."""
    for path in NOTEBOOKS:
        for number, cell in enumerate(_read(path)["cells"], start=1):
            if cell["cell_type"] == "code":
                yield f"{path.relative_to(ROOT)} cell {number}", cell


def _tree(cell: dict) -> ast.Module:
    """Parse a cell; IPython's % lines are left out, since they are not Python."""
    lines = [line for line in _source(cell).splitlines() if not line.startswith("%")]
    return ast.parse("\n".join(lines))


def _blocks(cell: dict) -> list[str]:
    return [BLOCKS[type(node)] for node in ast.walk(_tree(cell)) if type(node) in BLOCKS]


def _has_absolute_path(cell: dict) -> bool:
    texts = (node.value for node in ast.walk(_tree(cell)) if isinstance(node, ast.Constant))
    return any(isinstance(text, str) and ABSOLUTE.match(text) for text in texts)


def test_there_are_notebooks():
    assert NOTEBOOKS, "notebooks/ holds no notebook"


def test_notebooks_are_kept_without_outputs():
    faults = [p for p, cell in _code_cells() if cell["outputs"] or cell["execution_count"]]
    assert not faults, f"strip these with nbstripout --keep-id: {faults}"


def test_each_notebook_has_one_parameters_cell():
    faults = {}
    for path in STUDIES:
        tags = [cell["metadata"].get("tags", []) for cell in _read(path)["cells"]]
        n_tagged = sum("parameters" in tag for tag in tags)
        if n_tagged != 1:
            faults[str(path.relative_to(ROOT))] = n_tagged
    assert not faults, f"exactly one cell carries the tag `parameters`: {faults}"


def test_code_cells_are_short():
    lengths = {p: sum(map(bool, _source(c).split("\n"))) for p, c in _code_cells()}
    faults = {place: n for place, n in lengths.items() if n > CODE_LINES}
    assert not faults, f"at most {CODE_LINES} lines a code cell, empty lines not counted: {faults}"


def test_notebooks_talk_and_the_package_computes():
    faults = {place: found for place, cell in _code_cells() if (found := _blocks(cell))}
    assert not faults, f"move these into src/workbench: {faults}"


def test_no_absolute_paths():
    faults = [place for place, cell in _code_cells() if _has_absolute_path(cell)]
    assert not faults, f"a path comes from the study or the project: {faults}"


def test_cells_have_ids_of_their_own():
    faults = []
    for path in NOTEBOOKS:
        ids = [cell.get("id") for cell in _read(path)["cells"]]
        if not all(ids) or len(set(ids)) != len(ids):
            faults.append(str(path.relative_to(ROOT)))
    assert not faults, f"cell ids are missing or stand twice: {faults}"


def test_notebooks_run_in_the_kernel_every_environment_has():
    kernels = {path: _read(path)["metadata"].get("kernelspec", {}).get("name") for path in STUDIES}
    faults = {str(p.relative_to(ROOT)): name for p, name in kernels.items() if name != "python3"}
    assert not faults, f"the kernel is python3: {faults}"


@pytest.mark.parametrize("text", ["/data/hip.csv", "~/hip.csv", r"C:\hip.csv", r"\\server\hip"])
def test_absolute_paths_are_recognised(text):
    assert _has_absolute_path({"source": f"file = {text!r}"})


@pytest.mark.parametrize("text", ["examples/hip.csv", "/", "and/or", "per 1000/year"])
def test_other_text_is_not_a_path(text):
    assert not _has_absolute_path({"source": f"file = {text!r}"})
