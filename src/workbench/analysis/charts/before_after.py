"""An improvement project: the chart with its change, and before against after with an interval.

A difference after a change is not yet its effect. So that nobody reads too much into it, the words
say what was already under way, how few points there are, and that nothing was compared with others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from workbench.analysis.charts.control import p_prime
from workbench.analysis.charts.series import FEWEST, PROVISIONAL, check_counts, groups_of, read_plan
from workbench.analysis.charts.trend import FEWEST_YEARS, trend_test
from workbench.analysis.units.counted import check_level
from workbench.analysis.units.intervals import wilson_limits
from workbench.errors import StudyError

EXCESS = 1.2  # widening from which it is worth a word
ALREADY = 0.05  # p value below which a trend before the change counts as one
NO_PROOF = (
    "A difference after a change is not proof of its cause: other things changed too, and nothing "
    "is compared here with units that did not change."
)
TREND_BEFORE = "Numbers moved the same way before the change; some of the difference may be that."
FEW_POINTS = "There are under {n} points on one side, too few for limits."
SOME_POINTS = "There are under {n} points on one side, so that limits are provisional."
WIDENED = "Points vary more than chance makes of it; the interval is widened for that."
NOT_DECIDED = "The interval holds no difference: it is not decided whether anything changed."


@dataclass(frozen=True)
class BeforeAfter:
    """The chart and what it says.

    `chart`: one row a point, as `p_prime` gives it, limits beginning anew at the change.

    `table`: one row a group: the columns of `by`, `n_points_before`, `n_before`, `events_before`,
    `share_before`, the same after, `estimate` (after less before), `lower`, `upper`, `p_value`,
    `widening` (1: none), `trend_before_p_value`, `first_signal` (first period from the change on
    that breaks a rule by the limits of before; missing where none does), `kind` ("improvement",
    "worsening", "a change", "not decided"), `words`.
    """

    chart: pd.DataFrame
    table: pd.DataFrame


def before_after(
    points: pd.DataFrame, *, at: object, because: str, events: str = "events", n: str = "n",
    period: str = "period", by: str | Sequence[str] | None = None, direction: str | None = None,
    confidence: float = 0.95,
) -> BeforeAfter:  # fmt: skip
    """Set what was before a change against what came after, on a chart and with an interval.

    Parameters
    ----------
    points
        One row a time (and group) with `events` and `n`.
    at
        The first period of the new way of working, as the column `period` writes it. Choose it by
        the calendar of the project and never by looking at the chart.
    because
        What was changed; it stands on the chart.
    direction
        What is wanted: "high", "low" or nothing.

    Returns
    -------
    A `BeforeAfter`. The interval of the difference of the pooled shares is Newcombe's; where points
    of one side vary more than chance makes of it, at numbers divided by that excess (Pearson's
    statistic over its degrees of freedom, never below 1).

    Raises
    ------
    DataError, StudyError
        As `p_chart`; no point on one of the sides.

    References
    ----------
    Newcombe, Stat Med 1998;17:873-890, method 10; McCullagh and Nelder, Generalized Linear Models,
    1989, section 4.5 (excess variation); Provost and Murray, The Health Care Data Guide, 2011
    (limits frozen before a change).
    """
    tail = check_level(confidence)
    how: dict[str, Any] = {
        "events": events,
        "n": n,
        "period": period,
        "by": by,
        "direction": direction,
    }
    chart = p_prime(points, **how, rebase={at: because}, floor=True)
    plan = read_plan(period=period, by=by, direction=direction, rebase={at: because})
    rows = []
    for labels, group in groups_of(points, plan, [events, n]):
        for name in (events, n):
            check_counts(group[name])
        is_after = (group[period] >= at).to_numpy(bool)
        if is_after.all() or not is_after.any():
            raise StudyError(f"at: every group needs points before {at}, and from then on.")
        told = _compare(group[events].to_numpy(), group[n].to_numpy(), is_after, tail)
        told["trend_before_p_value"] = _trend(group[~is_after], events, n, told["estimate"])
        told["first_signal"] = _first_signal(group, is_after, how | {"by": None})
        kind = _kind(told, direction)
        rows.append(labels | told | {"kind": kind, "words": _words(told, at, because)})
    return BeforeAfter(chart, pd.DataFrame(rows))


def _compare(x: np.ndarray, n: np.ndarray, is_after: np.ndarray, tail: float) -> dict[str, Any]:
    told: dict[str, Any] = {}
    spread, freedom = 0.0, 0
    for side, who in (("before", ~is_after), ("after", is_after)):
        total, of = float(x[who].sum()), float(n[who].sum())
        share = total / of
        told |= {f"n_points_{side}": int(who.sum()), f"n_{side}": int(of)}
        told |= {f"events_{side}": int(total), f"share_{side}": share}
        if 0 < share < 1:
            spread += float(((x[who] - n[who] * share) ** 2 / (n[who] * share * (1 - share))).sum())
            freedom += int(who.sum()) - 1
    widening = max(1.0, spread / freedom) if freedom else 1.0
    told |= _difference(told, widening, tail)
    return told | {"widening": widening}


def _difference(told: dict[str, Any], widening: float, tail: float) -> dict[str, Any]:
    """After less before by Newcombe's limits, at numbers that the widening makes smaller."""
    x = np.array([told["events_before"], told["events_after"]], float) / widening
    n = np.array([told["n_before"], told["n_after"]], float) / widening
    before, after = x / n
    lower, upper = wilson_limits(x, n, tail)
    apart, both = after - before, x.sum() / n.sum()
    error = np.sqrt(both * (1 - both) * (1 / n).sum())
    return {
        "estimate": float(apart),
        "lower": float(apart - np.hypot(after - lower[1], upper[0] - before)),
        "upper": float(apart + np.hypot(upper[1] - after, before - lower[0])),
        "p_value": float(2 * stats.norm.sf(abs(apart) / error)) if error > 0 else 1.0,
    }


