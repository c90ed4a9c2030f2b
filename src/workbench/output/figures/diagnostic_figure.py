"""Whether hazards are proportional, by eye: released curves as log(-log S) against log time.

Under proportional hazards the lines of the groups lie a constant distance apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench import language
from workbench.errors import StudyError
from workbench.language import text
from workbench.output import wording
from workbench.output.disclosure import Released
from workbench.output.figures.survival_figure import LETTER, STROKES, WRAP, apart, name_of

HEIGHT, PLOT = 3.6, (0.11, 0.15, 0.72, 0.8)


@dataclass(frozen=True)
class Line:
    """One group: its name, and where its curve has fallen and is not yet 0."""

    name: str
    log_time: np.ndarray
    height: np.ndarray


def plan(curve: Released, labels: Mapping[str, str]) -> tuple[Line, ...]:
    """The groups of a released curve; refuses one group alone, and more than can be told apart."""
    by = list(curve.facts["by"])
    groups = list(curve.frame.groupby(by, observed=True, sort=False)) if by else []
    if not 2 <= len(groups) <= len(STROKES):
        raise StudyError(f"A comparison of hazards needs 2 to {len(STROKES)} groups.")
    lines = []
    for key, steps in groups:
        inside = steps[steps["estimate"].between(0, 1, inclusive="neither") & (steps["time"] > 0)]
        height = np.log(-np.log(inside["estimate"].to_numpy(float)))
        lines.append(Line(name_of(by, key, labels), np.log(inside["time"].to_numpy()), height))
    return tuple(lines)


def draw(lines: tuple[Line, ...], figure: Any, *, unit: str) -> None:
    """Draw the lines, named at their ends; the axes carry times and shares, not logarithms."""
    longest = max(len(line.name) for line in lines)
    left, bottom, _width, height = PLOT
    width = 0.96 - left - LETTER * min(max(longest, 2), WRAP + 1)
    axes = figure.add_axes((left, bottom, width, height))
    for line, (colour, dashes) in zip(lines, STROKES, strict=False):
        axes.step(line.log_time, line.height, where="post", color=colour, linestyle=dashes, lw=1.5)
    _label_axes(axes, unit)
    shown = [
        (line, stroke) for line, stroke in zip(lines, STROKES, strict=False) if line.height.size
    ]
    low, high = axes.get_ylim()
    ends = [(line.height[-1] - low) / (high - low) for line, _stroke in shown]
    for (line, stroke), place in zip(shown, apart(ends, least=0.07), strict=True):
        axes.text(
            1.02, place, line.name, color=stroke[0], va="center", weight="bold",
            transform=axes.transAxes,
        )  # fmt: skip


def describe(lines: tuple[Line, ...], *, title: str) -> str:
    """How far the groups lie apart early and late, in words."""
    parts = [f"{title}. " + text("The curves as log(-log S) against the logarithm of time.")]
    first, *others = lines
    for line in others:
        common = _distances(first, line)
        if common.size:
            early, late = (wording.number(float(one), decimals=1) for one in common[[0, -1]])
            words = "{name} lies {early} above {other} at first, {late} at last."
            parts.append(text(words, name=line.name, early=early, other=first.name, late=late))
    return " ".join(parts)


def _distances(one: Line, other: Line) -> np.ndarray:
    """How far one line lies above another, at the times both have."""
    times = np.union1d(one.log_time, other.log_time)
    if not one.log_time.size or not other.log_time.size:
        return np.zeros(0)
    times = times[times >= max(one.log_time[0], other.log_time[0])]
    times = times[times <= min(one.log_time[-1], other.log_time[-1])]
    heights = [
        line.height[np.searchsorted(line.log_time, times, side="right") - 1]
        for line in (one, other)
    ]
    return heights[1] - heights[0]


def _label_axes(axes: Any, unit: str) -> None:
    shares = np.array([0.99, 0.95, 0.9, 0.75, 0.5, 0.25, 0.1, 0.02])
    low, high = axes.get_ylim()
    heights = np.log(-np.log(shares))
    inside = (heights >= low) & (heights <= high)
    words = [language.share(share) for share in shares[inside]]
    axes.set_yticks(heights[inside], words)
    first, last = axes.get_xlim()
    times = np.array([m * 10.0**e for e in range(-3, 5) for m in (1, 2, 5)])
    times = times[(np.log(times) >= first) & (np.log(times) <= last)]
    axes.set_xticks(np.log(times), [wording.number(float(time)) for time in times])
    axes.set_xlabel(text("Time ({unit}), logarithmic", unit=text(unit)))
    axes.set_ylabel(text("Without the event, on the scale log(-log)"))
    axes.grid(axis="y", color="#e4e4e4", linewidth=0.6)
    axes.set_axisbelow(True)
