"""Watch over a run's kernel: stop it when its time is up, its memory too large, or on command.

A cell's own time limit would not hold while a kernel starts, nor when it no longer listens. Here a
thread beside the run looks at the process and ends it, with everything it started.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Literal

import psutil  # type: ignore[import-untyped]

from workbench.study.sweeps import Limits

EVERY = 0.2  # seconds between two looks
MEGABYTE = 2**20

Reason = Literal["time", "memory", "command"]


@dataclass
class Kernel:
    """The process of one run's kernel, from when it is known."""

    process: int | None = None
    stopped_for: Reason | None = None

    def stop(self, reason: Reason) -> None:
        """End the kernel and what it started; the first reason is the one that counts."""
        if self.process is not None:
            self.stopped_for = self.stopped_for or reason
            end_group(self.process)


@contextmanager
def supervised(kernel: Kernel, limits: Limits, stop: threading.Event) -> Iterator[None]:
    """Watch over a kernel while the body runs."""
    done = threading.Event()
    watcher = threading.Thread(
        target=_watch, args=(kernel, limits, stop, done), name="supervision", daemon=True
    )
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
        if kernel.process is not None:  # what a study started goes with it
            end_group(kernel.process)


def _watch(kernel: Kernel, limits: Limits, stop: threading.Event, done: threading.Event) -> None:
    # The clock that cannot be set: a wall clock that goes back would give a run more time.
    end = time.monotonic() + limits.minutes * 60 if limits.minutes else None
    while not done.wait(EVERY):
        if stop.is_set():
            kernel.stop("command")
        elif end is not None and time.monotonic() > end:
            kernel.stop("time")
        elif limits.memory_mb and memory_of(kernel.process) > limits.memory_mb * MEGABYTE:
            kernel.stop("memory")


def memory_of(process: int | None) -> int:
    """Bytes that a process and what it started hold in memory; none of one not started yet."""
    total = 0
    if process is None:
        return total
    with suppress(psutil.Error):
        parent = psutil.Process(process)
        for one in (parent, *parent.children(recursive=True)):
            with suppress(psutil.Error):
                total += one.memory_info().rss
    return total


def end_group(process: int) -> None:
    """End a kernel and every process of its group."""
    if os.name == "posix":
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process, signal.SIGKILL)
        return
    with suppress(psutil.Error):
        psutil.Process(process).kill()
