"""Imputed values come from what was seen, repeatably, and recover a known truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from workbench.analysis.regression import imputation, imputation_models
from workbench.errors import DataError, StudyError


def _persons(n: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    age = rng.normal(70, 8, n).round(1)
    stage = rng.integers(1, 4, n)
    frame = pd.DataFrame(
        {
            "age": age,
            "stage": pd.Categorical(stage, categories=[3, 2, 1], ordered=True),
            "sex": rng.choice(["woman", "man"], n),
            "is_urgent": pd.array(rng.integers(0, 2, n), dtype="boolean"),
            "visits": pd.array(rng.poisson(3, n), dtype="Int64"),
            "days": rng.integers(1, 900, n),
            "cause": rng.integers(0, 3, n),
        }
    )
    frame["y"] = 0.1 * age + stage + rng.normal(0, 1, n)
    for name, share in (("age", 0.2), ("stage", 0.15), ("sex", 0.1), ("is_urgent", 0.1)):
        frame.loc[rng.random(n) < share, name] = None
    frame.loc[rng.random(n) < 0.1, "visits"] = pd.NA
    return frame


PERSONS = _persons()
COVARIATES = ["age", "stage", "sex", "is_urgent", "visits"]
FEW = {"n_imputations": 3, "n_cycles": 3, "seed": 1}


def test_what_is_known_stays_and_what_is_missing_is_filled():
    before = PERSONS.copy()
    found = imputation.impute(PERSONS, COVARIATES, outcome="y", **FEW)
    pd.testing.assert_frame_equal(PERSONS, before)
    assert len(found.frames) == 3
    for frame in found.frames:
        assert not frame[COVARIATES].isna().any(axis=None)
        assert list(frame.columns) == list(PERSONS.columns)
        for name in COVARIATES:
            known = PERSONS[name].notna()
            assert (frame.loc[known, name] == PERSONS.loc[known, name]).all()
            assert set(frame[name].unique()) <= set(PERSONS[name].dropna().unique())
    assert isinstance(found.frames[0]["stage"].dtype, pd.CategoricalDtype)
    assert list(found.frames[0]["stage"].cat.categories) == [3, 2, 1]
    assert found.frames[0]["is_urgent"].dtype == bool
    assert found.frames[0]["visits"].dtype == "int64"


def test_losses_are_told():
    found = imputation.impute(PERSONS, COVARIATES, outcome="y", **FEW)
    told = found.missing.set_index("column")
    assert told.loc["age", "n_missing"] == PERSONS["age"].isna().sum()
    assert told.loc["age", "method"] == "predictive mean matching"
    assert told.loc["sex", "method"] == "logistic"
    assert told.loc["stage", "method"] == "multinomial logistic"
    assert found.n_complete == len(PERSONS[COVARIATES].dropna())
    assert len(found.trace) == 3 * 3 * len(COVARIATES)


def test_the_seed_decides_and_the_order_of_the_rows_does_not():
    first = imputation.impute(PERSONS, COVARIATES, outcome="y", **FEW).frames
    again = imputation.impute(PERSONS, COVARIATES, outcome="y", **FEW).frames
    other = imputation.impute(PERSONS, COVARIATES, outcome="y", **FEW | {"seed": 2}).frames
    mixed = PERSONS.sample(frac=1, random_state=3)
    turned = imputation.impute(mixed, COVARIATES, outcome="y", **FEW).frames
    pd.testing.assert_frame_equal(first[2], again[2])
    pd.testing.assert_frame_equal(first[2], turned[2].sort_index())
    assert not first[0].equals(first[1])
    assert not first[0].equals(other[0])


def test_a_repeated_index_does_no_harm():
    doubled = PERSONS.set_index(np.zeros(len(PERSONS), dtype=int))
    found = imputation.impute(doubled, COVARIATES, outcome="y", **FEW).frames[0]
    straight = imputation.impute(PERSONS, COVARIATES, outcome="y", **FEW).frames[0]
    pd.testing.assert_frame_equal(found.reset_index(drop=True), straight)


def test_hazard_models_are_imputed_by_event_and_hazard():
    columns = {"duration": "days", "event": "cause"}
    found = imputation.impute(PERSONS, COVARIATES, **columns, **FEW)
    assert not found.frames[0][COVARIATES].isna().any(axis=None)
    time, happened = np.array([3.0, 1.0, 2.0, 2.0]), np.array([1.0, 1.0, 0.0, 1.0])
    hazard = imputation._nelson_aalen(time, happened)
    np.testing.assert_allclose(hazard, [1 / 4 + 1 / 3 + 1, 1 / 4, 1 / 4 + 1 / 3, 1 / 4 + 1 / 3])


def test_imputation_undoes_the_bias_of_leaving_out():
    rng = np.random.default_rng(8)
    n = 4000
    x = rng.normal(size=n)
    y = x + rng.normal(size=n)
    seen = pd.DataFrame({"x": np.where(rng.random(n) < 0.1 + 0.6 * (y > 0), np.nan, x)})
    seen["y"] = y
    frames = imputation.impute(seen, ["x"], outcome="y", **FEW).frames
    means = [frame["x"].mean() for frame in frames]
    slopes = [np.polyfit(frame["x"], frame["y"], 1)[0] for frame in frames]
    assert abs(seen["x"].mean()) > 0.2
    assert abs(np.mean(means)) < 0.06
    assert np.mean(slopes) == pytest.approx(1, abs=0.07)


def test_separated_levels_stay_finite():
    x = np.column_stack([np.ones(40), np.repeat([0.0, 1.0], 20)])
    codes = np.repeat([0, 1], 20)
    rng = np.random.default_rng(1)
    drawn = imputation_models.draw_levels(x, codes, x, 2, rng)
    assert (drawn == codes).mean() > 0.9


def _set(column: str, value: object) -> pd.DataFrame:
    return PERSONS.assign(**{column: value})


@pytest.mark.parametrize(
    ("frame", "columns", "told"),
    [
        (PERSONS, ["days"], "nothing is missing"),
        (_set("age", np.nan), COVARIATES, '"age": 0 known values'),
        (_set("age", np.where(np.arange(400) < 20, 1.0, np.nan)), ["age"], "one value only"),
        (_set("age", np.where(PERSONS["age"].isna(), np.nan, np.inf)), ["age"], "infinite in"),
        (_set("age", pd.Timestamp("2020-01-01")), ["age", "sex"], "a date cannot be imputed"),
        (_set("sex", [f"s{i}" for i in range(400)]), ["age", "sex"], "400 levels"),
        (PERSONS.assign(y=np.nan), COVARIATES, 'column "y": missing in 400 of 400 rows'),
        (PERSONS, ["agee"], 'Did you mean "age"'),
    ],
)
def test_what_cannot_be_imputed_is_refused(frame, columns, told):
    with pytest.raises(DataError, match=told):
        imputation.impute(frame, columns, outcome="y", **FEW)


def test_what_cannot_be_asked_is_refused():
    with pytest.raises(StudyError, match="two or more imputations"):
        imputation.impute(PERSONS, COVARIATES, outcome="y", n_imputations=1, seed=1)
    with pytest.raises(StudyError, match="name either the outcome"):
        imputation.impute(PERSONS, COVARIATES, **FEW)
    with pytest.raises(StudyError, match="name either the outcome"):
        imputation.impute(PERSONS, COVARIATES, outcome="y", duration="days", event="cause", **FEW)
    censored = PERSONS.assign(cause=0)
    with pytest.raises(DataError, match="no events"):
        imputation.impute(censored, COVARIATES, duration="days", event="cause", **FEW)


def test_donors_with_the_same_prediction_all_have_a_chance():
    rng = np.random.default_rng(1)
    known, values = np.ones((200, 1)), rng.normal(size=200)
    drawn = imputation_models.draw_numbers(known, values, np.ones((400, 1)), rng)
    assert len(np.unique(drawn)) > 150
