"""Estimates with their intervals from sums alone, and medians from counted values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from workbench.analysis.units.intervals import count_limits, proportion, rate
from workbench.registers.indicators import Indicator

ESTIMATES = ["estimate", "lower", "upper", "std_error"]
TAIL = 0.025


def with_estimates(sums: pd.DataFrame, indicators: Mapping[str, Indicator]) -> pd.DataFrame:
    """Add `estimate`, `lower`, `upper`, `std_error` to rows of sums; medians are left missing.

    Shares have Wilson's interval; rates and counts an exact one below 10 events and Byar's from
    10; means Student's, from the number, the sum and the sum of squares. Of nobody, and a mean of
    one for its interval, there is none: missing.
    """
    parts = []
    for name, rows in sums.groupby("indicator", sort=False, observed=True):
        found = _of_type(rows, indicators[str(name)])
        parts.append(rows.assign(**{one: found.get(one, np.nan) for one in ESTIMATES}))
    return pd.concat(parts).loc[sums.index] if parts else sums.assign(**dict.fromkeys(ESTIMATES))


def _of_type(rows: pd.DataFrame, indicator: Indicator) -> Mapping[str, np.ndarray | pd.Series]:
    match indicator.definition.type:
        case "proportion":
            return dict(proportion(rows["events"], rows["n"]))
        case "rate":
            return dict(rate(rows["events"], rows["exposure"], per=indicator.definition.per))
        case "count":
            counts = rows["events"].to_numpy(float)
            lower, upper = count_limits(counts, 1 - 2 * TAIL, "byar")
            return {"estimate": counts, "lower": lower, "upper": upper}
        case "mean":
            return _means(rows)
    return {}


def _means(rows: pd.DataFrame) -> Mapping[str, np.ndarray]:
    n, total, squares = (rows[one].to_numpy(float) for one in ("n", "total", "total_of_squares"))
    some, several = np.where(n > 0, n, np.nan), np.where(n > 1, n, np.nan)
    middle = total / some
    # the sum of squares about the mean may come out a hair below 0 where all values are equal
    spread = np.maximum(squares - total * middle, 0) / (several - 1)
    error = np.sqrt(spread / several)
    half = stats.t.ppf(1 - TAIL, several - 1) * error
    limits = {"lower": middle - half, "upper": middle + half}
    return {"estimate": middle, "std_error": error} | limits


def medians(counted: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Medians with their interval from how often each value occurs in each group.

    Parameters
    ----------
    counted
        Columns `by`, `value` and `n` (rows with that value); several rows of one value add up.

    Returns
    -------
    Columns `by`, `estimate` (type 7), `lower`, `upper`: the order statistics r and n + 1 - r, r
    the binomial quantile at one half; missing for fewer than 6 values.

    References
    ----------
    Conover, Practical Nonparametric Statistics, 1999, section 3.2.
    """
    keys = list(by)
    values = counted.groupby([*keys, "value"], dropna=False, observed=True)["n"].sum().reset_index()
    groups = values.groupby(keys, dropna=False, observed=True, sort=False)
    number = groups.ngroup().to_numpy()
    n = groups["n"].sum().to_numpy(np.int64)
    first = values.drop_duplicates(keys)[keys].reset_index(drop=True)
    ends = np.cumsum(values["n"].to_numpy(np.int64))
    starts = np.concatenate([[0], np.cumsum(n)[:-1]])
    sorted_values = values["value"].to_numpy(float)

    def statistic(rank: np.ndarray) -> np.ndarray:
        """The value of a rank (from 1) within each group."""
        return sorted_values[np.searchsorted(ends, starts + rank, side="left")]

    assert np.all(np.diff(number) >= 0), "groups lie one after another"
    middle = (statistic((n + 1) // 2) + statistic(n // 2 + 1)) / 2
    rank = stats.binom.ppf(TAIL, n, 0.5).astype(np.int64)
    has_interval, safe = rank > 0, np.maximum(rank, 1)
    lower = np.where(has_interval, statistic(safe), np.nan)
    upper = np.where(has_interval, statistic(n + 1 - safe), np.nan)
    return first.assign(estimate=middle, lower=lower, upper=upper)
