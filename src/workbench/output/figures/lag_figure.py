"""How long reports take: the share that has arrived by each day, one curve a region.

Shares are those of reports that arrive within the declared number of days; the axis ends there.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from workbench.errors import StudyError
from workbench.output import wording
from workbench.output.figures.survival_figure import STROKES
from workbench.output.figures.unit_marks import (
    INK,
    LINE,
    OWN,
    SOFT,
    counted,
    hidden_words,
    name_of,
    percent,
    sentences,
    spread,
)

PLOT_HEIGHT, PLOT_WIDTH, TOP, FOOT = 2.9, 4.27, 0.16, 0.5  # inches
FIGURE_WIDTH, LEFT, TEXT = 170 / 25.4, 0.74, 0.145
MOST_GREY = 24


@dataclass(frozen=True)
class Line:
    """One region's curve and how it is drawn."""

    name: str
    role: str  # "unit", "own" or "nation"
    days: np.ndarray
    share: np.ndarray
    colour: str
    dashes: Any
    width: float
    median: float


@dataclass(frozen=True)
class Lag:
    """Everything the drawing needs."""

    lines: tuple[Line, ...]
    within: float
    marks: tuple[int, ...]
    untold: tuple[str, ...]
    hidden: str

    @property
    def height(self) -> float:
        """Inches of the drawing."""
        return TOP + PLOT_HEIGHT + FOOT


def plan(
    arrived: pd.DataFrame,
    *,
    by: str,
    nation: str = "Nation",
    own: str | None = None,
    marks: Sequence[int] = (30, 60, 90, 180),
    n_hidden: int = 0,
    hidden_because: str = "too few reports",
    labels: Mapping[str, str] | None = None,
) -> Lag:
    """Lay out the curves.

    Parameters
    ----------
    arrived
        One row a region and day, as `coverage.arrival_curve` gives it: `by`, `days`, `estimate`
        (missing for regions whose lag cannot be told).
    nation
        What the nation is called in `by`; drawn black and heavy.
    own
        The own region stands out, and the others are grey.

    Raises
    ------
    StudyError
        No curve; more regions than can be told apart; an own region that is not there.
    """
    groups = {str(key): rows.sort_values("days") for key, rows in
              arrived.groupby(by, observed=True, sort=False)}  # fmt: skip
    untold = [one for one, rows in groups.items() if rows["estimate"].isna().all()]
    shown = [one for one in groups if one not in untold]
    n_units = sum(one != nation for one in shown)
    most = MOST_GREY if own is not None else len(STROKES)
    if not shown or n_units > most:
        raise StudyError(
            f"The figure tells {most} regions apart, and needs one whose lag can be told, not "
            f"{n_units}. Choose an own region (the others are then grey), or fewer regions."
        )
    if own is not None and own not in shown:
        raise StudyError(f'own: region "{own}" is not among those that are shown.')
    strokes = iter(STROKES)
    lines = []
    for one in shown:
        role = "nation" if one == nation else "own" if one == own else "unit"
        colour, dashes = _stroke(role, own, strokes)
        rows = groups[one].dropna(subset=["estimate"])
        days, share = rows["days"].to_numpy(float), rows["estimate"].to_numpy(float)
        reached = days[share >= 0.5 - 1e-12]
        median = float(reached[0]) if len(reached) else np.nan
        width = {"unit": 1.3, "own": 2.4, "nation": 2.2}[role]
        lines.append(Line(name_of(one, labels), role, days, share, colour, dashes, width, median))
    within = float(arrived["days"].max())
    return Lag(
        tuple(lines), within, tuple(one for one in marks if one <= within),
        tuple(name_of(one, labels) for one in untold), hidden_words(n_hidden, hidden_because),
    )  # fmt: skip


