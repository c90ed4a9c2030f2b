"""Run a finished run again from its own record, and compare what comes out.

The study, its parameters, its seed and the versions of its tables are those of the record. The
notebook, code lists, profile, libraries and the workbench are those of today: where they have
changed, that is told beside what differs.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from workbench.data.staging import private_folder
from workbench.errors import DataError, RunError, StudyError
from workbench.output.publication import LEFT
from workbench.project import Project
from workbench.runner.comparison import Compared, changed_inputs, compare_releases
from workbench.runner.execute import Circumstances, execute
from workbench.runner.manifest import Manifest, hashes, read_manifest
from workbench.runner.plan import Plan, Planner
from workbench.runner.task import TASK, read_task
from workbench.runner.withdrawal import is_withdrawn


@dataclass
class Verification:
    """What running again has shown."""

    manifest: Manifest
    changed_inputs: list[str]
    tampered: list[str]  # released files that are not what the record says
    compared: Compared = field(default_factory=Compared)

    @property
    def holds(self) -> bool:
        """Whether the release is what its record says, and is made again."""
        return not self.tampered and not self.compared.differences


def verify_run(
    folder: Path,
    *,
    store_folder: Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Verification:
    """Run again what lies in a run folder, in a temporary place, and compare the releases.

    Parameters
    ----------
    folder
        The folder of a finished run. Nothing in it is changed.
    store_folder
        The store, where it no longer lies where the run read it.
    progress
        Told what is done now.

    Raises
    ------
    StudyError
        When the folder is no finished run.
    DataError
        When its data were withdrawn.
    StoreError
        When the store no longer holds the versions it read.
    RunError
        When it cannot be run again.
    """
    manifest = read_manifest(folder)
    if manifest is None:
        raise StudyError(f"{folder} is no run: it has no record that can be read.")
    if manifest.state != "finished":
        raise StudyError(
            f"{folder} is a run that {manifest.state}; only a finished one is compared."
        )
    if is_withdrawn(folder):
        raise DataError(f"{folder}: persons in its data were withdrawn; it cannot be run again.")
    with private_folder() as place:
        plan = plan_again(folder, manifest, place, store_folder=store_folder)
        found = Verification(
            manifest, changed_inputs(manifest.inputs, plan.inputs), _tampered(folder, manifest)
        )
        run = execute(plan, Circumstances(progress))
        if run.failure is not None:
            because = f" Changed since: {'; '.join(found.changed_inputs)}." * bool(
                found.changed_inputs
            )
            raise RunError(f"{folder} could not be run again: {run.failure}{because}")
        found.compared = compare_releases(
            folder / "release", run.folder / "release", same_inputs=not found.changed_inputs
        )
    return found


def plan_again(folder: Path, manifest: Manifest, place: Path, *, store_folder: Path | None) -> Plan:
    """The plan of a run by its record, with its runs folder in `place`."""
    project = _project_of(folder, store_folder, runs=place / "runs")
    content = {**manifest.inputs["study"], "parameters": manifest.inputs["parameters"]}
    for name in manifest.inputs.get("earlier_releases", {}):
        known = folder.parent / LEFT / name
        if known.is_file():
            left = place / "runs" / manifest.study / LEFT
            left.mkdir(parents=True, exist_ok=True)
            (left / name).write_bytes(known.read_bytes())
    # JSON is YAML, so that the study goes through the very checks of a study file.
    study_file = place / f"{manifest.study}.yaml"
    study_file.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    versions = {name: table["version"] for name, table in manifest.inputs.get("tables", {}).items()}
    plan = Planner(study_file, project, versions=versions).plan({})
    return replace(plan, changed=manifest.changed)


def _project_of(folder: Path, store_folder: Path | None, *, runs: Path) -> Project:
    """Where the run's definitions and store were; moved together, they are found beside it."""
    project = read_task(folder / TASK).project
    root = project.root if project.root.is_dir() else folder.resolve().parents[2]
    store = store_folder or project.store_folder
    if not store.is_dir():
        store = root / "store"
    origins = tuple(one for one in project.origins if one.is_dir()) or (root,)
    return Project(root, store.resolve(), runs, origins)


def _tampered(folder: Path, manifest: Manifest) -> list[str]:
    """Released files that were changed, added or removed after the run."""
    recorded = {
        name: sum_ for name, sum_ in manifest.outputs.items() if name.startswith("release/")
    }
    there = {f"release/{name}": sum_ for name, sum_ in hashes(folder / "release").items()}
    return [
        name.removeprefix("release/")
        for name in sorted({*recorded, *there})
        if recorded.get(name) != there.get(name)
    ]
