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
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.api import types

from workbench.errors import DataError, StudyError, did_you_mean, gathered

COUNT_COLUMNS = {"at_risk", "events", "censored", "n_at_risk", "n_events", "n_censored"}
RESULT_COLUMNS = COUNT_COLUMNS | {"time", "entered", "estimate", "std_error", "lower", "upper"}
RESULT_COLUMNS |= {"q", "n", "observed", "expected"}


@dataclass(frozen=True, eq=False)
class FollowUp:
    """Checked follow-up, one element a person, in the order of the rows."""

    time: np.ndarray
    event: np.ndarray
    entry: np.ndarray | None
    weight: np.ndarray | None

    def of(self, who: np.ndarray) -> FollowUp:
        """Give the follow-up of some of the persons."""
        entry = None if self.entry is None else self.entry[who]
        weight = None if self.weight is None else self.weight[who]
        return FollowUp(self.time[who], self.event[who], entry, weight)


def names_of(by: str | Sequence[str] | None) -> list[str]:
    """The grouping columns as a list: none, one or several."""
    if by is None:
        return []
    return [by] if isinstance(by, str) else list(by)


def label(level: object) -> str:
    """A level or group as text, with whole numbers as such although a gap made them floats."""
    return f"{level:.0f}" if isinstance(level, float) and level.is_integer() else str(level)


def check_frame(persons: pd.DataFrame, columns: Sequence[str]) -> None:
    """Refuse a frame without persons, or without one of the columns that are asked for.

    Raises
    ------
    DataError
        Not a pandas frame, a missing or doubled column (with the nearest name), or no rows.
    """
    if not isinstance(persons, pd.DataFrame):
        raise DataError("persons: expected a pandas frame with one row per person.")
    for column in columns:
        if column not in persons.columns:
            known = [name for name in persons.columns if isinstance(name, str)]
            raise DataError(f'persons: no column "{column}".{did_you_mean(column, known)}')
        if list(persons.columns).count(column) > 1:
            raise DataError(f'persons: more than one column is named "{column}". Rename them.')
    if persons.empty:
        raise DataError("persons: no persons. Check the choice of persons before the analysis.")


def check_groups(persons: pd.DataFrame, names: Sequence[str]) -> None:
    """Refuse groups that are missing for some persons, or named as a column of the result.

    Raises
    ------
    DataError
        With the column and how many rows lack a value.
    """
    taken = [name for name in names if name in RESULT_COLUMNS]
    if taken or len(set(names)) < len(names):
        raise DataError(
            f"by={list(names)}: each grouping column is named once, and not as a column of the "
            f"result. Rename it first.{' Taken: ' + ', '.join(taken) + '.' if taken else ''}"
        )
    faults = [
        f'column "{name}": missing in {n_missing} of {len(persons)} rows; expected a group'
        for name in names
        if (n_missing := int(persons[name].isna().sum()))
    ]
    if faults:
        advice = 'Give them a group of their own ("unknown") or leave them out, counted.'
        raise DataError(gathered(f"persons: some groups are missing. {advice}", faults))


def check_follow_up(
    persons: pd.DataFrame,
    *,
    duration: str,
    event: str,
    entry: str | None = None,
    weight: str | None = None,
) -> FollowUp:
    """Read each person's follow-up, and refuse what cannot be a follow-up.

    Parameters
    ----------
    persons
        One row per person. `duration` is a number, 0 or more, in any one unit; `event` is 0, 1,
        False or True; `entry` is 0 or more and below `duration`; `weight` is above 0.

    Raises
    ------
    DataError
        A column that is missing or not numeric, or values outside the above: all columns at
        once, with the number of rows.
    """
    optional = [column for column in (entry, weight) if column is not None]
    check_frame(persons, [duration, event, *optional])
    faults: list[str] = []
    time = _numbers(persons, duration, faults)
    happened = _numbers(persons, event, faults, bounded=False)
    entered = None if entry is None else _numbers(persons, entry, faults)
    weights = None if weight is None else _numbers(persons, weight, faults)
    n_unknown = int((~np.isnan(happened) & (happened != 0) & (happened != 1)).sum())
    if n_unknown:
        faults.append(f'column "{event}": neither 0 nor 1 in {n_unknown} rows')
    if weights is not None and (n_zero := int((weights == 0).sum())):
        faults.append(f'column "{weight}": 0 in {n_zero} rows; expected a weight above 0')
    if entered is not None and (n_late := int((entered >= time).sum())):
        faults.append(f'column "{entry}": not before "{duration}" in {n_late} rows')
    if faults:
        advice = "Mend these rows or leave them out, counted, before the analysis."
        raise DataError(gathered(f"persons: some follow-up cannot be used. {advice}", faults))
    return FollowUp(time=time, event=happened == 1, entry=entered, weight=weights)


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


