"""Counts of releases that have left: what they show stays known, and so does any difference.

The same counts released again are tables beside each other. Where a later delivery has changed
them, whoever holds both releases knows by how many persons: that difference is a table of counts
itself, and what is small in it is hidden by the same method.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workbench.errors import DisclosureError
from workbench.output.gate.count_systems import (
    CountSystem,
    prices,
    protection_of,
    systems_of,
)
from workbench.output.gate.joint_counts import ShownCounts
from workbench.output.gate.suppression import Protection, protect
from workbench.registers.profiles import ReleaseProfile

FORMAT = 1
DIFFERENCE = "differs by few from an earlier release"
SECONDS = 60.0


def as_text(shown: Sequence[ShownCounts]) -> str:
    """Counts that were let through, hidden ones too, for a private file."""
    tables = [_told(one) for one in shown]
    return json.dumps({"format": FORMAT, "tables": tables}, ensure_ascii=False) + "\n"


def read_counts(file: Path) -> list[ShownCounts]:
    """The counts of a release that has left.

    Raises
    ------
    DisclosureError
        The file is not one that a run has written.
    """
    try:
        told = json.loads(Path(file).read_text(encoding="utf-8"))
        if told["format"] != FORMAT:
            raise ValueError
        return [_read(one) for one in told["tables"]]
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        raise DisclosureError(
            f"{Path(file).name}: the counts of an earlier release cannot be read, so that nothing "
            "can be judged beside them. Copy the file again from the run that has left."
        ) from None


def without_differences(
    shown: ShownCounts, policy: ReleaseProfile, beside: Sequence[ShownCounts]
) -> ShownCounts:
    """Hide more, so that no small difference to the same table of an earlier release is told.

    Raises
    ------
    DisclosureError
        All together differ by few, or some counts rose and others fell by few.
    """
    system, hidden = shown.system, shown.hidden.copy()
    for before in (one for one in beside if one.has_left and one.title == shown.title):
        own = before.system
        is_alike = (own.keys, own.columns) == (system.keys, system.columns)
        if is_alike and [*map(str, own.group)] == [*map(str, system.group)]:
            hidden |= _hidden_beside(system, own, policy, shown.title)
    reason = np.where(hidden & ~shown.hidden, DIFFERENCE, shown.reason)
    return replace(shown, hidden=hidden, reason=reason)


def _told(one: ShownCounts) -> dict[str, Any]:
    cells = zip(one.system.identities(), one.hidden, strict=True)
    rules = one.protection
    return {
        "title": one.title,
        "keys": list(one.system.keys),
        "columns": list(one.system.columns),
        "group": [str(label) for label in one.system.group],
        "rows": _in_words(one.system.table, one.system.keys).to_numpy().tolist(),
        "hidden": [
            [list(keys), list(labels), measure]
            for (measure, keys, labels), is_out in cells
            if is_out
        ],
        "protection": [rules.threshold, rules.hides_rest, rules.hides_zero],
    }


def _read(told: dict[str, Any]) -> ShownCounts:
    keys, columns = list(told["keys"]), list(told["columns"])
    table = pd.DataFrame(told["rows"], columns=[*keys, *columns])
    table = table.astype(dict.fromkeys(columns, "int64"))
    (system,) = systems_of(table, keys, columns)
    hidden = np.zeros(len(system.cells), dtype=bool)
    out = {(measure, tuple(keys), tuple(labels)) for keys, labels, measure in told["hidden"]}
    hidden |= [cell in out for cell in system.identities()]
    reason = np.where(hidden, "shown before", "").astype(object)
    system = replace(system, group=tuple(told["group"]))
    protection = Protection(*told["protection"])
    return ShownCounts(told["title"], system, protection, hidden, reason, (), has_left=True)


def _hidden_beside(
    system: CountSystem, before: CountSystem, policy: ReleaseProfile, title: str
) -> np.ndarray:
    nothing = np.zeros(len(system.cells), dtype=bool)
    change = _change(system, before)
    columns = list(system.columns)
    parts = change[columns].to_numpy()
    if len(columns) > 1:
        parts = np.column_stack([parts, change[columns[1]] - change[columns[0]]])
    if not parts.any():
        return nothing
    sign = 1 if (parts >= 0).all() else -1
    difference = change.assign(**{one: sign * change[one] for one in columns})
    try:
        if (sign * parts < 0).any():
            raise DisclosureError("Counts rose and fell.")
        (changed,) = systems_of(difference, list(system.keys), columns)
        if (protection_of(policy).small(changed.cells) & changed.roots).any():
            raise DisclosureError("All together differ by few.")
        found = protect(
            changed.cells, protection_of(policy), price=prices(changed, policy), seconds=SECONDS,
            earlier=changed.roots & changed.cells.is_printed,
        )  # fmt: skip
    except DisclosureError:
        if not _has_small(parts, policy):
            return nothing
        raise DisclosureError(
            f'"{title}" differs from the same table of an earlier release by fewer than '
            f"{policy.threshold} persons in some numbers, and in all together or both up and down. "
            "Keep to the earlier release until more has changed, or join groups or years."
        ) from None
    out = {cell for cell, is_out in zip(changed.identities(), found.hidden, strict=True) if is_out}
    return np.array([cell in out for cell in system.identities()]) & system.cells.is_printed


def _in_words(table: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    return table.astype(dict.fromkeys(keys, str))


def _change(system: CountSystem, before: CountSystem) -> pd.DataFrame:
    """By how many persons each row differs; rows that one release has not are of nobody."""
    keys, columns = list(system.keys), list(system.columns)
    now, then = (_in_words(one.table, keys).set_index(keys)[columns] for one in (system, before))
    return now.sub(then, fill_value=0).astype("int64").reset_index()


def _has_small(parts: np.ndarray, policy: ReleaseProfile) -> bool:
    sums = np.vstack([parts, parts.sum(axis=0)])
    return bool(((sums != 0) & (np.abs(sums) < policy.threshold)).any())
