"""Where each region stands on a map of equal tiles, so that small regions are seen as well.

A map is a YAML file in `definitions/tiles/`, or in a project's `params/tiles/`: columns count from
the west, rows from the north. Places are put there by hand; no shape of any map is in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from workbench.errors import DefinitionError, did_you_mean
from workbench.registers.documents import Document, read_document
from workbench.registers.schema import DEFINITIONS, Slug

Place = Annotated[int, Field(ge=0, le=30)]
Text = Annotated[str, Field(min_length=1)]


class Tile(Document):
    """One region: its short name, and its column and row."""

    name: Text
    column: Place
    row: Place


class TileMap(Document):
    """The regions of one level of an organisation, by their codes there."""

    name: Slug
    label: Text
    organisation: Slug
    level: Slug
    tiles: Annotated[dict[str, Tile], Field(min_length=2)]

    @property
    def n_columns(self) -> int:
        """How many columns the map is wide."""
        return 1 + max(tile.column for tile in self.tiles.values())

    @property
    def n_rows(self) -> int:
        """How many rows the map is high."""
        return 1 + max(tile.row for tile in self.tiles.values())

    @model_validator(mode="after")
    def _one_region_a_tile(self) -> TileMap:
        places: dict[tuple[int, int], str] = {}
        for code, tile in self.tiles.items():
            other = places.setdefault((tile.column, tile.row), code)
            if other != code:
                raise ValueError(f"tiles: {code} and {other} stand on one tile. Move one.")
        names = [tile.name.casefold() for tile in self.tiles.values()]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"tiles: the name {', '.join(twice)} stands twice.")
        return self


def load_tile_map(name: str, folders: Sequence[Path] = ()) -> TileMap:
    """A tile map by its name ("sweden_regions", "norway_rhf", "norway_hf", or a project's own).

    Raises
    ------
    DefinitionError
        No such map (the nearest name is offered), or a file that cannot be used.
    """
    found: dict[str, Path] = {}
    for folder in (*(one / "tiles" for one in folders), DEFINITIONS / "tiles"):
        for path in sorted(folder.glob("*.yaml")):
            found.setdefault(path.stem, path)
    if name not in found:
        raise DefinitionError(f'There is no tile map "{name}".{did_you_mean(name, found)}')
    return read_document(found[name], TileMap)
