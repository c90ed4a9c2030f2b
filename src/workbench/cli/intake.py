"""Commands that bring data in and show what there is."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.console import DAY, ProjectOption, StoreOption, out, progress, shown
from workbench.data.faults import describe_faults
from workbench.data.intake import Import, import_extract
from workbench.data.keys import demonstration_key, find_key
from workbench.data.pseudonyms import identities
from workbench.data.store import Tombstone, Version, open_store, sweep_leftovers
from workbench.errors import DefinitionError
from workbench.project import open_project
from workbench.registers.dictionary import data_dictionary
from workbench.registers.schema import find_registers, load_register


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


def import_(
    table: Annotated[str, typer.Argument(metavar="REGISTER.TABLE")],
    files: Annotated[list[Path], typer.Argument(metavar="FILE...")],
    project: ProjectOption = Path(),
    store: StoreOption = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(formats=DAY, help="Later dates lie in the future. Default: today."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check; store nothing.")] = False,
    accept_withdrawn: Annotated[
        bool,
        typer.Option(
            "--accept-withdrawn", help="Take files again that held persons who left since."
        ),
    ] = False,
) -> None:
    """Check an extract, set faulty rows aside, and keep it as a new version of its table.

    Identity numbers become pseudonyms, with the key of `workbench new key`.
    """
    here = open_project(project, store=store)
    register_name, _, table_name = table.partition(".")
    if not table_name:
        raise DefinitionError(f'"{table}" is not REGISTER.TABLE. Name both, with a point between.')
    register = load_register(register_name, here.params_folders)
    needs_key = bool(identities(register.table(table_name)))
    key = find_key(outside=[here.root, here.store_folder]) if needs_key else None
    with progress() as tell:
        done = import_extract(
            register,
            table_name,
            files,
            store_folder=here.store_folder,
            as_of=as_of.date() if as_of else date.today(),
            key=key,
            dry_run=dry_run,
            accept_withdrawn=accept_withdrawn,
            progress=tell,
        )
    report_import(done)


def report_import(done: Import) -> None:
    """Print what an import did, or would do."""
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
    for line in [*describe_faults(version.notes), *version.not_checked]:
        out.print(f"  worth knowing: {line}", markup=False)
    if version.columns_left_out:
        names = ", ".join(version.columns_left_out)
        out.print(f"  {verb} not stored, being unknown to the definition: {names}", markup=False)
    if version.free_text_left_out:
        names = ", ".join(version.free_text_left_out)
        out.print(f"  {verb} not stored, being free text: {names}", markup=False)


def invent(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the files are written.")],
    persons: Annotated[int, typer.Option(help="How many persons live in the registers.")] = 20_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same persons.")] = 1,
    as_of: Annotated[
        datetime, typer.Option(formats=DAY, help="The last day the registers know.")
    ] = datetime(2024, 12, 31),
    dirty: Annotated[
        bool, typer.Option("--dirty", help="With planted faults, counted in the truth file.")
    ] = False,
) -> None:
    """Write fictitious registers as CSV files, with a file that says the truth about them."""
    # Loaded here: no other command needs it.
    from workbench.data.invent import invent_registers

    before = set(folder.glob("*")) if folder.is_dir() else set()
    with progress() as tell:
        invent_registers(
            folder, persons=persons, seed=seed, as_of=as_of.date(), dirty=dirty, progress=tell
        )
    for path in sorted(set(folder.glob("*")) - before):
        out.print(f"Written: {shown(path)}", markup=False)
    out.print(
        "These persons do not exist. To import them into a store of their own, with the public "
        "demonstration key: WORKBENCH_KEY=demonstration workbench import REGISTER.TABLE FILE"
    )


def status(project: ProjectOption = Path(), store: StoreOption = None) -> None:
    """Show what the store holds: tables, versions, rows, periods, sources, and what was removed."""
    here = open_project(project, store=store)
    sweep_leftovers(here.store_folder)
    catalogue = open_store(here.store_folder).catalogue
    if not catalogue.tables:
        out.print(f"The store {shown(here.store_folder)} is empty.")
    for name, versions in catalogue.tables.items():
        out.print(name)
        for version in versions:
            out.print(f"  {_version_line(version)}", markup=False)
    for stone in catalogue.tombstones:
        out.print(removal_line(stone), markup=False)
    if catalogue.key_fingerprint == demonstration_key().fingerprint:
        out.print("The persons are invented: pseudonyms were made with the demonstration key.")


def _version_line(version: Version) -> str:
    dates = f"{version.first_date} to {version.last_date}" if version.first_date else "no dates"
    sources = ", ".join(source.name for source in version.sources)
    counts = f"{version.n_rows_kept} rows, {version.n_rows_set_aside} set aside"
    if version.n_rows_removed:
        counts += f", {version.n_rows_removed} removed"
    imported = f"imported {version.imported_at[:10]} from {sources}"
    return f"{version.name}: {counts}; {dates}; {imported}"


def removal_line(stone: Tombstone) -> str:
    """What was removed, in one line."""
    n_rows = stone.n_rows_kept + stone.n_rows_set_aside
    rows = "1 row" if n_rows == 1 else f"{n_rows} rows"
    what = f"{rows} of persons who left" if stone.what == "persons" else f"the version, {rows}"
    because = f": {stone.reason}" if stone.reason else ""
    return f"{stone.table} {stone.version}: {what} removed on {stone.removed_at}{because}"
