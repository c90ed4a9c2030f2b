"""How a batch shows itself while it runs: what runs now, what failed, and the time left."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from workbench.cli.console import err
from workbench.runner.batches.batch import Ended, Watcher
from workbench.runner.plan import Plan


def title_of(plan: Plan) -> str:
    """A run by the names of its sweep or study and its own."""
    words = [plan.sweep or plan.name, plan.run_name]
    return ": ".join(word for word in words if word)


@contextmanager
def batch_progress() -> Iterator[Watcher]:
    """What runs now, how many are done and failed, and the time left, where somebody looks."""
    if not err.is_terminal:
        yield Watcher()
        return
    columns = (
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=err, transient=True) as bar:
        yield _Shown(bar).watcher


class _Shown:
    """The state of a batch as its progress bar shows it; runs start in several threads."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task = bar.add_task("", total=None)
        self._running: dict[Path, str] = {}
        self._n_failed = 0
        self._lock = threading.Lock()
        self.watcher = Watcher(planned=self._planned, started=self._started, ended=self._ended)

    def _planned(self, n_to_run: int, n_unchanged: int) -> None:
        self._bar.update(self._task, total=n_to_run)
        if n_unchanged:
            self._bar.console.print(f"{n_unchanged} finished before and are unchanged")

    def _started(self, plan: Plan) -> None:
        with self._lock:
            self._running[plan.run_folder] = title_of(plan)
            self._show()

    def _ended(self, ended: Ended) -> None:
        with self._lock:
            self._running.pop(ended.plan.run_folder, None)
            self._n_failed += ended.state not in {"finished", "unchanged"}
            self._show()
        self._bar.advance(self._task)

    def _show(self) -> None:
        failed = f"[red]{self._n_failed} failed[/red] " if self._n_failed else ""
        self._bar.update(self._task, description=failed + escape("; ".join(self._running.values())))
