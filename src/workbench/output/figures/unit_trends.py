"""Small multiples: each unit's share by year, the nation in each, and an arrow where it changes."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from workbench import language
from workbench.language import text
from workbench.output.disclosure import Released

COLUMNS, PANEL = 5, 1.12
INK, SOFT = "#1a1a1a", "#8a8a8a"
KINDS = {"improvement": "#0072B2", "concern": "#D55E00", "no direction": "#7b3294"}
ARROWS = {"rises": "▲ rises", "falls": "▼ falls"}


def units_of(trends: Released) -> list[Any]:
    """The units, those with an arrow first."""
    unit = trends.facts["by"][0]
    rows = trends.frame.drop_duplicates(unit)
    order = rows.assign(_has=~rows["trend"].isin(ARROWS))
    return order.sort_values(["_has", unit])[unit].tolist()


def height_of(trends: Released) -> float:
    """Inches the drawing needs."""
    return PANEL * math.ceil(len(units_of(trends)) / COLUMNS) + 0.35


def draw(trends: Released, figure: Any, *, own: str | None) -> None:
    """A panel a unit on the same axes; the nation of the same years behind."""
    frame = trends.frame
    unit, year = trends.facts["by"]
    frame[year] = pd.to_numeric(frame[year])
    named, height = units_of(trends), height_of(trends)
    shown = frame.groupby(year)[["events", "n"]].sum()
    nation = 100 * shown["events"] / shown["n"]
    n_rows = math.ceil(len(named) / COLUMNS)
    low, high = frame[year].min(), frame[year].max()
    for at, name in enumerate(named):
        row, column = divmod(at, COLUMNS)
        wide, tall = 0.94 / COLUMNS, (1 - 0.35 / height) / n_rows
        box = (0.05 + column * wide, 1 - (row + 1) * tall + 0.12 * tall, wide * 0.86, tall * 0.66)
        axes = figure.add_axes(box)
        points = frame[frame[unit] == name].sort_values(year)
        axes.plot(nation.index, nation, color=SOFT, lw=0.8, ls=(0, (3, 1.5)))
        trend, kind = points["trend"].iloc[0], points["kind"].iloc[0]
        colour = KINDS.get(kind, INK)
        axes.fill_between(points[year], 100 * points["lower"], 100 * points["upper"],
                          color=colour, alpha=0.14, lw=0)  # fmt: skip
        axes.plot(points[year], 100 * points["estimate"], "o-", ms=2.4, lw=1.0, color=colour)
        weight = "bold" if str(name) == own else "normal"
        title = f"{name}  {text(ARROWS[trend])}" if trend in ARROWS else str(name)
        axes.set_title(title, fontsize=7.5, loc="left", pad=2, fontweight=weight, color=colour)
        axes.set_ylim(0, 100)
        axes.set_xlim(low - 0.4, high + 0.4)
        axes.set_yticks([0, 50, 100], ["0", "50", language.per_cent(100)] if column == 0 else [])
        axes.set_xticks([low, high] if high > low else [low])
        axes.tick_params(labelsize=6.5, length=2)


def describe(trends: Released) -> str:
    """The figure in words, from the same numbers."""
    unit = trends.facts["by"][0]
    rows = trends.frame.drop_duplicates(unit)
    parts = []
    for word in ARROWS:
        names = rows.loc[rows["trend"] == word, unit].astype(str).tolist()
        told = f"{len(names)} {text(word)}"
        parts.append(told + (f" ({', '.join(names[:8])})" if names else ""))
    words = "Share by year for {n} units beside the units shown together."
    changes = text("More than chance: {changes}.", changes="; ".join(parts))
    return f"{text(words, n=len(rows))} {changes} {_hidden_words(trends.facts)}"


def _hidden_words(facts: Any) -> str:
    n = int(facts.get("n_hidden") or 0)
    if not n:
        return text("All rows are shown.")
    return text("{n} rows with few patients are not shown.", n=n)
