"""Control charts of units side by side, all on one scale, the latest signal first.

Common causes are grey. A special cause has a shape and a colour by whether it is wanted; what the
last point says, and whether a target is reached, stands in words over each chart. Limits break
where they begin anew, at a letter whose reason stands under the figure.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from workbench.language import retold, text
from workbench.output import wording
from workbench.output.figures.chart_layout import AXIS, HEAD, KINDS, TOP, Chart, Charts, plan
from workbench.output.figures.unit_marks import (
    COMMON,
    INK,
    LINE,
    OWN,
    SOFT,
    TARGET,
    counted,
    listed,
    percent,
    sentences,
    share_ticks,
    spread,
)

__all__ = ["describe", "draw", "notes", "plan"]

FIGURE_WIDTH, LEFT, RIGHT, GAP = 170 / 25.4, 0.55, 0.12, 0.2
ASSURED = {
    "hits": "Target met", "misses": "Target missed", "hit or miss": "Target hit or miss",
}  # fmt: skip
FEW = 10


def draw(charts: Charts, figure: Any) -> None:
    """Draw the charts from left to right and downward."""
    width = (FIGURE_WIDTH - LEFT - RIGHT - GAP * (charts.across - 1)) / charts.across
    right = 0.95 if charts.across == 1 else 0.0  # room for the names of the lines
    for at, chart in enumerate(charts.charts):
        down, across = divmod(at, charts.across)
        top = TOP + down * (HEAD + charts.plot_height + AXIS) + HEAD
        left = LEFT + across * (width + GAP)
        axes = figure.add_axes(
            (
                left / FIGURE_WIDTH,
                1 - (top + charts.plot_height) / charts.height,
                (width - right) / FIGURE_WIDTH,
                charts.plot_height / charts.height,
            )
        )
        _draw_chart(axes, chart, charts)
        _set_axes(axes, charts, is_first=across == 0)
        _head(axes, chart, charts)
        if charts.across == 1:
            _name_lines(axes, chart, charts)


def describe(charts: Charts, *, title: str) -> str:
    """The charts in words, from what is drawn."""
    n = len(charts.charts)
    first, last = charts.periods[0], charts.periods[-1]
    what = text("Control charts of {units} on one scale", units=counted(n, "unit"))
    what = text("Control chart") if n == 1 else what
    parts = [f"{title}. {what}, {wording.interval(first, last)}"]
    for kind, (_colour, _mark, word) in KINDS.items():
        found = [one for one in charts.charts if one.kind == kind]
        if not found:
            continue
        units, word = counted(len(found), "unit"), text(word)
        if kind == "common cause":
            parts.append(word if n == 1 else text("{what} in {units}", what=word, units=units))
        elif n == 1:
            parts.append(text("{what} at last", what=word))
        else:
            told = {"units": units, "names": listed([one.name for one in found], most=3)}
            parts.append(text("{what} at last in {units}: {names}", what=word, **told))
    for one in charts.charts:
        if one.is_own or n == 1:
            parts += _last_words(one, charts)
    if charts.breaks:
        begins = [f"{why} ({charts.periods[at]})" for at, (_l, why) in charts.breaks.items()]
        parts.append(text("Limits begin anew: {where}", where="; ".join(begins)))
    return sentences([*parts, charts.hidden])


def _last_words(one: Chart, charts: Charts) -> list[str]:
    """A chart's last point, its mean, and how many points are signals."""
    row, last = one.points.iloc[-1], charts.periods[-1]
    told = text(
        "{name} has {value} in {period}", name=one.name or text("The last point"),
        value=_value(row["value"], charts), period=last,
    )  # fmt: skip
    if not pd.isna(row["centre"]):
        told += ", " + text("mean {value}", value=_value(row["centre"], charts))
    if one.rule:
        told += f"; {retold(one.rule)}"
    n_signals = int((one.points["kind"] != "common cause").sum())
    points = counted(len(one.points), "point")
    signals = text("{n} of {points} are special causes", n=n_signals, points=points)
    return [told, signals]


def notes(charts: Charts) -> list[str]:
    """What stands under the figure beside period and method."""
    parts = [
        text(
            "{letter}: limits begin anew in {period} ({reason})",
            letter=letter,
            period=charts.periods[at],
            reason=reason,
        )
        for at, (letter, reason) in charts.breaks.items()
    ]
    lines = [text("thick the mean"), text("dashed its limits")]
    lines += [text("thin the nation")] if charts.nation is not None else []
    lines += [text("dotted the target")] if charts.target is not None else []
    parts.append(text("Lines: {lines}", lines=", ".join(lines)))
    few = [one.name for one in charts.charts if one.points["lower"].isna().all()]
    if few:
        parts.append(text("No limits under {n} points: {names}", n=FEW, names=listed(few)))
    return [one for one in (*parts, charts.hidden) if one]


def _value(value: float, charts: Charts) -> str:
    return percent(value) if charts.is_share else wording.number(value, decimals=1)


