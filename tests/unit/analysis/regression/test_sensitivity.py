"""E-values equal the published worked examples and behave at the edges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.analysis.regression.sensitivity import e_value
from workbench.errors import StudyError


def test_the_worked_example_of_the_source():
    # VanderWeele and Ding, 2017: risk ratio 3.9 (1.8 to 8.7) gives 7.3 and 3.0
    row = e_value(3.9, 1.8, 8.7).iloc[0]
    assert row["e_value"] == pytest.approx(3.9 + np.sqrt(3.9 * 2.9))
    assert round(row["e_value"], 1) == 7.3
    assert round(row["e_value_limit"], 1) == 3.0


def test_a_protective_ratio_is_judged_by_its_inverse():
    there, back = e_value(0.5, 0.4, 0.8).iloc[0], e_value(2.0, 1.25, 2.5).iloc[0]
    assert there["e_value"] == pytest.approx(back["e_value"])
    assert there["e_value_limit"] == pytest.approx(back["e_value_limit"])


def test_an_interval_that_holds_one_needs_no_confounder():
    row = e_value(1.3, 0.9, 1.9).iloc[0]
    assert row["e_value_limit"] == 1
    assert e_value(1.0).iloc[0]["e_value"] == 1
    assert np.isnan(e_value(1.3).iloc[0]["e_value_limit"])


def test_one_limit_is_enough():
    assert e_value(2.0, 1.5).iloc[0]["e_value_limit"] == pytest.approx(1.5 + np.sqrt(0.75))
    assert e_value(2.0, 0.9).iloc[0]["e_value_limit"] == 1
    assert np.isnan(e_value(2.0, upper=3.0).iloc[0]["e_value_limit"])


def test_common_outcomes_are_brought_to_risk_ratios_first():
    assert e_value(4.0, measure="odds_ratio").iloc[0]["risk_ratio"] == pytest.approx(2.0)
    assert e_value(4.0, measure="odds_ratio", is_rare=True).iloc[0]["risk_ratio"] == 4.0
    hazard = e_value(2.0, measure="hazard_ratio").iloc[0]["risk_ratio"]
    assert hazard == pytest.approx((1 - 0.5 ** np.sqrt(2)) / (1 - 0.5 ** np.sqrt(0.5)))


def test_a_true_ratio_other_than_one():
    row = e_value(3.0, 2.0, 4.5, true=1.5).iloc[0]
    assert row["e_value"] == pytest.approx(2 + np.sqrt(2))
    assert row["e_value_limit"] == pytest.approx(4 / 3 + np.sqrt(4 / 9))


@given(st.floats(1.0, 50.0), st.floats(0.01, 10.0))
def test_the_stronger_the_ratio_the_larger_the_value(ratio, more):
    found = e_value([ratio, ratio + more])
    assert found["e_value"].is_monotonic_increasing
    assert (found["e_value"] >= found["risk_ratio"]).all()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"estimate": -1.0}, "finite number above 0 in 1 rows"),
        ({"estimate": np.nan}, "finite number above 0 in 1 rows"),
        ({"estimate": 2.0, "lower": 3.0}, "do not enclose"),
        ({"estimate": 2.0, "true": 0.0}, "true: expected"),
        ({"estimate": 2.0, "measure": "odds_ration"}, 'Did you mean "odds_ratio"'),
        ({"estimate": [2.0, 3.0], "lower": 1.0}, "as many lower and upper"),
    ],
)
def test_what_is_not_a_ratio_is_refused(wrong, told):
    with pytest.raises(StudyError, match=told):
        e_value(**wrong)