def draw(lag: Lag, figure: Any) -> None:
    """Draw the curves, named at the right in the order of their medians."""
    axes = figure.add_axes(
        (LEFT / FIGURE_WIDTH, FOOT / lag.height, PLOT_WIDTH / FIGURE_WIDTH,
         PLOT_HEIGHT / lag.height)
    )  # fmt: skip
    order = {"unit": 2, "nation": 3, "own": 4}
    for line in lag.lines:
        axes.plot(line.days, line.share, color=line.colour, ls=line.dashes, lw=line.width,
                  zorder=order[line.role])  # fmt: skip
    for share, words in ((0.5, "half"), (0.9, "nine in ten")):
        axes.plot([0, lag.within], [share, share], color="#9a9a9a", lw=0.7, zorder=1)
        axes.text(0.995 * lag.within, share - 0.012, words, ha="right", va="top", fontsize=8,
                  color=SOFT)  # fmt: skip
    axes.set_xlim(0, lag.within)
    axes.set_ylim(0, 1.005)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"])
    places = [0, *lag.marks, lag.within] if lag.marks else [0, lag.within]
    apart = 0.09 * lag.within
    ticks: list[float] = []
    for place in sorted({float(one) for one in places}):
        if not ticks or place - ticks[-1] >= apart:
            ticks.append(place)
    axes.set_xticks(ticks, [wording.count(one) for one in ticks])
    axes.set_xlabel("Days from the event to its report")
    axes.set_ylabel(f"Arrived, of reports within {wording.count(lag.within)} days")
    axes.grid(axis="x", color=LINE, lw=0.6)
    axes.set_axisbelow(True)
    _name_curves(axes, lag)


def describe(lag: Lag, *, title: str) -> str:
    """The curves in words, from the numbers drawn."""
    regions = [one for one in lag.lines if one.role != "nation" and np.isfinite(one.median)]
    parts = [
        f"{title}. Share of reports that has arrived by day, "
        f"{counted(sum(one.role != 'nation' for one in lag.lines), 'region')}, among reports "
        f"arriving within {wording.count(lag.within)} days"
    ]
    if regions:
        quick, slow = min(regions, key=_median), max(regions, key=_median)
        parts.append(f"Half has come soonest in {quick.name}, after {quick.median:.0f} days, "
                     f"latest in {slow.name}, after {slow.median:.0f}")  # fmt: skip
    n_marks = 2 if any(one.role == "own" for one in lag.lines) else 3
    for line in lag.lines:
        if line.role != "unit" and np.isfinite(line.median):
            told = [f"{percent(_share_at(line, day))} by day {day}" for day in lag.marks[:n_marks]]
            parts.append(f"{line.name}: half by day {line.median:.0f}, {', '.join(told)}")
    if lag.untold:
        parts.append(f"Not yet to be told: {', '.join(lag.untold)}")
    return sentences([*parts, lag.hidden])


def notes(lag: Lag) -> list[str]:
    """What stands under the figure beside period and method."""
    untold = (
        f"No curve for {', '.join(lag.untold)}: no case is as old as that" if lag.untold else ""
    )
    return [one for one in (untold, lag.hidden) if one]


def _stroke(role: str, own: str | None, strokes: Any) -> tuple[str, Any]:
    if role == "nation":
        return INK, "-"
    if role == "own":
        return OWN, "-"
    if own is not None:
        return "#a8a8a8", "-"
    colour, dashes = next(strokes)
    return str(colour), dashes


def _median(line: Line) -> float:
    return line.median


def _share_at(line: Line, day: float) -> float:
    before = line.days <= day
    return float(line.share[before][-1]) if before.any() else 0.0


def _name_curves(axes: Any, lag: Lag) -> None:
    """Names in a column at the right, the quickest on top, with the day half has arrived."""
    named = [one for one in lag.lines if one.role != "unit" or one.colour != "#a8a8a8"]
    named.sort(key=lambda one: one.median if np.isfinite(one.median) else np.inf)
    n_grey = len(lag.lines) - len(named)
    texts = []
    for line in named:
        half = f"{line.median:.0f} days" if np.isfinite(line.median) else "not reached"
        texts.append("\n".join([*textwrap.wrap(line.name, 19), f"half by {half}"]))
    heights = [TEXT * (1 + text.count("\n")) + 0.09 for text in texts]
    # the first name on top, the rest below it as they fit
    tops = np.cumsum([0.0, *heights[:-1]]) + np.asarray(heights) / 2
    placed = spread((PLOT_HEIGHT - tops).tolist(), heights)
    for line, text, at in zip(named, texts, placed, strict=True):
        axes.plot(
            [1.02, 1.085], [at / PLOT_HEIGHT] * 2, color=line.colour, ls=line.dashes,
            lw=line.width, transform=axes.transAxes, clip_on=False,
        )  # fmt: skip
        axes.text(
            1.1, at / PLOT_HEIGHT, text, transform=axes.transAxes, va="center", fontsize=8,
            color=line.colour, weight="normal" if line.role == "unit" else "bold",
            linespacing=1.1,
        )  # fmt: skip
    if n_grey:
        axes.text(1.1, 0.02, f"grey: {counted(n_grey, 'other region')}", fontsize=8, color=SOFT,
                  transform=axes.transAxes)  # fmt: skip
