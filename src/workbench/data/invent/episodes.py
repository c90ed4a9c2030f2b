"""Every time a person comes to hospital, and why: to stay, or for a visit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.data.invent import reasons
from workbench.data.invent.cases import Cases
from workbench.data.invent.chance import (
    Places,
    happens,
    log_normal_days,
    pick_in_rows,
    stream,
)
from workbench.data.invent.days import DAYS_A_YEAR, NEVER, Days
from workbench.data.invent.endings import CAUSES, underlying_causes
from workbench.data.invent.illness import NAMES
from workbench.data.invent.last_care import last_care
from workbench.data.invent.reasons import PLACE
from workbench.data.invent.world import World

OPERATED = 0.75  # of tumours of stage I to III
VISITS_FOR_CANCER = 3
VISITS_BEFORE_DIALYSIS, LONGEST_KNOWN = 4, 3650  # visits, days
ABOVE_KNEE = 0.45  # of amputations


@dataclass(frozen=True)
class Episodes:
    """Stays or visits: who, when, why; `length` is -1 where it is left to chance."""

    person: Places
    day: Days
    reason: Places
    length: NDArray[np.integer]


def stays(world: World) -> Episodes:
    """Every stay in hospital."""
    chance = stream(world.seed, "stays")
    parts = [
        *_everyday(chance, world, reasons.STAYS_A_YEAR),
        *_with_conditions(chance, world, reasons.CONDITION_STAYS),
        *_conditions_found(chance, world, reasons.FOUND_IN_HOSPITAL),
        *_cancers(chance, world),
        *_kidneys(world),
        *_vessels(chance, world),
        _dying(chance, world),
    ]
    return _that_happened(world, parts)


def visits(world: World) -> Episodes:
    """Every visit to a doctor."""
    chance = stream(world.seed, "visits")
    found = {name: reasons.FOUND_AT_VISIT.get(name, 0.6) for name in reasons.CONDITION_VISITS}
    parts = [
        *_everyday(chance, world, reasons.VISITS_A_YEAR),
        *_with_conditions(chance, world, reasons.CONDITION_VISITS),
        *_conditions_found(chance, world, found),
        *_cancer_visits(chance, world),
        *_visits_before_dialysis(chance, world),
    ]
    return _that_happened(world, parts)


def _episodes(person: Places, day: NDArray, reason: Places | int) -> Episodes:
    return Episodes(
        person,
        np.minimum(day, NEVER).astype(np.int32),
        np.broadcast_to(reason, person.shape).astype(np.int64),
        np.full(len(person), -1, dtype=np.int32),
    )


def _that_happened(world: World, parts: list[Episodes]) -> Episodes:
    """Those of persons who were alive and here on the day."""
    person = np.concatenate([one.person for one in parts])
    day = np.concatenate([one.day for one in parts])
    here = (day >= world.people.entry[person]) & world.endings.is_here(world.moves, person, day)
    kept = np.flatnonzero(here)
    reason = np.concatenate([one.reason for one in parts])
    length = np.concatenate([one.length for one in parts])
    return Episodes(person[kept], day[kept], reason[kept], length[kept])


def _spread(
    chance: np.random.Generator, begin: Days, end: Days, yearly: float
) -> tuple[Places, NDArray]:
    """Persons and days, evenly spread between two days of each person."""
    length = np.maximum(end.astype(np.int64) - begin, 0)
    count = chance.poisson(yearly * length / DAYS_A_YEAR)
    person = np.repeat(np.arange(len(count)), count)
    return person, begin[person] + np.floor(chance.random(len(person)) * length[person])


def _everyday(
    chance: np.random.Generator, world: World, yearly: tuple[float, ...]
) -> Iterator[Episodes]:
    people, last = world.people, world.endings.last + 1
    weights = reasons.everyday_weights()
    limits = [age * DAYS_A_YEAR for age in (*reasons.AGES, 200)]
    for band, rate in enumerate(yearly):
        begin = np.maximum(people.entry, people.birth + int(limits[band]))
        end = np.minimum(last, people.birth + int(limits[band + 1]))
        person, day = _spread(chance, begin, end, rate)
        row = people.sex[person] * len(reasons.AGES) + band
        yield _episodes(person, day, pick_in_rows(chance, weights, row))


def _with_conditions(
    chance: np.random.Generator, world: World, yearly: dict[str, float]
) -> Iterator[Episodes]:
    last = world.endings.last + 1
    for name, rate in yearly.items():
        begin = np.maximum(world.illness.onset[:, NAMES.index(name)], world.people.entry)
        person, day = _spread(chance, begin, last, rate)
        yield _episodes(person, day, PLACE[name])


def _conditions_found(
    chance: np.random.Generator, world: World, share: dict[str, float]
) -> Iterator[Episodes]:
    for name, probability in share.items():
        onset = world.illness.onset[:, NAMES.index(name)]
        who = np.flatnonzero(onset <= world.last_day)
        who = who[happens(chance, probability, len(who))]
        heart_attack = name == "ischaemic_heart_disease"
        yield _episodes(who, onset[who], PLACE["heart attack" if heart_attack else name])


def _cancers(chance: np.random.Generator, world: World) -> Iterator[Episodes]:
    for name, cases in world.tumours.items():
        n = len(cases)
        yield _episodes(cases.person, cases.day, PLACE[f"{name} found"])
        operated = (cases.facts["stage"] < 4) & happens(chance, OPERATED, n)
        day = cases.day + 14 + log_normal_days(chance, 20, 0.5, n)
        who = np.flatnonzero(operated)
        yield _episodes(cases.person[who], day[who], PLACE[f"{name} operated"])
    for name, cases in world.blood.items():
        stays_in = np.flatnonzero(happens(chance, 0.6, len(cases)))
        yield _episodes(cases.person[stays_in], cases.day[stays_in], PLACE[f"{name} found"])


def _cancer_visits(chance: np.random.Generator, world: World) -> Iterator[Episodes]:
    for name, cases in {**world.tumours, **world.blood}.items():
        for _ in range(VISITS_FOR_CANCER):
            day = cases.day + log_normal_days(chance, 120, 1.2, len(cases))
            yield _episodes(cases.person, day, PLACE[f"{name} found"])


def _visits_before_dialysis(chance: np.random.Generator, world: World) -> Iterator[Episodes]:
    """Visits to the kidney clinic from the time a person is known there until treatment begins."""
    starts = world.starts
    known_days = np.minimum(starts.facts["known_months"] * 30, LONGEST_KNOWN)
    for _ in range(VISITS_BEFORE_DIALYSIS):
        day = starts.day - np.floor(chance.random(len(starts)) * known_days)
        visited = np.flatnonzero(known_days >= 30)
        yield _episodes(starts.person[visited], day[visited], PLACE["kidney_disease"])


def _kidneys(world: World) -> Iterator[Episodes]:
    starts = world.starts
    for at, name in enumerate(("haemodialysis", "peritoneal dialysis", "kidney transplantation")):
        chosen = starts.only(starts.facts["modality"] == at)
        yield _episodes(chosen.person, chosen.day, PLACE[name])
    yield _episodes(starts.person, starts.facts["transplant"], PLACE["kidney transplantation"])


def _vessels(chance: np.random.Generator, world: World) -> Iterator[Episodes]:
    for name, cases in world.operations.items():
        endovascular = cases.facts["endovascular"]
        reason = np.where(endovascular, PLACE[f"{name} endovascular"], PLACE[f"{name} open"])
        yield Episodes(cases.person, cases.day, reason, cases.facts["stay"].astype(np.int32))
        if name == "LEG":
            yield _amputations(chance, cases)


def _amputations(chance: np.random.Generator, cases: Cases) -> Episodes:
    above = happens(chance, ABOVE_KNEE, len(cases))
    names = ("amputation below knee", "amputation above knee")
    return _episodes(
        cases.person,
        cases.facts["amputation"],
        np.where(above, PLACE[names[1]], PLACE[names[0]]),
    )


def _dying(chance: np.random.Generator, world: World) -> Episodes:
    """The last stay of those who died in hospital, which ends with the death."""
    care = last_care(world)
    person = care.person[care.in_hospital]
    cause = world.endings.cause[person]
    reason = np.array([_last_reason(name) for name in world.endings.groups])[cause]
    codes, _ = underlying_causes(
        world.people, world.illness, world.endings, care.person, world.seed
    )
    used, place = np.unique(codes[care.in_hospital], return_inverse=True)
    of_code = {code: PLACE[f"dying of {name}"] for name, (code, *_) in CAUSES.items()}
    by_law = np.array([of_code.get(str(code), -1) for code in used])[place]
    reason = np.where(cause == 0, by_law, reason)
    length = log_normal_days(chance, 6, 1.0, len(person)) + 1
    day = world.endings.known_death[person] - length
    return Episodes(person, day.astype(np.int32), reason, length)


def _last_reason(group: str) -> int:
    for name in (f"{group} found", f"{group} open"):
        if name in PLACE:
            return PLACE[name]
    return PLACE["haemodialysis" if group.startswith("kidney") else "dying of other"]
