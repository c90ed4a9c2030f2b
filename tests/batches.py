"""A small project whose notebook does what its parameter says, and a sweep over that."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from projects import STUDY, import_rows, make_project, many_rows

from notebooks import GIVEN, REPORT, write_notebook
from workbench.project import Project, open_project

KINDS = """\
import os, sys, time
if kind == "raise":
    raise ValueError("SENTINEL 19121212")
if kind == "segfault":
    import ctypes
    ctypes.string_at(0)
if kind == "loop":
    while True:
        pass
if kind == "eat":
    held = []
    while True:
        held.append(bytearray(b"x" * 2**25))
        time.sleep(0.01)
if kind == "leave":
    sys.exit(0)
if kind == "print":
    for _ in range(1000):
        print("x" * 10**5)
if kind == "spawn":
    import subprocess
    child = subprocess.Popen(["sleep", "600"])
    open("child", "w").write(str(child.pid))
if kind == "wait":
    time.sleep(60)
if kind == "nap":
    time.sleep(0.5)
"""
TABLE = "(release / 'levels.csv').write_text(f'level,n\\n{number},[c]\\n{number + 1},7\\n')"
DECLARED = GIVEN + 'kind: str = "fine"\nnumber: int = 0\nfactor: float = 1.0\n'


def batch_project(folder: Path, *cells: str) -> Project:
    """A project with rows in its store and a notebook of the cells, or of all kinds of ends."""
    make_project(folder, study=STUDY.replace("20_estimate_survival", "own"))
    project = open_project(folder)
    import_rows(project, *many_rows(20))
    notebook = folder / "notebooks" / "own.ipynb"
    write_notebook(notebook, *(cells or (KINDS, REPORT, TABLE)), parameters=DECLARED)
    return project


def write_sweep(project: Project, name: str = "one", **content: Any) -> Path:
    """Write a sweep on the project's study; JSON is YAML."""
    path = project.root / "params" / "batches" / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"study": "dialysis", **content}), encoding="utf-8")
    return path
