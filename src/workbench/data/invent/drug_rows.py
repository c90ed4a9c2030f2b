"""The prescribed drug register: drugs for the conditions people have, collected again and again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np

from workbench.data.invent.chance import Places, happens, stream
from workbench.data.invent.columns import Coded, Column, Dated, Measured, Rows
from workbench.data.invent.days import DAYS_A_YEAR, NEVER, Days, day_of, new_year
from workbench.data.invent.drafts import Draft, Names
from workbench.data.invent.illness import NAMES
from workbench.data.invent.world import World

FIRST_DAY = day_of(date(2005, 7, 1))
DRUGS_BEFORE = 2005  # drugs from this year were in use long before
YEARS_TO_SPREAD = 4.0
EVERY_DAYS, SPREAD = 98, 14  # between two collections of a drug that is taken for long
MOST_COLLECTIONS = 250
PRESCRIBERS = ("1", "2", "3", "4", "5", "9")


@dataclass(frozen=True)
class Drug:
    """One drug: share of those with the condition who take it, mean years, and doses a time.

    The condition may be a drug given at discharge after an operation on an artery.
    """

    atc: str
    condition: str
    share: float
    years: float
    doses: float  # DDD collected at a time
    first_year: int = 2005
    delay: float = 60.0  # mean days from the condition to the first collection


DRUGS: tuple[Drug, ...] = (
    Drug("A10BA02", "diabetes", 0.75, 14.0, 75.0),
    Drug("A10AE04", "diabetes", 0.25, 12.0, 90.0, 2005, 2500.0),
    Drug("A10BK01", "diabetes", 0.25, 5.0, 98.0, 2013, 1500.0),
    Drug("A10AB05", "type_1_diabetes", 0.98, 60.0, 95.0, 2005, 10.0),
    Drug("C09AA02", "hypertension", 0.40, 12.0, 150.0),
    Drug("C08CA01", "hypertension", 0.30, 11.0, 98.0, 2005, 400.0),
    Drug("C07AB02", "ischaemic_heart_disease", 0.65, 9.0, 65.0),
    Drug("C10AA05", "ischaemic_heart_disease", 0.75, 11.0, 150.0, 2005, 20.0),
    Drug("C10AA01", "diabetes", 0.45, 11.0, 110.0, 2005, 300.0),
    Drug("B01AC06", "ischaemic_heart_disease", 0.70, 11.0, 98.0, 2005, 20.0),
    Drug("B01AC06", "stroke", 0.50, 7.0, 98.0, 2005, 20.0),
    Drug("B01AF02", "atrial_fibrillation", 0.60, 8.0, 98.0, 2012, 30.0),
    Drug("B01AA03", "atrial_fibrillation", 0.40, 5.0, 98.0, 2005, 30.0),
    Drug("C03CA01", "heart_failure", 0.70, 7.0, 98.0, 2005, 30.0),
    Drug("C10AA01", "artery_disease", 0.55, 9.0, 110.0),
    Drug("R03BB04", "lung_disease", 0.60, 8.0, 90.0),
    Drug("N06AB04", "depression", 0.70, 3.5, 98.0, 2005, 20.0),
    Drug("N06DA02", "dementia", 0.45, 3.0, 98.0),
    Drug("C10AA05", "statin at discharge", 0.92, 9.0, 150.0, 2005, 15.0),
    Drug("B01AC06", "antithrombotic at discharge", 0.92, 9.0, 98.0, 2005, 15.0),
)
# Bought now and then by anybody: antibiotics and opioids.
NOW_AND_THEN = {"J01CE02": (0.045, 12.0), "N02AA05": (0.025, 9.0), "M01AE01": (0.040, 20.0)}


def drug_drafts(world: World, names: Names) -> Iterator[Draft]:
    """The one table of the prescribed drug register."""
    chance = stream(world.seed, "drugs")
    codes = tuple(dict.fromkeys([*(one.atc for one in DRUGS), *NOW_AND_THEN]))
    persons, days, drugs, doses = [], [], [], []
    for drug in DRUGS:
        person, day = _collections(chance, world, drug)
        persons.append(person)
        days.append(day)
        drugs.append(np.full(len(person), codes.index(drug.atc), dtype=np.int8))
        doses.append(np.full(len(person), drug.doses, dtype=np.float32))
    for atc, (yearly, often) in NOW_AND_THEN.items():
        person, day = _now_and_then(chance, world, yearly)
        persons.append(person)
        days.append(day)
        drugs.append(np.full(len(person), codes.index(atc), dtype=np.int8))
        doses.append(np.full(len(person), often, dtype=np.float32))
    person, day = np.concatenate(persons), np.concatenate(days)
    n = len(person)
    packages = 1 + happens(chance, 0.25, n)
    dose = np.concatenate(doses) * packages * np.where(happens(chance, 0.2, n), 0.5, 1)
    dose = np.where(happens(chance, 0.004, n), np.nan, dose)
    prescriber = chance.choice(6, size=n, p=(0.62, 0.28, 0.05, 0.01, 0.03, 0.01))
    columns: dict[str, Column] = {
        "personal_number": names.number(person, day),
        "dispensed_date": Dated(day),
        "atc": Coded(codes, np.concatenate(drugs)),
        "packages": Measured(packages.astype(np.float32)),
        "ddd": Measured(dose, 1),
        "prescriber": Coded(PRESCRIBERS, prescriber),
    }
    yield Draft("dispensings", Rows(person, day, columns))


def _collections(chance: np.random.Generator, world: World, drug: Drug) -> tuple[Places, Days]:
    """Every collection of one drug, from its start until the person stops, leaves or dies."""
    onset = _onset(world, drug.condition)
    who = np.flatnonzero(onset <= world.last_day)
    who = who[happens(chance, drug.share, len(who))]
    start = onset[who] + chance.exponential(drug.delay, len(who))
    if drug.first_year > DRUGS_BEFORE:  # a new drug comes into use over some years
        spread = chance.exponential(YEARS_TO_SPREAD * DAYS_A_YEAR, len(who))
        start = np.maximum(start, new_year(drug.first_year) + spread)
    stop = start + chance.exponential(drug.years * DAYS_A_YEAR, len(who))
    stop = np.minimum(stop, world.endings.last[who])
    # What was collected before the register began is not in it.
    start = np.maximum(start, FIRST_DAY - EVERY_DAYS * chance.random(len(who)))
    count = np.clip(np.ceil((stop - start) / EVERY_DAYS), 0, MOST_COLLECTIONS).astype(np.int64)
    at = np.repeat(np.arange(len(who)), count)
    turn = np.arange(len(at)) - np.repeat(np.cumsum(count) - count, count)
    jitter = np.where(turn > 0, chance.integers(-SPREAD, SPREAD + 1, len(at)), 0)
    day = (start[at] + turn * EVERY_DAYS + jitter).astype(np.int32)
    return _possible(world, who[at], day)


def _onset(world: World, condition: str) -> Days:
    """The first day of a condition, or of the first operation after which a drug was given."""
    if condition in NAMES:
        return world.illness.since(condition)
    fact = condition.removesuffix(" at discharge")
    onset = np.full(world.people.n, NEVER, dtype=np.int32)
    for cases in world.operations.values():
        given = cases.only(cases.facts[fact])
        np.minimum.at(onset, given.person, given.day)
    return onset


def _now_and_then(chance: np.random.Generator, world: World, yearly: float) -> tuple[Places, Days]:
    begin = np.maximum(world.people.entry, FIRST_DAY)
    length = np.maximum(world.endings.last - begin, 0)
    count = chance.poisson(yearly * length / DAYS_A_YEAR)
    person = np.repeat(np.arange(world.people.n), count)
    day = begin[person] + np.floor(chance.random(len(person)) * length[person])
    return _possible(world, person, day.astype(np.int32))


def _possible(world: World, person: Places, day: Days) -> tuple[Places, Days]:
    possible = (day >= FIRST_DAY) & (day < NEVER) & (day >= world.people.entry[person])
    kept = np.flatnonzero(possible & world.endings.is_here(world.moves, person, day))
    return person[kept], day[kept]
