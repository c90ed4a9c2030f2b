"""What a register's data mean: registers, their tables and variables, defined once in YAML.

Everything else is derived from here: what intake checks, the types in the store, the data
dictionary, which names a study may use. A new register is one YAML file and no code.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from workbench.errors import DefinitionError, did_you_mean
from workbench.registers.documents import Document, read_document
from workbench.registers.variables import Meaning, Variable

# What a table is to linkage: who exists, who left the country, who lived where, who was renumbered.
Role = Literal["persons", "migrations", "residences", "number_changes"]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]

DEFINITIONS = Path(__file__).parent / "definitions"
EARLIEST_DATE = date(1860, 1, 1)  # nobody in a living register was born before
RESERVED = frozenset({"row_id", "index_date", "has_event", "person", "file_row_number"})
_NAME = re.compile(r"^[^\W\d_]\w*$")  # a letter first: names with _ first are the workbench's
# What a table must have to play its role.
ROLE_NEEDS: dict[str, tuple[Meaning, ...]] = {
    "persons": ("birth_date", "sex"),
    "migrations": ("migration",),
    "residences": ("region",),
    "number_changes": ("earlier_number",),
}


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
    role: Role | None = None
    delivery: Delivery = Delivery()
    variables: dict[str, Variable] = Field(min_length=1)

    @model_validator(mode="after")
    def _agree(self) -> Table:
        faults = [*self._name_faults(), *self._reference_faults(), *self._meaning_faults()]
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
            elif self.variables[name].free_text == "left_out":
                yield f'"{name}" is left out as free text, so that rows cannot be known by it'
        if not self.without_left_out().variables:
            yield "every variable is left out, so that nothing is stored"
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
            has_years = variable.first_year or variable.last_year or variable.editions
            if has_years and not self.dated_by:
                yield f'"{name}" has years, so the table needs dated_by'

    def _meaning_faults(self) -> Iterator[str]:
        meanings = Counter(one.means for one in self.variables.values() if one.means)
        yield from (f"two variables mean {one}" for one, n in meanings.items() if n > 1)
        if self.role is None:
            return
        needed = ROLE_NEEDS[self.role]
        yield from (
            f"role: {self.role} needs a variable with means: {meaning}"
            for meaning in needed
            if meaning not in meanings
        )
        if not self.person:
            yield f"role: {self.role} needs person"
        if self.role in {"migrations", "residences"} and not self.dated_by:
            yield f"role: {self.role} needs dated_by"
        if self.role == "persons" and self.key != (self.person,):
            yield "role: persons needs key: [the variable that says who], one row a person"

    def header_of(self, name: str) -> str:
        """The header under which a variable is delivered."""
        return self.variables[name].delivered_as or name

    def meaning(self, what: Meaning) -> str | None:
        """The variable that means `what`, or nothing."""
        return next((name for name, one in self.variables.items() if one.means == what), None)

    def without_left_out(self) -> Table:
        """The table as it is stored: without free text that never enters the store."""
        stored = {name: v for name, v in self.variables.items() if v.free_text != "left_out"}
        if len(stored) == len(self.variables):
            return self
        return self.model_copy(update={"variables": stored})

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
    population: Slug | None = None  # the register that says who exists, lives and has left
    tables: dict[Slug, Table] = Field(min_length=1)

    def table(self, name: str) -> Table:
        """A table by name; an unknown name names the nearest."""
        if name not in self.tables:
            raise DefinitionError(
                f'The register {self.name} has no table "{name}".{did_you_mean(name, self.tables)}'
            )
        return self.tables[name]

    def table_with(self, role: Role) -> str | None:
        """The name of the table that plays a role, or nothing."""
        return next((name for name, table in self.tables.items() if table.role == role), None)


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
