"""`runs/index.html`: every run, its state and its report; opens from disk, offline."""

from __future__ import annotations

import os
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from workbench.runner.manifest import Manifest, read_manifest
from workbench.runner.withdrawal import is_withdrawn


def write_index(runs_folder: Path) -> Path:
    """Write the index anew from the runs' own records, whole or not at all."""
    runs_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    runs_folder.chmod(0o700)
    found = sorted(
        (
            (folder, manifest)
            for folder in runs_folder.glob("*/*")
            if (manifest := read_manifest(folder))
        ),
        key=lambda run: (run[1].study, -run[1].finished_at.timestamp()),
    )
    templates = Environment(
        loader=PackageLoader("workbench.runner"), autoescape=True, undefined=StrictUndefined
    )
    page = templates.get_template("index.html.j2").render(
        runs=[_row(runs_folder, folder, manifest) for folder, manifest in found]
    )
    path = runs_folder / "index.html"
    new = runs_folder / f".index-{os.getpid()}.html"
    new.write_text(page, encoding="utf-8")
    new.replace(path)
    return path


def _row(runs_folder: Path, folder: Path, manifest: Manifest) -> dict[str, object]:
    place = folder.relative_to(runs_folder).as_posix()
    has_report = (folder / "release" / "report.html").is_file()
    tables = manifest.inputs["tables"]
    return {
        "study": manifest.study,
        "title": manifest.title,
        "run": folder.name,
        "changed": ", ".join(f"{key} = {value}" for key, value in manifest.changed.items()),
        "state": "withdrawn" if is_withdrawn(folder) else manifest.state,
        "message": manifest.message,
        "tables": ", ".join(f"{name} {table['version']}" for name, table in tables.items()),
        "as_of": manifest.as_of or "no dates",
        "finished_at": f"{manifest.finished_at:%Y-%m-%d %H:%M} UTC",
        "seconds": f"{manifest.seconds:.0f} s",
        "report": f"{place}/release/report.html" if has_report else "",
        "record": f"{place}/manifest.json",
    }
