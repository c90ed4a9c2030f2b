"""A batch on a dask scheduler that is already there: this module is the only door to it.

Workers must see the project's folders under the same paths and have the workbench installed. Each
should have one thread: a study takes a core.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

from workbench.errors import RunError, StudyError, WorkbenchError
from workbench.runner.batches.assignments import Assignment, assignment_of, fulfil
from workbench.runner.batches.batch import (
    Batch,
    Ended,
    Watcher,
    as_they_end,
    in_order,
    sort_out,
)
from workbench.runner.execute import record_lost
from workbench.runner.plan import Plan

PATIENCE = "15s"  # for the scheduler to answer


def run_on_scheduler(
    plans: Sequence[Plan], address: str, *, force: bool = False, watcher: Watcher | None = None
) -> Batch:
    """Execute planned runs on the workers of a dask scheduler.

    As `batch.run_batch`. A worker that dies gives its run to another; a run that nobody could make
    is recorded as lost.

    Raises
    ------
    StudyError
        When dask is not installed.
    RunError
        When no scheduler answers at the address.
    """
    told = watcher or Watcher()
    to_run, batch = sort_out(plans, force=force)
    told.planned(len(to_run), len(batch.ended))
    if not to_run:
        return batch
    client = _client(address)
    try:
        pool = client.get_executor(pure=False)

        def submit(plan: Plan, _: bool) -> Future[Ended]:
            told.started(plan)
            return _translated(pool.submit(work, assignment_of(plan), force=force), plan)

        for ended in as_they_end(to_run, submit):
            batch.ended.append(ended)
            told.ended(ended)
    except KeyboardInterrupt:
        batch.was_stopped = True
        pool.shutdown(wait=False, cancel_futures=True)
    finally:
        client.close()
    return in_order(batch, plans)


def work(assignment: Assignment, *, force: bool) -> dict[str, Any]:
    """What a worker does, in plain data."""
    try:
        ended = fulfil(assignment, force=force)
    except WorkbenchError as fault:
        return {"state": "failed", "message": str(fault), "seconds": 0.0}
    return {"state": ended.state, "message": ended.message, "seconds": ended.seconds}


def _translated(there: Future[dict[str, Any]], plan: Plan) -> Future[Ended]:
    """The end of a run here, by its end there."""
    here: Future[Ended] = Future()

    def tell(done: Future[dict[str, Any]]) -> None:
        try:
            told = done.result()
            here.set_result(Ended(plan, told["state"], told["message"], told["seconds"]))
        except BaseException as lost:  # a cancelled future's error is no Exception
            words = f"the workers that had it ended ({type(lost).__name__})."
            record_lost(plan, words)
            here.set_result(Ended(plan, "lost", words))

    there.add_done_callback(tell)
    return here


def _client(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError:
        raise StudyError(
            "--scheduler needs dask. Install it: pip install 'register-workbench[cluster]'"
        ) from None
    try:
        return Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as reason:
        raise RunError(
            f"No dask scheduler answers at {address} ({type(reason).__name__})."
        ) from None
