"""What goes into a run, as hashes and plain values: what its key and its record are made of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from workbench.data.store import Version
from workbench.study import Definitions

PACKAGE = Path(__file__).parents[1]


def key_of(inputs: Mapping[str, Any]) -> str:
    """One hash over everything that goes into a run: over the sums of its parts."""
    study = {name: hash_of(part) for name, part in inputs["study"].items()}
    rest = {name: hash_of(part) for name, part in inputs.items() if name != "study"}
    return hash_of({"study": study, **rest})


def table_inputs(version: Version) -> dict[str, Any]:
    """What a run records of a version of a table that it reads."""
    return {
        "version": version.name,
        "rows_sha256": version.rows_sha256,
        "definition_sha256": version.definition_sha256,
        "sources": [source.model_dump() for source in version.sources],
    }


def reference_inputs(definitions: Definitions) -> dict[str, Any]:
    """What a study takes from code lists, indicators, life tables, questionnaires, for its key."""
    found: dict[str, Any] = {
        "code_lists": {
            name: code_list.model_dump(mode="json")
            for name, code_list in definitions.code_lists.items()
        }
    }
    if definitions.indicators:
        found["indicators"] = {
            name: one.definition.model_dump(mode="json", by_alias=True)
            for name, one in definitions.indicators.items()
        }
    if definitions.prom is not None:
        found["prom"] = definitions.prom.model_dump(mode="json")
    if definitions.life_table is not None:
        found["life_table"] = {
            "definition": definitions.life_table.definition.model_dump(mode="json"),
            "file_sha256": definitions.life_table.sha256,
        }
    return found


def hash_of(content: Any) -> str:
    """One hash over plain data."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@cache
def code_sha256() -> str:
    """The hash of the workbench's own code and templates."""
    total = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*")):
        if path.suffix in {".py", ".yaml", ".j2", ".po"}:
            total.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0" + path.read_bytes())
    return total.hexdigest()
