"""All cells that are published with a table, and the sums between them."""

from __future__ import annotations

from fnmatch import fnmatch

import numpy as np
import pandas as pd
import pytest

from workbench.errors import DataError
from workbench.output.gate.suppression import cells_of

PARENTS = {"A": "north", "B": "north", "C": "south"}


@pytest.fixture
def visits():
    return pd.DataFrame(
        {
            "unit": ["A", "B", "C", "A", "B", "C"],
            "year": [2020, 2020, 2020, 2021, 2021, 2021],
            "n": [3, 20, 12, 9, 0, 30],
            "size": [10, 40, 12, 9, 5, 60],
        }
    )


def test_every_level_and_every_margin_is_a_cell(visits):
    cells = cells_of(visits, count="n", dimensions=["unit", "year"], hierarchies={"unit": PARENTS})
    assert len(cells) == (3 + 2 + 1) * (2 + 1)
    counts = cells.names.assign(n=cells.counts).set_index(["unit", "year"])["n"]
    assert counts["north", 2020] == 23 and counts["all", "all"] == 74 and counts["A", "all"] == 12
    assert not (cells.relations @ cells.counts).any()
    assert cells.is_printed.all()


def test_the_order_of_rows_does_not_matter_and_the_frame_stays(visits):
    before = visits.copy()
    settings = {"count": "n", "dimensions": ["unit", "year"], "hierarchies": {"unit": PARENTS}}
    one = cells_of(visits, **settings)
    other = cells_of(visits.sample(frac=1, random_state=3).set_index("size"), **settings)
    pd.testing.assert_frame_equal(one.names, other.names)
    assert (one.counts == other.counts).all()
    pd.testing.assert_frame_equal(visits, before)


def test_groups_bring_their_rest_which_nobody_prints(visits):
    cells = cells_of(visits, count="n", total="size", dimensions=["unit", "year"])
    counted = np.flatnonzero(cells.rest_of >= 0)
    rest, size = cells.counts[cells.rest_of[counted]], cells.counts[cells.total_of[counted]]
    assert (cells.counts[counted] + rest == size).all()
    assert not cells.is_printed[cells.is_rest].any()
    same = cells.names.drop(columns="measure")
    assert same.iloc[counted].to_numpy().tolist() == (
        same.iloc[cells.rest_of[counted]].to_numpy().tolist()
    )


def test_a_combination_without_a_row_is_no_cell(visits):
    cells = cells_of(visits.iloc[1:], count="n", dimensions=["unit", "year"])
    labels = set(cells.names.itertuples(index=False, name=None))
    assert ("A", 2020) not in labels and ("A", 2021) in labels and ("all", 2020) in labels


def test_only_margins_that_are_asked_for_are_printed(visits):
    cells = cells_of(
        visits, count="n", dimensions=["unit", "year"], margins=[["unit"], ["year"], []]
    )
    printed = cells.names[cells.is_printed]
    assert len(printed) == 3 + 2 + 1
    assert ((printed["unit"] == "all") | (printed["year"] == "all")).all()


def test_a_single_unit_is_its_own_total():
    cells = cells_of(pd.DataFrame({"unit": ["A"], "n": [7]}), count="n", dimensions=["unit"])
    assert len(cells) == 2 and (cells.counts == 7).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n": [3, 20, 12, 9, 0, np.nan]}, '*"n" is missing, negative or not whole in 1 rows*'),
        ({"n": [3, 20, 12, 9, -1, 2]}, '*"n" is missing, negative or not whole in 1 rows*'),
        ({"n": [3, 20, 12, 9, 0.5, 2]}, '*"n" is missing, negative or not whole in 1 rows*'),
        ({"n": [11, 20, 12, 9, 0, 2]}, '*"n" is above "size" in 1 rows*'),
        ({"unit": ["A", "A", "C", "A", "B", "C"], "year": 1}, "*rows repeat a combination*"),
        ({"unit": ["A", None, "C", "A", "B", "C"]}, "*1 rows lack a label*"),
    ],
)
def test_counts_that_cannot_be_judged_are_refused(visits, change, message):
    with pytest.raises(DataError) as told:
        cells_of(visits.assign(**change), count="n", total="size", dimensions=["unit", "year"])
    assert fnmatch(str(told.value), message)


def test_a_unit_may_be_called_all(visits):
    named = visits.assign(unit=["A", "all", "C", "A", "all", "C"])
    cells = cells_of(named, count="n", total="size", dimensions=["unit", "year"])
    plain = visits.assign(unit=["A", "B", "C", "A", "B", "C"])
    other = cells_of(plain, count="n", total="size", dimensions=["unit", "year"])
    assert sorted(cells.counts) == sorted(other.counts)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"count": "m"}, 'no single column "m"'),
        ({"dimensions": []}, "at least one dimension"),
        ({"hierarchies": {"units": PARENTS}}, 'Did you mean "unit"'),
        ({"hierarchies": {"unit": {"A": "B"}}}, "stands in the finest table and above"),
        ({"hierarchies": {"unit": {"A": "x", "x": "A"}}}, "stands above itself"),
        ({"margins": "some"}, 'give "all"'),
        ({"margins": [["month"]]}, "is not a dimension"),
    ],
)
def test_settings_that_fit_no_table_are_refused(visits, settings, message):
    given = {"count": "n", "dimensions": ["unit", "year"]} | settings
    with pytest.raises(DataError, match=message):
        cells_of(visits, **given)


def test_an_empty_table_is_refused(visits):
    with pytest.raises(DataError, match="frame with rows"):
        cells_of(visits.iloc[:0], count="n", dimensions=["unit"])