def is_fractional(follow_up: FollowUp) -> bool:
    """Whether weights stand for sampling or propensity (not whole), not for repeated persons."""
    return follow_up.weight is not None and bool((follow_up.weight % 1 != 0).any())


def group_numbers(table: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
    """Number the groups of a table 0, 1, 2 ... in their sorted order; one number per row."""
    if not names:
        return np.zeros(len(table), dtype=np.int64)
    return table.groupby(list(names), observed=True, sort=True).ngroup().to_numpy()


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


def check_times(times: Sequence[float]) -> np.ndarray:
    """The asked times, sorted and each once; refuses what is not a list of finite numbers."""
    asked = np.unique(np.atleast_1d(np.asarray(times)))
    if asked.size == 0 or asked.dtype.kind not in "iuf" or not np.isfinite(asked).all():
        raise StudyError("times: expected one or more finite numbers, in the unit of the duration.")
    return asked


def count_pairs(score: np.ndarray, follow_up: FollowUp, layer: np.ndarray) -> np.ndarray:
    """Count the comparable pairs of persons: one has the event while the other is still followed.

    Returns
    -------
    Three sums, weighted by the product of the two weights: pairs in which the other's score is
    lower, pairs in which it is the same, and all pairs. Pairs are made within `layer`; events at
    the same time make no pair.
    """
    rank = np.unique(score, return_inverse=True)[1]
    weight = np.ones(len(rank)) if follow_up.weight is None else follow_up.weight
    sums = np.zeros(3)
    for value in np.unique(layer):
        own = layer == value
        ranks, weights, part = rank[own], weight[own], follow_up.of(own)
        time, event, entry = part.time, part.event, part.entry
        # still followed at an event: who leaves later, or is censored at the same time
        order = np.lexsort((event, -time))
        key = 2 * np.unique(-time, return_inverse=True)[1] + event
        still = np.searchsorted(key[order], key[event], side="left")
        found = _weigh(ranks[order], weights[order], still, ranks[event])
        if entry is not None:
            order = np.argsort(-entry, kind="stable")
            absent = np.searchsorted(-entry[order], -time[event], side="right")
            found = found - _weigh(ranks[order], weights[order], absent, ranks[event])
        sums += found @ weights[event]
    return sums


def _numbers(
    persons: pd.DataFrame, column: str, faults: list[str], *, bounded: bool = True
) -> np.ndarray:
    series = persons[column].infer_objects()
    if not types.is_numeric_dtype(series.dtype) or types.is_complex_dtype(series.dtype):
        n_missing = int(series.isna().sum())
        also = f" and is missing in {n_missing} rows" if n_missing else ""
        faults.append(f'column "{column}": holds {series.dtype}{also}; expected numbers')
        return np.full(len(series), np.nan)
    values = series.to_numpy(dtype=np.float64, na_value=np.nan)
    kinds = {"missing": np.isnan(values), "infinite": np.isinf(values)}
    if bounded:
        kinds["negative"] = values < 0
    for kind, found in kinds.items():
        if found.any():
            faults.append(f'column "{column}": {kind} in {int(found.sum())} rows')
    return values


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


def _weigh(
    rank: np.ndarray, weight: np.ndarray, until: np.ndarray, asked: np.ndarray
) -> np.ndarray:
    """Weight below the asked rank, at it, and in all, among the first `until` (wavelet matrix)."""
    total = np.append(0.0, weight.cumsum())[until]
    start, below = np.zeros_like(until), np.zeros(len(until))
    for bit in reversed(range(int(max(rank.max(), 1)).bit_length())):
        high = (rank >> bit & 1).astype(bool)
        lows = np.append(0, (~high).cumsum())
        low_weight = np.append(0.0, (weight * ~high).cumsum())
        up = (asked >> bit & 1).astype(bool)
        below += np.where(up, low_weight[until] - low_weight[start], 0.0)
        start = np.where(up, lows[-1] + start - lows[start], lows[start])
        until = np.where(up, lows[-1] + until - lows[until], lows[until])
        order = np.argsort(high, kind="stable")
        rank, weight = rank[order], weight[order]
    running = np.append(0.0, weight.cumsum())
    return np.stack([below, running[until] - running[start], total])
