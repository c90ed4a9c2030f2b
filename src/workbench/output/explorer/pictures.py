"""Pictures of released results as SVG, drawn at once: curves, the flow, units.

A report's figures take half a second each; here a picture follows every choice. They are made of
what the gate let through and of nothing else, and the words beside them are made of the same
numbers.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from workbench.language import share, text
from workbench.output.disclosure import Released, require_released
from workbench.output.figures import panel_figure, survival_figure
from workbench.output.sheet import LETTER, SOFT, Sheet, cut
from workbench.output.wording import count

COLOURS = (
    "#005f87", "#a04000", "#7b3294", "#1b7837", "#5c4a00", "#8f1d2c", "#3d5a80", "#555555",
)  # fmt: skip
DASHES = ("", "7 3", "2 3", "9 3 2 3", "4 2", "12 3", "1 2", "6 2 1 2")
WIDTH, LEFT, RIGHT, TOP, BOTTOM = 720, 150, 560, 16, 296
ROW, LINE, BAR = 22, 17, 14


@dataclass(frozen=True)
class Curve:
    """One group's steps: times, and what is estimated at them with its interval."""

    name: str
    steps: pd.DataFrame
    at_risk: tuple[str, ...]


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
    sheet = Sheet(ledger.title, 2 * ROW * (len(rows) + 1) + LINE * len(lines) + 12, WIDTH)
    for at, row in enumerate([*rows, population]):
        y, is_last = 2 * ROW * at + 4, at == len(rows)
        took = "" if is_last else f"{_amount(row[went])} of "
        words = f"{row['reason']}: {took}{_amount(row[came])} {what}"
        words = words if is_last else f"{words} leave"
        stays = _number(row[came]) - (0 if is_last else _number(row[went]))
        sheet.word(0, y + 12, cut(words[0].upper() + words[1:], WIDTH))
        sheet.band(0, y + 18, stays * scale, BAR, colour=COLOURS[0], opacity=1 if is_last else 0.45)
        if not is_last:
            sheet.band(stays * scale, y + 18, _number(row[went]) * scale, BAR, colour=COLOURS[1])
        told.append(words)
    for at, line in enumerate(lines):
        sheet.word(0, 2 * ROW * (len(rows) + 1) + LINE * (at + 1), line, colour=SOFT)
    return sheet.svg(". ".join([*told, *lines]) + ".")


def draw_units(shares: Released, *, unit: str, title: str) -> str:
    """Each unit's share with its interval, the largest first."""
    require_released(shares, "shares")
    known = shares.frame[pd.to_numeric(shares.frame["estimate"], errors="coerce").notna()]
    rows = known.sort_values("estimate", ascending=False, kind="stable").to_dict("records")
    sheet = Sheet(title, ROW * len(rows) + 40, WIDTH)
    foot, span, left = ROW * len(rows) + 12, 330.0, 230.0
    for tenth in range(0, 11, 2):
        x = left + span * tenth / 10
        sheet.line(x, 6, x, foot)
        sheet.word(x, foot + 16, share(tenth / 10, 0), anchor="middle", colour=SOFT)
    told = []
    for at, row in enumerate(rows):
        y = ROW * at + 18
        places = [left + span * float(row[name]) for name in ("lower", "estimate", "upper")]
        name, value = str(row[unit]), share(float(row["estimate"]), 1)
        sheet.word(0, y + 4, cut(name, left - 10))
        sheet.line(places[0], y, places[2], y, colour=COLOURS[0])
        sheet.parts.append(f'<circle cx="{places[1]:.1f}" cy="{y}" r="4" fill="{COLOURS[0]}"/>')
        sheet.word(WIDTH, y + 4, f"{value} of {_amount(row['n'])}", anchor="end", colour=SOFT)
        told.append(f"{name} {value} of {_amount(row['n'])}")
    return sheet.svg(f"{title}. " + "; ".join(told) + ".")


def _curves(
    curves: Sequence[Curve], ticks: Sequence[float], across: tuple[float, float], top: float,
    start: float, words: tuple[str, str], title: str, told: str,
) -> str:  # fmt: skip
    sheet = Sheet(title, BOTTOM + 62 + LINE * (len(curves) + 1), WIDTH)
    first, end = across

    def x_of(time: float) -> float:
        return LEFT + (min(time, end) - first) / (end - first) * (RIGHT - LEFT)

    def y_of(value: float) -> float:
        return BOTTOM - value / top * (BOTTOM - TOP)

    for fifth in range(6):
        y = y_of(top * fifth / 5)
        sheet.line(LEFT, y, RIGHT, y)
        sheet.word(LEFT - 8, y + 4, share(top * fifth / 5, 0), anchor="end", colour=SOFT)
    for tick in ticks:
        sheet.word(x_of(tick), BOTTOM + 18, f"{tick:g}", anchor="middle", colour=SOFT)
    sheet.word((LEFT + RIGHT) / 2, BOTTOM + 36, f"{words[0]}; {words[1]}", anchor="middle")
    ends = []
    for at, one in enumerate(curves):
        steps = one.steps[one.steps["time"] <= end]
        ends.append(float(steps["estimate"].iloc[-1]) / top if len(steps) else start / top)
        points = _stairs(steps, start, end, reached=len(steps) < len(one.steps))
        _draw_stairs(sheet, [(x_of(t), y_of(e), y_of(lo), y_of(up)) for t, e, lo, up in points], at)
    for at, (one, place) in enumerate(
        zip(curves, survival_figure.apart(ends, least=0.062), strict=True)
    ):
        name = cut(one.name, WIDTH - RIGHT - 10)
        sheet.word(RIGHT + 8, y_of(place * top) + 4, name, colour=COLOURS[at % len(COLOURS)])
    _numbers(sheet, curves, [x_of(tick) for tick in ticks])
    return sheet.svg(told)


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


def _draw_stairs(sheet: Sheet, points: list[tuple[float, float, float, float]], at: int) -> None:
    colour, dash = COLOURS[at % len(COLOURS)], DASHES[at % len(DASHES)]
    lower, upper = (_stair([(p[0], p[place]) for p in points]) for place in (2, 3))
    area = " ".join(f"{x:.1f},{y:.1f}" for x, y in [*lower, *upper[::-1]])
    sheet.parts.append(f'<polygon points="{area}" fill="{colour}" fill-opacity="0.12"/>')
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in _stair([(p[0], p[1]) for p in points]))
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    sheet.parts.append(
        f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.8"{dashes}/>'
    )


def _stair(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Corners of a line that stays at each value until the next time."""
    corners = [points[0]]
    for x, y in points[1:]:
        corners += [(x, corners[-1][1]), (x, y)]
    return corners


def _numbers(sheet: Sheet, curves: Sequence[Curve], places: Sequence[float]) -> None:
    sheet.word(0, BOTTOM + 56, text("At risk"), colour=SOFT)
    for at, one in enumerate(curves):
        y, colour = BOTTOM + 56 + LINE * (at + 1), COLOURS[at % len(COLOURS)]
        sheet.word(0, y, cut(one.name, LEFT - 40), colour=colour)
        for x, n in zip(places, one.at_risk, strict=False):
            sheet.word(x, y, n, anchor="middle", colour=colour)


def _last_of(curve: Curve) -> str:
    last = curve.steps.iloc[-1]
    return f"{curve.name}: {share(float(last['estimate']))} at {float(last['time']):g}."


def _number(value: object) -> float:
    return 0.0 if pd.isna(value) else float(str(value))  # type: ignore[call-overload]


def _amount(value: object) -> str:
    return "hidden" if pd.isna(value) else count(int(_number(value)))  # type: ignore[call-overload]
