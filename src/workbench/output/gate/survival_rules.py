"""The rule for survival curves and the numbers at risk beneath them.

A curve shows a number at risk at every step. Two neighbouring ones subtract to those who left in
between, and the numbers at risk at whole years subtract from both. So everything that is shown is
computed from one coarsened follow-up, which is itself safe to publish, and from nothing else:

1. Times are rounded to the profile's significant digits.
2. In each group the events, in order of time, are gathered into batches of at least `threshold`
   and all counted at the time of their middle one; what is left over joins the last batch. The
   censored are gathered in the same way, by themselves. (OpenSAFELY's Kaplan-Meier action too
   takes events and censorings in steps of 6 or more, each by itself, and recomputes survival.)
3. Curve, interval and numbers at risk are the ordinary estimates on these batches. Every number,
   and every difference of two, is a sum of batches: 0 or at least the threshold.
4. A group with fewer than `threshold` persons, or 1 to threshold - 1 events or censored in all,
   is left out. Its total could follow from everyone's, so those left out must together have 0 or
   at least the threshold of persons, events and censored; otherwise the smallest group that
   remains goes too.

Since a batch is closed as soon as it may be, any single time in it can have held any small number.
The price: some are counted a little early and some a little late. The note on a curve says how far
it lies from the exact one at most. Curves with delayed entry, weights or chosen times (`times=`)
are not judged yet and are refused.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from workbench.analysis import survival
from workbench.errors import DisclosureError
from workbench.output.gate.curve_batches import Groups, batches_of, by_group, groups_left_out
from workbench.output.gate.judgement import (
    Judgement,
    hidden_only,
    nothing_hidden,
    rounded,
    whole_counts,
)
from workbench.registers.profiles import ReleaseProfile

COUNTS = ["at_risk", "events", "censored"]
LEAVING = {"events": 1, "censored": 0}  # column -> whether those counted in it have the event
ESTIMATES = ["estimate", "std_error", "lower", "upper"]
CURVE = ["time", *COUNTS, *ESTIMATES]
AT_RISK = ["time", *COUNTS]
QUANTILES = ["q", "estimate", "lower", "upper"]
TOO_FEW = "groups with too few persons, events or censored"


def judge_curve(
    curve: pd.DataFrame, policy: ReleaseProfile, *, at_risk: pd.DataFrame | None = None
) -> Judgement:
    """Coarsen a curve's follow-up until it is safe; the rule stands in the module's docstring."""
    by = [column for column in curve.columns if column not in CURVE]
    groups = _groups(curve, by)
    ticks = _ticks(groups, at_risk, by)
    left_out = groups_left_out(_numbers_of(groups), policy.threshold)
    shown = {key: rows for key, rows in groups.items() if key not in left_out}
    if not shown:
        raise DisclosureError(
            "No group of the curve has enough persons, events and censored to be shown under "
            f'profile "{policy.name}" (at least {policy.threshold} of each, or none). Join groups, '
            "or follow up for longer."
        )
    batches = batches_of(shown, by, LEAVING, policy)
    interval, confidence = _interval_of(curve)
    coarse = survival.kaplan_meier(
        batches,
        duration="time",
        event="event",
        by=by or None,
        weight="n",
        interval=interval,
        confidence=confidence,
    )
    safe = rounded(coarse[[*by, *CURVE]], ESTIMATES, decimals=policy.decimals)
    safe = safe.astype(dict.fromkeys(COUNTS, "int64"))
    n_times = sum(len(rows) for rows in shown.values())
    counts = {TOO_FEW: len(left_out), "times gathered into batches": n_times - len(safe)}
    distance = _distance(safe, shown, by, until=max(ticks) if len(ticks) > 1 else math.inf)
    notes = _notes(policy, left_out, distance)
    facts = {"by": tuple(by), "distance": distance, **_totals(groups, left_out)}
    numbers = _numbers_at(batches, ticks, by)
    return Judgement(
        "survival_curve",
        safe,
        nothing_hidden(safe),
        hidden_only(counts),
        notes,
        facts,
        {"at_risk": Judgement("number_at_risk", numbers, nothing_hidden(numbers), {}, (), facts)},
    )


def judge_quantiles(
    curve: pd.DataFrame, by: Sequence[str], q: Sequence[float], *, distance: float
) -> Judgement:
    """Read quantiles off the shown steps: nothing is told that the curve did not tell.

    Where a curve is flat, a small distance in survival is a long one in time. The exact quantile
    lies from `earliest` to `latest`: where the curve, moved by its own distance from the exact
    one, crosses.
    """
    rows = []
    for key, steps in by_group(curve, list(by)).items():
        for share in q:
            row = {**dict(zip(by, key, strict=True)), "q": share}
            for column in ("estimate", "lower", "upper"):
                reached = steps.loc[steps[column] <= 1 - share + 1e-12, "time"]
                row[column] = reached.iloc[0] if len(reached) else np.nan
            for column, moved in (("earliest", distance), ("latest", -distance)):
                reached = steps.loc[steps["estimate"] <= 1 - share + moved + 1e-12, "time"]
                row[column] = reached.iloc[0] if len(reached) else np.nan
            rows.append(row)
    safe = pd.DataFrame(rows, columns=[*by, *QUANTILES, "earliest", "latest"])
    note = (
        "The released curve differs a little from the exact one; the exact value lies from the "
        "earliest to the latest time given, after the last shown time where there is none."
    )
    return Judgement("quantiles", safe, nothing_hidden(safe), {}, (note,), {"by": tuple(by)})


def judge_survival_at(
    curve: pd.DataFrame, by: Sequence[str], times: Sequence[float], *, start: float = 1.0
) -> Judgement:
    """Read the curve at given times off the shown steps: nothing is told that they did not tell."""
    columns, rows = ["estimate", "lower", "upper"], []
    for key, steps in by_group(curve, list(by)).items():
        for time in times:
            until = steps[steps["time"] <= time]
            row = {**dict(zip(by, key, strict=True)), "time": time}
            if time > steps["time"].iloc[-1]:
                row |= dict.fromkeys(columns, np.nan)
            else:
                row |= (
                    until[columns].iloc[-1].to_dict()
                    if len(until)
                    else dict.fromkeys(columns, start)
                )
            rows.append(row)
    safe = pd.DataFrame(rows, columns=[*by, "time", *columns])
    note = "Read off the released curve: its last shown step until each time."
    return Judgement("survival_at", safe, nothing_hidden(safe), {}, (note,), {"by": tuple(by)})


def _groups(curve: pd.DataFrame, by: list[str]) -> Groups:
    """Rows per group, checked to be a plain curve in which everyone leaves exactly once."""
    if curve.empty or curve[[*by, "time"]].isna().any(axis=None):
        raise DisclosureError("The curve is empty, or lacks a group or a time; nothing to judge.")
    curve = curve.copy()
    for column in COUNTS:
        curve[column] = whole_counts(curve[column], what=f"the curve's {column}")
    groups = by_group(curve, by)
    for rows in groups.values():
        if not rows["estimate"].is_monotonic_decreasing:
            raise DisclosureError("The gate cannot judge a curve that rises; it knows survival.")
        left = rows["at_risk"] - rows["events"] - rows["censored"]
        adds_up = left.eq(rows["at_risk"].shift(-1, fill_value=0)).all()
        if not adds_up or not (rows["time"].is_monotonic_increasing and rows["time"].is_unique):
            raise DisclosureError(
                "The curve's numbers at risk do not follow from its events and censored. Curves "
                "with delayed entry or at chosen times are not judged yet: release the curve as "
                "made without `times`, and pass the times as at_risk=survival.number_at_risk(...)."
            )
    return groups


def judge_restricted_mean(curve: pd.DataFrame, by: Sequence[str], horizon: float) -> Judgement:
    """The area under the shown steps until a time: made from the batches that the curve shows."""
    parts = [
        curve[[*by, "time"]].assign(event=code, n=curve[column]) for column, code in LEAVING.items()
    ]
    batches = pd.concat(parts, ignore_index=True)
    found = survival.restricted_mean(
        batches[batches["n"] > 0],
        duration="time",
        event="event",
        by=list(by) or None,
        weight="n",
        horizon=horizon,
    )
    columns = ["estimate", "std_error", "lower", "upper"]
    safe = rounded(found[[*by, *columns]], columns, decimals=3)
    note = f"The area under the released curve from 0 to {horizon:g}."
    return Judgement("restricted_mean", safe, nothing_hidden(safe), {}, (note,), {"by": tuple(by)})


def _numbers_of(groups: Groups) -> dict[tuple[object, ...], tuple[int, ...]]:
    """Of each group: persons, events, censored."""
    return {
        key: (int(rows["at_risk"].iloc[0]), int(rows["events"].sum()), int(rows["censored"].sum()))
        for key, rows in groups.items()
    }


def _ticks(groups: Groups, at_risk: pd.DataFrame | None, by: list[str]) -> list[float]:
    """The times asked for, with 0; refuses numbers at risk that are not the curve's own."""
    if at_risk is None:
        return [0]
    if at_risk.columns.tolist() != [*by, *AT_RISK]:
        raise DisclosureError(
            "at_risk: expected the frame of survival.number_at_risk, grouped as the curve."
        )
    asked = by_group(at_risk, by)
    same = asked.keys() == groups.keys() and all(
        rows["at_risk"].tolist()
        == [_at_risk_at(groups[key], time) for time in rows["time"].tolist()]
        for key, rows in asked.items()
    )
    if not same:
        raise DisclosureError("at_risk: these are not the numbers of the persons in the curve.")
    return sorted({0, *at_risk["time"].tolist()})


