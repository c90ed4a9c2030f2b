"""What control charts show, in which order and on which axis, before anything is drawn."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.errors import StudyError
from workbench.language import month, text
from workbench.output.figures.unit_marks import (
    BAD,
    COMMON,
    EITHER,
    GOOD,
    hidden_words,
    name_of,
)

PLOT_HEIGHT, WIDE_HEIGHT, HEAD, AXIS, TOP = 1.2, 2.4, 0.68, 0.3, 0.04  # inches, of each chart
MOST_CHARTS, ACROSS = 24, 3
KINDS = {  # colour, mark, word
    "concern": (BAD, "v", "Concern"),
    "improvement": (GOOD, "^", "Improvement"),
    "no direction": (EITHER, "D", "Change"),
    "common cause": (COMMON, "o", "Chance alone"),
}


@dataclass(frozen=True)
class Chart:
    """One unit's points, and what the last says."""

    name: str
    is_own: bool
    points: pd.DataFrame  # at, value, centre, lower, upper, kind, segment
    kind: str
    rule: str
    assurance: str


@dataclass(frozen=True)
class Charts:
    """Everything the drawing needs."""

    charts: tuple[Chart, ...]
    periods: tuple[str, ...]
    breaks: Mapping[int, tuple[str, str]]  # place of the period -> letter and reason
    nation: np.ndarray | None  # one value a period
    target: float | None
    is_share: bool
    span: tuple[float, float]
    value_words: str
    hidden: str

    @property
    def across(self) -> int:
        """Charts side by side."""
        return 1 if len(self.charts) == 1 else 2 if len(self.charts) in {2, 4} else ACROSS

    @property
    def plot_height(self) -> float:
        """Inches of one plot."""
        return WIDE_HEIGHT if self.across == 1 else PLOT_HEIGHT

    @property
    def height(self) -> float:
        """Inches of the drawing."""
        down = -(-len(self.charts) // self.across)
        return TOP + down * (HEAD + self.plot_height + AXIS)


def plan(
    chart: pd.DataFrame,
    *,
    unit: str | None = None,
    period: str = "period",
    own: str | None = None,
    nation: pd.DataFrame | None = None,
    target: float | None = None,
    assurance: Mapping[str, str] | None = None,
    reasons: Mapping[str, str] | None = None,
    is_share: bool = True,
    n_hidden: int = 0,
    hidden_because: str = "",
    value_words: str = "",
    labels: Mapping[str, str] | None = None,
) -> Charts:
    """Lay out the charts.

    Parameters
    ----------
    chart
        One row a point, as the chart functions give it: `unit`, `period`, `value`, `centre`,
        `lower`, `upper`, `kind`, `rule`, `segment`.
    nation
        `period` and `value` of the whole country: a thin line in each chart.
    assurance
        What `charts.icons` says of each unit's target.
    reasons
        Why limits begin anew, by the first period they hold for.

    Raises
    ------
    StudyError
        No point, more units than a page holds, or an own unit that is not there.
    """
    keys = chart[unit].astype(str) if unit else pd.Series("", index=chart.index)
    names = list(dict.fromkeys(keys))
    if not 1 <= len(names) <= MOST_CHARTS:
        raise StudyError(f"A page holds 1 to {MOST_CHARTS} charts, not {len(names)}. Draw regions.")
    if own is not None and own not in names:
        raise StudyError(f'own: unit "{own}" is not among the units that are shown.')
    periods = sorted(set(chart[period]))
    places = {one: at for at, one in enumerate(periods)}
    charts = []
    for one in names:
        points = chart[keys == one].assign(at=lambda f: f[period].map(places)).sort_values("at")
        name = name_of(one, labels, longest=24) if unit else ""
        charts.append(_chart(name, points, (assurance or {}).get(one, ""), is_own=one == own))
    order = list(KINDS)
    charts.sort(key=lambda one: (order.index(one.kind), one.name))
    words = tuple(_period_words(one) for one in periods)
    line = None
    if nation is not None:
        line = nation.set_index(period)["value"].reindex(periods).to_numpy(float)
    return Charts(
        tuple(charts), words, _breaks(reasons or {}, words), line, target, is_share,
        _span(charts, line, target, is_share=is_share), value_words or text("Share with the event"),
        hidden_words(n_hidden, hidden_because),
    )  # fmt: skip


def _chart(name: str, points: pd.DataFrame, assurance: str, *, is_own: bool) -> Chart:
    last = points.iloc[-1]
    rule = "" if pd.isna(last["rule"]) else str(last["rule"])
    return Chart(name, is_own, points, str(last["kind"]), rule, assurance)


def _period_words(period: object) -> str:
    if isinstance(period, pd.Timestamp):
        return month(period, is_short=True)
    return str(period)


def _breaks(reasons: Mapping[str, str], words: tuple[str, ...]) -> dict[int, tuple[str, str]]:
    known = sorted((words.index(str(one)), why) for one, why in reasons.items()
                   if str(one) in words)  # fmt: skip
    return {
        at: (letter, why) for (at, why), letter in zip(known, string.ascii_lowercase, strict=False)
    }


def _span(
    charts: list[Chart], nation: np.ndarray | None, target: float | None, *, is_share: bool
) -> tuple[float, float]:
    """One axis for all: every point is inside."""
    values = [one.points[name].to_numpy(float) for one in charts for name in ("value", "upper")]
    lows = [one.points[name].to_numpy(float) for one in charts for name in ("value", "lower")]
    if nation is not None:
        values.append(nation)
    high = float(np.nanmax(np.concatenate([*values, [target or 0.0]])))
    low = float(np.nanmin(np.concatenate(lows)))
    if not is_share:
        return min(0.0, low), high * 1.06 or 1.0
    bottom = 0.0 if low < 0.4 else np.floor(10 * low) / 10
    step = 0.1 if high > 0.2 else 0.05 if high > 0.08 else 0.01
    return float(bottom), float(min(1.0, np.ceil(high / step + 1e-9) * step) or step)
