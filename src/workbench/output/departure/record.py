"""Whether the files of a folder are those of its release record."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from workbench.output.departure.findings import Finding

RECORD = "release.json"


def record_findings(folder: Path, files: list[Path]) -> Iterator[Finding]:
    """Files that the gate did not write, that were changed since, or that are gone."""
    for path in (one for one in files if one.name == RECORD):
        try:
            files_told = json.loads(path.read_text(encoding="utf-8"))["files"]
            listed = {name: one["sha256"] for name, one in files_told.items()}
        except (ValueError, KeyError, TypeError, AttributeError, OSError):
            where = path.relative_to(folder).as_posix()
            yield Finding(where, "the release record cannot be read", "Make the release anew.")
            continue
        yield from _beside(folder, path.parent, listed)


def _beside(folder: Path, release: Path, listed: dict[str, str]) -> Iterator[Finding]:
    for path in sorted(one for one in release.rglob("*") if one.is_file()):
        name, where = path.relative_to(release).as_posix(), path.relative_to(folder).as_posix()
        if name == RECORD:
            continue
        if name not in listed:
            yield Finding(where, "is not in the release record", "Take it out of the folder.")
        elif hashlib.sha256(path.read_bytes()).hexdigest() != listed[name]:
            yield Finding(where, "was changed after its release", "Make the release anew.")
    for name in listed:
        if not (release / name).is_file():
            where = (release / name).relative_to(folder).as_posix()
            yield Finding(where, "is in the release record and not here", "Make the release anew.")
