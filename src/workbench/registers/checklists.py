"""What a journal asks a study of registers to tell, item by item.

A checklist is a YAML file in `definitions/checklists/`. What a study's own files can answer is
filled in by `output.reporting`; the rest is for the authors.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from workbench.errors import DefinitionError, did_you_mean
from workbench.registers.documents import Document, read_document
from workbench.registers.schema import DEFINITIONS, Slug

Text = Annotated[str, Field(min_length=1)]


class Item(Document):
    """One item: its number, what it asks in our words, and which facts answer it."""

    number: Annotated[str, Field(pattern=r"^\d+([a-z]|\.\d+)?$")]
    section: Text
    asks: Text
    filled_by: tuple[Slug, ...] = ()
    is_record: bool = False
    """An item that the extension for routine data adds."""


class Checklist(Document):
    """The items of one checklist, in their order."""

    name: Slug
    label: Text
    source: Text
    note: str = ""
    items: Annotated[tuple[Item, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _numbers_stand_once(self) -> Checklist:
        numbers = [one.number for one in self.items]
        if twice := sorted({one for one in numbers if numbers.count(one) > 1}):
            raise ValueError(f"items: {', '.join(twice)} stands twice; keep one.")
        return self


def load_checklist(name: str) -> Checklist:
    """A checklist by its name ("record").

    Raises
    ------
    DefinitionError
        No such checklist (the nearest name is offered), or a file that cannot be used.
    """
    found = {path.stem: path for path in sorted((DEFINITIONS / "checklists").glob("*.yaml"))}
    if name not in found:
        raise DefinitionError(f'There is no checklist "{name}".{did_you_mean(name, found)}')
    return read_document(found[name], Checklist)
