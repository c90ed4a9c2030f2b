"""Pictures of released results as SVG, drawn at once: curves, the flow, units.

A report's figures take half a second each; here a picture follows every choice. They are made of
what the gate let through and of nothing else, and the words beside them are made of the same
numbers.
"""

from __future__ import annotations

import hashlib
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

import pandas as pd

from workbench.language import share, text
from workbench.output.disclosure import Released, require_released
from workbench.output.figures import panel_figure, survival_figure
from workbench.output.wording import count

INK, SOFT, FAINT, PAPER = "#1a1a1a", "#555555", "#dddddd", "#ffffff"
COLOURS = (
    "#005f87", "#a04000", "#7b3294", "#1b7837", "#5c4a00", "#8f1d2c", "#3d5a80", "#555555",
)  # fmt: skip
DASHES = ("", "7 3", "2 3", "9 3 2 3", "4 2", "12 3", "1 2", "6 2 1 2")
WIDTH, LEFT, RIGHT, TOP, BOTTOM = 720, 150, 560, 16, 296
ROW, LINE = 22, 17
LETTER = 7.2  # points that a letter of size 13 takes, on average


@dataclass(frozen=True)
class Curve:
    """One group's steps: times, and what is estimated at them with its interval."""

    name: str
    steps: pd.DataFrame
    at_risk: tuple[str, ...]


@dataclass
class Paper:
    """A picture in the making."""

    title: str
    height: float
    parts: list[str] = field(default_factory=list)

    def line(self, x1: float, y1: float, x2: float, y2: float, *, colour: str = FAINT) -> None:
        """A thin straight line."""
        self.parts.append(
            f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'
        )

    def word(
        self, x: float, y: float, told: str, *, anchor: str = "start", colour: str = INK
    ) -> None:
        """Words at a place."""
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">'
            f"{escape(told)}</text>"
        )

    def bar(self, x: float, y: float, width: float, *, colour: str, opacity: float = 1) -> None:
        """A bar from a place to the right."""
        self.parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="14" '
            f'fill="{colour}" fill-opacity="{opacity:g}"/>'
        )

    def svg(self, description: str) -> str:
        """The whole picture with its title and description for those who do not see it."""
        body = "".join(self.parts)
        name = hashlib.sha256((self.title + description + body).encode()).hexdigest()[:10]
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self.height:.0f}" '
            f'role="img" aria-labelledby="t{name} d{name}" font-family="sans-serif" '
            f'font-size="13"><title id="t{name}">{escape(self.title)}</title>'
            f'<desc id="d{name}">{escape(description)}</desc>'
            f'<rect width="{WIDTH}" height="{self.height:.0f}" fill="{PAPER}"/>{body}</svg>'
        )


def draw_curve(plan: survival_figure.Plan, *, title: str) -> str:
    """Survival curves with intervals, named at their ends, with numbers at risk below."""
    curves = [
        Curve(one.name, one.steps, tuple(count(n) for n in one.at_risk)) for one in plan.lines
    ]
    told = survival_figure.describe(plan, title=title)
    across = (0.0, plan.end)
    return _curves(curves, plan.ticks, across, 1.0, 1.0, (plan.outcome, plan.unit), title, told)


def draw_incidence(plan: panel_figure.Plan, *, title: str) -> str:
    """The incidence of the outcome, with numbers at risk below."""
    panel = plan.panels[0]
    curves = [
        Curve(plan.names[one.group], one.points, plan.at_risk[one.group]) for one in panel.curves
    ]
    told = " ".join([f"{title}. {panel.title}: {plan.axis}.", *[_last_of(one) for one in curves]])
    *ticks, end = plan.ticks
    words = (f"{panel.title}: {plan.axis}", plan.unit)
    return _curves(curves, ticks, (0.0, end), plan.top, plan.start, words, title, told)


