"""Who there is: sex, birth, how each came into the country, and death by the law alone.

Persons are those who were registered at some time since 1990: alive on the first of January of that
year, born later, or come from abroad. Cohorts are as large as births roughly were, seen from 1990;
those born from 2000 on are halved, so that most persons are adults.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.data.invent import mortality
from workbench.data.invent.chance import Numbers, happens, log_normal_days, pick, stream
from workbench.data.invent.days import NEVER, Days, date_of, new_year
from workbench.data.invent.numbers import give_numbers

FIRST_YEAR = 1990  # registers are delivered from here on
BIRTHS = {1900: 135, 1920: 130, 1935: 90, 1945: 130, 1965: 120, 1983: 95, 1990: 120, 1999: 90,
          2000: 46, 2010: 57, 2024: 50}  # fmt: skip  # thousands; joined by straight lines
FOREIGN = 0.14
FIRST_ARRIVAL = 1969  # migrations are known from here on
ARRIVAL_AGE, ARRIVAL_SPREAD = 27.0, 0.45  # median age in years, spread of its logarithm
HAD_COORDINATION = 0.5  # of those who came since 2000, when such numbers began
MONTHS_WITH_COORDINATION = 14  # mean time until it was replaced
COUNTRIES = {"SE": 0.0, "NO": 0.15, "EU": 0.33, "XX": 0.49, "99": 0.03}  # of those from abroad


@dataclass(frozen=True)
class People:
    """One entry a person, in no order."""

    n: int
    last_day: int
    sex: NDArray[np.integer]  # 0 male, 1 female
    birth: Days
    country: NDArray[np.integer]  # place in COUNTRIES
    immigrated: Days  # NEVER for those born here
    entry: Days  # from here on the registers can hold the person
    law_death: Days  # by the life table alone
    frailty: Numbers  # even from 0 to 1; high for those who die early by the law
    number: NDArray[np.integer]
    earlier_number: NDArray[np.integer]  # 0: the number was never changed
    changed: Days
    n_births_moved: int

    @property
    def is_female(self) -> NDArray[np.bool_]:
        """Whether each person is a woman."""
        return self.sex == 1


def draw_people(n: int, seed: int, last_day: int) -> People:
    """Draw a population that was in the country at some time since 1990."""
    chance = stream(seed, "people")
    sex, birth = _births(chance, n, last_day)
    numbers = give_numbers(birth, sex == 1, as_of=date_of(last_day))
    birth = numbers.birth
    is_foreign = happens(chance, FOREIGN, n)
    country = np.where(is_foreign, pick(chance, list(COUNTRIES.values()), n), 0)
    arrival = _arrivals(chance, n, birth, last_day)
    immigrated = np.where(is_foreign, arrival, NEVER).astype(np.int32)
    start = np.maximum(birth, np.where(is_foreign, arrival, birth))
    entry = np.maximum(start, new_year(FIRST_YEAR)).astype(np.int32)
    threshold = chance.standard_exponential(n)
    changed = _changes(chance, n, immigrated, numbers.earlier > 0, last_day)
    return People(
        n=n,
        last_day=last_day,
        sex=sex,
        birth=birth,
        country=country,
        immigrated=immigrated,
        entry=entry,
        law_death=mortality.deaths_by_law(sex, birth, entry, threshold, last_day=last_day),
        frailty=np.exp(-threshold),
        number=numbers.current,
        earlier_number=np.where(changed < NEVER, numbers.earlier, 0),
        changed=changed,
        n_births_moved=numbers.n_moved,
    )


def _births(chance: np.random.Generator, n: int, last_day: int) -> tuple[NDArray[np.integer], Days]:
    last_year = date_of(last_day).year
    years = np.arange(mortality.FIRST_YEAR, last_year + 1)
    size = np.interp(years, list(BIRTHS), list(BIRTHS.values()))
    alive = np.ones((2, len(years)))
    alive[:, : FIRST_YEAR - mortality.FIRST_YEAR] = mortality.survival_to(FIRST_YEAR)
    weights = alive * size * np.array([[0.514], [0.486]])  # boys and girls born
    cell = pick(chance, weights.ravel(), n)
    sex, year = cell // len(years), years[cell % len(years)]
    begins = np.array([new_year(one) for one in range(int(years[0]), last_year + 2)])
    begins[-1] = min(begins[-1], last_day + 1)
    at = year - years[0]
    days = begins[at] + np.floor(chance.random(n) * (begins[at + 1] - begins[at]))
    return sex, days.astype(np.int32)


def _arrivals(chance: np.random.Generator, n: int, birth: Days, last_day: int) -> Days:
    """When each would have come, most of them as young adults."""
    arrival = birth + log_normal_days(chance, ARRIVAL_AGE * 365.25, ARRIVAL_SPREAD, n)
    soonest = np.maximum(birth, new_year(FIRST_ARRIVAL))
    latest = np.minimum(np.maximum(soonest, new_year(FIRST_ARRIVAL + 8)), last_day)
    early = soonest + chance.random(n) * (latest - soonest)
    late = soonest + chance.random(n) * (last_day - soonest)
    return np.where(arrival < soonest, early, np.where(arrival > last_day, late, arrival)).astype(
        np.int32
    )


def _changes(
    chance: np.random.Generator,
    n: int,
    immigrated: Days,
    has_room: NDArray[np.bool_],
    last_day: int,
) -> Days:
    """When a coordination number was replaced by a personal one, for those who had one."""
    waited = 30 + chance.exponential(MONTHS_WITH_COORDINATION * 30, n)
    day = immigrated + np.minimum(waited, 3000).astype(np.int32)
    had_one = happens(chance, HAD_COORDINATION, n) & has_room
    had_one &= (immigrated >= new_year(2000)) & (day <= last_day)
    return np.where(had_one, day, NEVER).astype(np.int32)


def stated() -> dict[str, object]:
    """How people come about, as it is written into the truth."""
    return {
        "first_year": FIRST_YEAR,
        "births_in_thousands": BIRTHS,
        "share_from_abroad": FOREIGN,
        "countries_of_those": COUNTRIES,
        "first_arrival": FIRST_ARRIVAL,
        "age_at_arrival": {"median": ARRIVAL_AGE, "log_spread": ARRIVAL_SPREAD},
        "share_with_coordination_number_first": HAD_COORDINATION,
        "mean_months_with_it": MONTHS_WITH_COORDINATION,
    }
