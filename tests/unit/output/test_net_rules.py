"""Net survival leaves at joined times, with numbers at risk only where nothing follows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import DisclosureError
from workbench.output.disclosure import release, release_at_times
from workbench.output.figures import draw_net_survival
from workbench.output.gate.net_rules import NET
from workbench.registers.profiles import load_profile

PROFILE = load_profile("standard")
THRESHOLD = PROFILE.threshold


def net_of(*groups: tuple[str, int, list[int], list[int]]) -> pd.DataFrame:
    """A frame as net_survival gives it: of each group the name, n, deaths and censored by year."""
    parts = []
    for name, n, deaths, censored in groups:
        at_risk = n - np.cumsum(deaths) - np.cumsum(censored)
        rows = pd.DataFrame(
            {
                "stage": name,
                "time": range(len(deaths) + 1),
                "at_risk": [n, *at_risk],
                "events": [0, *deaths],
                "estimate": np.linspace(1, 0.5, len(deaths) + 1),
                "std_error": 0.02,
                "lower": 0.4,
                "upper": 1.0,
                "reliability": "ok",
            }
        )
        parts.append(rows)
    return pd.concat(parts, ignore_index=True)[["stage", *NET]]


def is_safe(n: float) -> bool:
    return n == 0 or abs(n) >= THRESHOLD


@settings(max_examples=60, deadline=None)
@given(
    deaths=st.lists(st.integers(0, 12), min_size=4, max_size=8),
    censored=st.lists(st.integers(0, 7), min_size=8, max_size=8),
)
def test_nothing_small_is_shown_or_follows_from_what_is_shown(deaths, censored):
    n = sum(deaths) + sum(censored) + 20
    frame = net_of(("I", n, deaths, censored[: len(deaths)]))
    try:
        shown = release(frame, PROFILE, title="t").frame
    except DisclosureError:
        assert 0 < sum(deaths) < THRESHOLD
        return
    assert shown["events"].sum() == sum(deaths)
    assert shown["events"].map(is_safe).all()
    known = shown[shown["at_risk"].notna()]
    died = shown["events"].cumsum()[known.index]
    otherwise = (known["at_risk"] + died).diff().dropna()
    assert otherwise.map(is_safe).all()


def test_times_are_joined_until_enough_have_died():
    released = release(net_of(("I", 100, [2, 4, 5, 1], [0] * 4)), PROFILE, title="t")
    assert released.frame["time"].tolist() == [0, 2, 4]
    assert released.frame["events"].tolist() == [0, 6, 6]
    read = release_at_times(released, title="t", times=[1, 2, 9])
    assert read.hidden["estimate"].tolist() == [True, False, False]
    assert read.frame["estimate"].notna().tolist() == [False, True, False]


def test_a_group_with_few_deaths_goes_and_another_with_it():
    groups = [
        ("I", 100, [2, 1], [9, 0]),
        ("II", 90, [8, 9], [9, 0]),
        ("III", 200, [30, 20], [0, 0]),
    ]
    released = release(net_of(*groups), PROFILE, title="t")
    assert released.frame["stage"].unique().tolist() == ["III"]
    assert "n" not in released.facts and "I; II" in released.notes[0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"time": [1.0, 2.0, 3.0]}, "begin with 0"),
        ({"at_risk": [100, 90, 95]}, "rise"),
        ({"events": [0, 1.5, 2]}, "whole numbers"),
    ],
)
def test_what_cannot_be_judged_is_refused(change, words):
    frame = net_of(("I", 100, [9, 9], [0, 0])).assign(**change)
    with pytest.raises(DisclosureError, match=words):
        release(frame, PROFILE, title="t")


def test_the_figure_shows_observed_beside_net_where_it_is_given():
    frame = net_of(("I", 300, [9, 9, 9], [0, 0, 0]), ("II", 300, [20, 30, 9], [0, 0, 0]))
    frame = frame.assign(observed=frame["estimate"] * 0.9, expected=0.95)
    figure = draw_net_survival(release(frame, PROFILE, title="By stage"), unit="years")
    assert "Observed" in figure.alternative_text and "II 50 %" in figure.alternative_text
