"""Run a batch: many planned runs at once, each ending with its own state, none stopping the rest.

The kernels are processes; the threads here only wait for them. What has finished with the same key
is not made again, so that a batch which was stopped or killed goes on where it was.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, Literal

from workbench.errors import RunError, WorkbenchError
from workbench.runner.batches.claims import sweep
from workbench.runner.execute import Circumstances, execute, load_papermill
from workbench.runner.failures import StoppedError, TakenError
from workbench.runner.kernel.kernels import kernel_environment
from workbench.runner.kernel.warm import warm_kernels
from workbench.runner.manifest import State
from workbench.runner.plan import Plan
from workbench.runner.standing import standing_of

PATIENCE = 1.0  # seconds before a run that another runner makes is looked at again
HEARD = 0.5  # seconds in which Ctrl-C is heard at the latest
WARM_FROM = 3  # runs; below it the fork server takes longer to start than it saves

Outcome = State | Literal["unchanged", "stopped", "taken"]


@dataclass(frozen=True)
class Ended:
    """How one run of a batch ended."""

    plan: Plan
    state: Outcome
    message: str = ""
    seconds: float = 0.0


@dataclass
class Watcher:
    """What is told while a batch runs; a caller replaces what it wants to hear."""

    planned: Callable[[int, int], None] = lambda n_to_run, n_unchanged: None
    started: Callable[[Plan], None] = lambda plan: None
    ended: Callable[[Ended], None] = lambda ended: None


@dataclass
class Batch:
    """The runs of a batch that was executed."""

    ended: list[Ended] = field(default_factory=list)
    was_stopped: bool = False

    @property
    def failed(self) -> list[Ended]:
        """Runs that did not finish."""
        return [one for one in self.ended if one.state not in {"finished", "unchanged"}]

    def count(self, state: Outcome) -> int:
        """How many runs ended so."""
        return sum(one.state == state for one in self.ended)


def run_batch(
    plans: Sequence[Plan],
    *,
    jobs: int,
    force: bool = False,
    is_warm: bool = True,
    watcher: Watcher | None = None,
) -> Batch:
    """Execute planned runs, `jobs` at a time, in threads of this process.

    Parameters
    ----------
    plans
        The runs. Of several with one key in one place the first is made, for all of them.
    jobs
        How many run at once.
    force
        Make again what has finished unchanged.
    is_warm
        Fork kernels from a process that has loaded the libraries, where the system can.
    watcher
        What is told on the way.

    Returns
    -------
    Batch
        Every run with its state, in the order of the plans. On Ctrl-C running kernels are ended,
        nothing half-made is kept, and the batch says that it was stopped.
    """
    told = watcher or Watcher()
    to_run, batch = sort_out(plans, force=force)
    told.planned(len(to_run), len(batch.ended))
    if not to_run:
        return batch
    load_papermill()  # once, before threads would wait for each other
    stop = threading.Event()
    with (
        warm_kernels(kernel_environment(), wanted=is_warm and len(to_run) >= WARM_FROM) as warm,
        ThreadPoolExecutor(jobs) as pool,
    ):
        around = Circumstances(stop=stop, warm=warm, reuse=not force)

        def make(plan: Plan, *, is_again: bool) -> Ended:
            if is_again and stop.wait(PATIENCE):
                return Ended(plan, "stopped")
            told.started(plan)
            return make_run(plan, around)

        try:
            for ended in as_they_end(
                to_run, lambda plan, again: pool.submit(make, plan, is_again=again)
            ):
                batch.ended.append(ended)
                told.ended(ended)
        except KeyboardInterrupt:
            batch.was_stopped = True
            stop.set()
            pool.shutdown(cancel_futures=True)
    return in_order(batch, plans)


def sort_out(plans: Iterable[Plan], *, force: bool) -> tuple[list[Plan], Batch]:
    """What is to be made, each place once; and a batch of what is there already."""
    first: dict[object, Plan] = {}
    for plan in plans:
        first.setdefault(plan.run_folder, plan)
    for study_folder in {plan.run_folder.parent for plan in first.values()}:
        if study_folder.is_dir():
            sweep(study_folder)
    batch, to_run = Batch(), []
    for plan in first.values():
        if not force and standing_of(plan) == "unchanged":
            batch.ended.append(Ended(plan, "unchanged"))
        else:
            to_run.append(plan)
    return to_run, batch


def make_run(plan: Plan, around: Circumstances) -> Ended:
    """Make one run; whatever it does, it ends with a state and raises nothing."""
    began = time.monotonic()
    try:
        run = execute(plan, around)
    except TakenError:
        return Ended(plan, "taken")
    except StoppedError:
        return Ended(plan, "stopped")
    except WorkbenchError as fault:
        return Ended(plan, "failed", str(fault), time.monotonic() - began)
    if run.was_there:
        return Ended(plan, "unchanged")
    return Ended(plan, run.manifest.state, run.manifest.message, run.manifest.seconds)


def as_they_end(
    plans: Sequence[Plan], submit: Callable[[Plan, bool], Future[Ended]]
) -> Iterator[Ended]:
    """Submit runs and give each as it ends.

    A run that another runner makes goes to the back of the queue: it will be done then, or its
    runner is gone. A fault of the workbench itself ends one run and is told as such.
    """
    done: SimpleQueue[tuple[Plan, Future[Ended]]] = SimpleQueue()

    def enter(plan: Plan, *, again: bool) -> None:
        submit(plan, again).add_done_callback(lambda future: done.put((plan, future)))

    for plan in plans:
        enter(plan, again=False)
    left = len(plans)
    while left:
        try:
            # Not without end: a signal that comes just before Python waits does not wake it.
            plan, future = done.get(timeout=HEARD)
        except Empty:
            continue
        ended = _result(plan, future)
        if ended.state == "taken":
            enter(plan, again=True)
            continue
        left -= 1
        yield ended


def _result(plan: Plan, future: Future[Any]) -> Ended:
    try:
        ended: Ended = future.result()
    except Exception as broken:
        fault = RunError(f"the workbench itself stopped with {type(broken).__name__}.")
        return Ended(plan, "failed", str(fault))
    return ended


def in_order(batch: Batch, plans: Sequence[Plan]) -> Batch:
    """The batch with its runs as they were planned."""
    order = {id(plan): at for at, plan in enumerate(plans)}
    return Batch(sorted(batch.ended, key=lambda one: order[id(one.plan)]), batch.was_stopped)
