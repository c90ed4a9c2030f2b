"""The rule for survival beside the general population: net survival at chosen times.

A row shows how many were at risk and how many had died since the time before. Rows are joined with
the following ones until the deaths, those who left, and those who left otherwise are each 0 or at
least the threshold; times with too few left at risk are not shown. A group whose sums stay small is
left out, with as many others as keep it from being worked out. Estimates at times apart tell no
single death apart, and are rounded.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.errors import DisclosureError
from workbench.output.batches import Groups, by_group, groups_left_out
from workbench.output.judgement import (
    Judgement,
    hidden_only,
    is_small,
    nothing_hidden,
    rounded,
    safe_spans,
    whole_counts,
)
from workbench.registers.profiles import ReleaseProfile

ESTIMATES = ["estimate", "std_error", "lower", "upper"]
NET = ["time", "at_risk", "events", *ESTIMATES, "reliability"]
BESIDE = ["observed", "expected"]
TOO_FEW = "groups with too few persons, deaths or censored"


def judge_net(curve: pd.DataFrame, policy: ReleaseProfile) -> Judgement:
    """Join times until every number that is shown, or can be worked out, is safe."""
    beside = [column for column in BESIDE if column in curve.columns]
    by = [column for column in curve.columns if column not in [*NET, *beside]]
    groups = _groups(curve, by)
    numbers = {key: _numbers_of(rows) for key, rows in groups.items()}
    left_out = groups_left_out(numbers, policy.threshold)
    parts = [_joined(rows, policy.threshold) for key, rows in groups.items() if key not in left_out]
    if not parts:
        raise DisclosureError(
            "No group has enough persons, deaths and censored to be shown under profile "
            f'"{policy.name}" (at least {policy.threshold} of each, or none). Join groups.'
        )
    safe = pd.concat(parts, ignore_index=True)[[*by, *NET, *beside]]
    safe = rounded(safe, [*ESTIMATES, *beside], decimals=policy.decimals)
    facts: dict[str, object] = {"by": tuple(by), "start": 1.0, "distance": 0.0}
    if not left_out:
        facts["n"] = sum(one[0] for one in numbers.values())
        facts["events"] = sum(one[1] for one in numbers.values())
    n_times = sum(len(rows) for key, rows in groups.items() if key not in left_out)
    counts = {TOO_FEW: len(left_out), "times joined with the next one": n_times - len(safe)}
    notes = ()
    if left_out:
        names = "; ".join(" ".join(str(part) for part in key) for key in left_out)
        notes = (f"Not shown, so that no small number can be worked out: {names}.",)
    return Judgement("net_survival", safe, nothing_hidden(safe), hidden_only(counts), notes, facts)


def _groups(curve: pd.DataFrame, by: list[str]) -> Groups:
    if curve.empty or curve[[*by, "time"]].isna().any(axis=None):
        raise DisclosureError("The net survival is empty, or lacks a group or a time.")
    curve = curve.copy()
    for column in ("at_risk", "events"):
        curve[column] = whole_counts(curve[column], what=f"the net survival's {column}")
    groups = by_group(curve, by)
    for rows in groups.values():
        in_order = rows["time"].is_monotonic_increasing and rows["time"].is_unique
        if not in_order or rows["time"].iloc[0] != 0:
            raise DisclosureError(
                "Net survival is released at times that begin with 0, so that everybody at risk "
                "is counted: net_survival(..., times=[0, 1, 3, 5])."
            )
        if not rows["at_risk"].is_monotonic_decreasing:
            raise DisclosureError(
                "The gate cannot judge numbers at risk that rise (period analysis) yet. Release "
                "the cohort's own follow-up."
            )
    return groups


def _left(rows: pd.DataFrame) -> np.ndarray:
    """Who left since the time before, in any way."""
    return np.append(0, -np.diff(rows["at_risk"].to_numpy()))


def _numbers_of(rows: pd.DataFrame) -> tuple[int, ...]:
    """Of a group: persons, deaths, those who left otherwise, those who were there to the end."""
    n, end = int(rows["at_risk"].iloc[0]), int(rows["at_risk"].iloc[-1])
    deaths = int(rows["events"].sum())
    return n, deaths, abs(n - end - deaths), end


def _joined(rows: pd.DataFrame, threshold: int) -> pd.DataFrame:
    """The rows of one group that may be shown, each with the deaths since the one before."""
    left, deaths = _left(rows), rows["events"].to_numpy()
    many = ~is_small(rows["at_risk"], threshold)
    last = int(np.flatnonzero(many)[-1])
    rows, left, deaths = rows.iloc[: last + 1], left[: last + 1], deaths[: last + 1]
    spans = safe_spans(
        left[1:].tolist(), deaths[1:].tolist(), np.abs(left - deaths)[1:].tolist(),
        threshold=threshold,
    )  # fmt: skip
    if spans and not _is_safe(spans[-1], left[1:], deaths[1:], threshold):
        spans = spans[:-1]
    kept = [0, *(end for _first, end in spans)]
    shown = rows.iloc[kept].copy()
    shown["events"] = [0, *(int(deaths[1:][first:end].sum()) for first, end in spans)]
    return shown


def _is_safe(span: tuple[int, int], left: np.ndarray, deaths: np.ndarray, threshold: int) -> bool:
    first, end = span
    sums = [left[first:end].sum(), deaths[first:end].sum()]
    return not is_small([*sums, np.abs(left - deaths)[first:end].sum()], threshold).any()