def _trend(rows: pd.DataFrame, events: str, n: str, estimate: float) -> float:
    """The p value of a trend before the change that goes the same way; missing where none does."""
    if len(rows) < FEWEST_YEARS:
        return np.nan
    time = np.arange(len(rows), dtype=float)
    z, _, p_value = trend_test(rows[events].to_numpy(), rows[n].to_numpy(), time)
    return p_value if z * estimate > 0 else np.nan


def _first_signal(group: pd.DataFrame, is_after: np.ndarray, how: dict[str, Any]) -> object:
    """The first point from the change on that breaks a rule by the limits of before."""
    if (~is_after).sum() < FEWEST:
        return None
    period = str(how["period"])
    last = group.loc[~is_after, period].iloc[-1]
    frozen = p_prime(group.drop(columns="segment"), **how, floor=True,
                     freeze=(last, "before the change"))  # fmt: skip
    found = frozen.loc[is_after & frozen["signal"].to_numpy(bool), period]
    return found.iloc[0] if len(found) else None


def _kind(told: dict[str, Any], direction: str | None) -> str:
    lower, upper = told["lower"], told["upper"]
    if lower <= 0 <= upper:
        return "not decided"
    if direction is None:
        return "a change"
    is_up = lower > 0
    return "improvement" if is_up == (direction == "high") else "worsening"


def _words(told: dict[str, Any], at: object, because: str) -> str:
    """What may be said, and what may not."""
    first = (
        f"{because} ({at}): from {_percent(told, 'share_before')} before to "
        f"{_percent(told, 'share_after')} after, a difference of {_points(told, 'estimate')} "
        f"percentage points (interval {_points(told, 'lower')} to {_points(told, 'upper')})."
    )
    fewest = min(told[f"n_points_{side}"] for side in ("before", "after"))
    says = [
        (NOT_DECIDED, told["lower"] <= 0 <= told["upper"]),
        (TREND_BEFORE, told["trend_before_p_value"] < ALREADY),
        (WIDENED, told["widening"] > EXCESS),
        (FEW_POINTS.format(n=FEWEST), fewest < FEWEST),
        (SOME_POINTS.format(n=PROVISIONAL), FEWEST <= fewest < PROVISIONAL),
    ]
    return " ".join([first, *(words for words, is_so in says if is_so), NO_PROOF])


def _percent(told: dict[str, Any], name: str) -> str:
    return f"{_points(told, name)} %"


def _points(told: dict[str, Any], name: str) -> str:
    return f"{100 * told[name]:.1f}".replace("-", "−")
