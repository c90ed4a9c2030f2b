"""Indicators of many registers by region: levels as marks and words, and how sure they are."""

from __future__ import annotations

import textwrap
from typing import Any

from workbench import language
from workbench.language import text
from workbench.output.disclosure import HIDDEN, Released

ROW, EDGE = 0.235, 2.25
INK, SOFT = "#1a1a1a", "#6b6b6b"
LEVELS = {  # colour, mark, words
    "high": ("#005f87", "o", "high"),
    "moderate": ("#c98500", "D", "moderate"),
    "low": ("#8f1d2c", "v", "low"),
}
WIDE = 24  # signs of an indicator's name in a line


def height_of(overview: Released) -> float:
    """Inches the drawing needs."""
    return ROW * overview.frame[overview.facts["by"][1]].nunique() + EDGE


def draw(overview: Released, figure: Any) -> None:
    """One cell an indicator and region: the share, and a mark in form and colour of its level."""
    frame = overview.frame
    column_name, row_name = overview.facts["by"]
    rows = sorted(frame[row_name].astype(str).unique())
    columns = list(dict.fromkeys(frame[column_name].astype(str)))
    height = height_of(overview)
    axes = figure.add_axes((0.17, 0.42 / height, 0.82, 1 - (EDGE - 0.08) / height))
    axes.set_xlim(-0.5, len(columns) - 0.5)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    shown = {(str(c[row_name]), str(c[column_name])): c for c in frame.to_dict("records")}
    for y, row in enumerate(rows):
        for x, column in enumerate(columns):
            _draw_cell(axes, x, y, shown.get((row, column)))
        if y % 2:
            axes.axhspan(y - 0.5, y + 0.5, color="#f4f4f4", lw=0, zorder=0)
    axes.set_yticks(range(len(rows)), rows)
    names = ["\n".join(textwrap.wrap(name, WIDE)) for name in columns]
    axes.set_xticks(range(len(columns)), names, rotation=90, fontsize=7)
    axes.xaxis.tick_top()
    axes.tick_params(length=0, labelsize=7.5)
    for side in axes.spines.values():
        side.set_visible(False)
    _draw_key(figure, height)


def describe(overview: Released) -> str:
    """The table in words: how many levels are decided, by indicator."""
    frame = overview.frame
    column_name = overview.facts["by"][0]
    parts = []
    for name, cells in frame.groupby(column_name, sort=False):
        decided = cells["level_words"].isin(LEVELS)
        highs = int((cells["level_words"] == "high").sum())
        words = "{name}: {n} regions surely high, {open} not decided"
        parts.append(text(words, name=name, n=highs, open=int((~decided).sum())))
    told = text("Levels of {n} indicators by region.", n=len(parts)) + f" {'; '.join(parts[:6])}."
    n_hidden = int(overview.facts.get("n_hidden") or 0)
    return f"{told} {text('{n} cells are not shown.', n=n_hidden)}" if n_hidden else told


def _draw_cell(axes: Any, x: int, y: int, cell: dict[str, Any] | None) -> None:
    if cell is None:
        axes.text(x, y, HIDDEN, ha="center", va="center", size=6.5, color=SOFT)
        return
    level, words = cell.get("level"), str(cell.get("level_words"))
    if cell["estimate"] != cell["estimate"]:  # no number: the register knows too few of the cases
        axes.text(x, y, text("coverage"), ha="center", va="center", size=6, color=SOFT)
        return
    if isinstance(level, str) and level in LEVELS:
        colour, mark, _ = LEVELS[level]
        face = colour if words in LEVELS else "white"
        axes.plot([x - 0.28], [y], mark, ms=6, color=colour, mfc=face, mew=1.1)
    axes.text(x - 0.08, y, language.share(cell["estimate"]), va="center", size=7, color=INK)


def _draw_key(figure: Any, height: float) -> None:
    axes = figure.add_axes((0.17, 0.02 / height, 0.82, 0.3 / height))
    axes.set_xlim(0, 100)
    axes.set_ylim(0, 1)
    axes.axis("off")
    for at, (colour, mark, words) in enumerate(LEVELS.values()):
        axes.plot([2 + 18 * at], [0.5], mark, ms=6, color=colour)
        axes.text(4 + 18 * at, 0.5, text(words), va="center", size=7.5)
    axes.plot([56], [0.5], "o", ms=6, color=SOFT, mfc="white", mew=1.1)
    told = text("open: not decided between levels;  {sign} hidden", sign=HIDDEN)
    axes.text(58, 0.5, told, va="center", size=7.5)
