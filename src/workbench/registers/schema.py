"""What a register's data mean: registers, their tables and variables, defined once in YAML.

Everything else is derived from here: what intake checks, the types in the store, the data
dictionary, which names a study may use. A new register is one YAML file and no code.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from workbench.errors import DefinitionError, did_you_mean
from workbench.registers.documents import Document, read_document

Kind = Literal["text", "code", "integer", "decimal", "date", "boolean"]
Sensitivity = Literal["identity", "pseudonym", "indirect", "health", "open"]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]

DEFINITIONS = Path(__file__).parent / "definitions"
EARLIEST_DATE = date(1860, 1, 1)  # nobody in a living register was born before
RESERVED = frozenset({"row_id", "index_date", "has_event", "person", "file_row_number"})
_NUMBER = re.compile(r"[+-]?\d{1,18}(\.\d{1,18})?", re.ASCII)
_WHOLE_NUMBER = re.compile(r"0|-?[1-9]\d{0,17}", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DIRECTIVE = re.compile(r"%-?.?")
# A date needs a four-digit year, a month and a day (or a day of the year). With two digits the
# century would be guessed, without a day the day would be invented.
_DIRECTIVES = frozenset("YmdjbBHMSfp%")
_NAME = re.compile(r"^[^\W\d_]\w*$")  # a letter first: names with _ first are the workbench's


class Variable(Document):
    """One column: its type and everything that can be said of its values."""

    type: Kind
    label: str = ""
    description: str = ""
    delivered_as: str | None = None  # the header in the extract, where it differs from the name
    unit: str | None = None
    codes: dict[str, str] = Field(default_factory=dict)  # allowed code -> what it means
    unknown: tuple[str, ...] = ()  # codes that mean "not known": kept, but counted as missing
    minimum: str | None = None
    maximum: str | None = None
    date_format: str | None = None  # such as %d.%m.%Y; ISO always, YYYYMMDD if nothing is said
    required: bool = False
    sensitivity: Sensitivity = "health"
    source: str = ""
    first_year: int | None = Field(default=None, ge=1860, le=2200)
    last_year: int | None = Field(default=None, ge=1860, le=2200)

    @model_validator(mode="after")
    def _agree(self) -> Variable:
        faults = [*self._code_faults(), *self._limit_faults()]
        if self.date_format and self.type != "date":
            faults.append("date_format needs type date")
        elif self.date_format and (fault := _date_format_fault(self.date_format)):
            faults.append(f'date_format "{self.date_format}" {fault}')
        if self.first_year and self.last_year and self.first_year > self.last_year:
            faults.append(f"first_year {self.first_year} is after last_year {self.last_year}")
        if faults:
            raise ValueError("; ".join(faults) + ".")
        return self

    def _code_faults(self) -> Iterator[str]:
        given = [*self.codes, *self.unknown]
        if given and self.type not in {"code", "integer"}:
            yield f"codes and unknown need type code or integer, not {self.type}"
        strange = [code for code in given if not _WHOLE_NUMBER.fullmatch(code)]
        if strange and self.type == "integer":
            yield (
                f"{', '.join(strange)} is not how a whole number is written, so that no value "
                "could have that code; use type code"
            )
        strangers = [code for code in self.unknown if code not in self.codes]
        if strangers and self.codes:
            yield f"unknown names {', '.join(strangers)}, which codes does not have"

    def _limit_faults(self) -> Iterator[str]:
        limits = []
        for key, text in (("minimum", self.minimum), ("maximum", self.maximum)):
            if text is None:
                continue
            if self.type not in {"integer", "decimal", "date"}:
                yield f"{key} needs type integer, decimal or date, not {self.type}"
            elif (limit := self._limit(text)) is None:
                yield f'{key} "{text}" is not a value of type {self.type}'
            else:
                limits.append(limit)
        if len(limits) == 2 and limits[0] > limits[1]:
            yield f"minimum {self.minimum} is above maximum {self.maximum}"

    def _limit(self, text: str) -> Decimal | None:
        """A limit as a number (days for a date), or nothing when it is no value of the type."""
        if self.type == "date":
            try:
                return (
                    Decimal(date.fromisoformat(text).toordinal()) if _DAY.fullmatch(text) else None
                )
            except ValueError:
                return None
        return Decimal(text) if _NUMBER.fullmatch(text) else None

    @property
    def is_category(self) -> bool:
        """Whether the values are categories: they can group persons and be counted."""
        return self.type in {"code", "boolean", "text"} or bool(self.codes)


class Delivery(Document):
    """How the register writes its files; what is left out is recognised from the file."""

    delimiter: str | None = None  # one sign, or the word tab
    encoding: Literal["utf-8", "windows-1252", "utf-16"] | None = None
    decimal: Literal[".", ","] | None = None
    sheet: str | None = None  # of an Excel file; the first one if not said
    missing: tuple[str, ...] = ()  # texts that stand for "no value", besides the empty field

    @field_validator("delimiter", mode="before")
    @classmethod
    def _spell_out_tab(cls, given: object) -> object:
        """A tab is a blank, which would be taken away around a value."""
        return "tab" if given in {"\t", "\\t"} else given

    @field_validator("delimiter")
    @classmethod
    def _one_sign(cls, given: str | None) -> str | None:
        if given not in {None, "tab"} and (len(given) != 1 or given.isalnum() or given in "\"'"):
            raise ValueError("expected one sign such as ; or the word tab.")
        return given


class Table(Document):
    """One table of a register: what a row is, who it is about, and its variables."""

    label: str = ""
    description: str = ""
    one_row_is: str = "one person"
    person: str | None = None  # variable that says who; none: every row is a person of its own
    key: tuple[str, ...] = ()  # variables that together are unique
    dated_by: str | None = None  # date variable that places a row in time
    date_order: tuple[tuple[str, str], ...] = ()  # pairs: the first is never after the second
    set_aside_limit: float = Field(default=0.05, ge=0, le=1)  # share of rows; above it: refused
    delivery: Delivery = Delivery()
    variables: dict[str, Variable] = Field(min_length=1)

    @model_validator(mode="after")
    def _agree(self) -> Table:
        faults = [*self._name_faults(), *self._reference_faults()]
        if faults:
            raise ValueError("; ".join(faults) + ".")
        return self

    def _name_faults(self) -> Iterator[str]:
        for name in self.variables:
            if not _NAME.match(name):
                yield (
                    f'"{name}" is no variable name: use letters, digits and _ (and delivered_as '
                    "for the header in the file)"
                )
            if name.casefold() in RESERVED:
                yield f'"{name}" is a name the workbench uses itself'
        headers = Counter(self.header_of(name).casefold() for name in self.variables)
        names = Counter(name.casefold() for name in self.variables)
        for kind, counted in (("name", names), ("header", headers)):
            if double := [name for name, n in counted.items() if n > 1]:
                yield f"two variables have the same {kind} ({double[0]}; capitals do not count)"
                return

    def _reference_faults(self) -> Iterator[str]:
        dates = [name for pair in self.date_order for name in pair]
        dates += [self.dated_by] if self.dated_by else []
        for name in [*self.key, *([self.person] if self.person else []), *dates]:
            if name not in self.variables:
                near = did_you_mean(name, self.variables).removesuffix(".")
                yield f'there is no variable "{name}".{near}'
        for name in dates:
            if name in self.variables and self.variables[name].type != "date":
                yield f'"{name}" is used as a date but has type {self.variables[name].type}'
        if len(set(self.key)) < len(self.key):
            yield "key names a variable twice"
        yield from (
            f'date_order compares "{first}" with itself'
            for first, second in self.date_order
            if first == second
        )
        for name, variable in self.variables.items():
            if (variable.first_year or variable.last_year) and not self.dated_by:
                yield f'"{name}" has years, so the table needs dated_by'

    def header_of(self, name: str) -> str:
        """The header under which a variable is delivered."""
        return self.variables[name].delivered_as or name

    @property
    def has_dates(self) -> bool:
        """Whether rows can be placed in time."""
        return any(variable.type == "date" for variable in self.variables.values())


class Register(Document):
    """One register: who owns it, where it comes from, and its tables."""

    name: Slug
    label: str
    owner: str = ""
    description: str = ""
    source: str = ""
    licence: str = ""
    tables: dict[Slug, Table] = Field(min_length=1)

    def table(self, name: str) -> Table:
        """A table by name; an unknown name names the nearest."""
        if name not in self.tables:
            raise DefinitionError(
                f'The register {self.name} has no table "{name}".{did_you_mean(name, self.tables)}'
            )
        return self.tables[name]


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


def find_registers(folders: Sequence[Path]) -> dict[str, Path]:
    """Every definition that can be seen, by name; the nearest folder wins."""
    found: dict[str, Path] = {}
    for folder in (*(folder / "registers" for folder in folders), DEFINITIONS / "registers"):
        for path in sorted(folder.glob("*.yaml")):
            found.setdefault(path.stem, path)
    return found


def load_register(name: str, folders: Sequence[Path]) -> Register:
    """The definition of a register, from the project's own folders or the workbench's.

    Raises `DefinitionError` with every fault of the file, or the nearest known name.
    """
    found = find_registers(folders)
    if name not in found:
        raise DefinitionError(
            f'There is no register "{name}".{did_you_mean(name, found)} '
            f"A definition is a file params/registers/{name}.yaml."
        )
    register = read_document(found[name], Register)
    if register.name != name:
        raise DefinitionError(
            f'{found[name]}: the key name says "{register.name}", the file is called '
            f'"{name}.yaml". Make them equal.'
        )
    return register
