"""A batch as a job array and on a cluster: every run ends exactly once in the index."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest
from batches import batch_project, write_sweep
from projects import import_rows, many_rows

from workbench import cli
from workbench.errors import DisclosureError, RunError, StudyError
from workbench.runner.batches.assignments import read_assignments
from workbench.runner.batches.batch import run_batch
from workbench.runner.batches.batch_plan import plan_batch
from workbench.runner.batches.cluster import run_on_scheduler
from workbench.runner.batches.gathering import gather
from workbench.runner.execute import record_lost
from workbench.runner.manifest import read_manifest


@pytest.fixture
def call(monkeypatch, capsys):
    def called(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["workbench", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return called


def test_an_array_makes_its_runs_by_number_and_they_are_gathered(tmp_path, call, monkeypatch):
    project = batch_project(tmp_path)
    sweep = write_sweep(project, base={"number": "3"}, sweep={"kind": ["fine", "raise", "nap"]})
    plan = tmp_path / "plan.json"
    where = ("--project", tmp_path)
    code, out, _ = call("batch", "plan", sweep, "--out", plan, *where)
    assert code == 0 and "3 runs planned" in out
    assert [one["name"] for one in read_assignments(plan)] == [
        "kind=fine",
        "kind=raise",
        "kind=nap",
    ]
    assert call("batch", "exec", plan, "--only", 1)[0] == 0
    code, _, err = call("batch", "exec", plan, "--only", 2)
    assert code == 5 and "stopped with ValueError" in err and "SENTINEL" not in err
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "3")
    assert call("batch", "exec", plan)[0] == 0
    assert "unchanged" in call("batch", "exec", plan)[1]
    for number in (0, 4):
        code, _, err = call("batch", "exec", plan, "--only", number)
        assert code == 2 and "the runs 1 to 3" in err
    assert call("batch", "index", *where)[0] == 0
    page = (project.runs_folder / "index.html").read_text()
    assert page.count('<tr data-study="dialysis"') == 3

    code, out, _ = call("batch", "gather", sweep, *where)
    assert code == 0 and "1 tables of 2 of 3 runs" in out
    folder = project.runs_folder / "batches" / "one"
    assert (folder / "levels.csv").read_text() == (
        "run,kind,level,n\nkind=fine,fine,3,[c]\nkind=fine,fine,4,7\n"
        "kind=nap,nap,3,[c]\nkind=nap,nap,4,7\n"
    )
    numbers = pd.read_parquet(folder / "levels.parquet")
    assert numbers["n"].tolist()[1::2] == [7, 7] and numbers["n"].isna().sum() == 2
    assert numbers["n_is_hidden"].tolist() == [True, False] * 2

    plans = plan_batch([sweep], project)
    table = plans[0].run_folder / "release" / "levels.csv"
    table.write_text(table.read_text().replace("[c]", "2"))
    with pytest.raises(DisclosureError, match="changed afterwards"):
        gather(plans)

    import_rows(project, *many_rows(25))  # a delivery between planning and executing
    code, _, err = call("batch", "exec", plan, "--only", 1)
    assert code == 2 and "has changed since the batch was planned" in err
    with pytest.raises(StudyError, match="nothing to gather"):
        gather(plan_batch([sweep], project))


def test_what_is_no_plan_is_refused(tmp_path, call):
    other = tmp_path / "other.json"
    for content, told in (("{}", "is no plan"), ('{"format": 99, "runs": []}', "newer workbench")):
        other.write_text(content)
        _, _, err = call("batch", "exec", other, "--only", 1)
        assert told in err
    assert call("batch", "exec", tmp_path / "none.json", "--only", 1)[0] == 2


def test_dimensions_that_are_columns_too_keep_both(tmp_path):
    project = batch_project(tmp_path)
    labels = {"one": {"number": "1"}, "two": {"number": "2"}}
    sweep = write_sweep(project, sweep={"level": labels, "kind": ["fine"]})
    plans = plan_batch([sweep], project)
    assert not run_batch(plans, jobs=2).failed
    (levels,) = gather(plans)
    assert list(levels.rows.columns) == ["run", "sweep_level", "kind", "level", "n"]
    assert levels.rows["sweep_level"].tolist() == ["one", "one", "two", "two"]


def test_a_lost_run_is_recorded_unless_it_was_made(tmp_path):
    project = batch_project(tmp_path)
    first, second = plan_batch([write_sweep(project, sweep={"number": ["1", "2"]})], project)
    run_batch([first], jobs=1)
    for plan in (first, second):
        record_lost(plan, "the workers ended.")
    states = [read_manifest(plan.run_folder).state for plan in (first, second)]
    assert states == ["finished", "lost"]
    assert run_batch([first, second], jobs=1).count("finished") == 1


def test_no_scheduler_is_told(tmp_path, monkeypatch):
    project = batch_project(tmp_path)
    plans = plan_batch([write_sweep(project)], project)
    monkeypatch.setattr("workbench.runner.batches.cluster.PATIENCE", "1s")
    with pytest.raises(RunError, match="No dask scheduler answers"):
        run_on_scheduler(plans, "tcp://127.0.0.1:9")


@pytest.fixture
def scheduler(tmp_path):
    """A real scheduler and two worker processes on loopback."""
    there = tmp_path / "scheduler.json"
    tools = [sys.executable, "-W", "ignore", "-m", "distributed.cli"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True}
    alone = ["--no-dashboard", "--scheduler-file", str(there)]
    processes = [
        subprocess.Popen(
            [
                *tools[:-1],
                f"{tools[-1]}.dask_scheduler",
                "--host",
                "127.0.0.1",
                "--port",
                "0",
                *alone,
            ],
            **quiet,
        )
    ]
    processes += [
        subprocess.Popen(
            [*tools[:-1], f"{tools[-1]}.dask_worker", "--nthreads", "1", "--no-nanny", *alone],
            **quiet,
        )
        for _ in range(2)
    ]
    deadline = time.monotonic() + 60
    while not there.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    yield json.loads(there.read_text())["address"], processes[1:]
    for process in processes:
        process.kill()
        process.wait()


def test_a_worker_killed_while_a_study_runs_loses_nothing(tmp_path, scheduler):
    address, workers = scheduler
    project = batch_project(tmp_path / "project")
    kinds = ["nap", "fine", "raise"]
    sweep = write_sweep(project, sweep={"kind": kinds, "number": ["1", "2"]})
    plans = plan_batch([sweep], project)
    folder = project.runs_folder / "dialysis"
    from threading import Thread

    def kill_one() -> None:
        deadline = time.monotonic() + 60
        while not any(folder.glob(".work-*/task.json")) and time.monotonic() < deadline:
            time.sleep(0.02)
        os.kill(workers[0].pid, signal.SIGKILL)

    killer = Thread(target=kill_one)
    killer.start()
    batch = run_on_scheduler(plans, address)
    killer.join()
    assert workers[0].wait(5) == -signal.SIGKILL
    assert {one.plan.run_name for one in batch.ended} == {plan.run_name for plan in plans}
    assert len(batch.ended) == 6
    assert batch.count("finished") == 4 and batch.count("failed") == 2
    assert {one.name for one in folder.glob("[!.]*")} == {plan.run_folder.name for plan in plans}
    again = run_on_scheduler(plans, address)
    assert again.count("unchanged") == 4 and again.count("failed") == 2
