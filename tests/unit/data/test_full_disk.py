"""A disk without room is one clear error, and the store is as it was.

On a real small disk where this process may mount one; that files may not grow beyond a limit
stands in for it elsewhere. Both are tested wherever both can be.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyreadstat
import pytest
from builders import write_csv

TESTS = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("imports_without_room.py")
DISK = 2 << 20
# A mount of our own: gone with the process, unseen by others.
MOUNTED = 'mount -t tmpfs -o size={size} none "$1" && shift && exec "$@"'
NAMESPACES = [["unshare", "-m"], ["unshare", "-rm"]]


def _can_mount(namespace, folder):
    try:
        command = [*namespace, "sh", "-c", MOUNTED.format(size=DISK), "sh", str(folder), "true"]
        return subprocess.run(command, capture_output=True, timeout=30).returncode == 0
    except FileNotFoundError:
        return False


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """Files whose rows need more room than there is, each failing at another step."""
    folder = tmp_path_factory.mktemp("large")
    drawn = random.Random(1)
    words = [f"{drawn.getrandbits(128):x}" for _ in range(120_000)]
    lines = [f"{row};{word}" for row, word in enumerate(words)]
    rows = pd.DataFrame({"id": range(len(words)), "word": words})
    rows.to_parquet(folder / "rows.parquet")
    pyreadstat.write_dta(rows, str(folder / "rows.dta"))
    return {
        "rows in their types": write_csv(folder / "plain.csv", "id;word", *lines),
        "a copy in UTF-8": write_csv(folder / "å.csv", "id;word", "1;å", *lines, encoding="cp1252"),
        "a staged Parquet file": folder / "rows.parquet",
        "a staged Stata file": folder / "rows.dta",
    }


@pytest.fixture(scope="module", params=["small disk", "small files"])
def run(request, tmp_path_factory):
    """Run the script on a small disk, or with a limit on the size of files."""
    folder = tmp_path_factory.mktemp("disk")
    working = next((one for one in NAMESPACES if _can_mount(one, folder)), None)
    is_disk = request.param == "small disk" and working is not None
    prefix = [*working, "sh", "-c", MOUNTED.format(size=DISK), "sh", str(folder)] if is_disk else []

    def run_script(large_file, store_name):
        small = write_csv(folder.parent / "small.csv", "id;word", "1;a", "x;b")
        command = [sys.executable, str(SCRIPT), folder / store_name, small, large_file]
        return subprocess.run(
            [*prefix, *map(str, command), "0" if is_disk else str(DISK)],
            capture_output=True,
            text=True,
            timeout=120,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path])},
        )

    return run_script


@pytest.mark.parametrize(
    "step",
    ["rows in their types", "a copy in UTF-8", "a staged Parquet file", "a staged Stata file"],
)
def test_no_room_is_one_error_and_changes_nothing(run, large, step):
    done = run(large[step], f"store-{len(step)}")
    assert done.stderr == ""
    outcome = json.loads(done.stdout)
    assert (outcome["kind"], outcome["exit"]) == ("RunError", 5)
    assert "is full. Nothing has changed. Make room and import again." in outcome["text"]
    assert outcome["is_as_before"]
    assert outcome["n"] == 3
    assert outcome["is_new"] is False
