"""Three layers of completeness: units that take part, cases that are reported, answers given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from workbench.analysis import inputs
from workbench.errors import DataError, StudyError

FEWEST_REPORTED, FEWEST_ANSWERED, GREY = 30, 15, 0.6  # as the Swedish airway register shows units


def joined(units: Sequence[object], reporting: Sequence[object]) -> dict[str, float]:
    """How many of the units that should report do: `n_units`, `n_reporting`, `share`.

    Units are compared by id. Raises `DataError` for a reporting unit that is not among them.
    """
    expected, there = set(units), set(reporting)
    if strange := there - expected:
        raise DataError(f"{len(strange)} units report and are not among those that should.")
    if not expected:
        raise DataError("units: there are none.")
    n = len(there)
    return {"n_units": len(expected), "n_reporting": n, "share": n / len(expected)}


def answered(
    rows: pd.DataFrame, variables: Sequence[str], *, by: str | Sequence[str] | None = None,
    unknown: Mapping[str, Sequence[object]] | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Say of each variable how many rows have an answer; a code for "not known" is none.

    Parameters
    ----------
    rows
        One row a case.
    unknown
        Codes of a variable that mean not known.

    Returns
    -------
    One row a group and variable: the columns of `by`, `variable`, `n`, `n_answered`, `share`.

    Raises
    ------
    DataError
        Columns that are not there.
    """
    names = inputs.names_of(by)
    inputs.check_frame(rows, [*names, *variables])
    parts = []
    for variable in variables:
        values = rows[variable]
        has_answer = values.notna() & ~values.isin(list((unknown or {}).get(variable, ())))
        counted = rows[names].assign(variable=variable, n=1, n_answered=has_answer.astype(int))
        keys = [*names, "variable"]
        parts.append(counted.groupby(keys, observed=True, dropna=False)[["n", "n_answered"]].sum())
    found = pd.concat(parts).reset_index()
    return found.assign(share=found["n_answered"] / found["n"])


def may_show(
    table: pd.DataFrame, *, reported: str = "reported", answers: str = "answered",
    fewest_reported: int = FEWEST_REPORTED, fewest_answered: int = FEWEST_ANSWERED,
    grey_below: float = GREY,
) -> pd.DataFrame:  # fmt: skip
    """Say which units have enough reports and answers to be shown, and which in grey.

    Returns the table with `share` (answered of reported), `shown` (at least `fewest_reported` and
    `fewest_answered`) and `grey` (below that share of answers; missing without reports).
    """
    inputs.check_frame(table, [reported, answers])
    if not 0 <= grey_below <= 1:
        raise StudyError("grey_below: expected a share between 0 and 1.")
    n, k = table[reported].to_numpy(float), table[answers].to_numpy(float)
    if (k > n).any():
        raise DataError(f"{answers}: above {reported} in {int((k > n).sum())} rows.")
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(n > 0, k / n, np.nan)
    grey = pd.array(np.where(np.isnan(share), None, share < grey_below), dtype="boolean")
    shown = (n >= fewest_reported) & (k >= fewest_answered)
    return table.assign(share=share, shown=shown, grey=grey)
