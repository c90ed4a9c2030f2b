"""One run of a batch as plain data: for job arrays and for workers on other machines.

Whoever takes an assignment plans the run anew, and refuses when its key is not the planned one: a
study, a definition or a delivery that changed meanwhile does not enter half of a batch.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from workbench.errors import RunError, StudyError
from workbench.project import open_project
from workbench.runner.batches.batch import Ended, make_run
from workbench.runner.execute import Circumstances
from workbench.runner.failures import StoppedError
from workbench.runner.plan import Plan, Planner
from workbench.study.sweeps import Limits

FORMAT = 1
Assignment = dict[str, Any]


def assignment_of(plan: Plan) -> Assignment:
    """A planned run as plain data."""
    return {
        "study_file": str(plan.study_file),
        "root": str(plan.project.root),
        "store": str(plan.project.store_folder),
        "runs": str(plan.project.runs_folder),
        "overrides": dict(plan.overrides),
        "sweep": plan.sweep,
        "name": plan.run_name,
        "labels": dict(plan.labels),
        "limits": plan.limits.model_dump(),
        "outputs": list(plan.outputs),
        "key": plan.key,
    }


def plan_of(assignment: Assignment) -> Plan:
    """The plan of an assignment; raise `StudyError` when it is no longer what was planned."""
    study_file = Path(assignment["study_file"])
    project = open_project(
        assignment["root"],
        store=assignment["store"],
        runs=assignment["runs"],
        study_file=study_file,
    )
    plan = Planner(study_file, project).plan(assignment["overrides"])
    if plan.key != assignment["key"]:
        raise StudyError(
            f"{study_file}: something that the run depends on has changed since the batch was "
            "planned (the study, its notebook, a definition, the store, the workbench or a "
            "library). Plan the batch again."
        )
    return replace(
        plan,
        sweep=assignment["sweep"],
        run_name=assignment["name"],
        labels=assignment["labels"],
        limits=Limits(**assignment["limits"]),
        outputs=tuple(assignment["outputs"]),
    )


def fulfil(assignment: Assignment, *, force: bool = False) -> Ended:
    """Make the run of an assignment, waiting for it where another runner makes it."""
    plan = plan_of(assignment)
    around = Circumstances(reuse=not force)
    while (ended := make_run(plan, around)).state == "taken":
        around.stop.wait(1)
    if ended.state == "stopped":
        raise StoppedError(ended.message)
    return ended


def write_assignments(plans: Sequence[Plan], path: Path) -> None:
    """Write a batch's plan for a job array."""
    content = {"format": FORMAT, "runs": [assignment_of(plan) for plan in plans]}
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_assignments(path: Path) -> list[Assignment]:
    """Read a batch's plan; raise `StudyError` when it is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        made_by, runs = content["format"], content["runs"]
        if made_by > FORMAT:
            raise RunError(f"{path} was written by a newer workbench. Plan the batch again.")
        return [*runs]
    except OSError as reason:
        raise StudyError(f"{path} cannot be read: {reason.strerror}.") from None
    except (ValueError, KeyError, TypeError):
        raise StudyError(
            f"{path} is no plan of a batch: workbench batch plan writes one."
        ) from None
