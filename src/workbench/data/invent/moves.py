"""Where each person lives when: moves between regions, leaving the country, coming back.

A person leaves at most once. Nothing happens to a person abroad that a register here would hold,
and a death abroad is not known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.data.invent.chance import Places, happens, pick, stream
from workbench.data.invent.days import DAYS_A_YEAR, NEVER, Days, age_at, new_year
from workbench.data.invent.people import People
from workbench.data.invent.places import CODES, REGIONS

MOST_MOVES = 3
MOVES_A_YEAR = 0.012  # between regions; as many again of the young
YOUNG = (18, 32)
LEAVE_A_YEAR = {"born here": 0.0025, "from abroad": 0.011}
RETURN_SHARE, YEARS_ABROAD = 0.45, 4.0


@dataclass(frozen=True)
class Moves:
    """Where persons are; a row of the two-dimensional arrays is a person's residences in order."""

    since: NDArray[np.integer]  # NEVER where there are fewer residences
    region: NDArray[np.integer]  # place in CODES
    left: Days
    returned: Days

    def region_at(self, person: Places, day: Days) -> Places:
        """The region of residence of persons on a day."""
        at = (self.since[person, 1:] <= day[:, None]).sum(axis=1)
        return self.region[person, at]

    def is_abroad(self, person: Places, day: Days) -> NDArray[np.bool_]:
        """Whether persons are abroad on a day, the days of leaving and coming back included."""
        return (self.left[person] <= day) & (day <= self.returned[person])


def draw_moves(people: People, seed: int) -> Moves:
    """Draw every person's residences and stays abroad, without regard to death."""
    chance = stream(seed, "moves")
    n, last_day = people.n, people.last_day
    left, returned = _abroad(chance, people)
    years = (last_day - people.entry) / DAYS_A_YEAR
    first, last = (np.clip(age * DAYS_A_YEAR + people.birth, people.entry, last_day)
                   for age in YOUNG)  # fmt: skip
    young_years = (last - first) / DAYS_A_YEAR
    count = np.minimum(chance.poisson(MOVES_A_YEAR * (years + young_years)), MOST_MOVES)
    when_young = happens(chance, 2 * young_years / np.maximum(years + young_years, 0.01), n)
    days = np.full((n, MOST_MOVES + 2), NEVER, dtype=np.int32)
    for at in range(MOST_MOVES):
        from_day = np.where(when_young, first, people.entry)
        to_day = np.where(when_young, last, last_day)
        day = (from_day + 1 + chance.random(n) * np.maximum(to_day - from_day - 1, 0)).astype(
            np.int32
        )
        possible = (at < count) & (day <= last_day) & ~((left <= day) & (day <= returned))
        days[:, at + 1] = np.where(possible, day, NEVER)
    days[:, MOST_MOVES + 1] = returned
    days[:, 0] = _first_days(chance, people)
    since = _in_order(days)
    sizes = [size for size, _, _ in REGIONS.values()]
    region = pick(chance, sizes, n * since.shape[1]).reshape(since.shape)
    for at in range(1, since.shape[1]):
        same = region[:, at] == region[:, at - 1]
        region[:, at] = np.where(same, (region[:, at] + 1) % len(CODES), region[:, at])
    return Moves(since=since, region=region, left=left, returned=returned)


def _first_days(chance: np.random.Generator, people: People) -> Days:
    """When the first residence that is known began."""
    start = np.where(people.immigrated < NEVER, people.immigrated, people.birth)
    earliest = np.maximum(start, new_year(1969))
    settled = earliest + chance.random(people.n) * np.maximum(people.entry - earliest, 0)
    return np.where(start >= new_year(1969), start, settled).astype(np.int32)


def _in_order(days: NDArray[np.integer]) -> NDArray[np.integer]:
    """Residences by day; two on one day become one."""
    rest = np.sort(days[:, 1:], axis=1)
    rest[:, 1:] = np.where(rest[:, 1:] == rest[:, :-1], NEVER, rest[:, 1:])
    rest = np.where(rest <= days[:, :1], NEVER, rest)
    return np.concatenate([days[:, :1], np.sort(rest, axis=1)], axis=1)


def _abroad(chance: np.random.Generator, people: People) -> tuple[Days, Days]:
    """The day of leaving and of coming back; most leave as young adults."""
    n, last_day = people.n, people.last_day
    is_foreign = people.immigrated < NEVER
    rate = np.where(is_foreign, LEAVE_A_YEAR["from abroad"], LEAVE_A_YEAR["born here"])
    # Three times as often between 20 and 40; drawn by keeping a third of the others.
    days = chance.exponential(1 / (3 * rate)) * DAYS_A_YEAR
    left = np.minimum(people.entry + 1 + days, NEVER).astype(np.int32)
    age = age_at(left, people.birth)
    kept = ((age >= 20) & (age < 40)) | happens(chance, 1 / 3, n)
    left = np.where(kept & (left <= last_day), left, NEVER).astype(np.int32)
    back = left + 30 + np.minimum(chance.exponential(YEARS_ABROAD * DAYS_A_YEAR, n), 20_000)
    returns = happens(chance, RETURN_SHARE, n) & (left < NEVER) & (back <= last_day)
    return left, np.where(returns, back, NEVER).astype(np.int32)


def stated() -> dict[str, object]:
    """The rules of moving as they are written into the truth."""
    return {
        "moves_between_regions_in_a_year": MOVES_A_YEAR,
        "as_many_again_between_ages": YOUNG,
        "leave_in_a_year": {**LEAVE_A_YEAR, "a third of it before 20 and after 40": True},
        "share_that_returns": RETURN_SHARE,
        "mean_years_abroad": YEARS_ABROAD,
    }
