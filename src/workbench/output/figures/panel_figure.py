"""Curves side by side on one scale: incidence by cause, or observed beside net survival.

Groups differ by colour and dashes, and are named at the ends of the curves of the last panel;
numbers at risk stand under the first.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from workbench import language
from workbench.errors import StudyError
from workbench.language import retold, text
from workbench.output import wording
from workbench.output.disclosure import HIDDEN, Released
from workbench.output.figures.survival_figure import (
    AXIS,
    LEFT_EDGE,
    LETTER,
    ROW,
    SOFT,
    STROKES,
    WRAP,
    apart,
    even_ticks,
    name_of,
)

PLOT_HEIGHT, TOP = 2.55, 0.36  # inches of the plots, and over them for their titles
GAP = 0.055  # between panels, of the figure's width
MOST_PANELS = 3
# where the vertical axis may end, and the step of its labels
SHARES = {0.05: 0.01, 0.1: 0.02, 0.2: 0.05, 0.4: 0.1, 0.6: 0.2, 0.8: 0.2, 1.0: 0.2, 1.2: 0.2}


@dataclass(frozen=True)
class Curve:
    """One line of a panel; lower and upper are missing where it has no interval."""

    group: int
    points: pd.DataFrame  # time, estimate, lower, upper
    is_step: bool = True
    is_faint: bool = False


@dataclass(frozen=True)
class Panel:
    """One plot and what it shows."""

    title: str
    curves: tuple[Curve, ...]


@dataclass(frozen=True)
class Plan:
    """Everything the drawing needs."""

    panels: tuple[Panel, ...]
    names: tuple[str, ...]
    at_risk: tuple[tuple[str, ...], ...]  # of each group, at each tick
    ticks: tuple[float, ...]
    unit: str
    axis: str  # what the vertical axis shows
    start: float  # where curves begin: 0 or 1
    top: float

    @property
    def height(self) -> float:
        """Inches of the drawing."""
        return TOP + PLOT_HEIGHT + AXIS + ROW * (len(self.names) + 1) + 0.1


def plan_incidence(
    curve: Released, *, unit: str, horizon: float | None, labels: Mapping[str, str] | None
) -> Plan:
    """One panel for each cause, one line for each group."""
    frame, by = curve.frame, [name for name in curve.facts["by"] if name != "cause"]
    groups = _groups(frame, by)
    causes = list(dict.fromkeys(frame["cause"].tolist()))
    if len(causes) > MOST_PANELS:
        raise StudyError(f"A figure shows {MOST_PANELS} causes side by side, not {len(causes)}.")
    panels = []
    for cause in causes:
        lines = [
            Curve(at, rows[rows["cause"] == cause].reset_index(drop=True))
            for at, (_key, rows) in enumerate(groups)
        ]
        panels.append(Panel(retold(str(cause)), tuple(lines)))
    ends = horizon or float(frame["time"].max())
    ticks = [tick for tick in even_ticks(ends) if tick <= ends]
    first = [rows[rows["cause"] == causes[0]] for _key, rows in groups]
    numbers = [tuple(_at_risk(rows, tick) for tick in ticks) for rows in first]
    names = [name_of(by, key, labels or {}) for key, _rows in groups]
    highest = float(frame.loc[frame["time"] <= ends, "upper"].max())
    top = next(share for share in SHARES if share >= min(highest, 1.0))
    return Plan(
        tuple(panels), tuple(names), tuple(numbers), (*ticks, ends), unit,
        text("Share with the event"), 0.0, top,
    )  # fmt: skip


def plan_net(curve: Released, *, unit: str, labels: Mapping[str, str] | None) -> Plan:
    """Observed beside expected survival, and net survival with its interval."""
    frame, by = curve.frame, list(curve.facts["by"])
    groups = _groups(frame, by)
    net, beside = [], []
    for at, (_key, rows) in enumerate(groups):
        rows = rows.reset_index(drop=True)
        net.append(Curve(at, rows, is_step=False))
        for column, is_faint in (("observed", False), ("expected", True)):
            if column in rows:
                points = rows[["time"]].assign(estimate=rows[column], lower=np.nan, upper=np.nan)
                beside.append(Curve(at, points, is_step=False, is_faint=is_faint))
    panels = [Panel(text("Net survival"), tuple(net))]
    if beside:
        panels.insert(0, Panel(text("Observed (faint: expected)"), tuple(beside)))
    ends = float(frame["time"].max())
    top = 1.0 if float(frame["estimate"].max()) <= 1.0 else 1.2  # net survival may pass 100 %
    ticks = [tick for tick in even_ticks(ends) if tick <= ends]
    numbers = [tuple(_at_risk_at(rows, tick) for tick in ticks) for _key, rows in groups]
    names = [name_of(by, key, labels or {}) for key, _rows in groups]
    return Plan(
        tuple(panels),
        tuple(names),
        tuple(numbers),
        (*ticks, ends),
        unit,
        text("Survival"),
        1.0,
        top,
    )


def draw(plan: Plan, figure: Any) -> None:
    """Draw the panels, the names at the last one's curves, numbers at risk under the first."""
    longest = max(len(name) for name in plan.names)
    left = max(0.105, 0.06 + LETTER * longest)
    right = 0.985 - LETTER * min(max(longest, 2), WRAP + 1)
    n = len(plan.panels)
    width = (right - left - GAP * (n - 1)) / n
    bottom = 1 - (TOP + PLOT_HEIGHT) / plan.height
    for at, panel in enumerate(plan.panels):
        place = (left + at * (width + GAP), bottom, width, PLOT_HEIGHT / plan.height)
        axes = figure.add_axes(place)
        _draw_panel(axes, panel, plan, is_first=at == 0)
        if at == n - 1:
            _name_curves(axes, panel, plan)
        if at == 0:
            _numbers_under(axes, plan, left=(LEFT_EDGE - left) / width)