def _draw_chart(axes: Any, chart: Chart, charts: Charts) -> None:
    points = chart.points
    if charts.target is not None:
        axes.axhline(charts.target, color=TARGET, lw=1.1, ls=(0, (1, 1.6)), zorder=1)
    if charts.nation is not None:
        axes.plot(range(len(charts.nation)), charts.nation, color="#8c8c8c", lw=0.7, zorder=1)
    for _segment, part in points.groupby("segment", sort=True):
        axes.plot(part["at"], part["centre"], color=INK, lw=1.3, zorder=2)
        for side in ("lower", "upper"):
            axes.plot(part["at"], part[side], color=SOFT, lw=0.9, ls=(0, (4, 2.2)), zorder=2)
    axes.plot(points["at"], points["value"], color="#a8a8a8", lw=0.9, zorder=3)
    large = 1.35 if charts.across == 1 else 1.0
    for kind, (colour, mark, _word) in KINDS.items():
        some = points[points["kind"] == kind]
        size = (3.0 if kind == "common cause" else 5.0) * large
        axes.plot(some["at"], some["value"], mark, ms=size, color=colour, clip_on=False, zorder=4)
    for at, (letter, reason) in charts.breaks.items():
        axes.axvline(at - 0.5, color=SOFT, lw=0.7, zorder=1)
        words = f"{letter}: {reason}" if charts.across == 1 else letter
        axes.annotate(
            words, (at - 0.5, 1.0), (3, -1), xycoords=axes.get_xaxis_transform(), va="top",
            textcoords="offset points", fontsize=8, color=SOFT,
        )  # fmt: skip


def _set_axes(axes: Any, charts: Charts, *, is_first: bool) -> None:
    n = len(charts.periods)
    axes.set_xlim(-0.6, n - 0.4)
    axes.set_ylim(*charts.span)
    ticks, words = share_ticks(*charts.span)
    if not charts.is_share:
        ticks = np.linspace(*charts.span, 4).tolist()
        words = [wording.number(one, decimals=1) for one in ticks]
    every = -(-len(ticks) // (4 if charts.across > 1 else 7))
    axes.set_yticks(ticks[::every], words[::every] if is_first else [])
    letters = max(len(one) for one in charts.periods)
    width = axes.get_position().width * FIGURE_WIDTH
    fits = max(2, int(width / (0.075 * letters + 0.16)))
    step = max(1, -(-(n - 1) // (fits - 1)) if n > 1 else 1)
    shown = list(range(0, n, step))
    marks = axes.set_xticks(shown, [charts.periods[at] for at in shown])
    if charts.across > 1 and n > 1:  # so that words do not reach into the next chart
        marks[0].label1.set_horizontalalignment("left")
        if shown[-1] == n - 1:
            marks[-1].label1.set_horizontalalignment("right")
    axes.tick_params(labelsize=8, length=2.5)
    axes.grid(axis="y", color=LINE, lw=0.5)
    axes.set_axisbelow(True)


def _head(axes: Any, chart: Chart, charts: Charts) -> None:
    """Name of the unit, and in words what an icon would say."""
    colour, mark, kind = KINDS[chart.kind]
    word = text(kind)
    inch = 1 / charts.plot_height
    if chart.points["lower"].isna().all():
        word, colour = text("Too few points ({n})", n=len(chart.points)), COMMON
    name, own = chart.name or charts.value_words, OWN if chart.is_own else INK
    where = {"transform": axes.transAxes, "va": "center", "fontsize": 8}
    told = text(ASSURED[chart.assurance]) if chart.assurance in ASSURED else ""
    up = [1 + line * inch for line in ((0.5, 0.33, 0.17) if told else (0.36, 0.18, 0.0))]
    axes.text(0, up[0], name, weight="bold", color=own, **{**where, "fontsize": 8.5})
    wide = axes.get_position().width * FIGURE_WIDTH
    style = {"color": colour, "clip_on": False, "transform": axes.transAxes}
    axes.plot([0.06 / wide], [up[1]], mark, ms=5.5, **style)
    ink = INK if chart.kind == "common cause" else colour
    axes.text(0.16 / wide, up[1], word, color=ink, **where)
    axes.text(0.16 / wide, up[2], told, color=SOFT, **where)
    if chart.is_own:
        for side in ("left", "bottom"):
            axes.spines[side].set_color(OWN)
            axes.spines[side].set_linewidth(1.8)


def _name_lines(axes: Any, chart: Chart, charts: Charts) -> None:
    """The values of mean, limits and target at the right end; one chart alone has the room."""
    last = chart.points.iloc[-1]
    columns = (("upper", "Upper", SOFT), ("centre", "Mean", INK), ("lower", "Lower", SOFT))
    lines = [
        (last[column], f"{text(word)} {_value(last[column], charts)}", ink)
        for column, word, ink in columns
        if pd.notna(last[column])
    ]
    if charts.target is not None:
        lines.append(
            (charts.target, text("Target {value}", value=_value(charts.target, charts)), TARGET)
        )
    if charts.nation is not None and np.isfinite(charts.nation[-1]):
        told = text("Nation {value}", value=_value(charts.nation[-1], charts))
        lines.append((charts.nation[-1], told, COMMON))
    low, high = charts.span
    wanted = [(float(value) - low) / (high - low) for value, *_ in lines]
    placed = spread(wanted, [0.145 / charts.plot_height] * len(lines))
    for (_value_of, told, ink), at in zip(lines, placed, strict=True):
        axes.text(1.02, at, told, transform=axes.transAxes, va="center", fontsize=8, color=ink)
