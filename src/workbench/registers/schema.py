"""What a register's data mean: registers, their tables and variables, defined once in YAML.

Everything else is derived from here: what intake checks, the types in the store, the data
dictionary, which names a study may use. A new register is one YAML file and no code.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from workbench.errors import DefinitionError, did_you_mean
from workbench.registers.documents import Document, read_document

Kind = Literal["text", "code", "integer", "decimal", "date", "boolean"]
Sensitivity = Literal["identity", "pseudonym", "indirect", "health", "open"]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]

DEFINITIONS = Path(__file__).parent / "definitions"
EARLIEST_DATE = date(1860, 1, 1)  # nobody in a living register was born before
RESERVED = frozenset({"row_id", "index_date", "has_event", "person"})
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
    date_format: str | None = None  # strptime pattern; ISO and YYYYMMDD are always understood
    required: bool = False
    sensitivity: Sensitivity = "health"
    source: str = ""
    first_year: int | None = Field(default=None, ge=1860, le=2200)
    last_year: int | None = Field(default=None, ge=1860, le=2200)

    @model_validator(mode="after")
    def _agree(self) -> Variable:
        faults = []
        if self.codes and self.type not in {"code", "integer"}:
            faults.append(f"codes need type code or integer, not {self.type}")
        if strangers := [code for code in self.unknown if self.codes and code not in self.codes]:
            faults.append(f"unknown names {', '.join(strangers)}, which codes does not have")
        if self.date_format and self.type != "date":
            faults.append("date_format needs type date")
        low, high = self._limit("minimum", faults), self._limit("maximum", faults)
        if low is not None and high is not None and low > high:
            faults.append(f"minimum {self.minimum} is above maximum {self.maximum}")
        if self.first_year and self.last_year and self.first_year > self.last_year:
            faults.append(f"first_year {self.first_year} is after last_year {self.last_year}")
        if faults:
            raise ValueError("; ".join(faults) + ".")
        return self

    def _limit(self, which: Literal["minimum", "maximum"], faults: list[str]) -> float | None:
        text = getattr(self, which)
        if text is None:
            return None
        try:
            if self.type == "date":
                return float(date.fromisoformat(text).toordinal())
            if self.type in {"integer", "decimal"}:
                return float(Decimal(text))
            faults.append(f"{which} needs type integer, decimal or date, not {self.type}")
        except (InvalidOperation, ValueError):
            faults.append(f'{which} "{text}" is not a value of type {self.type}')
        return None

    @property
    def is_category(self) -> bool:
        """Whether the values are categories: they can group persons and be counted."""
        return self.type in {"code", "boolean", "text"} or bool(self.codes)


class Delivery(Document):
    """How the register writes its files; what is left out is recognised from the file."""

    delimiter: str | None = Field(default=None, min_length=1, max_length=3)
    encoding: Literal["utf-8", "windows-1252", "utf-16"] | None = None
    decimal: Literal[".", ","] | None = None
    sheet: str | None = None  # of an Excel file; the first one if not said
    missing: tuple[str, ...] = ()  # texts that stand for "no value", besides the empty field


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

    def _name_faults(self) -> list[str]:
        faults = [
            f'"{name}" is no variable name: use letters, digits and _ (and delivered_as for the '
            "header in the file)"
            for name in self.variables
            if not _NAME.match(name)
        ]
        faults += [
            f'"{name}" is a name the workbench uses itself'
            for name in self.variables
            if name in RESERVED
        ]
        headers = [self.header_of(name).casefold() for name in self.variables]
        names = [name.casefold() for name in self.variables]
        if len(set(headers)) < len(headers) or len(set(names)) < len(names):
            faults.append("two variables have the same name or header (capitals do not count)")
        return faults

    def _reference_faults(self) -> list[str]:
        faults = []
        dates = [name for pair in self.date_order for name in pair]
        dates += [self.dated_by] if self.dated_by else []
        for name in [*self.key, *([self.person] if self.person else []), *dates]:
            if name not in self.variables:
                faults.append(
                    f'there is no variable "{name}".{did_you_mean(name, self.variables)}'.rstrip(
                        "."
                    )
                )
        for name in dates:
            if name in self.variables and self.variables[name].type != "date":
                faults.append(
                    f'"{name}" is used as a date but has type {self.variables[name].type}'
                )
        for name, variable in self.variables.items():
            if (variable.first_year or variable.last_year) and not self.dated_by:
                faults.append(f'"{name}" has years, so the table needs dated_by')
        return faults

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
