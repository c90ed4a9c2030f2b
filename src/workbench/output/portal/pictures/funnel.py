"""The funnel: each unit's value by its size, with limits for what chance alone would do.

The limits are those that were released with each unit; lines join them in the order of size.
"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.output.portal.marks import flag_mark
from workbench.output.portal.pictures.caterpillar import measured, nation_words
from workbench.output.portal.results import LIMITS, Result, Row, value
from workbench.output.portal.words import number, say, share
from workbench.output.sheet import (
    INK,
    LETTER,
    SOFT,
    WIDTH,
    Scale,
    Sheet,
    cut,
    scale_over,
)

TOP, LEFT, RIGHT, BOTTOM, HEIGHT = 40, 62, 566, 380, 440
DASH = {"95": "6 4", "998": ""}


def draw(result: Result, chosen: Sequence[str], language: str) -> str:
    """The picture as SVG; chosen units have a ring and, as those far outside, their name."""
    size = "expected" if result.is_ratio else "n"
    known = [row for row in result.limits if None not in (value(row, size), value(row, "estimate"))]
    rows = sorted(known, key=lambda row: (value(row, size) or 0.0, row[result.unit]))
    sheet = Sheet(result.indicator, HEIGHT)
    sheet.word(0, 16, cut(result.indicator, WIDTH), size=15, is_heavy=True)
    across = scale_over([0.0, *(value(row, size) for row in rows)], LEFT, RIGHT)
    names = ("estimate", *LIMITS)
    heights = [value(row, name) for row in rows for name in names]
    up = scale_over(heights, BOTTOM, TOP, most=None if result.is_ratio else 1.0)
    _draw_axes(sheet, across, up, result, language)
    _draw_limits(sheet, across, up, rows, size, language)
    if result.nation:
        y = up.at(result.nation.estimate)
        sheet.line(LEFT, y, RIGHT, y, colour=INK, width=1.2)
        sheet.word(RIGHT + 4, y + 4, say(language, "Nation"), size=12)
    places = [
        (across.at(value(row, size) or 0.0), up.at(value(row, "estimate") or 0.0)) for row in rows
    ]
    taken = [(x - 7, x + 7, y + 4) for x, y in places]  # names keep off the marks as well
    for row in sorted(rows, key=lambda row: row[result.unit] not in chosen):
        _draw_unit(sheet, across, up, result, row, size, chosen, taken)
    return sheet.svg(describe(result, rows, language))


def describe(result: Result, rows: Sequence[Row], language: str) -> str:
    """The funnel in words: how many units, and which lie outside the outer limits."""
    told = [say(language, "Units shown: {n}.", n=len(rows))]
    if result.nation:
        told.append(f"{nation_words(result, language)}.")
    for flag, sentence in (
        ("high 99.8", "Above the 99.8 % limits: {names}."),
        ("low 99.8", "Below the 99.8 % limits: {names}."),
    ):
        outside = [row[result.unit] for row in rows if row.get("flag") == flag]
        names = ", ".join(outside) or say(language, "none")
        told.append(say(language, sentence, names=names))
    return " ".join(told)


def _draw_axes(sheet: Sheet, across: Scale, up: Scale, result: Result, language: str) -> None:
    for tick in up.ticks():
        y = up.at(tick)
        sheet.line(LEFT, y, RIGHT, y)
        told = measured(result, tick, language) if result.is_ratio else share(language, tick, 0)
        sheet.word(LEFT - 6, y + 4, told, anchor="end", colour=SOFT, size=12)
    for tick in across.ticks(5):
        told = number(language, tick)
        sheet.word(across.at(tick), BOTTOM + 18, told, anchor="middle", colour=SOFT, size=12)
    sheet.line(LEFT, BOTTOM, RIGHT, BOTTOM, colour=SOFT)
    what = say(language, "Expected events" if result.is_ratio else "Patients")
    sheet.word((LEFT + RIGHT) / 2, BOTTOM + 40, what, anchor="middle")


def _draw_limits(
    sheet: Sheet, across: Scale, up: Scale, rows: Sequence[Row], size: str, language: str
) -> None:
    for name in LIMITS:
        points: list[tuple[float, float] | None] = []
        for row in rows:
            limit, n = value(row, name), value(row, size)
            known = limit is not None and n is not None
            points.append((across.at(n or 0.0), up.at(limit or 0.0)) if known else None)
        level = name.partition("_")[2]
        sheet.path(points, colour=SOFT, dash=DASH[level], width=1.3)
        if any(points) and name.startswith("upper"):
            told = "95 %" if level == "95" else number(language, 99.8, 1) + " %"
            last = next(point for point in reversed(points) if point)
            down = -8 if level == "998" else 4  # the two end close together where units are big
            sheet.word(last[0] + 5, last[1] + down, told, colour=SOFT, size=11)


def _draw_unit(
    sheet: Sheet, across: Scale, up: Scale, result: Result, row: Row, size: str,
    chosen: Sequence[str], taken: list[tuple[float, float, float]],
) -> None:  # fmt: skip
    x, y = across.at(value(row, size) or 0.0), up.at(value(row, "estimate") or 0.0)
    mark, name = flag_mark(row), row[result.unit]
    sheet.mark(x, y, mark)
    is_chosen = name in chosen
    if is_chosen:
        sheet.ring(x, y)
    if is_chosen or "99.8" in row.get("flag", ""):
        _draw_name(sheet, x, y, name, is_chosen, taken)


def _draw_name(
    sheet: Sheet, x: float, y: float, name: str, is_chosen: bool,
    taken: list[tuple[float, float, float]],
) -> None:  # fmt: skip
    """A name beside its point, moved down or up where another name stands already."""
    told = cut(name, 150)
    room = LETTER * len(told)
    at_left = x + 12 + room > RIGHT + 60
    start = x - 12 - room if at_left else x + 12
    for shift in (4, 18, -10, 32, -24):
        is_free = all(
            abs(y + shift - other) >= 13 or start + room < left or start > right
            for left, right, other in taken
        )
        if is_free:
            break
    taken.append((start, start + room, y + shift))
    anchor = "end" if at_left else "start"
    sheet.word(x - 12 if at_left else x + 12, y + shift, told, anchor=anchor, is_heavy=is_chosen)
