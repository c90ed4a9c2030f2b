"""Fifty processes killed at random moments: nothing half made, nothing lost, all resumed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psutil
from batches import batch_project, write_sweep

from workbench.project import Project
from workbench.runner.batches.batch import run_batch
from workbench.runner.batches.batch_plan import plan_batch
from workbench.runner.manifest import read_manifest

KILLS = 50


def test_fifty_kills_at_random_moments_lose_nothing(tmp_path):
    project = batch_project(tmp_path)
    folder, random_moments = project.runs_folder / "dialysis", random.Random(50)
    killed: Counter[str] = Counter()
    n_runs = 0
    while killed.total() < KILLS:
        n_runs += 8  # always some that are not made yet
        sweep = write_sweep(project, base={"kind": "nap"}, sweep={"number": numbers(n_runs)})
        runner = start(project, sweep, is_cold=random_moments.random() < 0.3)
        kill_at_random(runner, killed, random_moments)
        require_whole(folder)
    assert min(killed[one] for one in ("runner", "kernel", "server")) >= 5, killed
    batch = run_batch(plan_batch([sweep], project), jobs=2)
    assert not batch.failed and len(batch.ended) == n_runs
    names = {one.plan.run_folder.name for one in batch.ended}
    assert {one.name for one in folder.iterdir()} == names
    require_whole(folder)


def numbers(n: int) -> list[str]:
    return [str(at) for at in range(n)]


def start(project: Project, sweep: Path, *, is_cold: bool) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "workbench", "batch", str(sweep), "--jobs", "2"]
    return subprocess.Popen(
        [*command, *(["--cold"] if is_cold else []), "--project", str(project.root)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def kill_at_random(
    runner: subprocess.Popen[bytes], killed: Counter[str], moments: random.Random
) -> None:
    """Kill kernels and fork servers while the runner lives, and in the end the runner."""
    while runner.poll() is None and killed.total() < KILLS:
        time.sleep(moments.uniform(0.05, 0.5))
        what = moments.choices(["runner", "kernel", "server"], [1, 3, 2])[0]
        pids = processes_of(runner.pid)[what]
        if pids and (what != "runner" or processes_of(runner.pid)["kernel"]):
            os.kill(moments.choice(sorted(pids)), signal.SIGKILL)
            killed[what] += 1
    runner.kill()
    runner.wait()


def processes_of(pid: int) -> dict[str, set[int]]:
    """The runner, its fork servers, and the kernels of either."""
    found: dict[str, set[int]] = {"runner": {pid}, "kernel": set(), "server": set()}
    try:
        for child in psutil.Process(pid).children():
            if "fork_server" in " ".join(child.cmdline()):
                found["server"].add(child.pid)
                found["kernel"] |= {one.pid for one in child.children()}
            elif "ipykernel" in " ".join(child.cmdline()):
                found["kernel"].add(child.pid)
    except psutil.Error:  # it ended while it was looked at
        pass
    return found


def require_whole(folder: Path) -> None:
    """Every run that lies in its place is finished and has what it was to make."""
    for made in folder.glob("[!.]*"):
        manifest = read_manifest(made)
        assert manifest is not None
        if manifest.state == "finished":
            assert (made / "release" / "levels.csv").is_file()
            assert (made / "release" / "report.html").is_file()
        else:
            assert manifest.state == "died", manifest.state
            assert not (made / "release").exists()
