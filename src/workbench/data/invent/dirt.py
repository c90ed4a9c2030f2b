"""Plant counted faults in files that were written clean.

Rows are chosen by chance, each for one fault; what is written to `truth/faults.csv` is what intake
must find. A table is left well below the share of rows that may be set aside, so that small tables
get only some of the faults. In the population register, faults that would change what other
registers are compared with fall on persons who have no rows elsewhere.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, zip_longest
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.data.invent.chance import stream
from workbench.data.invent.days import NEVER, date_of
from workbench.data.invent.files import Written, delivery_of
from workbench.data.invent.oddities import harmless, notes
from workbench.data.invent.spoilt import Person, Plant, Row, Setting, faults, person_of
from workbench.data.invent.world import World
from workbench.registers.schema import Register

ASIDE = 0.03  # most of a table's rows that are spoilt; the limit is 0.05
TOLD = 0.10  # most of its rows that get a note or another form
EACH = 2  # rows for each rule and column, where there is room
CANDIDATES = 40  # rows looked at for each row that is wanted
RARE = ("identity number in free text", "not yes or no", "not a number")
COLUMNS = ["register", "table", "rule", "column", "n_rows", "sets_aside"]
NO_FAULTS = pd.DataFrame({name: pd.Series(dtype=str) for name in COLUMNS})


class KnownPersons:
    """Who the persons behind numbers are."""

    def __init__(self, world: World, seen: NDArray[np.bool_]) -> None:
        numbers = world.people.number
        self._place = np.argsort(numbers)
        self._numbers = numbers[self._place]
        self._world, self._seen = world, seen

    def person(self, number: str) -> Person | None:
        """What is true of the person with a number; nothing of a number that was replaced."""
        wanted = int(number.replace("-", ""))
        at = min(int(np.searchsorted(self._numbers, wanted)), len(self._numbers) - 1)
        if self._numbers[at] != wanted:
            return None
        one, end, who = self._world, self._world.endings, self._place[at]
        left = one.moves.left[who] if one.moves.left[who] <= end.last[who] else NEVER
        returned = end.returned[who] if end.returned[who] <= end.last[who] else NEVER
        return person_of(
            one.people.birth[who],
            end.known_death[who],
            int(left),
            int(returned),
            one.people.immigrated[who],
            is_seen=bool(self._seen[who]),
        )


@dataclass(frozen=True)
class Change:
    """What becomes of one line, and what is added at the end of the file because of it."""

    line: str
    added: tuple[str, ...] = ()


def plant_faults(
    written: Sequence[Written],
    definitions: Mapping[str, Register],
    world: World,
    seen: NDArray[np.bool_],
) -> tuple[pd.DataFrame, pd.DataFrame, list[Written]]:
    """Plant faults in every file; what was planted, what is odd but right, and the new sizes."""
    persons = KnownPersons(world, seen)
    as_of = date_of(world.last_day)
    told: Counter[tuple[str, ...]] = Counter()
    right: Counter[tuple[str, ...]] = Counter()
    after = []
    for turn, one in enumerate(written):
        table = definitions[one.register].table(one.table)
        setting = Setting(one.register, table, as_of)
        changes, planted = _plan(one, setting, persons, world.seed, turn)
        n_added = _rewrite(one.file, changes, delivery_of(table)[2])
        for plant in planted:
            counted = right if plant.is_harmless else told
            aside = "yes" if plant.sets_aside else "no"
            counted[one.register, one.table, plant.rule, plant.column, aside] += plant.n_rows
        after.append(replace(one, n_rows=one.n_rows + n_added))
    return _frame(told), _frame(right), after


def _frame(counted: Counter[tuple[str, ...]]) -> pd.DataFrame:
    rows = [(*key[:4], n, key[4]) for key, n in counted.items()]
    return pd.DataFrame(rows, columns=COLUMNS) if rows else NO_FAULTS


def _plan(
    one: Written, setting: Setting, persons: KnownPersons, seed: int, turn: int
) -> tuple[dict[int, Change], list[Plant]]:
    """Which line becomes what: every fault gets a row of its own, as long as there is room."""
    chance = stream(seed, f"dirt in {one.register}.{one.table}")
    wanted = _in_turn(faults(setting), turn, int(ASIDE * one.n_rows))
    wanted += _in_turn(chain(notes(setting), harmless(setting)), turn, int(TOLD * one.n_rows))
    n = min(one.n_rows, CANDIDATES * len(wanted))
    rows = np.sort(chance.choice(one.n_rows, size=n, replace=False))
    found = _read(one.file, setting, {int(row) for row in rows})
    known = {row: persons.person(found[row][setting.person]) for row in found}
    # One fault a person, so that two of them never meet in one key; none on a replaced number.
    first = {found[row][setting.person]: row for row in chance.permutation(rows) if known[row]}
    free = list(first.values())
    changes: dict[int, Change] = {}
    planted = []
    for plant in wanted:
        for place, row in enumerate(free):
            person = known[row]
            if person is None or not _may_be(setting, plant, person):
                continue
            new = plant.change(found[row], person)
            if new is not None and setting.holds_alike(found[row], new):
                changes[int(row)] = _change(setting, plant, found[row], new)
                planted.append(plant)
                del free[place]
                break
    return changes, planted


def _in_turn(plants: Iterator[Plant], turn: int, room: int) -> list[Plant]:
    """Plants rule by rule until the room is used.

    Every table begins with another rule, after those that few tables can break.
    """
    by_rule: dict[str, list[Plant]] = {}
    for plant in plants:
        by_rule.setdefault(plant.rule, []).append(plant)
    rare = [by_rule.pop(rule) for rule in RARE if rule in by_rule]
    rules = list(by_rule.values())
    rules = rare + rules[turn % len(rules) :] + rules[: turn % len(rules)]
    rounds = zip_longest(*(rule * EACH for rule in rules))
    chosen, used = [], 0
    for plant in chain.from_iterable(rounds):
        if plant is not None and used + plant.n_rows <= room:
            chosen.append(plant)
            used += plant.n_rows
    return chosen


def _may_be(setting: Setting, plant: Plant, person: Person) -> bool:
    """Whether planting here leaves what other registers are compared with as it was."""
    role = setting.table.role
    if plant.is_harmless or role in {None, "residences"} or plant.extra == "copy":
        return True
    if role == "migrations":
        return not person.is_seen and person.left is None
    return not person.is_seen


def _change(setting: Setting, plant: Plant, old: Row, new: Row) -> Change:
    delimiter = delivery_of(setting.table)[0]
    was, becomes = _line(old, delimiter), _line(new, delimiter)
    match plant.extra:
        case "copy":
            return Change(was, (was,))
        case "same key":
            return Change(was, (becomes,))
        case "short line":
            return Change(delimiter.join(was.split(delimiter)[:2]))
    return Change(becomes)


def _line(row: Row, delimiter: str) -> str:
    fields = (
        '"' + text.replace('"', '""') + '"' if delimiter in text or '"' in text else text
        for text in row.values()
    )
    return delimiter.join(fields)


def _read(file: Path, setting: Setting, wanted: set[int]) -> dict[int, Row]:
    """Some rows of a file, by their place from 0."""
    delimiter, _, encoding = delivery_of(setting.table)
    with file.open(encoding=encoding, newline="") as lines:
        next(lines)
        chosen = {at: line for at, line in enumerate(lines) if at in wanted}
    split = csv.reader(chosen.values(), delimiter=delimiter)
    return {
        at: dict(zip(setting.table.variables, fields, strict=True))
        for at, fields in zip(chosen, split, strict=True)
    }


def _rewrite(file: Path, changes: dict[int, Change], encoding: str) -> int:
    """Write the file anew with the changed lines; how many rows were added."""
    new = file.with_suffix(".new")
    added = [line for at in sorted(changes) for line in changes[at].added]
    with (
        file.open(encoding=encoding, newline="") as lines,
        new.open("w", encoding=encoding, newline="") as target,
    ):
        target.write(next(lines))
        for at, line in enumerate(lines):
            target.write(f"{changes[at].line}\n" if at in changes else line)
        target.writelines(f"{line}\n" for line in added)
    new.replace(file)
    return len(added)
