"""Cases of a register beside those of a reference, linked by person and by the day of the event."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from workbench.analysis import inputs
from workbench.analysis.coverage.formulas import CELLS, from_counts
from workbench.errors import DataError, StudyError


def compare_sources(
    register: pd.DataFrame, reference: pd.DataFrame, *, person: str, date: str | None = None,
    window_days: int | None = None, by: str | Sequence[str] | None = None,
    reference_by: str | Sequence[str] | None = None, confidence: float = 0.95,
) -> pd.DataFrame:  # fmt: skip
    """Find out which cases are in the register, in the reference, and in both.

    Parameters
    ----------
    register, reference
        One row a case, with the column `person` (a pseudonym, a running number).
    date, window_days
        The day of the event and how many days the two sources' days may lie apart. Each case is
        paired with one at most: the nearest first, then the earliest. Without a date a person is
        one case, however many rows there are.
    by
        Grouping columns (unit, year, sub-register): ids, never names that are written in two ways.
        A case in both sources belongs to the group that the register says.
    reference_by
        What these columns are called in the reference, where it is otherwise.

    Returns
    -------
    One row a group, as `from_counts`. A group that is missing in a row is "not known".

    Raises
    ------
    DataError, StudyError
        Columns that are not there; missing persons or dates; no rows.
    """
    names = inputs.names_of(by)
    others = inputs.names_of(reference_by) or names
    if len(others) != len(names):
        raise StudyError("reference_by: expected as many columns as by.")
    if (date is None) != (window_days is None):
        raise StudyError("date and window_days: give both, or neither.")
    columns = [person, *([date] if date else [])]
    for where, frame, more in (("register", register, names), ("reference", reference, others)):
        _check(frame, [*columns, *more], columns, where)
    own = _cases(register, person, date, names, names)
    other = _cases(reference, person, date, others, names)
    pairs = _pairs(own, other, window_days)
    in_both = own.loc[pairs[:, 0], names].assign(both=1)
    only_own = own.drop(index=pairs[:, 0])[names].assign(only_register=1)
    only_other = other.drop(index=pairs[:, 1])[names].assign(only_reference=1)
    whole = pd.concat([in_both, only_own, only_other]).fillna(dict.fromkeys(CELLS, 0))
    counts = _counted(whole, names)
    return from_counts(counts, confidence=confidence)


def _check(frame: pd.DataFrame, columns: list[str], known: list[str], where: str) -> None:
    inputs.check_frame(frame, columns)
    for name in known:
        if n_missing := int(frame[name].isna().sum()):
            raise DataError(f'{where}: column "{name}" is missing in {n_missing} rows.')


def _cases(
    frame: pd.DataFrame, person: str, date: str | None, names: list[str], called: list[str]
) -> pd.DataFrame:
    """Cases in order: the person, the day, and the groups under the register's names."""
    groups = frame[names].astype(object).where(frame[names].notna(), "not known")
    groups.columns = pd.Index(called)
    cases = groups.assign(_person=frame[person].to_numpy())
    if date is None:
        order = cases.sort_values(["_person", *called], key=lambda one: one.astype(str))
        return order.drop_duplicates("_person").reset_index(drop=True)
    days = (pd.to_datetime(frame[date]) - pd.Timestamp("1970-01-01")).dt.days.to_numpy()
    keys = ["_person", "_day", *called]
    cases = cases.assign(_day=days)
    ordered = cases.sort_values(
        keys, key=lambda one: one if one.name == "_day" else one.astype(str)
    )
    return ordered.reset_index(drop=True)


def _pairs(own: pd.DataFrame, other: pd.DataFrame, window_days: int | None) -> np.ndarray:
    """Places of the paired cases: (own, other), each in one pair at most."""
    left = own[["_person"]].assign(left=own.index, day=own.get("_day", 0))
    right = other[["_person"]].assign(right=other.index, day_other=other.get("_day", 0))
    near = left.merge(right, on="_person")
    near["gap"] = (near["day"] - near["day_other"]).abs()
    if window_days is not None:
        near = near[near["gap"] <= window_days]
    near = near.sort_values(["gap", "left", "right"], ignore_index=True)
    found: list[np.ndarray] = []
    while len(near):
        # a pair that is the first for both of its cases stands; the others ask again
        is_first = ~near["left"].duplicated() & ~near["right"].duplicated()
        chosen = near[is_first]
        found.append(chosen[["left", "right"]].to_numpy())
        taken = near["left"].isin(chosen["left"]) | near["right"].isin(chosen["right"])
        near = near[~taken]
    return np.concatenate(found) if found else np.empty((0, 2), dtype=int)


def _counted(whole: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    cells = whole[list(CELLS)].astype(np.int64)
    if not names:
        return cells.sum().to_frame().T
    groups = [whole[name] for name in names]
    return cells.groupby(groups, sort=True).sum().reset_index()
