"""Counts in a file (Parquet). They are personal data: store or private part only."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from workbench.analysis.counts.cells import Arrivals, Leavers
from workbench.analysis.counts.sums import Spells, numbered
from workbench.analysis.counts.tally import EventCounts, counted
from workbench.errors import DataError

ABOUT = b"workbench_event_counts"
LEFT, ENTERED, SPELL = "left", "entered", "spell"


def write(counts: EventCounts, file: Path) -> None:
    """Write counts as one Parquet file, to add to another register's or to use again.

    Exact counts by day can tell who a person is: write them inside the store or a run's private
    part only, never into what is released.

    Parameters
    ----------
    counts
        Counts made by `event_counts`.
    file
        The file to write; an older one is replaced.
    """
    rows = [_left(counts)]
    if counts.has_entry:
        rows.append(_entered(counts))
    if counts.spells is not None:
        rows.append(_spelled(counts))
    table = pa.Table.from_pandas(pd.concat(rows, ignore_index=True), preserve_index=False)
    names = [str(name) for name in counts.groups.columns]
    about = {"by": names, "whole": counts.time.dtype.kind == "i", "weighted": counts.is_weighted}
    metadata = (table.schema.metadata or {}) | {ABOUT: json.dumps(about).encode()}
    pq.write_table(table.replace_schema_metadata(metadata), file)


def read(file: Path) -> EventCounts:
    """Read counts that `write` wrote.

    Raises
    ------
    DataError
        No such file, or not a file of counts.
    """
    try:
        table = pq.read_table(file)
    except (OSError, pa.ArrowInvalid) as error:
        raise DataError(
            f"{file}: cannot be read as counts. Write them with counts.write."
        ) from error
    if ABOUT not in (table.schema.metadata or {}):
        raise DataError(f"{file}: holds no counts. Write them with counts.write.")
    about = json.loads(table.schema.metadata[ABOUT])
    rows = table.to_pandas()
    number, groups = numbered(rows, about["by"])
    whole = np.int64 if about["whole"] else np.float64

    def part(kind: str) -> dict[str, np.ndarray]:
        own = (rows["_kind"] == kind).to_numpy()
        found = {name: rows.loc[own, f"_{name}"].to_numpy() for name in ("cause", "n", "sum")}
        found["time"] = rows.loc[own, "_time"].to_numpy(whole)
        return found | {"number": number[own], "entry": rows.loc[own, "_entry"].to_numpy()}

    def sums(kind: str) -> tuple:
        rows = part(kind)
        weight = rows["sum"] if about["weighted"] else None
        return rows["number"], rows["time"], rows["cause"], rows["n"], weight

    leavers = Leavers(*sums(LEFT))
    entering = sums(ENTERED)
    arrivals = None
    if len(entering[0]):
        arrivals = Arrivals(*entering[:2], *entering[3:])
    squared, spells = part(SPELL), None
    if len(squared["number"]):
        entry = None if arrivals is None else squared["entry"].astype(whole)
        facts = (squared["time"], squared["cause"], squared["sum"])
        spells = Spells(squared["number"], entry, *facts)
    return counted(leavers, arrivals, groups, spells)


def _rows(counts: EventCounts, number: np.ndarray, kind: str, **columns: object) -> pd.DataFrame:
    facts = {f"_{name}": values for name, values in columns.items()}
    labels = counts.groups.iloc[number].reset_index(drop=True)
    return labels.assign(**{"_kind": kind, "_entry": np.nan, "_cause": 0, "_n": 0} | facts)


def _left(counts: EventCounts) -> pd.DataFrame:
    row, column = np.nonzero(np.column_stack([counts.persons.censored, counts.persons.events]))
    found = {
        "n": np.column_stack([counts.persons.censored, counts.persons.events])[row, column],
        "sum": np.column_stack([counts.sums.censored, counts.sums.events])[row, column].astype(
            float
        ),
        "cause": np.array([0, *counts.causes])[column],
    }
    return _rows(counts, counts.number[row], LEFT, time=counts.time[row], **found)


def _entered(counts: EventCounts) -> pd.DataFrame:
    row = np.flatnonzero(counts.persons.entered)
    found = {"n": counts.persons.entered[row], "sum": counts.sums.entered[row].astype(float)}
    return _rows(counts, counts.number[row], ENTERED, time=counts.time[row], **found)


def _spelled(counts: EventCounts) -> pd.DataFrame:
    spells = counts.spells
    entry = np.nan if spells.entry is None else spells.entry
    found = {"time": spells.time, "cause": spells.cause, "sum": spells.squares, "entry": entry}
    return _rows(counts, spells.number, SPELL, **found)
