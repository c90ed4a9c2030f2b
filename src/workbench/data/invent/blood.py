"""Blood cancers of eight kinds: how often, how dangerous, and the hazard they add."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from workbench.data.invent.cases import BANDS, Cases, days_to_death, dying, first_cases
from workbench.data.invent.chance import pick, pick_in_rows, stream
from workbench.data.invent.days import age_at, year_of
from workbench.data.invent.moves import Moves
from workbench.data.invent.people import People
from workbench.data.invent.places import Units

TIMES_AS_OFTEN = 5.0  # than in reality, so that registers of small populations hold enough


@dataclass(frozen=True)
class Kind:
    """One disease: codes, incidence at 70 (men, women) before it is raised, added hazard."""

    icd10: tuple[str, ...]
    icd9: str
    topography: str
    morphology: tuple[str, ...]
    first_year: int  # the sub-register's
    rate: tuple[float, float]
    power: float
    hazard: float  # per year, of intermediate risk, times SHAPES over time
    shape: str = "slow"
    constant: float = 0.0  # incidence that does not depend on age


KINDS: dict[str, Kind] = {
    "lymphoma": Kind(("C833", "C829", "C819", "C831", "C837", "C844"), "202W", "C779",
                     ("9680/3", "9690/3", "9650/3", "9673/3", "9687/3", "9702/3"),
                     2000, (0.00060, 0.00045), 3.0, 0.055),
    "myeloma": Kind(("C900",), "203A", "C421", ("9732/3",), 2008, (0.00030, 0.00020), 4.0, 0.11),
    "mpn": Kind(("D459", "D473", "D474", "C962"), "238E", "C421",
                ("9950/3", "9962/3", "9961/3", "9741/3"),
                2008, (0.00013, 0.00012), 2.5, 0.025),
    "cll": Kind(("C911",), "204B", "C421", ("9823/3",), 2007, (0.00022, 0.00012), 4.0, 0.035),
    "aml": Kind(("C920",), "205A", "C421", ("9861/3", "9871/3"),
                1997, (0.00014, 0.00011), 3.5, 0.75, "fast", 4e-6),
    "all": Kind(("C910",), "204A", "C421", ("9811/3", "9837/3"),
                1997, (0.00001, 0.00001), 2.0, 0.20, "fast", 1.5e-5),
    "mds": Kind(("D469",), "238H", "C421", ("9985/3", "9983/3"),
                2009, (0.00018, 0.00012), 5.0, 0.22),
    "cml": Kind(("C921",), "205B", "C421", ("9875/3",), 2002, (0.00002, 0.00002), 2.0, 0.03),
}  # fmt: skip
SHAPES = {"slow": (1.6, 1.3, 1.0, 0.8, 0.6, 0.3), "fast": (2.6, 1.5, 0.5, 0.2, 0.1, 0.0)}
RISK_SHARES = (0.35, 0.40, 0.25)  # low, intermediate, high
RISK_TIMES = (0.4, 1.0, 2.3)
AGE_TIMES = 1.035  # for each year above 65
STATUS_TIMES = 1.35  # for each step of WHO performance status above 1
YEAR_TIMES = 0.975  # for each year of diagnosis after 2005
STATUS = np.array(
    [[0.45, 0.35, 0.12, 0.06, 0.02], [0.32, 0.37, 0.17, 0.10, 0.04], [0.20, 0.33, 0.25, 0.15, 0.07]]
)  # of those under 65, of 65-79, of 80 and above


def draw_blood_cancers(people: People, moves: Moves, units: Units, seed: int) -> dict[str, Cases]:
    """The first case of each kind of every person, without regard to death."""
    chance = stream(seed, "blood cancers")
    return {name: _draw(chance, people, moves, units, kind) for name, kind in KINDS.items()}


def _draw(
    chance: np.random.Generator, people: People, moves: Moves, units: Units, kind: Kind
) -> Cases:
    cases = first_cases(
        chance,
        people,
        moves,
        rate=kind.rate,
        power=kind.power,
        times=TIMES_AS_OFTEN,
        constant=kind.constant * TIMES_AS_OFTEN,
    )
    n = len(cases)
    age = age_at(cases.day, people.birth[cases.person])
    region = moves.region_at(cases.person, cases.day)
    risk = pick(chance, RISK_SHARES, n)
    status = pick_in_rows(chance, STATUS, np.digitize(age, (65, 80)))
    factor = (
        np.array(RISK_TIMES)[risk]
        * AGE_TIMES ** (age - 65)
        * STATUS_TIMES ** (status - 1)
        * YEAR_TIMES ** np.maximum(year_of(cases.day) - 2005, 0)
    )
    hazard = np.full(n, kind.hazard)
    days = days_to_death(chance, hazard[:, None] * np.array(SHAPES[kind.shape]), factor)
    return dying(cases, days).with_facts(
        age=age,
        region=region,
        unit=units.of_patients(chance, region),
        stage=risk + 1,
        status=status,
        entity=pick(chance, _entity_shares(len(kind.icd10)), n),
        factor=factor,
        hazard=hazard,
    )


def _entity_shares(n: int) -> tuple[float, ...]:
    """How the entities of a kind share its cases, in the order of its codes."""
    return {1: (1.0,), 4: (0.34, 0.40, 0.18, 0.08), 6: (0.47, 0.24, 0.12, 0.08, 0.03, 0.06)}[n]


def stated() -> dict[str, object]:
    """The laws of blood cancers as they are written into the truth."""
    return {
        "times_as_often_as_in_reality": TIMES_AS_OFTEN,
        "incidence": "rate(sex) * (age / 70)^power + constant, times the above, in a person-year",
        "added_hazard": "hazard * shape[time] * risk * 1.035^(age - 65) * 1.35^(status - 1) * "
        "0.975^max(year - 2005, 0), per year",
        "bands_begin_at_years": BANDS,
        "shapes": SHAPES,
        "risk": {"shares": RISK_SHARES, "times": RISK_TIMES},
        "kinds": {name: asdict(kind) for name, kind in KINDS.items()},
    }
