"""The cancer register: solid tumours and blood cancers, each once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from workbench.data.invent.blood import KINDS
from workbench.data.invent.cancers import SITES
from workbench.data.invent.capture import capture, reporting
from workbench.data.invent.chance import Places, happens, stream
from workbench.data.invent.columns import Coded, Column, Dated, Measured, Rows
from workbench.data.invent.days import NEVER, Days, age_at, year_of
from workbench.data.invent.drafts import (
    Draft,
    Names,
    birth_of,
    gaps,
    hospital_column,
    region_column,
    sex_of,
    true_cases,
)
from workbench.data.invent.world import World

STAGE_FROM = 2004
STAGE_UNKNOWN = 0.09
# Tumours first seen at the death of those over 60 who died of something else, by autopsy (4) or
# from the certificate alone (9). Left out, as survival analyses do, the rest follow the law.
AT_DEATH, AT_DEATH_AGE, CERTIFICATE = 0.006, 60, 0.35
BASES = ("1", "2", "3", "5", "6", "8", "4", "9")
LIVING_BASES = (0.01, 0.05, 0.88, 0.05, 0.005, 0.005)


def tumour_drafts(world: World, names: Names) -> Iterator[Draft]:
    """The one table of the cancer register."""
    chance = stream(world.seed, "tumours")
    tumours = _all_tumours(chance, world)
    person, day, group = tumours["person"], tumours["day"], tumours["group"]
    stage, basis = tumours["stage"], tumours["basis"]
    age = age_at(day, world.people.birth[person])
    region = world.moves.region_at(person, day)
    rules = reporting("cancer", "tumours", world.seed)
    found = capture(chance, rules, region, day, last_day=world.last_day)
    cases = true_cases(
        world, names, found, person, day, region,
        register="cancer", table="tumours", sub_register=np.array(_groups())[group],
        unit="", true_stage=stage.astype(str),
    )  # fmt: skip
    kept = np.flatnonzero(found.is_there)
    columns: dict[str, Column] = {
        "diagnosis_date": Dated(day[kept]),
        "basis": Coded(BASES, basis[kept]),
        "registered_date": Dated(found.registered[kept]),
        "region": region_column(region[kept]),
        "stage": _stage(chance, group[kept], day[kept], age[kept], stage[kept], basis[kept]),
        "personal_number": names.number(person[kept], day[kept], hyphen=True),
        "tumour_number": Measured(_running_number(person[kept], day[kept])),
        "birth_date": birth_of(world, person[kept]),
        "sex": sex_of(world, person[kept]),
        "hospital": hospital_column(
            world.units["hospital"],
            world.units["hospital"].of_patients(chance, region[kept]),
        ),
        **_codes(chance, group[kept], tumours["entity"][kept]),
    }
    yield Draft("tumours", Rows(person[kept], day[kept], columns), (cases,))


def _groups() -> tuple[str, ...]:
    return (*SITES, *KINDS)


def _all_tumours(chance: np.random.Generator, world: World) -> dict[str, NDArray]:
    """Every tumour: those found in life, then those first seen at death."""
    every = {**world.tumours, **world.blood}
    living = {
        "person": np.concatenate([one.person for one in every.values()]),
        "day": np.concatenate([one.day for one in every.values()]),
        "group": np.concatenate([np.full(len(one), at) for at, one in enumerate(every.values())]),
        "stage": np.concatenate([one.facts["stage"] for one in every.values()]),
        "entity": np.concatenate(
            [one.facts.get("entity", np.zeros(len(one), int)) for one in every.values()]
        ),
    }
    living["basis"] = chance.choice(6, size=len(living["person"]), p=LIVING_BASES)
    death = world.endings.known_death
    who = np.flatnonzero((death < NEVER) & (world.endings.cause == 0))
    old = age_at(death[who], world.people.birth[who]) >= AT_DEATH_AGE
    who = who[old & happens(chance, AT_DEATH, len(who))]
    n = len(who)
    sites = np.array([list(SITES).index(name) for name in ("lung", "colon", "pancreas", "kidney")])
    dead = {
        "person": who,
        "day": death[who],
        "group": sites[chance.integers(0, len(sites), n)],
        "stage": np.full(n, 4),
        "entity": np.zeros(n, dtype=np.int64),
        "basis": 6 + happens(chance, CERTIFICATE, n),
    }
    return {name: np.concatenate([living[name], dead[name]]) for name in living}


def _stage(
    chance: np.random.Generator,
    group: Places,
    day: Days,
    age: NDArray,
    stage: NDArray,
    basis: Places,
) -> Coded:
    """Stage of solid tumours since 2004; unknown more often of the old, and found at death."""
    unknown = gaps(chance, STAGE_UNKNOWN, age) | (basis >= 6)
    place = np.where(unknown, 4, stage - 1)
    asked = (group < len(SITES)) & (year_of(day) >= STAGE_FROM)
    return Coded(("1", "2", "3", "4", "9"), np.where(asked, place, -1))


def _running_number(person: Places, day: Days) -> NDArray[np.float64]:
    """The number of each tumour among the person's own, in order of time."""
    order = np.lexsort((day, person))
    ordered = person[order]
    starts = np.concatenate([[True], ordered[1:] != ordered[:-1]])[: len(order)]
    begin = np.maximum.accumulate(np.where(starts, np.arange(len(order)), 0))
    number = np.empty(len(order))
    number[order] = np.arange(len(order)) - begin + 1
    return number


def _codes(chance: np.random.Generator, group: Places, entity: Places) -> dict[str, Coded]:
    """Site, ICD-10, morphology and side of each tumour."""
    drawn = chance.random(len(group))
    icd10, topography = np.empty(len(group), "U4"), np.empty(len(group), "U4")
    morphology, side = np.empty(len(group), "U6"), np.full(len(group), 3)
    for at, name in enumerate(_groups()):
        own = group == at
        one = SITES.get(name) or KINDS[name]
        codes = (one.icd10,) if isinstance(one.icd10, str) else one.icd10
        icd10[own] = np.array(codes)[np.minimum(entity[own], len(codes) - 1)]
        topography[own] = getattr(one, "topography", icd10[own])
        shapes = np.array(one.morphology)
        by_chance = (drawn[own] * len(shapes)).astype(int)
        matches = len(shapes) == len(codes) > 1
        morphology[own] = shapes[entity[own] if matches else by_chance]
        if getattr(one, "is_paired", False):
            side[own] = np.where(drawn[own] < 0.02, 4, (drawn[own] * 100).astype(int) % 2)
    return {
        "icd10": _as_codes(icd10),
        "topography": _as_codes(topography),
        "morphology": _as_codes(morphology),
        "laterality": Coded(("1", "2", "3", "8", "9"), side),
    }


def _as_codes(texts: NDArray[np.str_]) -> Coded:
    codes, place = np.unique(texts, return_inverse=True)
    return Coded(tuple(codes), place)
