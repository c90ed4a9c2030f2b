"""Texts in the language that is spoken, looked up by their English sentence."""

from __future__ import annotations

import datetime
import re
from functools import cache
from importlib import resources
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from workbench.language.numerals import HARD_SPACE, date, decimal_sign, number
from workbench.language.speech import current

PART = re.compile(r"\{(\w+)\}")
POINT = re.compile(r"(?<=\d)\.(?=\d)")
NUMBERS = re.compile(r"[<−-]?[\d\u202f.]+(?: %)?(?: to [−-]?[\d\u202f.]+(?: %)?)?")
BREAK = re.compile(r"(?<=[.?!]) (?=[A-ZÅÄÖØÆ\d])")
ELSEWHERE = "made elsewhere"  # the mark of a sentence that is found by its fixed words
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@cache
def catalogue(language: str) -> Catalog:
    """The texts of one language as its file has them."""
    place = resources.files("workbench.language") / "catalogues" / f"{language}.po"
    with place.open("rb") as lines:
        return read_po(lines, locale=language, abort_invalid=True)


@cache
def messages(language: str) -> dict[tuple[str, str], tuple[str, ...]]:
    """Context and English sentence -> the sentence in a language, and its plural where it has one.

    The context is empty for most; it tells two meanings of one English word apart.
    """
    return {
        (one.context or "", _forms(one.id)[0]): _forms(one.string)
        for one in catalogue(language)
        if one.id
    }


def text(english: str, /, *, context: str = "", **parts: Any) -> str:
    """A sentence in the language that is spoken.

    Parameters
    ----------
    english
        The whole sentence in English, its parts as `{names}`.
    context
        Tells two meanings of one English word apart ("to" of an interval, "to" of a date).
    parts
        What stands for the names: numbers as `number` and `per_cent` write them.
    """
    told = _look_up(english, context)[0]
    return told.format(**parts) if parts else told


def counted(n: int, one: str, many: str, /, **parts: Any) -> str:
    """A sentence about a number of things, `{n}` being the number, in singular or plural."""
    told = _look_up(one, "")
    told = (one, many) if len(told) == 1 else told
    return told[0 if n == 1 else 1].format(n=number(n), **parts)


def inside(label: str) -> str:
    """A label as it stands inside a sentence: "Sex" is "sex", "Ann Arbor stage" stays."""
    is_a_name = label[1:2].isupper() or re.match(r"\S+ [A-ZÅÄÖÆØ]", label)
    return label if is_a_name else label[:1].lower() + label[1:]


def retold(sentence: str) -> str:
    """An English sentence made elsewhere, told in the language that is spoken.

    The gate's notes, a session's headings and a result's facts come as finished English sentences.
    Each is found among the catalogue's, one with parts by its fixed words, and its parts are put
    into the other language's sentence; of several sentences, or parts between semicolons, each
    is looked for by itself. What is
    not found is given back as it is: the study's own words are not translated.
    """
    if current() == "en" or not sentence:
        return sentence
    whole = _found(sentence)
    if whole is not None:
        return whole
    for sign, pieces in ((" ", BREAK.split(sentence)), ("; ", sentence.split("; "))):
        if len(pieces) > 1:
            return sign.join(retold(piece) for piece in pieces)
    return sentence


def _found(sentence: str) -> str | None:
    plain = messages(current()).get(("", sentence))
    if plain is not None:
        return plain[0]
    for pattern, told in _patterns(current()):
        if found := pattern.fullmatch(sentence):
            return told.format(**{name: _part(part) for name, part in found.groupdict().items()})
    return None


def _part(part: str) -> str:
    """A part of a sentence: numbers and dates in the other language's signs, words retold."""
    if NUMBERS.fullmatch(part):
        ends = [POINT.sub(decimal_sign(), end).replace(" %", f"{HARD_SPACE}%")
                for end in part.split(" to ")]  # fmt: skip
        return (
            ends[0] if len(ends) == 1 else text("{lower} to {upper}", lower=ends[0], upper=ends[1])
        )
    if DAY.fullmatch(part):
        return date(datetime.date.fromisoformat(part))
    return retold(part)


def _look_up(english: str, context: str) -> tuple[str, ...]:
    language = current()
    if language == "en":
        return (english,)
    return messages(language).get((context, english), (english,))


@cache
def _patterns(language: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Sentences made elsewhere as patterns, those with most fixed words first."""
    marked = [one for one in catalogue(language) if ELSEWHERE in one.auto_comments]
    found = [(_forms(one.id)[0], _forms(one.string)[0]) for one in marked]
    found.sort(key=lambda pair: (-len(PART.sub("", pair[0])), pair[0]))
    return tuple((_pattern(english), told) for english, told in found)


def _forms(written: str | list[str] | tuple[str, ...]) -> tuple[str, ...]:
    """Singular and plural of a text, or the one form that it has."""
    return (written,) if isinstance(written, str) else tuple(written)


def _pattern(english: str) -> re.Pattern[str]:
    """A sentence as a pattern: `{n}` and `{n_...}` are whole numbers, `{..day}` dates."""
    pieces = []
    for at, piece in enumerate(PART.split(english)):
        if at % 2 == 0:
            pieces.append(re.escape(piece))
        elif piece == "n" or piece.startswith("n_"):
            pieces.append(f"(?P<{piece}>[\\d\u202f]+|\\[c\\])")
        elif piece.endswith("day"):
            pieces.append(f"(?P<{piece}>{DAY.pattern})")
        else:
            pieces.append(f"(?P<{piece}>.+?)")
    return re.compile("".join(pieces), re.DOTALL)
