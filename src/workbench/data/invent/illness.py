"""Long-term conditions: who has which, and since when.

A person ever gets a condition with a chance that depends on sex, on conditions that go with it, and
on how early the person dies by the law (so that the sick die younger, while deaths as a whole still
follow the life table); the age of onset is logistic. Everything that registers hold of a person,
stays, drugs, causes of death, follows from these. Smoking alone does not go with early death: it
leads to tumours, whose net survival would then not be that of the law.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from workbench.data.invent.chance import Numbers, Places, happens, stream
from workbench.data.invent.days import DAYS_A_YEAR, NEVER
from workbench.data.invent.people import People


@dataclass(frozen=True)
class Condition:
    """One condition: its codes, how common it is in men and women who grow old, when it begins."""

    icd10: str
    icd9: str
    ever: tuple[float, float]
    age: tuple[float, float]  # mean and scale of the logistic age of onset
    goes_with: dict[str, float] = field(default_factory=dict)  # times as often with another


# Orders of magnitude of an old Swedish population; the icd9 codes are of the Swedish ICD-9.
CONDITIONS: dict[str, Condition] = {
    "smoking": Condition("F172", "305B", (0.32, 0.28), (18, 2)),
    "type_1_diabetes": Condition("E109", "250A", (0.007, 0.006), (20, 8)),
    "hypertension": Condition("I109", "401X", (0.62, 0.60), (60, 8)),
    "diabetes": Condition("E119", "250B", (0.23, 0.17), (63, 8), {"hypertension": 1.8}),
    "ischaemic_heart_disease": Condition(
        "I259", "414X", (0.27, 0.17), (71, 7),
        {"smoking": 1.6, "diabetes": 1.8, "hypertension": 1.5}),
    "atrial_fibrillation": Condition("I489", "427D", (0.32, 0.27), (76, 6), {"hypertension": 1.5}),
    "heart_failure": Condition(
        "I509", "428X", (0.22, 0.20), (79, 6),
        {"ischaemic_heart_disease": 2.5, "atrial_fibrillation": 2.0}),
    "stroke": Condition("I639", "434X", (0.22, 0.20), (76, 7),
                        {"atrial_fibrillation": 1.8, "smoking": 1.3}),
    "lung_disease": Condition("J449", "496X", (0.09, 0.09), (67, 7), {"smoking": 4.0}),
    "kidney_disease": Condition("N189", "585X", (0.12, 0.10), (74, 8),
                                {"diabetes": 2.5, "hypertension": 1.5, "type_1_diabetes": 4.0}),
    "artery_disease": Condition("I702", "440C", (0.10, 0.08), (73, 7),
                                {"smoking": 2.5, "diabetes": 2.5}),
    "dementia": Condition("F039", "290A", (0.34, 0.46), (85, 4)),
    "depression": Condition("F329", "311X", (0.14, 0.22), (45, 12)),
}  # fmt: skip
NAMES = tuple(CONDITIONS)
EARLY_DEATH = 1.0  # chances are times 1 + EARLY_DEATH * (frailty - 1/2)


@dataclass(frozen=True)
class Illness:
    """The first day of each condition: a row a person, a column a condition, NEVER for none."""

    onset: NDArray[np.integer]

    def has(self, name: str, person: Places, day: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Whether persons have a condition on a day."""
        return self.onset[person, NAMES.index(name)] <= day

    def has_diabetes(self, person: Places, day: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Diabetes of either type."""
        return self.has("diabetes", person, day) | self.has("type_1_diabetes", person, day)

    def since(self, name: str) -> NDArray[np.integer]:
        """The first day of a condition, for every person."""
        return self.onset[:, NAMES.index(name)]


def draw_illness(people: People, seed: int) -> Illness:
    """Draw the conditions of every person."""
    chance = stream(seed, "illness")
    ever: dict[str, NDArray[np.bool_]] = {}
    onset = np.full((people.n, len(NAMES)), NEVER, dtype=np.int32)
    early = 1 + EARLY_DEATH * (people.frailty - 0.5)
    for at, (name, condition) in enumerate(CONDITIONS.items()):
        share = np.array(condition.ever)[people.sex] * (1 if name == "smoking" else early)
        for other, times in condition.goes_with.items():
            share = share * _scaled(ever[other], times)
        ever[name] = happens(chance, np.minimum(share, 0.95), people.n)
        mean, scale = condition.age
        age = mean + scale * _logistic_draws(chance, people.n)
        day = people.birth + np.maximum(age, 1) * DAYS_A_YEAR
        onset[:, at] = np.where(ever[name], np.minimum(day, NEVER), NEVER)
    return Illness(onset)


def _scaled(has_other: NDArray[np.bool_], times: float) -> Numbers:
    """A factor of `times` for those with the other condition, with mean one over all."""
    mean = 1 + (times - 1) * has_other.mean()
    return np.where(has_other, times, 1.0) / mean


def _logistic_draws(chance: np.random.Generator, n: int) -> Numbers:
    even = np.clip(chance.random(n), 1e-9, 1 - 1e-9)
    return np.log(even / (1 - even))


def stated() -> dict[str, object]:
    """The conditions as they are written into the truth."""
    return {
        "chance_ever": "share(sex) * factors of conditions it goes with * (1 + (frailty - 1/2)); "
        "frailty is exp(-cumulative hazard at death by the law), even from 0 to 1",
        "conditions": {
            name: {
                "icd10": one.icd10,
                "share_ever_men_women": one.ever,
                "onset_age_mean_scale": one.age,
                "times_as_often_with": one.goes_with,
            }
            for name, one in CONDITIONS.items()
        },
    }
