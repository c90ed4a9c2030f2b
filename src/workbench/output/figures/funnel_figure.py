"""The funnel: each unit's value by its size, with limits for what chance alone would do.

Limits carry their names at their right ends. A unit's flag is its mark's shape; beyond the outer
limits its colour says whether that is wanted. Only those units, and one's own, are named. Units
that the gate hides are counted under the figure and are not in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from workbench.language import text
from workbench.output import wording
from workbench.output.figures.funnel_layout import FOOT, PLOT_HEIGHT, Funnel, plan
from workbench.output.figures.label_places import Box, place_names
from workbench.output.figures.unit_marks import (
    COMMON,
    INK,
    LETTER,
    OWN,
    SOFT,
    TARGET,
    count_ticks,
    counted,
    good_or_bad,
    listed,
    percent,
    sentences,
    share_ticks,
    spread,
    wrapped,
)

__all__ = ["describe", "draw", "notes", "plan"]

PLOT_WIDTH = 4.46  # inches
FIGURE_WIDTH, LEFT = 170 / 25.4, 0.86  # room for two lines beside the axis
TEXT = 0.145  # height of a line of text
LONGEST_LABEL = 56  # letters beside the axis
ADJUSTED = "#8a5a00"
SHAPES = {"low 99.8": "v", "high 99.8": "^", "low 95": "D", "high 95": "D", "none": "o"}
RATIOS = (0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.4, 2, 3, 5, 10)
FINE_RATIOS = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.4, 1.6, 1.8, 2, 2.2)
FINE = 5  # times as high as low, below which an axis of ratios has the finer marks
LIMITS = (("998", 99.8, "-"), ("95", 95, (0, (4, 2.4))))


def draw(funnel: Funnel, figure: Any) -> None:
    """Draw limits, the nation, units, and the names of some."""
    bottom = FOOT / funnel.height
    place = (LEFT / FIGURE_WIDTH, bottom, PLOT_WIDTH / FIGURE_WIDTH, PLOT_HEIGHT / funnel.height)
    axes = figure.add_axes(place)
    _set_axes(axes, funnel)
    ends = _draw_limits(axes, funnel)
    _draw_units(axes, funnel)
    _name_lines(axes, funnel, ends)
    _name_units(axes, funnel)
    _draw_key(figure, funnel)


def describe(funnel: Funnel, *, title: str) -> str:
    """The funnel in words, from the numbers drawn: 40 to 80 words."""
    points = funnel.points
    parts = [
        f"{title}. " + text("Funnel of {units} by size", units=counted(len(points), "unit")),
        funnel.nation.words if not funnel.is_ratio else text("The nation is 1"),
    ]
    if not points["flag"].str.endswith("99.8").any():
        parts.append(text(
            "Units have {sizes} {what} and values from {values}",
            sizes=_span_words(points["size"], wording.count), what=_lower(funnel.size_words),
            values=_span_words(points["value"], lambda one: _value_words(funnel, one)),
        ))  # fmt: skip
    parts += _outside_parts(points)
    for own in points[points["is_own"]].to_dict("records"):
        value = _value_words(funnel, own["value"])
        parts.append(text("{name} has {value}, {where}", name=own["name"], value=value,
                          where=_where(own)))  # fmt: skip
    if funnel.is_adjusted:
        parts.append(text("Limits allow for more than chance"))
    return sentences([*parts, funnel.hidden])


def notes(funnel: Funnel) -> list[str]:
    """What stands under the figure beside period and method."""
    return [funnel.hidden] if funnel.hidden else []


def _span_words(values: pd.Series, words: Callable[[float], str]) -> str:
    return wording.interval(words(float(values.min())), words(float(values.max())))


def _lower(words: str) -> str:
    return words[:1].lower() + words[1:]


def _outside_parts(points: pd.DataFrame) -> list[str]:
    """How many units lie outside the outer limits, which, and how many outside the inner only."""
    far = points[points["flag"].isin(["low 99.8", "high 99.8"])]
    near = points[points["flag"].isin(["low 95", "high 95"])]
    parts = [_outside_words(far, side) for side in ("low", "high")]
    if far.empty:
        parts = [text("No unit lies outside 99.8 % limits")]
    if near.empty:
        return [*parts, text("No unit lies outside only the 95 % limits")]
    words = "{units} outside only the 95 % limits"
    return [*parts, text(words, units=counted(len(near), "unit"))]


def _outside_words(outside: pd.DataFrame, side: str) -> str:
    names = outside.loc[outside["flag"].str.startswith(side), "name"].tolist()
    if not names:
        return ""
    told = {"units": counted(len(names), "unit"), "names": listed(names, most=3)}
    if side == "low":
        return text("{units} below the 99.8 % limits: {names}", **told)
    return text("{units} above the 99.8 % limits: {names}", **told)


def _where(own: Mapping[str, Any]) -> str:
    if own["flag"] == "none":
        return text("inside the limits")
    side, level = str(own["flag"]).split()
    level = wording.number(float(level))
    if side == "low":
        return text("below the {level} % limit", level=level)
    return text("above the {level} % limit", level=level)


def _value_words(funnel: Funnel, value: float) -> str:
    return wording.number(value, decimals=2) if funnel.is_ratio else percent(value)


def _set_axes(axes: Any, funnel: Funnel) -> None:
    low, high = funnel.span
    largest = float(funnel.points["size"].max()) * 1.04
    if funnel.by_root:
        axes.set_xscale("function", functions=(_root, np.square))
    axes.set_xlim(0, largest)
    ticks = [one for one in count_ticks(largest, by_root=funnel.by_root) if one <= largest]
    axes.set_xticks(ticks, [wording.count(one) for one in ticks])
    axes.set_xticks([], minor=True)
    by_root = text("{what} (square-root scale)", what=funnel.size_words)
    axes.set_xlabel(by_root if funnel.by_root else funnel.size_words)
    if funnel.is_ratio:
        axes.set_yscale("log")
        ratios = FINE_RATIOS if high / low < FINE else RATIOS
        marks = [one for one in ratios if low <= one <= high]
        words = [wording.number(float(one)) for one in marks]
        if (funnel.points["value"] == 0).any():  # a logarithm has no 0: it stands at the foot
            marks, words = [low, *marks], ["0", *words]
        axes.set_yticks(marks, words)
        axes.set_yticks([], minor=True)
    else:
        axes.set_yticks(*share_ticks(low, min(high, 1.0)))
    axes.set_ylim(low, high)
    broken = text("{what} (axis begins at {share})", what=funnel.value_words, share=percent(low))
    told = broken if low > 0 and not funnel.is_ratio else funnel.value_words
    axes.set_ylabel(wrapped(told, LONGEST_LABEL))


def _root(values: Any) -> Any:
    return np.sqrt(np.maximum(values, 0))


def _draw_limits(axes: Any, funnel: Funnel) -> list[tuple[str, float]]:
    """Draw the lines; the name of each and where it ends at the right."""
    ends: list[tuple[str, float]] = []
    curve, begins = funnel.curve, "adjusted_" if funnel.is_adjusted else ""
    for level, share, dashes in LIMITS:
        for side in ("lower", "upper"):
            if begins:
                line = curve[f"{side}_{level}"]
                axes.plot(curve["size"], line, color="#b5b5b5", lw=0.7, ls=dashes, zorder=1)
            line = curve[f"{begins}{side}_{level}"]
            colour = ADJUSTED if begins else SOFT
            axes.plot(curve["size"], line, color=colour, lw=1.0, ls=dashes, zorder=2)
            known = line.dropna()
            if len(known):
                name = text("{level} % limit", level=wording.number(share))
                ends.append((name, float(known.iloc[-1])))
    largest = axes.get_xlim()[1]
    axes.plot([0, largest], [funnel.nation.estimate] * 2, color=INK, lw=1.3, zorder=2)
    if funnel.target is not None:
        axes.plot([0, largest], [funnel.target] * 2, color=TARGET, lw=1.3, ls=(0, (1, 1.6)))
    return ends


def _draw_units(axes: Any, funnel: Funnel) -> None:
    low = funnel.span[0]
    for one in funnel.points.to_dict("records"):
        flag = one["flag"]
        colour = _colour(flag, funnel.direction)
        value = max(one["value"], low * 1.001) if funnel.is_ratio else one["value"]
        size = {"o": 5.2, "D": 5.4}.get(SHAPES[flag], 7.2)
        axes.plot(
            [one["size"]], [value], SHAPES[flag], ms=size, color=colour, mec="white", mew=0.6,
            clip_on=False, zorder=4,
        )  # fmt: skip
        if one["is_own"]:
            axes.plot(
                [one["size"]], [value], "o", ms=13, mfc="none", mec=OWN, mew=1.8, clip_on=False,
                zorder=5,
            )  # fmt: skip


def _colour(flag: str, direction: str | None) -> str:
    """Only what lies beyond the outer limits is judged; what is worth a look has no verdict."""
    if flag.endswith("99.8"):
        return good_or_bad(flag.split()[0], direction)
    return COMMON if flag == "none" else INK


def _name_lines(axes: Any, funnel: Funnel, ends: Sequence[tuple[str, float]]) -> None:
    colour = ADJUSTED if funnel.is_adjusted else SOFT
    lines = [(value, name, colour, TEXT) for name, value in ends]
    words = (
        text("Nation {value}", value=1)
        if funnel.is_ratio
        else funnel.nation.words.replace(" (", "\n(")
    )
    lines.append((funnel.nation.estimate, words, INK, TEXT * (1 + words.count("\n"))))
    if funnel.target is not None:
        told = _value_words(funnel, funnel.target)
        lines.append((funnel.target, text("Target {value}", value=told), TARGET, TEXT))
    heights = [_up(axes, value) for value, *_ in lines]
    placed = spread(heights, [high for *_, high in lines])
    for (_value, name, colour, _high), at, wanted in zip(lines, placed, heights, strict=True):
        axes.plot(
            [1.0, 1.014], [wanted / PLOT_HEIGHT, at / PLOT_HEIGHT], transform=axes.transAxes,
            color=colour, lw=0.6, clip_on=False,
        )  # fmt: skip
        axes.text(
            1.02, at / PLOT_HEIGHT, name, transform=axes.transAxes, va="center", color=colour,
            linespacing=1.05, fontsize=8, weight="bold" if colour == INK else "normal",
        )  # fmt: skip


def _name_units(axes: Any, funnel: Funnel) -> None:
    points = funnel.points
    where = [(_across(axes, size), _up(axes, value)) for size, value in
             points[["size", "value"]].to_numpy()]  # fmt: skip
    chosen = [at for at, one in enumerate(points.to_dict("records"))
              if one["is_own"] or str(one["flag"]).endswith("99.8")]  # fmt: skip
    chosen.sort(key=lambda at: (not points["is_own"].iloc[at], -points["size"].iloc[at]))
    names = [points["name"].iloc[at] for at in chosen]
    within: Box = (0.04, 0.04, PLOT_WIDTH - 0.04, PLOT_HEIGHT - 0.02)
    widths = [1.1 * LETTER * len(name) + 0.06 for name in names]
    placed = place_names(
        [where[at] for at in chosen], widths, height=TEXT,
        within=within, marks=[*where, *_line_marks(axes, funnel)], must=int(points["is_own"].sum()),
    )  # fmt: skip
    for at, name, place in zip(chosen, names, placed, strict=True):
        if place is None:  # no room: it is in the table beside the figure
            continue
        colour = OWN if points["is_own"].iloc[at] else INK
        x, y = place.x / PLOT_WIDTH, place.y / PLOT_HEIGHT
        if place.is_far:
            start = (where[at][0] / PLOT_WIDTH, where[at][1] / PLOT_HEIGHT)
            axes.annotate(
                "", start, (x, y), xycoords="axes fraction", textcoords="axes fraction",
                arrowprops={"arrowstyle": "-", "color": colour, "lw": 0.6}, zorder=3,
            )  # fmt: skip
        axes.text(
            x, y, name, transform=axes.transAxes, ha="center", va="center", fontsize=8,
            color=colour, weight="bold" if colour == OWN else "normal", zorder=6,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.85},
        )  # fmt: skip


def _line_marks(axes: Any, funnel: Funnel) -> Sequence[tuple[float, float]]:
    """Points along the nation's line, so that no name is struck through."""
    up = _up(axes, funnel.nation.estimate)
    return [(x, up) for x in np.arange(0.1, PLOT_WIDTH, 0.12)]


