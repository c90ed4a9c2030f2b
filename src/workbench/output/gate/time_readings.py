"""Control charts read off counts by period: is a change more than chance?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from workbench.analysis import charts
from workbench.analysis.units.funnels import false_discovery
from workbench.errors import DisclosureError


def read_charts(
    counts: pd.DataFrame, facts: Mapping[str, Any], *, direction: str | None = None,
    rebase: str | int | None = None, because: str | None = None,
) -> tuple[pd.DataFrame, dict[str, Any]]:  # fmt: skip
    """Laney's P' chart of each unit (or of all, by period alone), with the NHS rules.

    Periods in which nobody was counted have no point. Limits begin anew at the period `rebase`, the
    reason `because`.
    """
    *by, period = facts["by"]
    some = counts[counts["n"] > 0]
    wanted = None if direction == "none" else direction
    anew: dict[object, str] = {} if rebase is None else {rebase: because or ""}
    found = charts.p_prime(
        some, period=period, by=by or None, direction=wanted, rebase=anew, floor=True
    )
    told = {"direction": direction, "rebase": rebase, "because": because}
    return found, told


def read_changes(
    counts: pd.DataFrame, facts: Mapping[str, Any], *, level: float = 0.05, **limits: str
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Which of many indicators change over the years where, the surest first.

    One row an indicator and unit; p values are adjusted for how many there are (Benjamini and
    Hochberg), and below `level` there is an arrow. "indicator|direction" says what is wanted.
    """
    key, *by, year = facts["by"]
    points = counts.assign(**{year: pd.to_numeric(counts[year])})
    parts = []
    for name, rows in points.groupby(key, sort=True):
        wanted = limits.get(f"{name}|direction")
        wanted = None if wanted == "none" else wanted
        own = charts.trend(rows, period=year, by=by, direction=wanted, level=1.0 - 1e-9)
        parts.append(own.assign(**{key: name}))
    found = pd.concat(parts, ignore_index=True)
    found["p_adjusted"] = false_discovery(found["p_value"].to_numpy())
    is_sure = found["p_adjusted"] < level
    tested = found["trend"] != "too short"
    found["kind"] = found["kind"].where(is_sure, "common cause")
    found["trend"] = found["trend"].where(is_sure | ~tested, "none")
    told = {"n_tested": int(tested.sum()), "n_sure": int(is_sure.sum())}
    columns = [key, *by, "trend", "kind", "slope", "p_value", "p_adjusted"]
    order = ["p_adjusted", "p_value", key, *by]
    return found.sort_values(order, ignore_index=True)[columns], told


def read_change(
    counts: pd.DataFrame, facts: Mapping[str, Any], *, at: str | int, because: str,
    direction: str | None = None,
) -> tuple[pd.DataFrame, dict[str, Any]]:  # fmt: skip
    """Before against after a change at the period `at`: the difference with its interval."""
    if facts.get("n_hidden"):
        raise DisclosureError(
            "Some periods are hidden, so that before and after would be told of the others alone. "
            "Take longer periods, or more patients."
        )
    *by, period = facts["by"]
    some = counts[counts["n"] > 0]
    wanted = None if direction == "none" else direction
    found = charts.before_after(
        some, at=at, because=because, period=period, by=by or None, direction=wanted
    )
    named = {f"events_{side}": f"n_events_{side}" for side in ("before", "after")}
    columns = [
        *by, "n_before", "n_events_before", "share_before", "n_after", "n_events_after",
        "share_after",
        "estimate", "lower", "upper", "p_value", "first_signal", "kind", "words",
    ]  # fmt: skip
    return found.table.rename(columns=named)[columns], {"at": at, "because": because}
