"""The rule for survival beside the general population: net survival at chosen times.

A row shows how many were at risk and how many had died since the time before. Rows are joined with
the following ones until the deaths are 0 or at least the threshold. A number at risk is hidden
where it is small, or where a few who left otherwise (censored) could be worked out from it, the
deaths and the last one shown. A group with few persons, few deaths or few without is left out, with
as many others as keep it from being worked out. Estimates at times apart tell no single death
apart, and are rounded; in a very small group they tell about how many were at risk.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from workbench.errors import DisclosureError
from workbench.output.gate.curve_batches import Groups, by_group, groups_left_out
from workbench.output.gate.judgement import (
    Judgement,
    are_safe,
    hidden_only,
    nothing_hidden,
    rounded,
    safe_spans,
    whole_counts,
)
from workbench.registers.profiles import ReleaseProfile

ESTIMATES = ["estimate", "std_error", "lower", "upper"]
NET = ["time", "at_risk", "events", *ESTIMATES, "reliability"]
BESIDE = ["observed", "expected"]
TOO_FEW = "groups with too few persons, deaths or survivors"
FEW_AT_RISK = "numbers at risk from which few could be worked out"


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
            "No group has enough persons, deaths and survivors to be shown under profile "
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
    hidden = nothing_hidden(safe)
    hidden["at_risk"] = safe["at_risk"].isna()
    counts[FEW_AT_RISK] = int(hidden["at_risk"].sum())
    notes: tuple[str, ...] = ()
    if left_out:
        names = "; ".join(" ".join(str(part) for part in key) for key in left_out)
        notes = (f"Not shown, so that no small number can be worked out: {names}.",)
    return Judgement("net_survival", safe, hidden, hidden_only(counts), notes, facts)


def judge_net_at(curve: pd.DataFrame, by: Sequence[str], times: Sequence[float]) -> Judgement:
    """The released rows at given times; hidden where a time was joined with a later one."""
    asked = pd.DataFrame({"time": [float(time) for time in times]})
    columns = [name for name in (*ESTIMATES, *BESIDE) if name in curve.columns]
    names = [*by, "time"]
    keys = curve[list(by)].drop_duplicates().merge(asked, how="cross") if by else asked
    safe = keys.merge(curve[[*names, *columns]], on=names, how="left")
    last = keys.merge(_last_times(curve, by), how="left" if by else "cross")["_last"]
    joined = safe["estimate"].isna() & (safe["time"] <= last)
    hidden = nothing_hidden(safe)
    hidden[columns] = hidden[columns].assign(**dict.fromkeys(columns, joined))
    note = "Read off the released net survival at these times."
    counts = hidden_only({"times joined with the next one": int(joined.sum())})
    return Judgement("net_at", safe, hidden, counts, (note,), {"by": tuple(by)})


def _last_times(curve: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """The last time shown of each group."""
    if not by:
        return pd.DataFrame({"_last": [curve["time"].max()]})
    last = curve.groupby(list(by), observed=True, sort=False)["time"].max()
    return last.rename("_last").reset_index()


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


def _numbers_of(rows: pd.DataFrame) -> tuple[int, ...]:
    """Of a group: persons, deaths, and those who did not die."""
    n, deaths = int(rows["at_risk"].iloc[0]), int(rows["events"].sum())
    return n, deaths, n - deaths


def _joined(rows: pd.DataFrame, threshold: int) -> pd.DataFrame:
    """The rows of one group that may be shown, each with the deaths since the one before."""
    deaths = rows["events"].to_numpy()
    spans = safe_spans(deaths[1:].tolist(), threshold=threshold)
    kept = [0, *(end for _first, end in spans)]
    shown = rows.iloc[kept].copy()
    shown["events"] = [int(deaths[0]), *(int(deaths[1:][a:b].sum()) for a, b in spans)]
    return shown.assign(at_risk=_at_risk_shown(shown, threshold))


def _at_risk_shown(rows: pd.DataFrame, threshold: int) -> pd.Series:
    """Numbers at risk, but for those from which a few who left otherwise could be worked out."""
    at_risk, deaths = rows["at_risk"].tolist(), rows["events"].cumsum().tolist()
    shown, before = [at_risk[0]], at_risk[0] + deaths[0]
    for n, died in zip(at_risk[1:], deaths[1:], strict=True):
        otherwise = before - n - died
        is_safe = are_safe(abs(otherwise), n, threshold=threshold)
        shown.append(n if is_safe else pd.NA)
        before = n + died if is_safe else before
    return pd.Series(shown, index=rows.index, dtype="Int64")
