"""Tables of events and person-years: read, checked and added up within groups."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from workbench.analysis import inputs
from workbench.errors import DataError, StudyError, did_you_mean, gathered


def check_table(
    table: pd.DataFrame, columns: Sequence[str] = (), *, keys: Sequence[str] = (),
    where: str = "table",
) -> None:  # fmt: skip
    """Refuse a table without rows or a column, or with numbers that cannot be counts or rates.

    `columns` hold numbers of 0 or more, none missing; `keys` need only be there.

    Raises
    ------
    DataError
        All columns at once, with the number of rows; a missing one with the nearest name.
    """
    if not isinstance(table, pd.DataFrame) or table.empty:
        raise DataError(f"{where}: expected a pandas frame with rows.")
    faults = []
    for name in [*columns, *keys]:
        if name not in table.columns:
            known = [one for one in table.columns if isinstance(one, str)]
            faults.append(f'no column "{name}".{did_you_mean(str(name), known)}')
        elif list(table.columns).count(name) > 1:
            faults.append(f'more than one column is named "{name}"')
        elif name in columns:
            values = pd.to_numeric(table[name], errors="coerce").to_numpy(float, na_value=np.nan)
            if n_odd := int((~np.isfinite(values) | (values < 0)).sum()):
                faults.append(f'column "{name}": missing, negative or no number in {n_odd} rows')
    if faults:
        raise DataError(gathered(f"{where}: it cannot be used as it stands.", faults))


def sums_within(
    table: pd.DataFrame, columns: Sequence[str], by: str | Sequence[str] | None
) -> pd.DataFrame:
    """Sums of columns within groups, sorted by group; everybody in one row without `by`.

    Raises
    ------
    DataError
        Columns, numbers or groups that cannot be used.
    """
    names = inputs.names_of(by)
    check_table(table, columns, keys=names)
    inputs.check_groups(table, names)
    if clash := set(columns).intersection(names):
        raise DataError(f"by: {', '.join(sorted(clash))} is counted, and so cannot be a group.")
    if not names:
        return table[list(columns)].sum().to_frame().T.astype(float)
    return table.groupby(names, observed=True, sort=True)[list(columns)].sum().reset_index()


def check_confidence(confidence: float) -> float:
    """The share of chance left on each side."""
    if not 0 < confidence < 1:
        raise StudyError("confidence: expected a number between 0 and 1, such as 0.95.")
    return (1 - confidence) / 2


def refuse_none(values: np.ndarray, what: str) -> None:
    """Refuse groups in which nothing can be divided by something."""
    if n_none := int((values <= 0).sum()):
        raise DataError(f"{what}: 0 in {n_none} groups, so that nothing can be divided by it.")
