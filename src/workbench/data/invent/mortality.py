"""The stated law of mortality, and deaths that follow it.

The hazard of a person of completed age a in calendar year y is

    h = (makeham + level * exp(slope * a) + infant * [a = 0]) * (1 - improvement)^(y - 2000)

with constants of each sex, constant within every cell of age and year: the life table is the law
itself, not an estimate of it. From age 110 on it no longer rises. The constants were chosen so that
a life lasts about 80 years (men) and 84 years (women) by the law of 2010, which is the order of
magnitude in Sweden; they are not fitted to anyone's data.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from workbench.data.invent.chance import Numbers
from workbench.data.invent.days import DAYS_A_YEAR, NEVER, Days, birthday_in, new_year, year_of

FIRST_YEAR = 1900
OLDEST = 110
SEXES = ("male", "female")


@dataclass(frozen=True)
class Law:
    """The constants of one sex; hazards are deaths in a person-year of 365.25 days."""

    makeham: float
    level: float
    slope: float
    infant: float
    improvement: float


LAWS = {
    "male": Law(4e-4, 2.29e-5, 0.1012, 0.0034, 0.018),
    "female": Law(2e-4, 1.36e-5, 0.1026, 0.0028, 0.014),
}


def hazards(last_year: int) -> Numbers:
    """The law as an array: sex, completed age, calendar year from 1900."""
    age = np.arange(OLDEST + 1)[:, None]
    year = np.arange(FIRST_YEAR, last_year + 1)[None, :]
    return np.stack(
        [
            (law.makeham + law.level * np.exp(law.slope * age) + law.infant * (age == 0))
            * (1 - law.improvement) ** (year - 2000)
            for law in (LAWS[sex] for sex in SEXES)
        ]
    )


def life_table(first_year: int, last_year: int) -> pd.DataFrame:
    """One row a cell of the law: age, year, sex (word and code), hazard in a person-year."""
    law = hazards(last_year)[:, :, first_year - FIRST_YEAR :]
    cells = pd.MultiIndex.from_product(
        [SEXES, range(OLDEST + 1), range(first_year, last_year + 1)], names=["sex", "age", "year"]
    )
    table = pd.DataFrame({"hazard": law.ravel()}, index=cells).reset_index()
    codes = table["sex"].map({sex: str(at + 1) for at, sex in enumerate(SEXES)})
    return table.assign(sex_code=codes)[["age", "year", "sex", "sex_code", "hazard"]]


def survival_to(year: int) -> Numbers:
    """The share of each sex and cohort (from 1900) still alive when a year begins."""
    law = hazards(year)
    shares = np.ones((2, year - FIRST_YEAR))
    for cohort in range(year - FIRST_YEAR):
        ages = np.arange(year - FIRST_YEAR - cohort)
        shares[:, cohort] = np.exp(-law[:, np.minimum(ages, OLDEST), cohort + ages].sum(axis=1))
    return shares


def deaths_by_law(
    sex: Days, birth: Days, entry: Days, threshold: Numbers, *, last_day: int
) -> Days:
    """The day on which each person's summed hazard since entry reaches a threshold, or never.

    `threshold` is exponential with mean one, which makes the deaths follow the law.
    """
    last_year = int(year_of(np.array([last_day]))[0])
    law = hazards(last_year)
    left, death = threshold.copy(), np.full(len(birth), NEVER, dtype=np.int32)
    who = np.flatnonzero(entry <= last_day)
    for year in range(int(year_of(entry[who]).min(initial=last_year)), last_year + 1):
        begin = np.maximum(entry[who], new_year(year))
        end = np.full(len(who), new_year(year + 1), dtype=np.int32)
        birthday = np.clip(birthday_in(birth[who], year), begin, end)
        age = np.clip(year - year_of(birth[who]), 0, OLDEST)
        for first, last, completed in (
            (begin, birthday, np.maximum(age - 1, 0)),
            (birthday, end, age),
        ):
            hazard = law[sex[who], completed, year - FIRST_YEAR]
            gained = hazard * np.maximum(last.astype(np.int64) - first, 0) / DAYS_A_YEAR
            dies = (left[who] <= gained) & (gained > 0) & (death[who] == NEVER)
            days = np.floor(left[who][dies] / hazard[dies] * DAYS_A_YEAR)
            death[who[dies]] = np.minimum(first[dies] + days, last[dies] - 1)
            left[who] -= gained
        who = who[death[who] == NEVER]
    return np.where(death <= last_day, death, NEVER).astype(np.int32)


def stated() -> dict[str, object]:
    """The law as it is written into the truth."""
    return {
        "hazard": "(makeham + level*exp(slope*age) + infant*[age=0]) * (1-improvement)^(year-2000)",
        "unit": "deaths in a person-year of 365.25 days; age completed, calendar year",
        "constants": {sex: asdict(law) for sex, law in LAWS.items()},
    }