def draw_flow(ledger: Released) -> str:
    """What is left after each step as bars, with how many the step took.

    Steps that nobody left at are told in one line below.
    """
    require_released(ledger, "ledger")
    of_all = ledger.frame.to_dict("records")
    *every, population = of_all
    what = "rows" if any(pd.isna(row["n_persons_in"]) for row in of_all) else "persons"
    came, went = f"n_{what}_in", f"n_{what}_out"
    rows = [row for row in every if pd.isna(row[went]) or row[went] > 0]
    idle = [str(row["reason"]) for row in every if row not in rows]
    whole = next((_number(row[came]) for row in of_all if not pd.isna(row[came])), 0.0) or 1.0
    scale, told = (WIDTH - 10) / whole, []
    lines = textwrap.wrap(f"Nobody left for: {'; '.join(idle)}.", int(WIDTH / LETTER))
    lines = lines if idle else []
    paper = Paper(ledger.title, 2 * ROW * (len(rows) + 1) + LINE * len(lines) + 12)
    for at, row in enumerate([*rows, population]):
        y, is_last = 2 * ROW * at + 4, at == len(rows)
        took = "" if is_last else f"{_amount(row[went])} of "
        words = f"{row['reason']}: {took}{_amount(row[came])} {what}"
        words = words if is_last else f"{words} leave"
        stays = _number(row[came]) - (0 if is_last else _number(row[went]))
        paper.word(0, y + 12, _cut(words[0].upper() + words[1:], WIDTH))
        paper.bar(0, y + 18, stays * scale, colour=COLOURS[0], opacity=1 if is_last else 0.45)
        if not is_last:
            paper.bar(stays * scale, y + 18, _number(row[went]) * scale, colour=COLOURS[1])
        told.append(words)
    for at, line in enumerate(lines):
        paper.word(0, 2 * ROW * (len(rows) + 1) + LINE * (at + 1), line, colour=SOFT)
    return paper.svg(". ".join([*told, *lines]) + ".")


def draw_units(shares: Released, *, unit: str, title: str) -> str:
    """Each unit's share with its interval, the largest first."""
    require_released(shares, "shares")
    known = shares.frame[pd.to_numeric(shares.frame["estimate"], errors="coerce").notna()]
    rows = known.sort_values("estimate", ascending=False, kind="stable").to_dict("records")
    paper = Paper(title, ROW * len(rows) + 40)
    foot, span, left = ROW * len(rows) + 12, 330.0, 230.0
    for tenth in range(0, 11, 2):
        x = left + span * tenth / 10
        paper.line(x, 6, x, foot)
        paper.word(x, foot + 16, share(tenth / 10, 0), anchor="middle", colour=SOFT)
    told = []
    for at, row in enumerate(rows):
        y = ROW * at + 18
        places = [left + span * float(row[name]) for name in ("lower", "estimate", "upper")]
        name, value = str(row[unit]), share(float(row["estimate"]), 1)
        paper.word(0, y + 4, _cut(name, left - 10))
        paper.line(places[0], y, places[2], y, colour=COLOURS[0])
        paper.parts.append(f'<circle cx="{places[1]:.1f}" cy="{y}" r="4" fill="{COLOURS[0]}"/>')
        paper.word(WIDTH, y + 4, f"{value} of {_amount(row['n'])}", anchor="end", colour=SOFT)
        told.append(f"{name} {value} of {_amount(row['n'])}")
    return paper.svg(f"{title}. " + "; ".join(told) + ".")


