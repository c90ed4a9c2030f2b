"""The command that serves released results on this machine."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer

from workbench.cli.console import ProjectOption, out
from workbench.errors import RunError
from workbench.output.portal.launch import serving
from workbench.project import house_folder, open_project

PORT, PLACES = 8866, 10


def portal(
    port: Annotated[
        int, typer.Option("--port", min=1, max=65535, help="Where on this machine it is served.")
    ] = PORT,
    places: Annotated[
        int, typer.Option("--places", min=1, max=200, help="How many visitors at once.")
    ] = PLACES,
    language: Annotated[
        Literal["sv", "nb", "en"], typer.Option("--language", help="What the explorer begins in.")
    ] = "en",
    project: ProjectOption = Path(),
) -> None:
    """Serve released results for browsers on this machine, until Ctrl-C."""
    here = open_project(project)
    page = house_folder("notebooks") / "portal" / "results.ipynb"
    signal.signal(signal.SIGTERM, _stop)
    with serving(here.runs_folder, page, port=port, places=places, language=language) as served:
        for fault in served.faults:
            out.print(f"Left out: {fault}", markup=False, highlight=False)
        out.print(
            f"{len(served.releases)} releases at {served.address} (Ctrl-C ends it).",
            markup=False,
            highlight=False,
        )
        served.process.wait()
    raise RunError("The portal ended by itself. What it said stands above.")


def _stop(*_: object) -> NoReturn:
    raise KeyboardInterrupt
