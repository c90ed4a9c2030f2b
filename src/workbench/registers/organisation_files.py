"""Find and read an organisation, together with the one it extends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench.errors import DefinitionError, did_you_mean, gathered
from workbench.registers.documents import parse_document, read_tree_with_lines
from workbench.registers.hierarchy import Organisation
from workbench.registers.schema import DEFINITIONS


def find_organisations(folders: Sequence[Path]) -> dict[str, Path]:
    """Every organisation that can be seen, by name; the nearest folder wins."""
    found: dict[str, Path] = {}
    for folder in (
        *(folder / "organisations" for folder in folders),
        DEFINITIONS / "organisations",
    ):
        for path in sorted(folder.glob("*.yaml")):
            found.setdefault(path.stem, path)
    return found


def load_organisation(name: str, folders: Sequence[Path]) -> Organisation:
    """An organisation by its name, with the places of the one it extends.

    Raises `DefinitionError` with every fault of the file, or the nearest known name.
    """
    found = find_organisations(folders)
    data, lines = _read(name, found, ())
    organisation = parse_document(data, Organisation, where=str(found[name]), lines=lines)
    if organisation.name != name:
        raise DefinitionError(
            f'{found[name]}: the key name says "{organisation.name}", the file is called '
            f'"{name}.yaml". Make them equal.'
        )
    return organisation


def _read(
    name: str, found: Mapping[str, Path], behind: tuple[str, ...]
) -> tuple[dict[str, Any], dict[tuple[str | int, ...], int]]:
    """The content of an organisation's file, joined with what it extends."""
    if name not in found:
        raise DefinitionError(
            f'There is no organisation "{name}".{did_you_mean(name, found)} '
            f"An organisation is a file params/organisations/{name}.yaml."
        )
    data, lines = read_tree_with_lines(found[name])
    base_name = data.get("extends")
    if not isinstance(base_name, str):
        return data, lines
    if base_name in (*behind, name):
        raise DefinitionError(f"{found[name]}: extends goes in a circle.")
    base, _ = _read(base_name, found, (*behind, name))
    own, base_places = data.get("places") or {}, base.get("places") or {}
    if not isinstance(own, dict):
        return data, lines
    twice = [
        f"places.{level}.{code} is in {base_name} already; a place is defined once"
        for level, places in own.items()
        for code in places or {}
        if code in (base_places.get(level) or {})
    ]
    if twice:
        raise DefinitionError(gathered(f"{found[name]} cannot be used:", twice))
    places = {
        n: {**(base_places.get(n) or {}), **(own.get(n) or {})} for n in {**base_places, **own}
    }
    divided = [*(base.get("divided") or ()), *(data.get("divided") or ())]
    return {"levels": base.get("levels"), **data, "places": places, "divided": divided}, lines
