"""One line a chart: what the last point says, and whether a target can be relied on."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from workbench.analysis import inputs
from workbench.errors import StudyError


def icons(
    chart: pd.DataFrame, *, by: str | Sequence[str] | None = None, target: float | None = None,
    direction: str | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Summarise charts for a table: variation and assurance, in the NHS's two icons' words.

    Parameters
    ----------
    chart
        What `xmr`, `p_chart` ... gave.
    target, direction
        The target, and which side of it is wanted; without both there is no assurance.

    Returns
    -------
    One row a group: the columns of `by`, `value` (the last), `variation` ("improvement", "concern",
    "no direction", "common cause"), `rule`, and `assurance` by the last segment's limits: "hits",
    "misses", "hit or miss" (a target on a limit too), or "" without target or limits.

    Raises
    ------
    StudyError
        A target without direction.
    """
    if target is not None and direction not in {"high", "low"}:
        raise StudyError('target: say which side of it is wanted (direction "high" or "low").')
    names = inputs.names_of(by)
    grouped = chart.groupby(names, observed=True, sort=True) if names else [((), chart)]
    rows = []
    for key, points in grouped:
        last = points.iloc[-1]
        told = {"value": last["value"], "variation": last["kind"], "rule": last["rule"]}
        assured = _assurance(last, target, direction)
        rows.append({**dict(zip(names, key, strict=True)), **told, "assurance": assured})
    return pd.DataFrame(rows)


def _assurance(last: pd.Series, target: float | None, direction: str | None) -> str:
    if target is None or pd.isna(last["lower"]):
        return ""
    above, below = target > last["upper"], target < last["lower"]
    if not (above or below):
        return "hit or miss"
    return "misses" if above == (direction == "high") else "hits"
