"""Fine-Gray fits: behaviour, edges and bad input."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.analysis.competing.fine_gray import fine_gray
from workbench.errors import DataError, StudyError

COLUMNS = {"duration": "days", "event": "cause"}


def _persons(n: int = 400, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    age = rng.normal(70, 8, n).round(1)
    died = rng.exponential(500 * np.exp(-0.03 * (age - 70)), n)
    out = rng.uniform(0, 900, n)
    cause = np.where(died < out, np.where(rng.random(n) < 0.6, 1, 2), 0)
    return pd.DataFrame(
        {
            "days": np.ceil(np.minimum(died, out)).astype(int),
            "cause": cause,
            "age": age,
            "stage": pd.Categorical(rng.integers(1, 4, n), categories=[3, 1, 2, 9]),
            "sex": rng.choice(["woman", "man"], n),
            "region": rng.choice(["a", "b"], n),
        }
    )


PERSONS = _persons()


def test_a_fit_tells_who_is_behind_it():
    holes = PERSONS.copy()
    holes.loc[:9, "age"] = np.nan
    found = fine_gray(holes, "age + stage", **COLUMNS)
    inside = PERSONS.iloc[10:]
    assert (found.n, found.n_missing) == (390, 10)
    assert found.events == (inside["cause"] == 1).sum()
    assert found.competing_events == (inside["cause"] == 2).sum()
    stage = found.levels[found.levels["variable"] == "stage"]
    assert list(stage["level"]) == ["3", "1", "2"]
    assert stage["events"].sum() == found.events
    assert list(found.coefficients["term"]) == ["age", "stage[T.1]", "stage[T.2]"]
    row = found.coefficients.iloc[0]
    assert row["z"] == pytest.approx(row["coefficient"] / row["robust_std_error"])
    assert row["lower"] < row["hazard_ratio"] < row["upper"]
    assert found.log_likelihood > found.null_log_likelihood


def test_order_index_and_unit_of_time_do_not_matter_and_nothing_is_changed():
    before = PERSONS.copy()
    first = fine_gray(PERSONS, "age + sex", **COLUMNS)
    pd.testing.assert_frame_equal(PERSONS, before)
    mixed = PERSONS.sample(frac=1, random_state=1).set_index(np.zeros(len(PERSONS)))
    mixed = mixed.assign(days=mixed["days"] / 365.25)
    again = fine_gray(mixed, "age + sex", **COLUMNS)
    pd.testing.assert_frame_equal(first.coefficients, again.coefficients, rtol=1e-9)


def test_names_of_other_causes_do_not_matter():
    split = PERSONS.assign(cause=np.where(PERSONS["cause"] == 2, 2 + PERSONS.index % 3, 0))
    split["cause"] = np.where(PERSONS["cause"] == 1, 1, split["cause"])
    first = fine_gray(PERSONS, "age", **COLUMNS)
    pd.testing.assert_frame_equal(
        first.coefficients, fine_gray(split, "age", **COLUMNS).coefficients
    )


def test_the_baseline_and_predictions_follow_the_covariates():
    found = fine_gray(PERSONS, "age + sex", **COLUMNS)
    new = pd.DataFrame({"age": [60.0, 80.0], "sex": ["man", "woman"]}, index=["x", "y"])
    table = found.predict(new, times=[0, 100, 500, 10_000])
    assert list(table["person"]) == ["x"] * 4 + ["y"] * 4
    assert (table.groupby("person")["estimate"].diff().dropna() >= 0).all()
    assert table["estimate"].between(0, 1).all()
    assert table["estimate"].iloc[0] == 0
    shifted = PERSONS.assign(age=PERSONS["age"] - 70)
    again = fine_gray(shifted, "age + sex", **COLUMNS)
    moved = again.predict(new.assign(age=new["age"] - 70), times=[0, 100, 500, 10_000])
    pd.testing.assert_frame_equal(table, moved)


def test_predictions_average_to_the_cumulative_incidence_without_effects():
    rng = np.random.default_rng(1)
    frame = PERSONS[PERSONS["cause"] > 0].assign(noise=lambda d: rng.permutation(len(d)) / 1e9)
    found = fine_gray(frame.assign(noise=frame["noise"] * 1e9), "noise", **COLUMNS)
    estimate = found.predict(frame.assign(noise=frame["noise"] * 1e9), times=[300])["estimate"]
    true = ((frame["cause"] == 1) & (frame["days"] <= 300)).mean()
    assert estimate.mean() == pytest.approx(true, abs=0.02)


def test_both_conventions_agree_without_ties_between_events_and_censorings():
    apart = PERSONS.assign(days=PERSONS["days"] + 0.5 * (PERSONS["cause"] == 0))
    ours = fine_gray(apart, "age", **COLUMNS).coefficients
    other = fine_gray(apart, "age", convention="finegray", **COLUMNS).coefficients
    np.testing.assert_allclose(ours["coefficient"], other["coefficient"], rtol=1e-9)
    assert ours["robust_std_error"][0] != other["robust_std_error"][0]


def test_one_censoring_group_equals_none():
    first = fine_gray(PERSONS, "age", **COLUMNS).coefficients
    one = fine_gray(PERSONS.assign(all="x"), "age", censoring_by="all", **COLUMNS).coefficients
    two = fine_gray(PERSONS, "age", censoring_by="region", **COLUMNS).coefficients
    pd.testing.assert_frame_equal(first, one)
    assert first["coefficient"][0] != two["coefficient"][0]


def test_a_censoring_group_that_ends_early_is_used():
    early = PERSONS.assign(days=np.where(PERSONS["region"] == "a", 1, PERSONS["days"]))
    found = fine_gray(early, "age", censoring_by="region", **COLUMNS)
    assert np.isfinite(found.coefficients[["coefficient", "robust_std_error"]]).all(axis=None)


def test_no_competing_event_is_a_cox_model():
    from workbench.analysis import regression

    frame = PERSONS.assign(cause=(PERSONS["cause"] == 1).astype(int))
    frame["days"] = frame["days"] + np.arange(len(frame)) / 1e4
    ours = fine_gray(frame, "age + sex", **COLUMNS).coefficients
    theirs = regression.cox(frame, "age + sex", duration="days", event="cause").coefficients
    np.testing.assert_allclose(ours["coefficient"], theirs["coefficient"], rtol=1e-7)
    np.testing.assert_allclose(ours["std_error"], theirs["std_error"], rtol=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 400))
def test_the_estimate_is_where_the_score_is_zero_whatever_the_ties(seed, longest):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "days": rng.integers(0, longest, 80),
            "cause": rng.choice([0, 1, 1, 2], 80),
            "x": rng.normal(size=80),
        }
    )
    found = fine_gray(frame, "x", **COLUMNS)
    moved = fine_gray(frame.assign(x=frame["x"] * 10), "x", **COLUMNS)
    assert found.coefficients["coefficient"][0] == pytest.approx(
        10 * moved.coefficients["coefficient"][0], rel=1e-6, abs=1e-12
    )
    assert found.log_likelihood >= found.null_log_likelihood - 1e-9


SEPARATED = pd.DataFrame({"days": range(1, 41), "cause": [1] * 20 + [0] * 20, "x": range(40)})
REFUSED = [
    (PERSONS.assign(cause=0), "age", {}, "no events of cause 1 among 400"),
    (PERSONS, "age", {"cause": 3}, "no events of cause 3"),
    (PERSONS.assign(cause=-1), "age", {}, "neither 0"),
    (PERSONS.assign(days=-1), "age", {}, "negative in 400 rows"),
    (PERSONS.assign(days=np.nan), "age", {}, "missing in 400 rows"),
    (PERSONS, "agee", {}, 'Did you mean "age"'),
    (PERSONS, "age + I(age / 2)", {}, "collinear"),
    (PERSONS.assign(age=np.nan), "age", {}, "no persons left"),
    (PERSONS.assign(one="a"), "one", {}, "one level|more than one level"),
    (PERSONS.assign(region=None), "age", {"censoring_by": "region"}, "missing in 400"),
    (PERSONS, "stage", {"cause": 1}, None),
    (SEPARATED.assign(x=SEPARATED["x"] < 20), "x", {}, "no events in"),
    (SEPARATED.assign(x=-1.0 * (SEPARATED["x"] < 20)), "x", {}, "separation"),
]


@pytest.mark.parametrize(("frame", "formula", "columns", "told"), REFUSED)
def test_what_has_no_answer_is_refused(frame, formula, columns, told):
    if told is None:
        assert len(fine_gray(frame, formula, **COLUMNS, **columns).coefficients) == 2
        return
    with pytest.raises(DataError, match=told):
        fine_gray(frame, formula, **COLUMNS, **columns)


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"cause": 0}, "expected the code of a cause"),
        ({"convention": "ccr"}, 'Did you mean "crr"'),
        ({"confidence": 95}, "between 0 and 1"),
    ],
)
def test_what_cannot_be_asked_is_refused(columns, told):
    with pytest.raises(StudyError, match=told):
        fine_gray(PERSONS, "age", **COLUMNS, **columns)
    with pytest.raises(StudyError, match="finite numbers"):
        fine_gray(PERSONS, "age", **COLUMNS).predict(PERSONS, times=[np.inf])
