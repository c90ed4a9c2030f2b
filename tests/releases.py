"""Release folders of invented results, as `workbench run` leaves them, made without a run."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

UNITS = ("Alvik", "Berga", "Dalby", "Ekeby", "Forsa", "Gimo", "Hög <b>")
SHARES = "region,n,events,estimate,lower,upper,level,level_probability,level_words"
FUNNEL = "region,n,events,estimate,lower_95,upper_95,lower_998,upper_998,flag,p_value"
YEARS = "region,year,n,events,estimate,lower,upper,trend"
NOTE = (
    "2 of 9 rows are not shown in full: fewer than 5 persons in them or with one answer, or rows "
    "from which those could be worked out."
)


def shares() -> str:
    """Shares by unit: one hidden cell, one missing one."""
    lines = [SHARES]
    for at, unit in enumerate(UNITS):
        n, events = 100 + at * 50, 40 + at * 20
        level = ("high", "moderate", "low")[at % 3]
        words = "not decided between high and low" if at == 3 else level
        told = f"{events / n:.3f},{events / n - 0.08:.3f},{events / n + 0.08:.3f}"
        lines.append(f"{unit},{n},{events},{told},{level},0.99,{words}")
    lines[2] = "Berga,150,[c],[c],[c],[c],,,"
    lines[3] = "Dalby,200,,,,,,,"
    return "\n".join(lines) + "\n"


def funnel() -> str:
    """The same units with limits; one above the outer ones."""
    lines = [FUNNEL]
    for at, unit in enumerate(UNITS):
        n, events = 100 + at * 50, 40 + at * 20
        width = 1 / n**0.5
        ends = (0.4 - width, 0.4 + width, 0.4 - 1.6 * width, 0.4 + 1.6 * width)
        limits = ",".join(f"{one:.3f}" for one in ends)
        flag = "high 99.8" if at == 4 else "none"
        lines.append(f"{unit},{n},{events},{events / n:.3f},{limits},{flag},0.5")
    return "\n".join(lines) + "\n"


def years() -> str:
    """Three units over six years, with a year left out and a hidden one."""
    lines = [YEARS]
    for unit in UNITS[:3]:
        for year in range(2018, 2024):
            if (unit, year) == ("Alvik", 2020):
                continue
            told = "[c],[c],[c],[c]" if (unit, year) == ("Berga", 2021) else "9,0.450,0.260,0.660"
            lines.append(f"{unit},{year},20,{told},none")
    return "\n".join(lines) + "\n"


def write_run(
    runs: Path, study: str = "renal", run: str = "aaaa", *, title: str = "Renal results",
    finished_at: str = "2026-01-01T00:00:00Z", tables: dict[str, tuple[str, str]] | None = None,
    changed: dict[str, str] | None = None, nation: dict[str, int] | None = None,
) -> Path:  # fmt: skip
    """A run folder with a manifest and a release of these tables (name -> title, CSV)."""
    name = "Catheter at the first haemodialysis"
    told = tables or {
        "catheter": (name, shares()),
        "catheter-funnel": (name, funnel()),
        "catheter-trends": (f"{name}, by year", years()),
    }
    folder = runs / study / run / "release"
    folder.mkdir(parents=True)
    files = {f"{one}.csv": text.encode() for one, (_, text) in told.items()}
    files["report.html"] = f"<!DOCTYPE html><title>{title}</title><h1>{title}</h1>".encode()
    items: list[dict[str, Any]] = [
        {
            "name": one, "heading": heading, "title": heading, "method": "Wilson intervals.",
            "kind": "shares", "rules": {"threshold": 5}, "hidden": {}, "notes": [NOTE],
            "files": [f"{one}.csv"], **({"nation": nation} if nation else {}),
        }
        for one, (heading, _) in told.items()
    ]  # fmt: skip
    record = {
        "format": 1,
        "study": {
            "title": title, "question": "Where do regions stand?",
            "facts": {"Register": "Renal register", "Period": "2018-01-01 to 2023-12-31"},
            "provenance": {},
        },
        "items": items, "hidden": {},
        "files": {
            one: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
            for one, content in files.items()
        },
    }  # fmt: skip
    for one, content in files.items():
        (folder / one).write_bytes(content)
    (folder / "release.json").write_text(json.dumps(record), encoding="utf-8")
    manifest = {"finished_at": finished_at, "changed": changed or {}, "state": "finished"}
    (folder.parent / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    (folder.parent / "notebook.ipynb").write_text("private", encoding="utf-8")
    return folder
