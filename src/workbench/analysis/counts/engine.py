"""Count an Ibis table where it lies: the engine gives counts, and no person is fetched."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from workbench.analysis.counts.cells import Arrivals, Leavers
from workbench.analysis.counts.sums import Spells, numbered, summed_spells
from workbench.analysis.counts.tally import EventCounts, counted
from workbench.analysis.inputs import check_follow_up, check_groups, group_numbers
from workbench.errors import DataError, did_you_mean, gathered

if TYPE_CHECKING:
    import ibis

# names that no register uses for a column
SIZE, WEIGHT, SQUARES, LATE, FAULTS = "_n", "_weight", "_squares", "_late", "_faults"


def is_engine_table(persons: object) -> bool:
    """Whether these persons lie in the engine; does not load Ibis to find out."""
    ibis = sys.modules.get("ibis")
    return ibis is not None and isinstance(persons, ibis.Table)


def count_table(
    persons: ibis.Table,
    *,
    duration: str,
    event: str,
    names: Sequence[str],
    entry: str | None,
    weight: str | None,
    causes: bool,
) -> EventCounts:
    """Count the persons of an Ibis table; the same counts as of a frame with the same rows."""
    named = [duration, event, *names, *(column for column in (entry, weight) if column)]
    _check_columns(persons, named)
    keys = list(dict.fromkeys([*names, duration, event]))
    cells = persons.group_by(keys).agg(**_measures(persons, duration, entry, weight)).to_pandas()
    if cells.empty:
        raise DataError("persons: no persons. Check the choice of persons before the analysis.")
    size = cells[SIZE].to_numpy()
    check = {"duration": duration, "event": event, "causes": causes, "size": size}
    follow_up = check_follow_up(cells, **check, keep_whole=True)
    check_groups(cells, names, size=size)
    _check_extras(cells, duration, entry, weight)
    number, groups = numbered(cells, names)
    weights = None if weight is None else cells[WEIGHT].to_numpy(np.float64)
    leavers = Leavers(number, follow_up.time, follow_up.cause, size, weights)
    arrivals = None if entry is None else _arrivals(persons, names, entry, weight, groups)
    spells = None
    if weight is not None and bool(cells["_fractional"].sum()):
        spells = _spells(persons, [*names, duration, event], entry, weight, groups)
    return counted(leavers, arrivals, groups, spells)


def _check_columns(persons: ibis.Table, named: Sequence[str]) -> None:
    for column in named:
        if column not in persons.columns:
            near = did_you_mean(column, list(persons.columns))
            raise DataError(f'persons: no column "{column}".{near}')


def _measures(
    persons: ibis.Table, duration: str, entry: str | None, weight: str | None
) -> dict[str, ibis.Value]:
    measures: dict[str, ibis.Value] = {SIZE: persons.count()}
    if entry is not None:
        start = persons[entry].cast("float64")
        bad = start.isnull() | start.isnan() | start.isinf() | (start < 0)
        measures[FAULTS + "_entry"] = bad.fill_null(True).sum()
        measures[LATE] = (start >= persons[duration]).fill_null(False).sum()
    if weight is not None:
        size = persons[weight].cast("float64")
        bad = size.isnull() | size.isnan() | size.isinf() | (size <= 0)
        measures[FAULTS + "_weight"] = bad.fill_null(True).sum()
        measures[WEIGHT] = size.sum()
        measures["_fractional"] = (size != size.floor()).fill_null(False).sum()
    return measures


def _check_extras(
    cells: pd.DataFrame, duration: str, entry: str | None, weight: str | None
) -> None:
    told = {
        FAULTS + "_entry": (entry, "missing, infinite or negative"),
        LATE: (entry, f'not before "{duration}"'),
        FAULTS + "_weight": (weight, "missing, infinite, 0 or negative"),
    }
    faults = [
        f'column "{column}": {what} in {n_rows} rows'
        for name, (column, what) in told.items()
        if name in cells and (n_rows := int(cells[name].sum()))
    ]
    if faults:
        advice = "Mend these rows or leave them out, counted, before the analysis."
        raise DataError(gathered(f"persons: some follow-up cannot be used. {advice}", faults))


def _arrivals(
    persons: ibis.Table,
    names: Sequence[str],
    entry: str,
    weight: str | None,
    groups: pd.DataFrame,
) -> Arrivals:
    measures = {SIZE: persons.count()}
    if weight is not None:
        measures[WEIGHT] = persons[weight].cast("float64").sum()
    cells = persons.group_by(list(dict.fromkeys([*names, entry]))).agg(**measures).to_pandas()
    number = _number_in(cells, names, groups)
    weights = None if weight is None else cells[WEIGHT].to_numpy(np.float64)
    return Arrivals(number, cells[entry].to_numpy(), cells[SIZE].to_numpy(), weights)


def _spells(
    persons: ibis.Table,
    keys: Sequence[str],
    entry: str | None,
    weight: str,
    groups: pd.DataFrame,
) -> Spells:
    *names, duration, event = keys
    size = persons[weight].cast("float64")
    kept = [*names, duration, event, *([entry] if entry is not None else [])]
    cells = persons.group_by(list(dict.fromkeys(kept))).agg(**{SQUARES: (size * size).sum()})
    table = cells.to_pandas()
    starts = None if entry is None else table[entry].to_numpy()
    number = _number_in(table, names, groups)
    cause = table[event].to_numpy(np.int64)
    squares = table[SQUARES].to_numpy()
    return summed_spells(Spells(number, starts, table[duration].to_numpy(), cause, squares))


def _number_in(table: pd.DataFrame, names: Sequence[str], groups: pd.DataFrame) -> np.ndarray:
    # the same persons, so the same groups: their order is that of `groups`
    return group_numbers(table, names) if len(groups.columns) else np.zeros(len(table), np.int64)
