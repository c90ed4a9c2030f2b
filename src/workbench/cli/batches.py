"""Commands that run many studies, and check again what one run made."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from workbench.cli.batch_progress import batch_progress, title_of
from workbench.cli.console import ProjectOption, StoreOption, out, progress, shown
from workbench.data.store import sweep_leftovers
from workbench.errors import RunError, StudyError
from workbench.project import Project, open_project
from workbench.runner.batches.assignments import fulfil, read_assignments, write_assignments
from workbench.runner.batches.batch import Batch, run_batch
from workbench.runner.batches.batch_plan import files_of, plan_batch
from workbench.runner.batches.cluster import run_on_scheduler
from workbench.runner.batches.gathering import gather, write_gathered
from workbench.runner.index import write_index
from workbench.runner.plan import Plan
from workbench.runner.standing import standing_of
from workbench.runner.verification import verify_run

MOST_TOLD = 10  # failed runs whose message is printed; the index has them all
DEFAULT = "run"


class WithDefault(TyperGroup):
    """A group whose first word may be left out: `batch PATH` is `batch run PATH`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the default command in where no other is named."""
        if args and args[0] not in self.commands and args[0] != "--help":
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)


batch = typer.Typer(
    cls=WithDefault,
    help="Run many studies or a sweep: workbench batch PATH... Goes on where it was stopped.",
    no_args_is_help=True,
)

PathsArgument = Annotated[
    list[Path], typer.Argument(metavar="PATH...", help="Studies, sweeps, folders of them.")
]
JobsOption = Annotated[
    int | None, typer.Option(min=1, help="Runs at once; one a core if not said.")
]


@batch.command(DEFAULT)
def run(
    paths: PathsArgument,
    jobs: JobsOption = None,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="A dask scheduler that is there already.")
    ] = None,
    force: Annotated[bool, typer.Option(help="Make again what has finished unchanged.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show the plan.")] = False,
    cold: Annotated[bool, typer.Option(help="Start every kernel alone.")] = False,
    project: ProjectOption = Path(),
    store: StoreOption = None,
) -> None:
    """Run every study and sweep given; the word `run` may be left out.

    What has finished unchanged is not made again.
    """
    here = _open(project, store)
    plans = plan_batch(paths, here)
    if dry_run:
        out.print(_table(plans), markup=False, end="")
        return
    try:
        with batch_progress() as watcher:
            if scheduler:
                done = run_on_scheduler(plans, scheduler, force=force, watcher=watcher)
            else:
                done = run_batch(
                    plans, jobs=jobs or cores(), force=force, is_warm=not cold, watcher=watcher
                )
    finally:
        index = write_index(here.runs_folder)
    _tell(done, index)


@batch.command("plan")
def plan_(
    paths: PathsArgument,
    to: Annotated[Path, typer.Option("--out", help="The file to write.")] = Path("plan.json"),
    project: ProjectOption = Path(),
    store: StoreOption = None,
) -> None:
    """Write the runs of a batch into a file, one number each, for a job array."""
    plans = plan_batch(paths, _open(project, store))
    write_assignments(plans, to)
    out.print(
        f"{len(plans)} runs planned in {shown(to)}. Each is made by its number, 1 to {len(plans)}: "
        f"workbench batch exec {shown(to)} --only NUMBER",
        markup=False,
    )


@batch.command("exec")
def exec_(
    plan_file: Annotated[Path, typer.Argument(metavar="PLAN.json")],
    only: Annotated[
        int,
        typer.Option(envvar="SLURM_ARRAY_TASK_ID", help="The number of the run, from 1."),
    ],
    force: Annotated[bool, typer.Option(help="Make it again if it finished unchanged.")] = False,
) -> None:
    """Make one run of a planned batch, as one task of a job array does."""
    runs = read_assignments(plan_file)
    if not 1 <= only <= len(runs):
        raise StudyError(f"--only {only}: {shown(plan_file)} has the runs 1 to {len(runs)}.")
    done = fulfil(runs[only - 1], force=force)
    out.print(f"{title_of(done.plan)}: {done.state} in {done.seconds:.0f} s", markup=False)
    if done.state not in {"finished", "unchanged"}:
        raise RunError(f"{title_of(done.plan)} {done.state}: {done.message}")


@batch.command("index")
def index_(project: ProjectOption = Path()) -> None:
    """Write runs/index.html anew, as after the last task of a job array."""
    index = write_index(open_project(project).runs_folder)
    out.print(f"All runs: {shown(index)}", markup=False)


@batch.command("gather")
def gather_(
    paths: PathsArgument, project: ProjectOption = Path(), store: StoreOption = None
) -> None:
    """Merge the released tables of each sweep into one tidy table each, as CSV and Parquet."""
    here = _open(project, store)
    for file in files_of(paths):
        plans = plan_batch([file], here)
        gathered = gather(plans)
        folder = write_gathered(gathered, here.runs_folder, file.stem)
        n_runs = max(one.n_runs for one in gathered)
        out.print(
            f"{file.stem}: {len(gathered)} tables of {n_runs} of {len(plans)} runs in "
            f"{shown(folder)}",
            markup=False,
        )


def verify(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN_FOLDER")],
    project: ProjectOption = Path(),
    store: StoreOption = None,
) -> None:
    """Run a finished run again from its record, and compare tables and figures."""
    where = run_folder if run_folder.is_dir() else project / run_folder
    with progress() as tell:
        found = verify_run(where, store_folder=store, progress=tell)
    for change in found.changed_inputs:
        out.print(f"changed since: {change}", markup=False)
    for remark in found.compared.remarks:
        out.print(f"worth knowing: {remark}", markup=False)
    for name in found.tampered:
        out.print(f"changed after the run: release/{name}", markup=False)
    for difference in found.compared.differences:
        out.print(f"differs: {difference}", markup=False)
    if not found.holds:
        raise RunError(f"{shown(where)} is not made again as it was.")
    n = len(found.compared.same)
    out.print(f"Verified: made again, {n} released files are the same, byte for byte.")


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _open(project: Path, store: Path | None) -> Project:
    here = open_project(project, store=store)
    sweep_leftovers(here.store_folder)
    return here


def _tell(done: Batch, index: Path) -> None:
    """Print how the batch ended; end with the exit code that says so."""
    counts = Counter(one.state for one in done.ended)
    parts = [f"{number} {state}" for state, number in counts.most_common()]
    out.print(f"{len(done.ended)} runs: {', '.join(parts) or 'none'}", markup=False)
    for one in done.failed[:MOST_TOLD]:
        out.print(f"  {title_of(one.plan)}: {one.state}: {one.message}", markup=False)
    if len(done.failed) > MOST_TOLD:
        out.print(f"  and {len(done.failed) - MOST_TOLD} more; the index has them all")
    out.print(f"All runs: {shown(index)}", markup=False)
    if done.was_stopped:
        raise KeyboardInterrupt
    if done.failed:
        raise RunError(f"{len(done.failed)} of {len(done.ended)} runs did not finish.")


def _table(plans: Sequence[Plan]) -> str:
    """The plan: one line a run, with its place and how it stands."""
    heads = ("study", "run", "key", "state", "changed")
    rows = [
        (
            plan.name,
            plan.run_name or "-",
            plan.run_folder.name,
            standing_of(plan),
            ", ".join(f"{key} = {value}" for key, value in plan.changed.items()) or "-",
        )
        for plan in plans
    ]
    widths = [max(len(row[at]) for row in [heads, *rows]) for at in range(len(heads) - 1)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]])
        for row in [heads, *rows]
    ]
    return "\n".join([*lines, "", _summary(row[3] for row in rows)])


def _summary(states: Iterable[str]) -> str:
    counts = Counter(states)
    parts = [f"{number} {state}" for state, number in counts.most_common()]
    return f"{counts.total()} runs: {', '.join(parts)}\n"
