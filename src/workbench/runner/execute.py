"""Run one planned study: papermill executes the notebook in a work folder, then one rename.

While it runs, everything lies in a work folder beside the run's place; it gets the run's name only
when the record is written. A run that is killed leaves a work folder and no run.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workbench import errors
from workbench.errors import RunError, WorkbenchError
from workbench.runner.kernels import close_event_loop, private_kernel
from workbench.runner.manifest import Manifest, environment, hashes, read_manifest, write_manifest
from workbench.runner.plan import Plan
from workbench.runner.task import COUNTS, TASK, write_task

NOTEBOOK = "notebook.ipynb"
LOG = "log.txt"
WORK = ".work-"


@dataclass(frozen=True)
class Run:
    """A run that is done, finished or failed."""

    folder: Path
    manifest: Manifest

    @property
    def report(self) -> Path:
        """The report's place."""
        return self.folder / "release" / "report.html"


def run_study(plan: Plan, *, progress: Callable[[str], None] = lambda _: None) -> Run:
    """Execute a planned study and put the run in its place.

    Raises the notebook's own `WorkbenchError` (an empty cohort, a refusal of the gate), and
    `RunError` when it failed otherwise. A failed run is kept with its private log, and never takes
    the place of a finished one.
    """
    place = plan.run_folder
    _sweep(place.parent)
    work = place.parent / f"{WORK}{place.name}-{os.getpid()}"
    started = datetime.now(UTC)
    try:
        work.mkdir(parents=True, mode=0o700)
        write_task(work, plan)
        progress(f"running {plan.notebook.stem} for {plan.name}")
        failure = _execute(plan, work) or _missing_output(plan, work)
        manifest = _record(plan, work, started, failure)
        write_manifest(work, manifest)
        folder = _move_into_place(work, place, failed=failure is not None)
    except OSError as reason:
        shutil.rmtree(work, ignore_errors=True)
        full = reason.errno in {errno.ENOSPC, errno.EDQUOT}
        words = "the disk is full" if full else f"{reason.strerror} ({reason.filename})"
        raise RunError(f"{plan.name}: {words}. Nothing was kept of this run.") from None
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    if failure is not None:
        raise type(failure)(f"{plan.name} failed: {failure}\nThe run is kept, private: {folder}")
    return Run(folder, manifest)


def _execute(plan: Plan, work: Path) -> WorkbenchError | None:
    """Run the notebook; give back what stopped it, in words that hold no data."""
    # Imported here: papermill takes seconds to load, which an import or a status need not wait for.
    import papermill
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    given = {**plan.parameters, "study_file": str(work / TASK), "run_folder": str(work)}
    try:
        with private_kernel() as kernel:
            papermill.execute_notebook(
                str(plan.notebook),
                str(work / NOTEBOOK),
                parameters=given,
                kernel_name="python3",
                progress_bar=False,
                log_output=False,
                # Not papermill's own cwd: it changes the folder of the whole process.
                resources={"metadata": {"path": str(work)}},
                **kernel,
            )
    except PapermillExecutionError as failed:
        (work / LOG).write_text(str(failed), encoding="utf-8")
        return _translated(failed)
    except DeadKernelError:
        return RunError("the notebook's kernel died (out of memory, or a crash in a library).")
    finally:
        close_event_loop()
    return None


def _translated(failed: Any) -> WorkbenchError:
    """Our own errors keep their words; foreign ones may quote a value and only give their kind."""
    kind = getattr(errors, str(failed.ename), None)
    if isinstance(kind, type) and issubclass(kind, WorkbenchError):
        return kind(str(failed.evalue))
    return RunError(
        f"cell {failed.exec_count} of the notebook stopped with {failed.ename}. "
        f"What it said is in the run's private {LOG}."
    )


def _missing_output(plan: Plan, work: Path) -> WorkbenchError | None:
    if (work / "release" / "report.html").is_file():
        return None
    return RunError(
        f"the notebook {plan.notebook.stem} ended without a report. Its last cell must be "
        "`session.finish()`."
    )


def _record(plan: Plan, work: Path, started: datetime, failure: WorkbenchError | None) -> Manifest:
    if failure is not None:  # half a release is no release
        shutil.rmtree(work / "release", ignore_errors=True)
    counts = work / COUNTS
    return Manifest(
        study=plan.name,
        title=plan.study.title,
        run=plan.run_folder.name,
        state="finished" if failure is None else "failed",
        message="" if failure is None else str(failure),
        key=plan.key,
        as_of=plan.study.as_of.isoformat() if plan.study.as_of else None,
        seed=plan.study.seed,
        started_at=started,
        finished_at=datetime.now(UTC),
        inputs=plan.inputs,
        changed=plan.changed,
        counts=json.loads(counts.read_text(encoding="utf-8")) if counts.is_file() else {},
        environment=environment(),
        outputs=hashes(work),
    )


def _move_into_place(work: Path, place: Path, *, failed: bool) -> Path:
    """Give the work folder the run's name; the run that had it before goes last."""
    before = read_manifest(place)
    if failed and before is not None and before.state == "finished":
        place = place.with_name(f"{place.name}-failed")
    old = place.with_name(f"{WORK}old-{place.name}-{os.getpid()}")
    if place.exists():
        place.rename(old)
    work.rename(place)
    shutil.rmtree(old, ignore_errors=True)
    return place


def _sweep(study_folder: Path) -> None:
    """Remove work folders whose process is gone."""
    for left in study_folder.glob(f"{WORK}*"):
        owner = int(left.name.rpartition("-")[2])
        if owner != os.getpid() and not _is_alive(owner):
            shutil.rmtree(left, ignore_errors=True)


def _is_alive(process: int) -> bool:
    if os.name != "posix":
        return True  # asking would end the process on Windows; the folder is left alone
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