def describe(plan: Plan, *, title: str) -> str:
    """What the curves show at the end, in words, from the numbers drawn."""
    end = plan.ticks[-1]
    words = "{what} over time in {unit}, with 95 % intervals."
    parts = [f"{title}. {text(words, what=plan.axis, unit=text(plan.unit))}"]
    for panel in plan.panels:
        told = []
        for curve in panel.curves:
            points = curve.points[curve.points["time"] <= end]
            if curve.is_faint or points.empty:
                continue
            last = points.iloc[-1]
            told.append(text(
                "{name} {share} at {time} {unit}", name=plan.names[curve.group],
                share=language.share(last["estimate"]), unit=text(plan.unit),
                time=wording.number(float(last["time"])),
            ))  # fmt: skip
        parts.append(f"{panel.title}: {'; '.join(told)}.")
    return " ".join(parts)


def _groups(frame: pd.DataFrame, by: list[str]) -> list[tuple[Any, pd.DataFrame]]:
    groups = list(frame.groupby(by, observed=True, sort=False)) if by else [((), frame)]
    if len(groups) > len(STROKES):
        raise StudyError(
            f"A figure tells {len(STROKES)} groups apart, not {len(groups)}. Join groups, or draw "
            "one figure for each part."
        )
    return groups


def _at_risk(rows: pd.DataFrame, tick: float) -> str:
    later = rows.loc[rows["time"] >= tick, "at_risk"]
    return wording.count(later.iloc[0]) if len(later) else wording.count(0)


def _at_risk_at(rows: pd.DataFrame, tick: float) -> str:
    """The number shown at just this time; blank where there is none, the sign where hidden."""
    here = rows.loc[rows["time"] == tick, "at_risk"]
    if here.empty:
        return ""
    return HIDDEN if pd.isna(here.iloc[0]) else wording.count(here.iloc[0])


