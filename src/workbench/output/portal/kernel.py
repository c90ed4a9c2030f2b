"""The process behind one visitor's page: it runs the page once, and then no code at all.

The server lets only widget messages through from a browser. Should anything else reach this
process, it is refused here as well: after the page's last cell `close_to_code` leaves only the
messages that widgets need. A browser may not make widgets of its own either.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Any

from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from IPython import get_ipython

from workbench.errors import RunError

KEPT = {"comm_open", "comm_msg", "comm_close", "comm_info_request", "kernel_info_request"}
STOPS = {"shutdown_request", "interrupt_request", "kernel_info_request"}
WIDGETS = "jupyter.widget"


class ResultKernel(IPythonKernel):
    """A Python kernel that can be closed to code, and not opened again."""

    def close_to_code(self) -> None:
        """Refuse every message but those that widgets and the server's housekeeping need."""
        self.shell_handlers = {
            name: handler for name, handler in self.shell_handlers.items() if name in KEPT
        }
        self.control_handlers = {
            name: handler for name, handler in self.control_handlers.items() if name in STOPS
        }
        self.comm_manager.targets.pop(WIDGETS, None)
        # What goes wrong from here on is between this process and itself: a traceback has paths.
        logging.disable(logging.CRITICAL)
        sys.stdout = sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115


def close_to_code() -> None:
    """Close the process that this page runs in to code.

    Raises
    ------
    RunError
        The page does not run in the portal's own kind of process, which alone can be closed.
    """
    shell: Any = get_ipython()
    kernel = getattr(shell, "kernel", None)
    if not isinstance(kernel, ResultKernel):
        raise RunError("This page is served by `workbench portal` only: nothing is shown.")
    kernel.close_to_code()


def main() -> None:
    """Start the kernel that a connection file tells of."""
    IPKernelApp.launch_instance(kernel_class=ResultKernel)
