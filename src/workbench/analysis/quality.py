"""What a register's table is worth: what came, when, what was wrong, what is missing, and breaks.

Missing means no value or a code that means "not known"; a variable is looked at only in the years
in which it was collected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import ibis
import numpy as np
import pandas as pd

from workbench.analysis.cohort.row_tests import SEPARATORS, value_of
from workbench.data.store import Store
from workbench.errors import StudyError
from workbench.registers.codes import CodeList, never_seen
from workbench.registers.schema import Table
from workbench.registers.variables import Variable

NO_YEAR = "no date"
NOT_LOOKED_AT = frozenset({"identity", "pseudonym"})
JUMP = 0.10  # of the share missing from one year to the next, worth a look
SIGMAS = 4.0  # and beyond what chance makes of it


@dataclass(frozen=True)
class Quality:
    """The state of one table, as its newest version holds it.

    `deliveries`: one row a version: version, imported, as_of, n_rows_read, n_rows_kept,
    n_rows_set_aside.

    `faults`: what was wrong: rule, column, outcome (set aside, worth knowing), n_rows.

    `years`: one row a year of the table's date: year, n_rows, n_persons.

    `missing`: one row a variable and year: variable, year, n_rows, n_missing.

    `repeats`: rows that may be there twice: check, n_rows.
    """

    deliveries: pd.DataFrame
    faults: pd.DataFrame
    years: pd.DataFrame
    missing: pd.DataFrame
    repeats: pd.DataFrame


def describe_quality(store: Store, table_name: str) -> Quality:
    """What a table's deliveries brought, and how complete its newest version is, year by year.

    Raises `StoreError` when the table is not in the store.
    """
    version = store.version(table_name)
    table, rows = version.definition, store.rows(table_name)
    year = rows[table.dated_by].year().cast("string") if table.dated_by else ibis.literal(NO_YEAR)
    rows = rows.mutate(_year=year.fill_null(NO_YEAR))
    person = rows[table.person] if table.person else rows.row_id
    years = rows.group_by(year="_year").agg(n_rows=rows.count(), n_persons=person.nunique())
    return Quality(
        deliveries=_deliveries(store, table_name),
        faults=_faults(store, table_name),
        years=years.order_by("year").execute(),
        missing=_missing(rows, table),
        repeats=_repeats(rows, table),
    )


def find_breaks(missing: pd.DataFrame) -> pd.Series:
    """Where the share missing jumps from one year to the next: true in the year after the jump.

    A jump is 10 percentage points or more and beyond four standard errors of the difference of
    the two shares (pooled). `missing` has variable, year, n_rows, n_missing; hidden cells are
    missing and compared with nothing.
    """
    ordered = missing.sort_values(["variable", "year"], kind="stable")
    n = pd.to_numeric(ordered["n_rows"], errors="coerce").astype(float)
    k = pd.to_numeric(ordered["n_missing"], errors="coerce").astype(float)
    groups = ordered["variable"]
    n_before, k_before = n.groupby(groups).shift(1), k.groupby(groups).shift(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        change = (k / n - k_before / n_before).abs()
        pooled = (k + k_before) / (n + n_before)
        error = np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / n_before))
    jumps = (change >= JUMP) & (change > SIGMAS * error)
    return jumps.fillna(False).reindex(missing.index)


def codes_never_seen(
    store: Store, table_name: str, variables: Sequence[str], code_list: CodeList
) -> pd.DataFrame:
    """Which codes of a list no row has: group and code. A covariate of these is zero for all."""
    table, rows = store.version(table_name).definition, store.rows(table_name)
    seen: set[str] = set()
    for name in variables:
        if name not in table.variables:
            raise StudyError(f'{table_name} has no variable "{name}".')
        values = rows[name]
        if separator := table.variables[name].separated_by:
            values = values.split(SEPARATORS[separator]).unnest()
        frame = rows.select(code=values).distinct().execute()
        seen |= set(frame["code"].dropna())
    return pd.DataFrame(never_seen(code_list, seen), columns=["group", "code"])


def _deliveries(store: Store, table_name: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "version": one.name,
            "imported": one.imported_at[:10],
            "as_of": one.as_of.isoformat(),
            "n_rows_read": one.n_rows_read,
            "n_rows_kept": one.n_rows_kept,
            "n_rows_set_aside": one.n_rows_set_aside,
        }
        for one in store.catalogue.tables[table_name]
    )


def _faults(store: Store, table_name: str) -> pd.DataFrame:
    version = store.version(table_name)
    told = [(fault, "set aside") for fault in version.faults]
    told += [(note, "worth knowing") for note in version.notes]
    return pd.DataFrame(
        [
            {"rule": one.rule, "column": one.column, "outcome": outcome, "n_rows": one.n_rows}
            for one, outcome in told
        ],
        columns=["rule", "column", "outcome", "n_rows"],
    )


def _missing(rows: ibis.Table, table: Table) -> pd.DataFrame:
    """One pass over the rows counts every variable's missing values by year."""
    looked_at = {
        name: variable
        for name, variable in table.variables.items()
        if variable.sensitivity not in NOT_LOOKED_AT and variable.free_text != "left_out"
    }
    counts = {name: value_of(rows, name, table).isnull().sum() for name in looked_at}
    wide = rows.group_by(year="_year").agg(n_rows=rows.count(), **_unlike(counts)).execute()
    long = wide.melt(["year", "n_rows"], var_name="variable", value_name="n_missing")
    long["variable"] = long["variable"].str.removeprefix("m_")
    collected = [
        _was_collected(looked_at[name], year)
        for name, year in zip(long["variable"], long["year"], strict=True)
    ]
    order = pd.Categorical(long["variable"], [*looked_at])
    long = long.assign(_order=order).loc[collected].sort_values(["_order", "year"])
    return long[["variable", "year", "n_rows", "n_missing"]].reset_index(drop=True)


def _unlike(counts: Mapping[str, ibis.Value]) -> dict[str, ibis.Value]:
    """Names that no other column of the result has."""
    return {f"m_{name}": value for name, value in counts.items()}


def _was_collected(variable: Variable, year: str) -> bool:
    if year == NO_YEAR:
        return True
    return (variable.first_year or 0) <= int(year) <= (variable.last_year or 9999)


def _repeats(rows: ibis.Table, table: Table) -> pd.DataFrame:
    """Rows beyond the first of a person, of a person and day, and of everything."""
    checks: dict[str, list[str]] = {}
    if table.person:
        checks["further rows of a person"] = [str(table.person)]
        if table.dated_by:
            checks["further rows of a person on the same day"] = [
                str(table.person), table.dated_by,
            ]  # fmt: skip
    checks["further rows with every value the same"] = list(table.variables)
    n_rows = int(rows.count().execute())
    counted = {
        words: n_rows - int(rows.select(columns).distinct().count().execute())
        for words, columns in checks.items()
    }
    return pd.DataFrame({"check": list(counted), "n_rows": list(counted.values())})
