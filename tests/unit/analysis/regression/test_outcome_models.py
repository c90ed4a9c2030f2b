"""Outcome models equal hand-solved ones, and what has no answer is refused by name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.analysis.regression import outcome_models as models
from workbench.errors import DataError, StudyError

TABLE = pd.DataFrame({"x": [0, 0, 1, 1], "y": [0, 1, 0, 1], "n": [60, 40, 30, 70]})


def _persons(n: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(11)
    frame = pd.DataFrame(
        {
            "age": rng.normal(70, 8, n).round(1),
            "stage": pd.Categorical(rng.integers(1, 4, n), categories=[3, 1, 2, 9]),
            "sex": rng.choice(["woman", "man"], n),
            "is_urgent": rng.integers(0, 2, n).astype(bool),
            "hospital": rng.integers(1, 13, n),
            "years": rng.uniform(0.5, 5, n),
            "size": rng.uniform(0.5, 2, n),
            "cost": rng.normal(10, 2, n),
        }
    )
    frame["died"] = (rng.random(n) < 0.3 + 0.2 * frame["is_urgent"]).astype(int)
    frame["visits"] = rng.negative_binomial(1.5, 0.3, n)
    return frame


PERSONS = _persons()
CALLS = {
    "logistic": (models.logistic, "died ~ age + stage + sex"),
    "poisson": (models.poisson, "visits ~ age + stage + sex"),
    "negative_binomial": (models.negative_binomial, "visits ~ age + stage + sex"),
    "linear": (models.linear, "cost ~ age + stage + sex"),
}
every_model = pytest.mark.parametrize(("model", "formula"), CALLS.values(), ids=CALLS)


def test_the_odds_ratio_of_a_table_by_hand():
    found = models.logistic(TABLE, "y ~ x", weight="n")
    row = found.coefficients.set_index("term").loc["x"]
    assert row["odds_ratio"] == pytest.approx(70 * 60 / (30 * 40))
    assert row["std_error"] == pytest.approx(np.sqrt(1 / 60 + 1 / 40 + 1 / 30 + 1 / 70))
    assert row["lower"] < row["odds_ratio"] < row["upper"]
    assert np.isnan(row["robust_std_error"])


def test_the_rate_ratio_of_two_groups_by_hand():
    table = pd.DataFrame({"x": [0, 1], "d": [20, 45], "y": [1000.0, 900.0]})
    doubled = pd.concat([table, table])
    found = models.poisson(doubled, "d ~ x", exposure="y")
    row = found.coefficients.set_index("term").loc["x"]
    assert row["rate_ratio"] == pytest.approx(45 / 900 / (20 / 1000))
    assert row["std_error"] == pytest.approx(np.sqrt(1 / 40 + 1 / 90))
    assert found.events == 130


def test_a_mean_and_its_standard_error_by_hand():
    frame = pd.DataFrame({"g": ["a", "a", "a", "b", "b", "b"], "y": [1.0, 2, 3, 5, 6, 10]})
    found = models.linear(frame, "y ~ g")
    row = found.coefficients.iloc[1]
    assert row["coefficient"] == pytest.approx(5)
    assert row["std_error"] == pytest.approx(np.sqrt(16 / 4 * (2 / 3)))
    assert found.dispersion == pytest.approx(4.0)
    assert found.residual_df == 4
    assert found.events is None
    assert "odds_ratio" not in found.coefficients


def test_one_covariate_missing_leaves_the_person_out_counted():
    holes = PERSONS.copy()
    holes.loc[:9, "age"] = np.nan
    holes.loc[5:14, "died"] = None
    found = models.logistic(holes, "died ~ age + sex")
    assert (found.n, found.n_missing) == (285, 15)
    whole = models.logistic(PERSONS.iloc[15:], "died ~ age + sex")
    pd.testing.assert_frame_equal(found.coefficients, whole.coefficients)


@every_model
def test_index_and_order_do_not_matter_and_nothing_is_changed(model, formula):
    before = PERSONS.copy()
    first = model(PERSONS, formula)
    mixed = PERSONS.sample(frac=1, random_state=1).set_index(np.zeros(len(PERSONS)))
    pd.testing.assert_frame_equal(PERSONS, before)
    pd.testing.assert_frame_equal(first.coefficients, model(mixed, formula).coefficients)
    pd.testing.assert_frame_equal(first.levels, model(mixed, formula).levels)


@every_model
def test_every_term_has_its_persons(model, formula):
    found = model(PERSONS, formula)
    assert set(found.coefficients["term"]) <= set(found.levels["term"])
    stage = found.levels[found.levels["variable"] == "stage"]
    assert list(stage["level"]) == ["3", "1", "2"]
    assert stage["n"].sum() == found.n
    if found.model == "linear":
        assert stage["events"].isna().all()
    else:
        assert stage["events"].sum() == found.events


@every_model
def test_clusters_of_one_person_and_of_many(model, formula):
    plain = model(PERSONS, formula)
    single = model(PERSONS.assign(row=range(len(PERSONS))), formula, cluster="row")
    many = model(PERSONS, formula, cluster="hospital")
    np.testing.assert_allclose(plain.coefficients["coefficient"], many.coefficients["coefficient"])
    assert many.n_clusters == PERSONS["hospital"].nunique()
    assert single.n_clusters == len(PERSONS)
    assert plain.n_clusters is None
    assert many.coefficients["robust_std_error"].notna().all()
    z = many.coefficients["coefficient"] / many.coefficients["robust_std_error"]
    np.testing.assert_allclose(many.coefficients["z"], z)


@pytest.mark.parametrize("name", ["logistic", "poisson", "negative_binomial"])
def test_whole_weights_are_repeated_rows(name):
    model, formula = CALLS[name]
    weights = PERSONS.assign(w=np.arange(len(PERSONS)) % 3 + 1)
    repeated = weights.loc[weights.index.repeat(weights["w"])]
    weighted, longer = model(weights, formula, weight="w"), model(repeated, formula)
    columns = ["coefficient", "std_error"]
    pd.testing.assert_frame_equal(
        weighted.coefficients[columns], longer.coefficients[columns], rtol=1e-7
    )
    assert weighted.log_likelihood == pytest.approx(longer.log_likelihood)


def test_fractional_weights_make_standard_errors_robust():
    found = models.logistic(PERSONS, "died ~ age", weight="size")
    assert found.coefficients["robust_std_error"].notna().all()
    assert found.n_clusters == len(PERSONS)
    thrice = models.logistic(PERSONS.assign(size=3 * PERSONS["size"]), "died ~ age", weight="size")
    columns = ["coefficient", "robust_std_error", "lower", "upper"]
    pd.testing.assert_frame_equal(found.coefficients[columns], thrice.coefficients[columns])


@every_model
def test_predictions_of_the_persons_add_up(model, formula):
    found = model(PERSONS, formula)
    rows = found.predict(PERSONS)
    total = PERSONS[found.outcome].sum()
    if found.model != "negative_binomial":
        assert rows["estimate"].sum() == pytest.approx(total, rel=1e-6)
    assert (rows["lower"] < rows["estimate"]).all()
    assert (rows["estimate"] < rows["upper"]).all()
    assert list(rows.index) == list(PERSONS.index)


def test_exposure_makes_rates_and_predictions_of_counts():
    found = models.poisson(PERSONS, "visits ~ age", exposure="years")
    counts = found.predict(PERSONS, exposure="years")["estimate"]
    assert counts.sum() == pytest.approx(PERSONS["visits"].sum())
    np.testing.assert_allclose(counts / PERSONS["years"], found.predict(PERSONS)["estimate"])
    months = PERSONS.assign(years=PERSONS["years"] * 12)
    again = models.poisson(months, "visits ~ age", exposure="years").coefficients
    np.testing.assert_allclose(again["coefficient"][1], found.coefficients["coefficient"][1])


def test_an_offset_takes_its_share():
    shifted = PERSONS.assign(half=0.5)
    plain = models.logistic(PERSONS, "died ~ age").coefficients["coefficient"]
    found = models.logistic(shifted, "died ~ age", offset="half").coefficients["coefficient"]
    np.testing.assert_allclose(found, plain - [0.5, 0.0], rtol=1e-7)


def test_prediction_uses_the_knots_of_the_fit():
    found = models.logistic(PERSONS, "died ~ rcs(age, 4)")
    all_of_them = found.predict(PERSONS)["estimate"]
    few = found.predict(PERSONS.iloc[:3])["estimate"]
    np.testing.assert_allclose(few, all_of_them[:3])
    assert list(found.levels["variable"]) == ["", "age", "age", "age"]


def test_prediction_refuses_what_the_fit_has_not_seen():
    found = models.logistic(PERSONS, "died ~ sex + age")
    new = pd.DataFrame({"sex": ["woman", "other", None], "age": [50.0, 60.0, 70.0]})
    with pytest.raises(DataError, match='"sex": a level the fit has not seen in 1 rows'):
        found.predict(new.iloc[:2])
    with pytest.raises(DataError, match='"sex": missing in 1 rows'):
        found.predict(new)
    with pytest.raises(DataError, match="a level the fit has not seen"):
        models.logistic(PERSONS, "died ~ C(hospital)").predict(pd.DataFrame({"hospital": [99]}))


def test_more_confidence_is_wider():
    narrow = models.logistic(PERSONS, "died ~ age", confidence=0.9).coefficients
    wide = models.logistic(PERSONS, "died ~ age", confidence=0.99).coefficients
    assert (wide["lower"] < narrow["lower"]).all()
    assert (narrow["upper"] < wide["upper"]).all()


@settings(max_examples=20, deadline=None)
@given(st.integers(5, 60), st.integers(5, 60), st.integers(5, 60), st.integers(5, 60))
def test_any_table_gives_its_cross_product(a, b, c, d):
    found = models.logistic(TABLE.assign(n=[a, b, c, d]), "y ~ x", weight="n")
    assert found.coefficients["odds_ratio"][1] == pytest.approx(a * d / (b * c), rel=1e-6)


def _died(value: object) -> pd.DataFrame:
    return PERSONS.assign(died=value)


SEPARATED = PERSONS.assign(died=(PERSONS["age"] > 70).astype(int))
LEVEL = PERSONS.assign(died=np.where(PERSONS["sex"] == "man", 0, PERSONS["died"]))
REFUSED = [
    (PERSONS, "died ~ agee", {}, 'no column "agee". Did you mean "age"'),
    (PERSONS, "dead ~ age", {}, 'no column "dead"'),
    (_died(2), "died ~ age", {}, '"died" in 300 rows is not 0 or 1'),
    (_died("yes"), "died ~ age", {}, "holds object; expected numbers"),
    (_died(0), "died ~ age", {}, "the same for all 300 persons"),
    (SEPARATED, "died ~ age", {}, "separation"),
    (LEVEL, "died ~ sex", {}, r'in "sex\[T.man\]" nobody or everybody has the outcome'),
    (PERSONS, "died ~ age + I(2 * age)", {}, "collinear"),
    (PERSONS.assign(same=1.0), "died ~ same + age", {}, '"same" follows from the other'),
    (PERSONS.assign(one="a"), "died ~ one", {}, "one level only"),
    (PERSONS.assign(age=0.0), "died ~ np.log(age)", {}, "not a finite number"),
    (PERSONS.assign(day=pd.Timestamp("2020-01-01")), "died ~ day", {}, "a date cannot be"),
    (PERSONS.assign(age=np.nan), "died ~ age", {}, "no persons left"),
    (PERSONS.iloc[:3], "died ~ age + stage", {}, "3 persons for 4 terms|one level only"),
    (PERSONS.assign(one=1), "died ~ age", {"cluster": "one"}, "one cluster only"),
    (PERSONS.assign(no=np.nan), "died ~ age", {"cluster": "no"}, '"no": missing in 300 rows'),
    (PERSONS.assign(w=0), "died ~ age", {"weight": "w"}, 'column "w": not a number above 0 in 300'),
    (PERSONS.assign(w=np.inf), "died ~ age", {"offset": "w"}, 'column "w": not a finite number'),
]


@pytest.mark.parametrize(("frame", "formula", "columns", "told"), REFUSED)
def test_what_has_no_answer_is_refused(frame, formula, columns, told):
    with pytest.raises(DataError, match=told):
        models.logistic(frame, formula, **columns)


def test_other_models_refuse_other_outcomes():
    with pytest.raises(DataError, match="is not a count 0, 1, 2"):
        models.poisson(PERSONS.assign(visits=-1), "visits ~ age")
    with pytest.raises(DataError, match="is not a count 0, 1, 2"):
        models.negative_binomial(PERSONS, "cost ~ age")
    with pytest.raises(DataError, match="vary no more than Poisson"):
        models.negative_binomial(PERSONS.assign(even=np.arange(300) % 2 + 3), "even ~ age")
    zero = PERSONS.assign(visits=np.where(PERSONS["sex"] == "man", 0, PERSONS["visits"]))
    with pytest.raises(DataError, match="there is no event"):
        models.poisson(zero, "visits ~ sex")
    with pytest.raises(DataError, match="gives? the outcome exactly"):
        models.linear(PERSONS.assign(cost=0.5 * PERSONS["years"] // 0.5), "cost ~ C(cost)")
    with pytest.raises(DataError, match='column "years": not a number above 0'):
        models.poisson(PERSONS.assign(years=0.0), "visits ~ age", exposure="years")


@pytest.mark.parametrize(
    ("formula", "told"),
    [
        ("age + sex", "expected the outcome and the covariates"),
        ("died ~ age +", "cannot be read"),
        ("died ~ 0 + age", "leave out"),
        ("died ~ rcs(age, 9)", "9 knots; expected 3 to 7"),
        ("died ~ rcs(is_urgent, 3)", "expected three or more knots that rise"),
    ],
)
def test_formulas_that_cannot_be_used(formula, told):
    with pytest.raises(StudyError, match=told):
        models.logistic(PERSONS, formula)
    with pytest.raises(StudyError, match="between 0 and 1"):
        models.logistic(PERSONS, "died ~ age", confidence=95)


def test_an_intercept_alone_is_the_mean():
    found = models.logistic(PERSONS, "died ~ 1")
    odds = PERSONS["died"].mean() / (1 - PERSONS["died"].mean())
    assert found.coefficients["odds_ratio"][0] == pytest.approx(odds)
    assert len(found.coefficients) == 1
