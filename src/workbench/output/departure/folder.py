"""Look at every file of a folder, whoever made it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from workbench.errors import DisclosureError
from workbench.output.departure.columns import persons_named, small_counts
from workbench.output.departure.contents import LARGEST, Content, open_content
from workbench.output.departure.findings import Finding
from workbench.output.departure.numbers import count_numbers
from workbench.output.departure.record import record_findings

PRIVATE = frozenset({"manifest.json", "log.txt", "task.json"})


def check_folder(folder: Path, *, threshold: int, as_of: date) -> list[Finding]:
    """Find what should not leave in a folder: in file order, all of it at once.

    Parameters
    ----------
    folder
        What is about to leave; hidden files and archives are opened too.
    threshold
        Smallest count that may be shown.
    as_of
        The day from which identity numbers are read.

    Raises
    ------
    DisclosureError
        There is no such folder, or nothing is in it.
    """
    if not folder.is_dir():
        raise DisclosureError(f"{folder}: there is no such folder. Name the folder that leaves.")
    files = sorted(path for path in folder.rglob("*") if path.is_file() or path.is_symlink())
    if not files:
        raise DisclosureError(f"{folder}: nothing is in it. Name the folder that leaves.")
    found = list(record_findings(folder, files))
    for path in files:
        found += _file_findings(path, path.relative_to(folder).as_posix(), threshold, as_of)
    return found


def _file_findings(path: Path, name: str, threshold: int, as_of: date) -> Iterator[Finding]:
    if path.is_symlink():
        yield Finding(name, "is a link to somewhere else", "Put the file itself here, or nothing.")
        return
    if path.stat().st_size > LARGEST:
        yield Finding(name, "is too large to be looked into", "Leave it out, or part it.")
        return
    if path.name in PRIVATE:
        yield Finding(name, "belongs to the run and not to its release", "Take it out.")
    if n := count_numbers(name, as_of=as_of):
        yield _numbers("(a file's name)", "", n)
        name = "(a file with an identity number in its name)"
    content = open_content(path.name, path.read_bytes())
    yield from _text_findings(name, content, as_of)
    for place, table in content.tables:
        for column, n in small_counts(table, threshold):
            told = f'the column "{column}" has {n} counts of 1 to {threshold - 1}'
            yield Finding(name, told, "Hide them and what tells them.", place)
        for column, why in persons_named(table):
            yield Finding(name, f'the column "{column}" {why}', "Rows of persons stay.", place)


def _text_findings(name: str, content: Content, as_of: date) -> Iterator[Finding]:
    for place, why in content.unread:
        yield Finding(name, why, "Leave it out, or give it as text, table or picture.", place)
    counted: dict[str, int] = {}
    for place, text in content.texts:
        counted[place] = max(counted.get(place, 0), count_numbers(text, as_of=as_of))
    for place, n in counted.items():
        if n:
            yield _numbers(name, place, n)
    for place, n in content.notebooks:
        if n:
            told = f"a notebook with the output of {n} cells"
            yield Finding(name, told, "Executed notebooks are personal data: strip them.", place)


def _numbers(name: str, place: str, n: int) -> Finding:
    told = f"{n} identity number{'s' if n > 1 else ''}, or what looks like it"
    return Finding(name, told, "Nothing leaves with them: find out how they came here.", place)
