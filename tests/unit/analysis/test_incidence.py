"""Cumulative incidence and Gray's test equal hand-worked ones and keep their laws."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.analysis import competing, counts, survival
from workbench.errors import DataError, StudyError

COLUMNS = {"duration": "days", "event": "what"}

people = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 2), st.sampled_from("ab")),
    min_size=1,
    max_size=30,
).map(lambda rows: pd.DataFrame(rows, columns=["days", "what", "group"]))


def _persons(days: list, what: list, **columns: object) -> pd.DataFrame:
    return pd.DataFrame({"days": days, "what": what} | columns)


FIVE = _persons([1, 2, 2, 3, 4], [1, 2, 0, 1, 0])


def test_incidence_equals_the_hand_calculation():
    # free of any event: 4/5, 3/5, 3/10; cause 1: 1/5, then 3/5 x 1/2; cause 2: 4/5 x 1/4
    found = competing.cumulative_incidence(FIVE, **COLUMNS)
    assert found.columns.tolist() == (
        ["cause", "time", "at_risk", "events", "estimate", "std_error", "lower", "upper"]
    )
    assert found["cause"].tolist() == [1] * 4 + [2] * 4
    np.testing.assert_allclose(found["estimate"], [0.2, 0.2, 0.5, 0.5, 0, 0.2, 0.2, 0.2])
    assert found["at_risk"].tolist() == [5, 4, 2, 1] * 2
    assert found["events"].tolist() == [1, 0, 1, 0, 0, 1, 0, 0]
    # before anything else happens it is a proportion
    assert found["std_error"][0] == pytest.approx(np.sqrt(0.2 * 0.8 / 5))
    assert found.loc[4, ["std_error", "lower", "upper"]].tolist() == [0, 0, 0]


def test_at_times_events_are_since_the_time_before_and_past_follow_up_is_missing():
    found = competing.cumulative_incidence(FIVE, **COLUMNS, times=[0, 2.5, 3, 9])
    own = found[found["cause"] == 1]
    assert own["events"].tolist() == [0, 1, 1, 0]
    assert own["at_risk"].tolist() == [5, 2, 2, 0]
    np.testing.assert_allclose(own["estimate"], [0, 0.2, 0.5, np.nan])
    assert own[["std_error", "lower", "upper"]].iloc[3].isna().all()


@given(people, st.sampled_from(["log-log", "log", "plain"]), st.sampled_from(["delta", "aalen"]))
@settings(max_examples=30, deadline=None)
def test_shares_rise_add_up_to_those_with_an_event_and_lie_in_their_limits(people, scale, kind):
    persons = people
    options = {"by": "group", "interval": scale}
    found = competing.cumulative_incidence(persons, **COLUMNS, **options, variance=kind)
    assert not (found.groupby(["group", "cause"])["estimate"].diff() < 0).any()
    free = survival.kaplan_meier(persons.assign(what=persons["what"] > 0), **COLUMNS, by="group")
    together = found.groupby(["group", "time"])["estimate"].sum()
    np.testing.assert_allclose(together, 1 - free["estimate"], atol=1e-12)
    known = found.dropna(subset="lower")
    assert (known["lower"].between(0, known["estimate"] + 1e-12)).all()
    assert (known["upper"].between(known["estimate"] - 1e-12, 1)).all()


@given(people)
@settings(max_examples=20, deadline=None)
def test_with_one_cause_it_is_one_minus_kaplan_meier(persons):
    persons = persons.assign(what=persons["what"].clip(upper=1))
    found = competing.cumulative_incidence(persons, **COLUMNS, by="group")
    free = survival.kaplan_meier(persons, **COLUMNS, by="group")
    np.testing.assert_allclose(found["estimate"], 1 - free["estimate"], atol=1e-12)
    known = free["std_error"].notna().to_numpy()
    np.testing.assert_allclose(
        found["std_error"][known], free["std_error"][known], rtol=1e-9, atol=1e-9
    )


@given(people)
@settings(max_examples=20, deadline=None)
def test_whole_weights_are_repeated_persons_and_equal_part_weights_change_no_error(persons):
    plain = competing.cumulative_incidence(persons, **COLUMNS, by="group")
    doubled = competing.cumulative_incidence(pd.concat([persons, persons]), **COLUMNS, by="group")
    twice = competing.cumulative_incidence(persons.assign(w=2), **COLUMNS, by="group", weight="w")
    pd.testing.assert_frame_equal(twice, doubled, check_dtype=False)
    part = competing.cumulative_incidence(persons.assign(w=0.5), **COLUMNS, by="group", weight="w")
    np.testing.assert_allclose(part["estimate"], plain["estimate"], rtol=1e-9)
    # a variance of 0 (everybody has had the event) comes out as some 1e-16
    np.testing.assert_allclose(
        part["std_error"] ** 2, plain["std_error"] ** 2, rtol=1e-8, atol=1e-14
    )


@given(people, st.randoms(use_true_random=False))
@settings(max_examples=20, deadline=None)
def test_order_index_unit_and_way_of_counting_do_not_matter(persons, random):
    order = random.sample(range(len(persons)), len(persons))
    other = persons.iloc[order].set_axis([0] * len(persons)).assign(days=lambda d: d["days"] / 7)
    expected = competing.cumulative_incidence(persons, **COLUMNS, by="group")
    found = competing.cumulative_incidence(other, **COLUMNS, by="group")
    pd.testing.assert_frame_equal(found.drop(columns="time"), expected.drop(columns="time"))
    made = counts.event_counts(persons, **COLUMNS, by="group", causes=True)
    pd.testing.assert_frame_equal(competing.cumulative_incidence(made, by="group"), expected)
    table = ibis.memtable(persons)
    pd.testing.assert_frame_equal(
        competing.cumulative_incidence(table, **COLUMNS, by="group"), expected
    )


def test_a_group_without_the_event_keeps_its_rows():
    persons = _persons([1, 2, 1, 2], [2, 0, 1, 0], group=list("aabb"))
    found = competing.cumulative_incidence(persons, **COLUMNS, by="group", times=[2])
    assert found[["group", "cause"]].to_numpy().tolist() == (
        [["a", 1], ["a", 2], ["b", 1], ["b", 2]]
    )
    assert found["estimate"].tolist() == [0, 0.5, 0.5, 0]


def test_delayed_entry_by_hand():
    # at 2 the first and second are at risk, at 4 the second and third
    persons = _persons([2, 4, 5], [1, 2, 0], start=[0, 1, 3])
    found = competing.cumulative_incidence(persons, **COLUMNS, entry="start", times=[5])
    assert found["estimate"].tolist() == [0.5, 0.25]


def test_settings_and_codes_that_make_no_sense_are_refused():
    with pytest.raises(StudyError, match="variance"):
        competing.cumulative_incidence(FIVE, **COLUMNS, variance="greenwood")
    with pytest.raises(StudyError, match="interval"):
        competing.cumulative_incidence(FIVE, **COLUMNS, interval="logit")
    with pytest.raises(StudyError, match="column of the result"):
        competing.cumulative_incidence(FIVE.assign(cause=1), **COLUMNS, by="cause")
    with pytest.raises(StudyError, match="not for weights"):
        competing.cumulative_incidence(FIVE.assign(w=2), **COLUMNS, weight="w", variance="aalen")
    for codes in ([0, 1, 1.5, 0, 0], [0, -1, 1, 0, 0], [0, 1, 4021, 0, 0]):
        with pytest.raises(DataError, match="neither 0 .censored. nor a cause .* in 1 rows"):
            competing.cumulative_incidence(FIVE.assign(what=codes), **COLUMNS)


TWO = _persons([1, 2, 3, 4], [1, 1, 0, 0], group=list("abab"))


def test_grays_test_by_hand():
    # observed - expected in a: 1 - 1/2 - 1/3; its variance, from Gray's formula, 557/1152
    found = competing.gray_test(TWO, **COLUMNS, cause=1, by="group")
    assert found.statistic == pytest.approx((1 / 6) ** 2 / (557 / 1152), rel=1e-12)
    assert found.degrees_of_freedom == 1
    assert found.variance[0, 0] == pytest.approx(557 / 1152, rel=1e-12)
    assert found.table.columns.tolist() == ["group", "n", "events", "observed", "expected"]
    assert found.table["n"].tolist() == [2, 2]


@given(people)
@settings(max_examples=30, deadline=None)
def test_grays_test_does_not_care_for_names_or_order(persons):
    if persons.loc[persons["what"] == 1, "group"].nunique() < 2:
        return
    try:
        found = competing.gray_test(persons, **COLUMNS, cause=1, by="group")
    except DataError as error:
        assert "never at risk together" in str(error)  # noqa: PT017
        return
    other = persons.iloc[::-1].assign(group=persons["group"].map({"a": "z", "b": "b"}))
    again = competing.gray_test(other, **COLUMNS, cause=1, by="group")
    assert again.statistic == pytest.approx(found.statistic, rel=1e-7)
    assert found.table["observed"].sum() == pytest.approx(found.table["expected"].sum())
    assert 0 <= found.p_value <= 1


def test_strata_compare_within_and_add_up():
    twice = pd.concat([TWO.assign(site=1), TWO.assign(site=2)])
    once = competing.gray_test(TWO, **COLUMNS, cause=1, by="group")
    found = competing.gray_test(twice, **COLUMNS, cause=1, by=["group"], strata="site")
    assert found.statistic == pytest.approx(2 * once.statistic, rel=1e-12)


@pytest.mark.parametrize(
    ("persons", "options", "said"),
    [
        (TWO.assign(group="a"), {}, "one group only"),
        (TWO, {"cause": 2}, "no event of this cause"),
        (TWO.assign(site=TWO["group"]), {"strata": "site"}, "never at risk together"),
    ],
)
def test_a_comparison_that_cannot_be_made_is_refused(persons, options, said):
    with pytest.raises(DataError, match=said):
        competing.gray_test(persons, **COLUMNS, **({"cause": 1, "by": "group"} | options))
