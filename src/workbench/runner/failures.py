"""Why a run did not finish: failed, died, timed out or lost, in words without data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from workbench import errors
from workbench.errors import RunError, WorkbenchError
from workbench.runner.kernel.supervision import Kernel
from workbench.runner.manifest import State
from workbench.study.sweeps import Limits

LOG = "log.txt"


@dataclass(frozen=True)
class Failure:
    """How a run ended that did not finish."""

    state: State
    error: WorkbenchError


class TakenError(RunError):
    """Another runner is making this run."""


class StoppedError(RunError):
    """The run was stopped on command; nothing was kept of it."""


def of_cell(failed: Any) -> Failure:
    """A cell that raised: our own errors keep their words, foreign ones may quote a value."""
    kind = getattr(errors, str(failed.ename), None)
    if isinstance(kind, type) and issubclass(kind, WorkbenchError):
        return Failure("failed", kind(str(failed.evalue)))
    return Failure(
        "failed",
        RunError(
            f"cell {failed.exec_count} of the notebook stopped with {failed.ename}. "
            f"What it said is in the run's private {LOG}."
        ),
    )


def of_kernel(kernel: Kernel, limits: Limits) -> Failure:
    """A kernel that ended by itself, or was ended by its runner."""
    if kernel.stopped_for == "command":
        raise StoppedError("The run was stopped. Nothing was kept of it.")
    if kernel.stopped_for == "time":
        minutes = f"{limits.minutes:g} minute" + ("" if limits.minutes == 1 else "s")
        return Failure("timed out", RunError(f"it was stopped after {minutes}, its limit."))
    if kernel.stopped_for == "memory":
        return Failure(
            "died",
            RunError(f"it used more than {limits.memory_mb} MB, its limit, and was stopped."),
        )
    return Failure(
        "died", RunError("the notebook's kernel died (out of memory, or a crash in a library).")
    )
