"""Nothing small can be subtracted from a released curve and its numbers at risk."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from workbench.analysis import survival
from workbench.errors import DisclosureError
from workbench.output.disclosure import release, release_restricted_mean

FOLLOW_UP = {"duration": "months", "event": "died"}


def _persons(rows):
    return pd.DataFrame(rows, columns=["months", "died", "arm"])


@st.composite
def _cohorts(draw):
    """Cohorts large enough to be shown, with few or many events and arms of any size."""
    chance = np.random.default_rng(draw(st.integers(0, 10_000)))
    n = draw(st.integers(5, 250))
    arms = chance.choice(
        list("abc"), n, p=draw(st.sampled_from([(0.4, 0.3, 0.3), (0.9, 0.07, 0.03)]))
    )
    died = chance.random(n) < draw(st.sampled_from([0.03, 0.3, 0.7, 0.97, 1.0]))
    months = chance.integers(0, draw(st.sampled_from([3, 40, 400])), n)
    return pd.DataFrame({"months": months, "died": died.astype(int), "arm": arms})


def _all_differences(values):
    values = np.asarray(values, dtype=int)
    return np.abs(values[:, None] - values[None, :])


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)
@given(_cohorts(), st.sampled_from([None, "arm"]))
def test_no_small_number_can_be_subtracted_from_a_released_curve(policy, persons, by):
    curve = survival.kaplan_meier(persons, by=by, **FOLLOW_UP)
    at_risk = survival.number_at_risk(persons, by=by, times=[0, 6, 12, 24, 36], **FOLLOW_UP)
    try:
        released = release(curve, policy, title="x", at_risk=at_risk)
    except DisclosureError:
        event("refused")
        return
    event("shown")
    steps, numbers = released.frame, released.parts["at_risk"].frame
    shown = [persons["arm"].unique()] if by is None else [steps["arm"].unique()]
    for group in shown[0] if by else [None]:
        own = steps if group is None else steps[steps["arm"] == group]
        under = numbers if group is None else numbers[numbers["arm"] == group]
        for column in ("at_risk", "events", "censored"):
            everything = [*own[column].cumsum(), *under[column], 0]
            if column == "at_risk":
                everything = [*own[column], *under[column], 0]
            differences = _all_differences(everything)
            assert not ((differences > 0) & (differences < 5)).any(), column
        left = own["at_risk"] - own["events"] - own["censored"]
        assert left.tolist() == [*own["at_risk"].iloc[1:], 0]
        together = under[["at_risk", "events", "censored"]].sum(axis=1)
        assert (together == own["at_risk"].iloc[0]).all()


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40
)
@given(_cohorts())
def test_groups_left_out_are_not_small_together(policy, persons):
    try:
        released = release(survival.kaplan_meier(persons, by="arm", **FOLLOW_UP), policy, title="x")
    except DisclosureError:
        return
    out = persons[~persons["arm"].isin(released.frame["arm"])]
    for n in (len(out), out["died"].sum(), (1 - out["died"]).sum()):
        assert not 0 < n < 5


def test_the_released_curve_stays_near_the_exact_one_and_says_how_near(persons, policy):
    exact = survival.kaplan_meier(persons, duration="years", event="died")
    released = release(exact, policy, title="x")
    place = np.searchsorted(released.frame["time"], exact["time"], side="right")
    shown = np.append(1.0, released.frame["estimate"])[place]
    assert np.abs(shown - exact["estimate"]).max() < 0.01
    assert "no curve lies further than 1 percentage points" in released.notes[0]


@pytest.mark.parametrize("interval", ["log-log", "log", "plain"])
def test_the_interval_stays_of_the_kind_it_was(persons, policy, interval):
    options = {"interval": interval, "confidence": 0.9}
    exact = survival.kaplan_meier(persons, duration="years", event="died", **options)
    released = release(exact, policy, title="x").frame
    near = exact.iloc[np.searchsorted(exact["time"], released["time"]).clip(max=len(exact) - 1)]
    middle = (released["estimate"] > 0.5).to_numpy()
    gaps = np.abs(released["lower"].to_numpy() - near["lower"].to_numpy())[middle]
    assert gaps.max() < 0.012


def test_a_small_group_takes_the_next_smallest_with_it(policy):
    rows = [(m, 1, "a") for m in range(3)]
    rows += [(m % 30, m % 2, "b") for m in range(40)] + [(m % 30, m % 2, "c") for m in range(80)]
    persons = _persons(rows)
    released = release(survival.kaplan_meier(persons, by="arm", **FOLLOW_UP), policy, title="x")
    assert set(released.frame["arm"]) == {"c"}
    assert released.facts["n"] is None
    assert "a; b" in released.notes[1]


def test_a_curve_of_few_persons_is_refused(policy):
    curve = survival.kaplan_meier(_persons([(m, 1, "a") for m in range(4)]), **FOLLOW_UP)
    with pytest.raises(DisclosureError, match="No group of the curve"):
        release(curve, policy, title="x")


def test_a_curve_at_chosen_times_is_refused_with_the_way_out(persons, policy):
    curve = survival.kaplan_meier(persons, duration="years", event="died", times=[1, 5])
    with pytest.raises(DisclosureError, match="without `times`"):
        release(curve, policy, title="x")


def test_a_curve_with_delayed_entry_is_refused(persons, policy):
    late = persons.assign(entry=np.minimum(0.3, persons["years"] / 2))
    late.loc[:200, "entry"] = 0
    curve = survival.kaplan_meier(late, duration="years", event="died", entry="entry")
    with pytest.raises(DisclosureError, match="delayed entry"):
        release(curve, policy, title="x")


def test_a_weighted_curve_is_refused(persons, policy):
    curve = survival.kaplan_meier(persons.assign(w=1.5), duration="years", event="died", weight="w")
    with pytest.raises(DisclosureError, match="cannot judge"):
        release(curve, policy, title="x")


def test_numbers_at_risk_of_other_persons_are_refused(persons, policy):
    options = {"duration": "years", "event": "died"}
    curve = survival.kaplan_meier(persons, **options)
    others = survival.number_at_risk(persons.iloc[:-1], times=[0, 1], **options)
    with pytest.raises(DisclosureError, match="not the numbers of the persons"):
        release(curve, policy, title="x", at_risk=others)
    with pytest.raises(DisclosureError, match="grouped as the curve"):
        release(curve, policy, title="x", at_risk=others.assign(extra=1))


def test_a_group_where_nobody_has_the_event_is_shown_flat(policy):
    rows = [(m % 30, 0, "a") for m in range(40)] + [(m % 30, m % 2, "b") for m in range(80)]
    released = release(
        survival.kaplan_meier(_persons(rows), by="arm", **FOLLOW_UP), policy, title="x"
    )
    flat = released.frame[released.frame["arm"] == "a"]
    assert (flat["estimate"] == 1).all()
    assert flat["events"].sum() == 0


def test_the_restricted_mean_is_read_off_the_released_curve(persons, policy):
    options = {"duration": "years", "event": "died"}
    curve = release(survival.kaplan_meier(persons, **options), policy, title="x")
    read = release_restricted_mean(curve, title="x", horizon=3.0).frame
    exact = survival.restricted_mean(persons, **options, horizon=3.0)
    assert abs(read["estimate"][0] - exact["estimate"][0]) < 3.0 * curve.facts["distance"] + 0.001
    beyond = release_restricted_mean(curve, title="x", horizon=99.0).frame
    assert beyond["estimate"].isna().all()
