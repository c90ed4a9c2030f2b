"""What differs: the inputs of a run then and now, and two releases of one study."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PICTURES = {".png", ".svg"}
# Made by an installed browser, which writes the time of printing into it.
NEVER_COMPARED = {".pdf"}
# Holds the run's key and the hash of the workbench's code, beside what tables and figures hold.
CARRIES_KEY = {
    "report.html", "release.json", "workbook.xlsx", "deck.pptx", "for_a_paper.html",
    "for_a_paper.csv",
}  # fmt: skip
WORDS = {
    "notebook": "the notebook's code",
    "workbench_code_sha256": "the workbench's own code",
    "release_profile": "the release profile",
    "life_table": "the life table",
    "prom": "the questionnaire",
}


@dataclass
class Compared:
    """Two releases beside each other."""

    same: list[str] = field(default_factory=list)  # files, byte for byte
    differences: list[str] = field(default_factory=list)  # sentences
    remarks: list[str] = field(default_factory=list)


def changed_inputs(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Which inputs of a run are not what they were, in words; no data."""
    told: list[str] = []
    for part in dict.fromkeys([*then, *now]):
        before, after = then.get(part), now.get(part)
        if before == after:
            continue
        if part in WORDS or not (isinstance(before, dict) and isinstance(after, dict)):
            told.append(WORDS.get(part, part.replace("_", " ")))
            continue
        told += [_one_change(part, name, before, after) for name in _unequal(before, after)]
    return told


def compare_releases(then: Path, now: Path, *, same_inputs: bool) -> Compared:
    """Compare two release folders: tables byte for byte, figures by the numbers drawn.

    Pictures whose numbers are the same but whose bytes are not are a remark. Pages that carry the
    run's key are compared only where the inputs, and so the key, are the same.
    """
    found = Compared()
    names = {
        path.name
        for folder in (then, now)
        for path in folder.iterdir()
        if path.suffix not in NEVER_COMPARED and (same_inputs or path.name not in CARRIES_KEY)
    }
    equal = {name for name in names if _bytes_of(then / name) == _bytes_of(now / name)}
    for name in sorted(names):
        if name in equal:
            found.same.append(name)
        elif not (then / name).is_file():
            found.differences.append(f"{name} is made now, and was not then")
        elif not (now / name).is_file():
            found.differences.append(f"{name} was made then, and is not now")
        elif Path(name).suffix in PICTURES and f"{Path(name).stem}.csv" in equal:
            found.remarks.append(f"{name} is drawn otherwise; the numbers in it are the same")
        else:
            found.differences.append(_told(name, then / name, now / name))
    return found


def _told(name: str, then: Path, now: Path) -> str:
    if then.suffix != ".csv":
        return f"{name} differs"
    before, after = _cells(then), _cells(now)
    if [len(row) for row in before] != [len(row) for row in after] or not before:
        return f"{name} has {_shape(before)} then, {_shape(after)} now"
    unequal = [
        (at, before[0][column])
        for at, (one, other) in enumerate(zip(before, after, strict=True))
        for column, (cell, there) in enumerate(zip(one, other, strict=True))
        if cell != there
    ]
    columns = ", ".join(dict.fromkeys(column for _, column in unequal))
    cells = f"{len(unequal)} cell{'s differ' if len(unequal) > 1 else ' differs'}"
    return f"{name}: {cells}, first in row {unequal[0][0]} (columns: {columns})"


def _cells(path: Path) -> list[list[str]]:
    return [*csv.reader(io.StringIO(path.read_text(encoding="utf-8")))]


def _shape(cells: list[list[str]]) -> str:
    return f"{max(len(cells) - 1, 0)} rows of {len(cells[0]) if cells else 0} columns"


def _bytes_of(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _unequal(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for name in dict.fromkeys([*before, *after]):
        if before.get(name) != after.get(name):
            yield name


def _one_change(part: str, name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    if part == "environment":
        return f"{name}: {before.get(name, 'not there')} then, {after.get(name, 'not there')} now"
    if part == "tables":
        then, now = before.get(name) or {}, after.get(name) or {}
        what = ", ".join(key.removesuffix("_sha256") for key in _unequal(then, now))
        return f"the table {name} ({what})"
    return f"{part.replace('_', ' ')}: {name}"
