"""A run's own record: what went in, what came out, how it ended.

Whether a run is finished is read from here and nowhere else: a notebook whose kernel died looks
complete. The record holds hashes, parameters and versions, and no data.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
from datetime import datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

MANIFEST = "manifest.json"
# failed: a cell stopped, or what was promised is missing; died: the kernel ended; lost: whoever ran
# it ended.
State = Literal["finished", "failed", "died", "timed out", "lost"]
RECORDED = (  # what can change a number or a picture
    "register-workbench", "pandas", "numpy", "scipy", "lifelines", "duckdb", "ibis-framework",
    "pyarrow", "formulaic", "matplotlib", "seaborn", "papermill",
)  # fmt: skip


class Manifest(BaseModel):
    """The record of one run, as it stands in manifest.json."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int = 1
    study: str
    title: str
    run: str
    state: State
    message: str  # why it failed, in words without data; blank when finished
    key: str
    as_of: str | None
    seed: int
    started_at: datetime
    finished_at: datetime
    inputs: dict[str, Any]
    changed: dict[str, str]  # keys and parameters that the command line or a sweep changed
    sweep: str = ""  # the sweep it was first made for, its name there, and what varied
    name: str = ""
    labels: dict[str, str] = Field(default_factory=dict)
    counts: dict[str, int]
    environment: dict[str, str]
    outputs: dict[str, str]  # file below the run folder -> sha256

    @property
    def seconds(self) -> float:
        """How long the run took."""
        return (self.finished_at - self.started_at).total_seconds()


@cache
def environment() -> dict[str, str]:
    """The versions of what computes, as installed here."""
    found = {name: version(name) for name in RECORDED}
    return {"python": sys.version.split()[0], "system": platform.system(), **found}


def hashes(folder: Path) -> dict[str, str]:
    """Every file below a folder with its SHA-256 sum."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the record whole or not at all."""
    new = folder / f".{MANIFEST}"
    with new.open("w", encoding="utf-8") as stream:
        json.dump(manifest.model_dump(mode="json"), stream, indent=1, ensure_ascii=False)
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(folder / MANIFEST)


def read_manifest(folder: Path) -> Manifest | None:
    """A run folder's record, or nothing where there is none that can be read."""
    try:
        return Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except (OSError, ValidationError):
        return None
