"""Cases follow their incidence, and kill by their added hazard."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.data.invent.cancers import SHAPE, net_survival
from workbench.data.invent.cases import BANDS, days_to_death, first_cases
from workbench.data.invent.days import DAYS_A_YEAR, age_at, date_of, day_of
from workbench.data.invent.moves import draw_moves
from workbench.data.invent.people import draw_people

LAST_DAY = day_of(date_of(20_000))


@pytest.fixture(scope="module")
def people():
    return draw_people(20_000, 3, LAST_DAY)


@pytest.mark.parametrize("years", [0.1, 1, 4, 8])
def test_survival_from_a_disease_is_the_stated_formula(years):
    n, hazard, factor = 40_000, np.full(40_000, 0.2), 1.4
    days = days_to_death(
        np.random.default_rng(1), hazard[:, None] * np.array(SHAPE), np.full(n, factor)
    )
    alive = (days > years * DAYS_A_YEAR).mean()
    expected = net_survival(hazard[:1], np.array([factor]), years, np.array(SHAPE))[0]
    assert alive == pytest.approx(expected, abs=0.008)


def test_net_survival_spends_its_time_in_bands():
    """Two years: a quarter year at 1.6, three quarters at 1.3 and one year at 1.0 times 0.1."""
    found = net_survival(np.array([0.1]), np.array([1.0]), 2, np.array(SHAPE))[0]
    assert BANDS[:4] == (0.0, 0.25, 1.0, 3.0)
    assert found == pytest.approx(np.exp(-0.1 * (0.25 * 1.6 + 0.75 * 1.3 + 1.0)))


def test_a_disease_without_hazard_kills_nobody():
    days = days_to_death(np.random.default_rng(1), np.zeros((100, len(BANDS))))
    assert (days > 300_000).all()


def test_incidence_rises_as_a_power_of_age(people):
    moves = draw_moves(people, 3)
    chance = np.random.default_rng(1)
    cases = first_cases(chance, people, moves, rate=(0.02, 0.02), power=4.0)
    age = age_at(cases.day, people.birth[cases.person])
    # The expected number between two ages, of those who had none before: the power law itself.
    at_risk = age_at(np.full(people.n, LAST_DAY), people.birth) >= 60
    whole = (people.birth > -11_000) & at_risk  # followed from early life on
    own = np.isin(cases.person, np.flatnonzero(whole)) & (age < 60)
    seen = own.sum() / whole.sum()
    summed = 0.02 * 70 / 5 * ((60 / 70) ** 5 - (20 / 70) ** 5)
    assert seen == pytest.approx(1 - np.exp(-summed), abs=0.03)


def test_nobody_falls_ill_abroad_or_before_the_registers_begin(people):
    moves = draw_moves(people, 3)
    cases = first_cases(np.random.default_rng(1), people, moves, rate=(0.3, 0.3), power=2.0)
    assert (cases.day > people.entry[cases.person]).all()
    assert not moves.is_abroad(cases.person, cases.day).any()
