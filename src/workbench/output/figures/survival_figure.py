"""The survival figure: step curves with bands, labels at their ends, numbers under the axis."""

from __future__ import annotations

import math
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
from workbench.output.disclosure import Released

# Okabe and Ito's colours darkened to a contrast of 4.5 or more on white, each with its own dashes.
STROKES = (
    ("#00548c", "-"),
    ("#b34a00", (0, (5, 1.6))),
    ("#1c6e50", (0, (1.2, 1.2))),
    ("#7a2f72", (0, (6, 1.5, 1.2, 1.5))),
    ("#1a1a1a", (0, (2.6, 1.2))),
    ("#7d6200", (0, (8, 1.5, 1.2, 1.5, 1.2, 1.5))),
)
PLOT_HEIGHT = 3.1
TOP, AXIS = 0.14, 0.66  # inches over the plot, and for its axis below
ROW = 0.17
LEFT_EDGE = 0.012
LETTER = 0.0106  # of the figure's width, bold
LONGEST_NAME, WRAP = 30, 17
MOST_TICKS = 8
SOFT = "#555555"


@dataclass(frozen=True)
class Line:
    """One group's curve, its name and stroke, and its numbers at the ticks."""

    name: str
    colour: str
    dashes: Any
    steps: pd.DataFrame
    at_risk: tuple[int, ...]
    events: tuple[int, ...]


@dataclass(frozen=True)
class Plan:
    """Everything the drawing needs."""

    lines: tuple[Line, ...]
    ticks: tuple[float, ...]
    end: float
    unit: str
    outcome: str
    test: str

    @property
    def height(self) -> float:
        """Inches of the drawing: the plot, the axis, and two blocks of numbers."""
        return TOP + PLOT_HEIGHT + AXIS + self.table_height

    @property
    def table_height(self) -> float:
        """Inches of the numbers under the axis."""
        return 2 * ROW * (len(self.lines) + 1) + 0.12


def plan(
    curve: Released,
    *,
    unit: str,
    outcome: str,
    logrank: Released | None,
    labels: Mapping[str, str] | None,
) -> Plan:
    """Order groups, strokes and ticks; refuses more groups than can be told apart."""
    frame, by = curve.frame, list(curve.facts["by"])
    groups = list(frame.groupby(by, observed=True, sort=False)) if by else [((), frame)]
    if len(groups) > len(STROKES):
        raise StudyError(
            f"A survival figure tells {len(STROKES)} groups apart, not {len(groups)}. Join groups, "
            "or draw one figure for each part."
        )
    asked = sorted(set(curve.parts["at_risk"].frame["time"]))
    longest = float(frame["time"].max())
    ticks = asked if len(asked) > 1 else even_ticks(longest)
    lines = []
    for (key, steps), (colour, dashes) in zip(groups, STROKES, strict=False):
        numbers = [_numbers_at(steps, tick) for tick in ticks]
        at_risk, events = zip(*numbers, strict=True)
        name = name_of(by, key, labels or {})
        lines.append(Line(name, colour, dashes, steps.reset_index(drop=True), at_risk, events))
    test = "" if logrank is None else _test_text(logrank)
    end = max(ticks) if len(asked) > 1 else max(longest, max(ticks))
    return Plan(tuple(lines), tuple(ticks), end, unit, retold(outcome), test)


def draw(plan: Plan, figure: Any) -> None:
    """Draw the curves, and the numbers aligned with the ticks."""
    height = plan.height
    longest = max(len(line.name) for line in plan.lines)
    left = max(0.125, 0.06 + LETTER * longest)
    right = 0.97 - LETTER * min(max(longest, 2), WRAP + 1)
    bottom = (plan.table_height + AXIS) / height
    axes = figure.add_axes((left, bottom, right - left, PLOT_HEIGHT / height))
    for line in plan.lines:
        _curve(axes, line, plan)
    axes.set_xlim(0, plan.end)
    axes.set_ylim(0, 1.0)
    axes.set_yticks(np.linspace(0, 1, 6), [language.per_cent(share) for share in range(0, 101, 20)])
    axes.set_xticks(plan.ticks, [wording.number(float(tick)) for tick in plan.ticks])
    axes.set_xlabel(text("Time ({unit})", unit=text(plan.unit)), labelpad=3)
    axes.set_ylabel(plan.outcome)
    axes.grid(axis="y", color="#e4e4e4", linewidth=0.6, zorder=0)
    axes.set_axisbelow(True)
    for spine in ("left", "bottom"):
        axes.spines[spine].set_position(("outward", 3))
    _name_curves(axes, plan)
    if plan.test:
        axes.text(0.985, 0.97, plan.test, transform=axes.transAxes, ha="right", va="top")
    _numbers_under(axes, plan, left=(LEFT_EDGE - left) / (right - left))


