"""Run one planned study: papermill executes the notebook in a work folder, then one rename.

While it runs, everything lies in a work folder beside the run's place; it gets the run's name only
when the record is written. A run that is killed leaves a work folder and no run.
"""

from __future__ import annotations

import errno
import json
import secrets
import shutil
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from workbench.errors import DisclosureError, RunError, StudyError, WorkbenchError
from workbench.output.release_record import require_recorded
from workbench.runner.batches.claims import WORK, claimed, remove_work, sweep
from workbench.runner.failures import LOG, Failure, TakenError, of_cell, of_kernel
from workbench.runner.kernel.kernels import close_event_loop, private_kernel
from workbench.runner.kernel.supervision import Kernel, supervised
from workbench.runner.kernel.warm import WarmKernels
from workbench.runner.manifest import Manifest, environment, hashes, read_manifest, write_manifest
from workbench.runner.notebook import code_sum
from workbench.runner.plan import Plan
from workbench.runner.standing import manifest_of, standing_of
from workbench.runner.task import COUNTS, TASK, write_task

NOTEBOOK = "notebook.ipynb"
SOURCE = ".source.ipynb"


@dataclass(frozen=True)
class Run:
    """A run that is done, finished or not."""

    folder: Path
    manifest: Manifest
    failure: WorkbenchError | None = None
    was_there: bool = False  # made before, with the very same inputs

    @property
    def report(self) -> Path:
        """The report's place."""
        return self.folder / "release" / "report.html"


@dataclass(frozen=True)
class Circumstances:
    """What runs of one process share."""

    progress: Callable[[str], None] = lambda _: None
    stop: threading.Event = field(default_factory=threading.Event)
    warm: WarmKernels | None = None
    reuse: bool = False  # a run that has finished with the same key is taken as it is


def run_study(
    plan: Plan, *, progress: Callable[[str], None] = lambda _: None, reuse: bool = False
) -> Run:
    """Execute a planned study and put the run in its place.

    With `reuse` a run that has finished with the same inputs is only read.

    Raises the notebook's own `WorkbenchError` (an empty cohort, a refusal of the gate), and
    `RunError` when it failed otherwise. A failed run is kept with its private log, and never takes
    the place of a finished one.
    """
    if plan.run_folder.parent.is_dir():
        sweep(plan.run_folder.parent)
    run = execute(plan, Circumstances(progress, reuse=reuse))
    if run.failure is not None:
        raise type(run.failure)(
            f"{plan.name} failed: {run.failure}\nThe run is kept, private: {run.folder}"
        )
    return run


def execute(plan: Plan, around: Circumstances) -> Run:
    """As `run_study`; a run that did not finish is given back as one, with its state.

    Raises
    ------
    TakenError
        When another runner is making this run.
    StoppedError
        When it was stopped on command.
    RunError
        When nothing could be written: the disk is full, or the folder cannot be written to.
    """
    place = plan.run_folder
    try:
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with claimed(place) as is_ours:
            if not is_ours:
                raise TakenError(f"{plan.name}: another runner is making this run.")
            remove_work(place)
            # Asked with the claim in hand: another runner may have made it a moment ago.
            there = manifest_of(plan) if around.reuse else None
            if there is not None and standing_of(plan) == "unchanged":
                return Run(place, there, was_there=True)
            return _in_work_folder(plan, around)
    except OSError as reason:
        full = reason.errno in {errno.ENOSPC, errno.EDQUOT}
        words = "the disk is full" if full else f"{reason.strerror} ({reason.filename})"
        raise RunError(f"{plan.name}: {words}. Nothing was kept of this run.") from None


def record_lost(plan: Plan, words: str) -> None:
    """Record a run whose runner ended without a word, unless another one makes or made it."""
    place = plan.run_folder
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with claimed(place) as is_ours:
        if not is_ours or standing_of(plan) == "unchanged":
            return
        remove_work(place)
        work = place.with_name(f"{WORK}{place.name}-{secrets.token_hex(4)}")
        work.mkdir(mode=0o700)
        write_task(work, plan)
        now = datetime.now(UTC)
        failure = Failure("lost", RunError(words))
        write_manifest(work, _record(plan, work, (now, now), failure))
        _move_into_place(work, place, failed=True)


def _in_work_folder(plan: Plan, around: Circumstances) -> Run:
    place = plan.run_folder
    # Never one name twice: a kernel that outlives its runner for a second writes nowhere.
    work = place.with_name(f"{WORK}{place.name}-{secrets.token_hex(4)}")
    started, ticks = datetime.now(UTC), time.monotonic()
    try:
        work.mkdir(mode=0o700)
        write_task(work, plan)
        around.progress(f"running {plan.notebook.stem} for {plan.name}")
        failure = _execute(plan, work, around) or _missing_output(plan, work)
        # A clock that was set back meanwhile gives no run that ended before it began.
        finished = started + timedelta(seconds=time.monotonic() - ticks)
        manifest = _record(plan, work, (started, finished), failure)
        write_manifest(work, manifest)
        folder = _move_into_place(work, place, failed=failure is not None)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    return Run(folder, manifest, failure.error if failure else None)


