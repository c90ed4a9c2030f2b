"""Solid tumours: how often, at what stage, and the hazard they add to the law of mortality."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.data.invent.cases import BANDS, Cases, days_to_death, dying, first_cases
from workbench.data.invent.chance import Numbers, pick_in_rows, stream
from workbench.data.invent.days import Days, age_at, year_of
from workbench.data.invent.illness import Illness
from workbench.data.invent.moves import Moves
from workbench.data.invent.people import People
from workbench.data.invent.places import care_region_of


@dataclass(frozen=True)
class Site:
    """One site: codes, incidence at 70 (men, women), its power of age, stages and their hazards."""

    icd10: str
    icd9: str
    morphology: tuple[str, ...]
    rate: tuple[float, float]
    power: float
    stages: tuple[float, float, float, float]  # share of stage I to IV at diagnosis
    hazards: tuple[float, float, float, float]  # added per year, times SHAPE over time
    surgery: str = ""  # code of the usual operation
    is_paired: bool = False
    smoking: float = 1.0  # times as often


# Orders of magnitude of Swedish incidence and five-year relative survival; no estimates.
SITES: dict[str, Site] = {
    "breast": Site("C509", "174J", ("8500/3", "8520/3"), (3e-5, 0.0035), 2.4,
                   (0.47, 0.37, 0.11, 0.05), (0.001, 0.012, 0.06, 0.35), "HAB00", True),
    "prostate": Site("C619", "185", ("8140/3",), (0.0075, 0), 5.0,
                     (0.38, 0.34, 0.16, 0.12), (0.0, 0.004, 0.02, 0.16), "KEC00"),
    "colon": Site("C187", "153D", ("8140/3", "8480/3"), (0.0012, 0.0011), 4.2,
                  (0.17, 0.31, 0.29, 0.23), (0.01, 0.035, 0.11, 0.60), "JFB30"),
    "rectum": Site("C209", "154B", ("8140/3",), (0.0007, 0.0004), 4.0,
                   (0.24, 0.24, 0.31, 0.21), (0.01, 0.04, 0.10, 0.50), "JGB00"),
    "lung": Site("C341", "162D", ("8140/3", "8070/3", "8041/3"), (0.0013, 0.0012), 4.3,
                 (0.20, 0.09, 0.23, 0.48), (0.08, 0.20, 0.42, 1.15), "GDC00", True, 5.0),
    "melanoma": Site("C436", "172G", ("8720/3", "8743/3"), (0.0009, 0.0007), 2.5,
                     (0.66, 0.21, 0.09, 0.04), (0.002, 0.03, 0.09, 0.50), "QBE10", True),
    "bladder": Site("C679", "188X", ("8120/3",), (0.0010, 0.0003), 4.5,
                    (0.60, 0.20, 0.10, 0.10), (0.015, 0.07, 0.16, 0.65), "KCD02", False, 2.5),
    "kidney": Site("C649", "189A", ("8310/3", "8312/3"), (0.0004, 0.0002), 3.5,
                   (0.52, 0.12, 0.17, 0.19), (0.008, 0.03, 0.08, 0.60), "KAC00", True, 1.5),
    "pancreas": Site("C250", "157A", ("8140/3",), (0.0004, 0.00035), 4.3,
                     (0.08, 0.24, 0.14, 0.54), (0.20, 0.50, 0.85, 2.0), "JLC30", False, 1.7),
    "stomach": Site("C169", "151X", ("8140/3",), (0.00025, 0.00012), 4.0,
                    (0.17, 0.22, 0.21, 0.40), (0.06, 0.16, 0.36, 1.30), "JDC00", False, 1.5),
    "uterus": Site("C541", "182A", ("8380/3",), (0, 0.0007), 3.0,
                   (0.73, 0.08, 0.12, 0.07), (0.006, 0.03, 0.10, 0.50), "LCD00"),
    "brain": Site("C719", "191X", ("9440/3", "9401/3"), (0.00018, 0.00012), 1.5,
                  (0.20, 0.20, 0.20, 0.40), (0.05, 0.12, 0.40, 0.85), "AAB00"),
}  # fmt: skip
SHAPE = (1.6, 1.3, 1.0, 0.7, 0.4, 0.0)  # times the hazard in each band of cases.BANDS
CARE_REGION = (0.88, 1.00, 1.05, 0.95, 1.00, 1.22)  # times, in the six health-care regions
AGE_TIMES = 1.015  # for each year above 65
YEAR_TIMES = 0.985  # for each year of diagnosis after 2005


def draw_cancers(people: People, moves: Moves, illness: Illness, seed: int) -> dict[str, Cases]:
    """The first tumour at each site of every person, without regard to death."""
    chance = stream(seed, "cancers")
    smokes = illness.since("smoking") < people.last_day
    found = {}
    for name, site in SITES.items():
        times = np.where(smokes, site.smoking, 1.0) / (1 + (site.smoking - 1) * smokes.mean())
        cases = first_cases(chance, people, moves, rate=site.rate, power=site.power, times=times)
        found[name] = _with_stage(chance, people, moves, cases, site)
    return found


def _with_stage(
    chance: np.random.Generator, people: People, moves: Moves, cases: Cases, site: Site
) -> Cases:
    age = age_at(cases.day, people.birth[cases.person])
    region = moves.region_at(cases.person, cases.day)
    # The old are found later: every ten years above 65 moves a tenth of stage I to IV.
    later = np.clip((age - 65) / 10, -2, 2) * 0.1 * site.stages[0]
    shares = np.tile(np.array(site.stages), (len(cases), 1))
    shares[:, 0] -= later
    shares[:, 3] += np.maximum(later, -0.5 * site.stages[3])
    stage = pick_in_rows(chance, np.maximum(shares, 0), np.arange(len(cases)))
    factor = factors(region, age, cases.day)
    hazard = np.array(site.hazards)[stage]
    days = days_to_death(chance, hazard[:, None] * np.array(SHAPE), factor)
    return dying(cases, days).with_facts(
        age=age, region=region, stage=stage + 1, factor=factor, hazard=hazard
    )


def factors(region: NDArray, age: Numbers, day: Days) -> Numbers:
    """What the stage's hazard is multiplied with: region, age and year of diagnosis."""
    years = np.maximum(year_of(day) - 2005, 0)
    return (
        np.array(CARE_REGION)[care_region_of(region)]
        * AGE_TIMES ** (age - 65)
        * (YEAR_TIMES**years)
    )


def net_survival(hazard: Numbers, factor: Numbers, years: float, shape: Numbers) -> Numbers:
    """The true chance of each case to survive the disease alone for some years."""
    spent = np.clip(years - np.array(BANDS), 0, np.diff([*BANDS, np.inf]))
    return np.exp(-factor * hazard * (spent * shape).sum(axis=-1))


def stated() -> dict[str, object]:
    """The laws of solid tumours as they are written into the truth."""
    return {
        "incidence": "rate(sex) * (age / 70)^power in a person-year, first tumour of a site",
        "added_hazard": "hazards[stage] * shape[time] * care_region * 1.015^(age - 65) * "
        "0.985^max(year - 2005, 0), per year",
        "bands_begin_at_years": BANDS,
        "shape": SHAPE,
        "care_region": CARE_REGION,
        "sites": {name: asdict(site) for name, site in SITES.items()},
    }
