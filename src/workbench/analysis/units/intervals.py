"""Shares, rates, ratios, means and medians of units, each with its interval."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from workbench.analysis.rates.poisson_limits import poisson_limits
from workbench.analysis.units.counted import (
    ArrayLike,
    check_level,
    index_of,
    read_amounts,
    read_counts,
    read_pair,
)
from workbench.analysis.units.unit_frames import check_one_row_each
from workbench.errors import DataError, StudyError

SWITCH = 10  # events from which Byar's approximation is as good as the exact interval
SHARES = ("wilson", "exact", "jeffreys")
RATES = ("byar", "exact", "mid-p")
TYPED = {"type", "n", "events", "estimate", "lower", "upper"}


def proportion(
    events: ArrayLike, n: ArrayLike, *, confidence: float = 0.95, method: str = "wilson"
) -> pd.DataFrame:
    """Give the share of patients with the event, and how sure that share is.

    Parameters
    ----------
    events, n
        Patients with the event, and all patients: numbers, arrays or Series of one length.
    method
        "wilson" (score), "exact" (Clopper-Pearson; never too narrow) or "jeffreys" (equal-tailed
        posterior; 0 at no event, 1 at all).

    Returns
    -------
    `estimate`, `lower`, `upper`, one row each, with the index of a Series given. Of nobody (n = 0)
    there is no share: missing, and the row stays.

    Raises
    ------
    DataError, StudyError
        Counts that are missing, negative, not whole, or more events than patients.

    References
    ----------
    Wilson, JASA 1927;22:209-212; Clopper and Pearson, Biometrika 1934;26:404-413; Brown, Cai and
    DasGupta, Stat Sci 2001;16:101-133.
    """
    x, of = read_pair(events, n, ("events", "n"))
    tail = check_level(confidence)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(of > 0, x / of, np.nan)
    if method == "wilson":
        lower, upper = wilson_limits(x, of, tail)
    elif method == "exact":
        lower, upper = beta_limits(x, of, tail, before=(0, 1), after=(1, 0))
    elif method == "jeffreys":
        lower, upper = beta_limits(x, of, tail, before=(0.5, 0.5), after=(0.5, 0.5))
    else:
        raise StudyError(f"method: expected one of {', '.join(SHARES)}.")
    table = {"estimate": share, "lower": lower, "upper": upper}
    return pd.DataFrame(table, index=index_of(events))


def rate(
    events: ArrayLike, exposure: ArrayLike, *, confidence: float = 0.95, per: float = 1.0,
    method: str = "byar",
) -> pd.DataFrame:  # fmt: skip
    """Give how often the event happens in so much person-time, and how sure that is.

    Parameters
    ----------
    events, exposure
        Events, and the person-time (or catheter days ...) they happened in.
    per
        Give the rate for so much of it (100, 1000).
    method
        "byar" (exact below 10 events, Byar's approximation from 10), "exact" (Garwood), "mid-p".

    Returns
    -------
    `estimate`, `lower`, `upper`. Without exposure there is no rate: missing.

    Raises
    ------
    DataError, StudyError
        Counts or exposures that are missing or negative; events without exposure.

    References
    ----------
    Breslow and Day, Statistical Methods in Cancer Research II, 1987, p. 69; Garwood, Biometrika
    1936;28:437-442.
    """
    return _over(events, exposure, confidence, per, method, "exposure")


def ratio(
    observed: ArrayLike, expected: ArrayLike, *, confidence: float = 0.95, method: str = "byar"
) -> pd.DataFrame:
    """Give how many times as many events there were as expected, and how sure that is.

    Parameters
    ----------
    observed, expected
        Events, and the number expected from the reference (taken as known).
    method
        As in `rate`.

    Returns
    -------
    `estimate` (observed over expected), `lower`, `upper`. Where nothing is expected and nothing
    observed there is no ratio: missing.

    Raises
    ------
    DataError, StudyError
        As `rate`: events where none are expected say that the reference is wrong.

    References
    ----------
    As `rate`.
    """
    return _over(observed, expected, confidence, 1.0, method, "expected")


def share_of_types(
    table: pd.DataFrame, *, unit: str, types: Sequence[str], n: str | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:  # fmt: skip
    """Give how each unit's patients divide over several types (of access), for stacked bars.

    Parameters
    ----------
    table
        One row a unit.
    types
        Columns of patients of each type; a patient has one type ("unknown" is one).
    n
        Column of all patients, if there is one: the types must add up to it.

    Returns
    -------
    One row a unit and type, in the order of both: `unit`, `type`, `n` (all patients of the unit),
    `events` (those of the type), `estimate`, `lower`, `upper` (Wilson). The shares of a unit add up
    to 1; of a unit without patients they are missing.

    Raises
    ------
    DataError, StudyError
        Counts that cannot be used; types that do not add up; fewer than two types.

    References
    ----------
    As `proportion`.
    """
    if isinstance(types, str) or len(set(types)) < 2 or len(set(types)) < len(types):
        raise StudyError("types: expected two or more different columns.")
    check_one_row_each(table, unit, [*types, *([n] if n else [])], TYPED)
    counts = np.column_stack([read_counts(table[one], one) for one in types])
    total = counts.sum(axis=1)
    if n and (n_odd := int((read_counts(table[n], n) != total).sum())):
        raise DataError(
            f"types: they do not add up to {n} in {n_odd} units. Give patients whose type is not "
            'known a type of their own ("unknown").'
        )
    rows = pd.DataFrame({unit: table[unit].repeat(len(types)), "type": [*types] * len(table)})
    rows = rows.reset_index(drop=True).assign(
        n=total.repeat(len(types)).astype(np.int64), events=counts.ravel().astype(np.int64)
    )
    return rows.join(proportion(rows["events"], rows["n"], confidence=confidence))


def mean(values: ArrayLike, *, confidence: float = 0.95) -> pd.DataFrame:
    """Give the mean of patients' values with Student's interval, in one row.

    Columns `n`, `estimate`, `std_dev`, `lower`, `upper`; of fewer than two values no interval.

    Raises
    ------
    DataError
        No value, or some missing (leave them out and say so).
    """
    numbers = _values(values)
    tail, n = check_level(confidence), len(numbers)
    spread = float(numbers.std(ddof=1)) if n > 1 else np.nan
    half = float(stats.t.ppf(1 - tail, n - 1)) * spread / np.sqrt(n) if n > 1 else np.nan
    middle = float(numbers.mean())
    told = {"n": n, "estimate": middle, "std_dev": spread}
    return pd.DataFrame([told | {"lower": middle - half, "upper": middle + half}])


def median(values: ArrayLike, *, confidence: float = 0.95) -> pd.DataFrame:
    """Give the median of patients' values with quartiles and an interval, in one row.

    Columns `n`, `q25`, `estimate`, `q75`, `lower`, `upper`. Quantiles are of type 7; the interval
    is that between order statistics r and n + 1 - r, r the binomial quantile at one half. With 5
    values or fewer there is none at 95 %: missing.

    Raises
    ------
    DataError
        No value, or some missing.

    References
    ----------
    Conover, Practical Nonparametric Statistics, 1999, section 3.2.
    """
    numbers = np.sort(_values(values))
    tail, n = check_level(confidence), len(numbers)
    q25, middle, q75 = np.quantile(numbers, [0.25, 0.5, 0.75])
    rank = int(stats.binom.ppf(tail, n, 0.5))
    lower, upper = (numbers[rank - 1], numbers[n - rank]) if rank > 0 else (np.nan, np.nan)
    told = {"n": n, "q25": q25, "estimate": middle, "q75": q75, "lower": lower, "upper": upper}
    return pd.DataFrame([told])


def wilson_limits(x: np.ndarray, n: np.ndarray, tail: float) -> tuple[np.ndarray, np.ndarray]:
    """Wilson's score limits; exactly 0 without events and exactly 1 with only these."""
    z = float(stats.norm.isf(tail))
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = 2 * x + z**2
        half = z * np.sqrt(z**2 + 4 * x * (1 - x / n))
        lower, upper = (middle - half) / (2 * (n + z**2)), (middle + half) / (2 * (n + z**2))
    lower, upper = np.where(x == 0, 0.0, lower), np.where(x == n, 1.0, upper)
    return np.where(n > 0, lower, np.nan), np.where(n > 0, upper, np.nan)


def beta_limits(
    x: np.ndarray, n: np.ndarray, tail: float, *, before: tuple[float, float],
    after: tuple[float, float],
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Limits that are quantiles of a beta distribution; 0 without events, 1 with only these."""
    some, not_all = np.maximum(x, 1 - before[0]), np.maximum(n - x, 1 - after[1])
    lower = stats.beta.ppf(tail, some + before[0], n - x + before[1])
    upper = stats.beta.ppf(1 - tail, x + after[0], not_all + after[1])
    lower, upper = np.where(x == 0, 0.0, lower), np.where(x == n, 1.0, upper)
    return np.where(n > 0, lower, np.nan), np.where(n > 0, upper, np.nan)


def count_limits(x: np.ndarray, confidence: float, method: str) -> tuple[np.ndarray, np.ndarray]:
    """Limits of the mean behind counts, by the rule of this room: exact below 10, then Byar."""
    if method not in RATES:
        raise StudyError(f"method: expected one of {', '.join(RATES)}.")
    if method != "byar":
        return poisson_limits(x, confidence, method)
    exact, byar = (poisson_limits(x, confidence, one) for one in ("exact", "byar"))
    is_few = x < SWITCH
    return np.where(is_few, exact[0], byar[0]), np.where(is_few, exact[1], byar[1])


def _over(
    events: ArrayLike, below: ArrayLike, confidence: float, per: float, method: str, name: str
) -> pd.DataFrame:
    x, of = read_counts(events, "events"), read_amounts(below, name)
    check_level(confidence)
    if len(x) != len(of):
        raise DataError(f"events and {name}: {len(x)} and {len(of)} values.")
    if n_odd := int(((of == 0) & (x > 0)).sum()):
        raise DataError(f"{name}: 0 in {n_odd} rows that have events. Look at these rows first.")
    lower, upper = count_limits(x, confidence, method)
    parts = {"estimate": x, "lower": lower, "upper": upper}
    scale = np.where(of > 0, per / np.where(of > 0, of, 1.0), np.nan)
    return pd.DataFrame({key: one * scale for key, one in parts.items()}, index=index_of(events))


def _values(values: ArrayLike) -> np.ndarray:
    numbers = pd.to_numeric(pd.Series(values), errors="coerce").to_numpy(float, na_value=np.nan)
    if not len(numbers):
        raise DataError("values: there are none.")
    if n_odd := int((~np.isfinite(numbers)).sum()):
        raise DataError(
            f"values: {n_odd} are missing or no numbers. Leave them out and count them."
        )
    return numbers
