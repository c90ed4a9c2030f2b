"""Find release folders, check them against their records, and copy what the records list.

Only `release.json` says what was released. A file that it does not list is not copied; a file that
is not what it says (by size and hash) keeps the whole release out, and the reason is told.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.errors import DisclosureError, RunError

RECORD, INDEX = "release.json", "portal.json"
MANIFEST, WITHDRAWN = "manifest.json", "withdrawn.json"
SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\.[a-z0-9]+)?")
ENDINGS = {"csv", "svg", "png", "html", "pdf", "xlsx", "pptx", "json", "docx", "txt"}
LARGEST = 200_000_000  # bytes of one file; a release is pages and tables, not a store


@dataclass(frozen=True)
class Release:
    """One release folder and what its record says."""

    study: str
    run: str
    folder: Path
    record: Mapping[str, Any]
    changed: Mapping[str, str] = field(default_factory=dict)
    finished_at: str = ""

    @property
    def title(self) -> str:
        """The study's title; its name where the record has none."""
        return str(self.record["study"].get("title") or self.study)

    @property
    def question(self) -> str:
        """What the study asks."""
        return str(self.record["study"].get("question", ""))

    @property
    def facts(self) -> dict[str, str]:
        """Register, period, coverage and the like, as the report tells them."""
        return {str(key): str(told) for key, told in self.record["study"].get("facts", {}).items()}

    @property
    def register(self) -> str:
        """The register it is made from."""
        return self.facts.get("Register", "")

    @property
    def files(self) -> tuple[str, ...]:
        """Names of the released files, the record itself not among them."""
        return tuple(self.record["files"])


def read_release(
    folder: Path, *, study: str, run: str, changed: Mapping[str, str] | None = None,
    finished_at: str = "",
) -> Release:  # fmt: skip
    """Read one release folder's record and check every file that it lists.

    Raises
    ------
    DisclosureError
        The record cannot be read, lists a name that cannot be a released file's, or a file is not
        there or not the one that was released.
    """
    where = f"{study}/{run}"
    record = _record_of(folder, where)
    for name, told in record["files"].items():
        if not SAFE.fullmatch(name) or name.rpartition(".")[2] not in ENDINGS or name == RECORD:
            raise DisclosureError(
                f"{where}: the release record lists a file of a kind that is never released. "
                "Run the study again."
            )
        read_released(folder, name, told, where)
    return Release(study, run, folder, record, dict(changed or {}), finished_at)


def read_released(folder: Path, name: str, told: Mapping[str, Any], where: str) -> bytes:
    """A released file's content, if it is the one that was released.

    Raises
    ------
    DisclosureError
        It is not there, is a link, or has another content.
    """
    try:
        opened = os.open(folder / name, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        with os.fdopen(opened, "rb") as stream:
            content = stream.read(LARGEST + 1)
    except OSError:
        raise DisclosureError(
            f"{where}: {name} is in the release record and cannot be read. Run the study again."
        ) from None
    if hashlib.sha256(content).hexdigest() != told.get("sha256"):
        raise DisclosureError(
            f"{where}: {name} is not the file that was released. Run the study again."
        )
    return content


def find_releases(runs_folder: Path) -> tuple[list[Release], list[str]]:
    """The releases of a project that may be shown, and why others are left out.

    Of runs of one study with the same parameters only the newest counts; runs whose inputs were
    withdrawn are left out. Newest first within a study, studies in the order of their names.
    """
    found: dict[tuple[str, str], Release] = {}
    faults = []
    for path in sorted(runs_folder.glob(f"*/*/release/{RECORD}")):
        run_folder = path.parents[1]
        study, run = run_folder.parent.name, run_folder.name
        if run.startswith(".") or path.parent.is_symlink():
            continue
        if (run_folder / WITHDRAWN).exists():
            faults.append(f"{study}/{run}: left out, its inputs were withdrawn.")
            continue
        manifest = _manifest_of(run_folder)
        changed = {str(key): str(told) for key, told in manifest.get("changed", {}).items()}
        try:
            one = read_release(
                path.parent, study=study, run=run, changed=changed,
                finished_at=str(manifest.get("finished_at", "")),
            )  # fmt: skip
        except DisclosureError as reason:
            faults.append(str(reason))
            continue
        key = (study, json.dumps(changed, sort_keys=True))
        if key not in found or one.finished_at > found[key].finished_at:
            found[key] = one
    newest_first = sorted(found.values(), key=lambda one: one.finished_at, reverse=True)
    return sorted(newest_first, key=lambda one: one.study), faults


def copy_releases(releases: Sequence[Release], target: Path, faults: Sequence[str] = ()) -> None:
    """Copy released files, and only those, to a fresh folder, with an index of what lies there.

    Raises
    ------
    RunError
        The folder is not empty or cannot be written.
    DisclosureError
        A file changed since its record was read.
    """
    try:
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(target.iterdir()):
            raise RunError(f"{target} is not empty: the portal starts on a fresh folder.")
        lines = [_copy(one, target, f"r{at}") for at, one in enumerate(releases, start=1)]
        content = {"format": 1, "releases": lines, "left_out": list(faults)}
        text = json.dumps(content, indent=1, ensure_ascii=False)
        (target / INDEX).write_text(text, encoding="utf-8")
    except OSError as reason:
        raise RunError(f"The portal's folder cannot be written: {reason.strerror}.") from None


def read_copies(folder: Path) -> tuple[list[Release], list[str]]:
    """What was copied, checked once more, and why something is left out.

    Never raises: a folder that vanished or broke is told in a sentence.
    """
    try:
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        lines, faults = list(index["releases"]), [str(one) for one in index["left_out"]]
    except (OSError, ValueError, KeyError, TypeError):
        return [], ["The folder with the released results is not there, or cannot be read."]
    found = []
    for line in lines:
        try:
            found.append(
                read_release(
                    folder / line["place"],
                    study=line["study"],
                    run=line["run"],
                    changed=line["changed"],
                    finished_at=line["finished_at"],
                )
            )
        except DisclosureError as reason:
            faults.append(str(reason))
    return found, faults


def _copy(one: Release, target: Path, place: str) -> dict[str, Any]:
    """Copy one release; each file is checked as it is copied, not before."""
    where = f"{one.study}/{one.run}"
    (target / place).mkdir(mode=0o700)
    for name, told in one.record["files"].items():
        content = read_released(one.folder, name, told, where)
        (target / place / name).write_bytes(content)
    record = json.dumps(one.record, indent=1, ensure_ascii=False)
    (target / place / RECORD).write_text(record, encoding="utf-8")
    return {
        "place": place, "study": one.study, "run": one.run, "changed": dict(one.changed),
        "finished_at": one.finished_at,
    }  # fmt: skip


def _record_of(folder: Path, where: str) -> dict[str, Any]:
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        is_whole = (
            record["format"] == 1
            and isinstance(record["study"], dict)
            and all(isinstance(told, dict) for told in record["files"].values())
            and all(isinstance(item["files"], list) for item in record["items"])
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        is_whole = False
    if not is_whole:
        raise DisclosureError(
            f"{where}: the release record cannot be read. Run the study again to release it."
        )
    return dict(record)


def _manifest_of(run_folder: Path) -> dict[str, Any]:
    """The run's record, of which only the time and what was changed are used."""
    try:
        manifest = json.loads((run_folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return manifest if isinstance(manifest, dict) else {}
