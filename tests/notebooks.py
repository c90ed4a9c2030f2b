"""Tiny notebooks for tests, written as a study's notebook is."""

from __future__ import annotations

import json
from pathlib import Path

GIVEN = 'study_file: str = ""\nrun_folder: str = ""\n'
REPORT = (
    "from pathlib import Path\n"
    "release = Path(run_folder) / 'release'\n"
    "release.mkdir()\n"
    "(release / 'report.html').write_text('<p>done</p>')"
)

# What a real notebook's publication writes: without it nothing may lie in release/.
RECORD = (
    "\nimport hashlib, json\n"
    "told = {one.name: {'sha256': hashlib.sha256(one.read_bytes()).hexdigest()}"
    " for one in release.iterdir()}\n"
    "(release / 'release.json').write_text(json.dumps({'files': told}, sort_keys=True))"
)


def write_notebook(
    path: Path, *cells: str, parameters: str | None = GIVEN, is_recorded: bool = True
) -> Path:
    """Write a notebook of code cells behind its parameters cell, if it has one.

    The last cell also records what the notebook has put into release/, unless `is_recorded` is no.
    """
    if is_recorded and any(REPORT in cell for cell in cells):
        cells = (*cells[:-1], cells[-1] + RECORD)
    sources = [(parameters, ["parameters"])] if parameters is not None else []
    sources += [(cell, []) for cell in cells]
    content = {
        "cells": [
            {
                "cell_type": "code",
                "id": f"cell-{at}",
                "metadata": {"tags": tags},
                "source": source,
                "outputs": [],
                "execution_count": None,
            }
            for at, (source, tags) in enumerate(sources)
        ],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path
