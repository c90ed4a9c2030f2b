"""Cox fits equal hand-solved ones, and a model without a finite answer is refused by name."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from workbench.analysis import regression
from workbench.errors import DataError, StudyError

COLUMNS = {"duration": "days", "event": "died"}
# partial likelihood t^2 / (2 (t + 1)^2 (t + 2)), t = exp(b), is largest at t^2 - t - 4 = 0
FOUR = pd.DataFrame({"days": [1, 2, 3, 4], "died": [1, 1, 1, 0], "x": [1, 0, 1, 0]})
RATIO = (1 + np.sqrt(17)) / 2


def _persons(n: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(20)
    stage = rng.integers(1, 4, n)
    return pd.DataFrame(
        {
            "days": rng.integers(1, 400, n),
            "died": rng.integers(0, 2, n),
            "age": rng.normal(70, 8, n).round(1),
            "stage": pd.Categorical(stage, categories=[3, 1, 2, 9]),
            "sex": rng.choice(["woman", "man"], n),
            "is_urgent": rng.integers(0, 2, n).astype(bool),
            "region": rng.choice(["a", "b"], n),
        }
    )


PERSONS = _persons()


def test_the_hazard_ratio_equals_the_hand_solution():
    found = regression.cox(FOUR, "x", **COLUMNS)
    row = found.coefficients.iloc[0]
    information = 2 * RATIO / (RATIO + 1) ** 2 + 2 * RATIO / (RATIO + 2) ** 2
    assert row["hazard_ratio"] == pytest.approx(RATIO, rel=1e-9)
    assert row["std_error"] == pytest.approx(information**-0.5, rel=1e-9)
    assert row["z"] == pytest.approx(np.log(RATIO) * information**0.5, rel=1e-9)
    assert row["lower"] == pytest.approx(RATIO * np.exp(-1.959963984540054 / information**0.5))
    assert row["upper"] == pytest.approx(RATIO * np.exp(1.959963984540054 / information**0.5))
    assert np.isnan(row["robust_std_error"])
    best = 2 * np.log(RATIO) - np.log(2) - 2 * np.log(RATIO + 1) - np.log(RATIO + 2)
    assert found.log_likelihood == pytest.approx(best, rel=1e-9)
    assert (found.n, found.events, found.n_missing) == (4, 3, 0)


def test_concordance_by_hand_with_ties_as_one_half():
    # of six pairs, three agree, one disagrees, two have the same x
    assert regression.cox(FOUR, "x", **COLUMNS).concordance == pytest.approx(4 / 6)


def test_concordance_equals_counting_pairs():
    rng = np.random.default_rng(3)
    persons = PERSONS.assign(
        days=rng.integers(2, 40, 200), start=rng.integers(0, 2, 200), w=rng.integers(1, 5, 200)
    )
    fit = regression.cox(
        persons, "age", **COLUMNS, entry="start", weight="w", strata=["region", "sex"]
    )
    one, other = (persons.add_suffix(s).assign(key=0) for s in ("_i", "_j"))
    pairs = one[one["died_i"] == 1].merge(other, on="key")
    later = pairs["days_j"] > pairs["days_i"]
    tied = (pairs["days_j"] == pairs["days_i"]) & (pairs["died_j"] == 0)
    pairs = pairs[(later | tied) & (pairs["start_j"] < pairs["days_i"])]
    pairs = pairs.query("region_i == region_j and sex_i == sex_j")
    gap = (pairs["age_i"] - pairs["age_j"]) * fit.coefficients["coefficient"][0]
    agree = np.select([gap > 0, gap == 0], [1.0, 0.5])
    expected = np.average(agree, weights=pairs["w_i"] * pairs["w_j"])
    assert fit.concordance == pytest.approx(expected, rel=1e-12)


def test_coefficients_have_the_agreed_columns_in_order():
    found = regression.cox(PERSONS, "age + stage", **COLUMNS).coefficients
    assert found.columns.tolist() == (
        [
            "term",
            "coefficient",
            "std_error",
            "robust_std_error",
            "hazard_ratio",
            "lower",
            "upper",
            "z",
            "p_value",
        ]
    )
    assert found["term"].tolist() == ["age", "stage[T.1]", "stage[T.2]"]
    assert found["p_value"].between(0, 1).all()


def test_levels_carry_the_reference_and_the_persons_behind_each_level():
    found = regression.cox(PERSONS, "age + stage", **COLUMNS).levels
    assert found.columns.tolist() == ["term", "variable", "level", "n", "events", "is_reference"]
    assert found["variable"].tolist() == ["age", "stage", "stage", "stage"]
    assert found["level"].tolist() == ["", "3", "1", "2"]
    assert found["is_reference"].tolist() == [False, True, False, False]
    for row in found.iloc[1:].itertuples():
        own = PERSONS[PERSONS["stage"].astype(int) == int(row.level)]
        assert (row.n, row.events) == (len(own), own["died"].sum())
    assert found.loc[0, ["n", "events"]].tolist() == [200, PERSONS["died"].sum()]


def test_text_booleans_and_codes_are_told_by_variable_and_level():
    gap = PERSONS.assign(code=PERSONS["stage"].astype(float))
    gap.loc[0, "code"] = np.nan
    formula = "sex + is_urgent + C(code) + np.log(age)"
    found = regression.cox(gap, formula, **COLUMNS).levels
    pairs = list(zip(found["variable"], found["level"], strict=True))
    assert pairs == [
        *[("sex", "man"), ("sex", "woman"), ("is_urgent", "False"), ("is_urgent", "True")],
        *[("code", "1"), ("code", "2"), ("code", "3"), ("age", "")],
    ]


def test_an_interaction_is_told_by_both_variables_and_its_own_persons():
    found = regression.cox(PERSONS, "sex * region + age:sex", **COLUMNS).levels
    row = found.set_index("term").loc["sex[T.woman]:region[T.b]"]
    own = PERSONS.query("sex == 'woman' and region == 'b'")
    assert (row["variable"], row["level"]) == ("sex:region", "woman:b")
    assert (row["n"], row["events"]) == (len(own), own["died"].sum())
    slopes = found[found["variable"] == "age:sex"]
    assert slopes["level"].tolist() == ["man", "woman"]


def test_persons_without_a_covariate_are_left_out_and_counted():
    gaps = PERSONS.copy()
    gaps.loc[:9, "age"] = np.nan
    gaps.loc[5:14, "sex"] = None
    found = regression.cox(gaps, "age + sex", **COLUMNS)
    complete = regression.cox(PERSONS.iloc[15:], "age + sex", **COLUMNS)
    assert (found.n, found.n_missing, complete.n_missing) == (185, 15, 0)
    pd.testing.assert_frame_equal(found.coefficients, complete.coefficients)


def test_missing_inside_a_function_counts_as_missing():
    gaps = PERSONS.assign(age=PERSONS["age"].where(PERSONS.index > 2))
    assert regression.cox(gaps, "poly(age, 2)", **COLUMNS).n_missing == 3


def test_a_level_that_vanishes_with_the_missing_does_not_appear():
    gaps = PERSONS.assign(age=PERSONS["age"].where(PERSONS["stage"] != 3))
    found = regression.cox(gaps, "age + stage", **COLUMNS)
    assert found.coefficients["term"].tolist() == ["age", "stage[T.2]"]
    assert found.levels["level"].tolist() == ["", "1", "2"]


def test_index_and_order_do_not_matter_and_input_is_unchanged():
    order = np.random.default_rng(1).permutation(len(PERSONS))
    other = PERSONS.iloc[order].set_axis([0] * len(PERSONS))
    before = other.copy(deep=True)
    found = regression.cox(other, "age + sex", **COLUMNS, strata="region")
    expected = regression.cox(PERSONS, "age + sex", **COLUMNS, strata="region")
    pd.testing.assert_frame_equal(found.coefficients, expected.coefficients, rtol=1e-9)
    pd.testing.assert_frame_equal(found.levels, expected.levels)
    assert found.concordance == pytest.approx(expected.concordance, rel=1e-12)
    pd.testing.assert_frame_equal(other, before)


def test_fractional_weights_make_interval_and_test_robust():
    weighted = regression.cox(PERSONS.assign(w=0.5), "age", **COLUMNS, weight="w")
    plain = regression.cox(PERSONS, "age", **COLUMNS).coefficients
    row = weighted.coefficients.iloc[0]
    assert row["coefficient"] == pytest.approx(plain["coefficient"][0], rel=1e-7)
    assert row["z"] == pytest.approx(row["coefficient"] / row["robust_std_error"], rel=1e-12)


def test_a_fit_cannot_be_changed():
    fit = regression.cox(FOUR, "x", **COLUMNS)
    with pytest.raises(dataclasses.FrozenInstanceError):
        fit.n = 3


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ("age +* stage", "cannot be read"),
        ("died ~ age", "covariates only"),
        ("age - 1", "leave out"),
        ("C(stage, contr.treatment(base=2))", "leave out"),
        ("1", "names no covariate"),
        ("age + np.nothing(age)", "a term cannot be computed"),
    ],
)
def test_a_formula_that_cannot_be_used_is_refused(formula, said):
    with pytest.raises(StudyError, match=said):
        regression.cox(PERSONS, formula, **COLUMNS)


def test_an_unknown_covariate_or_function_is_told_the_nearest():
    with pytest.raises(DataError, match=r'no column "stagee".*Did you mean "stage"'):
        regression.cox(PERSONS, "age + stagee", **COLUMNS)
    with pytest.raises(
        DataError, match=r'no column "log1p".*Did you mean the function "np\.log1p"'
    ):
        regression.cox(PERSONS, "log1p(age)", **COLUMNS)


@pytest.mark.parametrize(
    ("columns", "formula", "said"),
    [
        ({"twice": PERSONS["age"] * 2 + 1}, "age + twice", "(age|twice).*collinear"),
        ({"same": 3.0}, "age + same", '"same".*collinear'),
        ({"sex": "man"}, "age + sex", '"sex" has one level only among 200 persons'),
        ({"died": 0}, "age", "no events among 200"),
        ({"age": np.nan}, "age", "no persons left; a covariate is missing in 200 rows"),
        ({"age": 0.0}, "np.log(age)", r'"np.log\(age\)" in 200 rows'),
        ({"age": pd.Timestamp("2020-01-01")}, "age", "a date cannot be a covariate"),
        ({"died": PERSONS["died"].where(PERSONS["stage"] != 1, 0)}, "stage", r"stage\[T.1\]"),
        ({"died": PERSONS["died"].where(PERSONS["stage"] != 3, 0)}, "stage", r"stage\[T.3\]"),
    ],
)
def test_a_model_without_an_answer_is_refused_by_name(columns, formula, said):
    with pytest.raises(DataError, match=said):
        regression.cox(PERSONS.assign(**columns), formula, **COLUMNS)


def test_separation_by_a_number_is_refused():
    # who has the larger x always has the event first: the likelihood has no maximum
    persons = pd.DataFrame({"days": range(1, 31), "died": 1, "x": range(30, 0, -1)})
    with pytest.raises(DataError, match="no finite estimate"):
        regression.cox(persons, "x", **COLUMNS)


def test_a_covariate_constant_within_strata_is_collinear():
    persons = PERSONS.assign(same=PERSONS["region"].map({"a": 1.0, "b": 5.0}))
    with pytest.raises(DataError, match=r'"same".*collinear'):
        regression.cox(persons, "age + same", **COLUMNS, strata="region")


def test_missing_strata_and_faulty_follow_up_are_refused():
    gap = PERSONS.assign(region=PERSONS["region"].where(PERSONS.index > 0))
    with pytest.raises(DataError, match='"region": missing in 1 of 200'):
        regression.cox(gap, "age", **COLUMNS, strata="region")
    with pytest.raises(DataError, match='"days": negative in 200 rows'):
        regression.cox(PERSONS.assign(days=-1), "age", **COLUMNS)
