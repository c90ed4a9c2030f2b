"""Control charts read off counts by period: is a change more than chance?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from workbench.analysis import charts


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
