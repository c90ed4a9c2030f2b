"""The fresh folder, the clean environment, and the start of the served process.

The served process finds released files, the page's template and a home of its own, and nothing of
the project: no store, no key, no path to them in its environment, no configuration of the user's.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from workbench.errors import RunError
from workbench.output.portal.releases import Release, copy_releases, find_releases

RESULTS, HOME, CONNECTIONS, NOTEBOOK = "released", "home", "c", "results.ipynb"
KERNEL = "portal"
# What a process needs to run at all; nothing that names a project, a store or a key.
KEPT = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "TZ")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


SECONDS_TO_START, SECONDS_TO_STOP = 60, 10


@dataclass(frozen=True)
class Served:
    """A portal that runs: where, what it shows, and what is left out and why."""

    address: str
    releases: tuple[Release, ...]
    faults: tuple[str, ...]
    process: subprocess.Popen[bytes]
    folder: Path


@contextmanager
def serving(
    runs_folder: Path, page: Path, *, port: int, places: int = 10, language: str = "en"
) -> Iterator[Served]:
    """Serve the released results of a project for as long as the block lasts.

    Parameters
    ----------
    runs_folder
        The project's runs; only their release folders are read, and only at the start.
    page
        The notebook that is the page.
    port, places, language
        Where it is served on this machine, for how many visitors at once, and the language that
        the explorer begins in.

    Raises
    ------
    RunError
        The port is taken, the folder cannot be written, or the portal does not start.
    """
    _require_free(port)
    releases, faults = find_releases(runs_folder)
    folder = Path(tempfile.mkdtemp(prefix="portal-"))
    try:
        prepare(folder, releases, faults, page)
        process = start(folder, port=port, places=places, language=language)
        try:
            address = f"http://127.0.0.1:{port}/"
            _wait_for(address, process)
            yield Served(address, tuple(releases), tuple(faults), process, folder)
        finally:
            _stop(process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def prepare(folder: Path, releases: Sequence[Release], faults: Sequence[str], page: Path) -> None:
    """Fill a fresh folder with all that the served process may find.

    Parameters
    ----------
    folder
        An empty folder; its path should be short, as sockets lie in it.
    releases, faults
        What is served, and why something is left out.
    page
        The notebook that is the page.

    Raises
    ------
    RunError
        The folder cannot be written.
    """
    copy_releases(releases, folder / RESULTS, faults)
    try:
        for name in (HOME, CONNECTIONS):
            (folder / name).mkdir(mode=0o700)
        (folder / NOTEBOOK).write_bytes(page.read_bytes())
        _write_template(folder / HOME / "jupyter" / "voila" / "templates" / "portal")
        _write_kernel(folder / HOME / "jupyter" / "kernels" / KERNEL)
    except OSError as reason:
        raise RunError(f"The portal's folder cannot be written: {reason.strerror}.") from None


def environment(folder: Path, language: str) -> dict[str, str]:
    """The served process's whole environment."""
    home = folder / HOME
    return {
        **{name: os.environ[name] for name in KEPT if name in os.environ},
        **dict.fromkeys(THREADS, "1"),
        "HOME": str(home),
        "TMPDIR": str(folder / CONNECTIONS),
        "LANG": "C.UTF-8",
        "PYTHONNOUSERSITE": "1",
        "PYTHONSAFEPATH": "1",
        "JUPYTER_DATA_DIR": str(home / "jupyter"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTER_NO_CONFIG": "1",
        "IPYTHONDIR": str(home / "ipython"),
        "PORTAL_LANGUAGE": language,
    }


def start(folder: Path, *, port: int, places: int, language: str) -> subprocess.Popen[bytes]:
    """Start the served process in its folder; give it back while it runs."""
    command = [
        sys.executable, "-P", "-s", "-m", "workbench.output.portal.server", str(folder),
        "--port", str(port), "--places", str(places),
    ]  # fmt: skip
    return subprocess.Popen(
        command,
        cwd=folder,
        env=environment(folder, language),
        stdin=subprocess.PIPE,  # when it closes, whoever started the portal is gone
        start_new_session=True,
    )


def _require_free(port: int) -> None:
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            raise RunError(
                f"Port {port} is taken or cannot be used. Choose another with --port."
            ) from None


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until the first page is answered."""
    until = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}portal.css", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RunError("The portal did not start. What it said stands above.")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdin:
        process.stdin.close()


def _write_template(folder: Path) -> None:
    folder.mkdir(parents=True)
    for one in (resources.files("workbench.output.portal") / "template").iterdir():
        (folder / one.name).write_bytes(one.read_bytes())


def _write_kernel(folder: Path) -> None:
    folder.mkdir(parents=True)
    spec = {
        "argv": [
            sys.executable, "-P", "-s", "-c",
            "from workbench.output.portal.kernel import main; main()", "-f", "{connection_file}",
        ],
        "display_name": "Portal",
        "language": "python",
        "env": {"IPYTHONDIR": str(folder / "ipython")},
    }  # fmt: skip
    (folder / "kernel.json").write_text(json.dumps(spec, indent=1), encoding="utf-8")
