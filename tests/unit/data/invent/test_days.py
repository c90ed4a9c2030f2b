"""Days as numbers, and birthdays in other years."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from workbench.data.invent.days import birthday_in, date_of, day_of, year_of


def test_days_are_counted_from_1970_and_back():
    assert day_of(date(1970, 1, 2)) == 1
    assert date_of(day_of(date(1912, 2, 29))) == date(1912, 2, 29)


def test_the_year_of_a_day():
    days = [date(1899, 12, 31), date(1900, 1, 1), date(2000, 2, 29), date(2024, 12, 31)]
    assert list(year_of(np.array([day_of(one) for one in days]))) == [1899, 1900, 2000, 2024]


@pytest.mark.parametrize(
    ("born", "year", "birthday"),
    [
        (date(1960, 2, 29), 2001, date(2001, 3, 1)),
        (date(1960, 2, 29), 2000, date(2000, 2, 29)),
        (date(1960, 3, 1), 2001, date(2001, 3, 1)),
        (date(1961, 3, 1), 2000, date(2000, 3, 1)),
        (date(1961, 1, 31), 2000, date(2000, 1, 31)),
        (date(1960, 12, 31), 1999, date(1999, 12, 31)),
        (date(1961, 12, 31), 1900, date(1900, 12, 31)),
    ],
)
def test_a_birthday_in_another_year(born, year, birthday):
    assert date_of(birthday_in(np.array([day_of(born)]), year)[0]) == birthday
