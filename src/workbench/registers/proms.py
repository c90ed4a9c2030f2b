"""Questionnaires that patients answer: how answers become points, and points become scales.

A questionnaire is a YAML file in `definitions/proms/`, or in a project's `params/proms/`. What is
computed of it stands in `analysis.prom`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from workbench.errors import DefinitionError, did_you_mean
from workbench.registers.documents import Document, read_document
from workbench.registers.schema import DEFINITIONS, Slug

Text = Annotated[str, Field(min_length=1)]
Needed = Annotated[int, Field(ge=1)]


class Scale(Document):
    """Items that are put together to one number."""

    label: Text
    items: Annotated[tuple[Slug, ...], Field(min_length=1)]
    method: Literal["mean", "sum"] = "mean"
    """A sum with items missing is the mean of those answered times the number of items."""
    needed: Needed | None = None
    """How many items have to be answered; half of them, rounded up, if not given."""
    better: Literal["high", "low"] = "high"

    @property
    def n_needed(self) -> int:
        """How many items have to be answered for the scale to be given."""
        return (len(self.items) + 1) // 2 if self.needed is None else self.needed


class Composite(Document):
    """The plain mean of scales, given when all of them are."""

    label: Text
    scales: Annotated[tuple[Slug, ...], Field(min_length=2)]


class ImportantChange(Document):
    """The smallest change that patients notice as better or worse, and who found that."""

    points: Annotated[float, Field(gt=0)]
    source: Text


class Prom(Document):
    """A questionnaire: keys from answers to points, items by key, scales, composites."""

    name: Slug
    label: Text
    source: Text
    licence: Text
    note: str = ""
    keys: dict[Slug, dict[int, float]]
    """By name, the points of each answer."""
    items: dict[Slug, tuple[Slug, ...]]
    """By key, the items that are read with it."""
    scales: dict[Slug, Scale]
    composites: dict[Slug, Composite] = Field(default={})
    important_changes: dict[Slug, ImportantChange] = Field(default={})
    """By scale or composite. None comes with the workbench: it depends on the disease and on how
    it was found."""

    @property
    def key_of(self) -> Mapping[str, Mapping[int, float]]:
        """The points of each answer, by item."""
        return {item: self.keys[key] for key, items in self.items.items() for item in items}

    @property
    def labels(self) -> Mapping[str, str]:
        """What scales and composites are called, in their order."""
        return {name: one.label for name, one in (self.scales | self.composites).items()}

    def is_better(self, name: str) -> Literal["high", "low"]:
        """Which side of a scale or composite is the better one."""
        if name in self.scales:
            return self.scales[name].better
        return self.scales[self.composites[name].scales[0]].better

    @model_validator(mode="after")
    def _names_are_known(self) -> Prom:
        for key in self.items:
            if key not in self.keys:
                raise ValueError(f'items: there is no key "{key}".{did_you_mean(key, self.keys)}')
        listed = [item for items in self.items.values() for item in items]
        if twice := sorted({item for item in listed if listed.count(item) > 1}):
            raise ValueError(f"items: {', '.join(twice)} stands under two keys, or twice.")
        if any(len(points) < 2 for points in self.keys.values()):
            raise ValueError("keys: each needs at least two answers.")
        if both := sorted(set(self.scales) & set(self.composites)):
            raise ValueError(f"composites: {', '.join(both)} is a scale too. Rename one.")
        return self

    @model_validator(mode="after")
    def _scales_hold_together(self) -> Prom:
        known = self.key_of
        for name, scale in self.scales.items():
            _check_parts(f"scales.{name}", scale.items, known)
            if scale.n_needed > len(scale.items):
                raise ValueError(f"scales.{name}: more items are needed than it has.")
        for name, one in self.composites.items():
            _check_parts(f"composites.{name}", one.scales, self.scales)
            if len({self.scales[scale].better for scale in one.scales}) > 1:
                raise ValueError(f"composites.{name}: its scales are better on different sides.")
        for name in self.important_changes:
            if name not in self.labels:
                near = did_you_mean(name, self.labels)
                raise ValueError(f'important_changes: there is no scale "{name}".{near}')
        return self


def _check_parts(where: str, parts: Sequence[str], known: Mapping[str, object]) -> None:
    for part in parts:
        if part not in known:
            raise ValueError(f'{where}: there is no "{part}".{did_you_mean(part, known)}')
    if len(set(parts)) < len(parts):
        raise ValueError(f"{where}: name each part once.")


def find_proms(folders: Sequence[Path] = ()) -> dict[str, Path]:
    """Every questionnaire's file by name; a project's own go before the workbench's."""
    found: dict[str, Path] = {}
    for folder in (*(one / "proms" for one in folders), DEFINITIONS / "proms"):
        for path in sorted(folder.glob("*.yaml")):
            found.setdefault(path.stem, path)
    return found


def load_prom(name: str, folders: Sequence[Path] = ()) -> Prom:
    """A questionnaire by its name, from a project's `proms/` or the workbench's own.

    Raises
    ------
    DefinitionError
        No such questionnaire (the nearest name is offered), or a file that cannot be used.
    """
    found = find_proms(folders)
    if name not in found:
        raise DefinitionError(f'There is no questionnaire "{name}".{did_you_mean(name, found)}')
    prom = read_document(found[name], Prom)
    if prom.name != found[name].stem:
        raise DefinitionError(
            f'{found[name]}: the key name says "{prom.name}", the file is called '
            f'"{found[name].name}". Make them equal.'
        )
    return prom
