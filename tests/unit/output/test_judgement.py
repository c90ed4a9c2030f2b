"""The few questions every rule asks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import DisclosureError
from workbench.output.gate.judgement import (
    are_safe,
    is_small,
    nothing_hidden,
    safe_spans,
    significant,
    take_out,
    whole_counts,
)


def test_small_is_one_to_threshold_less_one():
    assert is_small([0, 1, 4, 5, np.nan], 5).tolist() == [False, True, True, False, False]


@pytest.mark.parametrize("values", [[1.5], [-1], [np.nan], [np.inf], ["x"]])
def test_what_is_no_whole_count_is_refused(values):
    with pytest.raises(DisclosureError, match="cannot judge"):
        whole_counts(values, what="the events")


def test_significant_digits():
    given_values = [123456, 0.0012345, 0, -67.891, np.nan]
    assert significant(given_values, digits=3)[:4].tolist() == [123000, 0.00123, 0, -67.9]


def test_a_missing_cell_is_not_called_hidden():
    frame = pd.DataFrame({"n": [3.0, np.nan], "k": [3, 8]})
    shown, hidden, n_cells = take_out(
        frame, nothing_hidden(frame), rows=[True, True], columns=["n"]
    )
    assert shown["n"].isna().all()
    assert hidden["n"].tolist() == [True, False]
    assert n_cells == 1


def test_whole_numbers_beside_a_hole_stay_whole():
    frame = pd.DataFrame({"k": [3, 8]})
    shown, _, _ = take_out(frame, nothing_hidden(frame), rows=[True, False], columns=["k"])
    assert str(shown["k"].iloc[1]) == "8"


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=40),
    st.integers(3, 12),
)
def test_spans_follow_each_other_and_are_safe_or_one(rows, threshold):
    columns = list(zip(*rows, strict=True))
    spans = safe_spans(*columns, threshold=threshold)
    assert [0, *(end for _, end in spans)] == [*(first for first, _ in spans), len(rows)]
    sums = [[sum(column[a:b]) for column in columns] for a, b in spans]
    if are_safe(*(sum(column) for column in columns), threshold=threshold):
        assert all(are_safe(*counts, threshold=threshold) for counts in sums)
    elif len(spans) > 1:
        pytest.fail("what is unsafe as a whole must stay one span")
