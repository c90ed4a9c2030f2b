"""The rule for survival curves and the numbers at risk beneath them.

A curve shows a number at risk at every step, so that two neighbouring steps subtract to those who
left in between, and the numbers at risk at whole years subtract from both. Curve and numbers at
risk are therefore judged together, on one partition of time, per group:

1. The times asked for (0 always) cut the follow-up into segments. Neighbouring segments are
   merged until the events and the censored of each are 0 or at least the threshold. Only times
   that are still a cut keep their numbers; the others are hidden. All numbers are those just
   before the time: at risk + events + censored is the whole group.
2. Within a segment, times are merged into steps of at least `threshold` events and 0 or at least
   `threshold` censored; what is left over joins the step before.
3. An event with fewer than `threshold` persons at risk makes a jump that tells how many they
   were. The curve ends before: the end that is not shown has itself 0 or at least the threshold
   of events and of censored, so that totals published elsewhere subtract to nothing small.
4. A group without such a partition (fewer than `threshold` persons, or 1 to threshold - 1 events
   or censored in all) is left out. Its total could follow from everyone's, so those left out must
   together have 0 or at least the threshold of persons, events and censored; otherwise the
   smallest group that remains goes too.

A step's `time` and estimates are those of its last event; `at_risk` is when the step begins,
`events` and `censored` are all until the next begins: at_risk - events - censored is the next
at_risk. Estimates are exact at their time, rounded to the profile's decimals. Delayed entry,
weights and curves at chosen times (`times=`) are not judged yet and are refused.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from workbench.errors import DisclosureError
from workbench.output.judgement import (
    Judgement,
    are_safe,
    hidden_only,
    nothing_hidden,
    rounded,
    safe_spans,
    take_out,
    whole_counts,
)
from workbench.registers.profiles import ReleaseProfile

COUNTS = ["at_risk", "events", "censored"]
ESTIMATES = ["estimate", "std_error", "lower", "upper"]
CURVE = ["time", *COUNTS, *ESTIMATES]
AT_RISK = ["time", *COUNTS]
QUANTILES = ["q", "estimate", "lower", "upper"]
TOO_FEW = "groups with too few persons or events"


def judge_curve(
    curve: pd.DataFrame, policy: ReleaseProfile, *, at_risk: pd.DataFrame | None = None
) -> Judgement:
    """Merge a curve's times into safe steps; the rule stands in the module's docstring."""
    by = [column for column in curve.columns if column not in CURVE]
    groups = _groups(curve, by)
    ticks = _ticks(groups, at_risk, by)
    left_out = _groups_left_out(groups, policy.threshold)
    shown = {key: rows for key, rows in groups.items() if key not in left_out}
    if not shown:
        raise DisclosureError(
            "No group of the curve has enough persons, events and censored to be shown under "
            f'profile "{policy.name}" (at least {policy.threshold} of each, or none). Join groups, '
            "or follow up for longer."
        )
    parts, numbers, n_tail = [], [], 0
    for key, rows in shown.items():
        cuts = _safe_cuts(rows, ticks, policy.threshold)
        spans, tail = _steps(rows, cuts, policy.threshold)
        n_tail += int(rows["events"].iloc[tail:].sum() > 0)
        parts.append(_merged(rows, spans, tail, dict(zip(by, key, strict=True))))
        numbers.append(_numbers_at(rows, ticks, cuts, dict(zip(by, key, strict=True))))
    safe = rounded(pd.concat(parts, ignore_index=True), ESTIMATES, decimals=policy.decimals)
    falls = all(rows["estimate"].is_monotonic_decreasing for rows in groups.values())
    counts = hidden_only(
        {
            TOO_FEW: len(left_out),
            "times of events merged into steps": sum(
                int((rows["events"] > 0).sum()) for rows in shown.values()
            )
            - len(safe),
            "ends of curves with few at risk": n_tail,
        }
    )
    return Judgement(
        "survival_curve" if falls else "cumulative_hazard",
        safe[curve.columns.tolist()],
        nothing_hidden(safe[curve.columns.tolist()]),
        counts,
        _notes(policy, left_out, n_tail),
        {"by": tuple(by), **_totals(groups, left_out)},
        {"at_risk": _judged_numbers(numbers, by)},
    )


def judge_quantiles(curve: pd.DataFrame, by: Sequence[str], q: Sequence[float]) -> Judgement:
    """Read quantiles off the shown steps: nothing is told that the curve did not tell."""
    rows = []
    for key, steps in _by_group(curve, list(by)).items():
        for share in q:
            row = {**dict(zip(by, key, strict=True)), "q": share}
            for column in ("estimate", "lower", "upper"):
                reached = steps.loc[steps[column] <= 1 - share + 1e-12, "time"]
                row[column] = reached.iloc[0] if len(reached) else np.nan
            rows.append(row)
    safe = pd.DataFrame(rows, columns=[*by, *QUANTILES])
    note = "Read off the released curve: the first shown step at or below the share."
    return Judgement("quantiles", safe, nothing_hidden(safe), {}, (note,), {"by": tuple(by)})


def _by_group(frame: pd.DataFrame, by: list[str]) -> dict[tuple[object, ...], pd.DataFrame]:
    if not by:
        return {(): frame.reset_index(drop=True)}
    grouped = frame.groupby(by, observed=True, sort=False)
    return {key: rows.reset_index(drop=True) for key, rows in grouped}


def _groups(curve: pd.DataFrame, by: list[str]) -> dict[tuple[object, ...], pd.DataFrame]:
    """Rows per group, checked to be a plain curve in which everyone leaves exactly once."""
    if curve.empty or curve[[*by, "time"]].isna().any(axis=None):
        raise DisclosureError("The curve is empty, or lacks a group or a time; nothing to judge.")
    curve = curve.copy()
    for column in COUNTS:
        curve[column] = whole_counts(curve[column], what=f"the curve's {column}")
    groups = _by_group(curve, by)
    for rows in groups.values():
        left = rows["at_risk"] - rows["events"] - rows["censored"]
        adds_up = left.eq(rows["at_risk"].shift(-1, fill_value=0)).all()
        if not adds_up or not rows["time"].is_monotonic_increasing or rows["time"].duplicated().any():
            raise DisclosureError(
                "The curve's numbers at risk do not follow from its events and censored. Curves "
                "with delayed entry or at chosen times are not judged yet: release the curve as "
                "made without `times`, and pass the times as at_risk=survival.number_at_risk(...)."
            )
    return groups


def _ticks(
    groups: dict[tuple[object, ...], pd.DataFrame], at_risk: pd.DataFrame | None, by: list[str]
) -> list[float]:
    """The times asked for, with 0; refuses numbers at risk that are not the curve's own."""
    if at_risk is None:
        return [0]
    if at_risk.columns.tolist() != [*by, *AT_RISK]:
        raise DisclosureError(
            "at_risk: expected the frame of survival.number_at_risk, grouped as the curve."
        )
    asked = _by_group(at_risk, by)
    same = asked.keys() == groups.keys() and all(
        rows["at_risk"].tolist()
        == [_before(groups[key], time)["at_risk"] for time in rows["time"].tolist()]
        for key, rows in asked.items()
    )
    if not same:
        raise DisclosureError("at_risk: these are not the numbers of the persons in the curve.")
    return sorted({0, *at_risk["time"].tolist()})


