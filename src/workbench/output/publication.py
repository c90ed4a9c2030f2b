"""Collect released results and write them as one release folder.

Only here are release files written, and only from `Released`. The folder is made beside its place
and renamed into it, so that it is whole or not there. `release.json` lists every other file with
its hash, the rules and what was hidden by reason; the same input gives the same bytes.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from workbench.errors import DisclosureError, RunError
from workbench.output import tables
from workbench.output.disclosure import Released, release, require_released
from workbench.output.formats.deck import build_deck
from workbench.output.formats.paper import print_report
from workbench.output.formats.report import ReportContext, Section, build_report
from workbench.output.formats.workbook import build_workbook
from workbench.output.gate.earlier_counts import as_text, read_counts
from workbench.output.gate.joint_counts import ShownCounts, require_safe_together
from workbench.output.gate.seals import counts_behind
from workbench.output.release_record import (
    PAGE,
    RECORD,
    as_json,
    as_page,
    record_of,
    require_recorded,
    with_file,
)
from workbench.output.reporting import PaperFacts, build_paper, checklist_csv
from workbench.registers.checklists import load_checklist
from workbench.registers.profiles import ReleaseProfile

REPORT, PAPER = "report.html", "report.pdf"
COUNTS, LEFT = "shown_counts.json", "left"  # private: beside the release, and of those that left
NAME = re.compile(r"[a-z][a-z0-9_-]*")
# Names of our own files, and anchors the report uses itself.
TAKEN = {
    "release", "record", "report", "workbook", "deck", "results", "hidden-and-why", "how-to-read",
    "provenance-of-numbers", "for_a_paper",
}  # fmt: skip
# Formats besides the page that are made of the same sections.
BUILDERS = {"workbook": ("workbook.xlsx", build_workbook), "deck": ("deck.pptx", build_deck)}


@dataclass
class Publication:
    """A release folder in the making."""

    folder: Path
    sections: list[Section] = field(default_factory=list, init=False)
    released: list[Released] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        """Take the folder as a path or as text."""
        self.folder = Path(self.folder)

    def release(
        self, result: object, policy: ReleaseProfile, *, title: str, **more: Any
    ) -> Released:
        """Pass a result through the gate, with regard to what went before and what has left."""
        found = release(
            result, policy, title=title, beside=self.released, earlier=self._earlier, **more
        )
        self.released.append(found)
        return found

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

    def write(
        self, context: ReportContext, *, formats: Sequence[str] = (),
        paper: PaperFacts | None = None,
    ) -> Path:  # fmt: skip
        """Write tables, figures, report.html and the release record; give back the folder.

        `formats` are "workbook" (workbook.xlsx), "deck" (deck.pptx) and "pdf" (report.pdf, printed
        by the browser that is installed; without one the page says so). With `paper`, a draft of
        a paper's methods and a filled checklist lie beside them (for_a_paper.html and .csv).

        Raises
        ------
        DisclosureError
            Nothing was added; a result was changed since it was released; tables tell small
            numbers together; or a file lies in the folder that was not released.
        RunError
            The folder cannot be written (a full disk, no permission); nothing is left behind.
        """
        if not self.sections:
            raise DisclosureError("Nothing has been added, so there is nothing to publish.")
        shown = counts_behind([one.released for one in self.sections])
        n_linked = require_safe_together([*shown, *self._earlier])
        require_recorded(self.folder)
        files = self._files()
        page = build_report(context, self.sections)
        if "pdf" in formats:
            page = self._printed(page, context, files)
        files[REPORT] = page.encode("utf-8")
        for name, build in (BUILDERS[one] for one in formats if one in BUILDERS):
            files[name] = build(context, self.sections)
        if paper is not None:
            checklist = load_checklist("record")
            files["for_a_paper.html"] = build_paper(paper, checklist).encode("utf-8")
            files["for_a_paper.csv"] = checklist_csv(paper, checklist)
        record = record_of(context, self.sections, files, n_linked=n_linked)
        files[PAGE] = as_page(record)
        files[RECORD] = as_json(with_file(record, PAGE, files[PAGE]))
        try:
            _write_folder(self.folder, files)
            self._keep_counts(shown)
        except OSError as reason:
            raise RunError(f"{self.folder} cannot be written: {reason.strerror}.") from None
        return self.folder

    @cached_property
    def _earlier(self) -> list[ShownCounts]:
        """The counts of this study's releases that have left, from runs/STUDY/left/."""
        files = sorted((self.folder.parent.parent / LEFT).glob("*.json"))
        return [one for file in files for one in read_counts(file)]

    def _keep_counts(self, shown: Sequence[ShownCounts]) -> None:
        """Keep the counts in the run folder, private, for releases that come later."""
        if shown:
            place = self.folder.parent / COUNTS
            making = place.with_name(f".{place.name}")
            making.write_text(as_text(shown), encoding="utf-8")
            making.replace(place)

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


def record_departure(folder: Path) -> Path:
    """Note that a run's release leaves, so that later runs of the study mind what it shows.

    Copies the counts behind it, which are private, to `runs/STUDY/left/RUN.json`.

    Raises
    ------
    DisclosureError
        The folder is not the release of a run, or has no counts that a difference could tell.
    """
    run = folder.resolve().parent
    counts = run / COUNTS
    if folder.name != "release" or not counts.is_file():
        raise DisclosureError(
            f"{folder} is not the release folder of a run with counts: nothing to mind later. "
            "Name runs/STUDY/RUN/release."
        )
    place = run.parent / LEFT / f"{run.name}.json"
    place.parent.mkdir(exist_ok=True, mode=0o700)
    making = place.with_name(f".{place.name}")
    making.write_bytes(counts.read_bytes())
    making.replace(place)
    return place
