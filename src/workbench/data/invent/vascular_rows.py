"""The vascular register: operations, and follow-ups after thirty days and after a year."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from workbench.data.invent.capture import capture, reporting
from workbench.data.invent.cases import Cases
from workbench.data.invent.chance import happens, stream
from workbench.data.invent.columns import Coded, Column, Dated, Measured, Rows, yes_no
from workbench.data.invent.days import NEVER, Days, new_year
from workbench.data.invent.drafts import (
    Draft,
    Names,
    birth_of,
    gaps,
    hospital_column,
    region_column,
    sex_of,
    true_cases,
    unknown_or_empty,
)
from workbench.data.invent.vessels import AREAS, FIRST_YEAR
from workbench.data.invent.world import World

OCCASIONS = {"30D": (30, 5), "1Y": (365, 25)}  # days after the operation, and their spread
ANSWERED = {"30D": 0.96, "1Y": 0.80}  # share of operations with a follow-up, at most hospitals
_YES_NO = ("0", "1", "9")


def vascular_drafts(world: World, names: Names) -> Iterator[Draft]:
    """The two tables of the vascular register."""
    chance = stream(world.seed, "vascular register")
    units = world.units["vascular"]
    parts, areas, registered, truths = [], [], [], []
    for at, name in enumerate(AREAS):
        cases = world.operations[name]
        cases = cases.only(cases.day >= new_year(FIRST_YEAR))
        region = units.region[cases.facts["unit"]]
        rules = reporting("vascular", name, world.seed)
        found = capture(chance, rules, region, cases.day, last_day=world.last_day)
        truths.append(
            true_cases(
                world, names, found, cases.person, cases.day, region,
                register="vascular", table="procedures", sub_register=name,
                unit=units.code[cases.facts["unit"]],
                true_stage=np.where(cases.facts["ruptured"], "ruptured", ""),
            )
        )  # fmt: skip
        parts.append(cases.only(found.is_there))
        areas.append(np.full(int(found.is_there.sum()), at))
        registered.append(found.registered[found.is_there])
    cases, area = _joined(parts), np.concatenate(areas)
    columns = _procedures(chance, world, names, cases, area)
    columns["registered_date"] = Dated(np.concatenate(registered))
    yield Draft("procedures", Rows(cases.person, cases.day, columns), tuple(truths))
    yield _followups(chance, world, names, cases, area, np.concatenate(registered))


def _joined(parts: list[Cases]) -> Cases:
    return Cases(
        np.concatenate([one.person for one in parts]),
        np.concatenate([one.day for one in parts]),
        np.concatenate([one.death for one in parts]),
        {name: np.concatenate([one.facts[name] for one in parts]) for name in parts[0].facts},
    )


def _procedures(
    chance: np.random.Generator, world: World, names: Names, cases: Cases, area: NDArray
) -> dict[str, Column]:
    n, facts, units = len(cases), cases.facts, world.units["vascular"]
    age, effect = facts["age"], units.effect[facts["unit"]]
    codes = tuple(code for one in AREAS.values() for code in one.codes)
    smoking = np.where(facts["smoking"], 1 + facts["former"], 0)
    diabetes = facts["diabetes"].astype(np.int64)
    is_aorta = area == list(AREAS).index("AAA")
    discharge = np.minimum(cases.day + facts["stay"], world.endings.last[cases.person])
    left_alive = cases.day + facts["stay"] <= world.endings.last[cases.person]
    symptom = np.where(gaps(chance, 0.02, age, effect), NEVER, facts["symptom"])
    diameter = np.where(is_aorta & ~gaps(chance, 0.05, age, effect), facts["diameter"], np.nan)
    return {
        "personal_number": names.number(cases.person, cases.day),
        "procedure_date": Dated(cases.day),
        "sex": sex_of(world, cases.person),
        "birth_date": birth_of(world, cases.person),
        "region": region_column(units.region[facts["unit"]]),
        "hospital": hospital_column(units, facts["unit"]),
        "area": Coded(tuple(AREAS), area),
        "symptom_date": Dated(symptom.astype(np.int32)),
        "method": Coded(("1", "2", "3"), _method(chance, facts["endovascular"])),
        "urgency": unknown_or_empty(
            chance, facts["urgency"] - 1, ("1", "2", "3", "9"), age, effect, unknown=0.01
        ),
        "ruptured": yes_no(facts["ruptured"], ~is_aorta),
        "procedure_code": Coded(codes, 2 * area + facts["endovascular"]),
        "smoking": unknown_or_empty(
            chance, smoking, ("0", "1", "2", "9"), age, effect, unknown=0.07
        ),
        "diabetes": unknown_or_empty(chance, diabetes, _YES_NO, age, effect),
        "aneurysm_diameter": Measured(np.clip(diameter, 30, 150)),
        "statin": yes_no(facts["statin"], ~left_alive | gaps(chance, 0.03, age, effect)),
        "antithrombotic": yes_no(
            facts["antithrombotic"], ~left_alive | gaps(chance, 0.03, age, effect)
        ),
        "discharge_date": Dated(
            np.where(happens(chance, 0.01, n), NEVER, discharge).astype(np.int32)
        ),
    }


def _method(chance: np.random.Generator, endovascular: NDArray[np.bool_]) -> NDArray[np.integer]:
    both = endovascular & happens(chance, 0.08, len(endovascular))
    return endovascular.astype(np.int64) + both


def _followups(
    chance: np.random.Generator,
    world: World,
    names: Names,
    cases: Cases,
    area: NDArray,
    registered: Days,
) -> Draft:
    """A follow-up takes place when it was due, or on the day of death before that."""
    effect = world.units["vascular"].effect[cases.facts["unit"]]
    parts, occasions, days = [], [], []
    for place, (name, (after, spread)) in enumerate(OCCASIONS.items()):
        due = cases.day + after + chance.integers(-spread, spread + 1, len(cases))
        death = world.endings.known_death[cases.person]
        day = np.minimum(due, death).astype(np.int32)
        share = np.clip(ANSWERED[name] + 0.12 * effect, 0.2, 1.0)
        taken = happens(chance, share, len(cases)) & (day <= world.last_day)
        taken &= world.endings.is_here(world.moves, cases.person, day)
        at = np.flatnonzero(taken)
        parts.append(at)
        occasions.append(np.full(len(at), place))
        days.append(day[at])
    at, day = np.concatenate(parts), np.concatenate(days)
    columns = {
        **_outcomes(chance, world, cases.only(at), area[at], day),
        "personal_number": names.number(cases.person[at], day),
        "procedure_date": Dated(cases.day[at]),
        "area": Coded(tuple(AREAS), area[at]),
        "occasion": Coded(tuple(OCCASIONS), np.concatenate(occasions)),
        "followup_date": Dated(day),
        "sex": sex_of(world, cases.person[at]),
    }
    return Draft("followups", Rows(cases.person[at], day, columns))


def _outcomes(
    chance: np.random.Generator, world: World, cases: Cases, area: NDArray, day: Days
) -> dict[str, Column]:
    facts, units = cases.facts, world.units["vascular"]
    age, effect = facts["age"], units.effect[facts["unit"]]
    alive = (world.endings.known_death[cases.person] > day).astype(np.int64)
    is_leg = area == list(AREAS).index("LEG")
    amputated = (facts["amputation"] <= day) & is_leg
    is_open = ((facts["occluded"] > day) & ~amputated).astype(np.int64)
    patency = np.where(gaps(chance, 0.06, age, effect), 2, is_open)
    return {
        "alive": Coded(_YES_NO, alive),
        "stroke": unknown_or_empty(
            chance, facts["stroke"].astype(np.int64), _YES_NO, age, effect, unknown=0.02
        ),
        "amputation": Coded(_YES_NO, np.where(is_leg, amputated, -1)),
        "patency": Coded(_YES_NO, np.where(alive == 1, patency, -1)),
    }