def _before(rows: pd.DataFrame, time: float) -> dict[str, int]:
    """At risk, events and censored just before a time."""
    earlier = rows[rows["time"] < time]
    events, censored = int(earlier["events"].sum()), int(earlier["censored"].sum())
    at_risk = int(rows["at_risk"].iloc[0]) - events - censored
    return {"at_risk": at_risk, "events": events, "censored": censored}


def _groups_left_out(
    groups: dict[tuple[object, ...], pd.DataFrame], threshold: int
) -> list[tuple[object, ...]]:
    """Groups that cannot be shown, and as many more as keep their sum from being small."""
    totals = {
        key: (int(rows["at_risk"].iloc[0]), int(rows["events"].sum()), int(rows["censored"].sum()))
        for key, rows in groups.items()
    }
    left_out = [
        key
        for key, counts in totals.items()
        if not are_safe(*counts, threshold=threshold) or counts[1] == 0
    ]
    remaining = sorted((key for key in totals if key not in left_out), key=lambda key: totals[key])

    def together() -> list[int]:
        return [sum(totals[key][i] for key in left_out) for i in range(3)]

    while left_out and remaining and not are_safe(*together(), threshold=threshold):
        left_out.append(remaining.pop(0))
    return left_out


def _safe_cuts(rows: pd.DataFrame, ticks: Sequence[float], threshold: int) -> list[int]:
    """Row positions where a segment begins or ends, such that every segment is safe."""
    time = rows["time"].to_numpy()
    cuts = sorted({0, len(rows), *(int((time < tick).sum()) for tick in ticks)})
    sums = [
        [int(rows[column].iloc[a:b].sum()) for a, b in zip(cuts, cuts[1:], strict=False)]
        for column in ("events", "censored")
    ]
    spans = safe_spans(*sums, threshold=threshold)
    return [0, *(cuts[end] for _, end in spans)]


