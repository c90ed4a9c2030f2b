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

from workbench import language
from workbench.errors import StudyError
from workbench.language import text
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
    hidden_because: str = "",
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
    for share, words in ((0.5, text("half")), (0.9, text("nine in ten"))):
        axes.plot([0, lag.within], [share, share], color="#9a9a9a", lw=0.7, zorder=1)
        axes.text(0.995 * lag.within, share - 0.012, words, ha="right", va="top", fontsize=8,
                  color=SOFT)  # fmt: skip
    axes.set_xlim(0, lag.within)
    axes.set_ylim(0, 1.005)
    quarters = [0, 0.25, 0.5, 0.75, 1]
    axes.set_yticks(quarters, [language.share(one) for one in quarters])
    places = [0, *lag.marks, lag.within] if lag.marks else [0, lag.within]
    apart = 0.09 * lag.within
    ticks: list[float] = []
    for place in sorted({float(one) for one in places}):
        if not ticks or place - ticks[-1] >= apart:
            ticks.append(place)
    axes.set_xticks(ticks, [wording.count(one) for one in ticks])
    axes.set_xlabel(text("Days from the event to its report"))
    axes.set_ylabel(text("Arrived, of reports within {n} days", n=wording.count(lag.within)))
    axes.grid(axis="x", color=LINE, lw=0.6)
    axes.set_axisbelow(True)
    _name_curves(axes, lag)


def describe(lag: Lag, *, title: str) -> str:
    """The curves in words, from the numbers drawn."""
    regions = [one for one in lag.lines if one.role != "nation" and np.isfinite(one.median)]
    n_regions = sum(one.role != "nation" for one in lag.lines)
    words = text(
        "Share of reports that has arrived by day, {regions}, among reports arriving within {n} "
        "days",
        regions=counted(n_regions, "region"), n=wording.count(lag.within),
    )  # fmt: skip
    parts = [f"{title}. {words}"]
    if regions:
        quick, slow = min(regions, key=_median), max(regions, key=_median)
        parts.append(text(
            "Half has come soonest in {first}, after {few} days, latest in {last}, after {many}",
            first=quick.name, few=wording.count(quick.median), last=slow.name,
            many=wording.count(slow.median),
        ))  # fmt: skip
    n_marks = 2 if any(one.role == "own" for one in lag.lines) else 3
    for line in lag.lines:
        if line.role != "unit" and np.isfinite(line.median):
            told = [text("{share} by day {day}", share=percent(_share_at(line, day)), day=day)
                    for day in lag.marks[:n_marks]]  # fmt: skip
            parts.append(text("{name}: half by day {day}, {shares}", name=line.name,
                              day=wording.count(line.median), shares=", ".join(told)))  # fmt: skip
    if lag.untold:
        parts.append(text("Not yet to be told: {names}", names=", ".join(lag.untold)))
    return sentences([*parts, lag.hidden])


def notes(lag: Lag) -> list[str]:
    """What stands under the figure beside period and method."""
    names = ", ".join(lag.untold)
    untold = text("No curve for {names}: no case is as old as that", names=names)
    return [one for one in (untold if names else "", lag.hidden) if one]


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
        half = text("half not reached")
        if np.isfinite(line.median):
            half = text("half by {n} days", n=wording.count(line.median))
        texts.append("\n".join([*textwrap.wrap(line.name, 19), half]))
    heights = [TEXT * (1 + name.count("\n")) + 0.09 for name in texts]
    # the first name on top, the rest below it as they fit
    tops = np.cumsum([0.0, *heights[:-1]]) + np.asarray(heights) / 2
    placed = spread((PLOT_HEIGHT - tops).tolist(), heights)
    for line, name, at in zip(named, texts, placed, strict=True):
        axes.plot(
            [1.02, 1.085], [at / PLOT_HEIGHT] * 2, color=line.colour, ls=line.dashes,
            lw=line.width, transform=axes.transAxes, clip_on=False,
        )  # fmt: skip
        axes.text(
            1.1, at / PLOT_HEIGHT, name, transform=axes.transAxes, va="center", fontsize=8,
            color=line.colour, weight="normal" if line.role == "unit" else "bold",
            linespacing=1.1,
        )  # fmt: skip
    if n_grey:
        grey = text("grey: {regions}", regions=counted(n_grey, "other region"))
        axes.text(1.1, 0.02, grey, fontsize=8, color=SOFT,
                  transform=axes.transAxes)  # fmt: skip
