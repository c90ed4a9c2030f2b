"""The numbers behind a picture as a table for the page: hidden and missing told apart."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from workbench.output.portal.marks import PLAIN, Mark, flag_mark, level_mark
from workbench.output.portal.pictures.caterpillar import measured, ordered
from workbench.output.portal.results import Result, Row, is_hidden, value
from workbench.output.portal.words import HIDDEN, MISSING, number, retell, say

SIGNS = {"circle": "●", "diamond": "◆", "up": "▲", "down": "▼", "square": "■"}
HOLLOW = {"circle": "○", "diamond": "◇", "up": "△", "down": "▽", "square": "□"}
COUNTS = ("n", "events", "expected")
TITLES = {
    "n": "Patients", "events": "With the event", "expected": "Expected events",
    "estimate": "Value", "lower": "95 % from", "upper": "to",
}  # fmt: skip


def to_html(result: Result, chosen: Sequence[str], language: str, *, part: str = "rows") -> str:
    """A table with one line a unit (and year), the nation last, and what its signs mean.

    With units chosen only they are in it. `part` is "rows", "limits" or "years".
    """
    rows = lines_of(result, chosen, part)
    columns = [one for one in TITLES if any(one in row for row in rows)]
    word = _last_column(rows, part)
    heads = [say(language, "Unit"), *([say(language, "Year")] if part == "years" else [])]
    heads += [say(language, TITLES[one]) for one in columns]
    heads += [say(language, word)] if word else []
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in heads)
    body = "".join(
        _line(result, row, columns, word, language, has_year=part == "years") for row in rows
    )
    body += _nation_line(result, columns, word, language, has_year=part == "years")
    caption = f"{result.indicator}, {result.period}" if result.period else result.indicator
    return (
        '<div class="portal-table" tabindex="0" role="region" '
        f'aria-label="{escape(caption)}"><table><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        f'<p class="portal-key">{escape(key_of(rows, columns, result, language))}</p>'
    )


def lines_of(result: Result, chosen: Sequence[str], part: str) -> list[Row]:
    """The rows of one part, those chosen only where some are."""
    if part == "rows":
        rows = ordered(result)
    else:
        rows = sorted(
            result.limits if part == "limits" else result.years,
            key=lambda row: (row[result.unit].casefold(), row.get("year", "")),
        )
    return [row for row in rows if not chosen or row[result.unit] in chosen]


def key_of(rows: Sequence[Row], columns: Sequence[str], result: Result, language: str) -> str:
    """What `[c]` and `–` mean, where the table has them."""
    told = []
    if any(is_hidden(row, one) for row in rows for one in columns):
        told.append(hidden_key(result, language))
    if any(row.get(one, "") == "" for row in rows for one in columns):
        told.append(say(language, "– missing: there is no value."))
    return " ".join(told)


def hidden_key(result: Result, language: str) -> str:
    """What the sign of a hidden cell means."""
    if result.threshold:
        return say(
            language,
            "[c] hidden: a count under {n}, or what could tell one.",
            n=number(language, result.threshold),
        )
    return say(language, "[c] hidden: it could point at a person, or tell what does.")


def sign(mark: Mark) -> str:
    """A mark as a sign that can be written."""
    return (HOLLOW if mark.is_hollow else SIGNS)[mark.shape]


def _last_column(rows: Sequence[Row], part: str) -> str:
    if part == "limits" and any(row.get("flag") for row in rows):
        return "Place in the funnel"
    if part == "rows" and any(row.get("level") for row in rows):
        return "Level"
    return ""


def _line(
    result: Result, row: Row, columns: Sequence[str], word: str, language: str, *, has_year: bool
) -> str:
    cells = [row.get("year", "")] if has_year else []
    cells += [_cell(result, row, one, language) for one in columns]
    told = "".join(f"<td>{escape(one)}</td>" for one in cells)
    if word:
        told += f'<td class="portal-word">{escape(_word(row, word, language))}</td>'
    return f'<tr><th scope="row">{escape(row[result.unit])}</th>{told}</tr>'


def _cell(result: Result, row: Row, column: str, language: str) -> str:
    if is_hidden(row, column):
        return HIDDEN
    if column in COUNTS:
        decimals = 1 if column == "expected" else 0
        return number(language, value(row, column), decimals)
    return measured(result, value(row, column), language)


def _word(row: Row, word: str, language: str) -> str:
    """A level or a flag: its sign and the words that say how sure it is."""
    if word == "Place in the funnel":
        mark = flag_mark(row)
        return f"{sign(mark)} {say(language, mark.word)}"
    mark = level_mark(row)
    if mark is PLAIN:
        return HIDDEN if is_hidden(row, "level") else MISSING
    return f"{sign(mark)} {retell(language, row.get('level_words') or mark.word)}"


def _nation_line(
    result: Result, columns: Sequence[str], word: str, language: str, *, has_year: bool
) -> str:
    nation = result.nation
    if nation is None:
        return ""
    told = {
        "n": number(language, nation.n),
        "events": number(language, nation.events),
        "estimate": measured(result, nation.estimate, language),
    }
    name = say(language, "Nation" if nation.is_whole else "Units shown, together")
    cells = "".join(f"<td>{escape(told.get(one, ''))}</td>" for one in columns)
    year = f"<td>{escape(result.period)}</td>" if has_year else ""
    return (
        f'<tr class="portal-nation"><th scope="row">{escape(name)}</th>{year}{cells}'
        f"{'<td></td>' if word else ''}</tr>"
    )
