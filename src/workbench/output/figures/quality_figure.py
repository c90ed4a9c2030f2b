"""The figure of a table's completeness: variables by years, darker where more is missing."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import pandas as pd

from workbench import language
from workbench.language import text
from workbench.output import wording
from workbench.output.disclosure import HIDDEN, Released

ROW = 0.2
INK, SOFT, PAPER = "#1a1a1a", "#555555", "#ffffff"
DARK = (0.0, 0.33, 0.55)  # share missing 100 %


def height_of(quality: Released) -> float:
    """Inches the drawing needs."""
    return ROW * quality.frame["variable"].nunique() + 1.0


def draw(quality: Released, figure: Any, labels: Mapping[str, str]) -> None:
    """One cell a variable and year with the percentage missing; a bar marks a jump before it."""
    frame = quality.frame
    variables, years = list(dict.fromkeys(frame["variable"])), list(dict.fromkeys(frame["years"]))
    height = height_of(quality)
    axes = figure.add_axes((0.34, 0.62 / height, 0.64, 1 - 0.72 / height))
    axes.set_xlim(-0.5, len(years) - 0.5)
    axes.set_ylim(len(variables) - 0.5, -0.5)
    hidden = quality.hidden
    size = 7.5 if len(years) <= 16 else 6.0
    for at, cell in enumerate(frame.to_dict("records")):
        x, y = years.index(cell["years"]), variables.index(cell["variable"])
        share = cell["percent"]
        if hidden["percent"].iloc[at]:
            axes.text(x, y, HIDDEN, ha="center", va="center", size=size, color=SOFT)
            continue
        if pd.isna(share):
            continue
        depth = float(share) / 100
        colour = tuple(1 - depth * (1 - part) for part in DARK)
        across, down = [x - 0.48, x + 0.48, x + 0.48, x - 0.48], [y - 0.46] * 2 + [y + 0.46] * 2
        axes.fill(across, down, facecolor=colour, edgecolor="none")
        ink = PAPER if depth > 0.45 else INK
        axes.text(x, y, f"{share:.0f}", ha="center", va="center", size=size, color=ink)
        if cell["is_break"]:
            axes.plot([x - 0.5, x - 0.5], [y - 0.5, y + 0.5], color=INK, lw=2.2)
    names = [
        textwrap.shorten(wording.label(one, labels), 36, placeholder=" …") for one in variables
    ]
    axes.set_yticks(range(len(variables)), names)
    axes.set_xticks(range(len(years)), years, rotation=90 if len(years) > 8 else 0)
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.set_xlabel(
        text("Per cent missing, by year; a heavy bar marks a jump from the year before")
    )


def describe(quality: Released, labels: Mapping[str, str]) -> str:
    """The figure in words: the variables with most missing, and where shares jump."""
    frame = quality.frame.dropna(subset=["percent"])
    totals = frame.groupby("variable", sort=False)[["n_rows", "n_missing"]].sum()
    share = (totals["n_missing"] / totals["n_rows"]).sort_values(ascending=False)
    most = [f"{wording.label(n, labels)} {language.share(one)}" for n, one in share.head(3).items()]
    jumps = frame[frame["is_break"]]
    where = [
        f"{wording.label(row['variable'], labels)} ({row['years']})"
        for row in jumps.to_dict("records")
    ]
    told = text("Per cent missing by variable and year.")
    if not most:
        return told + " " + text("Every number is hidden ({sign}).", sign=HIDDEN)
    jumps_told = text("Jumps: {places}.", places=", ".join(where[:8]))
    return " ".join([
        told, text("Most is missing in: {names}.", names=", ".join(most)),
        jumps_told if where else text("No jumps between years."),
    ])  # fmt: skip
