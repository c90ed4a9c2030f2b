"""The population register: persons, migrations, residences, changes of number."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from workbench.data.invent.chance import stream
from workbench.data.invent.columns import Coded, Dated, Rows
from workbench.data.invent.days import NEVER, Days
from workbench.data.invent.drafts import (
    Draft,
    Names,
    birth_of,
    region_column,
    sex_of,
)
from workbench.data.invent.people import COUNTRIES
from workbench.data.invent.places import CODES, MUNICIPALITIES
from workbench.data.invent.world import World

ABROAD = tuple(COUNTRIES)[1:]
# Where people go and come from, in the order of ABROAD.
DESTINATIONS = (0.35, 0.35, 0.25, 0.05)
_TOWNS = [town for code in CODES for town in MUNICIPALITIES[code]]
_N_TOWNS = np.array([len(MUNICIPALITIES[code]) for code in CODES])
_FIRST_TOWN = np.concatenate([[0], np.cumsum(_N_TOWNS)[:-1]])


def population_drafts(world: World, names: Names) -> Iterator[Draft]:
    """The four tables of the population register."""
    yield _persons(world, names)
    yield _migrations(world, names)
    yield _residences(world, names)
    yield _number_changes(world, names)


def municipality_of(person: np.ndarray, region: np.ndarray) -> np.ndarray:
    """The municipality of each person in a region, as a place in the list of all."""
    return _FIRST_TOWN[region] + person % _N_TOWNS[region]


def municipality_column(person: np.ndarray, region: np.ndarray) -> Coded:
    """Municipalities as codes."""
    return Coded(_TOWNS, municipality_of(person, region))


def _persons(world: World, names: Names) -> Draft:
    people = world.people
    person = np.arange(people.n)
    return Draft(
        "persons",
        Rows(
            person,
            people.birth,
            {
                "personal_number": names.number_now(person),
                "birth_date": birth_of(world, person),
                "sex": sex_of(world, person),
                "death_date": Dated(world.endings.known_death),
                "country_of_birth": Coded(tuple(COUNTRIES), people.country),
            },
        ),
    )


def _migrations(world: World, names: Names) -> Draft:
    people, moves, endings = world.people, world.moves, world.endings
    chance = stream(world.seed, "migrations")
    days: list[Days] = [people.immigrated, moves.left, endings.returned]
    happened = [day < np.minimum(endings.death, world.last_day + 1) for day in days]
    who = [np.flatnonzero(one) for one in happened]
    person = np.concatenate(who)
    day = np.concatenate([one[at] for one, at in zip(days, who, strict=True)])
    came_from = people.country[who[0]] - 1
    others = chance.choice(len(ABROAD), size=len(person) - len(who[0]), p=DESTINATIONS)
    direction = np.repeat([0, 1, 0], [len(one) for one in who])
    return Draft(
        "migrations",
        Rows(
            person,
            day,
            {
                "personal_number": names.number_now(person),
                "migration_date": Dated(day),
                "direction": Coded(("Inv", "Utv"), direction),
                "country": Coded(ABROAD, np.concatenate([came_from, others])),
            },
        ),
    )


def _residences(world: World, names: Names) -> Draft:
    moves, endings = world.moves, world.endings
    happened = (moves.since < NEVER) & (moves.since <= endings.last[:, None])
    happened[:, 0] = True  # also of those who died on their first day
    person, at = np.nonzero(happened)
    day, region = moves.since[person, at], moves.region[person, at]
    return Draft(
        "residences",
        Rows(
            person,
            day,
            {
                "personal_number": names.number_now(person),
                "moved_in_date": Dated(day),
                "region": region_column(region),
                "municipality": municipality_column(person, region),
            },
        ),
    )


def _number_changes(world: World, names: Names) -> Draft:
    person = np.flatnonzero(names.changed < NEVER)
    day = names.changed[person]
    return Draft(
        "number_changes",
        Rows(
            person,
            day,
            {
                "personal_number": names.number_now(person),
                "earlier_number": names.number(person, day - 1),
                "changed_date": Dated(day),
            },
        ),
    )
