"""The classifications that codes come from, and the one form in which codes are compared."""

from __future__ import annotations

import re
from dataclasses import dataclass
from string import ascii_uppercase, digits

from workbench.registers.variables import CodeSystem

# Signs that mean nothing in a code: I10.9 and I109, 8500/3 and 85003 are the same. An engine that
# takes them away after upper() gets the same codes; in a cell of several the blank stays.
REMOVED_SIGNS = (".", "-", "/", " ")
REMOVED_IN_CELL = (".", "-", "/")

SIGN = digits + ascii_uppercase


def normalise(code: str) -> str:
    """A code as it is compared: capitals, without dots, hyphens, slashes and blanks."""
    text = code.upper()
    for sign in REMOVED_SIGNS:
        text = text.replace(sign, "")
    return text


@dataclass(frozen=True)
class Classification:
    """How the codes of one classification look once they are normalised."""

    label: str
    places: tuple[str, ...]  # the signs that may stand at each place
    lengths: frozenset[int]  # of whole codes
    stems: frozenset[int]  # lengths at which the beginning of a code means something
    looks_like: str

    @property
    def shape(self) -> str:
        """The expression of one whole normalised code."""
        shapes = ("".join(f"[{signs}]" for signs in self.places[:n]) for n in sorted(self.lengths))
        return f"^(?:{'|'.join(shapes)})$"

    def is_code(self, text: str) -> bool:
        """Whether a normalised text could be a whole code."""
        return len(text) in self.lengths and self._fits(text)

    def is_stem(self, text: str) -> bool:
        """Whether a normalised text could be a code or the beginning of one."""
        return len(text) in self.stems | self.lengths and self._fits(text)

    def _fits(self, text: str) -> bool:
        known = zip(text, self.places, strict=False)
        return re.fullmatch(r"[0-9A-Z]+", text) is not None and all(
            sign in signs for sign, signs in known
        )


_ICD = frozenset({3, 4, 5})
_TO_FIVE = frozenset({1, 2, 3, 4, 5})
_ATC = frozenset({1, 3, 4, 5, 7})
_L, _D = ascii_uppercase, digits

CODE_SYSTEMS: dict[CodeSystem, Classification] = {
    # Swedish additions stand at the fourth or fifth place, as letters too: I10.9, I10-P, E11.9A.
    "icd10se": Classification(
        "ICD-10-SE", (_L, _D, _D, SIGN, SIGN), _ICD, _TO_FIVE,
        "a letter and two digits, then at most two digits or letters, as in I10.9 or T81.0X",
    ),
    "icd10": Classification(
        "ICD-10", (_L, _D, _D, _D, _D), _ICD, _TO_FIVE,
        "a letter and two digits, then at most two digits, as in I10 or S72.00",
    ),
    # Swedish ICD-9 (1987-1996) ends in a letter; E and V codes begin with one.
    "icd9": Classification(
        "ICD-9", (_D + "EV", _D, _D, SIGN, SIGN), _ICD, _TO_FIVE,
        "three digits (or E or V and two), then at most two digits or letters, as in 410 or 250A",
    ),
    # Only at the levels of the classification does a shorter code mean something.
    "atc": Classification(
        "ATC", (_L, _D, _D, _L, _L, _D, _D), _ATC, _ATC,
        "a level of ATC: A, A10, A10B, A10BA or A10BA02",
    ),
    # Surgery as in the Nordic NCSP (NGQ19), other measures in Swedish KVA (DR014).
    "kva": Classification(
        "NCSP and KVÅ", (_L, _L, SIGN, _D, _D), frozenset({5}), _TO_FIVE,
        "three letters and two digits or two letters and three digits, as in NGQ19 or DR014",
    ),
    "icdo3_topography": Classification(
        "ICD-O-3 topography", ("C", _D, _D, _D), frozenset({3, 4}), frozenset({1, 2, 3, 4}),
        "C and two or three digits, as in C50.9",
    ),
    # Four digits, then the behaviour, then the grade, of which registers leave out one or both.
    "icdo3_morphology": Classification(
        "ICD-O-3 morphology", (_D,) * 6, frozenset({4, 5, 6}), frozenset({1, 2, 3, 4, 5, 6}),
        "four digits, then behaviour and grade, as in 8500/3 or 85003",
    ),
}  # fmt: skip
