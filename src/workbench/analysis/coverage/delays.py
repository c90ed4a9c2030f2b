"""How long reports take, when those that have not come yet cannot be seen (right truncation).

Only reports that arrived by the last day are seen, and recent cases only if they were quick. In
reverse time that is delayed entry: of the reports with a delay of s days, among those that arrived
within s days and could have been seen at s. The product over s > t of 1 - d(s) / N(s) is the share
that arrives within t days, among those that arrive within the longest delay D.

Source: Lagakos, Barraj and De Gruttola, Biometrika 1988;75:515-523; Kalbfleisch and Lawless, JASA
1989;84:360-372.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.analysis import inputs
from workbench.errors import DataError, StudyError

EPOCH = pd.Timestamp("1970-01-01")


@dataclass(frozen=True)
class Delays:
    """Cases of one group: the day of the event and the delay of its report, both in days.

    `n_negative`: reports dated before the event, left out; `n_later`: those after the longest one.
    """

    day: np.ndarray
    delay: np.ndarray
    n_negative: int
    n_later: int


@dataclass(frozen=True)
class Arrival:
    """The share of reports that arrive within 0 .. D days, and its standard error on the log scale.

    Missing where no case is old enough to tell.
    """

    share: np.ndarray
    log_error: np.ndarray

    def at(self, days: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Share and log error within so many days; from D on all have arrived."""
        last = len(self.share) - 1
        place = np.clip(days, 0, last)
        share = np.where(days < 0, 0.0, np.where(days >= last, 1.0, self.share[place]))
        return share, np.where((days < 0) | (days >= last), 0.0, self.log_error[place])


def read_delays(
    cases: pd.DataFrame, event_date: str, reported_date: str, as_of: object, within: int
) -> Delays:
    """Delays of the cases reported until `as_of`.

    Raises
    ------
    DataError, StudyError
        Dates that are missing or no dates; no case; a longest delay under a day.
    """
    if isinstance(within, bool) or not isinstance(within, (int, np.integer)) or within < 1:
        raise StudyError("within: expected a whole number of days, 1 or more.")
    inputs.check_frame(cases, [event_date, reported_date])
    last = day_of(as_of)
    day, reported = (_days(cases, name) for name in (event_date, reported_date))
    seen = (reported <= last) & (day <= last)
    day, delay = day[seen], (reported - day)[seen]
    is_in = (delay >= 0) & (delay <= within)
    n_negative, n_later = int((delay < 0).sum()), int((delay > within).sum())
    return Delays(day[is_in], delay[is_in], n_negative, n_later)


def day_of(as_of: object) -> int:
    """A date as days since 1970.

    Raises
    ------
    StudyError
        No date.
    """
    try:
        return int((pd.Timestamp(as_of) - EPOCH).days)
    except (TypeError, ValueError):
        raise StudyError("as_of: expected a date, such as 2024-12-31.") from None


def arrival(delays: Delays, as_of: object, within: int, window_days: int | None) -> Arrival:
    """Estimate how reports arrive; of the last `window_days` alone, if the lag has changed."""
    last = day_of(as_of)
    first = -np.inf if window_days is None else last - window_days
    day, delay = delays.day, delays.delay
    low = np.maximum(delay, first - day)
    high = np.minimum(last - day, within)
    counts = low <= high
    change = np.zeros(within + 2)
    np.add.at(change, low[counts].astype(int), 1)
    np.add.at(change, high[counts].astype(int) + 1, -1)
    at_risk = np.cumsum(change)[: within + 1]
    arrived = np.bincount(delay[(day + delay) >= first], minlength=within + 1)[: within + 1]
    # nobody old enough at the longest delays: what comes after them cannot be told
    oldest = int(min(within, (last - day).max(initial=-1)))
    with np.errstate(divide="ignore", invalid="ignore"):
        stays = np.where(at_risk > 0, 1 - arrived / at_risk, 1.0)
        term = np.where(arrived > 0, arrived / (at_risk * (at_risk - arrived)), 0.0)
    later = np.append(np.cumprod(stays[::-1])[::-1][1:], 1.0)
    error = np.sqrt(np.append(np.cumsum(term[::-1])[::-1][1:], 0.0))
    if oldest < within:
        later, error = np.full(within + 1, np.nan), np.full(within + 1, np.nan)
    return Arrival(later, error)


def _days(cases: pd.DataFrame, name: str) -> np.ndarray:
    is_date = pd.api.types.is_datetime64_any_dtype(cases[name].dtype)
    try:
        values = cases[name] if is_date else pd.to_datetime(cases[name], format="ISO8601")
    except (TypeError, ValueError):
        raise DataError(f'column "{name}": not dates.') from None
    if n_missing := int(values.isna().sum()):
        raise DataError(
            f'column "{name}": missing in {n_missing} rows. A case without it has no lag: leave '
            "it out and count it."
        )
    return (values - EPOCH).dt.days.to_numpy().astype(np.int64)
