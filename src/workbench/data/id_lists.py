"""Read a list of persons: one identity number, pseudonym or running number a line.

The list comes from outside, is read once and never copied; a fault in it is told by line number.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from workbench.data.identity import IdentityNumber, read_number
from workbench.data.keys import PSEUDONYM_LETTERS, PSEUDONYM_SIGNS, Key
from workbench.errors import DataError, KeyFault, gathered
from workbench.registers.variables import IdentityScheme

_PSEUDONYM = re.compile(rf"[{PSEUDONYM_LETTERS}]{{{PSEUDONYM_SIGNS}}}")
# Ten digits may be two persons; read from these years, the earlier and the later one are found.
_EARLIER, _LATER = date(1910, 1, 1), date(2010, 1, 1)
How = IdentityScheme | None  # how a table names persons; None: by running numbers


@dataclass(frozen=True)
class Person:
    """One line of the list: the line's number, and the texts a store may know the person by."""

    line: int
    names: dict[How, frozenset[str]] = field(repr=False)


def read_persons(
    file: Path, hows: Collection[How], *, key: Key | None, as_of: date
) -> list[Person]:
    """Everybody on a list, for tables that name persons in the ways of `hows`.

    Raises `DataError` naming every line that none of the tables could name a person by, `KeyFault`
    when numbers must be turned into pseudonyms and there is no key.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except OSError as reason:
        raise DataError(f"{file} cannot be read: {reason.strerror}.") from None
    except UnicodeDecodeError:
        raise DataError(f"{file} is not UTF-8 text. Expected one number a line.") from None
    persons, faults = [], []
    for number, line in enumerate(lines, start=1):
        text = line.strip().strip('"').strip()
        if not text or text.startswith("#"):
            continue
        names = {how: _names(text, how, key=key, as_of=as_of) for how in hows}
        if not any(names.values()):
            problems = {read_number(text, how, as_of=as_of).problem for how in hows if how}
            faults.append(f"line {number}: {' or '.join(sorted(filter(None, problems)))}")
        persons.append(Person(number, names))
    if faults:
        raise DataError(gathered(f"{file} cannot be used, nothing was removed:", faults))
    if not persons:
        raise DataError(f"{file} names nobody. Expected one number a line.")
    return persons


def refuse_doubtful(file: Path, persons: Sequence[Person], known: Collection[str]) -> None:
    """Raise `DataError` for lines of ten digits that fit two persons whom the store knows."""
    doubtful = [
        f"line {one.line}: two persons fit"
        for one in persons
        if any(len(names & set(known)) > 1 for names in one.names.values())
    ]
    if doubtful:
        raise DataError(
            gathered(f"{file} cannot be used, nothing was removed:", doubtful)
            + "\nWrite these numbers with their century, in twelve digits."
        )


def _names(text: str, how: How, *, key: Key | None, as_of: date) -> frozenset[str]:
    """The texts by which a table may know the person of a line; none when it cannot be read."""
    if how is None:
        return frozenset({text, str(int(text))} if text.isascii() and text.isdigit() else {text})
    if _PSEUDONYM.fullmatch(text):
        return frozenset({text})
    readings = [read_number(text, how, as_of=as_of)]
    if readings[0].is_dated_by_calendar and "+" not in text:
        readings += [read_number(text, how, as_of=as_of, born=born) for born in (_EARLIER, _LATER)]
    if not any(one.number for one in readings):
        return frozenset()
    if key is None:
        raise KeyFault(
            "The list holds identity numbers, and there is no key to find their pseudonyms with. "
            "Use the key the store was made with, or list pseudonyms."
        )
    return _pseudonyms(readings, how, key)


def _pseudonyms(
    readings: Sequence[IdentityNumber], scheme: IdentityScheme, key: Key
) -> frozenset[str]:
    return frozenset(key.pseudonym(one.number, scheme) for one in readings if one.number)
