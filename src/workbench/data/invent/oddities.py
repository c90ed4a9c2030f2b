"""Histories that cannot be and values that are out of place: told at import, but kept.

Each breaks one rule and no other. Last come ways of writing a number that break none.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np

from workbench.data.invent.numbers import FIRST_SERIAL, check_digit
from workbench.data.invent.spoilt import Change, Person, Plant, Row, Setting, set_to

STRANGE_CODE = "??"
OTHER_SEX = {"1": "2", "2": "1"}
OLDEST_UNKNOWN = 1895  # nobody invented was born before 1900, so that these numbers are nobody's
CALENDAR_AGE = 90  # below it, ten digits mean the century that the calendar gives


def notes(setting: Setting) -> Iterator[Plant]:
    """Everything that is told of rows of this table that are kept."""
    table = setting.table
    for name, one in table.variables.items():
        if one.code_system or any(edition.code_system for edition in one.editions):
            for system in {one.code_system, *(e.code_system for e in one.editions)} - {None}:
                change = _strange_code(setting, name, str(system))
                yield Plant(f"not shaped like {system}", name, change, sets_aside=False)
        if (one.first_year or one.last_year) and not one.editions and one.codes:
            change = _out_of_years(setting, name)
            yield Plant("value outside its years", name, change, sets_aside=False)
    for first, second in table.date_order:
        if (changed := _free_end(setting, first, second)) is not None:
            change = _wrong_order(setting, first, second, changed)
            yield Plant("order of dates", f"{first}, {second}", change, sets_aside=False)
    yield from _number_notes(setting)
    if table.role is None and table.dated_by:
        yield from _history_notes(setting, table.dated_by)


def harmless(setting: Setting) -> Iterator[Plant]:
    """Other ways to write the same number; they need a birth date beside it where digits lack."""
    who, birth = setting.person, setting.table.meaning("birth_date")

    def plain(row: Row) -> str:
        return row[who].replace("-", "")

    def blanks(row: Row, _: Person) -> Row:
        return {**row, who: f"  {row[who]} "}

    def other_form(row: Row, _: Person) -> Row:
        digits = plain(row)
        return {**row, who: digits if "-" in row[who] else f"{digits[:8]}-{digits[8:]}"}

    def ten_digits(row: Row, person: Person) -> Row | None:
        is_old = setting.as_of.year - person.born.year >= 100
        if is_old or not (birth and row[birth]):
            return None
        return {**row, who: f"{plain(row)[2:8]}-{plain(row)[8:]}"}

    def plus(row: Row, person: Person) -> Row | None:
        is_old = setting.as_of.year - person.born.year >= 100
        if not is_old or not (birth and row[birth]):
            return None
        return {**row, who: f"{plain(row)[2:8]}+{plain(row)[8:]}"}

    forms: dict[str, Change] = {
        "blanks around the number": blanks,
        "twelve digits, the other way": other_form,
        "ten digits with a hyphen": ten_digits,
        "ten digits with a plus": plus,
    }
    for rule, change in forms.items():
        yield Plant(rule, who, change, sets_aside=False, is_harmless=True)


def _strange_code(setting: Setting, name: str, system: str) -> Change:
    one = setting.table.variables[name]

    def change(row: Row, _: Person) -> Row | None:
        if setting.values(row, name).code_system != system or not setting.is_collected(row, one):
            return None
        return {**row, name: STRANGE_CODE}

    return change


def _out_of_years(setting: Setting, name: str) -> Change:
    one = setting.table.variables[name]
    value = next(code for code in one.codes if code not in one.unknown)

    def change(row: Row, _: Person) -> Row | None:
        return None if setting.is_collected(row, one) else {**row, name: value}

    return change


def _free_end(setting: Setting, first: str, second: str) -> str | None:
    """Which of two dates can be moved without breaking another rule."""
    table = setting.table
    for name in (second, first):
        means = table.variables[name].means
        if name != table.dated_by and name not in table.key and means != "birth_date":
            return name
    return None


def _wrong_order(setting: Setting, first: str, second: str, changed: str) -> Change:
    def change(row: Row, person: Person) -> Row | None:
        other = setting.day(row, first if changed == second else second)
        if other is None or (setting.table.role == "persons" and person.died):
            return None
        day = other - timedelta(days=6) if changed == second else other + timedelta(days=6)
        if day > setting.as_of or not _others_in_order(setting, row, changed, day, first, second):
            return None
        return {**row, changed: setting.written(changed, day)}

    return change


def _others_in_order(
    setting: Setting, row: Row, changed: str, day: date, first: str, second: str
) -> bool:
    """Whether the other pairs of dates hold when one date is changed."""
    for one, two in setting.table.date_order:
        if changed not in {one, two} or (one, two) == (first, second):
            continue
        early = day if one == changed else setting.day(row, one)
        late = day if two == changed else setting.day(row, two)
        if early and late and early > late:
            return False
    return True


def _number_notes(setting: Setting) -> Iterator[Plant]:
    table, who = setting.table, setting.person
    birth, sex = table.meaning("birth_date"), table.meaning("sex")
    if birth:
        yield Plant("birth date differs from the number", birth,
                    _earlier_birth(setting, birth), sets_aside=False)  # fmt: skip
    else:
        yield Plant("century taken from the calendar", who,
                    _without_century(setting), sets_aside=False)  # fmt: skip
    if sex:

        def other(row: Row, _: Person) -> Row | None:
            return {**row, sex: OTHER_SEX[row[sex]]} if row[sex] else None

        yield Plant("sex differs from the number", sex, other, sets_aside=False)


def _earlier_birth(setting: Setting, birth: str) -> Change:
    def change(row: Row, person: Person) -> Row | None:
        if not row[birth]:
            return None
        return {**row, birth: setting.written(birth, person.born - timedelta(days=11))}

    return change


def _without_century(setting: Setting) -> Change:
    def change(row: Row, person: Person) -> Row | None:
        if setting.as_of.year - person.born.year > CALENDAR_AGE:
            return None
        return {**row, setting.person: row[setting.person].replace("-", "")[2:]}

    return change


def _history_notes(setting: Setting, dated: str) -> Iterator[Plant]:
    def before_birth(row: Row, person: Person) -> Row | None:
        return moved(setting, row, person.born - timedelta(days=35))

    def after_death(row: Row, person: Person) -> Row | None:
        return moved(setting, row, person.died + timedelta(days=35)) if person.died else None

    def abroad(row: Row, person: Person) -> Row | None:
        if person.left is None or (person.died and not person.returned):
            return None
        day = person.left + timedelta(days=12)
        return moved(setting, row, day) if not person.returned or day < person.returned else None

    for rule, change in (
        ("before birth", before_birth), ("after death", after_death), ("while abroad", abroad)
    ):  # fmt: skip
        yield Plant(rule, dated, change, sets_aside=False)
    yield Plant("not in the population register", setting.person,
                _nobody(setting), sets_aside=False)  # fmt: skip


def moved(setting: Setting, row: Row, day: date) -> Row | None:
    """The row on another day, where that breaks no rule of the row itself."""
    table, dated = setting.table, setting.table.dated_by or ""
    minimum = table.variables[dated].minimum
    if day > setting.as_of or (minimum and day < date.fromisoformat(minimum)):
        return None
    new = {**row, dated: setting.written(dated, day)}
    for name in table.variables:
        if setting.values(row, name) != setting.values(new, name):
            return None
        one = table.variables[name]
        if setting.is_collected(row, one) != setting.is_collected(new, one):
            return None
    for first, second in table.date_order:
        early, late = setting.day(new, first), setting.day(new, second)
        if early and late and early > late:
            other = first if second == dated else second
            if table.variables[other].required:
                return None
            new = {**new, other: ""}
    return new


def _nobody(setting: Setting) -> Change:
    """A number that nobody in the population has; its sex fits, the birth date is left out."""
    birth = setting.table.meaning("birth_date")

    def change(row: Row, person: Person) -> Row | None:
        if birth and setting.table.variables[birth].required:
            return None
        digits = row[setting.person].replace("-", "")
        year = OLDEST_UNKNOWN + int(digits[3]) % 5
        serial = FIRST_SERIAL + 2 * (int(digits[7]) % 10) + int(digits[10]) % 2
        nine = int(f"{year % 100:02}{person.born:%m}15{serial}")
        number = f"{year}{person.born:%m}15{serial}{int(check_digit(np.array([nine]))[0])}"
        written = f"{number[:8]}-{number[8:]}" if "-" in row[setting.person] else number
        new = {**row, setting.person: written}
        return set_to(birth, "")(new, person) if birth else new

    return change
