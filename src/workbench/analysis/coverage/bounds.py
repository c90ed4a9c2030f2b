"""What the cases that are missing could do to an indicator."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.analysis import inputs
from workbench.analysis.units.counted import read_counts, read_pair
from workbench.errors import DataError, StudyError


def bounds(
    table: pd.DataFrame, *, events: str = "events", n: str = "n", missing: str | None = None,
    coverage: str | None = None, limit: float | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Say how far an indicator could move if the missing cases were all events, or none.

    Parameters
    ----------
    table
        One row a group with `events` and `n`.
    missing, coverage
        The column with the number of missing cases, or with the share of cases that are there
        (above 0, at most 1): missing = n / coverage - n, rounded up.
    limit
        A target between 0 and 1: adds the tipping point.

    Returns
    -------
    The table with `missing`, `estimate`, `lowest` (none of the missing has the event), `highest`
    (all have), and with a limit `tipping_point`: the share of the missing cases with the event at
    which the indicator reaches the limit; missing where no share does, so that the side of the
    limit cannot change.

    Raises
    ------
    DataError, StudyError
        Counts or coverages that cannot be used; neither or both of missing and coverage.
    """
    if (missing is None) == (coverage is None):
        raise StudyError("bounds: give missing or coverage, one of them.")
    if limit is not None and not 0 <= limit <= 1:
        raise StudyError("limit: expected a share between 0 and 1.")
    inputs.check_frame(table, [events, n, str(missing or coverage)])
    x, of = read_pair(table[events], table[n], (events, n))
    more = (
        read_counts(table[missing], missing)
        if missing is not None
        else _missing(table[coverage], of, str(coverage))
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        columns = {
            "missing": more,
            "estimate": x / of,
            "lowest": x / (of + more),
            "highest": (x + more) / (of + more),
        }
        if limit is not None:
            share = (limit * (of + more) - x) / more
            columns["tipping_point"] = np.where((share >= 0) & (share <= 1), share, np.nan)
    return table.assign(**columns)


def _missing(coverage: pd.Series, n: np.ndarray, name: str) -> np.ndarray:
    share = pd.to_numeric(coverage, errors="coerce").to_numpy(float, na_value=np.nan)
    if n_odd := int((~((share > 0) & (share <= 1))).sum()):
        raise DataError(
            f"{name}: {n_odd} values are missing, 0 or above 1. Bounds need a coverage by linked "
            "cases (union or gold standard)."
        )
    # a hair below the next whole number is rounding, not a case
    return np.ceil(np.round(n / share - n, 9))
