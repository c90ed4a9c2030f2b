"""Kernels that only their own runner can listen to.

By default a kernel talks over TCP ports that every process on the machine can read, printed
values of persons included. On systems with Unix sockets each kernel gets sockets in a folder of its
own that nobody else may enter.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import mkdtemp
from typing import Any

from workbench.data.keys import without_keys
from workbench.runner.kernel.supervision import Kernel
from workbench.runner.kernel.warm import WarmKernels, warm_provisioner

# One thread for linear algebra: sums come in the same order on every machine, and runs beside each
# other do not compete for cores. Who sets them otherwise is obeyed.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def kernel_environment() -> dict[str, str]:
    """What a kernel finds in its environment.

    It gets no key: a notebook reads pseudonyms, and must not be able to make them.
    """
    return {**ONE_THREAD, **without_keys(os.environ)}


@contextmanager
def private_kernel(
    kernel: Kernel | None = None, warm: WarmKernels | None = None
) -> Iterator[dict[str, object]]:
    """Arguments that give papermill a kernel with private sockets; they vanish with it.

    `kernel` is told the process as soon as there is one; `warm` makes it of a process that has
    loaded the libraries. On Windows there are no such sockets, and the kernel listens on the
    machine's own address only.
    """
    # Loaded here, as papermill is: only a run needs it.
    from jupyter_client.manager import AsyncKernelManager

    # A short path: a socket's may have about a hundred letters.
    folder = mkdtemp(prefix="wb-") if os.name == "posix" else None
    sockets = {"transport": "ipc", "ip": f"{folder}/k"} if folder else {}
    told = kernel or Kernel()

    class PrivateKernelManager(AsyncKernelManager):
        """A kernel manager whose sockets lie in one private folder."""

        def __init__(self, **options: Any) -> None:
            super().__init__(**options, **sockets)

        async def start_kernel(self, **options: Any) -> None:  # type: ignore[override]
            """Start it with its own complaints kept off the terminal: they may quote a value."""
            if warm is not None:
                self.provisioner = warm_provisioner(warm, self)
            given = {**options, "env": {**kernel_environment(), **(options.get("env") or {})}}
            given["env"] = without_keys(given["env"])
            await super().start_kernel(**given, stderr=subprocess.DEVNULL)
            told.process = getattr(self.provisioner, "pid", None)

    try:
        yield {"kernel_manager_class": PrivateKernelManager}
    finally:
        if folder:
            shutil.rmtree(folder, ignore_errors=True)


def close_event_loop() -> None:
    """Close the event loop that running a notebook left in this thread.

    Whoever runs notebooks from threads would otherwise gather open sockets.
    """
    from jupyter_core.utils import ensure_event_loop

    loop = ensure_event_loop()
    if loop.is_running() or loop.is_closed():
        return
    waiting = asyncio.all_tasks(loop)  # what Ctrl-C left undone
    for task in waiting:
        task.cancel()
    if waiting:
        loop.run_until_complete(asyncio.wait(waiting))
    loop.close()
