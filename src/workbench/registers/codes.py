"""Code lists: which diagnoses, procedures and drugs are meant by a name such as "diabetes".

A list is one YAML file; a project's own lie in its `params/code_lists/`. Codes are compared in one
normal form, without regard to dots and capitals, in the way the list says: the whole code
(`exact`), its beginning (`prefix`), or a range of beginnings (`range`). Groups of a list may carry
weights and take the place of each other, so that a score such as Charlson's is a list too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import combinations
from pathlib import Path

from pydantic import Field, model_validator

from workbench.errors import DefinitionError, did_you_mean
from workbench.registers.classifications import (
    CODE_SYSTEMS,
    REMOVED_IN_CELL,
    REMOVED_SIGNS,
    normalise,
)
from workbench.registers.code_entries import Entry, Match, read_entry
from workbench.registers.code_patterns import Stem, pattern_of
from workbench.registers.documents import Document, read_document
from workbench.registers.schema import DEFINITIONS, Slug
from workbench.registers.variables import CodeSystem

__all__ = [
    "CODE_SYSTEMS",
    "REMOVED_IN_CELL",
    "REMOVED_SIGNS",
    "CodeGroup",
    "CodeList",
    "find_code_lists",
    "load_code_list",
    "never_seen",
    "normalise",
]


class CodeGroup(Document):
    """Codes that mean one thing, and what the group counts in a score."""

    label: str = ""
    codes: tuple[str, ...] = Field(min_length=1)
    excepted: tuple[str, ...] = Field(default=(), alias="except")  # taken out of codes again
    match: Match | None = None  # where it differs from the list's
    weight: int | None = None
    supersedes: tuple[Slug, ...] = ()  # groups that do not count where this one is present
    implied_by: tuple[Slug, ...] = ()  # groups that, all present together, stand for this one


class CodeList(Document):
    """Named codes of one classification, in groups or (with `codes`) as one group."""

    name: Slug
    label: str
    description: str = ""
    system: CodeSystem
    source: str
    match: Match
    codes: tuple[str, ...] = ()
    excepted: tuple[str, ...] = Field(default=(), alias="except")
    given_groups: dict[Slug, CodeGroup] = Field(default_factory=dict, alias="groups")

    @model_validator(mode="after")
    def _agree(self) -> CodeList:
        faults = list(self._faults())
        if faults:
            raise ValueError("; ".join(faults) + ".")
        return self

    @cached_property
    def groups(self) -> dict[str, CodeGroup]:
        """The groups by name; a list without groups is one group of its own name."""
        if self.given_groups:
            return dict(self.given_groups)
        keys = {"label": self.label, "codes": self.codes, "except": self.excepted}
        return {self.name: CodeGroup.model_validate(keys)}

    def matches(self, code: str, groups: Sequence[str] | None = None) -> bool:
        """Whether a code, written in any way, is in the list (in one of `groups`, if named)."""
        return bool(set(self.groups_of(code)) & set(self._chosen(groups)))

    def groups_of(self, code: str) -> tuple[str, ...]:
        """Every group a code belongs to. What supersedes what is decided for a person."""
        text = normalise(code)
        return tuple(
            name
            for name, (wanted, excepted) in self._entries.items()
            if any(one.covers(text) for one in wanted)
            and not any(one.covers(text) for one in excepted)
        )

    def pattern(self, groups: Sequence[str] | None = None) -> str:
        """One expression that finds the list's codes in a column of one normalised code a cell."""
        return self._pattern(groups, in_cell=False)

    def pattern_in_cell(self, groups: Sequence[str] | None = None) -> str:
        """The same for cells that hold several normalised codes with blanks between."""
        return self._pattern(groups, in_cell=True)

    def counted(self, present: Collection[str]) -> tuple[str, ...]:
        """The groups that count for a person who has codes of the groups `present`."""
        there = set(self._chosen(tuple(present)))
        there |= {n for n, g in self.groups.items() if g.implied_by and there >= set(g.implied_by)}
        replaced = {below for name in there for below in self.groups[name].supersedes}
        return tuple(name for name in self.groups if name in there - replaced)

    def score(self, present: Collection[str]) -> int:
        """The sum of the weights of the groups that count; `DefinitionError` without weights."""
        if missing := [name for name, group in self.groups.items() if group.weight is None]:
            raise DefinitionError(
                f"The code list {self.name} has no weight for {', '.join(missing)}, so that it "
                "gives no score."
            )
        return sum(self.groups[name].weight or 0 for name in self.counted(present))

    def _pattern(self, groups: Sequence[str] | None, *, in_cell: bool) -> str:
        chosen = [self._entries[name] for name in self._chosen(groups)]
        return pattern_of([(_stems(yes), _stems(no)) for yes, no in chosen], in_cell=in_cell)

    def _chosen(self, groups: Sequence[str] | None) -> tuple[str, ...]:
        for name in groups or ():
            if name not in self.groups:
                near = did_you_mean(name, self.groups)
                raise DefinitionError(f'The code list {self.name} has no group "{name}".{near}')
        return tuple(self.groups) if groups is None else tuple(groups)

    @cached_property
    def _entries(self) -> dict[str, tuple[list[Entry], list[Entry]]]:
        """Of every group the wanted and the excepted entries; unreadable ones are left out."""
        return {
            name: (self._read(group, group.codes)[0], self._read(group, group.excepted)[0])
            for name, group in self.groups.items()
        }

    def _read(self, group: CodeGroup, texts: Sequence[str]) -> tuple[list[Entry], list[str]]:
        """The entries that can be understood, and what is wrong with the others."""
        entries, faults = [], []
        for text in texts:
            try:
                entries.append(read_entry(text, group.match or self.match, self.system))
            except ValueError as fault:
                faults.append(str(fault))
        return entries, faults

    def _faults(self) -> Iterator[str]:
        if bool(self.codes) == bool(self.given_groups):
            yield "give codes or groups: one of them, and not both"
            return
        if self.excepted and self.given_groups:
            yield "except belongs to a group where there are groups"
        for name, group in self.groups.items():
            where = f"groups.{name}." if self.given_groups else ""
            for key, texts in (("codes", group.codes), ("except", group.excepted)):
                yield from (f"{where}{key}: {fault}" for fault in self._read(group, texts)[1])
            yield from (f"{where}{fault}" for fault in self._overlaps(name))
            yield from (f"{where}{fault}" for fault in self._relation_faults(name, group))

    def _overlaps(self, name: str) -> Iterator[str]:
        wanted, excepted = self._entries[name]
        for key, entries in (("codes", wanted), ("except", excepted)):
            for one, other in combinations(entries, 2):
                if (one.first, one.last) == (other.first, other.last):
                    yield f'{key}: "{one.text}" and "{other.text}" are the same; keep one'
                elif one.includes(other) or other.includes(one):
                    wide, narrow = (one, other) if one.includes(other) else (other, one)
                    yield f'{key}: "{wide.text}" already covers "{narrow.text}"'
        for no in excepted:
            if any(no.includes(yes) for yes in wanted):
                yield f'except: "{no.text}" leaves nothing of a code it is taken from'
            elif not any(yes.includes(no) for yes in wanted):
                yield f'except: "{no.text}" is not within any of the codes'
        if wanted and not pattern_of([(_stems(wanted), _stems(excepted))], in_cell=False):
            yield "except: the exceptions leave no code"

    def _relation_faults(self, name: str, group: CodeGroup) -> Iterator[str]:
        for key, others in (("supersedes", group.supersedes), ("implied_by", group.implied_by)):
            for other in others:
                if other not in self.groups:
                    near = did_you_mean(other, self.groups).removesuffix(".")
                    yield f'{key}: there is no group "{other}".{near}'
                elif other == name:
                    yield f"{key}: a group cannot name itself"
        reached, ahead = set(), list(group.supersedes)
        while ahead:
            other = ahead.pop()
            if other in self.groups and other not in reached:
                reached.add(other)
                ahead += self.groups[other].supersedes
        if name in reached and name not in group.supersedes:
            yield "supersedes: goes in a circle, so that none of the groups would count"


