"""Counts per group and time are what a hand count gives, and faulty follow-up is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from workbench.analysis import counts, inputs
from workbench.errors import DataError, StudyError


def _persons(**columns: object) -> pd.DataFrame:
    base = {"days": [1, 2, 2, 3, 4], "died": [1, 1, 0, 0, 1]}
    return pd.DataFrame(base | columns)


def _count(persons: pd.DataFrame, **options: object) -> pd.DataFrame:
    return counts.count_events(persons, duration="days", event="died", **options)


def test_counts_are_those_of_a_hand_count():
    expected = pd.DataFrame(
        {
            "time": [1, 2, 3, 4],
            "at_risk": [5, 4, 2, 1],
            "events": [1, 1, 0, 1],
            "censored": [0, 1, 1, 0],
        }
    )
    pd.testing.assert_frame_equal(_count(_persons()), expected)


def test_categories_keep_their_order_and_empty_ones_do_not_appear():
    region = pd.Categorical(["s", "n", "s", "n", "s"], categories=["s", "n", "w"])
    found = _count(_persons(region=region), by="region")
    assert found["region"].astype(str).tolist() == ["s", "s", "s", "n", "n"]
    assert found["time"].tolist() == [1, 2, 4, 2, 3]
    assert found["at_risk"].tolist() == [3, 2, 1, 2, 1]


def test_several_grouping_columns_make_one_group_per_combination():
    found = _count(_persons(sex=[1, 1, 2, 2, 2], site=list("babab")), by=["site", "sex"])
    keys = list(found[["site", "sex"]].itertuples(index=False, name=None))
    assert keys == [("a", 1), ("a", 2), ("b", 1), ("b", 2), ("b", 2)]


def test_delayed_entry_is_at_risk_only_after_entry():
    # entries at 0, 1, 0, 2, 0: at time 1 the second and the fourth are not yet at risk
    found = _count(_persons(start=[0, 1, 0, 2, 0]), entry="start")
    assert found["time"].tolist() == [0, 1, 2, 3, 4]
    assert found["entered"].tolist() == [3, 1, 1, 0, 0]
    assert found["at_risk"].tolist() == [0, 3, 3, 2, 1]


def test_weights_are_summed_and_persons_kept_beside_them():
    found = _count(_persons(w=[1.5, 2.0, 0.5, 1.0, 3.0]), weight="w")
    assert found["at_risk"].tolist() == [8.0, 6.5, 4.0, 3.0]
    assert found["events"].tolist() == [1.5, 2.0, 0.0, 3.0]
    assert found["n_at_risk"].tolist() == [5, 4, 2, 1]
    assert found["n_censored"].tolist() == [0, 1, 1, 0]


def test_with_weights_and_entry_nobody_at_risk_is_exactly_nobody():
    persons = pd.DataFrame({"days": [1, 2, 9], "died": 1, "start": [0, 0, 5], "w": [0.1, 0.7, 0.2]})
    found = _count(persons, entry="start", weight="w")
    assert found.loc[found["time"] == 5, "at_risk"].tolist() == [0.0]


def test_fractional_days_stay_fractional():
    found = _count(_persons(days=[0.5, 0.25, 0.5, 3.0, 1.0]))
    assert found["time"].tolist() == [0.25, 0.5, 1.0, 3.0]


@pytest.mark.parametrize("kind", ["bool", "boolean", "Int64", "float64"])
def test_events_may_be_of_any_yes_no_type(kind):
    persons = _persons()
    found = _count(persons.assign(died=persons["died"].astype(kind)))
    assert found["events"].tolist() == [1, 1, 0, 1]


def test_index_and_order_of_rows_do_not_matter_and_input_is_unchanged():
    persons = _persons(region=list("xyxyx"))
    shuffled = persons.iloc[[3, 0, 4, 2, 1]].set_axis([7, 7, 7, 1, 0])
    before = shuffled.copy(deep=True)
    pd.testing.assert_frame_equal(_count(persons, by="region"), _count(shuffled, by="region"))
    pd.testing.assert_frame_equal(shuffled, before)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"days": [1, 2, None, None, 3]}, r'column "days": missing in 2 rows'),
        ({"days": [1, -2, 3, 4, 5]}, r'column "days": negative in 1 rows'),
        ({"days": [1, np.inf, 3, 4, 5]}, r'column "days": infinite in 1 rows'),
        ({"days": list("abcde")}, r'column "days": holds .*; expected numbers'),
        ({"died": [0, 1, 2, 7, 1]}, r'column "died": neither 0 nor 1 in 2 rows'),
        ({"died": [0, 1, None, 0, 1]}, r'column "died": missing in 1 rows'),
        ({"died": [0, 1, -1, 0, 1]}, r'column "died": neither 0 nor 1 in 1 rows'),
    ],
)
def test_faulty_follow_up_is_refused_with_column_and_number_of_rows(columns, said):
    with pytest.raises(DataError, match=said):
        _count(_persons(**columns))


def test_all_faults_are_told_at_once():
    with pytest.raises(DataError) as caught:
        _count(_persons(days=[-1, 2, 3, None, 5], died=[1, 5, 0, 0, 0]))
    assert str(caught.value).count("\n  - ") == 3


def test_entry_not_before_exit_and_weight_of_zero_are_refused():
    with pytest.raises(DataError, match='"start": not before "days" in 2 rows'):
        _count(_persons(start=[1, 0, 0, 5, 0]), entry="start")
    with pytest.raises(DataError, match='"w": 0 in 1 rows'):
        _count(_persons(w=[1, 0, 1, 1, 1]), weight="w")


def test_missing_groups_are_refused_and_counted_without_values():
    with pytest.raises(DataError, match='"region": missing in 2 of 5 rows') as caught:
        _count(_persons(region=["secret", None, "secret", None, "y"]), by="region")
    assert "secret" not in str(caught.value)


def test_a_misspelt_column_is_told_the_nearest():
    with pytest.raises(DataError, match=r'no column "dayz".*Did you mean "days"'):
        counts.count_events(_persons(), duration="dayz", event="died")


def test_no_persons_no_frame_and_doubled_columns_are_refused():
    with pytest.raises(DataError, match="no persons"):
        _count(_persons().iloc[:0])
    with pytest.raises(DataError, match="pandas frame"):
        _count([1, 2])
    doubled = pd.concat([_persons(), _persons()[["days"]]], axis=1)
    with pytest.raises(DataError, match="more than one column"):
        _count(doubled)


@pytest.mark.parametrize("by", ["events", ["region", "region"]])
def test_a_group_named_as_a_result_column_or_twice_is_refused(by):
    with pytest.raises(DataError, match="Rename"):
        _count(_persons(region=list("xyxyx"), events=1), by=by)


@pytest.mark.parametrize("times", [[], ["a"], [1, np.nan], [True]])
def test_times_that_are_not_finite_numbers_are_refused(times):
    with pytest.raises(StudyError, match="times"):
        inputs.check_times(times)


@pytest.mark.parametrize(("level", "text"), [(2.0, "2"), (2.5, "2.5"), (True, "True"), ("a", "a")])
def test_labels_print_whole_numbers_as_such(level, text):
    assert inputs.label(level) == text
