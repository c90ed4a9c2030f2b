"""The demonstration: real extracts and invented registers go the whole way, to their reports.

The real extracts lie in `examples/`. The invented registers are made anew, the same for the same
seed, imported under the public demonstration key, and studied by the workbench's own
`params/studies`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

from workbench.data.intake import Import, import_extract
from workbench.data.invent import invent_registers
from workbench.data.keys import demonstration_key
from workbench.data.staging import private_folder
from workbench.errors import StudyError
from workbench.project import Project, house_folder, open_project
from workbench.registers.schema import load_register
from workbench.runner.batches.batch import Watcher, run_batch
from workbench.runner.execute import Run, run_study
from workbench.runner.index import write_index
from workbench.runner.plan import Plan, plan_run

# example -> (table, file): the real extracts that come with the workbench
EXTRACTS = {
    "colorectal": ("patients", "colrec.csv"),
    "lung": ("patients", "lung.csv"),
}
AT_ONCE = 2
EXAMPLES_AS_OF = date(2026, 1, 1)  # the day the example extracts are judged from
INVENTED_AS_OF = date(2024, 12, 31)  # the last day that the invented registers know
PERSONS, SEED = 50_000, 1  # enough for every specialty to have something to show
FEWEST = 20_000  # below it a specialty has too few patients for its study

Progress = Callable[[str], None]
Report = Callable[[Import], None]


def run_demo(
    project: Project,
    *,
    persons: int = PERSONS,
    seed: int = SEED,
    progress: Progress,
    report: Report = lambda _: None,
) -> tuple[list[Run], Path]:
    """Import everything the workbench brings into the project's store, and run every study.

    `persons` live in the invented registers, which are the same for the same `seed`. `report` is
    told of every import. Gives the runs and the index of the project's runs.
    """
    if persons < FEWEST:
        raise StudyError(
            f"--persons {persons}: the demonstration's studies need at least {FEWEST} persons to "
            "have something to show. Fewer can be invented with: workbench invent FOLDER"
        )
    plans = _of_examples(project, progress=progress, report=report)
    _import_invented(project, persons, seed, progress=progress, report=report)
    plans += _plans(project, house_folder("params") / "studies")
    try:
        told = Watcher(started=lambda plan: progress(f"{plan.name}: running"))
        run_batch(plans, jobs=AT_ONCE, watcher=told)
        # what has finished is only read; what has failed fails again, with its own message
        runs = [run_study(plan, reuse=True) for plan in plans]
    finally:
        index = write_index(project.runs_folder)
    return runs, index


def _of_examples(project: Project, *, progress: Progress, report: Report) -> list[Plan]:
    """Import the real extracts and plan their studies; definitions stay in their own folders."""
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
        plans += _plans(project, folder / "params" / "studies")
    return plans


def _import_invented(
    project: Project, persons: int, seed: int, *, progress: Progress, report: Report
) -> None:
    """Invent the registers in a folder that goes again, and import every table of them."""
    with private_folder() as folder:
        invent_registers(
            folder, persons=persons, seed=seed, as_of=INVENTED_AS_OF, progress=progress
        )
        # The population comes first: the others are checked against it.
        files = sorted(
            folder.glob("*.csv"), key=lambda file: not file.stem.startswith("population")
        )
        for file in files:
            register_name, table = file.stem.split(".")
            report(
                import_extract(
                    load_register(register_name, ()),
                    table,
                    [file],
                    store_folder=project.store_folder,
                    as_of=INVENTED_AS_OF,
                    key=demonstration_key(),
                    progress=progress,
                )
            )


def _plans(project: Project, studies: Path) -> list[Plan]:
    """Every study of a folder, planned for the project's store and runs."""
    plans = []
    for study_file in sorted(studies.glob("*.yaml")):
        here = open_project(
            project.root,
            store=project.store_folder,
            runs=project.runs_folder,
            study_file=study_file,
        )
        plans.append(plan_run(study_file, here))
    return plans
