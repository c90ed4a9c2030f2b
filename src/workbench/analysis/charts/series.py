"""Points in time, read and put in order, in segments that have limits of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.analysis import inputs
from workbench.errors import DataError, StudyError

FEWEST, PROVISIONAL = 10, 13  # points of a segment: below, no limits; below, provisional ones


@dataclass(frozen=True)
class Plan:
    """How a chart is read: columns, direction, segments.

    `rebase` gives the periods at which limits begin anew, `freeze` the period up to which points
    make the limits, each with its reason.
    """

    period: str
    by: tuple[str, ...]
    direction: str | None
    rebase: Mapping[object, str]
    freeze: tuple[object, str] | None
    trend_points: int
    screening: bool


def read_plan(
    *, period: str, by: str | Sequence[str] | None, direction: str | None,
    rebase: Mapping[object, str] | None, freeze: tuple[object, str] | None, trend_points: int,
    screening: bool,
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
    reasons = [*(rebase or {}).values(), *([freeze[1]] if freeze else [])]
    if any(not str(reason).strip() for reason in reasons):
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
    """The points of each group in order of time, with their segment.

    Raises
    ------
    DataError
        Columns that are not there; no point; values that are missing or no numbers; two points of
        a group at one time.
    """
    names = [*plan.by, plan.period, *columns]
    inputs.check_frame(points, names)
    inputs.check_groups(points, list(plan.by))
    if points.empty:
        raise DataError("points: there are none.")
    read = points[names].reset_index(drop=True)
    for name in columns:
        values = pd.to_numeric(read[name], errors="coerce").to_numpy(float, na_value=np.nan)
        if n_odd := int((~np.isfinite(values)).sum()):
            raise DataError(f'column "{name}": missing or no number in {n_odd} points.')
        read[name] = values
    keys = [*plan.by, plan.period]
    if n_double := int(read.duplicated(keys).sum()):
        raise DataError(f'column "{plan.period}": {n_double} points stand where another does.')
    ordered = read.sort_values(keys, ignore_index=True)
    grouped = (
        ordered.groupby(list(plan.by), observed=True, sort=True) if plan.by else [((), ordered)]
    )
    for key, rows in grouped:
        rows = rows.reset_index(drop=True)
        starts = rows[plan.period].isin(list(plan.rebase))
        yield dict(zip(plan.by, key, strict=True)), rows.assign(segment=starts.cumsum().astype(int))


def base_of(rows: pd.DataFrame, plan: Plan) -> np.ndarray:
    """Which points of a segment make its limits: all, or those up to where it is frozen."""
    if plan.freeze is None:
        return np.ones(len(rows), dtype=bool)
    is_base = (rows[plan.period] <= plan.freeze[0]).to_numpy()
    # a segment that begins after the freeze has limits of its own points
    return is_base if is_base.any() else np.ones(len(rows), dtype=bool)