def _curves(
    curves: Sequence[Curve], ticks: Sequence[float], across: tuple[float, float], top: float,
    start: float, words: tuple[str, str], title: str, told: str,
) -> str:  # fmt: skip
    paper = Paper(title, BOTTOM + 62 + LINE * (len(curves) + 1))
    first, end = across

    def x_of(time: float) -> float:
        return LEFT + (min(time, end) - first) / (end - first) * (RIGHT - LEFT)

    def y_of(value: float) -> float:
        return BOTTOM - value / top * (BOTTOM - TOP)

    for fifth in range(6):
        y = y_of(top * fifth / 5)
        paper.line(LEFT, y, RIGHT, y)
        paper.word(LEFT - 8, y + 4, share(top * fifth / 5, 0), anchor="end", colour=SOFT)
    for tick in ticks:
        paper.word(x_of(tick), BOTTOM + 18, f"{tick:g}", anchor="middle", colour=SOFT)
    paper.word((LEFT + RIGHT) / 2, BOTTOM + 36, f"{words[0]}; {words[1]}", anchor="middle")
    ends = []
    for at, one in enumerate(curves):
        steps = one.steps[one.steps["time"] <= end]
        ends.append(float(steps["estimate"].iloc[-1]) / top if len(steps) else start / top)
        points = _stairs(steps, start, end, reached=len(steps) < len(one.steps))
        _draw_stairs(paper, [(x_of(t), y_of(e), y_of(lo), y_of(up)) for t, e, lo, up in points], at)
    for at, (one, place) in enumerate(
        zip(curves, survival_figure.apart(ends, least=0.062), strict=True)
    ):
        name = _cut(one.name, WIDTH - RIGHT - 10)
        paper.word(RIGHT + 8, y_of(place * top) + 4, name, colour=COLOURS[at % len(COLOURS)])
    _numbers(paper, curves, [x_of(tick) for tick in ticks])
    return paper.svg(told)


def _stairs(
    steps: pd.DataFrame, start: float, end: float, *, reached: bool
) -> list[tuple[float, float, float, float]]:
    """Time, estimate and interval from the start on, held to the end where the curve goes on."""
    rows = [(0.0, start, start, start)]
    columns = [steps[name].astype(float) for name in ("time", "estimate", "lower", "upper")]
    for time, estimate, lower, upper in zip(*columns, strict=True):
        band = (estimate if pd.isna(lower) else lower, estimate if pd.isna(upper) else upper)
        rows.append((time, estimate, *band))
    return [*rows, (end, *rows[-1][1:])] if reached else rows


def _draw_stairs(paper: Paper, points: list[tuple[float, float, float, float]], at: int) -> None:
    colour, dash = COLOURS[at % len(COLOURS)], DASHES[at % len(DASHES)]
    lower, upper = (_stair([(p[0], p[place]) for p in points]) for place in (2, 3))
    area = " ".join(f"{x:.1f},{y:.1f}" for x, y in [*lower, *upper[::-1]])
    paper.parts.append(f'<polygon points="{area}" fill="{colour}" fill-opacity="0.12"/>')
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in _stair([(p[0], p[1]) for p in points]))
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    paper.parts.append(
        f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.8"{dashes}/>'
    )


def _stair(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Corners of a line that stays at each value until the next time."""
    corners = [points[0]]
    for x, y in points[1:]:
        corners += [(x, corners[-1][1]), (x, y)]
    return corners


def _numbers(paper: Paper, curves: Sequence[Curve], places: Sequence[float]) -> None:
    paper.word(0, BOTTOM + 56, text("At risk"), colour=SOFT)
    for at, one in enumerate(curves):
        y, colour = BOTTOM + 56 + LINE * (at + 1), COLOURS[at % len(COLOURS)]
        paper.word(0, y, _cut(one.name, LEFT - 40), colour=colour)
        for x, n in zip(places, one.at_risk, strict=False):
            paper.word(x, y, n, anchor="middle", colour=colour)


def _last_of(curve: Curve) -> str:
    last = curve.steps.iloc[-1]
    return f"{curve.name}: {share(float(last['estimate']))} at {float(last['time']):g}."


def _number(value: object) -> float:
    return 0.0 if pd.isna(value) else float(str(value))  # type: ignore[call-overload]


def _amount(value: object) -> str:
    return "hidden" if pd.isna(value) else count(int(_number(value)))  # type: ignore[call-overload]


def _cut(told: str, room: float) -> str:
    most = max(int(room / LETTER), 4)
    return told if len(told) <= most else f"{told[: most - 1]}…"
