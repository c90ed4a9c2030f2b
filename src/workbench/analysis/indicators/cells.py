"""Sums of many indicators in one pass over the rows: one cell for each unit, year and group."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import ibis
import pandas as pd

from workbench.analysis.indicators.families import Family, families_of
from workbench.analysis.indicators.marks import MARKS, marks_of, value_in
from workbench.errors import DataError, StudyError, did_you_mean
from workbench.registers.indicators import Indicator

UNIT, ERA, PART, YEAR = "_unit", "_era", "_part", "year"
LATE, WEIGHT = "_late", "_weight"
SUMS = ["n", "events", "missing", "exposure", "total", "total_of_squares"]


@dataclass(frozen=True)
class Pass:
    """What one pass over the rows is grouped by."""

    unit: str  # variable with the unit's code
    dated_by: str
    groups: tuple[str, ...]  # further columns
    part: str | None  # of a divided place, in which each row lies
    change_days: tuple[date, ...]  # of the organisation
    as_of: date

    @property
    def keys(self) -> list[str]:
        """The columns of a cell."""
        return [UNIT, ERA, YEAR, *([PART] if self.part else []), *self.groups]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the rows that are needed."""
        optional = [self.part] if self.part else []
        return tuple(dict.fromkeys([self.unit, self.dated_by, *self.groups, *optional]))


Fetch = Callable[[ibis.Table], pd.DataFrame]


@dataclass(frozen=True)
class Counted:
    """What one pass found."""

    cells: pd.DataFrame  # long: indicator, keys, and the sums
    units: pd.DataFrame  # rows of each unit, era and part: `rows`
    left_out: pd.DataFrame  # reason, n


def count_cells(
    rows: ibis.Table, indicators: Mapping[str, Indicator], over: Pass, fetch: Fetch
) -> Counted:
    """Sum all indicators, in as few passes over the rows as their answers allow.

    Parameters
    ----------
    rows
        A table of the engine. An indicator with a function is already marked, in columns named as
        `mark_columns` says.
    indicators
        By a short name that can be part of a column.

    """
    keyed = _with_keys(rows, over)
    found = [_family(keyed, one, over, fetch) for one in families_of(indicators)]
    wide = found[0][0]
    outside = _is_outside(wide)
    reasons = wide[YEAR].isna().map({True: "no date", False: "dated after the extraction"})
    left_out = wide[outside].groupby(reasons[outside])["rows"].sum()
    left_out = left_out.rename_axis("reason").rename("n").reset_index()
    places = [name for name in over.keys if name in {UNIT, ERA, PART}]
    units = wide[~outside].groupby(places, dropna=False, observed=True)["rows"].sum().reset_index()
    parts = [
        _long(inside, short, one, over)
        for wide, members in found
        for inside in [wide[~_is_outside(wide)].astype({YEAR: "int64"})]
        for short, one in members.items()
    ]
    return Counted(pd.concat(parts, ignore_index=True), units, left_out)


def _family(
    keyed: ibis.Table, family: Family, over: Pass, fetch: Fetch
) -> tuple[pd.DataFrame, Mapping[str, Indicator]]:
    """Sums of indicators that are counted together, one row a cell."""
    keys = [*over.keys, LATE]
    rows = keyed.mutate(**{WEIGHT: ibis.literal(1, "int64")})
    if family.columns:
        # a column may be both a key and an answer
        answers = [name for name in sorted(family.columns) if name not in keys]
        rows = keyed.group_by([*keys, *answers]).aggregate(**{WEIGHT: keyed.count()})
    marked = rows.mutate(
        **{
            column: mark
            for short, one in family.members.items()
            for column, mark in zip(mark_columns(short), _marks(rows, short, one), strict=True)
        },
        **{
            f"{part}{short}": value_in(rows, name, one).cast("float64")
            for short, one in family.members.items()
            for part, name in _amounts(one).items()
        },
    )
    sums: dict[str, ibis.Value] = {"rows": marked[WEIGHT].sum()}
    for short, one in family.members.items():
        sums |= {f"{name}{short}": value for name, value in _sums(marked, short, one).items()}
    return fetch(marked.group_by(keys).aggregate(**sums)), family.members


def _is_outside(wide: pd.DataFrame) -> pd.Series:
    return wide[YEAR].isna() | wide[LATE].fillna(False).astype(bool)


