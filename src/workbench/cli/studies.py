"""Commands that run studies."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.console import ProjectOption, StoreOption, out, progress, shown
from workbench.cli.intake import report_import
from workbench.data.store import sweep_leftovers
from workbench.errors import StudyError, did_you_mean
from workbench.project import open_project
from workbench.registers.documents import parse_scalar
from workbench.runner.demo import PERSONS, SEED, run_demo
from workbench.runner.execute import run_study
from workbench.runner.index import write_index
from workbench.runner.plan import plan_run


def demo(
    persons: Annotated[int, typer.Option(help="Persons in the invented registers.")] = PERSONS,
    seed: Annotated[int, typer.Option(help="The same seed invents the same persons.")] = SEED,
    project: ProjectOption = Path(),
    store: StoreOption = None,
) -> None:
    """Import real extracts and invented registers, run every study, list all in runs/index.html."""
    with progress() as tell:
        runs, index = run_demo(
            open_project(project, store=store),
            persons=persons,
            seed=seed,
            progress=tell,
            report=report_import,
        )
    for run in runs:
        out.print(f"{run.manifest.study}: {run.manifest.state} in {run.manifest.seconds:.0f} s")
    out.print(f"\nOpen this in a browser: {shown(index)}")


def run(
    study_file: Annotated[Path, typer.Argument(metavar="STUDY.yaml")],
    parameters: Annotated[
        list[str] | None,
        typer.Option("-p", metavar="NAME=VALUE", help="Change a key of the study, or a parameter."),
    ] = None,
    project: ProjectOption = Path(),
    store: StoreOption = None,
) -> None:
    """Run one study; its report and its record lie in runs/."""
    here = open_project(project, store=store, study_file=study_file)
    sweep_leftovers(here.store_folder)
    plan = plan_run(study_file, here, overrides=_named_values(parameters or []))
    try:
        with progress() as tell:
            done = run_study(plan, progress=tell)
    finally:
        index = write_index(here.runs_folder)
    out.print(f"{plan.name}: finished in {done.manifest.seconds:.0f} s", markup=False)
    out.print(f"Report: {shown(done.report)}\nAll runs: {shown(index)}", markup=False)


def _named_values(given: list[str]) -> dict[str, object]:
    named = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals or not name:
            raise StudyError(f"-p {one}: give NAME=VALUE.{did_you_mean(one, [])}")
        named[name.strip()] = parse_scalar(value)
    return named
