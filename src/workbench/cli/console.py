"""The terminal: what is printed where, and the options that all commands share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

ProjectOption = Annotated[Path, typer.Option("--project", help="The project folder.")]
StoreOption = Annotated[
    Path | None, typer.Option("--store", help="The store, if not in the project.")
]
DAY = ["%Y-%m-%d"]


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
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


def shown(path: Path) -> str:
    """A path as short as it can be said from here."""
    relative = os.path.relpath(path)
    return relative if not relative.startswith("..") else str(path)
