"""Deaths follow the stated law, and the life table is that law."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from workbench.data.invent import mortality
from workbench.data.invent.days import DAYS_A_YEAR, NEVER, day_of, new_year

AGES = [0, 20, 50, 65, 75, 85, 111]


def test_the_hazard_is_the_formula():
    law = mortality.LAWS["female"]
    table = mortality.life_table(2000, 2010)
    cell = table[(table["sex"] == "female") & (table["age"] == 70) & (table["year"] == 2010)]
    expected = (law.makeham + law.level * np.exp(law.slope * 70)) * (1 - law.improvement) ** 10
    assert cell["hazard"].item() == pytest.approx(expected, rel=1e-12)
    assert cell["sex_code"].item() == "2"


def test_a_life_lasts_as_long_as_the_law_says():
    """By the law of 2010, about 80 and 84 years."""
    law = mortality.hazards(2010)[:, :, -1]
    years = np.exp(-np.cumsum(law, axis=1)).sum(axis=1) + 0.5
    assert years[0] == pytest.approx(79.5, abs=1.5)
    assert years[1] == pytest.approx(83.5, abs=1.5)


def test_deaths_of_a_birth_cohort_follow_the_hazards():
    """Survival from 60 to 70, of 40,000 women born on one day, beside the sum of the hazards."""
    n = 40_000
    birth = np.full(n, day_of(pd.Timestamp(1940, 1, 1).date()), dtype=np.int32)
    sex, entry = np.ones(n, dtype=np.int64), np.full(n, new_year(2000), dtype=np.int32)
    threshold = np.random.default_rng(1).standard_exponential(n)
    death = mortality.deaths_by_law(sex, birth, entry, threshold, last_day=new_year(2010) - 1)
    law = mortality.hazards(2010)
    years = np.diff([new_year(year) for year in range(2000, 2011)]) / DAYS_A_YEAR
    summed = sum(
        law[1, year - 1940, year - 1900] * years[year - 2000] for year in range(2000, 2010)
    )
    assert (death == NEVER).mean() == pytest.approx(np.exp(-summed), abs=0.004)


def test_observed_deaths_are_those_expected_by_the_life_table(truth):
    """Deaths by the law over person-years times hazard, by sex and age: within chance."""
    persons, table = truth("persons"), truth("life_table")
    hazard = table.pivot_table(index=["sex", "age"], columns="year", values="hazard")
    expected = dict.fromkeys([(sex, band) for sex in mortality.SEXES for band in range(6)], 0.0)
    for year in range(1990, 2023):
        for sex, own in persons.groupby("sex"):
            days = _days_in(own, year)
            age = (year - own["birth_date"].dt.year - 0.5).round().clip(0, 110).astype(int)
            rate = hazard.loc[sex].loc[age, year].to_numpy()
            summed = pd.Series(days / DAYS_A_YEAR * rate).groupby(_band(age.to_numpy())).sum()
            for band, value in summed.items():
                expected[sex, band] += value
    dead = persons[(persons["cause_group"] == "law") & persons["known_death_date"].notna()]
    age = (dead["known_death_date"] - dead["birth_date"]).dt.days / DAYS_A_YEAR
    observed = dead.groupby(["sex", _band(age.to_numpy())]).size()
    for cell, value in expected.items():
        assert abs(observed.get(cell, 0) - value) < 4 * np.sqrt(value) + 0.05 * value + 1


def _band(age: np.ndarray) -> np.ndarray:
    return np.digitize(age, AGES[1:-1])


def _days_in(persons: pd.DataFrame, year: int) -> np.ndarray:
    """Days of a year that each person spent in the country and under the law."""
    begin, end = pd.Timestamp(year, 1, 1), pd.Timestamp(year + 1, 1, 1)
    first = persons["entry_date"].clip(lower=begin)
    last = persons["under_law_until_date"].clip(upper=end)
    away = persons["returned_date"].clip(upper=end) - persons["left_date"].clip(lower=begin)
    days = (last - first).dt.days.clip(lower=0) - away.dt.days.clip(lower=0).fillna(0)
    return days.clip(lower=0).to_numpy()
