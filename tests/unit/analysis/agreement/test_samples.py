"""Cases drawn for a second look: how many, which ones, and what they say of all."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.analysis import agreement
from workbench.analysis.units import intervals
from workbench.errors import DataError, StudyError


def cases(**sizes):
    """Cases of units, numbered through."""
    units = [unit for unit, n in sizes.items() for _ in range(n)]
    return pd.DataFrame({"case": range(len(units)), "unit": units})


def test_sample_sizes_of_the_textbook():
    assert agreement.sample_size(0.05, expected=0.5) == 385  # 1.96^2 x 0.25 / 0.0025 = 384.1
    assert agreement.sample_size(0.05, expected=0.5, population=1000) == 278
    assert agreement.sample_size(0.01, expected=0.5, population=20) == 20
    with pytest.raises(StudyError, match="half_width"):
        agreement.sample_size(5)
    with pytest.raises(StudyError, match="population"):
        agreement.sample_size(0.1, population=0)


def test_the_same_seed_draws_the_same_cases_from_rows_in_any_order():
    known = cases(A=200, B=50, C=5)
    one = agreement.draw_sample(known, case="case", unit="unit", n=60, seed=7, at_least=5)
    other = agreement.draw_sample(
        known.sample(frac=1, random_state=1), case="case", unit="unit", n=60, seed=7, at_least=5
    )
    pd.testing.assert_frame_equal(one, other)
    assert set(one["case"]) != set(
        agreement.draw_sample(known, case="case", unit="unit", n=60, seed=8, at_least=5)["case"]
    )
    assert one.groupby("unit").size().to_dict() == {"A": 42, "B": 13, "C": 5}
    assert one.groupby("unit")["weight"].sum().to_dict() == pytest.approx(
        {"A": 200, "B": 50, "C": 5}
    )


def test_every_case_is_drawn_about_as_often():
    known = cases(A=40)
    drawn = np.zeros(40)
    for seed in range(150):
        one = agreement.draw_sample(known, case="case", unit="unit", n=10, seed=seed)
        drawn[one["case"]] += 1
    # 150 draws of one in four: 37.5 each, standard deviation 5.3
    assert drawn.mean() == 37.5 and np.abs(drawn - 37.5).max() < 4 * 5.3


def test_samples_that_cannot_be_drawn_are_refused():
    known = cases(A=10, B=10)
    with pytest.raises(StudyError, match="do not give 5 to each of 2 units; 10 are needed"):
        agreement.draw_sample(known, case="case", unit="unit", n=8, seed=1, at_least=5)
    with pytest.raises(StudyError, match="at least one case"):
        agreement.draw_sample(known, case="case", unit="unit", n=0, seed=1)
    with pytest.raises(DataError, match="10 rows have a case"):
        agreement.draw_sample(known.assign(case=[*range(10)] * 2), case="case", unit="unit", n=8,
                              seed=1)  # fmt: skip
    with pytest.raises(DataError, match="rename weight"):
        agreement.draw_sample(known.assign(weight=1), case="case", unit="unit", n=8, seed=1)
    with pytest.raises(DataError, match='Did you mean "unit"'):
        agreement.draw_sample(known, case="case", unit="unitt", n=8, seed=1)


def test_one_large_unit_is_plain_wilson():
    found = agreement.of_strata([45], [50], [10**9])
    # a simple sample: p(1-p)/(n-1) gives 49 effective cases
    assert found["n_effective"] == pytest.approx(49)
    plain = intervals.proportion([45], [50]).iloc[0]
    assert (found["lower"], found["upper"]) == pytest.approx(
        (plain["lower"], plain["upper"]), abs=0.002
    )


def test_units_count_by_their_cases():
    # Cochran: 0.8 x 0.9 + 0.2 x 0.5 = 0.82; variance by hand
    found = agreement.of_strata([90, 10], [100, 20], [800, 200])
    variance = 0.64 * 0.875 * 0.09 / 99 + 0.04 * 0.9 * 0.25 / 19
    assert found["estimate"] == pytest.approx(0.82)
    assert found["n_effective"] == pytest.approx(0.82 * 0.18 / variance)
    assert agreement.of_strata([20, 20], [20, 20], [100, 100])["lower"] == pytest.approx(
        intervals.proportion([40], [40])["lower"].iloc[0]
    )


def test_counts_of_strata_that_cannot_be_are_refused():
    with pytest.raises(DataError, match="in 1 units"):
        agreement.of_strata([1, 0], [2, 0], [10, 10])
    with pytest.raises(DataError, match="in 1 units"):
        agreement.of_strata([1], [20], [10])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=6), st.integers(1, 100), st.integers(0, 3))
def test_a_draw_has_the_size_asked_for_and_stays_within_units(sizes, n, at_least):
    known = cases(**{f"u{at}": size for at, size in enumerate(sizes)})
    floor = sum(min(size, at_least) for size in sizes)
    if floor > min(n, len(known)):
        return
    drawn = agreement.draw_sample(known, case="case", unit="unit", n=n, seed=1, at_least=at_least)
    assert len(drawn) == min(n, len(known)) and drawn["case"].is_unique
    assert (drawn["n_drawn"] <= drawn["n_unit"]).all()
    counts = drawn.groupby("unit").size().reindex(known["unit"].unique(), fill_value=0)
    assert (counts >= np.minimum(sizes, at_least)).all()
