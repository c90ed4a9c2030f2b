"""The release record: what lies in a release folder, by which rules, and what was hidden.

`release.json` is for programs, `record.html` is one page for whoever checks the output. Both hold
counts and rules, and of results only what the results show themselves.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from workbench.errors import DisclosureError
from workbench.output.departure.record import record_findings
from workbench.output.disclosure import Released, count_hidden
from workbench.output.formats.report import ReportContext, Section
from workbench.output.gate.seals import count_cells
from workbench.registers.profiles import lowered_protections

RECORD, PAGE = "release.json", "record.html"
COUNTS = ("n", "events", "n_persons", "n_events", "n_missing", "n_rows", "n_hidden")  # of facts
STYLE = (
    "body{font:15px/1.45 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;"
    "color:#1a1a1a}table{border-collapse:collapse;width:100%;margin:.5rem 0 1.2rem}"
    "th,td{text-align:left;vertical-align:top;padding:.25rem .8rem .25rem 0;"
    "border-bottom:1px solid #d8d8d8}tr>th:first-child{width:15rem}"
    "h1{font-size:1.4rem}h2{font-size:1.05rem;margin:1.2rem 0 0}"
    "td code{overflow-wrap:anywhere}@media print{body{margin:0}}"
)


def record_of(
    context: ReportContext, sections: Sequence[Section], files: Mapping[str, bytes], *,
    n_linked: int,
) -> dict[str, Any]:  # fmt: skip
    """What the release record says.

    Parameters
    ----------
    context
        The study's title, question, facts and provenance.
    sections
        What is published.
    files
        Name and content of every file but the record.
    n_linked
        Tables of counts that share sums and were attacked together.
    """
    results = [section.released for section in sections]
    profiles = {one.profile: dict(one.rules) for one in results}
    return {
        "format": 1,
        "study": {
            "title": context.title,
            "question": context.question,
            "facts": dict(context.facts),
            "provenance": dict(context.provenance),
        },
        "profiles": {
            name: {"rules": rules, "lowered": lowered_protections(rules)}
            for name, rules in profiles.items()
        },
        "items": [_item(section) for section in sections],
        "hidden": count_hidden(results),
        "cells": {
            kind: {**cells, "share_shown": round(cells["shown"] / max(sum(cells.values()), 1), 4)}
            for kind, cells in count_cells(results).items()
        },
        "attacked_together": n_linked,
        "files": _hashes(files),
    }


def with_file(record: Mapping[str, Any], name: str, content: bytes) -> dict[str, Any]:
    """The record with one more file."""
    files = dict(record["files"]) | _hashes({name: content})
    return {**record, "files": dict(sorted(files.items()))}


def as_json(record: Mapping[str, Any]) -> bytes:
    """The record as it is written."""
    return (json.dumps(record, indent=2, ensure_ascii=False) + "\n").encode("utf-8")


def as_page(record: Mapping[str, Any]) -> bytes:
    """The record on one page, for whoever checks the output."""
    study = record["study"]
    rules = [
        _block(f'Rules of the profile "{name}"', one["rules"].items())
        for name, one in record["profiles"].items()
    ]
    lowered = [
        (setting, words)
        for one in record["profiles"].values()
        for setting, words in one["lowered"].items()
    ]
    hashes = {name: f"sha256:{one['sha256']}" for name, one in record["files"].items()}
    parts = [
        f"<h1>Release record: {escape(study['title'])}</h1><p>{escape(study['question'])}</p>",
        _block("What it is about", study["facts"].items()),
        _block("Cells shown and hidden", _cell_words(record)),
        _block("Hidden, by reason", record["hidden"].items() or [("nothing", "")]),
        _block("Protections below the standard profile", lowered or [("none", "")]),
        *rules,
        _items(record["items"]),
        _block("The files, by their hash", hashes.items()),
        "<p>What is proved and what is not: docs/output-checking.md of the workbench.</p>",
    ]
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>Release record: {escape(study['title'])}</title><style>{STYLE}</style></head>"
        f"<body>{''.join(parts)}</body></html>\n"
    )
    return page.encode("utf-8")


def require_recorded(folder: Path) -> None:
    """Refuse a release folder in which anything lies that the release record does not name.

    Raises
    ------
    DisclosureError
        A file was put there by something else, changed or taken away since; says what to do.
    """
    folder = Path(folder)
    if (folder / RECORD).is_file():
        found = [str(one) for one in record_findings(folder, [folder / RECORD])]
    else:
        found = [
            f"{one.relative_to(folder).as_posix()}: is not in the release record."
            for one in sorted(folder.rglob("*"))
            if not one.is_dir()
        ]
    if found:
        more = f" (and {len(found) - 5} more)" if len(found) > 5 else ""
        raise DisclosureError(
            f"{folder.name}/ holds what did not pass the gate. {' '.join(found[:5])}{more} Only "
            "session.publish writes there: do not save figures or tables (savefig, to_csv) into "
            "it. Release the result (session.release), draw from that and publish it; keep files "
            "of your own in the run folder, which stays private."
        )


def _hashes(files: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
    return {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        for name, content in sorted(files.items())
    }


def _item(section: Section) -> dict[str, Any]:
    released: Released = section.released
    names = [f"{section.name}.{ending}" for ending in ("csv", *released.files)]
    words = {"name": section.name, "heading": section.heading, "method": section.method}
    counts = {
        name: int(released.facts[name])
        for name in COUNTS
        if isinstance(released.facts.get(name), int)
    }
    return {**words, **released.record(), "counts": counts, "files": names}


def _cell_words(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    words = []
    for kind, cells in record["cells"].items():
        told = [f"{name}: {n}" for name, n in cells.items() if name != "share_shown"]
        share = f"{100 * cells['share_shown']:.1f} % shown"
        words.append((f"Tables of {kind}" if kind == "counts" else "Other tables",
                      f"{share} ({', '.join(told)})"))  # fmt: skip
    return [*words, ("Tables attacked together", str(record["attacked_together"]))]


def _block(heading: str, lines: Any) -> str:
    rows = "".join(
        f"<tr><th>{escape(str(name).replace('_', ' '))}</th><td>{escape(_plain(words))}</td></tr>"
        for name, words in lines
    )
    return f"<h2>{escape(heading)}</h2><table>{rows}</table>"


def _plain(value: Any) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _items(items: Sequence[Mapping[str, Any]]) -> str:
    head = "<tr><th>Result</th><th>Kind</th><th>Underlying counts</th><th>Notes</th></tr>"
    rows = "".join(
        "<tr>"
        + "".join(
            f"<td>{escape(cell)}</td>"
            for cell in (
                one["heading"],
                one["kind"].replace("_", " "),
                ", ".join(f"{name} {n}" for name, n in one["counts"].items()),
                " ".join(one["notes"]),
            )
        )
        + "</tr>"
        for one in items
    )
    return f"<h2>Results</h2><table>{head}{rows}</table>"
