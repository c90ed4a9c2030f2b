"""Points in time, read and put in order, in segments that have limits of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from workbench.analysis import inputs
from workbench.errors import DataError, StudyError, did_you_mean

FEWEST, PROVISIONAL = 10, 13  # points of a segment: below, no limits; below, provisional ones
RESULTS = {
    "value", "centre", "lower", "upper", "lower_2s", "upper_2s", "signal", "rule", "kind",
    "segment", "is_provisional",
}  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """How a chart is read: columns, direction, segments.

    `rebase` gives the periods at which limits begin anew, `freeze` the period up to which points
    make the limits, each with its reason.
    """

    period: str
    by: tuple[str, ...] = ()
    direction: str | None = None
    rebase: Mapping[object, str] = field(default_factory=dict)
    freeze: tuple[object, str] | None = None
    trend_points: int = 7
    screening: bool = False

    @property
    def attributes(self) -> dict[str, object]:
        """What a result keeps of the plan, for icons and figures."""
        reasons = {str(at): reason for at, reason in self.rebase.items()}
        if self.freeze:
            reasons[f"limits from points up to {self.freeze[0]}"] = self.freeze[1]
        told = {"by": list(self.by), "period": self.period, "direction": self.direction}
        return {**told, "reasons": reasons}


def read_plan(
    *, period: str, by: str | Sequence[str] | None = None, direction: str | None = None,
    rebase: Mapping[object, str] | None = None, freeze: tuple[object, str] | None = None,
    trend_points: int = 7, screening: bool = False,
) -> Plan:  # fmt: skip
    """The plan of a chart, checked.

    Raises
    ------
    StudyError
        Another direction, a run that is not 6 or 7 points, a segment without a reason.
    """
    if direction not in {None, "high", "low"}:
        raise StudyError('direction: expected "high", "low" (what is wanted) or nothing.')
    if trend_points not in {6, 7}:
        raise StudyError("trend_points: expected 6 or 7.")
    if rebase is not None and not isinstance(rebase, Mapping):
        raise StudyError('rebase: expected each period with its reason, {"2022-01": "new form"}.')
    if freeze is not None and not (isinstance(freeze, tuple) and len(freeze) == 2):
        raise StudyError('freeze: expected a period and a reason, ("2021-12", "before the form").')
    reasons = [*(rebase or {}).values(), *([freeze[1]] if freeze else [])]
    if any(not isinstance(reason, str) or not reason.strip() for reason in reasons):
        raise StudyError(
            "rebase and freeze: write why. Limits that begin anew hide what was before."
        )
    return Plan(
        period, tuple(inputs.names_of(by)), direction, dict(rebase or {}), freeze, trend_points,
        screening,
    )  # fmt: skip


def groups_of(
    points: pd.DataFrame, plan: Plan, columns: Sequence[str]
) -> Iterator[tuple[dict[str, object], pd.DataFrame]]:
    """The points of each group in order of time, with their segment (0, 1 ... of the group).

    Raises
    ------
    DataError, StudyError
        Columns that are not there; no point; values that are missing or no numbers; periods that
        are missing or cannot be ordered; two points of a group at one time; a rebase or freeze at
        a time that no point has.
    """
    ordered = _with_segments(_read(points, plan, columns), plan)
    if not plan.by:
        yield {}, ordered
        return
    for key, rows in ordered.groupby(list(plan.by), observed=True, sort=True):
        yield dict(zip(plan.by, key, strict=True)), rows.reset_index(drop=True)


def check_counts(values: pd.Series, *, least: int = 0) -> None:
    """Refuse what cannot be a count: fractions, and numbers below `least`.

    Raises
    ------
    DataError
        With the column and the number of points.
    """
    if n_odd := int(((values % 1 != 0) | (values < least)).sum()):
        raise DataError(
            f'column "{values.name}": no whole number of {least} or more in {n_odd} points.'
        )


def base_of(rows: pd.DataFrame, plan: Plan) -> np.ndarray:
    """Which points of a segment make its limits: all, or those up to where it is frozen."""
    if plan.freeze is None:
        return np.ones(len(rows), dtype=bool)
    is_base = (rows[plan.period] <= plan.freeze[0]).to_numpy()
    # a segment that begins after the freeze has limits of its own points
    return is_base if is_base.any() else np.ones(len(rows), dtype=bool)


def _read(points: pd.DataFrame, plan: Plan, columns: Sequence[str]) -> pd.DataFrame:
    """The columns asked for, numbers as floats, in order of group and time."""
    names = [*plan.by, plan.period, *columns]
    _check_columns(points, plan, names)
    read = points[names].reset_index(drop=True)
    for name in (*plan.by, plan.period):
        if n_missing := int(read[name].isna().sum()):
            raise DataError(f'column "{name}": missing in {n_missing} points. Find it, or leave '
                            "them out, counted.")  # fmt: skip
    for name in columns:
        values = pd.to_numeric(read[name], errors="coerce").to_numpy(float, na_value=np.nan)
        if n_odd := int((~np.isfinite(values)).sum()):
            raise DataError(f'column "{name}": missing or no number in {n_odd} points.')
        read[name] = values
    keys = [*plan.by, plan.period]
    if n_double := int(read.duplicated(keys).sum()):
        raise DataError(f'column "{plan.period}": {n_double} points stand where another does.')
    try:
        return read.sort_values(keys, ignore_index=True)
    except TypeError as odd:
        raise DataError(f"columns {', '.join(keys)}: values of several kinds (text and numbers?) "
                        "have no order. Make them alike.") from odd  # fmt: skip


def _check_columns(points: pd.DataFrame, plan: Plan, names: Sequence[str]) -> None:
    if not isinstance(points, pd.DataFrame):
        raise DataError("points: expected a pandas frame with one row a point in time.")
    for name in names:
        if name not in points.columns:
            known = [one for one in points.columns if isinstance(one, str)]
            raise DataError(f'points: no column "{name}".{did_you_mean(name, known)}')
        if list(points.columns).count(name) > 1:
            raise DataError(f'points: more than one column is named "{name}". Rename them.')
    if taken := sorted(RESULTS & {*plan.by, plan.period}):
        raise DataError(f"by and period: rename {', '.join(taken)}; results have such columns.")
    if len({*plan.by, plan.period}) <= len(plan.by):
        raise StudyError("by and period: name each column once.")
    if points.empty:
        raise DataError("points: there are none.")


def _with_segments(ordered: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """A segment begins at the first point on or after each rebase."""
    period = ordered[plan.period]
    begun = np.zeros(len(ordered), dtype=int)
    try:
        for at in plan.rebase:
            is_after = (period >= at).to_numpy(bool)
            if not is_after.any():
                raise StudyError(f"rebase: no point is at {at} or later.")
            begun += is_after
        if plan.freeze and not (period <= plan.freeze[0]).any():
            raise StudyError(f"freeze: no point is at {plan.freeze[0]} or before.")
    except (TypeError, ValueError) as odd:
        raise StudyError(
            f'rebase and freeze: write periods as they are in column "{plan.period}".'
        ) from odd
    if not plan.by:
        return ordered.assign(segment=np.unique(begun, return_inverse=True)[1])
    keyed = ordered.assign(segment=begun).groupby(list(plan.by), observed=True)["segment"]
    return ordered.assign(segment=keyed.rank("dense").to_numpy(int) - 1)
