"""Reporting lag: how long it takes until a case is in the register."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from workbench.analysis import inputs
from workbench.analysis.coverage.delays import Arrival, arrival, day_of, read_delays
from workbench.analysis.units.counted import check_level
from workbench.errors import DataError


def reporting_lag(
    cases: pd.DataFrame, *, event_date: str, reported_date: str, as_of: object, within: int,
    by: str | Sequence[str] | None = None, quantiles: Sequence[float] = (0.5, 0.9),
    days: Sequence[int] = (30, 60, 90, 180), window_days: int | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:  # fmt: skip
    """Say how long reports take, recent cases whose report is still to come allowed for.

    Parameters
    ----------
    cases
        One row a case that has been reported: its day and the day of its report.
    as_of
        The last day on which a report could have been seen.
    within
        D: lags are said among reports that arrive within so many days; past it they are missing.
    window_days
        Use reports of the last so many days only (the lag has changed); all if not given.

    Returns
    -------
    One row a group: the columns of `by`, `n` (reports seen within D), `n_negative` (dated before
    the event) and `n_later` (after D), both left out; `median_days`, `p90_days` ...; `share_30`,
    `share_30_lower`, `share_30_upper` ... (log-log scale); `within_days`. Where no case is as old
    as D, or the window has no reports, the lag cannot be told: missing.

    Raises
    ------
    DataError, StudyError
        Columns that are not there; missing dates (a case without one has no lag); no rows.

    References
    ----------
    Lagakos, Barraj and De Gruttola, Biometrika 1988;75:515-523.
    """
    tail = check_level(confidence)
    rows = []
    for labels, group in groups_of(cases, inputs.names_of(by)):
        delays = read_delays(group, event_date, reported_date, as_of, within)
        arrives = arrival(delays, as_of, within, window_days)
        told: dict[str, float] = {
            "n": len(delays.day),
            "n_negative": delays.n_negative,
            "n_later": delays.n_later,
        }
        for q in quantiles:
            told["median_days" if q == 0.5 else f"p{100 * q:g}_days"] = _quantile(arrives, q)
        for one in days:
            told |= _share(arrives, one, tail)
        rows.append({**labels, **told, "within_days": within})
    return pd.DataFrame(rows)


def arrival_curve(
    cases: pd.DataFrame, *, event_date: str, reported_date: str, as_of: object, within: int,
    by: str | Sequence[str] | None = None, window_days: int | None = None,
) -> pd.DataFrame:  # fmt: skip
    """The share of reports that arrive within each number of days: for drawing.

    Columns of `by`, `days` (0 .. D), `estimate`. Parameters and errors as `reporting_lag`.
    """
    parts = []
    for labels, group in groups_of(cases, inputs.names_of(by)):
        delays = read_delays(group, event_date, reported_date, as_of, within)
        arrives = arrival(delays, as_of, within, window_days)
        parts.append(
            pd.DataFrame({"days": np.arange(within + 1), "estimate": arrives.share}).assign(
                **labels
            )
        )
    return pd.concat(parts, ignore_index=True)[[*inputs.names_of(by), "days", "estimate"]]


def provisional_years(years: Sequence[int], *, as_of: object, within: int) -> pd.Series:
    """Which years are not complete yet: a report may still come within D days of their last day."""
    values = pd.Series(years).astype(int)
    ends = pd.to_datetime(values.astype(str) + "-12-31")
    left = day_of(as_of) - (ends - pd.Timestamp("1970-01-01")).dt.days
    return left < within


def groups_of(
    cases: pd.DataFrame, names: list[str]
) -> Iterator[tuple[dict[str, object], pd.DataFrame]]:
    """The cases of each group with its labels, in order; those without a group are "not known".

    Raises
    ------
    DataError
        Columns that are not there, or no case.
    """
    inputs.check_frame(cases, names)
    if cases.empty:
        raise DataError("cases: there are none.")
    if not names:
        yield {}, cases
        return
    labels = cases[names].astype(object).where(cases[names].notna(), "not known")
    for key, group in cases.groupby([labels[name] for name in names], sort=True):
        yield dict(zip(names, key, strict=True)), group


def _quantile(arrives: Arrival, q: float) -> float:
    if np.isnan(arrives.share).any():
        return np.nan
    return float(np.searchsorted(arrives.share, q - 1e-12))


def _share(arrives: Arrival, days: int, tail: float) -> dict[str, float]:
    name = f"share_{days}"
    if np.isnan(arrives.share).any() or days >= len(arrives.share):
        return {name: np.nan, f"{name}_lower": np.nan, f"{name}_upper": np.nan}
    share, error = float(arrives.share[days]), float(arrives.log_error[days])
    lower, upper = share, share
    if 0 < share < 1:
        # on the scale of log(-log F), so that limits stay between 0 and 1
        half = float(stats.norm.isf(tail)) * error / abs(np.log(share))
        lower, upper = share ** np.exp(half), share ** np.exp(-half)
    return {name: share, f"{name}_lower": lower, f"{name}_upper": upper}
