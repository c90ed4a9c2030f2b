"""Survival estimates equal hand-worked ones and keep the laws of a survival curve."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.analysis import counts, survival
from workbench.analysis.survival.comparison import adjusted
from workbench.analysis.survival.intervals import INTERVALS
from workbench.errors import DataError, StudyError

COLUMNS = {"duration": "days", "event": "died"}


def _persons(days: list, died: list, **columns: object) -> pd.DataFrame:
    return pd.DataFrame({"days": days, "died": died} | columns)


FIVE = _persons([1, 2, 2, 3, 4], [1, 1, 0, 0, 1])

people = st.lists(
    st.tuples(st.integers(0, 12), st.booleans(), st.sampled_from("ab")), min_size=1, max_size=30
).map(lambda rows: pd.DataFrame(rows, columns=["days", "died", "group"]))


def test_kaplan_meier_equals_the_hand_calculation():
    # S: 4/5, 4/5 x 3/4, same, 0; Greenwood at 2: 1/(5 x 4) + 1/(4 x 3) = 2/15
    found = survival.kaplan_meier(FIVE, **COLUMNS, interval="plain")
    assert found.columns.tolist() == (
        ["time", "at_risk", "events", "censored", "estimate", "std_error", "lower", "upper"]
    )
    np.testing.assert_allclose(found["estimate"], [0.8, 0.6, 0.6, 0.0], atol=1e-15)
    assert found["std_error"][1] == pytest.approx(0.6 * np.sqrt(2 / 15), rel=1e-14)
    assert found["lower"][1] == pytest.approx(0.6 - 1.959963984540054 * 0.6 * np.sqrt(2 / 15))
    assert found[["std_error", "lower", "upper"]].iloc[3].isna().all()


@pytest.mark.parametrize(
    ("interval", "lower", "upper"),
    # by hand: S = 0.6, z sqrt(2/15) = 0.7156776, log 0.6 = -0.5108256; 0.6 exp(0.71) is above 1
    [
        ("log", 0.6 * np.exp(-0.7156776), 1.0),
        ("log-log", 0.6 ** np.exp(0.7156776 / 0.5108256), 0.6 ** np.exp(-0.7156776 / 0.5108256)),
    ],
)
def test_intervals_are_on_the_asked_scale(interval, lower, upper):
    row = survival.kaplan_meier(FIVE, **COLUMNS, interval=interval).iloc[1]
    assert (row["lower"], row["upper"]) == pytest.approx((lower, upper), rel=1e-6)


def test_at_times_counts_since_the_time_before_and_past_follow_up_is_missing():
    found = survival.kaplan_meier(FIVE, **COLUMNS, times=[3, 0, 2.5, 9])
    assert found["time"].tolist() == [0, 2.5, 3, 9]
    assert found["at_risk"].tolist() == [5, 2, 2, 0]
    assert found["events"].tolist() == [0, 2, 0, 1]
    assert found["censored"].tolist() == [0, 1, 1, 0]
    np.testing.assert_allclose(found["estimate"], [1.0, 0.6, 0.6, np.nan])
    assert found.loc[3, ["std_error", "lower", "upper"]].isna().all()


def test_each_group_has_its_own_last_follow_up():
    persons = _persons([1, 5, 1, 2], [1, 0, 1, 0], group=list("aabb"))
    found = survival.kaplan_meier(persons, **COLUMNS, by="group", times=[4])
    np.testing.assert_allclose(found["estimate"], [0.5, np.nan])
    assert found["at_risk"].tolist() == [1, 0]


def test_a_group_without_events_stays_at_one():
    persons = _persons([1, 5, 1, 2], [1, 0, 0, 0], group=list("aabb"))
    found = survival.kaplan_meier(persons, **COLUMNS, by="group")
    without = found[found["group"] == "b"]
    assert (without[["estimate", "lower", "upper"]] == 1).all(axis=None)
    assert (without["std_error"] == 0).all()


def test_an_event_at_time_zero_counts():
    found = survival.kaplan_meier(_persons([0, 1], [1, 0]), **COLUMNS, times=[0])
    assert (found["estimate"][0], found["at_risk"][0]) == (0.5, 2)


def test_delayed_entry_by_hand():
    # at 2 the first and second are at risk (1/2 leaves), at 4 the second and third
    persons = _persons([2, 4, 5], [1, 1, 0], start=[0, 1, 3])
    found = survival.kaplan_meier(persons, **COLUMNS, entry="start")
    assert found["time"].tolist() == [2, 4, 5]
    assert found["at_risk"].tolist() == [2, 2, 1]
    np.testing.assert_allclose(found["estimate"], [0.5, 0.25, 0.25])
    early = survival.kaplan_meier(persons, **COLUMNS, entry="start", times=[0, 1, 3])
    assert early["at_risk"].tolist() == [0, 1, 1]
    assert early["estimate"].tolist() == [1.0, 1.0, 0.5]


@given(people, st.sampled_from(INTERVALS))
@settings(max_examples=20, deadline=None)
def test_the_curve_never_rises_and_stays_within_its_limits(persons, interval):
    found = survival.kaplan_meier(persons, **COLUMNS, by="group", interval=interval)
    rises = found.groupby("group")["estimate"].diff() > 0
    assert not rises.any()
    assert found["estimate"].between(0, 1).all()
    known = found.dropna(subset="lower")
    assert (known["lower"].between(0, known["estimate"])).all()
    assert (known["upper"].between(known["estimate"], 1)).all()
    assert found["at_risk"].groupby(found["group"]).first().sum() == len(persons)


@given(people)
@settings(max_examples=20, deadline=None)
def test_a_weight_of_two_is_a_doubled_row(persons):
    doubled = pd.concat([persons, persons])
    weighted = survival.kaplan_meier(persons.assign(w=2), **COLUMNS, by="group", weight="w")
    again = survival.kaplan_meier(doubled, **COLUMNS, by="group")
    pd.testing.assert_frame_equal(weighted[again.columns], again, check_dtype=False)


@given(people)
@settings(max_examples=20, deadline=None)
def test_the_robust_error_of_equal_fractional_weights_is_greenwoods(persons):
    # the infinitesimal jackknife of an unweighted curve is Greenwood's formula
    halved = survival.kaplan_meier(persons.assign(w=0.5), **COLUMNS, weight="w")
    plain = survival.kaplan_meier(persons, **COLUMNS)
    np.testing.assert_allclose(halved["std_error"], plain["std_error"], rtol=1e-9, atol=1e-12)


@given(people, st.randoms(use_true_random=False))
@settings(max_examples=20, deadline=None)
def test_order_index_and_time_unit_do_not_matter(persons, random):
    order = random.sample(range(len(persons)), len(persons))
    other = persons.iloc[order].set_axis([0] * len(persons)).assign(days=lambda d: d["days"] / 365)
    found = survival.kaplan_meier(other, **COLUMNS, by="group")
    expected = survival.kaplan_meier(persons, **COLUMNS, by="group")
    np.testing.assert_allclose(found["time"] * 365, expected["time"])
    pd.testing.assert_frame_equal(found.drop(columns="time"), expected.drop(columns="time"))


@given(people, st.lists(st.integers(0, 14), min_size=1, max_size=4))
@settings(max_examples=20, deadline=None)
def test_number_at_risk_equals_counting_persons(persons, times):
    found = survival.number_at_risk(persons, **COLUMNS, by="group", times=times)
    for row in found.itertuples():
        own = persons[persons["group"] == row.group]
        assert row.at_risk == (own["days"] >= row.time).sum()
        until = own[own["days"] <= row.time]
        assert (row.events, row.censored) == (until["died"].sum(), (~until["died"]).sum())


def test_number_at_risk_of_everyone_has_no_group_column():
    found = survival.number_at_risk(FIVE, **COLUMNS, times=[0, 2])
    assert found.columns.tolist() == ["time", "at_risk", "events", "censored"]
    assert found.to_numpy().tolist() == [[0, 5, 0, 0], [2, 4, 2, 1]]


@pytest.mark.parametrize(
    ("days", "died", "median"),
    [
        ([1, 2, 3, 4], [1, 1, 1, 1], 2.5),  # flat at one half from 2 to 3
        ([1, 2, 3, 5], [1, 1, 0, 0], 3.5),  # ends on one half: flat from 2 to the last follow-up
        ([1, 2, 3], [1, 1, 1], 2.0),
        ([1, 2, 3], [1, 0, 0], np.nan),  # never down to one half
        ([5], [1], 5.0),
    ],
)
def test_median_is_the_middle_of_a_flat_stretch_and_missing_if_not_reached(days, died, median):
    found = survival.quantiles(_persons(days, died), **COLUMNS)
    assert found.columns.tolist() == ["q", "n", "events", "estimate", "lower", "upper"]
    np.testing.assert_allclose(found["estimate"], [median])
    assert found[["n", "events"]].to_numpy().tolist() == [[len(days), sum(died)]]


def test_quantile_limits_are_where_the_limits_of_the_curve_cross():
    persons = _persons(list(range(1, 21)), [1] * 20)
    curve = survival.kaplan_meier(persons, **COLUMNS)
    found = survival.quantiles(persons, **COLUMNS, q=[0.25, 0.5])
    for row in found.itertuples():
        assert row.lower == curve.loc[curve["lower"] <= 1 - row.q, "time"].iloc[0]
        assert row.upper == curve.loc[curve["upper"] <= 1 - row.q, "time"].iloc[0]


FOUR = _persons([1, 3, 2, 4], [1, 1, 1, 0], group=list("aabb"))


def test_log_rank_equals_the_hand_calculation():
    # expected in a: 2/4 + 1/3 + 1/2 = 4/3; variance 1/4 + 2/9 + 1/4 = 13/18; (2/3)^2 / (13/18)
    found = survival.logrank(FOUR, **COLUMNS, by="group")
    assert found.statistic == pytest.approx(8 / 13, rel=1e-14)
    assert found.degrees_of_freedom == 1
    assert found.table.columns.tolist() == ["group", "n", "events", "observed", "expected"]
    assert found.table["n"].tolist() == [2, 2]
    np.testing.assert_allclose(found.table["observed"], [2, 1])
    np.testing.assert_allclose(found.table["expected"], [4 / 3, 5 / 3])
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.statistic = 0


def test_strata_compare_within_and_add_up():
    twice = pd.concat([FOUR.assign(site=1), FOUR.assign(site=2)])
    found = survival.logrank(twice, **COLUMNS, by=["group"], strata="site")
    # twice the difference and twice the variance of one stratum
    assert found.statistic == pytest.approx(16 / 13, rel=1e-14)


def test_early_and_late_weights_by_hand():
    # pooled S(t-): 1, 3/4, 1/2; rho = 1: U = 1/2 - 1/4 + 1/4, V = 1/4 + 1/8 + 1/16
    early = survival.logrank(FOUR, **COLUMNS, by="group", rho=1)
    assert early.statistic == pytest.approx((1 / 2) ** 2 / (7 / 16), rel=1e-14)
    # gamma = 1: weights 0, 1/4, 1/2: U = -1/12 + 1/4, V = 2/144 + 1/16
    late = survival.logrank(FOUR, **COLUMNS, by="group", gamma=1)
    assert late.statistic == pytest.approx((1 / 6) ** 2 / (11 / 144), rel=1e-14)


def test_a_group_never_at_risk_when_events_happen_costs_no_degree_of_freedom():
    more = pd.concat([FOUR, _persons([0], [0], group=["c"])])
    found = survival.logrank(more, **COLUMNS, by="group")
    assert found.degrees_of_freedom == 1
    assert found.statistic == pytest.approx(8 / 13, rel=1e-14)
    assert len(found.table) == 3


@pytest.mark.parametrize(
    ("persons", "options", "said"),
    [
        (FOUR.assign(group="a"), {}, "one group only"),
        (FOUR.assign(died=0), {}, "no events"),
        (FOUR.assign(site=FOUR["group"]), {"strata": "site"}, "never at risk together"),
        (FOUR.assign(site=[1, 1, 2, None]), {"strata": "site"}, "missing in 1 of 4 rows"),
    ],
)
def test_a_comparison_that_cannot_be_made_is_refused(persons, options, said):
    with pytest.raises(DataError, match=said):
        survival.logrank(persons, **COLUMNS, by="group", **options)


def test_settings_that_make_no_sense_are_refused():
    with pytest.raises(StudyError, match="interval"):
        survival.kaplan_meier(FIVE, **COLUMNS, interval="logit")
    with pytest.raises(StudyError, match="confidence"):
        survival.kaplan_meier(FIVE, **COLUMNS, confidence=95)
    with pytest.raises(StudyError, match="q:"):
        survival.quantiles(FIVE, **COLUMNS, q=50)
    with pytest.raises(StudyError, match="rho"):
        survival.logrank(FOUR, **COLUMNS, by="group", rho=-1)
    with pytest.raises(StudyError, match="weighting: expected one of"):
        survival.logrank(FOUR, **COLUMNS, by="group", weighting="wilcoxon")
    with pytest.raises(StudyError, match="either its name or rho"):
        survival.logrank(FOUR, **COLUMNS, by="group", weighting="gehan", rho=1)
    with pytest.raises(StudyError, match="interval: expected one of log, plain"):
        survival.nelson_aalen(FIVE, **COLUMNS, interval="log-log")


def test_codes_of_competing_events_are_sent_to_their_own_estimate():
    with pytest.raises(DataError, match=r"neither 0 nor 1 in 1 rows.*cumulative_incidence"):
        survival.kaplan_meier(FIVE.assign(died=[0, 1, 2, 0, 0]), **COLUMNS)


def test_nelson_aalen_by_hand():
    # hazard: 1/5, 1/5 + 1/4; at 4 all of one: + 1
    found = survival.nelson_aalen(FIVE, **COLUMNS, interval="plain")
    np.testing.assert_allclose(found["estimate"], [0.2, 0.45, 0.45, 1.45])
    np.testing.assert_allclose(found["std_error"] ** 2, [0.04, 0.1025, 0.1025, 1.1025])
    np.testing.assert_allclose(found["lower"], [0, 0, 0, 0])
    log = survival.nelson_aalen(FIVE, **COLUMNS, times=[0, 1, 9])
    half = np.exp(1.959963984540054)
    np.testing.assert_allclose(log["estimate"], [0, 0.2, np.nan])
    np.testing.assert_allclose(log["lower"], [0, 0.2 / half, np.nan])
    np.testing.assert_allclose(log["upper"], [0, 0.2 * half, np.nan])


def test_fleming_harrington_breaks_ties_evenly():
    persons = _persons([1, 1, 2], [1, 1, 0])
    found = survival.fleming_harrington(persons, **COLUMNS, times=[1])
    assert found["estimate"][0] == pytest.approx(np.exp(-1 / 3 - 1 / 2))
    without = survival.fleming_harrington(_persons([1, 2], [0, 0]), **COLUMNS)
    assert without["estimate"].tolist() == [1.0, 1.0]


def test_restricted_mean_by_hand():
    # 1 until 1, 0.8 until 2, 0.6 until 3.5
    found = survival.restricted_mean(FIVE, **COLUMNS, horizon=3.5)
    assert found["estimate"][0] == pytest.approx(1 + 0.8 + 0.6 * 1.5)
    # areas ahead at 1 and 2: 1.7 and 0.9
    assert found["std_error"][0] ** 2 == pytest.approx(1.7**2 / 20 + 0.9**2 / 12)
    # the curve reaches 0 at 4: nothing is missing beyond
    assert survival.restricted_mean(FIVE, **COLUMNS, horizon=9)["estimate"][0] == pytest.approx(3.0)


def test_restricted_mean_is_missing_where_follow_up_ends_before_the_horizon():
    found = survival.restricted_mean(_persons([2, 3], [1, 0]), **COLUMNS, horizon=4)
    assert found[["estimate", "std_error", "lower", "upper"]].isna().all(axis=None)
    early = survival.restricted_mean(_persons([2, 3], [1, 0]), **COLUMNS, horizon=1)
    assert early[["estimate", "std_error"]].to_numpy().tolist() == [[1.0, 0.0]]
    with pytest.raises(StudyError, match="horizon"):
        survival.restricted_mean(FIVE, **COLUMNS, horizon=0)


@given(people)
@settings(max_examples=15, deadline=None)
def test_the_mean_with_equal_part_weights_has_the_plain_error(persons):
    options = {**COLUMNS, "by": "group", "horizon": 4}
    part = survival.restricted_mean(persons.assign(w=0.5), **options, weight="w")
    plain = survival.restricted_mean(persons, **options)
    pd.testing.assert_frame_equal(part, plain, rtol=1e-9, atol=1e-9)


TWO = _persons([1, 3, 4, 6, 2, 4, 5, 8], [1, 1, 0, 0, 0, 1, 1, 0], group=list("aaaabbbb"))


def test_contrasts_of_restricted_means_follow_from_the_means():
    options = {**COLUMNS, "by": "group", "horizon": 5}
    means = survival.restricted_mean(TWO, **options)
    a, b = means["estimate"]
    found = survival.restricted_mean_contrast(TWO, **options)
    assert found["group"].tolist() == ["b"]
    assert found["estimate"][0] == pytest.approx(b - a)
    assert found["std_error"][0] == pytest.approx(np.hypot(*means["std_error"]))
    ratio = survival.restricted_mean_contrast(TWO, **options, contrast="ratio", reference="b")
    assert ratio["group"].tolist() == ["a"]
    assert ratio["estimate"][0] == pytest.approx(a / b)
    assert ratio["lower"][0] * ratio["upper"][0] == pytest.approx((a / b) ** 2)
    with pytest.raises(StudyError, match="contrast"):
        survival.restricted_mean_contrast(TWO, **options, contrast="odds")
    with pytest.raises(StudyError, match="no such group"):
        survival.restricted_mean_contrast(TWO, **options, reference="c")
    with pytest.raises(DataError, match="one group only"):
        survival.restricted_mean_contrast(TWO.assign(group=1), **options)


def test_landmark_compares_the_curves_at_a_time():
    options = {**COLUMNS, "by": "group", "times": [3, 4, 7]}
    curves = survival.kaplan_meier(TWO, **options).set_index(["group", "time"])
    found = survival.landmark(TWO, **options, method="wald")
    assert found["time"].tolist() == [3, 4, 7]
    assert found["estimate"][0] == pytest.approx(1 - curves.loc[("a", 3), "estimate"])
    assert found.loc[2, ["estimate", "lower", "p_value"]].isna().all()
    both = curves.loc[[("a", 4), ("b", 4)]]
    assert found["std_error"][1] == pytest.approx(np.hypot(*both["std_error"]))
    share = survival.landmark(TWO, **options)
    a, b = both.itertuples()
    low = np.hypot(b.estimate - b.lower, a.upper - a.estimate)
    assert share["lower"][1] == pytest.approx(b.estimate - a.estimate - low)
    assert share["lower"][1] >= -1 and share["upper"][1] <= 1
    with pytest.raises(StudyError, match="method"):
        survival.landmark(TWO, **options, method="exact")


@given(people)
@settings(max_examples=15, deadline=None)
def test_conditional_survival_is_survival_of_those_who_came_so_far(persons):
    found = survival.conditional_survival(persons, **COLUMNS, given=3, times=[3, 5, 8])
    longer = persons[persons["days"] > 3]
    if longer.empty:
        return
    own = survival.kaplan_meier(longer, **COLUMNS, times=[3, 5, 8])
    columns = ["estimate", "std_error", "lower", "upper"]
    np.testing.assert_allclose(found[columns], own[columns], rtol=1e-9, atol=1e-9)
    assert found["at_risk"][1:].tolist() == own["at_risk"][1:].tolist()


def test_conditional_survival_refuses_times_before_and_part_weights():
    with pytest.raises(StudyError, match="none before `given`"):
        survival.conditional_survival(FIVE, **COLUMNS, given=2, times=[1, 3])
    weighted = counts.event_counts(FIVE.assign(w=0.5), **COLUMNS, weight="w")
    with pytest.raises(StudyError, match="not whole numbers"):
        survival.conditional_survival(weighted, given=1, times=[2])
    # nobody is left without the event
    gone = survival.conditional_survival(_persons([1, 2], [1, 1]), **COLUMNS, given=2, times=[2])
    assert gone["estimate"].isna().all()


def test_pairwise_tests_are_those_of_the_pairs():
    three = pd.concat([TWO, FOUR.assign(group=lambda d: d["group"].map({"a": "c", "b": "d"}))])
    found = survival.pairwise_logrank(three, **COLUMNS, by="group", adjust="none")
    assert len(found) == 6
    for row in found.itertuples():
        pair = three[three["group"].isin([row.group, row.other])]
        assert row.statistic == pytest.approx(
            survival.logrank(pair, **COLUMNS, by="group").statistic, rel=1e-12
        )
    assert (found["p_adjusted"] == found["p_value"]).all()


def test_a_pair_that_cannot_be_compared_is_missing_and_does_not_count():
    three = pd.concat([FOUR, _persons([1, 2], [0, 0], group=["c", "c"])])
    three = pd.concat([three, _persons([1, 2], [0, 0], group=["d", "d"])])
    found = survival.pairwise_logrank(three, **COLUMNS, by="group", adjust="bonferroni")
    last = found[(found["group"] == "c") & (found["other"] == "d")].iloc[0]
    assert np.isnan(last["p_value"]) and np.isnan(last["p_adjusted"])
    known = found.dropna()
    expected = np.minimum(known["p_value"] * len(known), 1)
    np.testing.assert_allclose(known["p_adjusted"], expected)
    with pytest.raises(StudyError, match="one grouping column"):
        survival.pairwise_logrank(three, **COLUMNS, by=["group", "days"])
    with pytest.raises(StudyError, match="adjust"):
        survival.pairwise_logrank(three, **COLUMNS, by="group", adjust="scheffe")
    with pytest.raises(DataError, match="one group only"):
        survival.pairwise_logrank(FOUR.assign(group=1), **COLUMNS, by="group")


@pytest.mark.parametrize(
    ("method", "expected"),
    # worked by hand from 0.01, 0.04, 0.03, 0.2
    [
        ("holm", [0.04, 0.09, 0.09, 0.2]),
        ("bonferroni", [0.04, 0.16, 0.12, 0.8]),
        ("bh", [0.04, 0.16 / 3, 0.16 / 3, 0.2]),
    ],
)
def test_adjusted_p_values_by_hand(method, expected):
    found = adjusted(np.array([0.01, 0.04, np.nan, 0.03, 0.2]), method)
    np.testing.assert_allclose(found[[0, 1, 3, 4]], expected)
    assert np.isnan(found[2])


@given(people, st.integers(1, 5))
@settings(max_examples=15, deadline=None)
def test_splitting_follow_up_changes_nothing_where_entry_is_used(persons, cut):
    persons = persons.assign(days=persons["days"] + 1, start=0)
    later = persons[persons["days"] > cut].assign(start=cut)
    early = persons.assign(
        died=persons["died"] & (persons["days"] <= cut), days=persons["days"].clip(upper=cut)
    )
    split = survival.kaplan_meier(
        pd.concat([early, later]), **COLUMNS, by="group", entry="start", times=[1, 4, 9]
    )
    whole = survival.kaplan_meier(persons, **COLUMNS, by="group", entry="start", times=[1, 4, 9])
    columns = ["group", "time", "at_risk", "events", "estimate", "std_error", "lower", "upper"]
    pd.testing.assert_frame_equal(split[columns], whole[columns])


def test_log_rank_with_entry_is_the_one_of_split_follow_up():
    late = TWO.assign(start=[0, 1, 0, 2, 0, 3, 1, 4])
    split = pd.concat([late, TWO.iloc[:0]])
    found = survival.logrank(split, **COLUMNS, by="group", entry="start")
    at_risk = [(late["start"] < t) & (late["days"] >= t) for t in late["days"]]
    assert found.table["expected"].sum() == pytest.approx(late["died"].sum())
    assert found.table["expected"][0] == pytest.approx(
        sum(
            (present & (late["group"] == "a")).sum()
            / present.sum()
            * late.loc[late["days"] == t, "died"].sum()
            / (late["days"] == t).sum()
            for t, present in zip(late["days"], at_risk, strict=True)
        )
    )
