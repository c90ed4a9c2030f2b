"""A notebook's parameters: declared once, in its `parameters` cell, and checked before it runs.

The cell holds annotated assignments with literal defaults (`times: list[float] = [1, 3, 5]`). What
a study gives is checked against it: papermill itself only warns about a name it does not know.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, create_model

from workbench.errors import StudyError
from workbench.registers.documents import parse_document
from workbench.study import is_study_key

TYPES: dict[str, Any] = {"str": str, "int": int, "float": float, "bool": bool}
GIVEN_BY_RUNNER = ("study_file", "run_folder")


def read_notebook(path: Path) -> dict[str, Any]:
    """A notebook's content; raise `StudyError` when it is not one."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        content["cells"][0]["cell_type"]
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        raise StudyError(f"{path} is not a readable notebook.") from None
    return content


def source_of(cell: Mapping[str, Any]) -> str:
    """A cell's text, which the format keeps as one text or a list of lines."""
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def declared_parameters(path: Path) -> type[BaseModel]:
    """The model of a notebook's own parameters; raise `StudyError` when the cell is not usable."""
    cells = [
        cell
        for cell in read_notebook(path)["cells"]
        if "parameters" in cell.get("metadata", {}).get("tags", [])
    ]
    if len(cells) != 1:
        raise StudyError(
            f"{path} has {len(cells) or 'no'} cells tagged `parameters`; a study needs one. "
            "Tag the cell with the defaults (JupyterLab: property inspector, add tag)."
        )
    fields: dict[str, Any] = {}
    for line in _statements(path, source_of(cells[0])):
        name, annotation, default = _field(path, line)
        fields[name] = (annotation, default)
    for name in GIVEN_BY_RUNNER:
        if name not in fields:
            raise StudyError(f'{path}: the parameters cell must declare {name}: str = "".')
    both = [name for name in fields if name not in GIVEN_BY_RUNNER and is_study_key(name)]
    if both:
        raise StudyError(
            f"{path}: {', '.join(both)} belong to the study, not to the notebook. Take them out of "
            "the parameters cell and read them from the study."
        )
    own = {name: field for name, field in fields.items() if name not in GIVEN_BY_RUNNER}
    return create_model("Parameters", __config__=ConfigDict(extra="forbid"), **own)


def checked_parameters(path: Path, given: Mapping[str, Any], *, where: str) -> dict[str, Any]:
    """The parameters a notebook will get: defaults, and what the study gives, in their types."""
    model = declared_parameters(path)
    checked = parse_document(dict(given), model, where=f"{where}, parameters", error=StudyError)
    return checked.model_dump(mode="json")


def _statements(path: Path, source: str) -> list[ast.AnnAssign]:
    try:
        body = ast.parse(source).body
    except SyntaxError:
        raise StudyError(f"{path}: the parameters cell is not valid Python.") from None
    if not all(isinstance(line, ast.AnnAssign) for line in body):
        raise StudyError(
            f"{path}: the parameters cell may hold only lines like `name: float = 1.0`."
        )
    return [line for line in body if isinstance(line, ast.AnnAssign)]


def _field(path: Path, line: ast.AnnAssign) -> tuple[str, Any, Any]:
    name, annotation = ast.unparse(line.target), ast.unparse(line.annotation)
    kind = TYPES.get(annotation)
    if annotation.startswith("list[") and annotation[5:-1] in TYPES:
        kind = list[TYPES[annotation[5:-1]]]  # type: ignore[misc]
    if kind is None or line.value is None:
        raise StudyError(
            f"{path}: the parameter {name} needs a type (str, int, float, bool or a list of one of "
            "them) and a default."
        )
    try:
        return name, kind, ast.literal_eval(line.value)
    except ValueError:
        raise StudyError(f"{path}: the default of {name} must be a plain value.") from None
