"""The cause of death register."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from workbench.data.invent.chance import happens, stream
from workbench.data.invent.columns import Coded, Dated, Rows
from workbench.data.invent.days import year_of
from workbench.data.invent.drafts import Draft, Names, region_column, sex_of
from workbench.data.invent.endings import underlying_causes
from workbench.data.invent.illness import CONDITIONS
from workbench.data.invent.last_care import CARE, last_care
from workbench.data.invent.world import World

LAST_ICD9_YEAR = 1996
TOLD = 0.55  # chance that a condition the person had stands on the certificate
# Hypertension, depression and smoking seldom do.
SELDOM = frozenset({"hypertension", "depression", "smoking"})
SELDOM_TOLD = 0.15
PLACES = ("1", "2", "3", "4", "9")


def death_drafts(world: World, names: Names) -> Iterator[Draft]:
    """The one table of the cause of death register."""
    chance = stream(world.seed, "deaths")
    care = last_care(world)
    person, n = care.person, len(care.person)
    day = world.endings.known_death[person]
    new, old = underlying_causes(world.people, world.illness, world.endings, person, world.seed)
    is_old = year_of(day) <= LAST_ICD9_YEAR
    cause, place = np.unique(np.where(is_old, old, new), return_inverse=True)
    deaths = np.array([PLACES.index(code) for code, _ in CARE.values()])[care.form]
    where = np.where(happens(chance, 0.03, n), 3 + happens(chance, 0.5, n), deaths)
    examined = chance.choice(4, size=n, p=(0.035, 0.05, 0.895, 0.02))
    told = np.array([SELDOM_TOLD if name in SELDOM else TOLD for name in CONDITIONS])
    has = (world.illness.onset[person] <= day[:, None]) & (chance.random((n, len(told))) < told)
    yield Draft(
        "deaths",
        Rows(
            person,
            day,
            {
                "personal_number": names.number(person, day),
                "death_date": Dated(day),
                "sex": sex_of(world, person),
                "region": region_column(world.moves.region_at(person, day)),
                "underlying_cause": Coded(tuple(cause), place),
                "contributing_causes": condition_codes(has, is_old),
                "place_of_death": Coded(PLACES, where),
                "autopsy": Coded(("1", "2", "3", "9"), examined),
            },
        ),
    )


def condition_codes(has: NDArray[np.bool_], is_old: NDArray[np.bool_]) -> Coded:
    """Conditions as codes with blanks between, in ICD-9 where `is_old`."""
    n_sets = 1 << has.shape[1]
    chosen = (has @ (1 << np.arange(has.shape[1]))) + n_sets * is_old
    used, place = np.unique(chosen, return_inverse=True)
    texts = tuple(_set_text(int(one) % n_sets, is_old=one >= n_sets) for one in used)
    empty = np.array([text == "" for text in texts])
    return Coded(texts, np.where(empty[place], -1, place))


def _set_text(chosen: int, *, is_old: bool) -> str:
    return " ".join(
        one.icd9 if is_old else one.icd10
        for at, one in enumerate(CONDITIONS.values())
        if chosen >> at & 1
    )
