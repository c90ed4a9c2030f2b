"""Count first: turn one row a person into one row a group and time.

Survival estimators take these counts and never see a person. Everything that can be wrong with
follow-up (missing, negative, infinite, an unknown event code, a missing group) is refused here,
all of it at once, with the column and the number of rows and never a value.

At risk at a time t is who was followed up to t or longer and, with delayed entry, had entered
before t. Times are compared exactly: use whole days, not fractions from different divisions.
Method: Andersen, Borgan, Gill and Keiding, 1993, chapter IV.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from pandas.api import types

from workbench.analysis.inputs import (
    FollowUp,
    check_follow_up,
    check_frame,
    check_groups,
    group_numbers,
    is_fractional,
    names_of,
)


def count_events(
    persons: pd.DataFrame,
    *,
    duration: str,
    event: str,
    by: str | Sequence[str] | None = None,
    entry: str | None = None,
    weight: str | None = None,
) -> pd.DataFrame:
    """Count who is at risk, who has the event and who is censored, per group and time.

    Parameters
    ----------
    persons
        One row per person; see `check_follow_up`. Index and order of rows do not matter.
    by
        Grouping column or columns, none missing. Categories keep their order, others are sorted.

    Returns
    -------
    One row per group and time at which somebody leaves (or, with `entry`, enters), sorted: the
    columns of `by`, `time`, `at_risk`, `events`, `censored`, then `entered` when `entry` is
    given. With `weight` these are sums of weights, and `n_at_risk`, `n_events`, `n_censored`
    are the persons behind them; where some weight is not a whole number, `events_squares` and
    `censored_squares` are sums of squared weights, for a robust variance.

    Raises
    ------
    DataError
        See `check_follow_up` and `check_groups`.
    """
    names = names_of(by)
    check_frame(persons, names)
    follow_up = check_follow_up(persons, duration=duration, event=event, entry=entry, weight=weight)
    check_groups(persons, names)
    number, groups = _groups(persons, names)
    table = _leaving_and_entering(number, follow_up)
    numbers = table.index.get_level_values("group").to_numpy()
    time = table.index.get_level_values("time").to_numpy()
    if types.is_integer_dtype(persons[duration].dtype) and (time == np.floor(time)).all():
        time = time.astype(np.int64)
    table = _at_risk(table.reset_index(drop=True), numbers)
    kept = ["at_risk", "events", "censored"]
    kept += ["entered"] if entry is not None else []
    kept += ["n_at_risk", "n_events", "n_censored"] if weight is not None else []
    if is_fractional(follow_up):
        kept += ["events_squares", "censored_squares"]
    labels = groups.iloc[numbers].reset_index(drop=True)
    return pd.concat([labels, pd.Series(time, name="time"), table[kept]], axis=1)


def rows_at(table: pd.DataFrame, names: Sequence[str], times: np.ndarray) -> dict[str, np.ndarray]:
    """Find, per group and asked time, where in a table of counts that time falls.

    Returns
    -------
    Row positions: `first` and `last` of each group (shape groups x 1), `at_or_after` and `after`
    the asked time (shape groups x times). A position one past `last` means: no such row.
    """
    number = group_numbers(table, names)
    n_groups = int(number.max()) + 1
    known = np.unique(table["time"].to_numpy())
    width = len(known) + 1
    key = number * width + np.searchsorted(known, table["time"].to_numpy())
    groups = np.arange(n_groups)[:, None]
    return {
        "first": np.searchsorted(number, groups, side="left"),
        "last": np.searchsorted(number, groups, side="right") - 1,
        "at_or_after": np.searchsorted(key, groups * width + np.searchsorted(known, times)),
        "after": np.searchsorted(
            key,
            groups * width + np.searchsorted(known, times, side="right"),
            side="left",
        ),
    }


def _groups(persons: pd.DataFrame, names: list[str]) -> tuple[np.ndarray, pd.DataFrame]:
    number = group_numbers(persons, names)
    _, first = np.unique(number, return_index=True)
    return number, persons[names].iloc[first].reset_index(drop=True)


def _leaving_and_entering(number: np.ndarray, follow_up: FollowUp) -> pd.DataFrame:
    size = 1 if follow_up.weight is None else follow_up.weight
    leaving = pd.DataFrame(
        {
            "group": number,
            "time": follow_up.time,
            "events": follow_up.event * size,
            "censored": ~follow_up.event * size,
            "events_squares": follow_up.event * size**2,
            "censored_squares": ~follow_up.event * size**2,
            "n_events": follow_up.event.astype(np.int64),
            "n_censored": (~follow_up.event).astype(np.int64),
        }
    )
    table = leaving.groupby(["group", "time"]).sum()
    if follow_up.entry is None:
        return table
    entering = pd.DataFrame({"group": number, "time": follow_up.entry})
    entering["entered"] = size
    entering["n_entered"] = 1
    arrivals = entering.groupby(["group", "time"]).sum()
    both = table.join(arrivals, how="outer").fillna(0).sort_index()
    return both.astype({**table.dtypes, **arrivals.dtypes})


def _at_risk(table: pd.DataFrame, number: np.ndarray) -> pd.DataFrame:
    leaving = table[["events", "n_events"]].to_numpy() + table[["censored", "n_censored"]]
    leaving.columns = pd.Index(["at_risk", "n_at_risk"])
    if "entered" not in table:
        at_risk = leaving[::-1].groupby(number[::-1]).cumsum()[::-1]
        return table.join(at_risk)
    change = table[["entered", "n_entered"]].to_numpy() - leaving
    at_risk = change.groupby(number).cumsum() - change
    # a sum of weights leaves a rest in the last digit when everybody has left
    at_risk["at_risk"] = at_risk["at_risk"].where(at_risk["n_at_risk"] > 0, 0)
    return table.join(at_risk)