def _up(axes: Any, value: float) -> float:
    low, high = axes.get_ylim()
    if axes.get_yscale() == "log":
        low, high, value = np.log(low), np.log(high), np.log(max(value, low))
    return float(np.clip((value - low) / (high - low), 0, 1)) * PLOT_HEIGHT


def _across(axes: Any, size: float) -> float:
    share = size / axes.get_xlim()[1]
    return float(np.sqrt(share) if axes.get_xscale() == "function" else share) * PLOT_WIDTH


def _draw_key(figure: Any, funnel: Funnel) -> None:
    """What shapes mean, under the axis."""
    key = figure.add_axes((LEFT / FIGURE_WIDTH, 0, 0.88, 0.3 / funnel.height))
    key.set_axis_off()
    key.set_xlim(0, 0.88 * FIGURE_WIDTH)
    key.set_ylim(0, 0.3)
    words = {
        "o": (text("inside the limits"), COMMON),
        "D": (text("outside 95 %: worth a look"), INK),
        "^": (text("above 99.8 %") + _judged("high", funnel),
              good_or_bad("high", funnel.direction)),
        "v": (text("below 99.8 %") + _judged("low", funnel),
              good_or_bad("low", funnel.direction)),
    }  # fmt: skip
    letters = LETTER * sum(len(told) for told, _colour in words.values())
    gap = min(0.3, (0.88 * FIGURE_WIDTH - letters) / len(words))  # a long key stands closer
    x = 0.05
    for shape, (told, colour) in words.items():
        key.plot([x], [0.15], shape, color=colour, ms=5.5, clip_on=False)
        key.text(x + 0.1, 0.15, told, va="center", fontsize=8, color=SOFT)
        x += gap + LETTER * len(told)


def _judged(side: str, funnel: Funnel) -> str:
    if funnel.direction is None:
        return ""
    return ": " + (text("better") if side == funnel.direction else text("worse"))
