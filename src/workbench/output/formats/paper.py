"""The report on paper: a PDF printed by the browser that is installed, where there is one."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from workbench.errors import RunError

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
LONGEST = 120  # seconds
# The browser writes when it printed; without it the same report gives the same bytes.
# Blanks take its place, for the file lists the byte at which each of its parts begins.
CLOCK = re.compile(rb"(?<=/CreationDate) \(D:[^)]*\)|(?<=/ModDate) \(D:[^)]*\)")


def find_browser() -> str | None:
    """The path of a browser that can print, or nothing."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def print_report(page: str) -> bytes | None:
    """A report as PDF (A4, as its print style says), or nothing where no browser is installed.

    Raises
    ------
    RunError
        The browser did not print: it ended with a fault, or took longer than two minutes.
    """
    browser = find_browser()
    if browser is None:
        return None
    with tempfile.TemporaryDirectory(prefix="wb-print-") as folder:
        source, printed = Path(folder) / "report.html", Path(folder) / "report.pdf"
        source.write_text(page, encoding="utf-8")
        command = [
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
            "--disable-dev-shm-usage", f"--user-data-dir={folder}/profile",
            "--no-pdf-header-footer", f"--print-to-pdf={printed}", source.as_uri(),
        ]  # fmt: skip
        try:
            subprocess.run(command, check=True, timeout=LONGEST, capture_output=True)
            content = printed.read_bytes()
        except (OSError, subprocess.SubprocessError) as fault:
            raise RunError(
                f"The report could not be printed by {Path(browser).name} "
                f"({type(fault).__name__}). Leave pdf out of the study's formats."
            ) from None
    return CLOCK.sub(lambda found: b"()".ljust(len(found.group(0))), content)
