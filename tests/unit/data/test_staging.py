from __future__ import annotations

import os
import subprocess
import sys

from workbench.data import staging


def _gone():
    """The id of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
        return process.pid


def test_a_private_folder_is_its_owners_and_vanishes():
    with staging.private_folder() as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "copy.csv").write_text("x")
    assert not folder.exists()


def test_what_a_killed_process_left_is_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(staging, "gettempdir", lambda: str(tmp_path))
    dead, living = _gone(), os.getppid()
    for name in (f"workbench-{dead}-abc", f"workbench-{living}-abc", "workbench-x-abc", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "copy.csv").write_text("x")
    (tmp_path / f"workbench-{dead}-file").write_text("x")
    with staging.private_folder():
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        ["other", f"workbench-{living}-abc", f"workbench-{dead}-file", "workbench-x-abc"]
    )


def test_places_of_one_delivery_differ(tmp_path):
    first = staging.next_place(tmp_path, ".csv")
    first.touch()
    assert staging.next_place(tmp_path, ".csv") != first


def test_a_process_is_known_to_live_or_not():
    assert staging.is_alive(os.getpid())
    assert os.name != "posix" or not staging.is_alive(_gone())
