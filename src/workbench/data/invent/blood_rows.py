"""The blood cancer register: eight sub-registers with shared and own questions."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from workbench.data.invent.blood import KINDS
from workbench.data.invent.capture import capture, reporting
from workbench.data.invent.cases import Cases
from workbench.data.invent.chance import happens, log_normal_days, stream
from workbench.data.invent.columns import Coded, Column, Dated, Measured, Rows, yes_no
from workbench.data.invent.days import NEVER, new_year, year_of
from workbench.data.invent.drafts import (
    Draft,
    Names,
    birth_of,
    gaps,
    hospital_column,
    region_column,
    sex_of,
    true_cases,
    unit_column,
    unknown_or_empty,
)
from workbench.data.invent.world import World

TRIAL_FROM = 2010
ARABIC_STAGE_UNTIL = 2011
FIRST_SCORE_UNTIL = 2012
ENTITIES = {
    "lymphoma": ("DLBCL", "FL", "HL", "MCL", "BL", "TCL"),
    "mpn": ("PV", "ET", "PMF", "MAST"),
}
WATCHED = {"cll": 0.72, "mpn": 0.20, "lymphoma": 0.12, "myeloma": 0.14, "mds": 0.35}
CURATIVE = {"lymphoma": 0.65, "aml": 0.55, "all": 0.85}
LEAD_DAYS = {"aml": 4, "all": 3, "lymphoma": 21, "cml": 12}  # median to treatment; others 24


def blood_drafts(world: World, names: Names) -> Iterator[Draft]:
    """The eight tables of the blood cancer register."""
    for name in KINDS:
        yield _draft(world, names, name)


def _draft(world: World, names: Names, name: str) -> Draft:
    chance = stream(world.seed, f"register of {name}")
    cases = world.blood[name]
    cases = cases.only(cases.day >= new_year(KINDS[name].first_year))
    units, facts = world.units["haematology"], cases.facts
    region = units.region[facts["unit"]]  # the region of the unit is the one that reports
    found = capture(
        chance, reporting("blood_cancer", name, world.seed), region, cases.day,
        last_day=world.last_day,
    )  # fmt: skip
    truth = true_cases(
        world, names, found, cases.person, cases.day, region,
        register="blood_cancer", table=name, sub_register=name,
        unit=units.code[facts["unit"]], true_stage=facts["stage"].astype(str),
    )  # fmt: skip
    kept = cases.only(found.is_there)
    rows = Rows(
        kept.person,
        kept.day,
        {
            **_shared(chance, world, names, kept, name),
            **_OWN[name](chance, kept, units.effect[kept.facts["unit"]]),
            "registered_date": Dated(found.registered[found.is_there]),
        },
    )
    return Draft(name, rows, (truth,))


def _shared(
    chance: np.random.Generator, world: World, names: Names, cases: Cases, name: str
) -> dict[str, Column]:
    n, facts, units = len(cases), cases.facts, world.units["haematology"]
    age, effect = facts["age"], units.effect[facts["unit"]]
    watched = happens(chance, WATCHED.get(name, 0.05), n)
    curative = ~watched & (facts["status"] < 3) & happens(chance, CURATIVE.get(name, 0.05), n)
    lead = log_normal_days(chance, LEAD_DAYS.get(name, 24) * np.exp(0.5 * effect), 0.6, n)
    start = cases.day + lead
    treated = ~watched & (start <= world.endings.last[cases.person])
    treated &= world.endings.is_here(world.moves, cases.person, start)
    intent = np.where(watched, 0, np.where(curative, 1, 2))
    asked = year_of(cases.day) >= TRIAL_FROM
    in_trial = happens(chance, 0.09 * np.exp(0.8 * effect) * (age < 75), n)
    return {
        "personal_number": names.number(cases.person, cases.day, hyphen=True),
        "diagnosis_date": Dated(cases.day),
        "sex": sex_of(world, cases.person),
        "birth_date": birth_of(world, cases.person),
        "region": region_column(units.region[facts["unit"]]),
        "hospital": hospital_column(units, facts["unit"]),
        "unit": unit_column(units, facts["unit"]),
        "performance_status": unknown_or_empty(
            chance, facts["status"], ("0", "1", "2", "3", "4", "9"), age, effect
        ),
        "treatment_intent": unknown_or_empty(
            chance, intent, ("0", "1", "2", "9"), age, effect, unknown=0.02, empty=0.01
        ),
        "treatment_start_date": Dated(
            np.where(treated & ~gaps(chance, 0.03, age, effect), start, NEVER)
        ),
        "in_trial": yes_no(in_trial, ~asked | gaps(chance, 0.04, age, effect)),
    }


def _lymphoma(chance: np.random.Generator, cases: Cases, effect: NDArray) -> dict[str, Column]:
    facts, n = cases.facts, len(cases)
    # Low, intermediate and high risk are mostly stage I-II, III and IV.
    stage = np.clip(np.array([0, 2, 3])[facts["stage"] - 1] + happens(chance, 0.4, n), 0, 3)
    missing = gaps(chance, 0.06, facts["age"], effect)
    arabic = year_of(cases.day) <= ARABIC_STAGE_UNTIL
    codes = ("I", "II", "III", "IV", "U", "1", "2", "3", "4", "9")
    biopsy = np.minimum(chance.choice(3, size=n, p=(0.66, 0.29, 0.05)), 2)
    return {
        "entity": Coded(ENTITIES["lymphoma"], facts["entity"]),
        "stage": Coded(codes, np.where(missing, 4, stage) + 5 * arabic),
        "biopsy": unknown_or_empty(chance, biopsy, ("1", "2", "3", "9"), facts["age"], effect),
    }


def _myeloma(chance: np.random.Generator, cases: Cases, effect: NDArray) -> dict[str, Column]:
    facts, n = cases.facts, len(cases)
    later = np.clip((year_of(cases.day) - 2008) / 12, 0, 1.2)
    fish = happens(chance, np.clip(0.22 + 0.42 * later + 0.12 * effect, 0.02, 0.97), n)
    creatinine = np.rint(np.exp(4.5 + 0.25 * (facts["stage"] - 1) + 0.35 * chance.normal(size=n)))
    missing = gaps(chance, 0.05, facts["age"], effect)
    return {
        "iss": unknown_or_empty(
            chance, facts["stage"] - 1, ("1", "2", "3", "9"), facts["age"], effect, unknown=0.10
        ),
        "fish_done": yes_no(fish, gaps(chance, 0.03, facts["age"], effect)),
        "creatinine": Measured(np.where(missing, np.nan, np.clip(creatinine, 20, 2500))),
    }


def _mpn(chance: np.random.Generator, cases: Cases, effect: NDArray) -> dict[str, Column]:
    facts, n = cases.facts, len(cases)
    found = happens(chance, np.array([0.96, 0.58, 0.58, 0.02])[facts["entity"]], n)
    value = np.where(happens(chance, 0.06, n), 2, found)
    return {
        "entity": Coded(ENTITIES["mpn"], facts["entity"]),
        "jak2": unknown_or_empty(chance, value, ("0", "1", "8", "9"), facts["age"], effect),
    }


def _cll(chance: np.random.Generator, cases: Cases, effect: NDArray) -> dict[str, Column]:
    facts, n = cases.facts, len(cases)
    examined = happens(chance, np.clip(0.45 + 0.15 * effect, 0.05, 0.95), n)
    lost = happens(chance, 0.03 * facts["stage"], n)
    return {
        "binet": unknown_or_empty(
            chance, facts["stage"] - 1, ("A", "B", "C", "U"), facts["age"], effect
        ),
        "del_17p": unknown_or_empty(
            chance, np.where(examined, lost, 2), ("0", "1", "8", "9"), facts["age"], effect
        ),
    }


def _aml(chance: np.random.Generator, cases: Cases, effect: NDArray) -> dict[str, Column]:
    facts, n = cases.facts, len(cases)
    share = np.clip(1.05 - 0.012 * np.maximum(facts["age"] - 50, 0) + 0.1 * effect, 0.2, 0.99)
    examined = happens(chance, share, n)
    risk = np.where(examined, facts["stage"] - 1, 3)
    return {
        "genetic_risk": unknown_or_empty(
            chance, risk, ("1", "2", "3", "8", "9"), facts["age"], effect, unknown=0.02
        ),
        "cytogenetics_done": yes_no(examined, gaps(chance, 0.02, facts["age"], effect)),
        "is_secondary": yes_no(
            happens(chance, 0.15 + 0.08 * (facts["stage"] - 1), n),
            gaps(chance, 0.04, facts["age"], effect),
        ),
    }


def _all(chance: np.random.Generator, cases: Cases, effect: NDArray) -> dict[str, Column]:
    facts, n = cases.facts, len(cases)
    found = happens(chance, np.clip(0.02 + 0.006 * facts["age"], 0, 0.4), n).astype(np.int64)
    t_cell = happens(chance, 0.16, n).astype(np.int64)
    return {
        "lineage": unknown_or_empty(
            chance, t_cell, ("B", "T", "U"), facts["age"], effect, unknown=0.02
        ),
        "philadelphia": unknown_or_empty(chance, found, ("0", "1", "8", "9"), facts["age"], effect),
    }


def _mds(chance: np.random.Generator, cases: Cases, effect: NDArray) -> dict[str, Column]:
    facts, n = cases.facts, len(cases)
    second = happens(chance, 0.45, n)
    first_score = np.array([0, 1, 3])[facts["stage"] - 1] + (facts["stage"] == 2) * second
    revised = np.array([0, 2, 3])[facts["stage"] - 1] + (facts["stage"] != 2) * second
    unknown = gaps(chance, 0.12, facts["age"], effect)
    is_first = year_of(cases.day) <= FIRST_SCORE_UNTIL
    codes = ("R1", "R2", "R3", "R4", "R5", "U", "1", "2", "3", "4", "9")
    place = np.where(is_first, 6 + np.where(unknown, 4, first_score), np.where(unknown, 5, revised))
    return {
        "risk": Coded(codes, place),
        "needs_transfusions": yes_no(
            happens(chance, 0.2 + 0.15 * (facts["stage"] - 1), n),
            gaps(chance, 0.05, facts["age"], effect),
        ),
    }


def _cml(chance: np.random.Generator, cases: Cases, effect: NDArray) -> dict[str, Column]:
    facts, n = cases.facts, len(cases)
    phase = np.array([0, 0, 1])[facts["stage"] - 1]
    phase = np.where((facts["stage"] == 3) & happens(chance, 0.4, n), 2, phase)
    sokal = np.clip(0.55 + 0.35 * facts["stage"] + 0.2 * chance.normal(size=n), 0.2, 6)
    missing = gaps(chance, 0.10, facts["age"], effect)
    return {
        "phase": unknown_or_empty(chance, phase, ("CP", "AP", "BC", "U"), facts["age"], effect),
        "sokal": Measured(np.where(missing, np.nan, sokal), 2),
    }


Own = Callable[[np.random.Generator, Cases, NDArray], dict[str, Column]]
_OWN: dict[str, Own] = {
    "lymphoma": _lymphoma, "myeloma": _myeloma, "mpn": _mpn, "cll": _cll,
    "aml": _aml, "all": _all, "mds": _mds, "cml": _cml,
}  # fmt: skip
