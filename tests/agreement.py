"""Reference values computed by R, and a record of every value that was compared with them.

`references("km")` gives the entries of a topic: the compact ones in `tests/reference/vectors/`
first and, where the project's shared folder is present, all the others of that topic. A test
compares with `agrees`, which also records what was compared; with WORKBENCH_AGREEMENT=FILE set,
the end of the tests writes that record as a page (`docs/agreement.md` is made so).
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent / "reference"
SHARED = Path(__file__).parents[2] / "shared" / "data"


@dataclass(frozen=True)
class Reference:
    """One value from R: what made it, and the data it was made from."""

    topic: str
    id: str
    dataset: str
    call: str
    extract: str
    value: object = field(repr=False)
    is_compact: bool = False

    def rows(self) -> pd.DataFrame:
        """The data set as it lies in the file, before the reference's own preparation."""
        return dataset(self.dataset)


def references(topic: str) -> dict[str, Reference]:
    """All entries of a topic by id; the compact ones alone where the shared folder is absent."""
    compact, shared = HERE / "vectors" / f"{topic}.json", SHARED / "reference" / f"{topic}.json"
    found: dict[str, Reference] = {}
    for path in (compact, shared):
        if path.exists():
            for ref in json.loads(path.read_text(encoding="utf-8"))["refs"]:
                facts = {key: str(ref.get(key, "")) for key in ("dataset", "call", "extract")}
                one = Reference(topic, ref["id"], **facts, value=ref["value"])
                found.setdefault(ref["id"], one)
    return found


@lru_cache
def dataset(name: str) -> pd.DataFrame:
    """A data set by name, from tests/reference/data or the shared folder (do not change it)."""
    for folder in (HERE / "data", SHARED / "open"):
        for path in (folder / f"{name}.csv", folder / f"{name}.csv.gz"):
            if path.exists():
                return pd.read_csv(path)
    example = Path(__file__).parents[1] / "examples" / "colorectal" / "data" / f"{name}.csv"
    return pd.read_csv(example)


def as_numbers(value: object) -> np.ndarray:
    """R's values as floats: null is missing, "inf" infinite."""
    flat = np.array(value, dtype=object)
    numbers = [np.nan if v is None else float(v) for v in flat.ravel()]
    return np.array(numbers, dtype=float).reshape(flat.shape)


RECORD: list[dict[str, object]] = []


def agrees(
    ref: Reference,
    what: str,
    found: object,
    expected: object,
    *,
    rtol: float = 1e-9,
    atol: float = 1e-12,
    because: str = "",
) -> None:
    """Assert that `found` equals R's `expected`, and record it.

    `what` names the call and the quantity ("survival.kaplan_meier: std_error"); `because` is
    required where the tolerance is wider than 1e-7: the reason stands on the page.
    """
    assert rtol <= 1e-7 or because, "say why this comparison may be less exact"
    ours, theirs = np.asarray(found, dtype=float), as_numbers(expected)
    np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=atol, err_msg=f"{ref.id}: {what}")
    facts = {"topic": ref.topic, "id": ref.id, "call": ref.call, "what": what}
    apart = np.abs(ours - theirs)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(apart <= atol, 0.0, apart / np.abs(theirs))
    largest = float(np.nanmax(np.where(np.isfinite(relative), relative, 0.0), initial=0.0))
    tolerance = {"rtol": rtol, "because": because, "largest": largest}
    RECORD.append(facts | {"values": theirs.size} | tolerance)


def write_page(file: Path) -> None:
    """Write what was compared as a page: the whole in short, what is less exact and why, all."""
    table = pd.DataFrame(RECORD).drop_duplicates(["topic", "id", "what"])
    function, _, quantity = (table["what"].str.partition(":")[part] for part in range(3))
    table = table.assign(
        function=function.str.split(" ").str[0].str.rstrip(","), quantity=quantity.str.strip()
    )
    lines = [
        "# Agreement with R",
        "",
        "Made by the tests (`WORKBENCH_AGREEMENT=docs/agreement.md make test`): every line was "
        f"compared and agreed, {len(table):,} comparisons of {table['values'].sum():,} values. "
        "Tolerances are relative; beside them stands 1e-12 absolute. The R call behind each "
        "reference is in `tests/reference/vectors/` (a compact part) and in the project's shared "
        "reference values.",
        *_in_short(table),
        *_less_exact(table),
        *_everything(table),
    ]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _in_short(table: pd.DataFrame) -> list[str]:
    lines = ["", "## In short", "", "| function | references | values | tolerance |"]
    lines += ["|---|---:|---:|---|"]
    for function, part in table.groupby("function"):
        exact = part[part["because"] == ""]["rtol"].max()
        told = f"{exact:.0e}" if exact == exact else "see below"
        n_loose = int((part["because"] != "").sum())
        told += f"; {n_loose} comparisons wider, below" if n_loose and exact == exact else ""
        lines.append(
            f"| `{function}` | {part['id'].nunique()} | {part['values'].sum():,} | {told} |"
        )
    return lines


def _less_exact(table: pd.DataFrame) -> list[str]:
    lines = ["", "## Where it is less exact, and why", ""]
    lines += ["| function | reference | tolerance | largest found | why |"]
    lines += ["|---|---|---:|---:|---|"]
    loose = table[table["because"] != ""]
    keys = ["function", "because", "rtol"]
    for (function, because, rtol), part in loose.groupby(keys):
        names = ", ".join(f"`{name}`" for name in part["id"].unique())
        found = f"{part['largest'].max():.0e}"
        lines.append(f"| `{function}` | {names} | {rtol:.0e} | {found} | {because} |")
    return lines


def _everything(table: pd.DataFrame) -> list[str]:
    lines: list[str] = []
    for topic, part in table.groupby("topic"):
        lines += ["", f"## {topic}", "", "| reference | function | comparisons | values |"]
        lines += ["|---|---|---:|---:|"]
        for (name, function), rows in part.groupby(["id", "function"]):
            lines.append(f"| `{name}` | `{function}` | {len(rows)} | {rows['values'].sum():,} |")
    return lines


def finish() -> None:
    """Write the page where it was asked for (called when the tests end)."""
    if RECORD and (asked := os.environ.get("WORKBENCH_AGREEMENT")):
        write_page(Path(asked))
