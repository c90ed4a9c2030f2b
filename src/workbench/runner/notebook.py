"""What a plan must know of a notebook: its code, and the parameters it declares."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel

from workbench.runner.parameters import declared_parameters, read_notebook, source_of


@dataclass(frozen=True)
class Notebook:
    """A notebook as it was when it was read."""

    path: Path
    code: str  # of all code cells
    code_sha256: str  # its words may change without a new result
    parameters: type[BaseModel]

    @cached_property
    def inputs(self) -> dict[str, str]:
        """What a run records of it."""
        return {"name": self.path.stem, "code_sha256": self.code_sha256}


def open_notebook(path: Path) -> Notebook:
    """Read a notebook; raise `StudyError` when it, or its parameters cell, cannot be used."""
    code = _code_of(path)
    return Notebook(path, "\n".join(code), _sum_of(code), declared_parameters(path))


def code_sum(path: Path) -> str:
    """The hash of a notebook's code as it stands now."""
    return _sum_of(_code_of(path))


def _code_of(path: Path) -> list[str]:
    cells = read_notebook(path)["cells"]
    return [source_of(cell) for cell in cells if cell["cell_type"] == "code"]


def _sum_of(code: list[str]) -> str:
    return hashlib.sha256(json.dumps(code).encode()).hexdigest()
