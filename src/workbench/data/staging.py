"""The folder in which a delivery is prepared before anything reaches the store."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir, mkdtemp

PREFIX = "workbench-"


def next_place(staging: Path, suffix: str) -> Path:
    """A file that is not there yet; files of one delivery may have equal names."""
    return staging / f"staged-{len(list(staging.iterdir()))}{suffix}"


@contextmanager
def private_folder() -> Iterator[Path]:
    """A folder of this process alone, for work that belongs to no store; it vanishes afterwards.

    Copies of extracts may lie in it, so what a killed process left is removed by the next one.
    """
    _sweep(Path(gettempdir()))
    folder = Path(mkdtemp(prefix=f"{PREFIX}{os.getpid()}-")).resolve()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def is_alive(process: int) -> bool:
    """Whether a process is running; taken for granted where it cannot be asked."""
    if os.name != "posix":
        return True  # asking would end the process on Windows
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _sweep(place: Path) -> None:
    for left in place.glob(f"{PREFIX}*-*"):
        owner = left.name.removeprefix(PREFIX).partition("-")[0]
        is_ours = left.is_dir() and not left.is_symlink() and owner.isdecimal()
        if is_ours and int(owner) != os.getpid() and not is_alive(int(owner)):
            shutil.rmtree(left, ignore_errors=True)  # another user's stays: it cannot be removed