def never_seen(code_list: CodeList, seen_codes: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """The entries (group, code as written) that no seen code fits: a slip, or an unused code."""
    seen = {normalise(code) for code in seen_codes}
    return tuple(
        (name, entry.text)
        for name, (wanted, excepted) in code_list._entries.items()
        for entry in wanted
        if not any(entry.covers(c) and not any(no.covers(c) for no in excepted) for c in seen)
    )


def find_code_lists(folders: Sequence[Path]) -> dict[str, Path]:
    """Every code list that can be seen, by name; the nearest folder wins."""
    found: dict[str, Path] = {}
    for folder in (*(folder / "code_lists" for folder in folders), DEFINITIONS / "code_lists"):
        for path in sorted(folder.glob("*.yaml")):
            found.setdefault(path.stem, path)
    return found


def load_code_list(name: str, folders: Sequence[Path]) -> CodeList:
    """A code list by its name, from the project's own folders or the workbench's.

    Raises `DefinitionError` with every fault of the file, or the nearest known name.
    """
    found = find_code_lists(folders)
    if name not in found:
        raise DefinitionError(
            f'There is no code list "{name}".{did_you_mean(name, found)} '
            f"A code list is a file params/code_lists/{name}.yaml."
        )
    code_list = read_document(found[name], CodeList)
    if code_list.name != name:
        raise DefinitionError(
            f'{found[name]}: the key name says "{code_list.name}", the file is called '
            f'"{name}.yaml". Make them equal.'
        )
    return code_list


def _stems(entries: Iterable[Entry]) -> list[Stem]:
    return [stem for entry in entries for stem in entry.stems]
