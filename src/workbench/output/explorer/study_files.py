"""A state written as a commented study file that runs unchanged, and such a file as a state."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from workbench.errors import StudyError
from workbench.output.explorer.state import State, tree_of
from workbench.study import load_study

HEAD = (
    "# A study from the cohort explorer. It runs as it stands:",
    "#   workbench run THIS_FILE",
)
NOTE = "# Note: "
COMMENTS = {
    "as_of": "the last day on which events are known",
    "population": "the register that says who exists, dies and moves abroad",
    "notebook": "what is worked out in a run",
    "cohort": "who is in",
    "follow_up": "how long they are followed, and what ends it",
    "variables": "what is described, compared and adjusted for",
    "group": "compare by this one",
    "model": "adjust for these",
    "parameters": "for the notebook",
}
APART = frozenset({"cohort", "follow_up", "variables", "units", "comparison", "parameters"})
# A text that YAML takes as it is, and that no reader could mistake for anything else.
_PLAIN = re.compile(r"[^\W\d_](?:[\w /().+-]*[\w).+])?|-?\d+(?:\.\d+)?|\d{4}-\d{2}-\d{2}")
_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
WIDTH = 100


def study_text(state: State) -> str:
    """The study file of a state, with comments: what `workbench run` takes."""
    lines = [*HEAD, *(f"{NOTE}{line}".rstrip() for line in state.note.splitlines())]
    for key, value in _ordered(tree_of(state.study)).items():
        lines += [""] if key in APART else []
        lines += _entry(key, value, comment=COMMENTS.get(key, ""))
    return "\n".join(lines) + "\n"


def write_study(state: State, path: Path) -> Path:
    """Write a state as a study file, whole or not at all, and give the file's path."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as stream:
            stream.write(study_text(state))
        Path(stream.name).chmod(0o644)
        Path(stream.name).replace(path)
    except OSError as reason:
        raise StudyError(f"{path} cannot be written: {reason.strerror}.") from None
    return path


def read_state(path: Path) -> State:
    """A study file as a state of the explorer; the note is read from its comments.

    Raises `StudyError` with every fault of the file.
    """
    study = load_study(path)
    lines = path.read_text(encoding="utf-8").splitlines()
    mark = NOTE.rstrip()
    notes = [line.removeprefix(mark).strip() for line in lines if line.startswith(mark)]
    return State(study, "\n".join(notes))


def _ordered(tree: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a study in the order in which its file is read: who, then what, then how."""
    early = [
        "title", "question", "register", "table", "as_of", "population", "notebook",
        "release_profile", "language", "seed", "cohort", "comparison", "follow_up",
        "relative_survival", "variables", "group", "model", "indicators", "units",
    ]  # fmt: skip
    late = [key for key in tree if key not in early]
    return {key: tree[key] for key in [*early, *late] if key in tree}


def _entry(key: str, value: Any, *, comment: str) -> Iterator[str]:
    told = f"  # {comment}" if comment else ""
    name = _scalar(key)
    if isinstance(value, dict):
        yield f"{name}:{told}"
        yield from _block(value, indent=2)
    else:
        yield f"{name}: {_flow(value)}{told}"


def _block(tree: Mapping[str, Any], *, indent: int) -> Iterator[str]:
    """The keys of one part, a line each; lists of conditions an item a line."""
    for key, value in tree.items():
        name, blank = _scalar(key), " " * indent
        if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
            yield f"{blank}{name}:"
            yield from (f"{blank}  - {_flow(one)}" for one in value)
        elif isinstance(value, dict) and len(_flow(value)) > WIDTH - indent - len(name):
            yield f"{blank}{name}:"
            yield from _block(value, indent=indent + 2)
        else:
            yield f"{blank}{name}: {_flow(value)}"


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(k)}: {_flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_flow(one) for one in value) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "~"
    text = str(value)
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return json.dumps(text, ensure_ascii=False)
