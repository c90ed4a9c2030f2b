"""How histories end: the first of all deaths, causes that fit, nothing after the end."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from workbench.data.invent.days import NEVER, day_of
from workbench.data.invent.endings import CAUSES, underlying_causes
from workbench.data.invent.world import World, make_world


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(8000, 2, day_of(date(2023, 12, 31)), progress=lambda _: None)


def test_every_case_comes_before_the_end(world):
    end = world.endings.last
    every = [*world.tumours.values(), *world.blood.values(), *world.operations.values()]
    for cases in [*every, world.starts]:
        assert (cases.day < end[cases.person]).all()


def test_nobody_dies_before_the_law_of_mortality_lets_in_a_sooner_cause(world):
    """Outside dialysis, death is the law's day or an earlier one."""
    outside = np.ones(world.people.n, dtype=bool)
    outside[world.starts.person] = False
    death, law = world.endings.death[outside], world.people.law_death[outside]
    assert (death <= law).all()
    by_law = (world.endings.cause[outside] == 0) & (death < NEVER)
    assert (death[by_law] == law[by_law]).all()


def test_only_the_first_tumour_kills_and_none_comes_with_dialysis(world):
    tumours = {**world.tumours, **world.blood}
    first = np.full(world.people.n, NEVER, dtype=np.int64)
    for cases in tumours.values():
        np.minimum.at(first, cases.person, cases.day)
    for name, cases in tumours.items():
        killed = world.endings.cause[cases.person] == world.endings.groups.index(name)
        assert (cases.day[killed] == first[cases.person[killed]]).all()
    assert (first[world.starts.person] == NEVER).all()


def test_who_dies_abroad_is_not_known_to_be_dead(world):
    one = world.endings
    abroad = (world.moves.left < one.death) & (one.death <= world.moves.returned)
    abroad &= one.death < NEVER
    assert abroad.any()
    assert (one.known_death[abroad] == NEVER).all()
    assert (one.known_death[~abroad] == one.death[~abroad]).all()


def test_causes_of_death_go_with_conditions(world):
    person = np.flatnonzero(world.endings.known_death < NEVER)
    codes, _ = underlying_causes(world.people, world.illness, world.endings, person, 2)
    day = world.endings.death[person]
    demented = world.illness.has("dementia", person, day)
    of_it = codes == CAUSES["dementia"][0]
    assert of_it[demented].mean() > 5 * of_it[~demented].mean()
