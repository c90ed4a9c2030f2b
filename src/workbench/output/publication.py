"""Collect released results and write them as one release folder.

Only here are release files written, and only from `Released`. The folder is made beside its place
and renamed into it, so that it is whole or not there. `release.json` lists every other file with
its hash, the rules and what was hidden by reason; the same input gives the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from workbench.errors import DisclosureError, RunError
from workbench.output import tables
from workbench.output.disclosure import Released, count_hidden, require_released
from workbench.output.formats.deck import build_deck
from workbench.output.formats.paper import print_report
from workbench.output.formats.report import ReportContext, Section, build_report
from workbench.output.formats.workbook import build_workbook

RECORD, REPORT, PAPER = "release.json", "report.html", "report.pdf"
NAME = re.compile(r"[a-z][a-z0-9_-]*")
# Names of our own files, and anchors the report uses itself.
TAKEN = {
    "release", "report", "workbook", "deck", "results", "hidden-and-why", "how-to-read",
    "provenance-of-numbers",
}  # fmt: skip
# Formats besides the page that are made of the same sections.
BUILDERS = {"workbook": ("workbook.xlsx", build_workbook), "deck": ("deck.pptx", build_deck)}


@dataclass
class Publication:
    """A release folder in the making."""

    folder: Path
    sections: list[Section] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        """Take the folder as a path or as text."""
        self.folder = Path(self.folder)

    def add(
        self, released: Released, *, name: str, heading: str, text: str = "", method: str = "",
        chapter: str = "", points: Sequence[str] = (),
    ) -> None:  # fmt: skip
        """Put a released result at the end of the report.

        Parameters
        ----------
        released
            What `release` or a drawing function gave.
        name
            Name of its files: small letters, digits, `-` and `_`, beginning with a letter.
        heading, text, method
            Heading, paragraphs (parted by an empty line) and one line on the method.
        chapter, points
            The chapter it stands in, if any; lines to talk about, in a box.

        Raises
        ------
        DisclosureError
            Not a released result, or a name that is taken or cannot be used.
        """
        require_released(released)
        if not NAME.fullmatch(name) or name in TAKEN:
            raise DisclosureError(
                f'name "{name}": expected small letters, digits, "-" and "_", beginning with a '
                f"letter, and none of {', '.join(sorted(TAKEN))}."
            )
        if any(section.name == name for section in self.sections):
            raise DisclosureError(
                f'name "{name}": another result is already published under it. Give each its own.'
            )
        section = Section(name, heading, released, text, method, chapter, tuple(points))
        self.sections.append(section)

    def write(self, context: ReportContext, *, formats: Sequence[str] = ()) -> Path:
        """Write tables, figures, report.html and the release record; give back the folder.

        `formats` are "workbook" (workbook.xlsx), "deck" (deck.pptx) and "pdf" (report.pdf, printed
        by the browser that is installed; without one the page says so).

        Raises
        ------
        DisclosureError
            Nothing was added, or a result was changed since it was released.
        RunError
            The folder cannot be written (a full disk, no permission); nothing is left behind.
        """
        if not self.sections:
            raise DisclosureError("Nothing has been added, so there is nothing to publish.")
        files = self._files()
        page = build_report(context, self.sections)
        if "pdf" in formats:
            page = self._printed(page, context, files)
        files[REPORT] = page.encode("utf-8")
        for name, build in (BUILDERS[one] for one in formats if one in BUILDERS):
            files[name] = build(context, self.sections)
        files[RECORD] = self._record(context, files)
        try:
            _write_folder(self.folder, files)
        except OSError as reason:
            raise RunError(f"{self.folder} cannot be written: {reason.strerror}.") from None
        return self.folder

    def _printed(self, page: str, context: ReportContext, files: dict[str, bytes]) -> str:
        """The page, which also lies there as PDF, or says why it does not."""
        paper = print_report(page)
        if paper is not None:
            files[PAPER] = paper
            return page
        told = {**context.facts, "On paper": "Not printed: no browser is installed here."}
        return build_report(replace(context, facts=told), self.sections)

    def _files(self) -> dict[str, bytes]:
        """Every table as CSV; every figure as its pictures and the numbers drawn."""
        files = {}
        for section in self.sections:
            files[f"{section.name}.csv"] = tables.to_csv(section.released)
            for ending, content in section.released.files.items():
                files[f"{section.name}.{ending}"] = content
        return files

    def _record(self, context: ReportContext, files: dict[str, bytes]) -> bytes:
        items = []
        for section in self.sections:
            names = [f"{section.name}.{ending}" for ending in ("csv", *section.released.files)]
            words = {"name": section.name, "heading": section.heading, "method": section.method}
            items.append({**words, **section.released.record(), "files": names})
        record: dict[str, Any] = {
            "format": 1,
            "study": {
                "title": context.title,
                "question": context.question,
                "facts": dict(context.facts),
                "provenance": dict(context.provenance),
            },
            "items": items,
            "hidden": count_hidden([section.released for section in self.sections]),
            "files": {
                name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
                for name, content in sorted(files.items())
            },
        }
        return (json.dumps(record, indent=2, ensure_ascii=False) + "\n").encode("utf-8")


def _write_folder(folder: Path, files: dict[str, bytes]) -> None:
    """Write beside the place and rename; an older release is replaced as a whole."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for name, content in files.items():
            (making / name).write_bytes(content)
        if folder.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-old-", dir=folder.parent))
            folder.rename(old / folder.name)
            try:
                making.rename(folder)
            except OSError:
                (old / folder.name).rename(folder)
                raise
            finally:
                shutil.rmtree(old, ignore_errors=True)
        else:
            making.rename(folder)
    finally:
        shutil.rmtree(making, ignore_errors=True)
