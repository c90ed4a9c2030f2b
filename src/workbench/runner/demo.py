"""The demonstration: every example goes the whole way, from its extract to its reports."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

from workbench.data.intake import Import, import_extract
from workbench.project import Project, house_folder, open_project
from workbench.registers.schema import load_register
from workbench.runner.execute import Run, run_study
from workbench.runner.index import write_index
from workbench.runner.plan import plan_run

# example -> (table, file): the real extracts that come with the workbench
EXTRACTS = {
    "colorectal": ("patients", "colrec.csv"),
    "lung": ("patients", "lung.csv"),
}
AT_ONCE = 2
EXAMPLES_AS_OF = date(2026, 1, 1)  # the day the example extracts are judged from


def run_demo(
    project: Project,
    *,
    progress: Callable[[str], None],
    report: Callable[[Import], None] = lambda _: None,
) -> tuple[list[Run], Path]:
    """Import each example into the project's store and run its studies; give runs and index.

    `report` is told of every import. The definitions and studies stay in the examples' own folders.
    """
    plans = []
    for name, (table, file) in EXTRACTS.items():
        folder = house_folder("examples") / name
        register = load_register(name, open_project(folder).params_folders)
        report(
            import_extract(
                register,
                table,
                [folder / "data" / file],
                store_folder=project.store_folder,
                as_of=EXAMPLES_AS_OF,
                progress=progress,
            )
        )
        for study_file in sorted((folder / "params" / "studies").glob("*.yaml")):
            here = open_project(
                project.root,
                store=project.store_folder,
                runs=project.runs_folder,
                study_file=study_file,
            )
            plans.append(plan_run(study_file, here))
    try:
        with ThreadPoolExecutor(AT_ONCE) as pool:  # the kernels are processes; threads only wait
            runs = list(pool.map(lambda plan: run_study(plan, progress=progress), plans))
    finally:
        index = write_index(project.runs_folder)
    return runs, index
