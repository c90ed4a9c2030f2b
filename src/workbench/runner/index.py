"""`runs/index.html`: every run, its state and its report; opens from disk, offline."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from workbench.runner.batches.claims import lost_runs
from workbench.runner.manifest import MANIFEST
from workbench.runner.withdrawal import is_withdrawn

SHORTEST, LONGEST = 40, 300  # letters of one value, and of all that changed, in a row
MARKS = {
    "finished": "✓ finished",
    "failed": "✗ failed",
    "died": "✗ died",
    "timed out": "✗ timed out",
    "lost": "✗ lost",
    "withdrawn": "⊘ inputs withdrawn",
}

Row = dict[str, Any]


def write_index(runs_folder: Path) -> Path:
    """Write the index anew from the runs' own records, whole or not at all."""
    runs_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    runs_folder.chmod(0o700)
    rows = sorted(_rows(runs_folder), key=lambda row: (row["study"], -row["at"]))
    counts = Counter(row["state"] for row in rows)
    templates = Environment(
        loader=PackageLoader("workbench.runner"), autoescape=True, undefined=StrictUndefined
    )
    page = templates.get_template("index.html.j2").render(
        runs=rows,
        marks=MARKS,
        studies=sorted({row["study"] for row in rows}),
        states={state: counts[state] for state in MARKS if counts[state]},
    )
    path = runs_folder / "index.html"
    new = runs_folder / f".index-{os.getpid()}.html"
    new.write_text(page, encoding="utf-8")
    new.replace(path)
    return path


def _rows(runs_folder: Path) -> Iterator[Row]:
    for study_folder in sorted(one for one in runs_folder.iterdir() if one.is_dir()):
        seen = set()
        for folder in sorted(study_folder.iterdir()):
            record = _record_of(folder)
            if record is not None and not folder.name.startswith("."):
                seen.add(folder.name)
                yield _row(runs_folder, folder, record)
        for name in lost_runs(study_folder):
            if name not in seen:
                yield _lost(study_folder, name)


def _record_of(folder: Path) -> Row | None:
    """A run's record as plain data: ten thousand of them are read, and few keys are needed."""
    try:
        record: Row = json.loads((folder / MANIFEST).read_bytes())
        record["study"], record["state"], record["inputs"]["tables"], record["finished_at"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return record


def _row(runs_folder: Path, folder: Path, record: Row) -> Row:
    place = folder.relative_to(runs_folder).as_posix()
    release = folder / "release"
    files = {path.name for path in release.iterdir()} if release.is_dir() else set()
    finished, started = (
        datetime.fromisoformat(record[name]) for name in ("finished_at", "started_at")
    )
    return {
        "study": record["study"],
        "title": record["title"],
        "run": folder.name,
        "name": record.get("name", ""),
        "changed": _changes(record),
        "state": "withdrawn" if is_withdrawn(folder) else record["state"],
        "message": record["message"],
        "tables": ", ".join(
            f"{name} {table['version']}" for name, table in record["inputs"]["tables"].items()
        ),
        "as_of": record["as_of"] or "no dates",
        "at": finished.timestamp(),
        "finished_at": f"{finished:%Y-%m-%d %H:%M} UTC",
        "seconds": f"{(finished - started).total_seconds():.0f} s",
        "report": f"{place}/release/report.html" if "report.html" in files else "",
        "record": f"{place}/{MANIFEST}",
        "picture": _picture(place, files),
    }


def _lost(study_folder: Path, name: str) -> Row:
    return {
        "study": study_folder.name, "title": study_folder.name, "run": name, "name": "",
        "changed": "", "state": "lost", "tables": "", "as_of": "", "at": 0.0,
        "finished_at": "not finished", "seconds": "", "report": "", "record": "", "picture": "",
        "message": "Whoever ran it ended before it was done. Running the batch again makes it.",
    }  # fmt: skip


def _changes(record: Row) -> str:
    """What a sweep or the command line changed, short: a list is told by the sweep's label."""
    told = {**record["changed"], **record.get("labels", {})}
    parts = [
        f"{key} = {value}"
        for key, value in told.items()
        if len(value) <= SHORTEST or key in record.get("labels", {})
    ]
    text = ", ".join(parts)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"


def _picture(place: str, files: set[str]) -> str:
    """The first figure that is not the flow of persons, if any."""
    pictures = sorted(name for name in files if name.endswith(".png"))
    pictures = [name for name in pictures if not name.startswith("flow")] or pictures
    return f"{place}/release/{pictures[0]}" if pictures else ""
