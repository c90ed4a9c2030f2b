"""Every run of a batch ends once, with its own state, whatever its notebook does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from batches import DECLARED, KINDS, TABLE, batch_project, write_sweep
from projects import study_file

from notebooks import REPORT, write_notebook
from workbench.project import Project
from workbench.runner import execute
from workbench.runner.batches.batch import Batch, Ended, Watcher, as_they_end, run_batch
from workbench.runner.batches.batch_plan import plan_batch
from workbench.runner.index import write_index
from workbench.runner.manifest import read_manifest


def run_sweep(project: Project, *sweeps: Path, jobs: int = 4, **options) -> Batch:
    return run_batch(plan_batch(sweeps, project), jobs=jobs, **options)


def states(batch: Batch) -> dict[str, str]:
    return {one.plan.overrides["kind"]: one.state for one in batch.ended}


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    """One batch in which everything goes wrong that can, and three runs that are fine."""
    project = batch_project(tmp_path_factory.mktemp("faulty"))
    kinds = ["fine", "raise", "segfault", "leave", "print", "spawn"]
    sweeps = [
        write_sweep(project, "many", sweep={"kind": kinds}),
        write_sweep(project, "slow", base={"kind": "loop"}, limits={"minutes": "0.1"}),
        write_sweep(project, "large", base={"kind": "eat"}, limits={"memory_mb": "700"}),
        write_sweep(project, "promised", base={"kind": "nap"}, outputs=["figure.png"]),
    ]
    memory = psutil.Process().memory_info().rss
    batch = run_sweep(project, *sweeps)
    grown = psutil.Process().memory_info().rss - memory
    return project, sweeps, batch, grown


def test_each_run_ends_with_its_own_state_and_none_stops_the_rest(faulty):
    _, _, batch, _ = faulty
    assert states(batch) == {
        "fine": "finished", "print": "finished", "spawn": "finished",
        "raise": "failed", "leave": "failed", "nap": "failed",
        "segfault": "died", "eat": "died", "loop": "timed out",
    }  # fmt: skip
    assert not batch.was_stopped and len(batch.failed) == 6


def test_messages_say_why_and_hold_no_value(faulty):
    messages = {one.plan.overrides["kind"]: one.message for one in faulty[2].ended}
    assert "stopped with ValueError" in messages["raise"]
    assert "more than 700 MB" in messages["eat"]
    assert "after 0.1 minutes" in messages["loop"]
    assert "kernel died" in messages["segfault"]
    assert "to make figure.png" in messages["nap"]
    assert "without a report" in messages["leave"]
    assert "SENTINEL" not in str(messages)


def test_every_run_lies_in_its_place_with_its_record_and_nothing_else_does(faulty):
    project, _, batch, _ = faulty
    folders = sorted(one.name for one in (project.runs_folder / "dialysis").iterdir())
    assert folders == sorted(one.plan.run_folder.name for one in batch.ended)
    for one in batch.ended:
        manifest = read_manifest(one.plan.run_folder)
        assert manifest is not None and manifest.state == one.state
        assert manifest.labels == one.plan.labels and manifest.name == one.plan.run_name
        assert (one.plan.run_folder / "release").is_dir() == (one.state == "finished")


def test_what_a_study_started_ends_with_it(faulty):
    (spawned,) = [one for one in faulty[2].ended if one.plan.overrides["kind"] == "spawn"]
    child = int((spawned.plan.run_folder / "child").read_text())
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == "zombie"


def test_a_notebook_that_prints_much_leaves_the_runner_small(faulty):
    assert faulty[3] < 400 * 2**20


def test_a_second_call_makes_only_what_did_not_finish(faulty, tmp_path):
    project, sweeps, _, _ = faulty
    started: list[str] = []
    watcher = Watcher(started=lambda plan: started.append(plan.overrides["kind"]))
    batch = run_sweep(project, sweeps[0], watcher=watcher)
    assert sorted(started) == ["leave", "raise", "segfault"]
    assert batch.count("unchanged") == 3


def test_the_index_shows_what_varied_and_how_each_ended(faulty):
    project, _, _, _ = faulty
    page = write_index(project.runs_folder).read_text()
    assert 'data-state="timed out"' in page and "✗ died" in page and "✓ finished" in page
    assert "kind=segfault" in page and "kind = segfault" in page
    assert "<option>dialysis</option>" in page and "http" not in page


def test_a_changed_notebook_is_never_taken_from_before(tmp_path):
    project = batch_project(tmp_path)
    sweep = write_sweep(project, sweep={"number": ["1", "2"]}, base={"kind": "fine"})
    assert run_sweep(project, sweep).count("finished") == 2
    assert run_sweep(project, sweep).count("unchanged") == 2
    plans = plan_batch([sweep], project)
    write_notebook(
        tmp_path / "notebooks" / "own.ipynb", KINDS, REPORT, TABLE, "1", parameters=DECLARED
    )
    late = run_batch(plans, jobs=2, force=True)  # planned before the notebook was edited
    assert [one.state for one in late.ended] == ["failed", "failed"]
    assert "has changed since the run was planned" in late.ended[0].message
    assert run_sweep(project, sweep).count("finished") == 2


def test_a_study_edited_during_the_batch_does_not_enter_it(tmp_path):
    project = batch_project(tmp_path)
    sweep = write_sweep(project, sweep={"number": ["1", "2"]}, base={"kind": "fine"})
    path = study_file(project)
    text = path.read_text()

    def edit(_):
        path.write_text(text.replace("seed: 1", "seed: 2").replace("Who lives", "Who dies"))

    batch = run_sweep(project, sweep, jobs=1, watcher=Watcher(ended=edit))
    assert batch.count("finished") == 2
    for one in batch.ended:
        task = json.loads((one.plan.run_folder / "task.json").read_text())
        assert task["study"]["question"] == "Who lives longest?"


def test_a_clock_that_goes_back_gives_no_negative_time(tmp_path, monkeypatch):
    days = [datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)]

    class Backwards(datetime):
        @classmethod
        def now(cls, tz=None):
            return days.pop(0) if len(days) > 1 else days[0]

    project = batch_project(tmp_path)
    monkeypatch.setattr(execute, "datetime", Backwards)
    (ended,) = run_sweep(project, write_sweep(project, base={"kind": "fine"})).ended
    assert ended.state == "finished" and 0 < ended.seconds < 60


def test_two_runners_on_one_folder_share_the_work(tmp_path):
    project = batch_project(tmp_path)
    numbers = [str(at) for at in range(8)]
    sweep = write_sweep(project, base={"kind": "nap"}, sweep={"number": numbers})
    plans = [plan_batch([sweep], project) for _ in range(2)]
    batches: list[Batch] = []
    runners = [
        threading.Thread(target=lambda one=one: batches.append(run_batch(one, jobs=2)))
        for one in plans
    ]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join()
    made = [batch.count("finished") for batch in batches]
    assert sum(made) == 8 and min(made) > 0
    assert all(not batch.failed and len(batch.ended) == 8 for batch in batches)
    assert len([*(project.runs_folder / "dialysis").iterdir()]) == 8


def test_a_folder_that_cannot_be_written_is_told_for_each_run(tmp_path):
    project = batch_project(tmp_path)
    sweep = write_sweep(project, sweep={"number": ["1", "2"]}, base={"kind": "fine"})
    (project.runs_folder).write_text("a file where the runs folder should be")
    batch = run_sweep(project, sweep)
    assert [one.state for one in batch.ended] == ["failed", "failed"]
    assert "Nothing was kept" in batch.ended[0].message


def start_batch(project: Project, sweep: Path, *options: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "workbench", "batch", str(sweep), *options]
    return subprocess.Popen(
        [*command, "--project", str(project.root)],
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # who runs the tests in the background may have given them deaf ears for Ctrl-C
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def wait_for(condition, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert condition()


def test_ctrl_c_ends_cleanly_and_is_resumed(tmp_path):
    project = batch_project(tmp_path)
    kinds = ["fine", "wait", "nap", "spawn"]
    sweep = write_sweep(project, sweep={"kind": kinds})
    folder = project.runs_folder / "dialysis"
    runner = start_batch(project, sweep, "--jobs", "1")
    wait_for(lambda: any(folder.glob("*/manifest.json")) and any(folder.glob(".work-*/task.json")))
    time.sleep(1)
    os.killpg(runner.pid, signal.SIGINT)
    told, _ = runner.communicate(timeout=20)
    assert runner.returncode == 130, told
    assert "Stopped" in told and "Traceback" not in told
    assert not [*folder.glob(".work-*")]
    write_sweep(project, sweep={"kind": ["fine", "nap", "spawn"]})
    batch = run_sweep(project, sweep)
    assert batch.count("unchanged") == 1 and batch.count("finished") == 2


def test_ctrl_c_is_heard_even_when_it_does_not_wake_the_runner():
    """A signal that another thread takes leaves the waiting one asleep, as one just before does."""
    never: Future[Ended] = Future()
    plan = SimpleNamespace()
    strike = threading.Timer(0.5, lambda: signal.pthread_kill(threading.get_ident(), signal.SIGINT))
    give_up = threading.Timer(30, lambda: never.set_result(Ended(plan, "finished")))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    strike.start()
    give_up.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            list(as_they_end([plan], lambda plan, again: never))
        assert not never.done()  # what ends at last would have woken it
    finally:
        give_up.cancel()
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("options", [[], ["--cold"]])
def test_a_killed_runner_leaves_nothing_half_made_and_is_resumed(tmp_path, options):
    project = batch_project(tmp_path)
    numbers = [str(at) for at in range(4)]
    sweep = write_sweep(project, base={"kind": "nap"}, sweep={"number": numbers})
    folder = project.runs_folder / "dialysis"
    for moment in (0.4, 1.4, 2.2):
        runner = start_batch(project, sweep, *options)
        wait_for(folder.is_dir)
        time.sleep(moment)
        os.killpg(runner.pid, signal.SIGKILL)
        runner.communicate()
        for made in folder.glob("[!.]*"):
            manifest = read_manifest(made)
            assert manifest is not None and manifest.state == "finished"
            assert (made / "release" / "levels.csv").is_file()
    batch = run_sweep(project, sweep)
    assert not batch.failed and len(batch.ended) == 4
    assert {one.name for one in folder.iterdir()} == {
        one.plan.run_folder.name for one in batch.ended
    }
    wait_for(lambda: not kernels_in(folder), 10)


def kernels_in(folder: Path) -> list[int]:
    found = []
    for one in psutil.process_iter(["cwd", "pid"]):
        if one.info["cwd"] and Path(one.info["cwd"]).is_relative_to(folder):
            found.append(one.info["pid"])
    return found
