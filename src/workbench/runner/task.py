"""What a run hands to its notebook: one file with the checked study and where things lie.

The notebook opens this instead of the study file, so that what was checked is what runs: a study
file edited meanwhile, or a newer version in the store, does not enter a run under way.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import StudyError
from workbench.project import Project
from workbench.registers.documents import parse_document
from workbench.runner.plan import Plan
from workbench.study import Study

TASK = "task.json"
COUNTS = "counts.json"


@dataclass(frozen=True)
class Task:
    """A run's task as its notebook reads it."""

    study: Study
    name: str
    key: str
    project: Project
    versions: dict[str, str]  # table -> the version to read
    references_sha256: str  # of the code lists and the life table that were checked


def write_task(folder: Path, plan: Plan) -> None:
    """Write the task of a planned run into its folder."""
    content = {
        "study": plan.inputs["study"],
        "name": plan.name,
        "key": plan.key,
        "root": str(plan.project.root),
        "store": str(plan.project.store_folder),
        "runs": str(plan.project.runs_folder),
        "origins": [str(origin) for origin in plan.project.origins],
        "references_sha256": plan.references_sha256,
        "versions": {name: table["version"] for name, table in plan.inputs["tables"].items()},
    }
    (folder / TASK).write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")


def read_task(path: Path) -> Task:
    """Read a run's task."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise StudyError(f"{path} cannot be read.") from None
    study = parse_document(content["study"], Study, where=str(path), error=StudyError)
    project = Project(
        root=Path(content["root"]),
        store_folder=Path(content["store"]),
        runs_folder=Path(content["runs"]),
        origins=tuple(Path(origin) for origin in content["origins"]),
    )
    return Task(
        study,
        content["name"],
        content["key"],
        project,
        content["versions"],
        content["references_sha256"],
    )
