"""What every estimator accepts: a frame of persons with follow-up, groups and times, all checked.

Everything that can be wrong with follow-up (missing, negative, infinite, an unknown event code, a
missing group) is refused here, all of it at once, with the column and the number of rows and never
a value.
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
# a code above this is a mistake (a date, an identity number), not one of many causes
MOST_CAUSES = 100
COMPETING = "; with competing events (codes 2, 3 ...) use competing.cumulative_incidence"


@dataclass(frozen=True, eq=False)
class FollowUp:
    """Checked follow-up, one element a person, in the order of the rows.

    `cause` is 0 for censored and 1, 2 ... for what happened; `event` is whether anything did.
    """

    time: np.ndarray
    event: np.ndarray
    entry: np.ndarray | None
    weight: np.ndarray | None
    cause: np.ndarray | None = None

    def of(self, who: np.ndarray) -> FollowUp:
        """Give the follow-up of some of the persons."""
        optional = [
            None if part is None else part[who] for part in (self.entry, self.weight, self.cause)
        ]
        return FollowUp(self.time[who], self.event[who], *optional)


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


def check_groups(
    persons: pd.DataFrame, names: Sequence[str], *, size: np.ndarray | None = None
) -> None:
    """Refuse groups that are missing for some persons, or named as a column of the result.

    `size` is the number of persons behind each row of an already counted table.

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
    n_rows = len(persons) if size is None else int(size.sum())
    faults = [
        f'column "{name}": missing in {n_missing} of {n_rows} rows; expected a group'
        for name in names
        if (n_missing := _how_many(persons[name].isna().to_numpy(), size))
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
    causes: bool = False,
    keep_whole: bool = False,
    size: np.ndarray | None = None,
) -> FollowUp:
    """Read each person's follow-up, and refuse what cannot be a follow-up.

    Parameters
    ----------
    persons
        One row per person. `duration` is a number, 0 or more, in any one unit; `event` is 0, 1,
        False or True; `entry` is 0 or more and below `duration`; `weight` is above 0.
    causes
        Whether `event` may also hold 2, 3 ... for competing causes.
    keep_whole
        Whether durations and entries in whole units stay integers (times are floats otherwise).
    size
        The number of persons behind each row, where the rows are already counted.

    Raises
    ------
    DataError
        A column that is missing or not numeric, or values outside the above: all columns at
        once, with the number of rows.
    """
    optional = [column for column in (entry, weight) if column is not None]
    check_frame(persons, [duration, event, *optional])
    faults: list[str] = []
    time = _numbers(persons, duration, faults, size=size)
    happened = _numbers(persons, event, faults, bounded=False, size=size)
    entered = None if entry is None else _numbers(persons, entry, faults, size=size)
    weights = None if weight is None else _numbers(persons, weight, faults, size=size)
    if (n_unknown := _how_many(_unknown_codes(happened, causes=causes), size)) > 0:
        told = "neither 0 (censored) nor a cause 1, 2 ..." if causes else "neither 0 nor 1"
        further = "" if causes else COMPETING
        faults.append(f'column "{event}": {told} in {n_unknown} rows{further}')
    if weights is not None and (n_zero := _how_many(weights == 0, size)):
        faults.append(f'column "{weight}": 0 in {n_zero} rows; expected a weight above 0')
    if entered is not None and (n_late := _how_many(entered >= time, size)):
        faults.append(f'column "{entry}": not before "{duration}" in {n_late} rows')
    if faults:
        advice = "Mend these rows or leave them out, counted, before the analysis."
        raise DataError(gathered(f"persons: some follow-up cannot be used. {advice}", faults))
    if not keep_whole:
        time = time.astype(np.float64)
        entered = None if entered is None else entered.astype(np.float64)
    weights = None if weights is None else weights.astype(np.float64)
    cause = happened.astype(np.int64, copy=False)
    return FollowUp(time=time, event=cause > 0, entry=entered, weight=weights, cause=cause)


def _unknown_codes(happened: np.ndarray, *, causes: bool) -> np.ndarray:
    largest = MOST_CAUSES if causes else 1
    if happened.dtype.kind in "bi" and happened.min() >= 0 and happened.max() <= largest:
        return np.zeros(len(happened), dtype=bool)
    if causes:
        wrong = (happened < 0) | (happened > largest)
        return wrong if happened.dtype.kind == "i" else wrong | (happened % 1 > 0)
    wrong = (happened != 0) & (happened != 1)
    return wrong if happened.dtype.kind == "i" else wrong & ~np.isnan(happened)


def is_fractional(follow_up: FollowUp) -> bool:
    """Whether weights stand for sampling or propensity (not whole), not for repeated persons."""
    return follow_up.weight is not None and bool((follow_up.weight % 1 != 0).any())


def group_numbers(table: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
    """Number the groups of a table 0, 1, 2 ... in their sorted order; one number per row."""
    if not names:
        return np.zeros(len(table), dtype=np.int64)
    return table.groupby(list(names), observed=True, sort=True).ngroup().to_numpy()


def check_times(times: Sequence[float]) -> np.ndarray:
    """The asked times, sorted and each once; refuses what is not a list of finite numbers."""
    asked = np.unique(np.atleast_1d(np.asarray(times)))
    if asked.size == 0 or asked.dtype.kind not in "iuf" or not np.isfinite(asked).all():
        raise StudyError("times: expected one or more finite numbers, in the unit of the duration.")
    return asked


def _numbers(
    persons: pd.DataFrame,
    column: str,
    faults: list[str],
    *,
    bounded: bool = True,
    size: np.ndarray | None = None,
) -> np.ndarray:
    # whole numbers and yes/no stay as they are: nothing can be missing, and large data stay small
    series = persons[column]
    series = series.infer_objects() if series.dtype == object else series
    if not types.is_numeric_dtype(series.dtype) or types.is_complex_dtype(series.dtype):
        n_missing = _how_many(series.isna().to_numpy(), size)
        also = f" and is missing in {n_missing} rows" if n_missing else ""
        faults.append(f'column "{column}": holds {series.dtype}{also}; expected numbers')
        return np.full(len(series), np.nan)
    kinds: dict[str, np.ndarray] = {}
    if isinstance(series.dtype, np.dtype) and series.dtype.kind in "iub":
        values = series.to_numpy()
        as_number = series.dtype.kind == "u" or (bounded and series.dtype.kind == "b")
        values = values.astype(np.int64) if as_number else values
    else:
        values = series.to_numpy(dtype=np.float64, na_value=np.nan)
        kinds = {"missing": np.isnan(values), "infinite": np.isinf(values)}
    # nothing is compared with a missing number, so floats are asked one by one
    if bounded and (values.dtype.kind == "f" or values.min() < 0):
        kinds["negative"] = values < 0
    for kind, found in kinds.items():
        if found.any():
            faults.append(f'column "{column}": {kind} in {_how_many(found, size)} rows')
    return values


def _how_many(found: np.ndarray, size: np.ndarray | None) -> int:
    return int(found.sum() if size is None else size[found].sum())
