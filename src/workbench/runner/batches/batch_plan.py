"""Plan a batch: every run of the studies and sweeps given, checked together before any starts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from workbench.errors import StudyError, WorkbenchError
from workbench.project import Project, open_project
from workbench.registers.documents import read_tree_with_lines
from workbench.runner.plan import Plan, Planner
from workbench.study.sweeps import is_sweep, load_sweep, study_of, told_together, variants

Faults = dict[str, list[str]]  # message -> the runs that have it


def plan_batch(paths: Sequence[Path], project: Project) -> list[Plan]:
    """Every run of files and folders of studies and sweeps, in their order.

    Parameters
    ----------
    paths
        Study files, sweep files, and folders of them. Of a folder the files `*.yaml` are taken,
        by name.
    project
        Where the store and the runs are. A file brings the definitions of the project it is in.

    Raises
    ------
    StudyError
        With every fault of every run: each told once, with the runs that have it.
    """
    plans: list[Plan] = []
    faults: Faults = {}
    for file in files_of(paths):
        for name, made in _plans_of(file, project):
            if isinstance(made, Plan):
                plans.append(made)
            else:
                faults.setdefault(str(made), []).append(name)
    if faults:
        raise told_together("The batch cannot run:", faults)
    return plans


def files_of(paths: Sequence[Path]) -> list[Path]:
    """The files that are meant, each once; a folder without any is refused."""
    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        inside = sorted(path.glob("*.yaml"))
        if not inside:
            raise StudyError(f"{path} holds no study and no sweep (*.yaml).")
        found += inside
    return list({file.resolve(): file for file in found}.values())


def _plans_of(file: Path, project: Project) -> Iterator[tuple[str, Plan | WorkbenchError]]:
    """The runs of one file by name, each with its plan or what is wrong with it."""
    try:
        tree, _ = read_tree_with_lines(file, error=StudyError)
        if not is_sweep(tree):
            yield file.stem, _planner(file, project).plan({})
            return
        sweep = load_sweep(file)
        planner = _planner(study_of(sweep, file), project)
        every = variants(sweep, planner.tree, where=str(file))
    except WorkbenchError as fault:
        yield file.stem, fault
        return
    for variant in every:
        name = f"{file.stem}: {variant.name}" if variant.name else file.stem
        try:
            plan = planner.plan(variant.overrides)
        except WorkbenchError as fault:
            yield name, fault
            continue
        yield (
            name,
            replace(
                plan,
                sweep=file.stem,
                run_name=variant.name,
                labels=variant.labels,
                limits=sweep.limits,
                outputs=sweep.outputs,
            ),
        )


def _planner(study_file: Path, project: Project) -> Planner:
    here = open_project(
        project.root,
        store=project.store_folder,
        runs=project.runs_folder,
        study_file=study_file,
    )
    return Planner(study_file, here)
