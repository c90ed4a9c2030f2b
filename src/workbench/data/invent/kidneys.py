"""Start of kidney replacement: case mix, access that depends on the unit, and death after it.

From the first day of treatment the law of mortality no longer holds; the hazard of death is

    h = BASE * exp(sum of LOG_TIMES), per year, constant in time, and times TRANSPLANTED after one,

so that a Cox model of death, ended at transplantation, has known hazard ratios. No other disease
held here kills a person in treatment.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workbench.data.invent.cases import Cases, dying, first_cases
from workbench.data.invent.chance import Numbers, happens, log_normal_days, logistic, pick, stream
from workbench.data.invent.days import DAYS_A_YEAR, NEVER, age_at
from workbench.data.invent.illness import Illness
from workbench.data.invent.moves import Moves
from workbench.data.invent.people import People
from workbench.data.invent.places import Units

FIRST_YEAR = 1998
TIMES_AS_OFTEN = 10.0  # than in reality, so that the register of a small population holds enough
RATE, POWER = (0.00036, 0.00020), 2.6  # incidence at 70 before it is raised; power of age
DIABETES_TIMES, KIDNEY_DISEASE_TIMES = 5.0, 4.0
BASE = 0.115  # a planned start on a fistula at 65, without diabetes
LOG_TIMES = {
    "ten_years_of_age": 0.405, "diabetes": 0.300, "acute": 0.262, "catheter": 0.336,
    "peritoneal": 0.0, "transplanted_first": -1.2,
}  # fmt: skip
TRANSPLANTED = 0.3
# Log-odds of fistula or graft at the first haemodialysis.
ACCESS = {
    "known four months or more, planned": -0.25, "acute": -1.9, "known less than four months": -1.2,
    "diabetes": -0.20, "ten_years_of_age": -0.12, "unit": 1.0,
}  # fmt: skip
MODALITIES = ("HD", "PD", "TX")
ACCESSES = ("AVF", "AVG", "TCVC", "NTCVC")
TRANSPLANT_A_YEAR = ((50, 0.20), (65, 0.12), (75, 0.03))  # below an age; none above the last
DISEASES = ("DM", "HT", "GN", "PK", "PY", "OT", "UN")


def draw_starts(people: People, moves: Moves, illness: Illness, units: Units, seed: int) -> Cases:
    """Every person's start of treatment, without regard to death before it."""
    chance = stream(seed, "kidneys")
    has_diabetes = np.minimum(illness.since("diabetes"), illness.since("type_1_diabetes")) < NEVER
    has_disease = illness.since("kidney_disease") < NEVER
    times = np.where(has_diabetes, DIABETES_TIMES, 1.0) * np.where(
        has_disease, KIDNEY_DISEASE_TIMES, 1.0
    )
    cases = first_cases(
        chance, people, moves, rate=RATE, power=POWER, times=TIMES_AS_OFTEN * times / times.mean()
    )
    cases = _case_mix(chance, people, moves, illness, units, cases)
    cases = _access(chance, units, cases)
    return _deaths(chance, people, cases)


def _case_mix(
    chance: np.random.Generator,
    people: People,
    moves: Moves,
    illness: Illness,
    units: Units,
    cases: Cases,
) -> Cases:
    n = len(cases)
    age = age_at(cases.day, people.birth[cases.person])
    region = moves.region_at(cases.person, cases.day)
    diabetes = illness.has_diabetes(cases.person, cases.day)
    known_days = log_normal_days(chance, 780.0, 1.4, n)
    acute = happens(chance, np.where(known_days < 120, 0.55, 0.17), n)
    modality = pick(chance, (0.69, 0.25, 0.06), n)
    modality = np.where((modality == 2) & ((age > 70) | acute), 0, modality)
    modality = np.where((modality == 1) & acute, 0, modality)
    disease = pick(chance, (0.0, 0.24, 0.22, 0.11, 0.05, 0.24, 0.14), n)
    return cases.with_facts(
        age=age,
        region=region,
        unit=units.of_patients(chance, region),
        diabetes=diabetes,
        known_months=known_days // 30,
        acute=acute,
        modality=modality,
        disease=np.where(diabetes & happens(chance, 0.62, n), 0, disease),
    )


