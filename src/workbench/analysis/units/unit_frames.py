"""Frames of units: one row each, told apart, with no column that a result would take."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from workbench.analysis.units.alike import check_units
from workbench.errors import DataError


def check_one_row_each(
    table: pd.DataFrame, unit: str, columns: Sequence[str], taken: set[str]
) -> None:
    """Refuse a frame without the columns, and units that are missing or stand in two rows.

    Raises
    ------
    DataError, StudyError
        With the column and how many rows; never which unit.
    """
    check_units(table, unit, list(columns), taken)
    if n_double := int(table[unit].duplicated().sum()):
        raise DataError(
            f'table: column "{unit}": {n_double} rows repeat a unit. '
            "Add the counts of a unit up first."
        )