def value_counts(
    rows: ibis.Table, short: str, indicator: Indicator, over: Pass, fetch: Fetch
) -> pd.DataFrame:
    """How often each value occurs in each cell: all that medians at any level need."""
    keyed = _with_keys(rows, over)
    _, judged = _marks(keyed, short, indicator)
    value = value_in(keyed, str(indicator.definition.value), indicator).cast("float64")
    kept = keyed.mutate(value=value).filter(judged.notnull() & keyed[YEAR].notnull())
    kept = kept.filter(~kept[LATE])
    counted = fetch(kept.group_by([*over.keys, "value"]).aggregate(n=kept.count()))
    return counted.assign(indicator=indicator.name).astype({YEAR: "int64", "n": "int64"})


def mark_columns(short: str) -> tuple[str, str]:
    """The columns that hold the marks of one of several indicators."""
    return f"_counted{short}", f"_judged{short}"


def _with_keys(rows: ibis.Table, over: Pass) -> ibis.Table:
    for name in over.columns:
        if name not in rows.columns:
            raise DataError(f'rows: no column "{name}".{did_you_mean(name, rows.columns)}')
    day = rows[over.dated_by].cast("date")
    era = ibis.literal(0, "int64")
    for change in over.change_days:
        era = era + (day >= ibis.literal(change)).fill_null(False).cast("int64")
    keys = {UNIT: rows[over.unit].cast("string"), ERA: era, YEAR: day.year().cast("int64")}
    late = {LATE: (day > ibis.literal(over.as_of)).fill_null(False)}
    part = {PART: rows[over.part].cast("string")} if over.part else {}
    if YEAR in rows.columns and YEAR not in (over.dated_by, over.unit):
        rows = rows.drop(YEAR)
    return rows.mutate(**keys, **late, **part)


def _marks(rows: ibis.Table, short: str, indicator: Indicator) -> tuple[ibis.Value, ibis.Value]:
    if indicator.definition.function:
        counted, judged = (rows[name] for name in mark_columns(short))
        return counted, ibis.ifelse(counted, judged, ibis.null("boolean"))
    marks = marks_of(rows, indicator)
    return marks[MARKS[0]], marks[MARKS[1]]


def _amounts(indicator: Indicator) -> dict[str, str]:
    """Variables that are summed, by the part of a name under which they are kept."""
    definition = indicator.definition
    given = {"_value": definition.value, "_exposure": definition.exposure}
    return {part: name for part, name in given.items() if name and definition.type != "median"}


def _sums(rows: ibis.Table, short: str, indicator: Indicator) -> dict[str, ibis.Value]:
    counted, judged = (rows[name] for name in mark_columns(short))
    known, weight = judged.notnull(), rows[WEIGHT]
    sums = {
        "denominator": weight.sum(where=counted),
        "n": weight.sum(where=known),
        "events": weight.sum(where=judged),
    }
    if indicator.definition.function:
        sums["unmarked"] = weight.sum(where=counted.isnull())
    amounts = _amounts(indicator)
    if "_value" in amounts:
        value = rows[f"_value{short}"]
        sums |= {"total": value.sum(where=known), "squares": (value * value).sum(where=known)}
    if "_exposure" in amounts:
        sums["exposure"] = rows[f"_exposure{short}"].sum(where=known)
    return sums


def _long(wide: pd.DataFrame, short: str, indicator: Indicator, over: Pass) -> pd.DataFrame:
    """The cells of one indicator in which anybody counts."""
    kind = indicator.definition.type

    def of(name: str) -> pd.Series:
        column = f"{name}{short}"
        if column not in wide.columns:
            return pd.Series(float("nan"), index=wide.index)
        return wide[column].astype(float).fillna(0)

    if indicator.definition.function and (n_missing := int(of("unmarked").sum())):
        raise StudyError(f"{indicator.name}: in_denominator is missing in {n_missing} rows.")
    n = of("n")
    cells = wide[over.keys].assign(
        indicator=indicator.name,
        n=n,
        events=of("total") if kind == "rate" and indicator.definition.value else of("events"),
        missing=of("denominator") - n,
        exposure=of("exposure"),
        total=of("total"),
        total_of_squares=of("squares"),
    )
    return cells[of("denominator") > 0].astype({"n": "int64", "missing": "int64"})


def short_names(indicators: Sequence[Indicator]) -> dict[str, Indicator]:
    """Indicators by their place in the list, which is short enough for many columns."""
    return {str(at): one for at, one in enumerate(indicators)}
