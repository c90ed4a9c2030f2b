"""The process that warm kernels are forked from: it has loaded the libraries and does nothing else.

It starts no thread, no event loop and no connection, so that a fork of it is as good as a process
of its own. One connection is one kernel: the request says arguments, folder and environment, the
answer is the process, and at its end its exit code. Hanging up ends the kernel; when the runner is
gone, all of them end.

    python -P -m workbench.runner.kernel.fork_server SOCKET
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
import threading
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

READY = "ready"
DIES_WITH_PARENT = 1  # PR_SET_PDEATHSIG
# What studies import. Libraries that start threads when they are imported must not be here: the
# server looks, and refuses. The inline backend must not be either: figures would not show.
PRELOADED = (
    "ipykernel.kernelapp", "ipykernel.ipkernel", "ipykernel.iostream", "IPython.display",
    "numpy", "pandas", "scipy.stats", "duckdb", "ibis.backends.duckdb", "pyarrow.parquet",
    "matplotlib.pyplot", "matplotlib.backends.backend_agg", "matplotlib.backends.backend_svg",
    "seaborn", "formulaic", "lifelines",
    "workbench.runner.sessions.session", "workbench.analysis.survival",
    "workbench.analysis.regression",
    "workbench.analysis.description", "workbench.analysis.competing",
    "workbench.analysis.relative", "workbench.analysis.quality",
    "workbench.output.figures", "workbench.output.publication",
)  # fmt: skip


def serve(path: str) -> None:
    """Load the libraries, then fork a kernel for each connection until the runner is gone."""
    for name in PRELOADED:
        with contextlib.suppress(ImportError):  # a study that needs it will say so
            importlib.import_module(name)
    set_engine_threads("SET threads = 1")
    threads = _threads()
    if threads > 1:
        raise SystemExit(f"a preloaded library has started {threads - 1} threads")
    gc.collect()
    gc.freeze()  # so that collecting in a kernel does not copy what is shared
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    print(READY, flush=True)  # noqa: T201 -- the runner waits for it
    _Server(listener).loop()


@dataclass
class _Child:
    process: int
    ended: int  # a descriptor that can be read when the process has ended
    connection: socket.socket


@dataclass
class _Server:
    listener: socket.socket
    ready: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    def loop(self) -> None:
        self.ready.register(self.listener, selectors.EVENT_READ, None)
        self.ready.register(0, selectors.EVENT_READ, None)
        while True:
            for key, _ in self.ready.select():
                if key.fileobj is self.listener:
                    self._accept()
                elif key.fileobj == 0:  # the runner never writes there: it is gone
                    self._end_all()
                    return
                elif key.data.ended == key.fileobj:
                    self._tell_end(key.data)
                else:
                    _end(key.data.process)  # its runner has hung up

    def _accept(self) -> None:
        connection, _ = self.listener.accept()
        with connection.makefile("rb") as stream:
            line = stream.readline()
        if not line.endswith(b"\n"):
            connection.close()
            return
        process = os.fork()
        if process == 0:
            self._become_kernel(json.loads(line))
        child = _Child(process, os.pidfd_open(process), connection)
        self.ready.register(child.ended, selectors.EVENT_READ, child)
        self.ready.register(connection, selectors.EVENT_READ, child)
        _send(connection, {"process": process})

    def _tell_end(self, child: _Child) -> None:
        _, status = os.waitpid(child.process, 0)
        _end(child.process)  # what it started, and left behind
        self.ready.unregister(child.ended)
        self.ready.unregister(child.connection)
        os.close(child.ended)
        _send(child.connection, {"exit": os.waitstatus_to_exitcode(status)})
        child.connection.close()

    def _end_all(self) -> None:
        for key in [*self.ready.get_map().values()]:
            if isinstance(key.data, _Child):
                _end(key.data.process)

    def _become_kernel(self, request: dict[str, Any]) -> None:
        """In the fork: become what a kernel started alone would be; never return."""
        code = 1
        try:
            os.setsid()
            ctypes.CDLL(None).prctl(DIES_WITH_PARENT, signal.SIGKILL)
            for key in [*self.ready.get_map().values()]:
                if key.fd != 0:
                    os.close(key.fd)
            self.ready.close()
            run_kernel(request)
            code = 0
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)


def run_kernel(request: dict[str, Any]) -> None:
    """Run the ordinary kernel application with the request's arguments, folder, environment."""
    import numpy as np
    from ipykernel.kernelapp import IPKernelApp

    quiet = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(quiet, standard)
    os.close(quiet)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    set_engine_threads("RESET threads")
    sys.argv = ["ipykernel_launcher", *request["arguments"]]
    np.random.seed()  # a fork has its parent's generator; `random` has its own care
    # Read from the environment when ipykernel is imported, which was in the server.
    parent = f"--IPKernelApp.parent_handle={os.getppid()}"
    IPKernelApp.launch_instance([*request["arguments"], parent])


def set_engine_threads(command: str) -> None:
    """DuckDB opens a database with worker threads as it is imported; a fork would not have them."""
    import duckdb

    duckdb.execute(command)


def _threads() -> int:
    """Threads of this process, those of native libraries included."""
    with contextlib.suppress(OSError):
        return len([*Path("/proc/self/task").iterdir()])
    return threading.active_count()


def _end(process: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process, signal.SIGKILL)


def _send(connection: socket.socket, content: dict[str, int]) -> None:
    with contextlib.suppress(OSError):  # its runner has hung up
        connection.sendall(json.dumps(content).encode() + b"\n")


if __name__ == "__main__":
    serve(sys.argv[1])
