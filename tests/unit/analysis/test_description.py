"""Table 1 counts everybody, shows what is missing and sizes differences as worked by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from workbench.analysis import description
from workbench.errors import DataError, StudyError


def _difference(values: list, groups: str) -> float:
    persons = pd.DataFrame({"x": values, "group": list(groups)})
    found = description.table_one(persons, variables=["x"], by="group")["standardised_difference"]
    assert found.nunique(dropna=False) == 1
    return float(found.iloc[0])


def _row(table: pd.DataFrame, **facts: object) -> pd.Series:
    for column, value in facts.items():
        table = table[table[column] == value]
    assert len(table) == 1
    return table.iloc[0]


PERSONS = pd.DataFrame(
    {
        "age": [50.0, 60.0, 70.0, 80.0, None],
        "stage": pd.Categorical([1, 2, 99, 2, 1], categories=[1, 2, 3, 99]),
        "treated": [True, False, True, True, False],
        "sex": ["woman", "man", "man", "woman", "man"],
    }
)


def test_one_row_per_variable_level_and_group_with_every_count():
    found = description.table_one(
        PERSONS, variables=["age", "stage"], by="sex", unknown={"stage": [99]}
    )
    assert found.columns.tolist() == description.COLUMNS
    assert found["group"].unique().tolist() == ["all", "man", "woman"]
    shape = found.drop_duplicates(["variable", "kind", "level"])
    assert shape[["variable", "kind", "level"]].to_numpy().tolist() == [
        *[["age", "number", ""], ["age", "missing", ""]],
        *[["stage", "category", level] for level in ("1", "2", "3")],
        ["stage", "missing", ""],
    ]
    counts = found[["n", "n_group", "n_missing"]]
    assert (counts.dtypes == np.int64).all()


def test_numbers_are_described_without_the_missing():
    found = description.table_one(PERSONS, variables=["age"], by="sex")
    everyone = _row(found, kind="number", group="all")
    assert everyone[["n", "n_group", "n_missing"]].tolist() == [4, 5, 1]
    assert everyone[["mean", "median"]].tolist() == [65.0, 65.0]
    assert everyone["std_dev"] == pytest.approx(np.sqrt(500 / 3))
    assert everyone[["lower_quartile", "upper_quartile"]].tolist() == [57.5, 72.5]
    missing = _row(found, kind="missing", group="man")
    assert (missing["n"], missing["percent"]) == (1, pytest.approx(100 / 3))


def test_categories_are_shares_of_the_known_and_unknown_codes_are_missing():
    found = description.table_one(PERSONS, variables=["stage"], unknown={"stage": [99]})
    assert found["n"].tolist() == [2, 2, 0, 1]
    np.testing.assert_allclose(found["percent"], [50, 50, 0, 20])
    assert found["n_missing"].tolist() == [1, 1, 1, 1]
    assert found["standardised_difference"].isna().all()


def test_unknown_codes_of_text_and_numbers_are_missing_too():
    persons = pd.DataFrame({"site": ["colon", "?", "rectum"], "score": [1.0, -9.0, 3.0]})
    found = description.table_one(
        persons, variables=["site", "score"], unknown={"site": "?", "score": [-9]}
    )
    assert found["level"].tolist() == ["colon", "rectum", "", "", ""]
    assert _row(found, kind="number")["mean"] == 2.0
    assert found["n_missing"].tolist() == [1] * 5


def test_cells_and_missing_add_up_to_the_group():
    found = description.table_one(PERSONS, variables=["stage", "treated"], by="sex")
    total = found.groupby(["variable", "group"])["n"].sum()
    group = found.groupby(["variable", "group"])["n_group"].first()
    assert (total == group).all()


def test_a_number_that_is_missing_for_everyone_is_told():
    empty = PERSONS.assign(age=np.nan, note=None)
    found = description.table_one(empty, variables=["age", "note"], by="sex")
    number = found[found["kind"] == "number"]
    assert number["n"].tolist() == [0, 0, 0]
    assert number[["mean", "std_dev", "median"]].isna().all(axis=None)
    missing = found[(found["variable"] == "note") & (found["group"] == "all")]
    assert missing[["kind", "n", "percent"]].to_numpy().tolist() == [["missing", 5, 100.0]]
    assert found["standardised_difference"].isna().all()


def test_a_group_with_only_missing_has_no_share():
    persons = pd.DataFrame({"x": ["a", None], "group": ["g", "h"]})
    found = description.table_one(persons, variables=["x"], by="group")
    assert np.isnan(_row(found, kind="category", group="h")["percent"])
    assert np.isnan(found["standardised_difference"].iloc[0])


def test_difference_of_means_by_hand():
    # means 2 and 4, variances 1 and 4: 2 / sqrt(2.5)
    assert _difference([1, 2, 3, 2, 4, 6], "aaabbb") == pytest.approx(2 / np.sqrt(2.5), rel=1e-14)


def test_difference_of_two_shares_by_hand():
    # 3/4 and 1/4, variance 3/16 each: 1/2 / sqrt(3/16)
    found = _difference(list("yyynynnn"), "aaaabbbb")
    assert found == pytest.approx(0.5 / np.sqrt(3 / 16), rel=1e-14)


def test_difference_of_three_shares_by_hand():
    # (1/2, 1/4, 1/4) and (1/4, 1/4, 1/2). Without the first level the gap is (0, 1/4) in size and
    # the mean covariance [[3/16, -3/32], [-3/32, 7/32]], determinant 33/1024; the squared
    # distance is 1/16 x 3/16 / (33/1024) = 4/11
    found = _difference(list("xxyzxyzz"), "aaaabbbb")
    assert found == pytest.approx(np.sqrt(4 / 11), rel=1e-14)


def test_of_more_than_two_groups_the_largest_pair_counts():
    # means 0, 1 and 3, all variances 2: the largest is 3 / sqrt(2)
    assert _difference([-1, 1, 0, 2, 2, 4], "aabbcc") == pytest.approx(3 / np.sqrt(2), rel=1e-14)


@pytest.mark.parametrize(
    ("values", "groups", "expected"),
    [
        ([5, 5, 5, 5], "aabb", 0.0),  # all equal
        ([0.1, 0.1, 0.1, 0.1, 0.1], "aaabb", 0.0),  # all equal, not exact in floating point
        ([5, 5, 6, 6], "aabb", np.nan),  # nothing varies, means differ
        (["x", "x", "x", "x"], "aabb", 0.0),
        (["x", "x", "y", "z"], "aabb", np.nan),  # no level in common
        (["x", "y", "z", "x"], "aaab", 2.0),  # (1/3, 1/3, 1/3) and (1, 0, 0); see below
        ([1, 2, 3], "aaa", np.nan),  # one group
        ([1, 2, 3, 4], "aabc", np.nan),  # one person has no variance
    ],
)
def test_difference_at_the_edges(values, groups, expected):
    # (1/3, 1/3, 1/3) and (1, 0, 0): gap (1/3, 1/3); mean covariance [[1/9, -1/18], [-1/18, 1/9]];
    # its inverse [[12, 6], [6, 12]]; squared distance 1/9 x 36 = 4
    assert _difference(values, groups) == pytest.approx(expected, rel=1e-12, nan_ok=True)


def test_index_and_order_do_not_matter_and_input_is_unchanged():
    other = PERSONS.iloc[[4, 2, 0, 1, 3]].set_axis([1, 1, 1, 0, 0])
    before = other.copy(deep=True)
    names = ["age", "stage", "treated"]
    found = description.table_one(other, variables=names, by="sex")
    pd.testing.assert_frame_equal(
        found, description.table_one(PERSONS, variables=names, by="sex"), rtol=1e-12
    )
    pd.testing.assert_frame_equal(other, before)


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"variables": []}, StudyError, "variables"),
        ({"variables": ["age", "age"]}, StudyError, "variables"),
        ({"variables": ["sex"], "by": "sex"}, StudyError, "variables"),
        ({"variables": ["age"], "unknown": {"stage": [99]}}, StudyError, "unknown: stage"),
        ({"variables": ["agee"]}, DataError, 'Did you mean "age"'),
        ({"variables": ["day"]}, DataError, "a date has no place"),
        ({"variables": ["endless"]}, DataError, "infinite in 1 rows"),
        ({"variables": ["age"], "by": "gap"}, DataError, '"gap": missing in 2 of 5 rows'),
        ({"variables": ["age"], "by": "whole"}, DataError, "stands for everyone"),
        ({"variables": ["age"], "by": "alike"}, DataError, "printed alike"),
    ],
)
def test_what_cannot_be_described_is_refused(options, error, said):
    persons = PERSONS.assign(
        day=pd.Timestamp("2020-01-01"),
        endless=[1, np.inf, 2, 3, 4],
        gap=["a", None, None, "b", "b"],
        whole=["all", "a", "a", "a", "a"],
        alike=pd.Categorical([1, "1", 1, 1, 1]),
    )
    with pytest.raises(error, match=said):
        description.table_one(persons, **options)
