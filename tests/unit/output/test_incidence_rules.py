"""Cumulative incidence leaves in batches only, and tells no small number by subtraction."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.analysis import competing
from workbench.errors import DisclosureError
from workbench.output.disclosure import release, release_at_times
from workbench.output.figures import draw_incidence
from workbench.registers.profiles import load_profile

PROFILE = load_profile("standard")
THRESHOLD = PROFILE.threshold


def persons_of(n: int, seed: int = 1, causes: int = 2) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "days": draw.integers(1, 900, n),
            "cause": draw.integers(0, causes + 1, n),
            "unit": draw.choice(["north", "south"], n),
        }
    )


def incidence_of(persons: pd.DataFrame, **how: object) -> pd.DataFrame:
    return competing.cumulative_incidence(
        persons, **{"duration": "days", "event": "cause", "by": "unit", **how}
    )


def is_safe(n: float) -> bool:
    return n == 0 or n >= THRESHOLD


@settings(max_examples=25, deadline=None)
@given(n=st.integers(60, 400), seed=st.integers(0, 50), causes=st.integers(1, 3))
def test_every_number_and_difference_is_none_or_many(n, seed, causes):
    exact = incidence_of(persons_of(n, seed, causes))
    whole = exact.groupby(["unit", "cause"])["events"].sum()
    try:
        shown = release(exact, PROFILE, title="t").frame
    except DisclosureError:  # only where some group has a few of one kind
        censored = exact.drop_duplicates(["unit", "time"]).groupby("unit")["at_risk"].max()
        censored = censored - whole.groupby("unit").sum()
        assert not (whole.map(is_safe).all() and censored.map(is_safe).all())
        return
    for _group, rows in shown.groupby(["unit", "cause"]):
        assert rows["events"].map(is_safe).all()
        assert rows["at_risk"].map(is_safe).all()
    for _group, rows in shown.groupby("unit"):
        at_risk = rows.drop_duplicates("time").sort_values("time")["at_risk"]
        assert (-np.diff(at_risk)).tolist() == [n for n in -np.diff(at_risk) if is_safe(n)]
    whole = whole[whole.index.get_level_values("unit").isin(shown["unit"].unique())]
    assert shown.groupby(["unit", "cause"])["events"].sum().equals(whole)


def test_the_note_says_how_far_the_shown_curve_lies_from_the_exact_one():
    exact = incidence_of(persons_of(900))
    released = release(exact, PROFILE, title="t")
    distance = released.facts["distance"]
    assert 0 < distance <= 0.05 and f"{100 * distance:.0f} percentage points" in released.notes[0]
    times = exact["time"].unique()[:200]
    read = release_at_times(released, title="t", times=times.tolist()).frame
    both = read.merge(exact, on=["unit", "cause", "time"], suffixes=("", "_exact"))
    assert (both["estimate"] - both["estimate_exact"]).abs().max() <= distance + 0.001


def test_a_group_with_few_of_one_cause_is_left_out_with_another():
    few = pd.DataFrame({"days": range(1, 41), "cause": [1, 2, *[0] * 38], "unit": "west"})
    exact = incidence_of(pd.concat([persons_of(400), few], ignore_index=True))
    released = release(exact, PROFILE, title="t")
    assert released.frame["unit"].nunique() == 1  # the smaller of the two others goes with it
    assert "west" in released.notes[1]
    assert "n" not in released.facts


def test_nothing_left_is_refused():
    few = pd.DataFrame({"days": [1, 2, 3], "cause": [1, 2, 0], "unit": "west"})
    with pytest.raises(DisclosureError, match="No group"):
        release(incidence_of(few), PROFILE, title="t")


@pytest.mark.parametrize("how", [{"times": [100, 300]}, {"interval": "plain"}, {"confidence": 0.9}])
def test_what_was_made_otherwise_is_refused(how):
    with pytest.raises(DisclosureError, match="as it is by default|do not follow"):
        release(incidence_of(persons_of(400), **how), PROFILE, title="t")


def test_weighted_counts_are_refused():
    persons = persons_of(400).assign(w=0.5)
    with pytest.raises(DisclosureError, match="whole numbers"):
        release(incidence_of(persons, weight="w"), PROFILE, title="t")


def test_the_figure_has_a_panel_for_each_cause_and_an_alternative_text():
    exact = incidence_of(persons_of(900))
    exact = exact.assign(cause=exact["cause"].map({1: "amputation", 2: "death"}))
    figure = draw_incidence(release(exact, PROFILE, title="After surgery"), unit="days")
    assert "Amputation" not in figure.alternative_text
    assert "amputation: north" in figure.alternative_text
    assert figure.files["svg"].startswith(b"<?xml")
