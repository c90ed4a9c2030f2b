"""Batches beside a shell loop over papermill's command line, and beside the best cold set-up.

24 light studies: each invents 4,000 persons, draws a Kaplan-Meier figure and fits a Cox model. The
modes take turns, and each ratio is within its round. `plain` is the same code in one process
without notebooks: what is above it is overhead. Also: planning and indexing 10,000 runs.

    python benchmarks/batch.py [--rounds K] [--studies N] [--jobs J]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from workbench.data.intake import import_extract
from workbench.project import Project, open_project
from workbench.registers.schema import load_register
from workbench.runner.batches.batch import run_batch
from workbench.runner.batches.batch_plan import plan_batch
from workbench.runner.index import write_index
from workbench.runner.plan import Plan

ROUNDS, STUDIES, JOBS, MANY = 5, 24, 2, 10_000
REGISTER = """\
name: small
label: A register that the plan can find
tables:
  starts:
    person: patient
    dated_by: start
    variables:
      patient: {type: code, sensitivity: pseudonym, required: yes}
      start: {type: date}
      ended: {type: date}
      status: {type: code, codes: {0: alive, 1: dead}}
"""
STUDY = """\
title: A light study
question: What does a run cost?
register: small
table: starts
as_of: 2020-12-31
notebook: light
cohort: {index_date: start}
follow_up: {outcome: death, end_date: ended, event: {variable: status, in: [1]}}
"""
PARAMETERS = 'study_file: str = ""\nrun_folder: str = ""\nnumber: int = 1\n'
LOADS = """\
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import workbench as wb
"""
INVENTS = """\
random = np.random.default_rng(number)
n = 4000
persons = pd.DataFrame({
    "age": random.normal(65, 10, n).round(1),
    "treated": random.integers(0, 2, n),
    "group": pd.Categorical(random.choice(["a", "b", "c"], n)),
})
risk = 0.1 * np.exp(0.03 * (persons["age"] - 65) - 0.3 * persons["treated"])
until, censored = random.exponential(1 / risk), random.uniform(0, 12, n)
persons["years"] = np.minimum(until, censored).round(3)
persons["died"] = (until <= censored).astype(int)
"""
DRAWS = """\
curve = wb.kaplan_meier(persons, duration="years", event="died", by="group")
figure, axes = plt.subplots()
for name, one in curve.groupby("group", observed=True):
    axes.step(one["time"], one["estimate"], where="post", label=name)
    axes.fill_between(one["time"], one["lower"], one["upper"], step="post", alpha=0.2)
