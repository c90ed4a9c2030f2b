"""The released tables of many runs as one tidy table each, with what varied as columns.

Only what the gate released is read, and only while it is what the run's record says. Each table
passed the gate by itself: tables of runs on overlapping persons can be subtracted from each other,
so look at a gathered table before it leaves, as at two reports of one study.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pandas as pd

from workbench.errors import DisclosureError, StudyError
from workbench.output.disclosure import HIDDEN
from workbench.runner.plan import Plan
from workbench.runner.standing import manifest_of, standing_of

RUN = "run"
FOLDER = "batches"  # beside the runs of studies
IS_HIDDEN = "_is_hidden"


@dataclass(frozen=True)
class Gathered:
    """One table of a batch."""

    name: str  # as the released table is called in every run
    rows: pd.DataFrame  # text, as it was released: hidden cells are [c]
    n_runs: int

    def numbers(self) -> pd.DataFrame:
        """The table with numbers: a hidden cell is missing, and a column says that it is hidden."""
        columns: dict[str, pd.Series] = {}
        for name, texts in self.rows.items():
            is_hidden = texts == HIDDEN
            values = texts.mask(is_hidden | (texts == ""))
            as_numbers = pd.to_numeric(values, errors="coerce")
            is_number = bool(as_numbers.notna().eq(values.notna()).all() and values.notna().any())
            columns[str(name)] = as_numbers if is_number else values
            if is_hidden.any():
                columns[f"{name}{IS_HIDDEN}"] = is_hidden
        return pd.DataFrame(columns)


def gather(plans: Sequence[Plan]) -> list[Gathered]:
    """Merge the released tables of a batch's finished runs, by their name.

    Parameters
    ----------
    plans
        The runs, as planned; those that have not finished are left out.

    Returns
    -------
    list of Gathered
        One for each table that any run released. First the column `run`, then a column for
        each dimension of the sweep (`sweep_NAME` where the table has a column NAME), then the
        table's own. Runs in the order of the plan; a column that a run's table lacks is empty.

    Raises
    ------
    StudyError
        When no run has finished.
    DisclosureError
        When a released table is not what its run recorded.
    """
    parts: dict[str, list[pd.DataFrame]] = defaultdict(list)
    for plan in plans:
        if standing_of(plan) == "unchanged":
            for name, rows in _tables_of(plan):
                parts[name].append(_labelled(rows, plan))
    if not parts:
        raise StudyError("No run of this batch has finished: there is nothing to gather.")
    return [
        Gathered(name, pd.concat(frames, ignore_index=True).fillna(""), len(frames))
        for name, frames in sorted(parts.items())
    ]


def write_gathered(gathered: Sequence[Gathered], runs_folder: Path, name: str) -> Path:
    """Write each table as CSV (the text released) and Parquet (numbers); give the folder."""
    folder = runs_folder / FOLDER / name
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for one in gathered:
        text = one.rows.to_csv(index=False, lineterminator="\n")
        (folder / f"{one.name}.csv").write_text(text, encoding="utf-8")
        one.numbers().to_parquet(folder / f"{one.name}.parquet", index=False)
    return folder


def _tables_of(plan: Plan) -> Iterator[tuple[str, pd.DataFrame]]:
    manifest = manifest_of(plan)
    for path in sorted((plan.run_folder / "release").glob("*.csv")):
        content = path.read_bytes()
        recorded = manifest.outputs.get(f"release/{path.name}") if manifest else None
        if hashlib.sha256(content).hexdigest() != recorded:
            raise DisclosureError(
                f"{path} is not what its run recorded: it was changed afterwards. Make the run "
                "again (--force)."
            )
        text = StringIO(content.decode("utf-8"))
        yield path.stem, pd.read_csv(text, dtype=str, keep_default_na=False)


def _labelled(rows: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    taken = set(rows.columns)
    labels = {RUN: plan.run_name or plan.name, **plan.labels}
    named = {f"sweep_{name}" if name in taken else name: text for name, text in labels.items()}
    return pd.concat([pd.DataFrame(named, index=rows.index), rows], axis=1)