def _at_risk_at(rows: pd.DataFrame, time: float) -> int:
    later = rows.loc[rows["time"] >= time, "at_risk"]
    return int(later.iloc[0]) if len(later) else 0


def _numbers_at(batches: pd.DataFrame, ticks: Sequence[float], by: list[str]) -> pd.DataFrame:
    """At risk, events and censored just before each time, counted in the same batches."""
    rows = []
    for key, inside in by_group(batches, by).items():
        for tick in ticks:
            earlier = inside[inside["time"] < tick]
            events = int(earlier.loc[earlier["event"] == 1, "n"].sum())
            censored = int(earlier["n"].sum()) - events
            at_risk = int(inside["n"].sum()) - events - censored
            named = dict(zip(by, key, strict=True))
            rows.append({**named, "time": tick, "at_risk": at_risk, "events": events})
            rows[-1]["censored"] = censored
    numbers = pd.DataFrame(rows, columns=[*by, *AT_RISK])
    return numbers.astype({column: batches[column].dtype for column in by})


def _interval_of(curve: pd.DataFrame) -> tuple[str, float]:
    """Scale and confidence of the curve's interval, found from its own numbers."""
    inside = curve[(curve["lower"] > 0) & (curve["upper"] < 1) & (curve["std_error"] > 0)]
    inside = inside[inside["estimate"] < 1].astype(dict.fromkeys(ESTIMATES, float))
    s, error, lower = inside["estimate"], inside["std_error"], inside["lower"]
    if inside.empty:
        return "log-log", 0.95
    distances = {
        "log-log": (np.log(-np.log(lower)) - np.log(-np.log(s))) * s * -np.log(s) / error,
        "log": np.log(s / lower) * s / error,
        "plain": (s - lower) / error,
    }
    interval = min(distances, key=lambda name: np.ptp(distances[name].to_numpy()))
    z = distances[interval]
    if np.ptp(z.to_numpy()) > 1e-6:
        raise DisclosureError(
            "The gate cannot tell how the curve's interval was made. Release the curve as "
            "survival.kaplan_meier gives it, before any rounding."
        )
    return interval, round(float(2 * stats.norm.cdf(z.median()) - 1), 6)


