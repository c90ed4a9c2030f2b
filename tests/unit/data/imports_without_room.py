"""Imports that run out of room: run as a script by `test_full_disk.py`, in a process of its own.

Arguments: the store, a small file, a large file, and the most bytes a file may have (0: no limit
but the disk's). Prints what became of the store as JSON.
"""

from __future__ import annotations

import hashlib
import json
import resource
import sys
from pathlib import Path
from typing import Any

from builders import bring_in, register_of

from workbench.errors import WorkbenchError

REGISTER = register_of({"id": "integer", "word": "text"})


def content(folder: Path) -> dict[str, str]:
    """Every file of a store but the lock, with its sum."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def main(store: Path, small: Path, large: Path, most_bytes: int) -> dict[str, Any]:
    """Import the small file, then the large one."""
    bring_in(REGISTER, small, store)
    before = content(store)
    if most_bytes:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
    try:
        bring_in(REGISTER, large, store)
    except WorkbenchError as told:
        outcome = {"kind": type(told).__name__, "exit": told.exit_code, "text": str(told)}
    else:
        outcome = {"kind": "no error"}
    after = content(store)
    again = bring_in(REGISTER, small, store)
    return {**outcome, "is_as_before": before == after, "is_new": again.is_new, "n": len(before)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(*map(Path, sys.argv[1:4]), int(sys.argv[4]))))
