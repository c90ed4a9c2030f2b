"""Who makes a run: of several runners on one folder each run is made by one of them.

A claim is a lock on a file beside the run's place, which the operating system releases when its
holder ends, however it ends. Process numbers would say nothing on a folder that machines share.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

WORK, CLAIM = ".work-", ".claim"


@contextmanager
def claimed(place: Path) -> Iterator[bool]:
    """Hold a run's place; gives no, and holds nothing, while another runner has it."""
    file = place.with_name(f"{WORK}{place.name}{CLAIM}")
    held = _lock(file)
    try:
        yield held is not None
    finally:
        if held is not None:
            # Removed while it is still held: who opened it meanwhile sees that it is gone.
            file.unlink(missing_ok=True)
            os.close(held)


def sweep(study_folder: Path) -> list[str]:
    """Remove what runners that are gone left behind; give the names of the runs they lost."""
    lost = set()
    for name in sorted({_run_of(left) for left in study_folder.glob(f"{WORK}*")}):
        with claimed(study_folder / name) as is_ours:
            if is_ours and remove_work(study_folder / name):
                lost.add(name)
    return sorted(lost)


def remove_work(place: Path) -> bool:
    """Remove work folders of a run whose claim is held; whether there were any."""
    left = [one for one in place.parent.glob(f"{WORK}{place.name}-*") if one.is_dir()]
    for folder in left:
        shutil.rmtree(folder, ignore_errors=True)
    return bool(left)


def lost_runs(study_folder: Path) -> list[str]:
    """Names of runs that a runner left half-made; nothing is removed."""
    lost = []
    for name in sorted({_run_of(left) for left in study_folder.glob(f"{WORK}*-*")}):
        with suppress(OSError), claimed(study_folder / name) as is_ours:
            lost += [name] if is_ours else []
    return lost


def _run_of(left: Path) -> str:
    """The run that a claim or a work folder belongs to: .work-RUN.claim, .work-RUN-TOKEN."""
    name = left.name.removeprefix(WORK)
    return name.removesuffix(CLAIM) if name.endswith(CLAIM) else name.rpartition("-")[0]


def _lock(file: Path) -> int | None:
    while True:
        opened = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        if not _taken(opened):
            os.close(opened)
            return None
        try:
            if os.path.samestat(os.fstat(opened), file.stat()):
                return opened
        except FileNotFoundError:
            pass
        os.close(opened)  # its last holder removed it between our opening and locking it


if sys.platform == "win32":
    import msvcrt

    def _taken(opened: int) -> bool:
        try:
            msvcrt.locking(opened, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _taken(opened: int) -> bool:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