def _execute(plan: Plan, work: Path, around: Circumstances) -> Failure | None:
    """Run the notebook; give back what stopped it, in words that hold no data."""
    papermill = load_papermill()
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    # What runs is what was planned, whoever edits the notebook meanwhile.
    source = work / SOURCE
    shutil.copyfile(plan.notebook, source)
    if code_sum(source) != plan.inputs["notebook"]["code_sha256"]:
        words = f"{plan.notebook} has changed since the run was planned. Run the study again."
        return Failure("failed", StudyError(words))
    given = {**plan.parameters, "study_file": str(work / TASK), "run_folder": str(work)}
    kernel = Kernel()
    try:
        with (
            private_kernel(kernel, around.warm) as arguments,
            supervised(kernel, plan.limits, around.stop),
        ):
            papermill.execute_notebook(
                str(source),
                str(work / NOTEBOOK),
                parameters=given,
                kernel_name="python3",
                progress_bar=False,
                log_output=False,
                # Not papermill's own cwd: it changes the folder of the whole process.
                resources={"metadata": {"path": str(work)}},
                shutdown_kernel="immediate",
                **arguments,
            )
    except PapermillExecutionError as failed:
        (work / LOG).write_text(str(failed), encoding="utf-8")
        return of_cell(failed)
    except Exception as broken:
        # A kernel that does not start is a RuntimeError; one that is ended may be anything.
        if kernel.stopped_for is None and not isinstance(broken, DeadKernelError | RuntimeError):
            raise
        return of_kernel(kernel, plan.limits)
    finally:
        close_event_loop()
        source.unlink(missing_ok=True)
    return None


def load_papermill() -> Any:
    """Papermill takes seconds to load, which an import or a status need not wait for.

    More than half of it is a grammar of international web addresses, which jsonschema builds as it
    is loaded and nothing here uses: it does without when the library cannot be found.
    """
    grammar = "rfc3987_syntax"
    hide = "jsonschema" not in sys.modules and grammar not in sys.modules
    if hide:
        sys.modules[grammar] = None  # type: ignore[assignment]
    try:
        import papermill
    finally:
        if hide:
            sys.modules.pop(grammar, None)
    return papermill


def _missing_output(plan: Plan, work: Path) -> Failure | None:
    release = work / "release"
    if not (release / "report.html").is_file():
        words = (
            f"the notebook {plan.notebook.stem} ended without a report. Its last cell must be "
            "`session.finish()`."
        )
        return Failure("failed", RunError(words))
    try:
        require_recorded(release)
    except DisclosureError as refused:
        return Failure("failed", refused)
    if missing := [name for name in plan.outputs if not (release / name).is_file()]:
        words = f"it was to make {', '.join(missing)} in release/, and ended without."
        return Failure("failed", RunError(words))
    return None


def _record(
    plan: Plan, work: Path, when: tuple[datetime, datetime], failure: Failure | None
) -> Manifest:
    if failure is not None:  # half a release is no release
        shutil.rmtree(work / "release", ignore_errors=True)
    counts = work / COUNTS
    return Manifest(
        study=plan.name,
        title=plan.study.title,
        run=plan.run_folder.name,
        state="finished" if failure is None else failure.state,
        message="" if failure is None else str(failure.error),
        key=plan.key,
        as_of=plan.study.as_of.isoformat() if plan.study.as_of else None,
        seed=plan.study.seed,
        started_at=when[0],
        finished_at=when[1],
        inputs=plan.inputs,
        changed=plan.changed,
        sweep=plan.sweep,
        name=plan.run_name,
        labels=dict(plan.labels),
        counts=json.loads(counts.read_text(encoding="utf-8")) if counts.is_file() else {},
        environment=environment(),
        outputs=hashes(work),
    )


def _move_into_place(work: Path, place: Path, *, failed: bool) -> Path:
    """Give the work folder the run's name; the run that had it before goes last."""
    old = place.with_name(f"{WORK}{place.name}-{secrets.token_hex(4)}")
    before = read_manifest(place)
    if failed and before is not None and before.state == "finished":
        place = place.with_name(f"{place.name}-failed")
    if place.exists():
        place.rename(old)
    work.rename(place)
    shutil.rmtree(old, ignore_errors=True)
    return place
