"""What a register's table is worth: what came, when, what was wrong, what is missing, and breaks.

Missing means no value or a code that means "not known"; a variable is looked at only in the years
in which it was collected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import ibis
import numpy as np
import pandas as pd

from workbench.analysis.row_tests import SEPARATORS, value_of
from workbench.data.store import Store
from workbench.errors import StudyError
from workbench.registers.codes import CodeList, never_seen
from workbench.registers.schema import Table
from workbench.registers.variables import Variable

NO_YEAR = "no date"
NOT_LOOKED_AT = frozenset({"identity", "pseudonym"})
JUMP = 0.10  # of the share missing from one year to the next, worth a look
MISSING_COUNTS = ("n_missing", "n_persons_missing", "n_persons_known")
SIGMAS = 4.0  # and beyond what chance makes of it


@dataclass(frozen=True)
class Quality:
    """The state of one table, as its newest version holds it.

    `deliveries`: one row a version: version, imported, as_of, n_rows_read, n_rows_kept,
    n_rows_set_aside.

    `faults`: what was wrong: rule, column, outcome (set aside, worth knowing), n_rows.

    `years`: one row a year of the table's date: year, n_rows, n_persons.

    `returns`: one row a year and an earlier one: year, year_before, n_persons who have rows in
    `year` and had their last ones before it in `year_before`. With `years` it tells how many
    persons any run of years has, each counted once.

    `missing`: one row a variable and year: variable, year, n_rows, n_missing; for the gate also the
    persons with a row that lacks the value (n_persons_missing) or has it (n_persons_known).

    `repeats`: rows that may be there twice: check, n_rows, n_persons (who have them).

    Where a table has no persons, a row counts as one.
    """

    deliveries: pd.DataFrame
    faults: pd.DataFrame
    years: pd.DataFrame
    returns: pd.DataFrame
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
    rows = rows.mutate(_who=rows[table.person] if table.person else rows.row_id)
    years = rows.group_by(year="_year").agg(n_rows=rows.count(), n_persons=rows._who.nunique())
    return Quality(
        deliveries=_deliveries(store, table_name),
        faults=_faults(store, table_name),
        years=years.order_by("year").execute(),
        returns=_returns(rows),
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


def _returns(rows: ibis.Table) -> pd.DataFrame:
    """Persons by the year of rows and the year of their last rows before it."""
    seen = rows.select("_who", "_year").filter(rows._who.notnull()).distinct()
    before = seen._year.lag().over(group_by=seen._who, order_by=seen._year)
    seen = seen.mutate(_before=before)
    seen = seen.filter(seen._before.notnull())
    counted = seen.group_by(year=seen._year, year_before=seen._before).agg(n_persons=seen.count())
    return counted.order_by(["year", "year_before"]).execute()


def _missing(rows: ibis.Table, table: Table) -> pd.DataFrame:
    """One pass over the rows counts every variable's missing values, and whose, by year."""
    looked_at = {
        name: variable
        for name, variable in table.variables.items()
        if variable.sensitivity not in NOT_LOOKED_AT and variable.free_text != "left_out"
    }
    columns = ["variable", "year", "n_rows", *MISSING_COUNTS]
    if not looked_at:
        return pd.DataFrame(columns=columns)
    counts: dict[str, ibis.Value] = {}
    for name in looked_at:
        lacks = value_of(rows, name, table).isnull()
        told = (lacks.sum(), rows._who.nunique(where=lacks), rows._who.nunique(where=~lacks))
        # A prefix makes names that no other column of the result has.
        named = zip(MISSING_COUNTS, told, strict=True)
        counts |= {f"{count}:{name}": value for count, value in named}
    wide = rows.group_by(year="_year").agg(n_rows=rows.count(), **counts).execute()
    parts = []
    for name, variable in looked_at.items():
        own = {f"{count}:{name}": count for count in MISSING_COUNTS}
        part = wide[["year", "n_rows", *own]].rename(columns=own).sort_values("year")
        part = part[[_was_collected(variable, year) for year in part["year"]]]
        parts.append(part.assign(variable=name))
    return pd.concat(parts, ignore_index=True)[columns]


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
    # What a definition leaves out (free text) is not among the stored columns.
    stored = [name for name in table.variables if name in rows.columns]
    checks["further rows with every value the same"] = stored
    told = []
    for words, columns in checks.items():
        groups = rows.group_by(columns).agg(_n=rows.count(), _whose=rows._who.min())
        again = groups.filter(groups._n > 1)
        n_rows = (again._n - 1).sum().fill_null(0)
        counted = again.agg(n_rows=n_rows, n_persons=again._whose.nunique())
        numbers = counted.execute().iloc[0].astype(int)
        told.append({"check": words, **numbers.to_dict()})
    return pd.DataFrame(told)
