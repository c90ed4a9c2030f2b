"""Commands that remove for good: persons who leave, versions whose time is over."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.console import DAY, ProjectOption, StoreOption, out, progress, shown
from workbench.cli.intake import removal_line
from workbench.data import pruning
from workbench.data.forgetting import forget_persons
from workbench.data.keys import Key, find_key
from workbench.data.leaving import Leaving, tables_named
from workbench.data.pseudonyms import identities
from workbench.data.store import open_store
from workbench.errors import DefinitionError
from workbench.project import Project, open_project
from workbench.runner.index import write_index
from workbench.runner.withdrawal import mark_withdrawn

ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept with the store. Never who.")]


def forget(
    table: Annotated[str, typer.Argument(metavar="REGISTER[.TABLE]")],
    ids: Annotated[
        Path,
        typer.Option("--ids", help="One identity number, pseudonym or running number a line."),
    ],
    reason: ReasonOption = "",
    project: ProjectOption = Path(),
    store: StoreOption = None,
) -> None:
    """Remove persons from every version of a table, or of all tables of a register, for good."""
    here = open_project(project, store=store)
    with progress() as tell:
        tell("removing persons")
        done = forget_persons(
            here.store_folder,
            table,
            ids,
            key=_key_for(here, table),
            as_of=date.today(),
            reason=reason,
        )
    n_not = done.n_asked - done.n_found
    out.print(f"{done.n_asked} asked for, {done.n_found} found" + _not_found(n_not))
    _report(done)
    if done.n_unreadable:
        out.print(
            f"{done.n_unreadable} rows set aside hold a number that could not be read: whose they "
            "are nobody knows, and they stay. Remove their versions with: workbench prune"
        )
    if done.tombstones:
        out.print("The same files imported again would bring these persons back: keep the list.")
    _mark_runs(here)


def prune(
    table: Annotated[
        str | None, typer.Option(help="Of this table or register only (REGISTER[.TABLE]).")
    ] = None,
    keep: Annotated[
        int | None, typer.Option(min=0, help="Keep the newest so many versions of each table.")
    ] = None,
    before: Annotated[
        datetime | None, typer.Option(formats=DAY, help="Remove what was imported before this day.")
    ] = None,
    version: Annotated[
        str | None, typer.Option(help="Remove this version (with --table REGISTER.TABLE).")
    ] = None,
    reason: ReasonOption = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell; remove nothing.")] = False,
    project: ProjectOption = Path(),
    store: StoreOption = None,
) -> None:
    """Remove whole versions for good: old ones, or all when an approval ends."""
    here = open_project(project, store=store)
    done = pruning.prune_versions(
        here.store_folder,
        _choice(table, keep, before, version),
        as_of=date.today(),
        table=table,
        reason=reason,
        dry_run=dry_run,
    )
    if dry_run:
        out.print("Nothing was removed. Without --dry-run:")
    _report(done)
    if not dry_run:
        _mark_runs(here)


def _key_for(here: Project, table: str) -> Key | None:
    """The key, where numbers may have to be found; who names persons otherwise needs none."""
    store = open_store(here.store_folder)
    names = tables_named(store, table)
    needs_key = any(identities(store.version(name).definition) for name in names)
    return find_key(outside=[here.root, here.store_folder]) if needs_key else None


def _choice(
    table: str | None, keep: int | None, before: datetime | None, version: str | None
) -> pruning.Choice:
    if sum(one is not None for one in (keep, before, version)) != 1:
        raise DefinitionError(
            "Say which versions go, in one way: --keep N, --before DATE, or --version NAME with "
            "--table."
        )
    if version is not None:
        if table is None or "." not in table:
            raise DefinitionError("--version needs --table REGISTER.TABLE: each has a v0001.")
        return pruning.named(version)
    if before is not None:
        return pruning.imported_before(before.date())
    return pruning.all_but_newest(keep or 0)


def _report(done: Leaving) -> None:
    if not done.tombstones:
        out.print("No version of the store holds anything to remove.")
    for stone in done.tombstones:
        out.print(removal_line(stone), markup=False)


def _mark_runs(here: Project) -> None:
    """Also after nothing was removed: an earlier removal may have been cut short before this."""
    marked = mark_withdrawn(here.runs_folder, open_store(here.store_folder))
    for folder in marked:
        out.print(
            f"Inputs withdrawn: {shown(folder)}. Its notebook is deleted; what was released stays.",
            markup=False,
        )
    if marked:
        write_index(here.runs_folder)


def _not_found(n: int) -> str:
    return f"; {n} in no version" if n else ""
