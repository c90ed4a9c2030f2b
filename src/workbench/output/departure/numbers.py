"""Identity numbers in texts: Swedish, Norwegian, Danish and Finnish ones with right check digits.

A signed Swedish or Danish number is told whatever its check digit, since nothing else is written
so. Digits that are part of a longer word or of a decimal number are not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from workbench.data.identity import read_number
from workbench.registers.variables import IdentityScheme

ALONE = r"(?<![0-9A-Za-z])(?<![0-9][.,])", r"(?![0-9A-Za-z])"
SIGNED = re.compile(r"{}(?:\d\d)?\d\d[01]\d[0-9]\d[-+]\d{{4}}{}".format(*ALONE))
FINNISH = re.compile(r"{}\d{{6}}[-+A-FU-Y]\d{{3}}[0-9A-FHJ-NPR-Y]{}".format(*ALONE))
BARE = re.compile(r"{}\d{{10,12}}{}".format(*ALONE))
SPACED = re.compile(r"{}(?:\d\d)?\d{{6}} \d{{4,5}}{}".format(*ALONE))
LENGTHS: dict[int, tuple[IdentityScheme, ...]] = {
    10: ("swedish", "danish"), 11: ("norwegian",), 12: ("swedish",),
}  # fmt: skip
DANISH_WEIGHTS = (4, 3, 2, 7, 6, 5, 4, 3, 2, 1)


def count_numbers(text: str, *, as_of: date) -> int:
    """How many different identity numbers a text holds."""
    return len(set(_numbers(text, as_of)))


def _numbers(text: str, as_of: date) -> Iterator[str]:
    yield from SIGNED.findall(text)
    for run in FINNISH.findall(text):
        if read_number(run, "finnish", as_of=as_of).number:
            yield run
    for run in (*BARE.findall(text), *SPACED.findall(text)):
        digits = run.replace(" ", "")
        if any(_is_right(digits, scheme, as_of) for scheme in LENGTHS.get(len(digits), ())):
            yield digits


def _is_right(digits: str, scheme: IdentityScheme, as_of: date) -> bool:
    if read_number(digits, scheme, as_of=as_of).number is None:
        return False
    if scheme != "danish":
        return True
    # Without the old check digit every date and four digits would be one.
    total = sum(int(one) * weight for one, weight in zip(digits, DANISH_WEIGHTS, strict=True))
    return total % 11 == 0