axes.legend()
axes.set(xlabel="Years", ylabel="Survival")
figure
"""
FITS = """\
fit = wb.cox(persons, "age + treated + C(group)", duration="years", event="died")
fit.coefficients
"""
WRITES = """\
import json
from hashlib import sha256
from pathlib import Path
release = Path(run_folder) / "release"
release.mkdir(parents=True)
figure.savefig(release / "curve.png", dpi=100)
fit.coefficients.to_csv(release / "cox.csv", index=False)
(release / "report.html").write_text("<p>done</p>")
# What publishing records: without it nothing may lie in release/.
sums = {one.name: sha256(one.read_bytes()).hexdigest() for one in release.iterdir()}
told = {"files": {name: {"sha256": one} for name, one in sums.items()}}
(release / "release.json").write_text(json.dumps(told))
"""
CELLS = (LOADS, INVENTS, DRAWS, FITS, WRITES)


def make_project(folder: Path) -> Project:
    """A project with the light notebook and a table that its study can name."""
    for place, text in (("registers/small.yaml", REGISTER), ("studies/light.yaml", STUDY)):
        path = folder / "params" / place
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
    (folder / "extract.csv").write_text("patient,start,ended,status\np1,2015-01-01,2016-01-01,1\n")
    project = open_project(folder)
    import_extract(
        load_register("small", project.params_folders), "starts", [folder / "extract.csv"],
        store_folder=project.store_folder, as_of=date(2021, 1, 1),
    )  # fmt: skip
    cells = [
        {
            "cell_type": "code", "id": f"cell-{at}", "source": source, "outputs": [],
            "execution_count": None, "metadata": {"tags": [] if at else ["parameters"]},
        }
        for at, source in enumerate((PARAMETERS, *CELLS))
    ]  # fmt: skip
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook = {
        "cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}
    }  # fmt: skip
    (folder / "notebooks").mkdir()
    (folder / "notebooks" / "light.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    return project


def write_sweep(project: Project, name: str, **content: object) -> Path:
    path = project.root / "params" / "batches" / f"{name}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"study": "light", **content}), encoding="utf-8")
    return path


def papermill_loop(project: Project, plans: list[Plan]) -> None:
    """A shell loop: one command a study."""
    tool = [sys.executable, "-m", "papermill", "--no-progress-bar", "--log-level", "ERROR"]
    for number, plan in enumerate(plans):
        folder = project.root / "loop" / str(number)
        folder.mkdir(parents=True)
        given = ["-p", "run_folder", str(folder), "-p", "number", plan.overrides["number"]]
        notebooks = [str(plan.notebook), str(folder / "notebook.ipynb")]
        subprocess.run([*tool, *notebooks, *given], check=True, capture_output=True)


def plain(project: Project, plans: list[Plan]) -> None:
    """The same code, one study after the other in one process, libraries loaded once."""
    code = "\n".join(
        [LOADS, f"for number in range(1, {len(plans) + 1}):"]
        + [f"    {line}" for line in "".join(CELLS[1:]).splitlines()]
    ).replace("Path(run_folder)", f"Path({str(project.root / 'plain')!r}) / str(number)")
    code = code.replace("    figure\n", "").replace("    fit.coefficients\n", "")
    code += "\n    plt.close('all')\n"
    environment = {**os.environ, "MPLBACKEND": "agg", "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


def batch(plans: list[Plan], jobs: int, *, is_warm: bool) -> None:
    done = run_batch(plans, jobs=jobs, force=True, is_warm=is_warm)
    assert not done.failed, done.failed[0].message


def timed(call: Callable[[], None]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def one_round(project: Project, plans: list[Plan], jobs: int) -> dict[str, float]:
    modes: dict[str, Callable[[], None]] = {
        "papermill, a loop": lambda: papermill_loop(project, plans),
        "cold kernels": lambda: batch(plans, jobs, is_warm=False),
        "warm kernels": lambda: batch(plans, jobs, is_warm=True),
        "plain, one process": lambda: plain(project, plans),
    }
    seconds = {}
    for name, call in modes.items():
        for left in ("loop", "plain", "runs"):
            shutil.rmtree(project.root / left, ignore_errors=True)
        seconds[name] = timed(call)
    return seconds


def compare(project: Project, *, rounds: int, studies: int, jobs: int) -> None:
    numbers = [str(at) for at in range(1, studies + 1)]
    plans = plan_batch([write_sweep(project, "light", sweep={"number": numbers})], project)
    found = [one_round(project, plans, jobs) for _ in range(rounds)]
    print(f"{studies} studies, {jobs} at once, median of {rounds} rounds")
    for name in found[0]:
        wall = statistics.median(one[name] for one in found)
        print(f"  {name:20}{wall:8.1f} s {wall / studies:8.2f} s a study")

    def ratio(slow: str, fast: str) -> str:
        ratios = sorted(one[slow] / one[fast] for one in found)
        return f"{statistics.median(ratios):.1f} ({ratios[0]:.1f} to {ratios[-1]:.1f})"

    print(f"  warm beside the loop      {ratio('papermill, a loop', 'warm kernels')}")
    print(f"  warm beside cold          {ratio('cold kernels', 'warm kernels')}")
    print(f"  cold beside the loop      {ratio('papermill, a loop', 'cold kernels')}")
    over = [(one["warm kernels"] * jobs - one["plain, one process"]) / studies for one in found]
    print(f"  overhead of a warm study  {statistics.median(over):.2f} s (of one of {jobs} slots)")


def plan_and_index(project: Project) -> None:
    shutil.rmtree(project.runs_folder, ignore_errors=True)
    sweep = {
        "number": [str(at) for at in range(100)],
        "seed": [str(at) for at in range(MANY // 100)],
    }
    path = write_sweep(project, "many", sweep=sweep)
    plans: list[Plan] = []
    seconds = timed(lambda: plans.extend(plan_batch([path], project)))
    print(f"planning {MANY} runs        {seconds:6.1f} s")
    batch(plans[:1], 1, is_warm=False)
    (folder,) = (project.runs_folder / "light").glob("[!.]*")
    record = (folder / "manifest.json").read_text(encoding="utf-8")
    for at in range(MANY - 1):
        place = project.runs_folder / "light" / f"copy{at}"
        place.mkdir()
        (place / "manifest.json").write_text(record, encoding="utf-8")
    print(f"index of {MANY} runs        {timed(lambda: write_index(project.runs_folder)):6.1f} s")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"largest memory of the runner {memory} MB")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=ROUNDS)
    arguments.add_argument("--studies", type=int, default=STUDIES)
    arguments.add_argument("--jobs", type=int, default=JOBS)
    given = arguments.parse_args()
    with TemporaryDirectory() as folder:
        project = make_project(Path(folder))
        compare(project, rounds=given.rounds, studies=given.studies, jobs=given.jobs)
        plan_and_index(project)


if __name__ == "__main__":
    main()
