"""One pass over the rows of a table: counted, summed up to every level, estimated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

import ibis
import pandas as pd

from workbench.analysis.indicators import cells as counting
from workbench.analysis.indicators.cells import SUMS, YEAR, Fetch, Pass
from workbench.analysis.indicators.estimates import medians, with_estimates
from workbench.analysis.indicators.marks import MARKS, columns_needed, mark
from workbench.analysis.indicators.places import NATION, Ladder
from workbench.analysis.indicators.row_frames import engine_rows
from workbench.analysis.inputs import check_frame
from workbench.registers.indicators import Indicator

Rows: TypeAlias = pd.DataFrame | ibis.Table


@dataclass(frozen=True)
class Found:
    """What one pass gave."""

    table: pd.DataFrame
    left_out: pd.DataFrame
    not_placed: pd.DataFrame
    median_values: pd.DataFrame

    def told(self, **where: str) -> Found:
        """The same, with the table and the date beside what is told of the rows."""
        left_out, not_placed = (
            one.assign(**where)[[*where, *one.columns]] for one in (self.left_out, self.not_placed)
        )
        return Found(self.table, left_out, not_placed, self.median_values)


@contextmanager
def opened(
    rows: Rows, indicators: Sequence[Indicator], over: Pass
) -> Iterator[tuple[ibis.Table, Fetch]]:
    """The rows as a table of the engine, with the marks of indicators that have a function."""
    by_function: list[str] = []
    for short, one in counting.short_names(indicators).items():
        if one.definition.function:
            names = counting.mark_columns(short)
            marked = mark(rows, one)
            if isinstance(marked, ibis.Table):
                rows = marked.rename(dict(zip(names, MARKS, strict=True)))
            else:
                rows = marked.rename(columns=dict(zip(MARKS, names, strict=True)))
            by_function += names
    if isinstance(rows, ibis.Table):
        yield rows, lambda asked: asked.to_pandas()
        return
    wanted = [name for one in indicators for name in columns_needed(one)]
    columns = tuple(dict.fromkeys([*over.columns, *wanted, *by_function]))
    check_frame(rows, columns)
    with engine_rows(rows, columns, *indicators) as (engine, table):
        yield table, lambda asked: engine.to_pyarrow(asked).to_pandas()


def counted_on_levels(
    rows: ibis.Table, indicators: Sequence[Indicator], over: Pass, fetch: Fetch, ladder: Ladder,
    groups: Sequence[str],
) -> Found:  # fmt: skip
    """Count cells, sum them on every level, and estimate."""
    short = counting.short_names(indicators)
    counted = counting.count_cells(rows, short, over, fetch)
    names = {one.name: one for one in indicators}
    placed = _placed(counted.units, ladder)
    sums = _on_levels(counted.cells, placed, groups, SUMS)
    if list(groups) == [YEAR]:
        sums = _with_empty_years(sums, list(names))
    result = with_estimates(sums, names)
    keys = ["indicator", "place_level", "place", *groups]
    kept: list[pd.DataFrame] = []
    for at, one in short.items():
        if one.definition.type == "median":
            values = counting.value_counts(rows, at, one, over, fetch)
            if len(values):
                spread = _on_levels(values, placed, [*groups, "value"], ["n"])
                result = _with_medians(result, medians(spread, keys), keys)
                kept.append(spread)
    none = pd.DataFrame(columns=[*keys, "value", "n"])
    values_kept = pd.concat(kept, ignore_index=True) if kept else none
    return Found(result, counted.left_out, _not_placed(placed), values_kept)


def _placed(units: pd.DataFrame, ladder: Ladder) -> dict[str, pd.DataFrame]:
    """For each level the place of each unit at each time, or the reason why it has none."""
    placed = {}
    for level in ladder.levels:
        place, reason = ladder.places(units, level)
        placed[level] = units.assign(place=place, reason=reason)
    placed[NATION] = units.assign(place=NATION, reason=None)
    return placed


def _on_levels(
    cells: pd.DataFrame, placed: Mapping[str, pd.DataFrame], groups: Sequence[str],
    amounts: Sequence[str],
) -> pd.DataFrame:  # fmt: skip
    """Sums of the same cells on every level, the nation's too."""
    by = ["indicator", "place_level", "place", *groups]
    parts = []
    for level, places in placed.items():
        where = [name for name in places.columns if name not in {"rows", "place", "reason"}]
        known = places.drop(columns=["rows", "reason"]).assign(place_level=level)
        beside = cells.merge(known, on=where, how="left", validate="many_to_one")
        grouped = beside.groupby(by, dropna=False, observed=True)
        parts.append(grouped[list(amounts)].sum(min_count=1).reset_index())
    return pd.concat(parts, ignore_index=True)


def _not_placed(placed: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    parts = [
        one.groupby("reason")["rows"].sum().rename("n").reset_index().assign(place_level=level)
        for level, one in placed.items()
        if one["reason"].notna().any()
    ]
    columns = ["place_level", "reason", "n"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def _with_empty_years(sums: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """A line of the nation for each indicator in each year of the data, of nobody if need be."""
    if sums.empty:
        return sums
    years = range(int(sums[YEAR].min()), int(sums[YEAR].max()) + 1)
    full = pd.DataFrame(
        [(name, year) for name in names for year in years], columns=["indicator", YEAR]
    )
    have = sums.loc[sums["place_level"] == NATION, ["indicator", YEAR]]
    both = full.merge(have, how="left", indicator=True)
    empty = both.loc[both["_merge"] == "left_only", ["indicator", YEAR]]
    if empty.empty:
        return sums
    lines = empty.assign(place_level=NATION, place=NATION, n=0, missing=0, events=0.0, exposure=0.0)
    return pd.concat([sums, lines], ignore_index=True)


def _with_medians(result: pd.DataFrame, found: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    values = ["estimate", "lower", "upper"]
    beside = result[list(keys)].merge(found, on=list(keys), how="left", validate="one_to_one")
    filled = {name: result[name].fillna(beside[name].set_axis(result.index)) for name in values}
    return result.assign(**filled)
