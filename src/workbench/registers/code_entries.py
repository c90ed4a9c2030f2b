"""One line of a code list: a code, the beginning of codes, or a range of beginnings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from workbench.registers.classifications import CODE_SYSTEMS, Classification, normalise
from workbench.registers.code_patterns import Stem, stems_between
from workbench.registers.variables import CodeSystem

Match = Literal["exact", "prefix", "range"]

_RANGE = re.compile(r"(.+?)[-–](.+)")
_SIGNS = re.compile(r"[0-9A-Z]+")
_LETTERS = re.compile(r"[A-Z]*")


@dataclass(frozen=True)
class Entry:
    """What a line means: one code or stem, or all stems from `first` to `last`."""

    text: str  # as it stands in the file
    match: Match
    first: str
    last: str

    def covers(self, code: str) -> bool:
        """Whether a normalised code is meant; of a range, its first signs must lie within."""
        if self.match == "exact":
            return code == self.first
        if self.match == "prefix":
            return code.startswith(self.first)
        head = code[: len(self.first)]
        is_long_enough = len(head) == len(self.first) and bool(_SIGNS.fullmatch(head))
        return is_long_enough and self.first <= head <= self.last

    def includes(self, other: Entry) -> bool:
        """Whether every code that another entry of the same kind means is meant by this one."""
        return self.covers(other.first) and self.covers(other.last)

    @property
    def stems(self) -> list[Stem]:
        """The entry as a pattern needs it."""
        if self.match == "range":
            return stems_between(self.first, self.last)
        return [(tuple(self.first), self.match == "prefix")]


def read_entry(text: str, match: Match, system: CodeSystem) -> Entry:
    """Understand one line of a code list; raise `ValueError` with what is wrong with it."""
    classification = CODE_SYSTEMS[system]
    code = normalise(text)
    ends = _ends_of(text, classification)
    if ends and match != "range":
        raise ValueError(f'"{text}" is a range; say match: range, or write the codes one by one')
    if ends:
        _check_range(text, *ends)
        return Entry(text, match, *ends)
    if match == "exact" and not classification.is_code(code):
        kind = "only the beginning of one" if classification.is_stem(code) else "not one"
        raise ValueError(
            f'"{text}" is no whole code of {classification.label} but {kind}; '
            f"match: exact expects {classification.looks_like}"
        )
    if not classification.is_stem(code):
        raise ValueError(
            f'"{text}" is no code of {classification.label}, nor the beginning of one; '
            f"expected {classification.looks_like}"
        )
    return Entry(text, match, code, code)


def _ends_of(text: str, classification: Classification) -> tuple[str, str] | None:
    """Both ends of a range, or nothing: I10-P is one code, I10-I15 is a range."""
    split = None if classification.is_stem(normalise(text)) else _RANGE.fullmatch(text)
    if split is None:
        return None
    first, last = normalise(split[1]), normalise(split[2])
    are_stems = classification.is_stem(first) and classification.is_stem(last)
    return (first, last) if are_stems else None


def _check_range(text: str, first: str, last: str) -> None:
    if len(first) != len(last):
        raise ValueError(f'"{text}": both ends of a range must have as many signs')
    if _letters(first) != _letters(last):
        raise ValueError(
            f'"{text}": both ends of a range must begin with the same letters; write one range '
            "for each, as in A00-A99 and B00-B99"
        )
    if first > last:
        raise ValueError(f'"{text}" ends before it begins')


def _letters(code: str) -> str:
    found = _LETTERS.match(code)
    return found[0] if found else ""
