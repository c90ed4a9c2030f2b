"""The trend: up to five units over the years; the nation's value over the whole period beside.

Units differ by shape and line as well as by colour. A year without a value breaks the line.
"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.output.portal.marks import DASHES, of_line
from workbench.output.portal.pictures.caterpillar import measured, nation_words
from workbench.output.portal.results import Result, Row, value
from workbench.output.portal.words import say, share
from workbench.output.sheet import INK, SOFT, WIDTH, Scale, Sheet, cut, scale_over

TOP, LEFT, RIGHT, BOTTOM = 40, 62, 620, 340
KEY = 20  # points a line of the key is high


def draw(result: Result, chosen: Sequence[str], language: str) -> str:
    """The picture as SVG, with the units that are chosen."""
    height = BOTTOM + 40 + KEY * (len(chosen) + 1)
    sheet = Sheet(result.indicator, float(height))
    sheet.word(0, 16, cut(result.indicator, WIDTH), size=15, is_heavy=True)
    years = [int(year) for year in result.years_shown]
    across = Scale(min(years) - 0.5, max(years) + 0.5, LEFT, RIGHT)
    lines = {name: _by_year(result, name) for name in chosen}
    known = [value(row, "estimate") for line in lines.values() for row in line.values()]
    known += [result.nation.estimate] if result.nation else []
    up = scale_over([0.0, *known], BOTTOM, TOP, most=None if result.is_ratio else 1.0)
    _draw_axes(sheet, across, up, years, result, language)
    for at, (name, line) in enumerate(lines.items()):
        _draw_line(sheet, across, up, years, line, at)
        y: float = BOTTOM + 48 + KEY * at
        mark = of_line(at)
        sheet.line(LEFT, y - 4, LEFT + 40, y - 4, colour=mark.colour, width=2, dash=DASHES[at])
        sheet.mark(LEFT + 20, y - 4, mark)
        sheet.word(LEFT + 52, y, cut(_key_of(result, name, line, language), WIDTH - LEFT - 60))
    if result.nation:
        y = up.at(result.nation.estimate)
        sheet.line(LEFT, y, RIGHT, y, colour=INK, width=1.2, dash="5 3")
        foot = BOTTOM + 48 + KEY * len(lines)
        sheet.line(LEFT, foot - 4, LEFT + 40, foot - 4, colour=INK, width=1.2, dash="5 3")
        told = say(language, "{nation}, the whole period", nation=nation_words(result, language))
        sheet.word(LEFT + 52, foot, told)
    return sheet.svg(describe(result, lines, language))


def describe(result: Result, lines: dict[str, dict[int, Row]], language: str) -> str:
    """The trend in words: each unit's first and last value."""
    told = []
    for name, line in lines.items():
        shown = [(year, value(row, "estimate")) for year, row in sorted(line.items())]
        ends = [(year, one) for year, one in shown if one is not None]
        if ends:
            values = [f"{year} {measured(result, one, language)}" for year, one in ends]
            told.append(f"{name}: {values[0]} – {values[-1]}.")
        else:
            told.append(say(language, "{name}: no year that may be shown.", name=name))
    return " ".join(told)


def _by_year(result: Result, name: str) -> dict[int, Row]:
    return {int(row["year"]): row for row in result.years if row[result.unit] == name}


def _key_of(result: Result, name: str, line: dict[int, Row], language: str) -> str:
    if not line:
        return say(language, "{name}: no year that may be shown.", name=name)
    return name


def _draw_axes(
    sheet: Sheet, across: Scale, up: Scale, years: Sequence[int], result: Result, language: str
) -> None:
    for tick in up.ticks():
        y = up.at(tick)
        sheet.line(LEFT, y, RIGHT, y)
        told = measured(result, tick, language) if result.is_ratio else share(language, tick, 0)
        sheet.word(LEFT - 6, y + 4, told, anchor="end", colour=SOFT, size=12)
    for year in range(min(years), max(years) + 1):
        sheet.word(across.at(year), BOTTOM + 18, str(year), anchor="middle", colour=SOFT, size=12)


def _draw_line(
    sheet: Sheet, across: Scale, up: Scale, years: Sequence[int], line: dict[int, Row], at: int
) -> None:
    points: list[tuple[float, float] | None] = []
    for year in range(min(years), max(years) + 1):
        estimate = value(line[year], "estimate") if year in line else None
        points.append(None if estimate is None else (across.at(year), up.at(estimate)))
        if estimate is None and year in line:
            sheet.word(across.at(year), BOTTOM - 6, line[year].get("estimate") or "–",
                       anchor="middle", size=11, colour=SOFT)  # fmt: skip
    mark = of_line(at)
    sheet.path(points, colour=mark.colour, width=2, dash=DASHES[at])
    for point in points:
        if point is not None:
            sheet.mark(*point, mark)
