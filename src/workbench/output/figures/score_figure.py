"""Mean scores of a questionnaire: a panel a scale, a row a unit, the nation on top.

Rows are sorted by name: a mean of those who answered is no base for a rank. Units with a low
response are hollow and grey; those with too few answers have no row, and are counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from workbench.analysis.prom import DisplayRule
from workbench.errors import StudyError
from workbench.language import retold, text
from workbench.output import wording
from workbench.output.disclosure import Released
from workbench.output.figures.unit_marks import (
    FAINT,
    INK,
    LINE,
    OWN,
    SOFT,
    counted,
    hidden_words,
    name_of,
    out_of,
    percent,
    sentences,
    wrapped,
)

ROW, TOP, LINE_OF_TITLE, FOOT = 0.2, 0.22, 0.15, 0.55  # inches
MOST_UNITS, MOST_PANELS = 56, 3
LONGEST = 24  # letters of a name
LEFT, RIGHT, GAP = 0.235, 0.12, 0.035  # of the figure's width: names, answers, between panels
LETTERS = 88  # of a title, in the figure's width


@dataclass(frozen=True)
class Scores:
    """Everything the drawing needs; `names` from top to bottom, the nation first."""

    names: tuple[str, ...]
    own: str | None
    response: Mapping[str, float]  # by name; missing where it is not shown
    scales: tuple[str, ...]
    rows: pd.DataFrame  # name, scale, mean, lower, upper; missing where hidden
    span: tuple[float, float]
    n_hidden: int  # units without a score
    answered: str  # how many of how many, if that is known

    @property
    def height(self) -> float:
        """Inches of the drawing."""
        n_lines = max(title.count("\n") + 1 for title in self.titles)
        return TOP + LINE_OF_TITLE * n_lines + ROW * len(self.names) + FOOT

    @property
    def width(self) -> float:
        """A panel's part of the figure's width."""
        n = len(self.scales)
        return (1 - LEFT - RIGHT - GAP * (n - 1)) / n

    @property
    def titles(self) -> list[str]:
        """What stands over each panel, in lines that fit it."""
        return [wrapped(retold(scale), int(self.width * LETTERS)) for scale in self.scales]

    def is_low(self, name: str) -> bool:
        """Whether so few of a unit answered that its mean may be that of some kind of patients."""
        return self.response.get(name, np.nan) < DisplayRule().low_response


def plan(
    units: Released, nation: Released, *, answers: Released | None, own: str | None
) -> Scores:  # fmt: skip
    """Lay out released scores: those of `units` by unit and scale, of the `nation` by scale.

    Raises
    ------
    StudyError
        More units than a page holds, or more scales than stand beside each other.
    """
    unit, _ = units.facts["by"]
    scales = tuple(dict.fromkeys(units.frame["scale"].astype(str)))
    every = units.frame.assign(name=units.frame[unit].astype(str))
    names = sorted(every.loc[every["mean"].notna(), "name"].unique())
    frame = every[every["name"].isin(names)]
    if len(names) > MOST_UNITS or len(scales) > MOST_PANELS:
        raise StudyError(
            f"The figure has room for {MOST_UNITS} units and {MOST_PANELS} scales, not for "
            f"{len(names)} and {len(scales)}. Join units, or choose scales."
        )
    whole = text("Nation")
    top = nation.frame[nation.frame["scale"].isin(scales)].assign(name=whole)
    columns = ["name", "scale", "mean", "lower", "upper"]
    rows = pd.concat([top[columns], frame[columns]], ignore_index=True)
    numbers = ["mean", "lower", "upper"]
    rows[numbers] = rows[numbers].astype(float)
    n_hidden = int(every["name"].nunique()) - len(names)
    response, told = _response(answers, whole)
    return Scores((whole, *names), own, response, scales, rows, _span(rows), n_hidden, told)


def _response(answers: Released | None, whole: str) -> tuple[dict[str, float], str]:
    if answers is None:
        return {}, ""
    facts = answers.facts
    names = answers.frame[facts["by"][0]].astype(str)
    shares = answers.frame["estimate"].astype(float).where(~answers.hidden.any(axis=1))
    found = dict(zip(names, shares, strict=True)) | {whole: float(facts["nation_estimate"])}
    told = text("Answered: {counts}", counts=out_of(facts["events"], facts["n"]))
    return found, told


def _span(rows: pd.DataFrame) -> tuple[float, float]:
    low, high = float(rows["lower"].min()), float(rows["upper"].max())
    return np.floor((low - 1) / 10) * 10, np.ceil((high + 1) / 10) * 10


def draw(scores: Scores, figure: Any) -> None:
    """Draw names at the left, a panel a scale, the share that answered at the right."""
    n_rows, height = len(scores.names), scores.height
    tall, n = ROW * n_rows / height, len(scores.scales)
    for at, (scale, title) in enumerate(zip(scores.scales, scores.titles, strict=True)):
        left = LEFT + at * (scores.width + GAP)
        axes = figure.add_axes((left, FOOT / height, scores.width, tall))
        _draw_panel(axes, scores, scale)
        axes.set_title(title, fontsize=8.5, loc="left", pad=4)
        if at == 0:
            _draw_names(axes, scores)
        if at == n - 1:
            _draw_response(axes, scores)
    middle = (1 + LEFT - RIGHT) / 2
    words = text("Mean score of those who answered, with 95 % interval")
    figure.text(middle, 0.09 / height, words, ha="center", fontsize=8.5)


def _draw_panel(axes: Any, scores: Scores, scale: str) -> None:
    axes.set_ylim(len(scores.names) - 0.5, -0.5)
    axes.set_xlim(*scores.span)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.locator_params(axis="x", nbins=5, integer=True)
    rows = scores.rows[scores.rows["scale"] == scale].set_index("name")
    nation = float(rows.loc[scores.names[0], "mean"])
    if not np.isnan(nation):
        axes.axvline(nation, color=INK, lw=0.9, zorder=1)
    for at, name in enumerate(scores.names):
        axes.plot(scores.span, [at, at], color=LINE, lw=0.5, zorder=0.5)
        row = rows.loc[name]
        if not np.isnan(row["mean"]):  # another scale of the unit may have answers enough
            _draw_mean(axes, at, row, scores, name)


def _draw_mean(axes: Any, at: int, row: Mapping[str, float], scores: Scores, name: str) -> None:
    is_low, is_first = scores.is_low(name), at == 0
    colour = INK if is_first else OWN if name == scores.own else FAINT if is_low else SOFT
    width = 2.0 if is_first or name == scores.own else 1.3
    axes.plot([row["lower"], row["upper"]], [at, at], color=colour, lw=width, zorder=2)
    fill = "white" if is_low and not is_first else colour
    edge = colour if fill == "white" else "white"
    axes.plot([row["mean"]], [at], "D" if is_first else "o", ms=6.5 if is_first else 5.2,
              mfc=fill, mec=edge, mew=1.1 if fill == "white" else 0.6, zorder=3)  # fmt: skip


def _draw_names(axes: Any, scores: Scores) -> None:
    for at, name in enumerate(scores.names):
        is_told = at == 0 or name == scores.own
        colour = OWN if name == scores.own else INK
        axes.text(-0.04, at, name_of(name, None, longest=LONGEST), ha="right", color=colour,
                  va="center_baseline", weight="bold" if is_told else "normal",
                  transform=axes.get_yaxis_transform())  # fmt: skip


def _draw_response(axes: Any, scores: Scores) -> None:
    if not scores.response:
        return
    style = {"transform": axes.get_yaxis_transform(), "ha": "right"}
    axes.text(1.3, -0.9, text("answered"), va="bottom", fontsize=8, color=SOFT, **style)
    for at, name in enumerate(scores.names):
        share = scores.response.get(name, np.nan)
        told = wording.HIDDEN if np.isnan(share) else percent(share)
        axes.text(1.3, at, told, va="center_baseline", color=INK if at == 0 else SOFT,
                  weight="bold" if at == 0 else "normal", **style)  # fmt: skip


def describe(scores: Scores, *, title: str) -> str:
    """The figure in words, from the numbers drawn."""
    parts = [text("{title}, {units} by name", title=title,
                  units=counted(len(scores.names) - 1, "unit"))]  # fmt: skip
    rows = scores.rows.dropna(subset="mean")
    for scale in scores.scales:
        of_scale = rows[rows["scale"] == scale].set_index("name")["mean"]
        units = of_scale.drop(scores.names[0], errors="ignore")
        if units.empty or scores.names[0] not in of_scale:
            continue
        parts.append(text(
            "{scale}: nation {mean}, units from {low} to {high}", scale=retold(scale),
            mean=wording.number(of_scale[scores.names[0]], decimals=0),
            low=wording.number(units.min(), decimals=0),
            high=wording.number(units.max(), decimals=0),
        ))  # fmt: skip
    return sentences([*parts, *notes(scores)])


def notes(scores: Scores) -> list[str]:
    """What stands under the figure beside period and method."""
    hidden, own = hidden_words(scores.n_hidden, text("too few answers")), ""
    if scores.own is not None and scores.own not in scores.names:
        own = text("{unit} is not shown, or has no patients here", unit=scores.own)
    return [one for one in (scores.answered, hidden, own) if one]
