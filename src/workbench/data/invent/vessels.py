"""Operations on arteries: waiting times, risk at the operation, amputation and death after it."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from workbench.data.invent.cases import BANDS, Cases, days_to_death, dying, first_cases
from workbench.data.invent.chance import happens, log_normal_days, logistic, pick, stream
from workbench.data.invent.days import DAYS_A_YEAR, NEVER, age_at, year_of
from workbench.data.invent.illness import Illness
from workbench.data.invent.moves import Moves
from workbench.data.invent.people import People
from workbench.data.invent.places import Units

FIRST_YEAR = 2005
TIMES_AS_OFTEN = 4.0  # than in reality, so that the register of a small population holds enough


@dataclass(frozen=True)
class Area:
    """One area: incidence at 70 (men, women) before it is raised, and what operations it has."""

    rate: tuple[float, float]
    power: float
    smoking: float  # times as often
    icd10: str
    codes: tuple[str, str]  # NCSP of the open and of the endovascular operation
    endovascular: tuple[float, float]  # share in 2005 and in 2025
    hazard: float  # added per year after the first month


AREAS: dict[str, Area] = {
    "CAR": Area((0.00055, 0.00028), 4.0, 1.8, "I652", ("PAF21", "PAQ20"), (0.06, 0.04), 0.02),
    "AAA": Area((0.00085, 0.00014), 5.0, 4.0, "I714", ("PDG10", "PDQ10"), (0.35, 0.72), 0.02),
    "LEG": Area((0.00125, 0.00100), 5.0, 2.5, "I702", ("PEH20", "PEQ10"), (0.55, 0.80), 0.07),
    "POP": Area((0.00016, 0.00001), 4.5, 3.0, "I724", ("PFH20", "PFQ10"), (0.15, 0.40), 0.02),
}  # fmt: skip
SHAPE = (1.5, 1.2, 1.0, 1.0, 1.0, 1.0)
# Chance of death within 30 days of the operation, added to all else, at 73; times OLDER a year.
MONTH_DEATH = {
    ("AAA", "open"): 0.025, ("AAA", "endovascular"): 0.007, ("AAA", "ruptured"): 0.30,
    ("CAR", "any"): 0.008, ("LEG", "any"): 0.018, ("POP", "any"): 0.006,
}  # fmt: skip
OLDER = 1.045
WAIT_DAYS, WAIT_SPREAD = 8.5, 0.75  # carotid: median days from symptom, spread of the logarithm
LIMB_THREAT = 0.62  # share of operations on the leg for pain at rest, ulcer or gangrene
# Amputation above the ankle after an operation on the leg: hazard per year, whoever lives.
AMPUTATION = {
    "base": 0.015, "limb_threat_times": 4.5, "diabetes_times": 1.8, "first_year_times": 2.0,
}  # fmt: skip
STATIN, ANTITHROMBOTIC = 1.6, 2.3  # log-odds at discharge; the hospital's effect is added


def draw_operations(
    people: People, moves: Moves, illness: Illness, units: Units, seed: int
) -> dict[str, Cases]:
    """The first operation of every person in each area, without regard to death before it."""
    chance = stream(seed, "vessels")
    smokes = illness.since("smoking") < people.last_day
    has_diabetes = np.minimum(illness.since("diabetes"), illness.since("type_1_diabetes")) < NEVER
    found = {}
    for name, area in AREAS.items():
        times = np.where(smokes, area.smoking, 1.0)
        if name == "LEG":
            times = times * np.where(has_diabetes, 2.5, 1.0)
        times = TIMES_AS_OFTEN * times / times.mean()
        cases = first_cases(chance, people, moves, rate=area.rate, power=area.power, times=times)
        found[name] = _operate(chance, people, moves, illness, units, cases, name)
    return found


def _operate(
    chance: np.random.Generator,
    people: People,
    moves: Moves,
    illness: Illness,
    units: Units,
    cases: Cases,
    name: str,
) -> Cases:
    n, area = len(cases), AREAS[name]
    age = age_at(cases.day, people.birth[cases.person])
    region = moves.region_at(cases.person, cases.day)
    unit = units.of_patients(chance, region)
    later = np.clip((year_of(cases.day) - 2005) / 20, 0, 1)
    share = area.endovascular[0] + later * (area.endovascular[1] - area.endovascular[0])
    ruptured = happens(chance, 0.16 if name == "AAA" else 0.0, n)
    threat = happens(chance, LIMB_THREAT if name == "LEG" else 0.0, n)
    wait = log_normal_days(chance, WAIT_DAYS * np.exp(units.effect[unit]), WAIT_SPREAD, n)
    symptoms = happens(chance, 0.82 if name == "CAR" else 0.0, n)
    cases = cases.with_facts(
        age=age,
        region=region,
        unit=unit,
        endovascular=happens(chance, share, n),
        ruptured=ruptured,
        threat=threat,
        symptom=np.where(symptoms, cases.day - wait, NEVER).astype(np.int32),
        diabetes=illness.has_diabetes(cases.person, cases.day),
        smoking=illness.has("smoking", cases.person, cases.day),
        statin=happens(chance, logistic(STATIN + units.effect[unit] - 1.2 * (later < 0.25)), n),
        antithrombotic=happens(chance, logistic(ANTITHROMBOTIC + units.effect[unit]), n),
        urgency=_urgency(chance, name, ruptured, threat, symptoms),
    )
    return _outcomes(chance, cases, name)


def _urgency(
    chance: np.random.Generator,
    name: str,
    ruptured: np.ndarray,
    threat: np.ndarray,
    symptoms: np.ndarray,
) -> np.ndarray:
    """1 elective, 2 urgent, 3 emergency."""
    n = len(ruptured)
    urgent = happens(chance, np.where(threat | symptoms, 0.7, 0.05), n)
    emergency = ruptured | (threat & happens(chance, 0.08, n))
    return np.where(emergency, 3, np.where(urgent, 2, 1))


def _outcomes(chance: np.random.Generator, cases: Cases, name: str) -> Cases:
    n, area, facts = len(cases), AREAS[name], cases.facts
    if name == "AAA":
        risk = np.where(facts["endovascular"], MONTH_DEATH["AAA", "endovascular"],
                        MONTH_DEATH["AAA", "open"])  # fmt: skip
        risk = np.where(facts["ruptured"], MONTH_DEATH["AAA", "ruptured"], risk)
    else:
        risk = np.full(n, MONTH_DEATH[name, "any"])
    risk = np.minimum(risk * OLDER ** (facts["age"] - 73), 0.9)
    in_month = happens(chance, risk, n)
    soon = chance.integers(1, 31, n)
    hazards = area.hazard * (1 + facts["threat"])[:, None] * np.array(SHAPE)
    days = np.where(in_month, soon, 30 + days_to_death(chance, hazards))
    rate = (
        AMPUTATION["base"]
        * np.where(facts["threat"], AMPUTATION["limb_threat_times"], 1)
        * np.where(facts["diabetes"], AMPUTATION["diabetes_times"], 1)
    )
    drawn = chance.standard_exponential(n) / rate
    years = np.where(drawn < 2, drawn / 2, drawn - 1)  # twice the hazard in the first year
    amputation = cases.day + np.maximum(np.minimum(years * DAYS_A_YEAR, NEVER / 2), 2)
    amputation = np.where(name == "LEG", amputation, NEVER)
    occluded = cases.day + np.minimum(chance.exponential(6 * DAYS_A_YEAR, n), 1e6)
    return dying(cases, days).with_facts(
        month_risk=risk,
        amputation=amputation.astype(np.int32),
        amputation_hazard=np.where(name == "LEG", rate, 0.0),
        occluded=occluded.astype(np.int32),
        stroke=happens(chance, 0.025 if name == "CAR" else 0.004, n),
        diameter=np.rint(58 + 9 * chance.standard_normal(n) + 15 * facts["ruptured"]),
        stay=1 + log_normal_days(chance, 4.0, 0.7, n),
        former=pick(chance, (0.45, 0.55), n),
    )


def stated() -> dict[str, object]:
    """The laws of vascular surgery as they are written into the truth."""
    return {
        "times_as_often_as_in_reality": TIMES_AS_OFTEN,
        "areas": {name: asdict(area) for name, area in AREAS.items()},
        "added_hazard": "hazard * shape[time] * (2 for limb threat), per year, from day 30 on",
        "bands_begin_at_years": BANDS,
        "shape": SHAPE,
        "death_within_30_days": {" ".join(key): risk for key, risk in MONTH_DEATH.items()},
        "death_within_30_days_times_for_each_year_above_73": OLDER,
        "carotid_wait": {
            "median_days": WAIT_DAYS, "log_spread": WAIT_SPREAD,
            "hospital": "times exp(the unit's effect in units.csv)",
        },
        "amputation_hazard_a_year": AMPUTATION,
    }  # fmt: skip
