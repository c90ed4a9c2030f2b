"""The page's parts as HTML: what is shown, the picture or table, and what was hidden and why."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from workbench.output.portal import downloads, tables
from workbench.output.portal.choices import MOST_UNITS, Choice
from workbench.output.portal.pictures import caterpillar, funnel, trend
from workbench.output.portal.results import Result
from workbench.output.portal.words import number, retell, say

LEVELS = {"region": "Region", "hospital": "Hospital", "unit": "Unit", "clinic": "Clinic"}
PARTS = {"caterpillar": "rows", "funnel": "limits", "trend": "years", "table": "rows"}
N_FIRST = 3  # units shown over the years where none is chosen


def level_word(unit: str, language: str) -> str:
    """A level of organisation as a word; the study's own where it is no common one."""
    return say(language, LEVELS[unit]) if unit in LEVELS else unit.replace("_", " ")


def heading(language: str) -> str:
    """The page's heading, and the way back to the first page."""
    title = escape(say(language, "Results of the registers"))
    back = escape(say(language, "To the reports"))
    return f'<h1>{title}</h1><p><a href="/{language}">{back}</a></p>'


def status(result: Result | None, choice: Choice, language: str) -> str:
    """What is shown now, in one line that a screen reader reads out."""
    if result is None:
        told = say(language, "There is nothing to show.")
    else:
        told = say(
            language,
            "{indicator}. {period}. Units: {n}.",
            indicator=result.indicator,
            period=choice.year or result.period,
            n=len(result.units),
        )
    if choice.n_left_out:
        told += " " + say(
            language, "At most {n} units can be chosen: the first {n} are shown.", n=MOST_UNITS
        )
    return f'<p data-lang="{escape(language)}">{escape(told)}</p>'


def figure(result: Result | None, choice: Choice, language: str) -> str:
    """The picture or table; a sentence where there is none."""
    if result is None:
        return notice(
            language,
            "No released result can be shown here. A result comes when a study has been run and "
            "released, and the portal started again.",
        )
    part = PARTS[choice.view]
    if not getattr(result, part):
        return notice(language, _why_none(result, choice))
    if choice.view == "table":
        return tables.to_html(result, choice.units, language)
    return (
        '<div class="portal-picture" tabindex="0" role="group" '
        f'aria-label="{escape(result.indicator)}">{picture(result, choice, language)}</div>'
    )


def picture(result: Result, choice: Choice, language: str) -> str:
    """The chosen picture as SVG; empty for a table and where there is nothing to draw."""
    if choice.view == "table" or not getattr(result, PARTS[choice.view]):
        return ""
    if choice.view == "trend":
        return trend.draw(result, shown_over_years(result, choice), language)
    draw = {"caterpillar": caterpillar.draw, "funnel": funnel.draw}[choice.view]
    return draw(result, choice.units, language)


def shown_over_years(result: Result, choice: Choice) -> tuple[str, ...]:
    """The units in a trend: those chosen, or else the three with the most years."""
    if choice.units:
        return choice.units
    counts = dict.fromkeys(result.units, 0)
    for row in result.years:
        counts[row[result.unit]] += 1
    return tuple(sorted(counts, key=lambda name: (-counts[name], name))[:N_FIRST])


def below(result: Result | None, choice: Choice, faults: Sequence[str], language: str) -> str:
    """Downloads, the numbers of a picture, the method, and what was hidden and why."""
    parts = []
    if result is not None:
        part = PARTS[choice.view]
        over_years = choice.view == "trend"
        chosen = shown_over_years(result, choice) if over_years else choice.units
        rows = tables.lines_of(result, chosen, part)
        if rows:
            parts.append(downloads.links(result, rows, picture(result, choice, language), language))
        if rows and choice.view != "table":
            numbers = tables.to_html(result, chosen, language, part=part)
            title = escape(say(language, "The same in numbers"))
            parts.append(f"<details><summary>{title}</summary>{numbers}</details>")
        parts.append(hidden_notice(result, part, language))
    if faults:
        lines = "".join(f'<li lang="en">{escape(one)}</li>' for one in faults)
        title = escape(say(language, "Not shown here"))
        parts.append(f'<section class="portal-hidden"><h2>{title}</h2><ul>{lines}</ul></section>')
    return "".join(parts)


def hidden_notice(result: Result, part: str, language: str) -> str:
    """What was hidden and why, and how it was made."""
    lines = [retell(language, one) for one in result.notes.get(part, ())]
    lines += [f"{number(language, n)} {retell(language, why)}" for why, n in result.hidden.items()]
    lines = lines or [say(language, "No note on hidden rows came with this table.")]
    lines.append(tables.hidden_key(result, language))
    lines.append(say(language, "Units and years that are not named are hidden or have no cases."))
    told = "".join(f"<li>{escape(one)}</li>" for one in lines)
    method = retell(language, result.methods.get(part, ""))
    title = escape(say(language, "What was hidden and why"))
    made = escape(say(language, "What the report says of the method"))
    return (
        f'<section class="portal-hidden"><h2>{title}</h2><ul>{told}</ul>'
        + (f"<h2>{made}</h2><p>{escape(method)}</p>" if method else "")
        + "</section>"
    )


def notice(language: str, sentence: str) -> str:
    """A sentence in place of a picture."""
    return f'<p class="portal-notice">{escape(say(language, sentence))}</p>'


def _why_none(result: Result, choice: Choice) -> str:
    if choice.view == "funnel" and choice.year:
        return "Limits of chance were released for the whole period, not for one year."
    return {
        "funnel": "No limits of chance were released for this indicator.",
        "trend": "No numbers by year were released for this indicator, or a single year is chosen.",
    }.get(choice.view, "No unit has numbers that may be shown here.")
