"""Differences of shares: this year and last, a unit and the rest of the nation."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from workbench.analysis.units.counted import ArrayLike, check_level, index_of, read_pair
from workbench.analysis.units.intervals import wilson_limits
from workbench.analysis.units.unit_frames import check_one_row_each

RESULT = {"n", "events", "share", "nation", "rest", "estimate", "lower", "upper", "p_value"}


def difference(
    events: ArrayLike, n: ArrayLike, reference_events: ArrayLike, reference_n: ArrayLike, *,
    confidence: float = 0.95,
) -> pd.DataFrame:  # fmt: skip
    """Say how far two shares are apart, and how sure that is.

    Parameters
    ----------
    events, n
        Patients with the event, and all.
    reference_events, reference_n
        Those they are compared with; they must be other patients.

    Returns
    -------
    `estimate` (first less reference), `lower`, `upper` (Newcombe), `p_value` (two-sided, pooled
    score test). Missing where either has nobody.

    Raises
    ------
    DataError, StudyError
        As `proportion`.

    References
    ----------
    Newcombe, Stat Med 1998;17:873-890, method 10.
    """
    x, of = read_pair(events, n, ("events", "n"))
    y, other = read_pair(reference_events, reference_n, ("reference_events", "reference_n"))
    tail = check_level(confidence)
    with np.errstate(divide="ignore", invalid="ignore"):
        p, q = x / of, y / other
        both = (x + y) / (of + other)
        error = np.sqrt(both * (1 - both) * (1 / of + 1 / other))
        apart = p - q
        p_value = np.where(error > 0, 2 * stats.norm.sf(np.abs(apart) / error), 1.0)
        (low, high), (low_r, high_r) = wilson_limits(x, of, tail), wilson_limits(y, other, tail)
        lower = apart - np.sqrt((p - low) ** 2 + (high_r - q) ** 2)
        upper = apart + np.sqrt((high - p) ** 2 + (q - low_r) ** 2)
    p_value = np.where(np.isfinite(apart), p_value, np.nan)
    table = {"estimate": apart, "lower": lower, "upper": upper, "p_value": p_value}
    return pd.DataFrame(table, index=index_of(events))


def beside_rest(
    table: pd.DataFrame, *, unit: str, events: str = "events", n: str = "n",
    confidence: float = 0.95,
) -> pd.DataFrame:  # fmt: skip
    """Set each unit beside the rest of the nation, so that no unit is compared with itself.

    Parameters
    ----------
    table
        One row a unit with the counts `events` and `n`.

    Returns
    -------
    One row a unit: the column `unit`, `n`, `events`, `share`, `nation` (all units, this one too),
    `rest` (all but this one), and `estimate`, `lower`, `upper`, `p_value` of share less rest. A
    unit that is the whole nation has no rest: missing.

    Raises
    ------
    DataError, StudyError
        As `proportion`; columns that are not there; a unit that is missing or in two rows.
    """
    check_one_row_each(table, unit, [events, n], RESULT)
    x, of = read_pair(table[events], table[n], (events, n))
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = {
            "share": x / of,
            "nation": np.full(len(x), x.sum() / of.sum()),
            "rest": (x.sum() - x) / (of.sum() - of),
        }
    apart = difference(x, of, x.sum() - x, of.sum() - of, confidence=confidence)
    counts = {"n": of.astype(np.int64), "events": x.astype(np.int64)}
    found = table[[unit]].reset_index(drop=True).assign(**counts, **shares)
    return pd.concat([found, apart], axis=1)
