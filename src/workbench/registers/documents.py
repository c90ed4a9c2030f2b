"""Read a YAML file into a typed model, without guessing and with errors a researcher can use.

Every scalar arrives as the text that stands in the file (`0301`, `NO` and `22:30` stay what they
are); only the model decides what is a number, a date or a yes. All faults of a file are told
together, each with its line and key. This module is the only door to the YAML library.
"""

from __future__ import annotations

import re
import types
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from workbench.errors import DefinitionError, WorkbenchError, did_you_mean, gathered

M = TypeVar("M", bound=BaseModel)
Key = tuple[str | int, ...]

# What pydantic says in the words of Python.
EXPECTED = {
    "string_type": "a text",
    "tuple_type": "a list, like [one, two]",
    "list_type": "a list, like [one, two]",
    "dict_type": "`key: value` lines",
    "mapping_type": "`key: value` lines",
    "model_type": "`key: value` lines",
    "model_attributes_type": "`key: value` lines",
    "bool_parsing": "yes or no",
    "int_parsing": "a whole number",
    "float_parsing": "a number",
    "date_from_datetime_parsing": "a date like 2020-12-31",
    "string_pattern_mismatch": "small letters, digits and _",
}


class Document(BaseModel):
    """The base of everything that is written in YAML: nothing unknown passes, nothing changes."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, str_strip_whitespace=True, populate_by_name=False
    )

    @model_validator(mode="before")
    @classmethod
    def _leave_out_empty_keys(cls, data: Any) -> Any:
        """A key without a value means the key is not given, so that its default holds."""
        if not isinstance(data, Mapping):
            return data
        known = _keys_of(cls)
        return {key: value for key, value in data.items() if value is not None or key not in known}


def read_document(
    path: Path, model: type[M], *, error: type[WorkbenchError] = DefinitionError
) -> M:
    """Read one YAML file as `model`; raise `error` with all faults of the file at once."""
    data, lines = read_tree_with_lines(path, error=error)
    return parse_document(data, model, where=str(path), lines=lines, error=error)


def parse_document(
    data: Any,
    model: type[M],
    *,
    where: str,
    lines: Mapping[Key, int] | None = None,
    error: type[WorkbenchError] = DefinitionError,
) -> M:
    """Turn plain data into `model`; raise `error` with every fault, its key and its line."""
    try:
        return model.model_validate(data)
    except ValidationError as invalid:
        faults = [_sentence(fault, model, lines or {}) for fault in invalid.errors()]
    raise error(gathered(f"{where} cannot be used:", faults))


def read_tree_with_lines(
    path: Path, *, error: type[WorkbenchError] = DefinitionError
) -> tuple[dict[str, Any], dict[Key, int]]:
    """The plain content of a YAML file (mappings, lists, text), and the line of every key."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as reason:
        raise error(f"{path} cannot be read: {reason.strerror}.") from None
    except UnicodeDecodeError:
        raise error(f"{path} is not UTF-8 text. Save it again as UTF-8.") from None
    faults: list[str] = []
    lines: dict[Key, int] = {}
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.BaseLoader)):
            raise error(f"{path} uses YAML references (& and *). Write the values out.")
        node = yaml.compose(text, Loader=yaml.BaseLoader)
        data = _plain(node, (), lines, faults) if node is not None else None
    except yaml.YAMLError as broken:
        mark = getattr(broken, "problem_mark", None)
        at = f", line {mark.line + 1}" if mark else ""
        problem = getattr(broken, "problem", None) or "it holds a sign that no text has"
        raise error(f"{path}{at} is not valid YAML: {problem}.") from None
    except RecursionError:
        raise error(f"{path} is nested too deeply.") from None
    if faults:
        raise error(gathered(f"{path} cannot be used:", faults))
    if not isinstance(data, dict):
        raise error(f"{path} is empty, or not a list of `key: value` lines.")
    return data, lines


def parse_scalar(text: str) -> Any:
    """Plain data from one YAML value given as text, as on the command line."""
    try:
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError:
        return text
    return _plain(node, (), {}, []) if node is not None else None


def _plain(node: yaml.Node, key: Key, lines: dict[Key, int], faults: list[str]) -> Any:
    line = node.start_mark.line + 1
    lines.setdefault(key, line)
    if isinstance(node, yaml.MappingNode):
        mapping: dict[str, Any] = {}
        for name_node, value_node in node.value:
            name = str(name_node.value)
            if name in mapping:
                faults.append(
                    f'line {name_node.start_mark.line + 1}: the key "{name}" stands twice; '
                    "keep one."
                )
            lines[(*key, name)] = name_node.start_mark.line + 1
            mapping[name] = _plain(value_node, (*key, name), lines, faults)
        return mapping
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*key, at), lines, faults) for at, item in enumerate(node.value)]
    is_plain = isinstance(node, yaml.ScalarNode) and node.style is None
    return None if is_plain and node.value in {"", "~", "null"} else node.value


def _sentence(fault: Any, model: type[BaseModel], lines: Mapping[Key, int]) -> str:
    """One pydantic fault in the words of someone who wrote the file."""
    key: Key = tuple(part for part in fault["loc"] if part != "[key]")
    line = next((lines[key[:n]] for n in range(len(key), 0, -1) if key[:n] in lines), None)
    where = f"line {line}, {_dotted(key)}" if line else _dotted(key)
    kind, given = fault["type"], fault["input"]
    if kind == "extra_forbidden":
        near = did_you_mean(str(key[-1]), _known_at(model, key[:-1]))
        return f'{where}: there is no key "{key[-1]}" here.{near}'
    if kind == "missing":
        return f"{where}: this key is missing."
    if kind in {"literal_error", "enum"}:
        known = re.findall(r"'([^']*)'", fault["ctx"]["expected"])
        return f'{where}: "{given}" is not a choice here.{did_you_mean(str(given), known)}'
    message = fault["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    if kind == "value_error":
        return f"{where}: {message}" if key else message
    shown = "nothing" if given is None else f'"{given}"' if isinstance(given, str) else "this"
    return f"{where}: {shown} cannot be used; expected {EXPECTED.get(kind, message)}."


def _dotted(key: Key) -> str:
    text = ""
    for part in key:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text or "the file"


def _keys_of(model: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


def _known_at(model: type[BaseModel], key: Key) -> set[str]:
    """The keys that are known at a place in the file."""
    here: list[type[BaseModel]] = [model]
    for part in key:
        found = [
            inner
            for outer in here
            for name, field in outer.model_fields.items()
            if (field.alias or name) == part
            for inner in _models_in(field.annotation)
        ]
        # A part that is no field is a list position or a name the user chose.
        here = found or here
    return set().union(*(_keys_of(one) for one in here))


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in {
        Union,
        types.UnionType,
        dict,
        list,
        tuple,
        Mapping,
        Sequence,
    } or get_args(annotation):
        for inner in get_args(annotation):
            yield from _models_in(inner)
