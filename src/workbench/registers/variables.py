"""One column of a table: its type, its values, and what they mean.

A variable that changed with the years (another code list, another type) says so in editions: each
holds for some years and overrides what the variable says of all others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Literal

from pydantic import Field, model_validator

from workbench.registers.documents import Document

Kind = Literal["text", "code", "integer", "decimal", "date", "boolean"]
Sensitivity = Literal["identity", "pseudonym", "indirect", "health", "open"]
IdentityScheme = Literal["swedish", "norwegian", "danish", "finnish"]
CodeSystem = Literal[
    "icd10se", "icd10", "icd9", "atc", "kva", "icdo3_topography", "icdo3_morphology"
]
# What a variable is to the workbench, whatever its name is: linkage and checks look for these.
Meaning = Literal[
    "birth_date", "sex", "death_date", "registered_date", "migration", "earlier_number",
    "municipality", "region", "hospital", "unit",
]  # fmt: skip
DATES = frozenset({"birth_date", "death_date", "registered_date"})
# Codes whose words the workbench must understand.
WORDS = {
    "sex": frozenset({"male", "female"}),
    "migration": frozenset({"immigration", "emigration"}),
}

_NUMBER = re.compile(r"[+-]?\d{1,18}(\.\d{1,18})?", re.ASCII)
_WHOLE_NUMBER = re.compile(r"0|-?[1-9]\d{0,17}", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DIRECTIVE = re.compile(r"%-?.?")
# A date needs a four-digit year, a month and a day (or a day of the year). With two digits the
# century would be guessed, without a day the day would be invented.
_DIRECTIVES = frozenset("YmdjbBHMSfp%")


class Values(Document):
    """What the values of a column may be."""

    codes: dict[str, str] = Field(default_factory=dict)  # allowed code -> what it means
    unknown: tuple[str, ...] = ()  # codes that mean "not known": kept, but counted as missing
    code_system: CodeSystem | None = None  # a classification too long to list
    minimum: str | None = None
    maximum: str | None = None
    first_year: int | None = Field(default=None, ge=1860, le=2200)
    last_year: int | None = Field(default=None, ge=1860, le=2200)

    def faults(self, kind: Kind) -> Iterator[str]:
        """What does not fit values of type `kind`."""
        yield from self._code_faults(kind)
        yield from self._limit_faults(kind)
        if self.first_year and self.last_year and self.first_year > self.last_year:
            yield f"first_year {self.first_year} is after last_year {self.last_year}"

    def _code_faults(self, kind: Kind) -> Iterator[str]:
        given = [*self.codes, *self.unknown]
        if given and kind not in {"code", "integer"}:
            yield f"codes and unknown need type code or integer, not {kind}"
        strange = [code for code in given if not _WHOLE_NUMBER.fullmatch(code)]
        if strange and kind == "integer":
            yield (
                f"{', '.join(strange)} is not how a whole number is written, so that no value "
                "could have that code; use type code"
            )
        strangers = [code for code in self.unknown if code not in self.codes]
        if strangers and self.codes:
            yield f"unknown names {', '.join(strangers)}, which codes does not have"
        if self.code_system and kind != "code":
            yield f"code_system needs type code, not {kind}"
        if self.code_system and self.codes:
            yield "give codes or code_system, not both"

    def _limit_faults(self, kind: Kind) -> Iterator[str]:
        limits = []
        for key, text in (("minimum", self.minimum), ("maximum", self.maximum)):
            if text is None:
                continue
            if kind not in {"integer", "decimal", "date"}:
                yield f"{key} needs type integer, decimal or date, not {kind}"
            elif (limit := _limit(text, kind)) is None:
                yield f'{key} "{text}" is not a value of type {kind}'
            else:
                limits.append(limit)
        if len(limits) == 2 and limits[0] > limits[1]:
            yield f"minimum {self.minimum} is above maximum {self.maximum}"


class Edition(Values):
    """How a variable was in some years; what is said here holds there, and nothing else does."""

    type: Kind | None = None  # where it was another; stored as the variable's own type

    @model_validator(mode="after")
    def _has_years(self) -> Edition:
        if self.first_year is None and self.last_year is None:
            raise ValueError("an edition needs first_year, last_year or both.")
        return self


class Variable(Values):
    """One column: its type and everything that can be said of its values."""

    type: Kind
    label: str = ""
    description: str = ""
    delivered_as: str | None = None  # the header in the extract, where it differs from the name
    unit: str | None = None
    date_format: str | None = None  # such as %d.%m.%Y; ISO always, YYYYMMDD if nothing is said
    required: bool = False
    sensitivity: Sensitivity = "health"
    identity_scheme: IdentityScheme | None = None  # of an identity number; stored as a pseudonym
    means: Meaning | None = None
    free_text: Literal["scanned", "left_out"] | None = None  # of text people write as they like
    separated_by: Literal["blank", "comma", "semicolon"] | None = None  # several codes in a cell
    source: str = ""
    editions: tuple[Edition, ...] = ()

    @model_validator(mode="after")
    def _agree(self) -> Variable:
        faults = [
            *self.faults(self.type),
            *self._date_format_faults(),
            *self._identity_faults(),
            *self._meaning_faults(),
            *self._edition_faults(),
        ]
        if self.free_text and (self.type != "text" or self.codes):
            faults.append("free_text needs type text")
        if self.separated_by and (self.type != "code" or self.codes):
            faults.append("separated_by needs type code, and code_system instead of codes")
        if faults:
            raise ValueError("; ".join(faults) + ".")
        return self

    def _date_format_faults(self) -> Iterator[str]:
        if self.date_format and self.type != "date":
            yield "date_format needs type date"
        elif self.date_format and (fault := _date_format_fault(self.date_format)):
            yield f'date_format "{self.date_format}" {fault}'

    def _identity_faults(self) -> Iterator[str]:
        if self.identity_scheme and self.sensitivity != "identity":
            yield "identity_scheme needs sensitivity: identity"
        if self.sensitivity == "identity":
            if not self.identity_scheme:
                yield (
                    "sensitivity: identity needs identity_scheme (swedish, norwegian, danish or "
                    "finnish), so that the numbers can be checked and made into pseudonyms"
                )
            if self.type != "code":
                yield f"an identity number has type code, not {self.type}"

    def _meaning_faults(self) -> Iterator[str]:
        if self.means in DATES and self.type != "date":
            yield f"means: {self.means} needs type date, not {self.type}"
        words = set(self.codes.values())
        needed = WORDS.get(self.means or "", frozenset())
        if needed - words:
            yield (
                f"means: {self.means} needs codes with the words {' and '.join(sorted(needed))}, "
                "since the workbench must know which is which"
            )

    def _edition_faults(self) -> Iterator[str]:
        for at, edition in enumerate(self.editions):
            kind = edition.type or self.type
            if not _stores(self.type, kind):
                yield f"editions[{at}]: values of type {kind} cannot be stored as {self.type}"
            yield from (f"editions[{at}]: {fault}" for fault in edition.faults(kind))
        spans = sorted((one.first_year or 0, one.last_year or 9999) for one in self.editions)
        for (_, end), (begin, _) in pairwise(spans):
            if begin <= end:
                yield f"two editions hold in {begin}; every year has one at most"

    @property
    def is_category(self) -> bool:
        """Whether the values are categories: they can group persons and be counted."""
        return self.type in {"code", "boolean", "text"} or bool(self.codes)

    @property
    def words(self) -> dict[str, str]:
        """Every code of all years with what it means; of a code that changed, the newest."""
        newest_last = sorted(self.editions, key=lambda one: one.first_year or 0)
        return {c: w for one in (*newest_last, self) for c, w in one.codes.items()}


def _limit(text: str, kind: Kind) -> Decimal | None:
    """A limit as a number (days for a date), or nothing when it is no value of the type."""
    if kind == "date":
        try:
            return Decimal(date.fromisoformat(text).toordinal()) if _DAY.fullmatch(text) else None
        except ValueError:
            return None
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def _stores(stored: Kind, delivered: Kind) -> bool:
    """Whether a column of one type can hold values delivered in another."""
    return delivered == stored or stored in {"code", "text"} or (stored, delivered) == (
        "decimal", "integer"
    )  # fmt: skip


def _date_format_fault(pattern: str) -> str:
    """Why a pattern cannot give a date; blank when it can."""
    used = [directive.lstrip("%-") or "%" for directive in _DIRECTIVE.findall(pattern)]
    if strange := [one for one in used if one not in _DIRECTIVES]:
        return (
            f"has %{strange[0]}; known: %Y %m %d %j %b %B %H %M %S (%Y is the year in four digits)"
        )
    has_month = bool({"m", "b", "B"} & set(used))
    if "Y" not in used or not ((has_month and "d" in used) or "j" in used):
        return "does not give a whole date: it needs %Y, %m and %d"
    return ""
