"""Voila with fewer doors: the start page, released papers, and the explorer with counted places.

It is started by `launch` in a fresh folder with a clean environment. What it may serve is known by
name when it starts; a path from a browser is only ever looked up, never opened.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from traitlets import default
from traitlets.config import Config
from voila.app import Voila  # type: ignore[import-untyped]

from workbench.output.portal.doors import doors_of
from workbench.output.portal.launch import CONNECTIONS, KERNEL, NOTEBOOK, RESULTS

POOL = 4  # pages made ready before anybody comes; some 60 MB each
IDLE_SECONDS, LOOK_SECONDS = 600, 20
WIDGETS = ["@jupyter-widgets/jupyterlab-manager", "@voila-dashboards/widgets-manager8"]
# What a browser may send to the process behind its page: no code, and nothing that ends it.
LET_THROUGH = ["comm_open", "comm_msg", "comm_close", "comm_info_request", "kernel_info_request"]
LONGEST = 45  # letters of the folder's path, so that the sockets' paths in it can be made
LARGEST_MESSAGE = 1_000_000  # bytes from a browser; a choice is a few hundred


class PortalKernelSpecs(KernelSpecManager):  # type: ignore[misc]
    """One kind of kernel, and no other that may be installed on this machine."""

    @default("allowed_kernelspecs")
    def _only_ours(self) -> set[str]:
        return {KERNEL}

    @default("ensure_native_kernel")
    def _no_native_kernel(self) -> bool:
        return False


class Portal(Voila):  # type: ignore[misc]
    """Voila that answers to the portal's own addresses and reads no configuration of a user's."""

    places = 10

    @default("config_file_paths")
    def _no_configuration(self) -> list[str]:
        return []

    def init_settings(self) -> dict[str, Any]:
        """Voila's settings, for this machine's own browser and small messages only."""
        settings = super().init_settings()
        settings["kernel_manager"].allowed_message_types = LET_THROUGH
        return {
            **settings,
            "allow_remote_access": False,
            "local_hostnames": ["localhost", "127.0.0.1"],
            "websocket_max_message_size": LARGEST_MESSAGE,
        }

    def init_handlers(self) -> list[Any]:
        """The portal's doors in place of Voila's."""
        return doors_of(super().init_handlers(), self, Path(self.root_dir) / RESULTS, self.places)


def configuration(folder: Path, port: int) -> Config:
    """How Voila is set: no sources, no tracebacks, no choice of template, kernels that end."""
    config = Config()
    config.Voila.update(
        port=port, port_retries=0, ip="127.0.0.1", open_browser=False, root_dir=str(folder),
        notebook_path=str(folder / NOTEBOOK), connection_dir_root=str(folder / CONNECTIONS),
    )  # fmt: skip
    config.VoilaConfiguration.update(
        template="portal", theme="light", strip_sources=True, show_tracebacks=False,
        allow_template_override="NO", allow_theme_override="NO", file_allowlist=[],
        file_denylist=[r".*"], extension_allowlist=WIDGETS, preheat_kernel=True,
        default_pool_size=POOL,
        kernel_spec_manager_class=PortalKernelSpecs, attempt_fix_notebook=False,
        multi_kernel_manager_class=AsyncMappingKernelManager,
    )  # fmt: skip
    config.MappingKernelManager.update(
        cull_idle_timeout=IDLE_SECONDS, cull_interval=LOOK_SECONDS, cull_connected=True,
        default_kernel_name=KERNEL,
    )  # fmt: skip
    config.KernelManager.transport = "ipc" if len(str(folder)) <= LONGEST else "tcp"
    config.KernelManager.autorestart = False  # a fresh one would not be closed to code
    config.VoilaExecutor.timeout = 60
    config.Application.log_level = "WARN"
    return config


def main(arguments: list[str] | None = None) -> None:
    """Serve a folder that `launch` made, until it is stopped."""
    parser = argparse.ArgumentParser(prog="portal", description=main.__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--places", type=int, default=Portal.places)
    given = parser.parse_args(arguments)
    threading.Thread(target=_stop_when_alone, daemon=True).start()
    portal = Portal(config=configuration(given.folder, given.port))
    portal.places = given.places
    portal.initialize([])
    portal.start()


def _stop_when_alone() -> None:
    """End this process when the one that started it is gone, however it went."""
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main(sys.argv[1:])
