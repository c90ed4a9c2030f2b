"""Ways in which one row can be spoilt, and ways in which it can look odd and still be right.

Each takes the texts of a row and what is true of its person, and gives the row's new texts, or
nothing where this row will not do. A spoilt row breaks exactly one rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from workbench.data.invent.days import NEVER, date_of
from workbench.registers.schema import Table
from workbench.registers.variables import Values, Variable

Row = dict[str, str]
Extra = Literal["", "copy", "same key", "short line"]
NOT_A_CODE = "77"  # no list has it
# What becomes of an o with dots that is read in the wrong encoding. In a file that is not UTF-8 it
# would make the file look glued from two, which intake refuses whole.
MISREAD = "Malm\u00c3\u00b6"


@dataclass(frozen=True)
class Person:
    """What is true of the person of a row."""

    born: date
    is_seen: bool  # has rows outside the population register
    died: date | None
    left: date | None
    returned: date | None
    immigrated: date | None


Change = Callable[[Row, Person], Row | None]


@dataclass(frozen=True)
class Plant:
    """One kind of fault in one column, as intake tells it."""

    rule: str
    column: str
    change: Change
    sets_aside: bool = True
    extra: Extra = ""
    n_rows: int = 1  # rows that one planting makes faulty
    is_harmless: bool = False


@dataclass(frozen=True)
class Setting:
    """The table in which faults are planted."""

    register: str
    table: Table
    as_of: date

    @property
    def person(self) -> str:
        """The variable that says who."""
        return self.table.person or ""

    def day(self, row: Row, name: str) -> date | None:
        """A date in a row; nothing where none can be read."""
        if not re.fullmatch(r"\d{8}|\d{4}-\d{2}-\d{2}", row[name]):
            return None
        plain = row[name].replace("-", "")
        try:
            return date(int(plain[:4]), int(plain[4:6]), int(plain[6:8]))
        except ValueError:
            return None

    def written(self, name: str, day: date) -> str:
        """A day as the register writes it."""
        return day.strftime(self.table.variables[name].date_format or "%Y-%m-%d")

    def year(self, row: Row) -> int | None:
        """The year of a row."""
        day = self.day(row, self.table.dated_by) if self.table.dated_by else None
        return day.year if day else None

    def values(self, row: Row, name: str) -> Values:
        """What holds for a variable in the year of a row."""
        variable, year = self.table.variables[name], self.year(row)
        return next((one for one in variable.editions if _holds(one, year)), variable)

    def holds_alike(self, old: Row, new: Row) -> bool:
        """Whether the values of a row are judged as before when its date is another."""
        return all(
            not old[name] or self.values(old, name) == self.values(new, name)
            for name in self.table.variables
        )

    def is_collected(self, row: Row, variable: Variable) -> bool:
        """Whether a variable was asked in the year of a row."""
        return _holds(variable, self.year(row)) or any(
            _holds(one, self.year(row)) for one in variable.editions
        )


def _holds(values: Values, year: int | None) -> bool:
    return year is not None and (values.first_year or 0) <= year <= (values.last_year or 9999)


def set_to(name: str, text: str) -> Change:
    """Another text in one column."""
    return lambda row, _: {**row, name: text}


def faults(setting: Setting) -> Iterator[Plant]:
    """Everything that sets rows of this table aside."""
    for name, one in setting.table.variables.items():
        if one.free_text == "left_out":
            continue
        if one.required or name in setting.table.key or name == setting.person:
            yield Plant("missing value", name, set_to(name, ""))
        if one.type in {"text", "code"}:
            yield from _text_faults(setting, name)
        elif one.type == "date":
            yield from _date_faults(setting, name)
        else:
            yield from _value_faults(setting, name)
    yield Plant("wrong number of fields", "(line)", lambda row, _: row, extra="short line")
    if setting.table.key:
        key = ", ".join(setting.table.key)
        yield Plant("copy of another row", key, lambda row, _: row, extra="copy")
        yield from _same_key(setting, key)


def _text_faults(setting: Setting, name: str) -> Iterator[Plant]:
    one = setting.table.variables[name]
    if one.identity_scheme:
        yield from _number_faults(name)
    elif one.codes:
        yield Plant("unknown code", name, set_to(name, NOT_A_CODE))
    elif one.free_text == "scanned":
        yield _number_in_text(setting, name)
    elif not one.code_system and setting.table.delivery.encoding == "utf-8":
        yield Plant("damaged letters", name, set_to(name, MISREAD))


def _number_faults(name: str) -> Iterator[Plant]:
    def thirteenth_month(row: Row, _: Person) -> Row:
        return {**row, name: row[name][:4] + "13" + row[name][6:]}

    def cut_short(row: Row, _: Person) -> Row:
        return {**row, name: row[name][:-1]}

    def other_check_digit(row: Row, _: Person) -> Row:
        return {**row, name: row[name][:-1] + str((int(row[name][-1]) + 1) % 10)}

    yield Plant("not an identity number", name, thirteenth_month)
    yield Plant("not an identity number", name, cut_short)
    yield Plant("wrong check digit", name, other_check_digit)


def _number_in_text(setting: Setting, name: str) -> Plant:
    def change(row: Row, _: Person) -> Row:
        digits = row[setting.person].replace("-", "")
        return {**row, name: f"Se \u00e4ven {digits[:8]}-{digits[8:]}, syskon."}

    return Plant("identity number in free text", name, change)


def _date_faults(setting: Setting, name: str) -> Iterator[Plant]:
    one = setting.table.variables[name]
    hyphen = "" if one.date_format == "%Y%m%d" else "-"
    yield Plant("not a date", name, set_to(name, "ok\u00e4nt"))
    yield Plant("impossible date", name, set_to(name, f"2010{hyphen}02{hyphen}31"))
    yield Plant("date with a time of day", name, set_to(name, "2010-02-03 13:45"))
    if one.minimum is None:
        yield Plant("before 1860", name, set_to(name, setting.written(name, date(1859, 12, 31))))
    else:
        day = date.fromisoformat(one.minimum) - timedelta(days=40)
        yield Plant("below the minimum", name, set_to(name, setting.written(name, day)))
    later = setting.as_of + timedelta(days=45)
    yield Plant("in the future", name, set_to(name, setting.written(name, later)))


def _value_faults(setting: Setting, name: str) -> Iterator[Plant]:
    one = setting.table.variables[name]
    words = {"integer": "a whole number", "decimal": "a number", "boolean": "yes or no"}

    def in_words(row: Row, _: Person) -> Row | None:
        values = setting.values(row, name)
        kind = getattr(values, "type", None) or one.type
        collected = setting.is_collected(row, one)
        return {**row, name: "kanske"} if kind == one.type and collected else None

    yield Plant(f"not {words[one.type]}", name, in_words)
    for rule, limit, step in (
        ("below the minimum", one.minimum, -1), ("above the maximum", one.maximum, 1)
    ):  # fmt: skip
        if limit is not None:
            yield Plant(rule, name, set_to(name, str(int(limit) + step)))


def _same_key(setting: Setting, key: str) -> Iterator[Plant]:
    """Another row with the same key, in which one code is another."""
    others = [
        name
        for name, one in setting.table.variables.items()
        if one.codes and name not in setting.table.key and not one.editions
    ]
    if not others:
        return
    name = others[0]
    codes = list(setting.table.variables[name].codes)

    def change(row: Row, _: Person) -> Row:
        return {**row, name: codes[0] if row[name] != codes[0] else codes[1]}

    yield Plant("key shared by different rows", key, change, extra="same key", n_rows=2)


def person_of(  # what is known, as dates
    born: int, died: int, left: int, returned: int, immigrated: int, *, is_seen: bool
) -> Person:
    """A person from the day numbers of the truth."""
    return Person(
        born=date_of(born),
        is_seen=is_seen,
        died=_known(died),
        left=_known(left),
        returned=_known(returned),
        immigrated=_known(immigrated),
    )


def _known(day: int) -> date | None:
    return None if day >= NEVER else date_of(day)
