"""Find codes by words: in the names, labels and codes of the code lists that can be seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.errors import WorkbenchError
from workbench.registers.codes import CodeList, find_code_lists, load_code_list
from workbench.registers.schema import Table
from workbench.study.row_checks import SAME_SYSTEM


@dataclass(frozen=True)
class CodeHit:
    """A code list, or one of its groups, and the variables of a table that can hold its codes."""

    list_name: str
    group: str | None
    label: str
    n_codes: int
    variables: tuple[str, ...]

    @property
    def tree(self) -> dict[str, Any]:
        """The choice as it stands under `codes` of a condition."""
        groups = {"groups": [self.group]} if self.group else {}
        return {"in": list(self.variables), "list": self.list_name, **groups}

    @property
    def words(self) -> str:
        """The hit in one line."""
        return f"{self.label} ({self.list_name}, {self.n_codes} codes)"


def seen_lists(folders: Sequence[Path]) -> dict[str, CodeList]:
    """Every code list that can be seen and read, by name."""
    found = {}
    for name in find_code_lists(folders):
        try:
            found[name] = load_code_list(name, folders)
        except WorkbenchError:
            continue  # told when a study names it
    return found


def search_codes(words: str, table: Table, lists: Mapping[str, CodeList]) -> list[CodeHit]:
    """Code lists and groups in which every word is found, that the table could have codes of.

    No words find every list.
    """
    wanted = words.casefold().split()
    hits = []
    for name, code_list in lists.items():
        holders = _holders(code_list, table)
        if not holders:
            continue
        of_list = f"{name} {code_list.label} {code_list.description}".casefold()
        n_codes = sum(len(group.codes) for group in code_list.groups.values())
        if _has_all(wanted, of_list + _codes_of(code_list)):
            hits.append(CodeHit(name, None, code_list.label, n_codes, holders))
        for group_name, group in code_list.given_groups.items():
            told = f"{of_list} {group_name} {group.label} {' '.join(group.codes)}".casefold()
            if wanted and _has_all(wanted, told):
                label = f"{code_list.label}: {group.label or group_name}"
                hits.append(CodeHit(name, group_name, label, len(group.codes), holders))
    return hits


def _holders(code_list: CodeList, table: Table) -> tuple[str, ...]:
    """Variables of a table whose codes are of the list's classification."""
    system = SAME_SYSTEM.get(code_list.system, code_list.system)
    return tuple(
        name
        for name, one in table.variables.items()
        if one.type == "code"
        and system in {SAME_SYSTEM.get(s, s) for s in _systems(table, name) if s}
    )


def _systems(table: Table, name: str) -> list[str | None]:
    one = table.variables[name]
    return [one.code_system, *(edition.code_system for edition in one.editions)]


def _codes_of(code_list: CodeList) -> str:
    return " ".join(" ".join(one.codes) for one in code_list.groups.values()).casefold()


def _has_all(wanted: Sequence[str], told: str) -> bool:
    return all(word in told for word in wanted)
