"""Control charts read off counts by period: is a change more than chance?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from workbench.analysis import charts
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
