"""Survival at the agreed time: each unit, the nation, and all others."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from workbench.analysis.indicators import overview, survival_at
from workbench.analysis.survival import kaplan_meier
from workbench.errors import DataError, StudyError
from workbench.registers.indicators import load_indicator

NAME = "vascular_aneurysm_open_survival"


@pytest.fixture(scope="module")
def persons() -> pd.DataFrame:
    rng, n = np.random.default_rng(4), 400
    frame = pd.DataFrame(
        {
            "follow_up": rng.exponential(400, n).round() + 1,
            "has_event": rng.integers(0, 2, n),
            "hospital": rng.choice(["A", "B"], n),
        }
    )
    # one hospital where all died early, one where nobody was followed to the end
    frame.loc[n] = [10.0, 1, "C"]
    frame.loc[n + 1] = [10.0, 0, "D"]
    return frame


def test_each_unit_the_nation_and_the_rest_are_kaplan_meiers(persons):
    found = survival_at(persons, load_indicator(NAME), unit="hospital", place_level="hospital")
    by_place = found.set_index("place")
    for place, own in [("nation", persons), ("A", persons[persons["hospital"] == "A"])]:
        curve = kaplan_meier(own, duration="follow_up", event="has_event", times=[30])
        for name in ("estimate", "lower", "upper", "std_error"):
            assert by_place.loc[place, name] == pytest.approx(curve[name].item())
        early = (own["follow_up"] <= 30) & (own["has_event"] == 1)
        assert by_place.loc[place, "events"] == early.sum()
    others = persons[persons["hospital"] != "A"]
    rest = kaplan_meier(others, duration="follow_up", event="has_event", times=[30])
    assert by_place.loc["A", "rest_estimate"] == pytest.approx(rest["estimate"].item())
    assert by_place.loc["A", "rest_n"] == len(others)


def test_a_unit_where_all_died_has_0_and_one_not_followed_so_long_nothing(persons):
    found = survival_at(persons, load_indicator(NAME), unit="hospital").set_index("place")
    assert found.loc["C", "estimate"] == 0
    assert np.isnan(found.loc["D", "estimate"])


def test_levels_come_from_the_interval(persons):
    indicator = load_indicator(NAME)
    table = overview(survival_at(persons, indicator, unit="hospital"), [indicator])
    table = table.set_index("place")
    assert set(table.loc[["A", "B"], "level"]) <= {"high", "moderate", "low"}
    assert table.loc["C", "level_words"] == "fewer than 15 patients"
    assert table.loc["A", "nation_n"] == len(persons)


def test_one_unit_has_no_rest(persons):
    one = persons[persons["hospital"] == "A"]
    found = survival_at(one, load_indicator(NAME), unit="hospital").set_index("place")
    assert found.loc["A", "rest_n"] == 0 and np.isnan(found.loc["A", "rest_estimate"])


def test_what_is_no_survival_is_refused(persons):
    with pytest.raises(StudyError, match="Use aggregate"):
        survival_at(persons, load_indicator("renal_planned_start"), unit="hospital")
    with pytest.raises(StudyError, match="needs a life_table"):
        survival_at(persons, load_indicator("lymphoma_net_survival"), unit="hospital")
    with pytest.raises(DataError, match='no column "hospitl"'):
        survival_at(persons, load_indicator(NAME), unit="hospitl")
    gap = persons.assign(hospital=persons["hospital"].mask(persons["hospital"] == "C"))
    with pytest.raises(DataError, match="missing in 1 of"):
        survival_at(gap, load_indicator(NAME), unit="hospital")
