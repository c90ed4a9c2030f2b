"""What every register writes of a person, and what is kept of its cases for the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from workbench.data.invent.capture import Capture
from workbench.data.invent.chance import Numbers, Places, logistic
from workbench.data.invent.columns import Coded, Dated, Numbered, Rows
from workbench.data.invent.days import NEVER, Days
from workbench.data.invent.numbers import as_text
from workbench.data.invent.places import CODES, Units
from workbench.data.invent.world import World

SEX_CODES = ("1", "2")
OLD_AGE_GAPS = 0.02  # log-odds of a missing value for each year above 65
UNIT_GAPS = 0.8  # times the unit's effect, on the log-odds of a missing value


@dataclass(frozen=True)
class Draft:
    """One table before it is written, and every true case behind it."""

    table: str
    rows: Rows
    cases: tuple[pd.DataFrame, ...] = ()


@dataclass(frozen=True)
class Names:
    """Identity numbers as text; those in use now first, then the earlier ones."""

    plain: pa.Array
    hyphenated: pa.Array
    changed: Days  # NEVER: one number all the time
    n: int = field(default=0)

    def number(self, person: Places, day: Days, *, hyphen: bool = False) -> Numbered:
        """The number each person had on a day."""
        is_earlier = day < self.changed[person]
        is_earlier &= self.changed[person] < NEVER
        return Numbered(self.hyphenated if hyphen else self.plain, person + self.n * is_earlier)

    def number_now(self, person: Places) -> Numbered:
        """The number each person has now."""
        return Numbered(self.plain, person)


def names_of(world: World) -> Names:
    """The numbers of everybody; a change after death or leaving did not take place."""
    people = world.people
    changed = np.where(people.changed <= world.endings.last, people.changed, NEVER)
    numbers = np.concatenate(
        [people.number, np.where(changed < NEVER, people.earlier_number, people.number)]
    )
    return Names(
        as_text(numbers, hyphen=False), as_text(numbers, hyphen=True),
        changed.astype(np.int32), people.n,
    )  # fmt: skip


def sex_of(world: World, person: Places) -> Coded:
    """The sex of each person as a register codes it."""
    return Coded(SEX_CODES, world.people.sex[person])


def birth_of(world: World, person: Places) -> Dated:
    """The date of birth of each person."""
    return Dated(world.people.birth[person])


def region_column(region: Places) -> Coded:
    """Regions as codes."""
    return Coded(CODES, region)


def hospital_column(units: Units, unit: Places) -> Coded:
    """The hospital of each unit."""
    hospitals, place = np.unique(units.hospital, return_inverse=True)
    return Coded(tuple(hospitals), place[unit])


def unit_column(units: Units, unit: Places) -> Coded:
    """Units as codes."""
    return Coded(tuple(units.code), unit)


def gaps(
    chance: np.random.Generator,
    share: float,
    age: Numbers,
    effect: Numbers | float = 0.0,
) -> NDArray[np.bool_]:
    """Which values are missing: more often of the old, and at some units."""
    log_odds = np.log(share / (1 - share)) + OLD_AGE_GAPS * (age - 65) + UNIT_GAPS * effect
    return chance.random(len(age)) < logistic(log_odds)


def unknown_or_empty(
    chance: np.random.Generator,
    values: Places,
    codes: Sequence[str],
    age: Numbers,
    effect: Numbers | float = 0.0,
    *,
    unknown: float = 0.03,
    empty: float = 0.02,
) -> Coded:
    """A column of codes of which the last one means not known, with gaps of both kinds."""
    place = np.where(gaps(chance, unknown, age, effect), len(codes) - 1, values)
    return Coded(codes, np.where(gaps(chance, empty, age, effect), -1, place))


def true_cases(
    world: World,
    names: Names,
    found: Capture,
    person: Places,
    day: Days,
    region: Places,
    **facts: NDArray | str,
) -> pd.DataFrame:
    """Every true case of a register: who, when, where, whether reported and when."""
    return pd.DataFrame(
        {
            **facts,
            "personal_number": names.plain.take(pa.array(person)).to_numpy(zero_copy_only=False),
            "event_date": day.astype("datetime64[D]"),
            "region": np.array(CODES)[region],
            "registered_date": pd.Series(found.registered.astype("datetime64[D]")).where(
                found.registered < NEVER
            ),
            "captured": np.where(found.is_there, "yes", "no"),
        }
    )
