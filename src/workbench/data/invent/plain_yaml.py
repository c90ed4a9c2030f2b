"""Write plain data as YAML that people can read: mappings and lists in blocks, text quoted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def as_yaml(data: Mapping[str, Any]) -> str:
    """Mappings, lists, text, numbers and yes or no as a YAML document."""
    return "\n".join(_lines(data, 0)) + "\n"


def _lines(data: Mapping[Any, Any], depth: int) -> Iterator[str]:
    for key, value in data.items():
        name = f"{'  ' * depth}{_scalar(str(key))}:"
        if isinstance(value, Mapping) and value:
            yield name
            yield from _lines(value, depth + 1)
        else:
            yield f"{name} {_in_line(value)}"


def _in_line(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_scalar(str(k))}: {_in_line(v)}" for k, v in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(_in_line(one) for one in value) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    """Text that could be taken for something else is quoted, as JSON does it."""
    if isinstance(value, str):
        plain = value.replace("_", "").replace(" ", "")
        return value if plain.isalpha() and value.isascii() else json.dumps(value)
    if isinstance(value, float):
        return repr(round(value, 10))
    return json.dumps(value)