def _steps(
    rows: pd.DataFrame, cuts: Sequence[int], threshold: int
) -> tuple[list[tuple[int, int]], int]:
    """Spans of rows that make one shown step each, and where the end that is not shown begins."""
    tail = _tail(rows, cuts, threshold)
    edges = [*(cut for cut in cuts if cut < tail), tail]
    steps = []
    for first, end in zip(edges, edges[1:], strict=False):
        inside = rows.iloc[first:end]
        if inside["events"].sum() == 0:
            continue
        columns = inside["events"].tolist(), inside["censored"].tolist()
        spans = safe_spans(*columns, threshold=threshold, at_least=threshold)
        steps += [(first + a, first + b) for a, b in spans]
    return steps, tail


def _tail(rows: pd.DataFrame, cuts: Sequence[int], threshold: int) -> int:
    """Where the curve must end, so that both what is shown and the rest are safe."""
    too_few = ((rows["events"] > 0) & (rows["at_risk"] < threshold)).to_numpy()
    if not too_few.any():
        return len(rows)
    first_bad = int(np.argmax(too_few))
    begin = max(cut for cut in cuts if cut <= first_bad)
    for start in range(first_bad, begin, -1):
        sums = [
            int(part[column].sum())
            for part in (rows.iloc[begin:start], rows.iloc[start:])
            for column in ("events", "censored")
        ]
        if are_safe(*sums, threshold=threshold):
            return start
    return begin


def _merged(
    rows: pd.DataFrame, spans: Sequence[tuple[int, int]], tail: int, group: dict[str, object]
) -> pd.DataFrame:
    """One row a step."""
    steps = []
    starts = [first for first, _ in spans]
    for (first, end), following in zip(spans, [*starts[1:], tail], strict=True):
        inside = rows.iloc[first:end]
        last = inside[inside["events"] > 0].iloc[-1]
        step = {**group, "time": last["time"], "at_risk": int(inside["at_risk"].iloc[0])}
        step["events"] = int(inside["events"].sum())
        # Those censored before the next step begins belong to this one, so that it adds up.
        step["censored"] = int(rows["censored"].iloc[first:following].sum())
        steps.append({**step, **{column: last[column] for column in ESTIMATES}})
    return pd.DataFrame(steps, columns=[*group, *CURVE])


def _numbers_at(
    rows: pd.DataFrame, ticks: Sequence[float], cuts: Sequence[int], group: dict[str, object]
) -> pd.DataFrame:
    """The numbers just before each time; `is_cut` tells whether they may be shown."""
    time = rows["time"].to_numpy()
    return pd.DataFrame(
        {**group, "time": tick, **_before(rows, tick), "is_cut": int((time < tick).sum()) in cuts}
        for tick in ticks
    )


def _judged_numbers(numbers: Sequence[pd.DataFrame], by: list[str]) -> Judgement:
    table = pd.concat(numbers, ignore_index=True)
    table = table.astype(dict.fromkeys(COUNTS, "Int64"))
    unsafe = ~table["is_cut"]
    table = table.drop(columns="is_cut")
    shown, hidden, n_cells = take_out(table, nothing_hidden(table), rows=unsafe, columns=COUNTS)
    note = "Numbers just before each time; at risk, events and censored add up to the group."
    counts = hidden_only({"numbers at risk that subtract to few persons": n_cells})
    return Judgement("number_at_risk", shown, hidden, counts, (note,), {"by": tuple(by)})


def _totals(
    groups: dict[tuple[object, ...], pd.DataFrame], left_out: Sequence[object]
) -> dict[str, int | None]:
    """Everyone's persons and events; hidden where a group was left out."""
    if left_out:
        return {"n": None, "events": None}
    return {
        "n": sum(int(rows["at_risk"].iloc[0]) for rows in groups.values()),
        "events": sum(int(rows["events"].sum()) for rows in groups.values()),
    }


def _notes(
    policy: ReleaseProfile, left_out: Sequence[tuple[object, ...]], n_tail: int
) -> tuple[str, ...]:
    notes = [f"Each step of a curve stands for at least {policy.threshold} events."]
    if n_tail:
        notes.append(f"A curve ends where fewer than {policy.threshold} would remain at risk.")
    if left_out:
        names = "; ".join(" ".join(str(part) for part in key) for key in left_out)
        notes.append(f"Not shown, so that no small number can be worked out: {names}.")
    return tuple(notes)
