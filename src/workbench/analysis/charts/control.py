"""Control charts: is a change more than chance?

Below ten points of a segment there are no limits, and no point is a signal; with ten to twelve they
are provisional.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from workbench.analysis.charts import limits
from workbench.analysis.charts.limits import Limits
from workbench.analysis.charts.series import (
    FEWEST,
    PROVISIONAL,
    Plan,
    base_of,
    groups_of,
    read_plan,
)
from workbench.analysis.charts.signals import find_signals, kind_of
from workbench.errors import DataError

LINES = ("centre", "lower", "upper", "lower_2s", "upper_2s")
Compute = Callable[[pd.DataFrame, np.ndarray], Limits]


def xmr(
    points: pd.DataFrame, *, value: str = "value", period: str = "period",
    by: str | Sequence[str] | None = None, direction: str | None = None,
    rebase: Mapping[object, str] | None = None, freeze: tuple[object, str] | None = None,
    trend_points: int = 7, screening: bool = False,
) -> pd.DataFrame:  # fmt: skip
    """Tell special from common causes in a series of values, one at a time (XmR chart).

    Parameters
    ----------
    points
        One row a time (and group): `period` and `value`.
    direction
        What is wanted: "high", "low" or nothing.
    rebase
        Periods at which limits begin anew, each with the reason: {"2022-01": "new form"}.
    freeze
        The period up to which points make the limits, and the reason.
    trend_points
        So many points that rise or fall are a signal: 7, or 6.
    screening
        Leave moving ranges of 3.267 times their mean or more out, once (the NHS package does; the
        NHS workbook does not).

    Returns
    -------
    One row a point, in order: the columns of `by`, `period`, `value`, `segment` (from 0), `centre`,
    `lower`, `upper`, `signal`, `rule`, `kind` ("improvement", "concern", "no direction", "common
    cause"), `is_provisional`. Reasons are in `attrs["reasons"]`, notes in `attrs["notes"]`.

    Raises
    ------
    DataError, StudyError
        Columns or values that cannot be used; two points at one time; a segment without a reason.

    References
    ----------
    Wheeler and Chambers, 1992; NHS England, Making Data Count.
    """
    how = {"by": by, "direction": direction, "rebase": rebase, "freeze": freeze}
    plan = _plan(period, {**how, "trend_points": trend_points, "screening": screening})
    return _of_values(points, plan, value, limits.xmr_limits)


def i_chart(
    points: pd.DataFrame, *, value: str = "value", period: str = "period", **how: Any
) -> pd.DataFrame:
    """As `xmr`, with limits at three times the mean moving range over 1.128 (I chart)."""
    return _of_values(points, _plan(period, how), value, limits.i_limits)


def p_chart(
    points: pd.DataFrame,
    *,
    events: str = "events",
    n: str = "n",
    period: str = "period",
    **how: Any,
) -> pd.DataFrame:
    """Tell special from common causes in shares (P chart); limits follow the number of patients.

    Points without patients are refused. Other parameters, columns and errors as `xmr`; `events` and
    `n` stay in the result, and limits are cut at 0 and 1.
    """
    return _shares(points, events, n, period, how, laney=False, floor=False)


def p_prime(
    points: pd.DataFrame, *, events: str = "events", n: str = "n", period: str = "period",
    floor: bool = False, **how: Any,
) -> pd.DataFrame:  # fmt: skip
    """As `p_chart`, allowing for variation beyond chance when there are many patients (Laney's P').

    `floor` keeps limits from being narrower than those of the P chart.
    """
    return _shares(points, events, n, period, how, laney=True, floor=floor)


def u_chart(
    points: pd.DataFrame, *, events: str = "events", exposure: str = "exposure",
    period: str = "period", **how: Any,
) -> pd.DataFrame:  # fmt: skip
    """Tell special from common causes in rates, events over exposure (U chart)."""
    return _rates(points, events, exposure, period, how, laney=False, floor=False)


def u_prime(
    points: pd.DataFrame, *, events: str = "events", exposure: str = "exposure",
    period: str = "period", floor: bool = False, **how: Any,
) -> pd.DataFrame:  # fmt: skip
    """As `u_chart`, allowing for variation beyond chance (Laney's U')."""
    return _rates(points, events, exposure, period, how, laney=True, floor=floor)


def g_chart(
    points: pd.DataFrame, *, between: str = "between", period: str = "period", **how: Any
) -> pd.DataFrame:
    """Tell special from common causes for rare events, by the cases between them (G chart)."""
    plan = _plan(period, how)

    def compute(rows: pd.DataFrame, base: np.ndarray) -> Limits:
        return limits.g_limits(rows[between].to_numpy(), base)

    return _charted(points, plan, [between], lambda rows: rows[between], compute)


def _of_values(
    points: pd.DataFrame, plan: Plan, value: str, limits_of: Callable[..., Limits]
) -> pd.DataFrame:
    def compute(rows: pd.DataFrame, base: np.ndarray) -> Limits:
        return limits_of(rows[value].to_numpy(), base, screening=plan.screening)

    return _charted(points, plan, [value], lambda rows: rows[value], compute)


def _plan(period: str, how: Mapping[str, Any]) -> Plan:
    usual: dict[str, Any] = {"by": None, "direction": None, "rebase": None, "freeze": None}
    usual |= {"trend_points": 7, "screening": False}
    return read_plan(period=period, **{**usual, **how})


def _shares(
    points: pd.DataFrame, events: str, n: str, period: str, how: Mapping[str, Any], *, laney: bool,
    floor: bool,
) -> pd.DataFrame:  # fmt: skip
    plan = _plan(period, how)

    def compute(rows: pd.DataFrame, base: np.ndarray) -> Limits:
        x, of = rows[events].to_numpy(), rows[n].to_numpy()
        if (of <= 0).any() or (x < 0).any() or (x > of).any():
            raise DataError(
                f"{events}, {n}: each point needs patients, and no more events than these."
            )
        return limits.p_limits(x, of, base, laney=laney, screening=plan.screening, floor=floor)

    return _charted(points, plan, [events, n], lambda rows: rows[events] / rows[n], compute)


def _rates(
    points: pd.DataFrame, events: str, exposure: str, period: str, how: Mapping[str, Any], *,
    laney: bool, floor: bool,
) -> pd.DataFrame:  # fmt: skip
    plan = _plan(period, how)

    def compute(rows: pd.DataFrame, base: np.ndarray) -> Limits:
        x, of = rows[events].to_numpy(), rows[exposure].to_numpy()
        if (of <= 0).any() or (x < 0).any():
            raise DataError(
                f"{events}, {exposure}: each point needs exposure, and events of 0 or more."
            )
        return limits.u_limits(x, of, base, laney=laney, screening=plan.screening, floor=floor)

    return _charted(
        points, plan, [events, exposure], lambda rows: rows[events] / rows[exposure], compute
    )


def _charted(
    points: pd.DataFrame, plan: Plan, columns: list[str],
    value_of: Callable[[pd.DataFrame], pd.Series], compute: Compute,
) -> pd.DataFrame:  # fmt: skip
    parts, notes = [], set()
    for labels, rows in groups_of(points, plan, columns):
        for _, segment in rows.groupby("segment"):
            part, note = _segment(segment.reset_index(drop=True), plan, value_of, compute)
            parts.append(part.assign(**labels))
            notes.add(note)
    whole = pd.concat(parts, ignore_index=True)
    first = list(
        dict.fromkeys([*plan.by, plan.period, *[c for c in columns if c in whole], "value"])
    )
    found = whole[[*first, *(one for one in whole.columns if one not in first)]]
    reasons = {str(at): reason for at, reason in plan.rebase.items()}
    if plan.freeze:
        reasons[f"limits from points up to {plan.freeze[0]}"] = plan.freeze[1]
    found.attrs |= {"reasons": reasons, "notes": sorted(notes - {""})}
    return found


def _segment(
    rows: pd.DataFrame, plan: Plan, value_of: Callable[[pd.DataFrame], pd.Series], compute: Compute
) -> tuple[pd.DataFrame, str]:
    base, value = base_of(rows, plan), value_of(rows).to_numpy(float)
    found = rows.assign(value=value)
    n_base = int(base.sum())
    if n_base < FEWEST:
        nothing = dict.fromkeys(LINES, np.nan)
        told = {"signal": False, "rule": "", "kind": "common cause", "is_provisional": False}
        compute(rows, base)  # what cannot be is refused all the same
        return found.assign(**nothing, **told), f"Under {FEWEST} points there are no limits."
    bounds = compute(rows, base)
    rule, way = find_signals(value, bounds, trend_points=plan.trend_points)
    is_flat = bool((bounds.upper == bounds.lower).all())
    if is_flat:  # no variation: limits of no width make no signal
        rule, way = np.full(len(value), "", dtype=object), np.zeros(len(value), dtype=int)
    told = {"signal": rule != "", "rule": rule, "kind": kind_of(way, plan.direction)}
    columns = {**{name: getattr(bounds, name) for name in LINES}, **told}
    note = f"With under {PROVISIONAL} points limits are provisional."
    if is_flat:
        note = "Values do not vary, so that limits have no width."
    elif n_base >= PROVISIONAL:
        note = ""
    return found.assign(**columns, is_provisional=n_base < PROVISIONAL), note
