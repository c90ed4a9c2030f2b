"""Where a row of data belongs in the care organisation, on the day it is about.

Codes of units, hospitals or regions go in; codes of a higher level come out. A code that is not
known, was not open on the day, or cannot be placed is left missing and counted with its reason,
never guessed. The organisation itself is data: `definitions/organisations/` and a project's own
`params/organisations/`, which may extend another with more places.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

import pandas as pd

from workbench.errors import DataError, StudyError, did_you_mean
from workbench.registers.hierarchy import AS_ITSELF, BY_PART, Division, NotPlaced, Organisation
from workbench.registers.organisation_files import find_organisations, load_organisation

__all__ = [
    "Organisation",
    "ancestors",
    "count_not_placed",
    "current_code",
    "find_organisations",
    "load_organisation",
    "name_of",
    "place_of",
    "place_with_reason",
]


def place_of(
    codes: pd.Series,
    organisation: Organisation,
    *,
    level_from: str,
    level_to: str,
    on: date | pd.Series,
    rule: str | None = None,
    parts: pd.Series | None = None,
) -> pd.Series:
    """The code of the place on a higher level to which each row belongs; missing where none does.

    The same as the column `place` of `place_with_reason`, which says why a row is not placed.
    """
    keys: dict[str, Any] = {"level_from": level_from, "level_to": level_to, "on": on}
    placed = place_with_reason(codes, organisation, **keys, rule=rule, parts=parts)
    return placed["place"].rename(level_to)


def place_with_reason(
    codes: pd.Series,
    organisation: Organisation,
    *,
    level_from: str,
    level_to: str,
    on: date | pd.Series,
    rule: str | None = None,
    parts: pd.Series | None = None,
) -> pd.DataFrame:
    """Place each row on a level, or say why it cannot be placed.

    Parameters
    ----------
    codes
        Codes of `level_from`, as text. A code that was closed stands for who went on after it.
    on
        The day each row is about; one day for all places every row in the organisation of it.
    rule
        How a divided place is counted, by a name of its rules. Needed where it makes a difference.
    parts
        In which part of a divided place each row lies (its municipality), for rules that ask.

    Returns
    -------
    One row for each of `codes`: `place`, and `reason` where it is missing.

    Raises
    ------
    StudyError
        A level that does not exist or lies below, a rule that is missing or not known.
    DataError
        Codes that are numbers, which have lost their leading zeros.
    """
    levels = _levels_between(organisation, level_from, level_to)
    _check_rule(organisation, levels, rule, has_parts=parts is not None)
    days = _days(organisation, on, len(codes))
    parts_of_rows = [None] * len(codes) if parts is None else _texts(parts, "parts")
    rows = list(zip(_texts(codes, "codes"), days, parts_of_rows, strict=True))
    climber = _Climber(organisation, levels, rule)
    known = {row: climber.climb(*row) for row in dict.fromkeys(rows)}
    found = [known[row] for row in rows]
    return pd.DataFrame(found, columns=["place", "reason"], index=codes.index, dtype=object)


def count_not_placed(placed: pd.DataFrame) -> pd.DataFrame:
    """How many rows of `place_with_reason` could not be placed: `reason` and `n`."""
    counted = placed.loc[placed["place"].isna(), "reason"].value_counts().sort_index()
    return counted.rename_axis("reason").rename("n").reset_index()


def current_code(
    codes: pd.Series, organisation: Organisation, *, level: str, on: date | pd.Series
) -> pd.Series:
    """The code that stands for each place on a day, after mergers; missing where none does."""
    keys: dict[str, Any] = {"level_from": level, "level_to": level, "on": on}
    return place_of(codes, organisation, **keys).rename(codes.name)


def name_of(
    codes: pd.Series, organisation: Organisation, *, level: str, on: date | pd.Series
) -> pd.Series:
    """What each place was called on a day; missing for codes that are not known.

    A closed place keeps its last name. A divided place that stands as itself keeps its own.
    """
    _levels_between(organisation, level, level)
    texts, days = _texts(codes, "codes"), _days(organisation, on, len(codes))
    names = [_name(organisation, level, *row) for row in zip(texts, days, strict=True)]
    return pd.Series(names, index=codes.index, name=codes.name, dtype=object)


def ancestors(
    code: str,
    organisation: Organisation,
    *,
    level: str,
    on: date,
    rule: str | None = None,
    part: str | None = None,
) -> dict[str, str | None]:
    """The place of one code on its own level and on every level above, the lowest first."""
    found = {}
    for to in _levels_between(organisation, level, organisation.levels[-1]):
        climber = _Climber(organisation, _levels_between(organisation, level, to), rule)
        found[to], _ = climber.climb(code, on, part)
    return found


@dataclass(frozen=True)
class _Climber:
    """Climbs from place to place, level by level."""

    organisation: Organisation
    levels: tuple[str, ...]  # from where to where
    rule: str | None

    def climb(
        self, code: str | None, on: date | None, part: str | None
    ) -> tuple[str | None, NotPlaced | None]:
        """The place at the end, or why there is none."""
        if code is None or on is None:
            return None, "no code" if code is None else "no date"
        level, here = self.levels[0], code
        if self.organisation.beside(level, code) is None:
            if self.organisation.place(level, code) is None:
                return None, "unknown code"
            here = self.organisation.current(level, code, on) or ""
        for below, above in pairwise(self.levels):
            place = self.organisation.place(below, here)
            part = place.part if place is not None and place.part else part
            here, reason = self._parent(below, above, here, on, part)
            if reason:
                return None, reason
        return (here, None) if here else (None, "not open on that day")

    def _parent(
        self, level: str, above: str, code: str, on: date, part: str | None
    ) -> tuple[str, NotPlaced | None]:
        """The place one level up (blank when none was open), or why the row has none."""
        division = self.organisation.division(level, code)
        if division is None:
            return self.organisation.parent(level, code, on) or "", None
        if self.rule is None and above == self.levels[-1]:
            raise StudyError(_rule_is_needed(self.organisation, division))
        # Where the rule makes no difference, the place goes up as itself.
        to = division.rules[self.rule] if self.rule else AS_ITSELF
        if to == AS_ITSELF:
            return code, None
        if to == BY_PART:
            if part is None:
                return "", "part not given"
            to = division.parent_of(part) or ""
            if not to:
                return "", "unknown part"
        return self.organisation.current(above, to, on) or "", None


def _levels_between(organisation: Organisation, first: str, last: str) -> tuple[str, ...]:
    for level in (first, last):
        if level not in organisation.levels:
            near = did_you_mean(level, organisation.levels)
            raise StudyError(f'The organisation {organisation.name} has no level "{level}".{near}')
    low, high = organisation.levels.index(first), organisation.levels.index(last)
    if low > high:
        raise StudyError(f"{first} lies above {last}; places are looked up from below.")
    return organisation.levels[low : high + 1]


def _check_rule(
    organisation: Organisation, levels: Sequence[str], rule: str | None, *, has_parts: bool
) -> None:
    """A divided place on the way needs a rule, unless its parts come together again further up."""
    for division in organisation.divided:
        if division.level not in levels[:-1]:
            continue
        if rule is None:
            if organisation.above(division.level) == levels[-1]:
                raise StudyError(_rule_is_needed(organisation, division))
        elif rule not in division.rules:
            raise StudyError(
                f'{division.level} {division.code} has no rule "{rule}".'
                f"{did_you_mean(rule, division.rules)}"
            )
        elif division.rules[rule] == BY_PART and division.level == levels[0] and not has_parts:
            raise StudyError(
                f"The rule {rule} needs to know the {division.by} of each row; give parts."
            )


def _rule_is_needed(organisation: Organisation, division: Division) -> str:
    place = organisation.place(division.level, division.code)
    return (
        f"{place.name if place else division.code} ({division.level} {division.code}) is shared by "
        f"several places of the level {organisation.above(division.level)}. Choose a rule: "
        f"{', '.join(division.rules)}."
    )


def _name(organisation: Organisation, level: str, code: str | None, on: date | None) -> str | None:
    if code is None or on is None:
        return None
    place = organisation.place(level, code)
    itself = organisation.beside(level, code)
    if place is None and itself is not None:
        place = organisation.place(itself.level, code)
    return place.name_on(on) if place is not None else None


def _texts(codes: pd.Series, what: str) -> list[str | None]:
    """Codes as they stand; a missing one is nothing. Numbers are refused."""
    texts = [None if missing else one for one, missing in zip(codes, codes.isna(), strict=True)]
    n_other = sum(one is not None and not isinstance(one, str) for one in texts)
    if n_other:
        raise DataError(
            f"{what}: {n_other} of {len(texts)} are numbers, not text, so that leading zeros may "
            "have been lost. Read the column as text."
        )
    return texts


def _days(organisation: Organisation, on: date | pd.Series, n_rows: int) -> list[date | None]:
    """For each row a day on which all was as on its own; few days stand for all others."""
    changes = organisation.change_days()

    def first_like(day: date) -> date:
        at = bisect_right(changes, day)
        return changes[at - 1] if at else date.min

    if not isinstance(on, pd.Series):
        return [first_like(on)] * n_rows
    if len(on) != n_rows:
        raise DataError(f"on: {len(on)} dates for {n_rows} rows; expected one for each row.")
    days = pd.to_datetime(on)
    known = {day: first_like(day.date()) for day in days.dropna().unique()}
    return [known.get(day) for day in days]
