"""The rule for cumulative incidence under competing events.

As for survival curves (`survival_rules`): in each group those with each cause, and the censored,
are gathered into batches of at least the threshold, and the incidence of every cause is computed
anew from the batches. A group in which any of these numbers is small is left out, and as many more
as keep their sums from being small.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from workbench.analysis import competing
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

ESTIMATES = ["estimate", "std_error", "lower", "upper"]
INCIDENCE = ["cause", "time", "at_risk", "events", *ESTIMATES]
AS_MADE = 1e-9
TOO_FEW = "groups with too few persons, events of a cause, or censored"


def judge_incidence(curve: pd.DataFrame, policy: ReleaseProfile) -> Judgement:
    """Coarsen the follow-up behind an incidence until it is safe, and compute it anew."""
    by = [column for column in curve.columns if column not in INCIDENCE]
    causes = list(dict.fromkeys(curve["cause"].tolist()))
    groups = _groups(curve, by, causes)
    left_out = groups_left_out(_numbers_of(groups, causes), policy.threshold)
    shown = {key: rows for key, rows in groups.items() if key not in left_out}
    if not shown:
        raise DisclosureError(
            "No group has enough persons, events of every cause and censored to be shown under "
            f'profile "{policy.name}" (at least {policy.threshold} of each, or none). Join groups '
            "or causes, or follow up for longer."
        )
    _require_as_made(curve, by, groups, causes)
    batches = batches_of(shown, by, _codes(causes), policy)
    coarse = _incidence(batches, by, causes)
    safe = rounded(coarse[[*by, *INCIDENCE]], ESTIMATES, decimals=policy.decimals)
    safe = safe.astype({"at_risk": "int64", "events": "int64"})
    distance = _distance(safe, curve, by)
    facts = {"by": (*by, "cause"), "distance": distance, "start": 0.0}
    if not left_out:
        facts |= _totals(groups, causes)
    n_times = sum(len(rows) for rows in shown.values())
    counts = {
        TOO_FEW: len(left_out),
        "times gathered into batches": n_times - len(batches),
    }
    return Judgement(
        "incidence_curve",
        safe,
        nothing_hidden(safe),
        hidden_only(counts),
        _notes(policy, left_out, distance),
        facts,
    )


def _groups(curve: pd.DataFrame, by: list[str], causes: list[object]) -> Groups:
    """Of each group one row a time: at risk, who left by each cause (by its place), censored."""
    if curve.empty or curve[[*by, "cause", "time"]].isna().any(axis=None):
        raise DisclosureError("The incidence is empty, or lacks a group, a cause or a time.")
    curve = curve.copy()
    for column in ("at_risk", "events"):
        curve[column] = whole_counts(curve[column], what=f"the incidence's {column}")
    groups = {}
    for key, rows in by_group(curve, by).items():
        parts = [rows[rows["cause"] == cause].set_index("time") for cause in causes]
        table = parts[0][["at_risk"]].assign(
            **{f"cause_{at}": part["events"] for at, part in enumerate(parts)}
        )
        same = all(part["at_risk"].equals(table["at_risk"]) for part in parts)
        left = table.filter(like="cause_").sum(axis=1)
        censored = table["at_risk"] - left - table["at_risk"].shift(-1, fill_value=0)
        if not same or not table.index.is_monotonic_increasing or (censored < 0).any():
            raise DisclosureError(
                "The numbers at risk do not follow from who left. Release the incidence as "
                "competing.cumulative_incidence makes it, without `times` and without entry."
            )
        table = table.assign(censored=censored).reset_index()
        named = dict(zip(by, key, strict=True))
        groups[key] = table.assign(**named)
    return groups


def _codes(causes: list[object]) -> dict[str, int]:
    return {**{f"cause_{at}": at + 1 for at in range(len(causes))}, "censored": 0}


def _numbers_of(groups: Groups, causes: list[object]) -> dict[tuple[object, ...], tuple[int, ...]]:
    return {
        key: (int(rows["at_risk"].iloc[0]), *(int(rows[one].sum()) for one in _codes(causes)))
        for key, rows in groups.items()
    }


def _incidence(batches: pd.DataFrame, by: list[str], causes: list[object]) -> pd.DataFrame:
    found = competing.cumulative_incidence(
        batches, duration="time", event="event", by=by or None, weight="n"
    )
    words = dict(enumerate(causes, start=1))
    return found.assign(cause=found["cause"].map(words))


def _require_as_made(
    curve: pd.DataFrame, by: list[str], groups: Groups, causes: list[object]
) -> None:
    """Refuse an interval of another kind than the one that the shown curve gets."""
    parts = []
    for rows in groups.values():
        for column, code in _codes(causes).items():
            some = rows.loc[rows[column] > 0, [*by, "time", column]]
            parts.append(some.rename(columns={column: "n"}).assign(event=code))
    exact = _incidence(pd.concat(parts, ignore_index=True), by, causes)
    both = exact.merge(curve, on=[*by, "cause", "time"], suffixes=("", "_given"))
    columns = ["estimate", "lower", "upper"]
    given = both[[f"{column}_given" for column in columns]].to_numpy(float)
    if not np.allclose(both[columns], given, atol=AS_MADE, rtol=0, equal_nan=True):
        raise DisclosureError(
            "The gate shows incidences with 95 % intervals on the log-log scale: release "
            "competing.cumulative_incidence as it is by default, before any rounding."
        )


def _distance(safe: pd.DataFrame, curve: pd.DataFrame, by: list[str]) -> float:
    """How far the shown incidence lies from the exact one, rounded up to whole percent."""
    exact, largest = by_group(curve, [*by, "cause"]), 0.0
    for key, steps in by_group(safe, [*by, "cause"]).items():
        rows = exact[key]
        rows = rows[rows["time"] <= steps["time"].max()]
        place = np.searchsorted(steps["time"].to_numpy(), rows["time"].to_numpy(), side="right")
        shown = np.append(0.0, steps["estimate"].to_numpy())[place]
        apart = np.abs(shown - rows["estimate"].to_numpy(float))
        largest = max(largest, float(np.nanmax(apart, initial=0.0)))
    return math.ceil(round(largest * 100, 6)) / 100


def _totals(groups: Groups, causes: list[object]) -> dict[str, int]:
    numbers = _numbers_of(groups, causes).values()
    return {
        "n": sum(one[0] for one in numbers),
        "events": sum(sum(one[1 : 1 + len(causes)]) for one in numbers),
    }


def _notes(
    policy: ReleaseProfile, left_out: list[tuple[object, ...]], distance: float
) -> tuple[str, ...]:
    notes = [
        f"Those with each cause and the censored are counted in batches of at least "
        f"{policy.threshold}; no curve lies further than {100 * distance:.0f} percentage points "
        "from the exact one in the range shown."
    ]
    if left_out:
        names = "; ".join(" ".join(str(part) for part in key) for key in left_out)
        notes.append(f"Not shown, so that no small number can be worked out: {names}.")
    return tuple(notes)
