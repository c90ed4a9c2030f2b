"""One state of the explorer: a study, and what its author notes beside it.

A state is its study and nothing else decides what is shown, so that every state can be written as
a study file and every study file is a state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from workbench.errors import StudyError
from workbench.registers.documents import parse_document
from workbench.study import Condition, Study

# What the explorer has a control or a place for; any other key of a study is kept as it is.
SHOWN = frozenset(
    {
        "title", "question", "register", "table", "as_of", "population", "cohort", "follow_up",
        "variables", "group", "indicators", "units",
    }
)  # fmt: skip
FILED = frozenset({"notebook", "release_profile", "language", "coverage", "checked", "seed"})


@dataclass(frozen=True)
class State:
    """A study as it stands in the explorer, and a note."""

    study: Study
    note: str = ""

    def __post_init__(self) -> None:
        """Keep the note as a file keeps it: lines without blanks at their ends."""
        lines = [line.strip() for line in self.note.splitlines()]
        object.__setattr__(self, "note", "\n".join(lines).strip())

    def changed(self, **keys: Any) -> State:
        """The state with other values at some keys of its study, as the file would have them.

        A value of None takes the key away. Raises `StudyError` when the study would be none.
        """
        tree = {**tree_of(self.study), **keys}
        kept = {key: value for key, value in tree.items() if value is not None}
        return replace(self, study=parse_document(kept, Study, where="choice", error=StudyError))


def tree_of(study: Study) -> dict[str, Any]:
    """A study as the keys and values of its file; what is as by default is left out."""
    tree = study.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return {key: value for key, value in tree.items() if value not in ({}, [])}


def kept_unshown(study: Study) -> list[str]:
    """Settings of a study that the explorer keeps but has no control for, by their dotted keys."""
    tree = tree_of(study)
    found = [key for key in tree if key not in SHOWN | FILED]
    follow_up: Mapping[str, Any] = tree.get("follow_up", {})
    found += [f"follow_up.{key}" for key in ("competing",) if key in follow_up]
    found += [f"units.{key}" for key in tree.get("units", {}) if key != "by"]
    for place in ("include", "exclude"):
        conditions: tuple[Condition, ...] = getattr(study.cohort, place)
        others = [at for at, one in enumerate(conditions) if not _is_shown(one, place)]
        found += [f"cohort.{place}[{at}] ({conditions[at].because})" for at in others]
    return found


def _is_shown(condition: Condition, place: str) -> bool:
    """Whether a condition is a choice of values, limits or codes that has a control."""
    if place == "exclude":
        return False
    return bool(condition.codes or condition.is_in or condition.at_least or condition.at_most)
