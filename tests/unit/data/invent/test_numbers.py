"""Numbers come from the series set aside for tests, and no two persons have the same."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from stdnum import luhn

from workbench.data.identity import read_number
from workbench.data.invent.days import date_of, day_of
from workbench.data.invent.numbers import as_text, check_size, give_numbers, most_persons
from workbench.errors import DataError

AS_OF = date(2024, 12, 31)


@pytest.fixture(scope="module")
def crowd() -> tuple:
    """So many births in two years that coordination numbers are needed."""
    chance = np.random.default_rng(1)
    first, last = day_of(date(1950, 1, 1)), day_of(date(1951, 12, 31))
    birth = chance.integers(first, last, 20_000).astype(np.int32)
    is_female = chance.random(20_000) < 0.5
    return birth, is_female, give_numbers(birth, is_female, as_of=AS_OF)


def test_every_number_is_read_as_what_the_person_is(crowd):
    _, is_female, numbers = crowd
    texts = as_text(numbers.current, hyphen=False).to_pylist()
    for at in range(0, 20_000, 40):
        found = read_number(texts[at], "swedish", as_of=AS_OF)
        assert found.problem is None and found.is_test
        assert found.birth_date == date_of(numbers.birth[at])
        assert found.sex == ("female" if is_female[at] else "male")


def test_numbers_are_unique_and_of_the_test_series(crowd):
    _, _, numbers = crowd
    assert len(np.unique(numbers.current)) == 20_000
    assert (numbers.current // 10 % 1000 >= 980).all()
    assert all(luhn.is_valid(str(one)[2:]) for one in numbers.current[:500])


def test_a_crowded_day_uses_coordination_numbers_then_the_next_day_with_room(crowd):
    _, is_female, numbers = crowd
    days = numbers.current // 10_000 % 100
    assert (days > 60).any()
    assert 0 < numbers.n_moved < 20_000
    # Ten personal and ten coordination numbers of one sex on one day.
    per_day = np.unique(np.stack([numbers.birth, is_female]), axis=1, return_counts=True)[1]
    assert per_day.max() <= 20


def test_birth_dates_stay_where_there_is_room():
    birth = np.arange(day_of(date(1940, 1, 1)), day_of(date(1999, 1, 1)), 7, dtype=np.int32)
    numbers = give_numbers(birth, np.zeros(len(birth), bool), as_of=AS_OF)
    assert numbers.n_moved == 0 and (numbers.birth == birth).all()
    assert (numbers.current // 10_000 % 100 <= 31).all()


def test_an_earlier_number_is_nobodys_number_now(crowd):
    _, _, numbers = crowd
    earlier = numbers.earlier[numbers.earlier > 0]
    assert len(np.unique(earlier)) == len(earlier)
    assert not np.isin(earlier, numbers.current).any()


def test_nobody_is_born_after_the_last_day():
    birth = np.full(300, day_of(AS_OF), dtype=np.int32)
    numbers = give_numbers(birth, np.zeros(300, bool), as_of=AS_OF)
    assert numbers.birth.max() == day_of(AS_OF)
    assert len(np.unique(numbers.current)) == 300


def test_both_ways_of_writing():
    one = np.array([195001019801])
    assert as_text(one, hyphen=False).to_pylist() == ["195001019801"]
    assert as_text(one, hyphen=True).to_pylist() == ["19500101-9801"]


@pytest.mark.parametrize("persons", [0, 199, 10_000_000])
def test_a_wrong_size_is_refused_with_the_sizes_that_are_possible(persons):
    with pytest.raises(DataError, match=f"expected 200 to {most_persons(AS_OF)}"):
        check_size(persons, AS_OF)
