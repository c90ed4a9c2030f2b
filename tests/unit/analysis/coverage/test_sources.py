"""Two sources: what is in both, what in one, and the formulas made of it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.analysis import coverage
from workbench.errors import DataError, StudyError, WorkbenchError


def cases(*rows: tuple[str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["person", "date", "region"])


HOW = {"person": "person", "date": "date", "window_days": 30}


def test_cases_are_paired_within_the_window_once_each_the_nearest_first():
    register = cases(("a", "2020-01-01", "N"), ("a", "2020-01-20", "N"), ("b", "2020-05-01", "S"))
    reference = cases(("a", "2020-01-18", "N"), ("b", "2020-08-01", "S"), ("c", "2020-01-01", "S"))
    found = coverage.compare_sources(register, reference, **HOW, by="region")
    assert found[["region", "both", "only_register", "only_reference"]].to_numpy().tolist() == [
        ["N", 1, 1, 0],
        ["S", 0, 1, 2],
    ]
    assert found["union"].tolist() == [1.0, 1 / 3]
    assert found["gold_standard"].tolist() == [1.0, 0.0]
    assert found["frequency"].tolist() == [2.0, 0.5]  # above 1, and not cut


def test_without_dates_a_person_is_one_case():
    register = cases(("a", "", "N"), ("a", "", "N"), ("b", "", "N"))
    found = coverage.compare_sources(register, cases(("a", "", "N")), person="person")
    assert found[["both", "only_register", "only_reference"]].to_numpy().tolist() == [[1, 1, 0]]


def test_a_case_in_both_belongs_to_the_registers_group_and_none_is_lost():
    register = cases(("a", "2020-01-01", "N"), ("b", "2020-01-01", None))
    reference = cases(("a", "2020-01-02", "S")).rename(columns={"region": "land"})
    found = coverage.compare_sources(register, reference, **HOW, by="region", reference_by="land")
    assert found["region"].tolist() == ["N", "not known"]
    assert found["both"].tolist() == [1, 0]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 60)), min_size=1, max_size=12),
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 60)), min_size=1, max_size=12),
)
def test_every_case_is_counted_once_whatever_the_order(own, other):
    start = pd.Timestamp("2020-01-01")

    def frame(rows: list[tuple[str, int]]) -> pd.DataFrame:
        days = [start + pd.Timedelta(days=day) for _, day in rows]
        return pd.DataFrame({"person": [who for who, _ in rows], "date": days})

    register, reference = frame(own), frame(other)
    found = coverage.compare_sources(register, reference, **HOW).iloc[0]
    assert found["both"] + found["only_register"] == len(own)
    assert found["both"] + found["only_reference"] == len(other)
    turned = coverage.compare_sources(register[::-1], reference[::-1], **HOW).iloc[0]
    assert turned["both"] == found["both"]


def test_chapman_supposes_something_and_says_so():
    found = coverage.from_counts(
        pd.DataFrame(
            {"both": [900, 3, 0], "only_register": [120, 1, 0], "only_reference": [80, 2, 0]}
        )
    )
    assert found["chapman"].iloc[0] == pytest.approx(1110.6548, rel=1e-6)
    assert found["chapman_note"].iloc[0] == ""
    assert "Fewer than 7" in found["chapman_note"].iloc[1]
    assert found.iloc[2][["union", "gold_standard", "frequency", "chapman"]].isna().all()
    assert "missed by both" in found.attrs["assumption"]


def test_chapmans_interval_holds_the_truth_where_sources_are_independent():
    draw = np.random.default_rng(4)
    held = []
    for _ in range(400):
        first, second = draw.random(500) < 0.8, draw.random(500) < 0.7
        cells = {
            "both": [(first & second).sum()],
            "only_register": [(first & ~second).sum()],
            "only_reference": [(~first & second).sum()],
        }
        found = coverage.from_counts(pd.DataFrame(cells)).iloc[0]
        held.append(found["chapman_lower"] <= 500 <= found["chapman_upper"])
    assert 0.92 <= np.mean(held) <= 0.98


@pytest.mark.parametrize(("change", "told"), [
    ({"both": [-1]}, "below 0"), ({"both": [None]}, "missing"), ({"both": [1.5]}, "whole"),
])  # fmt: skip
def test_counts_that_cannot_be_are_refused(change, told):
    table = pd.DataFrame({"both": [1], "only_register": [1], "only_reference": [1]}).assign(
        **change
    )
    with pytest.raises(DataError, match=told):
        coverage.from_counts(table)


def test_missing_persons_and_half_a_window_are_refused():
    one = cases(("a", "2020-01-01", "N"))
    with pytest.raises(DataError, match="missing in 1 rows"):
        coverage.compare_sources(one.assign(person=None), one, **HOW)
    with pytest.raises(StudyError, match="both, or neither"):
        coverage.compare_sources(one, one, person="person", date="date")
    with pytest.raises(WorkbenchError, match="person"):
        coverage.compare_sources(one, one, person="persn")


def test_coverage_in_words():
    words = coverage.judge([0.5, 0.6, 0.75, 0.95, 1.2, None])
    assert words.tolist() == [
        "below 60 %", "60 to 70 %", "70 to 80 %", "95 % or more", "95 % or more", "not known",
    ]  # fmt: skip


def test_bounds_and_the_tipping_point():
    table = pd.DataFrame({"events": [60, 95, 10], "n": [100, 100, 100], "share": [0.8, 0.95, 0.99]})
    found = coverage.bounds(table, coverage="share", limit=0.65)
    assert found["missing"].tolist() == [25, 6, 2]
    assert found["lowest"].iloc[0] == pytest.approx(60 / 125)
    assert found["highest"].iloc[0] == pytest.approx(85 / 125)
    assert found["tipping_point"].iloc[0] == pytest.approx((0.65 * 125 - 60) / 25)
    assert found["tipping_point"].iloc[1:].isna().all()  # the side of the limit cannot change
    given_missing = coverage.bounds(table.assign(left=25), missing="left")
    assert given_missing["highest"].iloc[0] == pytest.approx(85 / 125)
    with pytest.raises(DataError, match="above 1"):
        coverage.bounds(table.assign(share=1.2), coverage="share")
    with pytest.raises(DataError, match="above n"):
        coverage.bounds(table.assign(events=200), coverage="share")


def test_three_layers():
    assert coverage.joined(["a", "b", "c"], ["a", "c"])["share"] == pytest.approx(2 / 3)
    with pytest.raises(DataError, match="not among"):
        coverage.joined(["a"], ["b"])
    rows = pd.DataFrame({"unit": ["a", "a", "b"], "stage": [1, 9, None], "sex": [1, 2, 1]})
    found = coverage.answered(rows, ["stage", "sex"], by="unit", unknown={"stage": [9]})
    assert found[["variable", "unit", "n_answered"]].to_numpy().tolist() == [
        ["stage", "a", 1], ["stage", "b", 0], ["sex", "a", 2], ["sex", "b", 1],
    ]  # fmt: skip


def test_coverage_is_joined_by_id_and_year_and_says_how_old_it_is():
    table = pd.DataFrame({"unit": ["a", "a", "b"], "year": [2020, 2022, 2022]}, index=[5, 6, 7])
    known = pd.DataFrame({"unit": ["a", "a"], "year": [2019, 2020], "coverage": [0.7, 0.8]})
    exact = coverage.attach(table, known, unit="unit", year="year")
    assert exact["coverage"].isna().tolist() == [False, True, True]
    carried = coverage.attach(table, known, unit="unit", year="year", carry_forward=True)
    assert carried["coverage"].tolist()[:2] == [0.8, 0.8]
    assert carried["coverage_age"].tolist()[:2] == [0, 2]
    assert carried.index.tolist() == [5, 6, 7]
    with pytest.raises(DataError, match="repeat"):
        coverage.attach(table, pd.concat([known, known]), unit="unit", year="year")
