"""The portal's own sentences in three languages, and numbers as each language writes them.

The English sentence is the key, as in `workbench.language`; the catalogues lie beside this module
until they move there. Sentences of the gate and of figures are told again by that room.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

from babel.messages.pofile import read_po

from workbench import language as house

MISSING, HIDDEN = "–", "[c]"
NAMES = {"sv": "Svenska", "nb": "Norsk", "en": "English"}


@cache
def _messages(language: str) -> dict[str, str]:
    place = resources.files("workbench.output.portal") / "catalogues" / f"{language}.po"
    with place.open("rb") as lines:
        read = read_po(lines, locale=language, abort_invalid=True)
    return {str(one.id): str(one.string) for one in read if one.id and one.string}


def say(language: str, sentence: str, /, **parts: object) -> str:
    """One of the portal's sentences in a language, its parts filled in."""
    told = sentence if language == "en" else _messages(language).get(sentence, sentence)
    return told.format(**parts) if parts else told


def retell(language: str, sentence: str) -> str:
    """A sentence or word made elsewhere (the gate, a figure) in a language, if it is known."""
    if language != "en" and sentence in _messages(language):
        return _messages(language)[sentence]
    with house.speaking(language):
        return house.retold(sentence)


def share(language: str, value: float | None, decimals: int | None = None) -> str:
    """A share as per cent, with one decimal where it is small; a dash where there is none."""
    if value is None:
        return MISSING
    if decimals is None:
        decimals = 1 if 0 < value < 0.0995 else 0
    with house.speaking(language):
        return house.share(value, decimals)


def number(language: str, value: float | None, decimals: int = 0) -> str:
    """A number with so many decimals; a dash where there is none."""
    if value is None:
        return MISSING
    with house.speaking(language):
        return house.number(value, decimals)