def _draw_panel(axes: Any, panel: Panel, plan: Plan, *, is_first: bool) -> None:
    end = plan.ticks[-1]
    for curve in panel.curves:
        _draw_curve(axes, curve, plan)
    axes.set_xlim(0, end)
    axes.set_ylim(0, plan.top)
    shares = np.arange(0, plan.top + 1e-9, SHARES[plan.top])
    words = [language.share(share) for share in shares] if is_first else []
    axes.set_yticks(shares, words or [""] * len(shares))
    axes.set_xticks(plan.ticks[:-1], [wording.number(float(one)) for one in plan.ticks[:-1]])
    axes.set_xlabel(text("Time ({unit})", unit=text(plan.unit)), labelpad=3)
    if is_first:
        axes.set_ylabel(plan.axis)
    axes.set_title(_sentence(panel.title), loc="left", fontsize=8.5, weight="bold", pad=8)
    axes.grid(axis="y", color="#e4e4e4", linewidth=0.6, zorder=0)
    axes.set_axisbelow(True)
    for spine in ("left", "bottom"):
        axes.spines[spine].set_position(("outward", 3))


def _draw_curve(axes: Any, curve: Curve, plan: Plan) -> None:
    colour, dashes = STROKES[curve.group]
    end, points = plan.ticks[-1], curve.points
    inside = points[points["time"] <= end]
    time = [*([0.0] if inside["time"].min() > 0 else []), *inside["time"]]
    begin = [plan.start] * (len(time) - len(inside))
    values = {name: [*begin, *inside[name]] for name in ("estimate", "lower", "upper")}
    if curve.is_step and len(points) > len(inside):
        time.append(end)
        values = {name: [*one, one[-1]] for name, one in values.items()}
    style = {"color": colour, "linestyle": dashes, "lw": 1.5}
    if curve.is_faint:
        style |= {"lw": 0.9, "alpha": 0.55}
    how = "post" if curve.is_step else None
    if not np.isnan(values["lower"]).all():
        axes.fill_between(
            time, values["lower"], values["upper"], step=how, color=colour, alpha=0.13, lw=0
        )
    if curve.is_step:
        axes.step(time, values["estimate"], where="post", **style)
    else:
        axes.plot(time, values["estimate"], **style)


def _name_curves(axes: Any, panel: Panel, plan: Plan) -> None:
    end = plan.ticks[-1]
    curves = [curve for curve in panel.curves if not curve.is_faint]
    ends = []
    for curve in curves:
        inside = curve.points[curve.points["time"] <= end]
        ends.append(float(inside["estimate"].iloc[-1]) / plan.top if len(inside) else plan.start)
    names = ["\n".join(textwrap.wrap(plan.names[curve.group], WRAP)) for curve in curves]
    places = apart(ends, least=0.14 if any("\n" in name for name in names) else 0.075)
    for curve, name, value, place in zip(curves, names, ends, places, strict=True):
        colour = STROKES[curve.group][0]
        inside = curve.points[curve.points["time"] <= end]
        last = float(inside["time"].iloc[-1]) if len(inside) else 0.0
        if abs(place - value) > 0.01 or last < end:
            line = ([last, end * 1.02], [value * plan.top, place * plan.top])
            axes.plot(*line, color=colour, lw=0.5, alpha=0.7, clip_on=False)
        axes.text(end * 1.03, place * plan.top, name, color=colour, va="center", weight="bold")


def _numbers_under(axes: Any, plan: Plan, *, left: float) -> None:
    across, row = axes.get_xaxis_transform(), ROW / PLOT_HEIGHT
    at = -(AXIS - 0.02) / PLOT_HEIGHT
    style = {"va": "center", "color": SOFT}
    axes.text(left, at, text("At risk"), transform=axes.transAxes, **style)
    for group, (name, numbers) in enumerate(zip(plan.names, plan.at_risk, strict=True)):
        at -= row
        style = {"va": "center", "color": STROKES[group][0]}
        axes.text(left, at, name, weight="bold", transform=axes.transAxes, **style)
        for tick, n in zip(plan.ticks[:-1], numbers, strict=True):
            axes.text(tick, at, n, ha="center", transform=across, **style)


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]