def _distance(safe: pd.DataFrame, groups: Groups, by: list[str], *, until: float) -> float:
    """How far the shown curve lies from the exact one up to a time, rounded up to whole percent."""
    largest = 0.0
    for key, steps in by_group(safe, by).items():
        exact = groups[key][groups[key]["time"] <= until]
        place = np.searchsorted(steps["time"].to_numpy(), exact["time"].to_numpy(), side="right")
        shown = np.append(1.0, steps["estimate"].to_numpy())[place]
        apart = np.abs(shown - exact["estimate"].to_numpy(float))
        largest = max(largest, float(apart.max(initial=0.0)))
    return math.ceil(round(largest * 100, 6)) / 100


def _totals(groups: Groups, left_out: Sequence[object]) -> dict[str, int | None]:
    """Everyone's persons and events; hidden where a group was left out."""
    if left_out:
        return {"n": None, "events": None}
    return {
        "n": sum(int(rows["at_risk"].iloc[0]) for rows in groups.values()),
        "events": sum(int(rows["events"].sum()) for rows in groups.values()),
    }


def _notes(
    policy: ReleaseProfile, left_out: Sequence[tuple[object, ...]], distance: float
) -> tuple[str, ...]:
    notes = [
        f"Events and censored persons are counted in batches of at least {policy.threshold}; no "
        f"curve lies further than {100 * distance:.0f} percentage points from the exact one in the "
        "range shown."
    ]
    if left_out:
        names = "; ".join(" ".join(str(part) for part in key) for key in left_out)
        notes.append(f"Not shown, so that no small number can be worked out: {names}.")
    return tuple(notes)
