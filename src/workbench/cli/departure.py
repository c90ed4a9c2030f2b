"""The command that looks at what is about to leave."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.console import ProjectOption, StoreOption, out
from workbench.errors import DisclosureError
from workbench.output.departure import check_folder
from workbench.output.publication import record_departure
from workbench.project import open_project
from workbench.registers.profiles import load_profile

MOST_TOLD = 50


def check_release(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="What is about to leave.")],
    profile: Annotated[
        str, typer.Option("--profile", help="The release profile whose threshold counts.")
    ] = "standard",
    leaves: Annotated[
        bool, typer.Option("--leaves", help="It leaves now: later runs of the study mind it.")
    ] = False,
    project: ProjectOption = Path(),
    store: StoreOption = None,
) -> None:
    """Look for identity numbers, small counts and files that should not leave."""
    here = open_project(project, store=store)
    limits = load_profile(profile, here.params_folders)
    found = check_folder(folder, threshold=limits.threshold, as_of=date.today())
    n_files = sum(path.is_file() for path in folder.rglob("*"))
    for finding in found[:MOST_TOLD]:
        out.print(str(finding), markup=False, highlight=False)
    if len(found) > MOST_TOLD:
        out.print(f"... and {len(found) - MOST_TOLD} more.")
    if found:
        raise DisclosureError(f"{folder} must not leave: {len(found)} faults in {n_files} files.")
    if leaves:
        place = record_departure(folder)
        out.print(f"Later runs of the study mind what it shows: {place}", soft_wrap=True)
    out.print(
        f"{n_files} files: no identity number, no count of 1 to {limits.threshold - 1} under a "
        "name of counts, nothing that cannot be looked into. What was released together is not "
        "judged here: see release.json.",
        markup=False,
        highlight=False,
    )
