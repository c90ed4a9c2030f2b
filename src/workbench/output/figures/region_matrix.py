"""A matrix of regions and sub-registers: one number a cell, darker where it is worse."""

from __future__ import annotations

from typing import Any

import pandas as pd

from workbench.language import number, retold, text
from workbench.output.disclosure import HIDDEN, Released

ROW, EDGE = 0.21, 0.95
INK, SOFT, PAPER = "#1a1a1a", "#555555", "#ffffff"
DARK = (0.55, 0.20, 0.0)


def height_of(cells: Released) -> float:
    """Inches the drawing needs."""
    return ROW * cells.frame[cells.facts["by"][0]].nunique() + EDGE


def draw(
    cells: Released, figure: Any, *, value: str, worst: float, best: float, factor: float,
    words: str,
) -> None:  # fmt: skip
    """One cell a region and sub-register; from `best` (white) to `worst` (dark)."""
    frame, hidden = cells.frame, cells.hidden
    row_name, column_name = cells.facts["by"]
    rows = sorted(frame[row_name].astype(str).unique())
    columns = list(dict.fromkeys(frame[column_name].astype(str)))
    height = height_of(cells)
    axes = figure.add_axes((0.24, 0.5 / height, 0.74, 1 - 0.85 / height))
    axes.set_xlim(-0.5, len(columns) - 0.5)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    there = set(zip(frame[row_name].astype(str), frame[column_name].astype(str), strict=True))
    for y, x in ((y, x) for y in range(len(rows)) for x in range(len(columns))):
        if (rows[y], columns[x]) not in there:
            axes.text(x, y, HIDDEN, ha="center", va="center", size=7, color=SOFT)
    for at, cell in enumerate(frame.to_dict("records")):
        x, y = columns.index(str(cell[column_name])), rows.index(str(cell[row_name]))
        if hidden[value].iloc[at]:
            axes.text(x, y, HIDDEN, ha="center", va="center", size=7, color=SOFT)
            continue
        if pd.isna(cell[value]):
            axes.text(x, y, "–", ha="center", va="center", size=7, color=SOFT)
            continue
        depth = min(max((best - cell[value]) / (best - worst), 0.0), 1.0)
        colour = tuple(1 - depth * (1 - part) for part in DARK)
        across, down = [x - 0.48, x + 0.48, x + 0.48, x - 0.48], [y - 0.46] * 2 + [y + 0.46] * 2
        axes.fill(across, down, facecolor=colour, edgecolor="none")
        ink = PAPER if depth > 0.5 else INK
        axes.text(
            x, y, number(factor * cell[value], 0), ha="center", va="center", size=7.5, color=ink
        )
    axes.set_yticks(range(len(rows)), rows)
    axes.set_xticks(range(len(columns)), columns)
    axes.xaxis.tick_top()
    axes.tick_params(length=0, labelsize=8)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.set_xlabel(retold(words))


def describe(cells: Released, *, value: str, factor: float, words: str, is_high_good: bool) -> str:
    """The matrix in words: the worst and the best cells."""
    row_name, column_name = cells.facts["by"]
    known = cells.frame.dropna(subset=[value]).sort_values(value, ascending=is_high_good)
    n_hidden = int(cells.hidden[value].sum())

    def listed(rows: pd.DataFrame) -> str:
        return ", ".join(
            f"{row[row_name]} {row[column_name]} {number(factor * row[value], 0)}"
            for row in rows.to_dict("records")
        )

    told = text(
        "{what} by {row} and {column}.", what=retold(words), row=row_name, column=column_name
    )
    if known.empty:
        return told + " " + text("Every cell is hidden ({sign}).", sign=HIDDEN)
    ends = {"low": listed(known.head(4)), "high": listed(known.tail(3))}
    told += " " + text("Worst: {low}. Best: {high}.", **ends)
    hidden = text("{n} cells are hidden ({sign}).", n=n_hidden, sign=HIDDEN)
    return f"{told} {hidden}" if n_hidden else told
