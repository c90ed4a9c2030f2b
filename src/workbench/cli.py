"""The command line: parse, call one function, print what came of it.

Errors a user can mend print one message and end with their own exit code, without a traceback.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from workbench.data.drafting import blank_register, draft_register, name_of
from workbench.data.faults import describe_faults
from workbench.data.intake import Import, import_extract
from workbench.data.store import open_store
from workbench.errors import DefinitionError, RunError, StudyError, WorkbenchError, did_you_mean
from workbench.project import open_project
from workbench.registers.dictionary import data_dictionary
from workbench.registers.documents import parse_scalar
from workbench.registers.schema import Register, find_registers, load_register
from workbench.runner.demo import run_demo
from workbench.runner.drafting import draft_study
from workbench.runner.execute import run_study
from workbench.runner.index import write_index
from workbench.runner.plan import plan_run

STOPPED = 130
app = typer.Typer(
    name="workbench",
    help="Turn register extracts into checked stores, cohorts, studies and reports.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
new = typer.Typer(help="Write a commented working file to start from.", no_args_is_help=True)
app.add_typer(new, name="new")
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

ProjectOption = Annotated[Path, typer.Option("--project", help="The project folder.")]
StoreOption = Annotated[
    Path | None, typer.Option("--store", help="The store, if not in the project.")
]


def main() -> None:
    """Run the command line; every way out has its exit code."""
    try:
        app()
    except SystemExit as ended:
        if ended.code == STOPPED:  # what typer makes of Ctrl-C, without a word
            _tell_stopped()
        raise
    except WorkbenchError as told:
        err.print(str(told), markup=False)
        raise SystemExit(told.exit_code) from None
    except KeyboardInterrupt:
        _tell_stopped()
    except RuntimeError as reason:
        if "interrupted" not in str(reason):  # what the engine says when it is stopped
            raise
        _tell_stopped()
    except OSError as reason:
        if reason.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        err.print("The disk is full. Nothing half-made was kept.")
        raise SystemExit(RunError.exit_code) from None


def _tell_stopped() -> NoReturn:
    err.print("Stopped. Nothing half-made was kept.")
    raise SystemExit(STOPPED) from None


@app.command()
def demo(project: ProjectOption = Path(), store: StoreOption = None) -> None:
    """Import the real examples, run their studies, and list the runs in runs/index.html."""
    with _progress() as tell:
        runs, index = run_demo(
            open_project(project, store=store), progress=tell, report=_report_import
        )
    for run in runs:
        out.print(f"{run.manifest.study}: {run.manifest.state} in {run.manifest.seconds:.0f} s")
    out.print(f"\nOpen this in a browser: {_shown(index)}")


@app.command()
def registers(
    name: Annotated[str | None, typer.Argument(help="Print this one as a data dictionary.")] = None,
    project: ProjectOption = Path(),
    store: StoreOption = None,
) -> None:
    """List the registers that are defined, or print one as a data dictionary."""
    folders = open_project(project, store=store).params_folders
    if name:
        out.print(data_dictionary(load_register(name, folders)), markup=False)
        return
    found = find_registers(folders)
    if not found:
        out.print("No register is defined in this project. Start one: workbench new register NAME")
        out.print("Those of an example: workbench registers --project examples/colorectal")
    for one in found:
        register = load_register(one, folders)
        tables = ", ".join(f"{one}.{table}" for table in register.tables)
        out.print(f"{one}: {register.label} ({tables})", markup=False)


@app.command("import")
def import_(
    table: Annotated[str, typer.Argument(metavar="REGISTER.TABLE")],
    files: Annotated[list[Path], typer.Argument(metavar="FILE...")],
    project: ProjectOption = Path(),
    store: StoreOption = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Later dates lie in the future. Default: today."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check; store nothing.")] = False,
) -> None:
    """Check an extract, set faulty rows aside, and keep it as a new version of its table."""
    here = open_project(project, store=store)
    register_name, _, table_name = table.partition(".")
    if not table_name:
        raise DefinitionError(f'"{table}" is not REGISTER.TABLE. Name both, with a point between.')
    register = load_register(register_name, here.params_folders)
    with _progress() as tell:
        done = import_extract(
            register,
            table_name,
            files,
            store_folder=here.store_folder,
            as_of=as_of.date() if as_of else date.today(),
            dry_run=dry_run,
            progress=tell,
        )
    _report_import(done)


@app.command()
def status(project: ProjectOption = Path(), store: StoreOption = None) -> None:
    """Show what the store holds: tables, versions, rows, periods, sources."""
    here = open_project(project, store=store)
    tables = open_store(here.store_folder).catalogue.tables
    if not tables:
        out.print(f"The store {_shown(here.store_folder)} is empty.")
        return
    for name, versions in tables.items():
        out.print(name)
        for version in versions:
            dates = (
                f"{version.first_date} to {version.last_date}" if version.first_date else "no dates"
            )
            sources = ", ".join(source.name for source in version.sources)
            counts = f"{version.n_rows_kept} rows, {version.n_rows_set_aside} set aside"
            imported = f"imported {version.imported_at[:10]} from {sources}"
            out.print(f"  {version.name}: {counts}; {dates}; {imported}", markup=False)


@app.command()
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
    plan = plan_run(study_file, here, overrides=_named_values(parameters or []))
    try:
        with _progress() as tell:
            done = run_study(plan, progress=tell)
    finally:
        index = write_index(here.runs_folder)
    out.print(f"{plan.name}: finished in {done.manifest.seconds:.0f} s", markup=False)
    out.print(f"Report: {_shown(done.report)}\nAll runs: {_shown(index)}", markup=False)


@new.command("register")
def new_register(
    extract: Annotated[
        Path | None, typer.Argument(metavar="[EXTRACT]", help="A file as it is delivered.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Its name. Default: the file's.")] = None,
    project: ProjectOption = Path(),
    store: StoreOption = None,
) -> None:
    """Draft the definition of a register, from an extract if given; no value of it enters."""
    name = name or (name_of(extract) if extract else "my_register")
    path = open_project(project, store=store).root / "params" / "registers" / f"{name}.yaml"
    _write_new(path, lambda: draft_register(name, extract) if extract else blank_register(name))


@new.command("study")
def new_study(
    table: Annotated[
        str | None, typer.Argument(metavar="[REGISTER.TABLE]", help="What is studied.")
    ] = None,
    name: Annotated[str, typer.Option(help="Its name, which its file gets.")] = "my_study",
    project: ProjectOption = Path(),
    store: StoreOption = None,
) -> None:
    """Write a commented study to start from, on a table that the project defines."""
    here = open_project(project, store=store)
    path = here.root / "params" / "studies" / f"{name}.yaml"
    register, table_name = _defined_table(table, here.params_folders)
    _write_new(path, lambda: draft_study(register, table_name))


def _defined_table(wanted: str | None, folders: Sequence[Path]) -> tuple[Register, str]:
    """The table asked for, or the only one there is."""
    if wanted and Path(wanted).is_file():
        raise StudyError(
            f"{wanted} is a file; a study is made on a table. Define it first: "
            f"workbench new register {wanted}"
        )
    if wanted:
        register_name, _, table_name = wanted.partition(".")
        register = load_register(register_name, folders)
        return register, table_name or next(iter(register.tables))
    registers = [load_register(one, folders) for one in find_registers(folders)]
    tables = [(register, table) for register in registers for table in register.tables]
    if len(tables) != 1:
        known = ", ".join(f"{register.name}.{table}" for register, table in tables) or "none"
        raise StudyError(f"Say on which table: workbench new study REGISTER.TABLE. Known: {known}.")
    return tables[0]


def _write_new(path: Path, draft: Callable[[], str]) -> None:
    if path.exists():
        raise StudyError(f"{path} is there already and stays as it is. Choose another name.")
    text = draft()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    out.print(f"Written: {_shown(path)}\nRead it, and answer every line marked '?'.", markup=False)


def _named_values(given: list[str]) -> dict[str, object]:
    named = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals or not name:
            raise StudyError(f"-p {one}: give NAME=VALUE.{did_you_mean(one, [])}")
        named[name.strip()] = parse_scalar(value)
    return named


def _report_import(done: Import) -> None:
    version = done.version
    verb = "would be" if done.is_dry_run else "were"
    if not done.is_new:
        out.print(
            f"{done.table}: these files are in the store already ({version.name}); nothing changed."
        )
        return
    out.print(
        f"{done.table} {version.name}: {version.n_rows_read} rows read = "
        f"{version.n_rows_kept} kept + {version.n_rows_set_aside} set aside"
    )
    for source in version.sources:
        out.print(f"  {source.name}: {source.n_rows} rows, {source.read_as}", markup=False)
    for line in describe_faults(version.faults):
        out.print(f"  {verb} set aside: {line}", markup=False)
    for line in describe_faults(version.notes):
        out.print(f"  worth knowing: {line}", markup=False)
    if version.columns_left_out:
        names = ", ".join(version.columns_left_out)
        out.print(f"  {verb} not stored, being unknown to the definition: {names}", markup=False)


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Show what runs now and for how long; quiet where nobody looks at a terminal."""
    if not err.is_terminal:
        yield lambda _: None
        return
    started = datetime.now()
    with err.status("starting") as shown:

        def tell(what: str) -> None:
            seconds = (datetime.now() - started).total_seconds()
            shown.update(f"{what} (after {seconds:.0f} s)")

        yield tell


def _shown(path: Path) -> str:
    """A path as short as it can be said from here."""
    relative = os.path.relpath(path)
    return relative if not relative.startswith("..") else str(path)
