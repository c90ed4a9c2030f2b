"""Small multiples: each unit's share by year, the nation in each, and an arrow where it changes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from workbench import language
from workbench.language import text
from workbench.output.disclosure import Released
from workbench.output.figures.unit_marks import counted

COLUMNS, PANEL = 5, 1.12
SIGNS = 22  # letters over a panel before they reach the next one
WIDE, TALL, FOOT = 0.84, 0.64, 0.84  # of a panel: its axes, and where they stand
FEWEST = 2  # years of a unit below which there is no line to draw
INK, SOFT = "#1a1a1a", "#8a8a8a"
KINDS = {"improvement": "#0072B2", "concern": "#D55E00", "no direction": "#7b3294"}
ARROWS = {"rises": "▲ rises", "falls": "▼ falls"}


def units_of(trends: Released, alone: str | None = None) -> list[Any]:
    """The units with two years or more to show, those with an arrow first; or one alone."""
    unit = trends.facts["by"][0]
    frame = trends.frame
    rows = frame[frame.groupby(unit)[unit].transform("size") >= FEWEST].drop_duplicates(unit)
    if alone is not None and alone in rows[unit].astype(str).tolist():
        return [one for one in rows[unit] if str(one) == alone]
    order = rows.assign(_has=~rows["trend"].isin(ARROWS))
    return order.sort_values(["_has", unit])[unit].tolist()


def height_of(trends: Released, alone: str | None = None) -> float:
    """Inches the drawing needs."""
    return PANEL * math.ceil(max(len(units_of(trends, alone)), 1) / COLUMNS) + 0.35


def draw(trends: Released, figure: Any, *, own: str | None, alone: str | None = None) -> None:
    """A panel a unit on one scale; the nation of the same years behind.

    All panels lie in one pair of axes: making axes is what takes time, and a pack for sixty units
    has hundreds of panels.
    """
    frame = trends.frame
    unit, year = trends.facts["by"]
    frame[year] = pd.to_numeric(frame[year])
    named, height = units_of(trends, alone), height_of(trends, alone)
    shown = frame.groupby(year)[["events", "n"]].sum()
    nation = shown["events"] / shown["n"]
    n_rows = math.ceil(max(len(named), 1) / COLUMNS)
    axes = figure.add_axes((0.06, 0.35 / height / 2, 0.94, 1 - 0.35 / height / 2))
    axes.set_xlim(0, COLUMNS)
    axes.set_ylim(n_rows, 0)
    axes.axis("off")
    low, high = int(frame[year].min()), int(frame[year].max())
    for at, name in enumerate(named):
        panel = _Panel(axes, at % COLUMNS, at // COLUMNS, low, high)
        points = frame[frame[unit] == name].sort_values(year)
        _draw_panel(panel, nation, points.rename(columns={year: "year"}))
        _draw_title(panel, str(name), points.iloc[0], is_own=str(name) == own)
        panel.frame()


@dataclass(frozen=True)
class _Panel:
    """One unit's place in the axes: years along, shares upwards."""

    axes: Any
    column: int
    row: int
    low: int
    high: int

    def x(self, year: Any) -> Any:
        span = max(self.high - self.low, 1)
        return self.column + WIDE * (0.04 + 0.92 * (year - self.low) / span)

    def y(self, share: Any) -> Any:
        return self.row + FOOT - TALL * share

    def frame(self) -> None:
        """Axes, the ends of the years and, at the left, the shares."""
        left, bottom, top = self.column, self.y(0), self.y(1)
        line = {"color": SOFT, "lw": 0.7}
        self.axes.plot([left, left], [bottom, top], **line)
        self.axes.plot([left, left + WIDE], [bottom, bottom], **line)
        for year in dict.fromkeys((self.low, self.high)):
            self.axes.text(self.x(year), bottom + 0.04, str(year), ha="center", va="top", size=6.5)
        if self.column == 0:
            for share, words in ((0, "0"), (0.5, "50"), (1, language.per_cent(100))):
                self.axes.text(left - 0.03, self.y(share), words, ha="right", va="center", size=6.5)


def _draw_panel(panel: _Panel, nation: pd.Series, points: pd.DataFrame) -> None:
    colour = KINDS.get(points["kind"].iloc[0], INK)
    years = points["year"].to_numpy(float)
    panel.axes.plot(panel.x(nation.index.to_numpy(float)), panel.y(nation.to_numpy()), color=SOFT,
                    lw=0.8, ls=(0, (3, 1.5)))  # fmt: skip
    panel.axes.fill_between(panel.x(years), panel.y(points["lower"].to_numpy(float)),
                            panel.y(points["upper"].to_numpy(float)), color=colour, alpha=0.14,
                            lw=0)  # fmt: skip
    panel.axes.plot(panel.x(years), panel.y(points["estimate"].to_numpy(float)), "o-", ms=2.4,
                    lw=1.0, color=colour)  # fmt: skip


def _draw_title(panel: _Panel, name: str, first: pd.Series, *, is_own: bool) -> None:
    trend = first["trend"]
    arrow = text(ARROWS[trend]) if trend in ARROWS else ""
    if len(name) + len(arrow) > SIGNS:
        arrow = arrow[:1]  # the sign alone; the word stands in the description
    title = f"{name}  {arrow}".rstrip()
    panel.axes.text(
        panel.column, panel.y(1) - 0.04, title, size=7.5 * min(1, SIGNS / len(title)), va="bottom",
        color=KINDS.get(first["kind"], INK), weight="bold" if is_own else "normal",
    )  # fmt: skip


def describe(trends: Released) -> str:
    """The figure in words, from the same numbers."""
    unit = trends.facts["by"][0]
    rows = trends.frame.drop_duplicates(unit)
    parts = []
    for word in ARROWS:
        names = rows.loc[rows["trend"] == word, unit].astype(str).tolist()
        told = f"{len(names)} {text(word)}"
        parts.append(told + (f" ({', '.join(names[:8])})" if names else ""))
    words = "Share by year for {units} beside the units shown together."
    changes = text("More than chance: {changes}.", changes="; ".join(parts))
    return (
        f"{text(words, units=counted(len(rows), 'unit'))} {changes} {_hidden_words(trends.facts)}"
    )


def _hidden_words(facts: Any) -> str:
    n = int(facts.get("n_hidden") or 0)
    if not n:
        return text("All rows are shown.")
    return text("{n} rows with few patients are not shown.", n=n)