def _access(chance: np.random.Generator, units: Units, cases: Cases) -> Cases:
    """Fistula or graft at the start, by case mix and unit; a catheter otherwise."""
    n, facts = len(cases), cases.facts
    log_odds = (
        ACCESS["known four months or more, planned"]
        + ACCESS["acute"] * facts["acute"]
        + ACCESS["known less than four months"] * (facts["known_months"] < 4)
        + ACCESS["diabetes"] * facts["diabetes"]
        + ACCESS["ten_years_of_age"] * (facts["age"] - 65) / 10
        + ACCESS["unit"] * 2 * units.effect[facts["unit"]]
    )
    by_needle = happens(chance, logistic(log_odds), n)
    graft, temporary = happens(chance, 0.09, n), happens(chance, 0.1 + 0.45 * facts["acute"], n)
    access = np.where(by_needle, 0 + graft, 2 + temporary)
    return cases.with_facts(access=access, catheter=(facts["modality"] == 0) & ~by_needle)


def _deaths(chance: np.random.Generator, people: People, cases: Cases) -> Cases:
    n, facts = len(cases), cases.facts
    hazard = BASE * np.exp(
        LOG_TIMES["ten_years_of_age"] * (facts["age"] - 65) / 10
        + LOG_TIMES["diabetes"] * facts["diabetes"]
        + LOG_TIMES["acute"] * facts["acute"]
        + LOG_TIMES["catheter"] * facts["catheter"]
        + LOG_TIMES["transplanted_first"] * (facts["modality"] == 2)
    )
    wait = _years_to_transplant(chance, facts["age"], facts["modality"])
    drawn = chance.standard_exponential(n)
    before = drawn / hazard
    after = wait + (drawn - hazard * wait) / (hazard * TRANSPLANTED)
    years = np.where(before <= wait, before, after)
    days = np.maximum(np.floor(np.minimum(years, 2000) * DAYS_A_YEAR), 1).astype(np.int64)
    transplant = cases.day + np.minimum(wait * DAYS_A_YEAR, NEVER - 40_000).astype(np.int32)
    transplant = np.where(np.isfinite(wait) & (before > wait), transplant, NEVER)
    return dying(cases, days).with_facts(hazard=hazard, transplant=transplant.astype(np.int32))


def _years_to_transplant(chance: np.random.Generator, age: Numbers, modality: NDArray) -> Numbers:
    rate = np.zeros(len(age))
    for limit, yearly in reversed(TRANSPLANT_A_YEAR):
        rate = np.where(age < limit, yearly, rate)
    with np.errstate(divide="ignore"):
        wait = chance.standard_exponential(len(age)) / rate
    return np.where((modality == 2) | (rate == 0), 1e9, wait + 0.1)


def stated() -> dict[str, object]:
    """The laws of kidney replacement as they are written into the truth."""
    return {
        "times_as_often_as_in_reality": TIMES_AS_OFTEN,
        "incidence_at_70_men_women": RATE,
        "power_of_age": POWER,
        "times_with_diabetes": DIABETES_TIMES,
        "times_with_kidney_disease": KIDNEY_DISEASE_TIMES,
        "death": "hazard = base * exp(sum of log_hazard_ratios) per year from the start on; age is "
        "(age - 65) / 10; no other mortality",
        "base_hazard": BASE,
        "log_hazard_ratios": LOG_TIMES,
        "times_after_transplantation": TRANSPLANTED,
        "transplantations_a_year_below_age": TRANSPLANT_A_YEAR,
        "log_odds_of_fistula_or_graft": {**ACCESS, "unit": "twice the unit's effect in units.csv"},
    }
