"""Printed numbers as bands on the counts behind them, beside plain rounding of every count."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import DataError
from workbench.output.gate.suppression import (
    Protection,
    attack,
    cells_of,
    counts_that_print,
    range_bands,
    ratio_bands,
    rounded_bands,
)


def made(counts, sizes=None):
    frame = pd.DataFrame({"unit": [f"u{at}" for at in range(len(counts))], "n": counts})
    if sizes is None:
        return cells_of(frame, count="n", dimensions=["unit"])
    return cells_of(frame.assign(size=sizes), count="n", total="size", dimensions=["unit"])


def inside(bands, values):
    there = bands.matrix @ values
    return bool(((bands.lower <= there) & (there <= bands.upper)).all())


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(1, 300), st.data(), st.integers(0, 2))
def test_a_percentage_allows_the_counts_that_print_it(size, data, decimals):
    true = data.draw(st.integers(0, size))
    cells = made([true], [size])
    count = int(np.flatnonzero(cells.rest_of >= 0)[1])
    bands = ratio_bands(cells, [count], [cells.total_of[count]], decimals=decimals)
    scale = 10**decimals
    for x in range(max(0, true - 9), min(size, true + 9) + 1):
        values = cells.counts.copy()
        values[count] = x
        apart = abs(200 * scale * x - 2 * round(100 * scale * true / size) * size)
        if apart != size:  # on the very edge the reader may know how it was rounded
            assert inside(bands, values) == (apart < size)
    assert inside(bands, cells.counts)


@pytest.mark.parametrize(("value", "base"), [(7, 5), (8, 5), (10, 5), (5, 10), (15, 10), (0, 5)])
def test_a_rounded_count_lies_within_half_a_base(value, base):
    cells = made([value, 40])
    cell = int(np.flatnonzero(cells.counts == value)[0])
    bands = rounded_bands(cells, [cell], base=base)
    printed = base * round(value / base)
    for other in range(40):
        values = cells.counts.copy()
        values[cell] = other
        if 2 * abs(other - printed) != base or other == value:
            assert inside(bands, values) == (2 * abs(other - printed) <= base)


def test_a_rounded_total_leaves_doubt_that_an_exact_one_does_not():
    cells = made([3, 20, 30])
    hidden = (cells.counts == 3) | (cells.counts == 53)
    assert attack(cells, hidden, Protection())["is_safe"].all()
    total = np.flatnonzero(cells.counts == 53)
    coarse, fine = (rounded_bands(cells, total, base=base) for base in (20, 5))
    assert attack(cells, hidden, Protection(), bands=coarse)["is_safe"].all()
    assert not attack(cells, hidden, Protection(), bands=fine)["is_safe"].any()
    assert not attack(cells, hidden, Protection(), bands=fine + coarse)["is_safe"].any()


def test_an_interval_that_few_counts_print_gives_them_away():
    cells = made([3, 20, 30])
    hidden = (cells.counts == 3) | (cells.counts == 20)
    small = np.flatnonzero(cells.counts == 3)
    narrow = attack(cells, hidden, Protection(), bands=range_bands(cells, small, [2], [4]))
    assert narrow["is_safe"].tolist() == [False] and narrow["decided_by"].tolist() == ["sums"]
    wide = attack(cells, hidden, Protection(), bands=range_bands(cells, small, [0], [5]))
    assert wide["is_safe"].tolist() == [True]


def test_a_percentage_of_nobody_tells_nothing():
    cells = made([0, 9], [0, 30])
    counted = np.flatnonzero(cells.rest_of >= 0)
    bands = ratio_bands(cells, counted, cells.total_of[counted])
    assert bands.matrix.shape[0] == 2 * 2  # the other unit and the total


def test_counts_behind_a_printed_percentage():
    assert counts_that_print("15.4", 13) == [2]
    assert counts_that_print("1", 210) == [2, 3]
    assert counts_that_print("99.9", 10) == []


def test_rounding_that_cannot_be_is_refused():
    cells = made([3, 9])
    with pytest.raises(DataError, match="multiples of 1"):
        rounded_bands(cells, [0], base=1)
    with pytest.raises(DataError, match="decimals"):
        ratio_bands(cells, [1], [0], decimals=-1)
