"""Warm kernels: forked from one process that has loaded the libraries, where the system can.

A fork is a process of its own, so that studies do not see each other; what it saves is the time to
load libraries. Where there is no fork, or the server cannot start, kernels start as they always do,
with the same results.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from workbench.runner.kernel.fork_server import READY
from workbench.runner.kernel.supervision import end_group

LAUNCHER = "ipykernel_launcher"
# What the libraries read as they are loaded: figures show in the notebook, as ipykernel has it, and
# Arrow's allocator starts no thread.
QUIET = {
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}
WAIT = 60  # seconds for the libraries to load; a loaded machine is slow
IS_POSSIBLE = sys.platform == "linux"


class ForkedProcess:
    """A kernel's process, with what jupyter_client asks of one it has started itself."""

    stdin = stdout = stderr = None

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._read = b""
        self.returncode: int | None = None
        told = self._receive(wait=True)
        if told is None:
            raise ConnectionError("the fork server is gone")
        self.pid: int = told["process"]
        connection.setblocking(False)

    def poll(self) -> int | None:
        """The exit code, or nothing while it runs."""
        if self.returncode is None:
            try:
                told = self._receive(wait=False)
            except BlockingIOError:
                return None
            self.returncode = -signal.SIGKILL if told is None else told["exit"]
            end_group(self.pid)  # when the server is gone, nobody else does
            self._connection.close()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end."""
        end = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if end is not None and time.monotonic() > end:
                raise subprocess.TimeoutExpired(LAUNCHER, timeout or 0)
            time.sleep(0.01)
        return code

    def send_signal(self, signum: int) -> None:
        """Send a signal to a process that has not ended."""
        if self.poll() is None:
            os.kill(self.pid, signum)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def _receive(self, *, wait: bool) -> dict[str, int] | None:
        """The next thing the server tells; nothing when it is gone."""
        while b"\n" not in self._read:
            try:
                more = self._connection.recv(4096)
            except BlockingIOError:
                if not wait:
                    raise
                continue
            except OSError:
                more = b""
            if not more:
                return None
            self._read += more
        line, _, self._read = self._read.partition(b"\n")
        told: dict[str, int] = json.loads(line)
        return told


class WarmKernels:
    """One fork server, started in the background; to be closed."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = {**QUIET, **environment}
        self._lock = threading.Lock()
        self._folder = Path(mkdtemp(prefix="wb-"))
        self._server: subprocess.Popen[bytes] | None = None
        self._is_ready = False
        self._tries = 2
        self._start()

    def fork(
        self, arguments: Sequence[str], *, folder: str, environment: Mapping[str, str]
    ) -> ForkedProcess | None:
        """A kernel's process; nothing when the server cannot be had."""
        with self._lock:
            if not self._serves():
                return None
        request = {
            "arguments": list(arguments), "folder": folder, "environment": dict(environment)
        }  # fmt: skip
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(self._socket)
            connection.sendall(json.dumps(request).encode() + b"\n")
            return ForkedProcess(connection)
        except OSError:
            connection.close()
            return None

    def close(self) -> None:
        """End the server, and every kernel that is left."""
        with self._lock:
            self._tries = 0
            self._end()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def process(self) -> int | None:
        """The server's process."""
        return self._server.pid if self._server else None

    @property
    def _socket(self) -> str:
        return str(self._folder / f"fork-{self._tries}")

    def _start(self) -> None:
        command = [sys.executable, "-P", "-m", "workbench.runner.kernel.fork_server", self._socket]
        self._is_ready = False
        self._server = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=self._environment,
            start_new_session=True,
        )

    def _serves(self) -> bool:
        """Whether the server is there; one that died is started once more."""
        while self._server is not None:
            if self._server.poll() is None and (self._is_ready or self._becomes_ready()):
                return True
            self._end()
            self._tries -= 1
            if self._tries > 0:
                self._start()
        return False

    def _becomes_ready(self) -> bool:
        server = self._server
        if server is None or server.stdout is None:
            return False
        patience = threading.Timer(WAIT, server.kill)
        patience.start()
        self._is_ready = server.stdout.readline().decode().strip() == READY
        patience.cancel()
        return self._is_ready

    def _end(self) -> None:
        server, self._server = self._server, None
        if server is None:
            return
        for stream in (server.stdin, server.stdout):
            if stream is not None:
                stream.close()
        try:
            server.wait(5)  # it ends its kernels first
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@contextlib.contextmanager
def warm_kernels(environment: Mapping[str, str], *, wanted: bool = True) -> Any:
    """A fork server for the body, or nothing where there can be none."""
    if not (wanted and IS_POSSIBLE):
        yield None
        return
    kernels = WarmKernels(environment)
    try:
        yield kernels
    finally:
        kernels.close()


def warm_provisioner(warm: WarmKernels, kernel_manager: Any) -> Any:
    """What starts a kernel of jupyter_client from the fork server, or alone where it cannot."""
    from jupyter_client.provisioning.local_provisioner import LocalProvisioner

    class WarmProvisioner(LocalProvisioner):
        """Forks instead of starting a process."""

        async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
            arguments = cmd[cmd.index(LAUNCHER) + 1 :] if LAUNCHER in cmd else None
            forked = None
            if arguments is not None and cmd[0] == sys.executable:
                forked = warm.fork(
                    arguments,
                    folder=str(kwargs.get("cwd") or Path.cwd()),
                    environment=kwargs["env"],
                )
            if forked is None:
                return await super().launch_kernel(cmd, **kwargs)
            self.process = forked  # type: ignore[assignment]
            self.pid = self.pgid = forked.pid  # type: ignore[assignment]
            self.cwd = kwargs.get("cwd", Path.cwd())
            return self.connection_info

    return WarmProvisioner(
        kernel_id=kernel_manager.kernel_id or "warm",
        kernel_spec=kernel_manager.kernel_spec,
        parent=kernel_manager,
    )
