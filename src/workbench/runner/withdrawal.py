"""Mark runs whose inputs were removed from the store: 'inputs withdrawn'.

Their private parts (the executed notebook, the log) may show persons who left, and are deleted.
What was released stays as it is: it holds no persons, and others may have it already. Which runs
are concerned is told by the store's tombstones, so that marking can be made up for at any time.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from workbench.data.store import Store
from workbench.runner.manifest import MANIFEST, Manifest, read_manifest

WITHDRAWN = "withdrawn.json"
# What stays of a run whose inputs were withdrawn; everything else may hold persons' data.
STAYS = {MANIFEST, WITHDRAWN, "release", "task.json", "counts.json"}


def mark_withdrawn(runs_folder: Path, store: Store) -> list[Path]:
    """Mark every run that used rows no version holds any more; give the runs newly marked."""
    gone = _withdrawn_sums(store)
    marked = []
    for folder in sorted(runs_folder.glob("*/*")):
        manifest = read_manifest(folder)
        if manifest is None:
            continue
        tables = sorted(table for table, sum_ in _inputs(manifest) if (table, sum_) in gone)
        if not tables:
            continue
        if not is_withdrawn(folder):
            _write(folder / WITHDRAWN, tables)
            marked.append(folder)
        _delete_private_parts(folder)
    return marked


def is_withdrawn(folder: Path) -> bool:
    """Whether a run's inputs were withdrawn."""
    return (folder / WITHDRAWN).is_file()


def _withdrawn_sums(store: Store) -> set[tuple[str, str]]:
    """Tables with the sums of rows that were in force once and are in no version now."""
    catalogue = store.catalogue
    gone = {(stone.table, stone.rows_sha256) for stone in catalogue.tombstones}
    there = {
        (table, version.rows_sha256)
        for table, versions in catalogue.tables.items()
        for version in versions
    }
    return gone - there


def _inputs(manifest: Manifest) -> Iterator[tuple[str, str]]:
    for table, about in manifest.inputs.get("tables", {}).items():
        yield table, str(about.get("rows_sha256"))


def _write(path: Path, tables: list[str]) -> None:
    content = {
        "format": 1,
        "withdrawn_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "tables": tables,
    }
    new = path.with_name(f".{path.name}")
    with new.open("w", encoding="utf-8") as stream:
        json.dump(content, stream, indent=1, ensure_ascii=False)
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(path)


def _delete_private_parts(folder: Path) -> None:
    for part in folder.iterdir():
        if part.name in STAYS:
            continue
        shutil.rmtree(part) if part.is_dir() else part.unlink()
