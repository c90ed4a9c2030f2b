"""Coverage beside an indicator: joined by the unit's id and the year, never by a name."""

from __future__ import annotations

import pandas as pd

from workbench.analysis import inputs
from workbench.errors import DataError


def attach(
    table: pd.DataFrame, coverage: pd.DataFrame, *, unit: str, year: str, share: str = "coverage",
    carry_forward: bool = False,
) -> pd.DataFrame:  # fmt: skip
    """Put each unit's coverage beside its indicator, with the year it is from.

    Parameters
    ----------
    table
        Rows of an indicator with `unit` and `year`.
    coverage
        One row a unit and year with the column `share`.
    carry_forward
        Where a year has none, take the last one before it, and say how old it is.

    Returns
    -------
    The table with `coverage`, `coverage_year` and `coverage_age` (years; 0 for the year's own).
    Missing where there is none.

    Raises
    ------
    DataError
        Columns that are not there; two coverages of a unit and year.
    """
    inputs.check_frame(table, [unit, year])
    inputs.check_frame(coverage, [unit, year, share])
    if n_double := int(coverage.duplicated([unit, year]).sum()):
        raise DataError(f"coverage: {n_double} rows repeat a unit and year.")
    known = coverage[[unit, year, share]].dropna()
    known = known.rename(columns={share: "coverage", year: "coverage_year"})
    places = table[[unit, year]].reset_index(drop=True).assign(_place=range(len(table)))
    both = places.merge(known, on=unit, how="left")
    age = both[year] - both["coverage_year"]
    fits = (age >= 0) if carry_forward else (age == 0)
    both = (
        both[fits].sort_values(["_place", "coverage_year"]).drop_duplicates("_place", keep="last")
    )
    found = places[["_place"]].merge(both[["_place", "coverage", "coverage_year"]], how="left")
    added = found[["coverage", "coverage_year"]].set_axis(table.index)
    return table.assign(
        coverage=added["coverage"],
        coverage_year=added["coverage_year"].astype("Int64"),
        coverage_age=(table[year] - added["coverage_year"]).astype("Int64"),
    )
