"""Cases of a disease, and what kills because of it.

A disease adds a hazard to the law of mortality from the day of diagnosis on; it is constant within
bands of time and times a factor of the person, so that survival from the disease alone is known:

    S(t | person) = exp(-factor * sum over bands of hazard * time spent in the band)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from workbench.data.invent.chance import Numbers, Places
from workbench.data.invent.days import DAYS_A_YEAR, NEVER, Days
from workbench.data.invent.moves import Moves
from workbench.data.invent.people import People

BANDS = (0.0, 0.25, 1.0, 3.0, 5.0, 10.0)  # years since diagnosis at which a hazard changes
AGE_SCALE = 70.0


@dataclass(frozen=True)
class Cases:
    """Cases of one kind, one entry a case, ordered by person and day."""

    person: Places
    day: Days
    death: Days  # of the disease; NEVER when it does not kill in time
    facts: dict[str, NDArray] = field(default_factory=dict)  # what else is known, by name

    def __len__(self) -> int:
        """How many cases there are."""
        return len(self.person)

    def only(self, chosen: NDArray) -> Cases:
        """The cases that are chosen."""
        return Cases(
            self.person[chosen],
            self.day[chosen],
            self.death[chosen],
            {name: values[chosen] for name, values in self.facts.items()},
        )

    def with_facts(self, **facts: NDArray) -> Cases:
        """The same cases with more known about each."""
        return replace(self, facts={**self.facts, **facts})


def first_cases(
    chance: np.random.Generator,
    people: People,
    moves: Moves,
    *,
    rate: Sequence[float],
    power: float,
    times: Numbers | float = 1.0,
    constant: float = 0.0,
) -> Cases:
    """The first case of each person of a disease whose incidence rises as a power of age.

    `rate` is the incidence at age 70 of men and women, in a person-year; `constant` is added at
    every age; `times` is a factor of the person. Cases before a person can be in the registers, or
    abroad, did not happen. Death is not looked at here.
    """
    at_70 = np.asarray(rate)[people.sex] * times
    drawn = chance.standard_exponential(people.n)
    with np.errstate(divide="ignore"):
        share = drawn * (power + 1) / (AGE_SCALE * at_70)
        age = AGE_SCALE * np.where(np.isfinite(share), share, 1e9) ** (1 / (power + 1))
        early = chance.standard_exponential(people.n) / constant if constant else np.inf
    day = np.minimum(people.birth + np.minimum(np.minimum(age, early), 1e6) * DAYS_A_YEAR, NEVER)
    return keep_possible(people, moves, np.arange(people.n), day.astype(np.int32))


def keep_possible(people: People, moves: Moves, person: Places, day: Days) -> Cases:
    """Cases on days on which the person is in the country and the registers run."""
    possible = (day > people.entry[person]) & (day <= people.last_day)
    kept = np.flatnonzero(possible)
    kept = kept[~moves.is_abroad(person[kept], day[kept])]
    return Cases(person[kept], day[kept], np.full(len(kept), NEVER, dtype=np.int32))


def days_to_death(
    chance: np.random.Generator, hazards: NDArray[np.float64], factor: Numbers | float = 1.0
) -> NDArray[np.integer]:
    """Days from diagnosis to death of the disease alone, by a hazard a band for each case.

    `hazards` has a row a case and a column a band, per year; at least one day passes.
    """
    n = len(hazards)
    left = chance.standard_exponential(n) / np.maximum(factor, 1e-12)
    time = np.full(n, np.inf)
    for at, begin in enumerate(BANDS):
        end = BANDS[at + 1] if at + 1 < len(BANDS) else np.inf
        hazard = hazards[:, at]
        with np.errstate(divide="ignore", invalid="ignore"):
            gained = np.where(hazard > 0, hazard * (end - begin), 0.0)
            dies = np.isinf(time) & (left <= gained) & (hazard > 0)
            time = np.where(dies, begin + left / hazard, time)
        left = left - gained
    days = np.floor(np.minimum(time * DAYS_A_YEAR, 1e6)).astype(np.int64)
    return np.maximum(days, 1)


def dying(cases: Cases, days: NDArray[np.integer]) -> Cases:
    """The cases with the day on which the disease would kill."""
    death = np.minimum(cases.day.astype(np.int64) + days, NEVER).astype(np.int32)
    return replace(cases, death=death)
