"""The patient register: stays in hospital and visits to doctors."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from workbench.data.invent import reasons
from workbench.data.invent.chance import Places, happens, log_normal_days, stream
from workbench.data.invent.columns import Coded, Column, Dated, Rows
from workbench.data.invent.days import NEVER, new_year, year_of
from workbench.data.invent.death_rows import LAST_ICD9_YEAR, condition_codes
from workbench.data.invent.drafts import (
    Draft,
    Names,
    birth_of,
    hospital_column,
    region_column,
    sex_of,
)
from workbench.data.invent.episodes import Episodes, stays, visits
from workbench.data.invent.illness import NAMES
from workbench.data.invent.world import World

VISITS_FROM = 2001
NO_DIAGNOSIS = 0.01
LONGEST_STAY = 120  # days
# Chance that a condition the person has stands among the other diagnoses of a stay or visit.
TOLD = {
    "smoking": 0.05, "type_1_diabetes": 0.7, "hypertension": 0.35, "diabetes": 0.55,
    "ischaemic_heart_disease": 0.35, "atrial_fibrillation": 0.45, "heart_failure": 0.45,
    "stroke": 0.12, "lung_disease": 0.40, "kidney_disease": 0.35, "artery_disease": 0.20,
    "dementia": 0.35, "depression": 0.08,
}  # fmt: skip
TOLD_AT_VISIT = 0.35  # times that, at a visit


def patient_drafts(world: World, names: Names) -> Iterator[Draft]:
    """The two tables of the patient register."""
    yield _inpatient(world, names, stays(world))
    found = visits(world)
    since = np.flatnonzero(found.day >= new_year(VISITS_FROM))
    yield _outpatient(
        world,
        names,
        Episodes(found.person[since], found.day[since], found.reason[since], found.length[since]),
    )


def _inpatient(world: World, names: Names, found: Episodes) -> Draft:
    chance = stream(world.seed, "inpatient rows")
    person, day, n = found.person, found.day, len(found.person)
    drawn = log_normal_days(chance, reasons.STAY_DAYS[found.reason], 0.8, n)
    length = np.where(found.length < 0, np.minimum(drawn, LONGEST_STAY), found.length)
    last = world.endings.last[person]
    out = np.minimum(day + length, last)
    dies = (out == world.endings.known_death[person]) & (day + length >= out)
    # Who is still in hospital on the last day has no date of discharge yet.
    is_there = (day + length > world.last_day) & ~dies
    home = chance.choice(4, size=n, p=(0.10, 0.14, 0.74, 0.02))
    to = np.where(dies, 3, np.where(home == 3, 4, home))
    columns: dict[str, Column] = {
        "admission_date": Dated(day),
        "discharge_date": Dated(np.where(is_there, NEVER, out).astype(np.int32)),
        "discharged_to": Coded(("1", "2", "3", "4", "9"), np.where(is_there, -1, to)),
        **_shared(chance, world, names, found, told=1.0),
    }
    return Draft("inpatient", Rows(person, day, columns))


def _outpatient(world: World, names: Names, found: Episodes) -> Draft:
    chance = stream(world.seed, "outpatient rows")
    columns = {
        "visit_date": Dated(found.day),
        **_shared(chance, world, names, found, told=TOLD_AT_VISIT),
    }
    return Draft("outpatient", Rows(found.person, found.day, columns))


def _shared(
    chance: np.random.Generator, world: World, names: Names, found: Episodes, *, told: float
) -> dict[str, Column]:
    person, day, reason = found.person, found.day, found.reason
    n = len(person)
    region = world.moves.region_at(person, day)
    units = world.units["hospital"]
    is_old = year_of(day) <= LAST_ICD9_YEAR
    main = np.where(happens(chance, NO_DIAGNOSIS, n), -1, reason + len(reasons.REASONS) * is_old)
    clinic = reasons.CLINIC_PLACES[reason]
    clinic = np.where(happens(chance, 0.01, n), len(reasons.CLINICS) - 1, clinic)
    operated = reasons.HAS_PROCEDURE[reason] & ~is_old & (told == 1.0)
    planned = np.where(happens(chance, reasons.PLANNED[reason], n), 0, 1)
    return {
        "personal_number": names.number(person, day),
        "hospital": hospital_column(units, units.of_patients(chance, region)),
        "clinic": Coded(reasons.CLINICS, clinic),
        "region": region_column(region),
        "sex": sex_of(world, person),
        "birth_date": birth_of(world, person),
        "main_diagnosis": Coded(reasons.MAIN_CODES, main),
        "other_diagnoses": _others(chance, world, found, is_old, told),
        "procedures": Coded(reasons.PROCEDURES, np.where(operated, reason, -1)),
        "planned": Coded(("1", "2", "9"), np.where(happens(chance, 0.01, n), 2, planned)),
    }


def _others(
    chance: np.random.Generator,
    world: World,
    found: Episodes,
    is_old: NDArray[np.bool_],
    told: float,
) -> Coded:
    """Conditions the person has by then, the reason of the stay itself left out."""
    n = len(found.person)
    has = np.zeros((n, len(NAMES)), dtype=bool)
    itself = _condition_of_reason()[found.reason]
    for at, name in enumerate(NAMES):
        onset = world.illness.onset[found.person, at]
        has[:, at] = (onset <= found.day) & (itself != at)
        has[:, at] &= happens(chance, TOLD[name] * told, n)
    return condition_codes(has, is_old)


def _condition_of_reason() -> Places:
    """The condition that each reason is, or -1."""
    return np.array([NAMES.index(name) if name in NAMES else -1 for name in reasons.REASONS])
