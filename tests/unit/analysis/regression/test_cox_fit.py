"""What a Cox fit gives: clusters, weights, start-stop rows, prediction, tests, and refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.analysis import regression
from workbench.analysis.regression import covariate_patterns, cox_kernels
from workbench.analysis.regression.cox_likelihood import PlainRows, information, likelihood
from workbench.analysis.regression.risk_sets import risk_sets
from workbench.errors import DataError, StudyError

COLUMNS = {"duration": "days", "event": "died"}


def _persons(n: int = 300, seed: int = 5, last: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    age, arm = rng.normal(70, 8, n).round(), rng.choice(["a", "b", "c"], n)
    hazard = np.exp(0.04 * (age - 70) + 0.6 * (arm == "b"))
    latent, left = rng.exponential(30 / hazard), rng.uniform(5, last, n)
    return pd.DataFrame(
        {
            "days": np.ceil(np.minimum(latent, left)).astype(int),
            "died": (latent <= left).astype(int),
            "age": age,
            "arm": arm,
            "year": rng.integers(2000, 2005, n),
            "region": rng.choice(["n", "s"], n),
            "clinic": rng.integers(0, 20, n),
            "w": rng.uniform(0.5, 2, n).round(2),
            "o": rng.normal(0, 0.3, n),
            "start": rng.integers(0, 2, n) * 0.5,
        }
    )


PERSONS = _persons()
FIT = regression.cox(PERSONS, "age + arm", **COLUMNS)


def _assert_same(one: regression.CoxFit, other: regression.CoxFit, rtol: float = 1e-8) -> None:
    pd.testing.assert_frame_equal(one.coefficients, other.coefficients, rtol=rtol)
    assert one.log_likelihood == pytest.approx(other.log_likelihood, rel=1e-10)


def test_robust_errors_are_used_where_asked_for():
    plain = FIT.coefficients
    robust = regression.cox(PERSONS, "age + arm", **COLUMNS, robust=True)
    assert plain["robust_std_error"].isna().all()
    assert robust.coefficients["robust_std_error"].gt(0).all()
    np.testing.assert_allclose(
        robust.coefficients["z"],
        robust.coefficients["coefficient"] / robust.coefficients["robust_std_error"],
    )
    np.testing.assert_allclose(robust.coefficients["std_error"], plain["std_error"])
    assert (robust.n_clusters, FIT.n_clusters) == (300, None)


def test_whole_weights_count_as_breslow_rows_and_fractional_ones_are_robust():
    doubled = pd.concat([PERSONS, PERSONS])
    twice = regression.cox(PERSONS.assign(w=2), "age", **COLUMNS, weight="w", ties="breslow")
    again = regression.cox(doubled, "age", **COLUMNS, ties="breslow")
    assert twice.coefficients["coefficient"][0] == pytest.approx(
        again.coefficients["coefficient"][0], rel=1e-9
    )
    assert twice.coefficients["std_error"][0] == pytest.approx(
        again.coefficients["std_error"][0], rel=1e-8
    )
    assert twice.n_clusters is None
    weighted = regression.cox(PERSONS, "age", **COLUMNS, weight="w")
    assert weighted.n_clusters == 300
    naive = regression.cox(PERSONS, "age", **COLUMNS, weight="w", robust=False)
    assert naive.coefficients["robust_std_error"].isna().all()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["efron", "breslow"]))
def test_splitting_follow_up_changes_nothing(seed, ties):
    persons = _persons(80, seed).assign(start=0, id=range(80))
    cut = np.random.default_rng(seed).integers(1, 10, 80)
    splits = persons["days"] > cut
    early = persons[splits].assign(days=cut[splits], died=0)
    late = persons[splits].assign(start=cut[splits])
    rows = pd.concat([persons[~splits], early, late]).sample(frac=1, random_state=seed)
    columns = COLUMNS | {"entry": "start", "cluster": "id", "ties": ties}
    whole = regression.cox(persons, "age + region", **columns)
    split = regression.cox(rows, "age + region", **columns)
    _assert_same(split, whole, rtol=1e-7)
    columns = {"check_names": False, "rtol": 1e-7}
    pd.testing.assert_frame_equal(split.baseline(), whole.baseline(), **columns)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1 / 365.25, 7.0, 1e3]))
def test_the_unit_of_time_and_the_scale_of_a_number_do_not_matter(seed, unit):
    persons = _persons(80, seed)
    other = persons.assign(days=persons["days"] * unit, age=persons["age"] * 1000 - 5)
    one = regression.cox(persons, "age", **COLUMNS)
    two = regression.cox(other, "age", **COLUMNS)
    assert two.log_likelihood == pytest.approx(one.log_likelihood, rel=1e-10)
    assert two.coefficients["coefficient"][0] * 1000 == pytest.approx(
        one.coefficients["coefficient"][0], rel=1e-7
    )
    np.testing.assert_allclose(
        one.proportional_hazards_test("identity")["statistic"],
        two.proportional_hazards_test("identity")["statistic"],
        rtol=1e-6,
    )


def test_without_tied_events_both_rules_agree():
    rng = np.random.default_rng(2)
    persons = PERSONS.assign(days=PERSONS["days"] + rng.uniform(-0.4, 0.4, 300))
    one = regression.cox(persons, "age + arm", **COLUMNS)
    _assert_same(one, regression.cox(persons, "age + arm", **COLUMNS, ties="breslow"))


def test_an_offset_stands_in_for_a_known_effect():
    known = FIT.coefficients["coefficient"]
    persons = PERSONS.assign(o=known[0] * PERSONS["age"])
    found = regression.cox(persons, "arm", **COLUMNS, offset="o")
    np.testing.assert_allclose(found.coefficients["coefficient"], known[1:], rtol=1e-7)
    assert found.log_likelihood == pytest.approx(FIT.log_likelihood, rel=1e-10)
    shifted = found.predict(persons.head(3), kind="linear")["estimate"]
    assert shifted.notna().all()
    persons = persons.assign(o=persons["o"].where(persons.index > 0))
    with pytest.raises(DataError, match='offset "o" is not a finite number in 1 rows'):
        regression.cox(persons, "arm", **COLUMNS, offset="o")


def test_martingale_and_score_residuals_add_up_to_nothing():
    for ties in ("efron", "breslow"):
        fit = regression.cox(PERSONS, "age + arm", **COLUMNS, strata="region", ties=ties)
        assert fit.residuals("martingale").to_numpy().sum() == pytest.approx(0, abs=1e-9)
        np.testing.assert_allclose(fit.residuals("score").sum(), 0, atol=1e-6)
        schoenfeld = fit.residuals("schoenfeld")
        assert schoenfeld.columns.tolist() == ["region", "time", *fit.coefficients["term"]]
        np.testing.assert_allclose(schoenfeld.drop(columns=["region", "time"]).sum(), 0, atol=1e-6)
    with pytest.raises(StudyError, match='no kind "partial"'):
        fit.residuals("partial")


def test_residuals_carry_the_index_of_the_persons_in_the_fit():
    gaps = PERSONS.set_index(PERSONS.index + 1000)
    gaps["age"] = gaps["age"].where(gaps.index != 1003)
    found = regression.cox(gaps, "age", **COLUMNS).residuals("deviance")
    assert len(found) == 299 and 1003 not in found.index


def test_prediction_reads_the_baseline():
    table = FIT.baseline()
    assert table.columns.tolist() == ["time", "cumulative_hazard", "std_error", "lower", "upper"]
    assert table["cumulative_hazard"].is_monotonic_increasing
    new = pd.DataFrame({"age": [0.0], "arm": ["a"]}, index=["x"])
    time = table["time"].iloc[[3, 7]]
    found = FIT.predict(new, times=time)
    np.testing.assert_allclose(-np.log(found["estimate"]), table["cumulative_hazard"].iloc[[3, 7]])
    assert found.index.tolist() == ["x", "x"]
    before = FIT.predict(new, times=[0])
    assert before[["estimate", "lower", "upper"]].to_numpy().ravel().tolist() == [1, 1, 1]


def test_hazard_ratio_of_the_reference_person_is_one():
    new = pd.DataFrame({"age": [PERSONS["age"].mean()] * 2, "arm": ["a", "b"]})
    found = FIT.predict(new, kind="hazard_ratio")
    row = FIT.coefficients.set_index("term").loc["arm[T.b]"]
    assert found["estimate"].tolist() == pytest.approx([1, row["hazard_ratio"]])
    assert found.loc[1, "lower"] == pytest.approx(row["lower"])


@pytest.mark.parametrize(
    ("change", "options", "said"),
    [
        ({"arm": "z"}, {"times": [5]}, "level the fit has not seen in 2 rows"),
        ({"age": np.nan}, {"times": [5]}, '"age": missing in 2 rows'),
        ({"region": "w"}, {"times": [5]}, "2 rows are in a stratum"),
        ({}, {"kind": "linear", "times": [5]}, "takes no times"),
        ({}, {}, "needs times"),
        ({}, {"kind": "odds"}, 'no kind "odds"'),
        ({}, {"times": [5], "interval": "odd"}, "expected one of"),
    ],
)
def test_a_prediction_that_cannot_be_made_is_refused(change, options, said):
    fit = regression.cox(PERSONS, "age + arm", **COLUMNS, strata="region")
    with pytest.raises((DataError, StudyError), match=said):
        fit.predict(PERSONS.head(2).assign(**change), **options)


def test_the_three_tests_are_near_each_other():
    table = FIT.tests
    assert table["test"].tolist() == ["likelihood ratio", "wald", "score"]
    assert table["degrees_of_freedom"].eq(3).all()
    assert table["statistic"].max() < 1.2 * table["statistic"].min()


def test_terms_of_several_columns_are_tested_as_one():
    found = FIT.proportional_hazards_test()
    assert found["term"].tolist() == ["age", "arm", "GLOBAL"]
    assert found["degrees_of_freedom"].tolist() == [1, 2, 3]
    with pytest.raises(StudyError, match="transform: expected one of"):
        FIT.proportional_hazards_test("sqrt")
    at_start = regression.cox(PERSONS.assign(days=PERSONS["days"] - 1), "age", **COLUMNS)
    with pytest.raises(DataError, match="an event at time 0"):
        at_start.proportional_hazards_test("log")


def test_the_drift_of_hazards_is_found_by_every_transform():
    rng = np.random.default_rng(8)
    x = rng.integers(0, 2, 2000)
    time = np.where(x == 1, rng.weibull(2.5, 2000), rng.weibull(0.7, 2000)) * 100
    persons = pd.DataFrame({"days": np.ceil(time), "died": 1, "x": x})
    fit = regression.cox(persons, "x", **COLUMNS)
    for transform in ("km", "rank", "log", "identity"):
        assert fit.proportional_hazards_test(transform)["p_value"].iloc[0] < 1e-6


def test_adjusted_survival_is_the_mean_of_the_predictions():
    for extra in ({}, {"strata": "region"}, {"weight": "w"}):
        fit = regression.cox(PERSONS, "age + arm", **COLUMNS, **extra)
        found = fit.adjusted_survival(by="arm", times=[5, 20])
        assert found["arm"].tolist() == ["a", "a", "b", "b", "c", "c"]
        weight = PERSONS["w"] if extra.get("weight") else None
        each = fit.predict(PERSONS.assign(arm="b"), times=[20])["estimate"]
        assert found["estimate"][3] == pytest.approx(np.average(each, weights=weight))
        assert (found["lower"] < found["estimate"]).all()


def test_adjusted_standard_errors_equal_those_of_prediction_for_persons_alike():
    # with one covariate set for everyone, the average is the prediction itself
    fit = regression.cox(PERSONS, "arm", **COLUMNS)
    found = fit.adjusted_survival(by="arm", times=[5, 20], levels=["b"])
    expected = fit.predict(pd.DataFrame({"arm": ["b"]}), times=[5, 20])
    for column in ("estimate", "std_error", "lower", "upper"):
        np.testing.assert_allclose(found[column], expected[column], rtol=1e-9)


def test_adjusted_means_and_their_differences_vary_as_the_bootstrap_says():
    found = FIT.adjusted_restricted_mean(by="arm", horizon=20)
    rng = np.random.default_rng(3)
    again = []
    for _ in range(60):
        drawn = PERSONS.iloc[rng.integers(0, 300, 300)]
        again.append(
            regression.cox(drawn, "age + arm", **COLUMNS)
            .adjusted_restricted_mean(by="arm", horizon=20)["difference"]
            .to_numpy()
        )
    assert np.isnan(found["difference"][0])
    spread = np.std(again, axis=0)[1:]
    np.testing.assert_allclose(found["difference_std_error"][1:], spread, rtol=0.35)
    assert (found["difference"][1:] == found["estimate"][1:] - found["estimate"][0]).all()


def test_adjusting_by_what_is_not_there_is_refused():
    with pytest.raises(DataError, match='not a covariate of the formula. Did you mean "arm"'):
        FIT.adjusted_survival(by="arms", times=[5])
    with pytest.raises(StudyError, match="different numbers. Name levels"):
        FIT.adjusted_survival(by="age", times=[5])
    with pytest.raises(StudyError, match="horizon: expected a number above 0"):
        FIT.adjusted_restricted_mean(by="arm", horizon=0)
    assert len(FIT.adjusted_survival(by="age", times=[5], levels=[60, 80])) == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"ties": "exact"}, "another model"),
        ({"ties": "jitter"}, 'ties is "efron" or "breslow"'),
        ({"cluster": "clinic", "robust": False}, "need robust"),
        ({"cluster": "clinik"}, 'Did you mean "clinic"'),
        ({"cluster": "one"}, "one cluster only"),
        ({"cluster": "gap"}, '"gap": missing in 1 of 300'),
    ],
)
def test_options_that_cannot_be_used_are_refused(options, said):
    persons = PERSONS.assign(one=1, gap=PERSONS["clinic"].where(PERSONS.index > 0))
    with pytest.raises((DataError, StudyError), match=said):
        regression.cox(persons, "age", **COLUMNS, **options)


def test_two_hundred_categories_are_fitted():
    persons = _persons(6000, last=90).assign(unit=np.arange(6000) % 200)
    fit = regression.cox(persons, "age + C(unit)", **COLUMNS)
    assert len(fit.coefficients) == 200 and len(fit.levels) == 201


def test_events_at_time_zero_count_and_all_at_once_do_too():
    early = PERSONS.assign(days=PERSONS["days"].where(PERSONS.index > 30, 0))
    assert np.isfinite(regression.cox(early, "age", **COLUMNS).log_likelihood)
    at_once = regression.cox(PERSONS.assign(days=7), "age", **COLUMNS)
    assert np.isnan(at_once.concordance) or 0 <= at_once.concordance <= 1
    with pytest.raises(DataError, match="all events are at the same time"):
        at_once.proportional_hazards_test()


def test_a_stratum_without_events_says_nothing():
    died = PERSONS["died"].where(PERSONS["region"] == "n", 0)
    with_it = regression.cox(PERSONS.assign(died=died), "age", **COLUMNS, strata="region")
    without = regression.cox(PERSONS[PERSONS["region"] == "n"], "age", **COLUMNS)
    assert with_it.log_likelihood == pytest.approx(without.log_likelihood, rel=1e-10)
    new = pd.DataFrame({"age": [70], "region": ["s"]})
    assert with_it.predict(new, times=[10])["estimate"].tolist() == [1.0]


def test_a_fit_becomes_one_of_lifelines():
    fit = regression.cox(PERSONS, "age + arm", **COLUMNS, strata="region")
    found = fit.to_lifelines()
    np.testing.assert_allclose(found.params_, fit.coefficients["coefficient"], rtol=1e-7)
    np.testing.assert_allclose(found.standard_errors_, fit.coefficients["std_error"], rtol=1e-6)
    with pytest.raises(StudyError, match="Efron's ties only"):
        regression.cox(PERSONS, "age", **COLUMNS, ties="breslow").to_lifelines()


@pytest.mark.parametrize("distribution", ["weibull", "log-normal", "log-logistic"])
def test_parametric_models_are_those_of_lifelines(distribution):
    found = regression.parametric(PERSONS, "age + arm", **COLUMNS, distribution=distribution)
    assert found.summary["coef"].notna().all()
    older = found.params_.xs("age", level="covariate").iloc[0]
    assert older < 0


def test_parametric_models_refuse_what_they_cannot_use():
    with pytest.raises(StudyError, match="distribution: expected one of"):
        regression.parametric(PERSONS, "age", **COLUMNS, distribution="gamma")
    with pytest.raises(DataError, match='"days": 0 in 300 rows'):
        regression.parametric(PERSONS.assign(days=0), "age", **COLUMNS)
    with pytest.raises(DataError, match="no events"):
        regression.parametric(PERSONS.assign(died=0), "age", **COLUMNS)


BIG = _persons(25_000, seed=11)
FORMULAS = [
    "age + year",
    "arm + C(year)",
    "np.log(age) + arm * region + year",
    "age:arm + region",
]


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize(
    "options",
    [{}, {"ties": "breslow"}, {"strata": "region"}, {"entry": "start", "weight": "w"},
     {"offset": "o", "cluster": "clinic"}],
)  # fmt: skip
def test_compiled_and_plain_fits_are_the_same(formula, options, monkeypatch):
    if "strata" in options:
        formula = formula.replace("region", "C(clinic)") if "*" not in formula else "age + arm"
    compiled = regression.cox(BIG, formula, **COLUMNS, **options)
    monkeypatch.setenv("WORKBENCH_COMPILED", "0")
    monkeypatch.setattr(covariate_patterns, "FEWEST_PERSONS", 10**9)
    plain = regression.cox(BIG, formula, **COLUMNS, **options)
    _assert_same(compiled, plain)
    pd.testing.assert_frame_equal(compiled.levels, plain.levels, check_dtype=False)
    assert compiled.log_likelihood_null == pytest.approx(plain.log_likelihood_null, rel=1e-12)


def test_compiled_sums_equal_plain_ones():
    event = BIG["died"].to_numpy() > 0
    variables = ["age", "arm", "year"]
    parts = covariate_patterns.covariates_of(
        BIG, "age + arm + C(year)", variables=variables, model="cox", event=event
    )
    from workbench.analysis.inputs import check_follow_up

    risk = risk_sets(check_follow_up(BIG, **COLUMNS), np.zeros(len(BIG), int), ties="efron")
    mean = parts.mean[parts.table_terms]
    compiled = cox_kernels.CompiledRows(parts.pattern, parts.table, mean, parts.numbers, risk)
    plain = PlainRows(parts.matrix()[:, parts.order], risk)
    b = np.linspace(-0.2, 0.2, plain.n_columns)
    one, two = likelihood(compiled, risk, b), likelihood(plain, risk, b)
    assert one.value == pytest.approx(two.value, rel=1e-12)
    np.testing.assert_allclose(one.gradient, two.gradient, rtol=1e-8, atol=1e-7)
    np.testing.assert_allclose(
        information(compiled, risk, one, one.steps),
        information(plain, risk, two, two.steps),
        rtol=1e-8, atol=1e-6,
    )  # fmt: skip


def test_a_large_fit_started_from_a_part_ends_where_a_cold_one_does(monkeypatch):
    from importlib import import_module

    module = import_module("workbench.analysis.regression.cox")
    cold = regression.cox(BIG, "age + arm", **COLUMNS)
    monkeypatch.setattr(module, "MANY", 20_000)
    monkeypatch.setattr(module, "PART", 2_000)
    _assert_same(regression.cox(BIG, "age + arm", **COLUMNS), cold)


def test_large_data_are_refused_as_small_ones_are():
    with pytest.raises(DataError, match=r'"(age|twice)".*collinear'):
        regression.cox(BIG.assign(twice=BIG["age"] * 2), "age + twice", **COLUMNS)
    with pytest.raises(DataError, match=r'"np.log\(zero\)" in 25000 rows'):
        regression.cox(BIG.assign(zero=0.0), "np.log(zero)", **COLUMNS)
    died = BIG["died"].where(BIG["arm"] != "b", 0)
    with pytest.raises(DataError, match=r"no events in .*arm\[T.b\]"):
        regression.cox(BIG.assign(died=died), "age + arm", **COLUMNS)
    rare = BIG.assign(rare=(np.arange(len(BIG)) % 9000 == 7).astype(int))
    assert np.isfinite(regression.cox(rare, "age + arm + rare", **COLUMNS).log_likelihood)


def test_concordance_of_a_score_by_hand():
    persons = pd.DataFrame({"days": [1, 2, 2, 4], "died": [1, 1, 1, 0], "score": [3, 3, 1, 2]})
    found = regression.concordance(persons, **COLUMNS, score="score")
    # first against three: one tied, two lower; each of the second and third against the last
    assert (found.concordant, found.discordant, found.tied_score) == (3, 1, 1)
    assert (found.tied_time, found.tied_both) == (1, 0)
    assert found.estimate == pytest.approx(3.5 / 5)
    alone = regression.concordance(persons.head(1), **COLUMNS, score="score")
    assert np.isnan(alone.estimate)


def test_concordance_that_cannot_be_had_is_refused():
    with pytest.raises(StudyError, match='"harrell" or "uno"'):
        regression.concordance(PERSONS, **COLUMNS, score="age", censoring="x")
    with pytest.raises(StudyError, match="takes no entry"):
        regression.concordance(PERSONS, **COLUMNS, score="age", censoring="uno", weight="w")
    with pytest.raises(DataError, match='"age" is not a finite number in 300 rows'):
        regression.concordance(PERSONS.assign(age=np.nan), **COLUMNS, score="age")