def describe(plan: Plan, *, title: str) -> str:
    """What the curves show, in words, from the numbers drawn."""
    ticks = [tick for tick in plan.ticks if tick > 0]
    chosen = [ticks[len(ticks) // 2 - 1 if len(ticks) > 1 else 0], ticks[-1]] if ticks else []
    words = "{what} over time in {unit}, with 95 % intervals."
    parts = [f"{title}. {text(words, what=plan.outcome, unit=text(plan.unit))}"]
    for line in plan.lines:
        told = []
        for tick in dict.fromkeys(chosen):
            row = line.steps[line.steps["time"] <= tick]
            if row.empty or tick > line.steps["time"].iloc[-1]:
                continue
            lower, upper = (language.number(100 * row[c].iloc[-1], 0) for c in ("lower", "upper"))
            told.append(text(
                "at {time} {unit} {share} ({interval})", time=wording.number(float(tick)),
                unit=text(plan.unit), share=language.share(row["estimate"].iloc[-1]),
                interval=wording.interval(lower, upper),
            ))  # fmt: skip
        persons = text("{n} persons", n=wording.count(line.at_risk[0]))
        parts.append(f"{line.name} ({persons}): {'; '.join(told)}.")
    return " ".join([*parts, *([plan.test + "."] if plan.test else [])])


def name_of(by: list[str], key: Any, labels: Mapping[str, str]) -> str:
    """A group's name as it stands in a figure."""
    if not by:
        return text("All")
    parts = key if isinstance(key, tuple) else (key,)
    name = ", ".join(labels.get(str(part), str(part)) for part in parts)
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1].rstrip() + "…"


def _numbers_at(steps: pd.DataFrame, tick: float) -> tuple[int, int]:
    """At risk and events until just before a time, from the released steps."""
    later = steps.loc[steps["time"] >= tick, "at_risk"]
    events = steps.loc[steps["time"] < tick, "events"].sum()
    return (int(later.iloc[0]) if len(later) else 0), int(events)


def even_ticks(longest: float) -> list[float]:
    """Round times from 0, at most eight."""
    raw = max(longest, 1e-9) / (MOST_TICKS - 1)
    magnitude = 10 ** math.floor(math.log10(raw))
    step = next(m * magnitude for m in (1, 2, 5, 10) if m * magnitude >= raw)
    return [round(step * i, 10) for i in range(int(longest / step) + 1)]


def _test_text(logrank: Released) -> str:
    facts = logrank.facts
    return text("Log-rank test: {p}", p=wording.p_equals(facts["p_value"]))


def _curve(axes: Any, line: Line, plan: Plan) -> None:
    steps = line.steps[line.steps["time"] <= plan.end]
    time = [0.0, *steps["time"]]
    columns = {c: [1.0, *steps[c]] for c in ("estimate", "lower", "upper")}
    if line.steps["time"].iloc[-1] > plan.end:
        time.append(plan.end)
        columns = {c: [*values, values[-1]] for c, values in columns.items()}
    axes.fill_between(
        time, columns["lower"], columns["upper"], step="post", color=line.colour, alpha=0.13, lw=0
    )
    axes.step(
        time, columns["estimate"], where="post", color=line.colour, linestyle=line.dashes, lw=1.5
    )


def _name_curves(axes: Any, plan: Plan) -> None:
    """Each curve's name at its end, moved apart where two would overlap."""
    ends = []
    for line in plan.lines:
        steps = line.steps[line.steps["time"] <= plan.end]
        ends.append(float(steps["estimate"].iloc[-1]) if len(steps) else 1.0)
    names = ["\n".join(textwrap.wrap(line.name, WRAP)) for line in plan.lines]
    places = apart(ends, least=0.118 if any("\n" in name for name in names) else 0.062)
    for line, name, end, place in zip(plan.lines, names, ends, places, strict=True):
        last = min(float(line.steps["time"].iloc[-1]), plan.end)
        if abs(place - end) > 0.01 or last < plan.end:
            axes.plot(
                [last, plan.end * 1.012],
                [end, place],
                color=line.colour,
                lw=0.5,
                alpha=0.7,
                clip_on=False,
            )
        axes.text(plan.end * 1.018, place, name, color=line.colour, va="center", weight="bold")


def apart(values: list[float], *, least: float) -> list[float]:
    """The values with at least so much between neighbours, in their order, near where they were."""
    order = sorted(range(len(values)), key=lambda i: values[i])
    placed = [values[i] for i in order]
    for _ in range(200):
        for low in range(len(placed) - 1):
            lack = least - (placed[low + 1] - placed[low])
            if lack > 1e-9:
                placed[low] -= lack / 2
                placed[low + 1] += lack / 2
        lift = max(0.0, 0.01 - placed[0])
        placed = [value + lift for value in placed] if lift else placed
    result = [0.0] * len(values)
    for position, i in enumerate(order):
        result[i] = placed[position]
    return result


def _numbers_under(axes: Any, plan: Plan, *, left: float) -> None:
    """Two blocks: at risk, and events until then; columns stand under the ticks."""
    across = axes.get_xaxis_transform()
    row, at = ROW / PLOT_HEIGHT, -(AXIS - 0.02) / PLOT_HEIGHT
    for heading, numbers in (("At risk", "at_risk"), ("Events until then", "events")):
        style = {"va": "center", "color": SOFT}
        axes.text(left, at, text(heading), transform=axes.transAxes, **style)
        for line in plan.lines:
            at -= row
            style = {"va": "center", "color": line.colour}
            axes.text(left, at, line.name, weight="bold", transform=axes.transAxes, **style)
            for tick, n in zip(plan.ticks, getattr(line, numbers), strict=True):
                axes.text(tick, at, wording.count(n), ha="center", transform=across, **style)
        at -= row + 0.06 / PLOT_HEIGHT
