"""The caterpillar: units sorted by value, each with its interval, its level as shape and word."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.output.portal.marks import level_mark
from workbench.output.portal.results import Result, Row, value
from workbench.output.portal.words import number, retell, say, share
from workbench.output.sheet import BAND, INK, SOFT, WIDTH, Scale, Sheet, cut, scale_over

ROW, TOP, FOOT = 24, 62, 34
NAMES, RIGHT = 170, 470


def draw(result: Result, chosen: Sequence[str], language: str) -> str:
    """The picture as SVG; chosen units have a band behind them and a heavy name."""
    rows = ordered(result)
    height = TOP + ROW * max(len(rows), 1) + FOOT
    sheet = Sheet(result.indicator, height)
    values = [value(row, name) for row in rows for name in ("estimate", "lower", "upper")]
    nation = result.nation
    values += [nation.estimate] if nation else []
    scale = scale_over(values, NAMES, RIGHT, most=None if result.is_ratio else 1.0)
    sheet.word(0, 16, cut(result.indicator, WIDTH), size=15, is_heavy=True)
    _draw_ticks(sheet, scale, result, language, height - FOOT)
    for at, row in enumerate(rows):
        _draw_row(sheet, scale, result, row, TOP + ROW * at + ROW / 2, chosen, language)
    if nation:
        x = scale.at(nation.estimate)
        sheet.line(x, TOP - 8, x, height - FOOT, colour=INK, width=1.4, dash="5 3")
        told = nation_words(result, language)
        middle = min(max(x, 0.5 * 7 * len(told)), WIDTH - 0.5 * 7 * len(told))
        sheet.word(middle, TOP - 14, told, anchor="middle", is_heavy=True)
    return sheet.svg(describe(result, rows, language))


def ordered(result: Result) -> list[Row]:
    """Units with a value, the highest first; those without at the end, by name."""
    rows = sorted(result.rows, key=lambda row: row[result.unit].casefold())
    return sorted(rows, key=lambda row: -_or_last(value(row, "estimate")))


def measured(result: Result, told: float | None, language: str) -> str:
    """A value as this indicator writes it: a share in per cent, a ratio with two decimals."""
    return number(language, told, 2) if result.is_ratio else share(language, told)


def nation_words(result: Result, language: str) -> str:
    """The nation's value with its counts, or that of the units shown together."""
    nation = result.nation
    if nation is None:
        return ""
    word = say(language, "Nation" if nation.is_whole else "Units shown, together")
    told = f"{word} {measured(result, nation.estimate, language)}"
    if nation.n is None:
        return told
    counts = say(
        language,
        "{events} of {n}",
        events=number(language, nation.events),
        n=number(language, nation.n),
    )
    return f"{told} ({counts})"


def describe(result: Result, rows: Sequence[Row], language: str) -> str:
    """The picture in words: how many units, the nation, the first and the last."""
    known = [row for row in rows if value(row, "estimate") is not None]
    told = [say(language, "Units shown: {n}.", n=len(rows))]
    if result.nation:
        told.append(f"{nation_words(result, language)}.")
    if known:
        ends = [
            f"{row[result.unit]} {measured(result, value(row, 'estimate'), language)}"
            for row in (known[0], known[-1])
        ]
        told.append(say(language, "Highest: {first}. Lowest: {last}.", first=ends[0], last=ends[1]))
    return " ".join(told)


def _or_last(told: float | None) -> float:
    return float("-inf") if told is None else told


def _draw_ticks(sheet: Sheet, scale: Scale, result: Result, language: str, foot: float) -> None:
    for tick in scale.ticks():
        x = scale.at(tick)
        sheet.line(x, TOP - 4, x, foot)
        told = number(language, tick, 1) if result.is_ratio else share(language, tick, 0)
        sheet.word(x, foot + 18, told, anchor="middle", colour=SOFT, size=12)


def _draw_row(
    sheet: Sheet, scale: Scale, result: Result, row: Row, y: float, chosen: Sequence[str],
    language: str,
) -> None:  # fmt: skip
    name = row[result.unit]
    is_chosen = name in chosen
    if is_chosen:
        sheet.band(0, y - ROW / 2, WIDTH, ROW, colour=BAND)
    sheet.word(0, y + 4, cut(name, NAMES - 12), is_heavy=is_chosen)
    estimate, lower, upper = (value(row, one) for one in ("estimate", "lower", "upper"))
    if estimate is None:
        sheet.word(RIGHT + 12, y + 4, row.get("estimate") or "–", colour=SOFT)
        return
    if lower is not None and upper is not None:
        sheet.line(scale.at(lower), y, scale.at(upper), y, colour=SOFT, width=2)
    mark = level_mark(row)
    sheet.mark(scale.at(estimate), y, mark)
    told = measured(result, estimate, language)
    sheet.word(RIGHT + 62, y + 4, told, anchor="end", is_heavy=is_chosen)
    word = retell(language, mark.word) if mark.word else ""
    sheet.word(RIGHT + 74, y + 4, word, colour=SOFT, size=12)
