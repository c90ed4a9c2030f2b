"""Life tables of a population as they lie in files: what each column is, and where it came from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from workbench.errors import DefinitionError, did_you_mean
from workbench.registers.documents import Document, read_document
from workbench.registers.schema import Slug


class LifeTableDefinition(Document):
    """One life table: a CSV file with one row for each sex, calendar year and year of age."""

    name: Slug
    label: str
    source: str
    file: str  # beside this document, or a path from it
    age: str = "age"  # columns of the file
    year: str = "year"
    sex: str = "sex"
    hazard: str | None = None
    probability: str | None = None
    per: Literal["day", "year"] = "year"
    strata: tuple[str, ...] = ()  # further columns, named as the study's variables
    sexes: dict[Literal["male", "female"], str] = Field(
        default={"male": "male", "female": "female"}  # what the file calls them
    )
    days_per_year: float = Field(default=365.241, gt=360, lt=370)  # of a year of age, in days

    @model_validator(mode="after")
    def _one_value(self) -> LifeTableDefinition:
        if (self.hazard is None) == (self.probability is None):
            raise ValueError("name the column with the hazard or the one with the probability")
        return self


@dataclass(frozen=True)
class LifeTableFile:
    """A life table's definition and the file it speaks of."""

    definition: LifeTableDefinition
    path: Path

    @property
    def sha256(self) -> str:
        """The hash of the file."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()


def load_life_table(name: str, folders: Sequence[Path]) -> LifeTableFile:
    """A life table by its name, from the folders `life_tables` of a project's params.

    Raises `DefinitionError` with every fault of the document, the nearest known name, or the file
    that is not there.
    """
    found: dict[str, Path] = {}
    for folder in folders:
        for path in sorted((folder / "life_tables").glob("*.yaml")):
            found.setdefault(path.stem, path)
    if name not in found:
        raise DefinitionError(
            f'There is no life table "{name}".{did_you_mean(name, found)} '
            f"A life table is a file params/life_tables/{name}.yaml."
        )
    definition = read_document(found[name], LifeTableDefinition)
    if definition.name != name:
        raise DefinitionError(
            f'{found[name]}: the key name says "{definition.name}", the file is called '
            f'"{name}.yaml". Make them equal.'
        )
    path = (found[name].parent / definition.file).resolve()
    if not path.is_file():
        raise DefinitionError(f"{found[name]}: file: there is no {path.name} at {path.parent}.")
    return LifeTableFile(definition, path)
