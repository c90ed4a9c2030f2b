"""Units drawn towards the whole, as far as their own patients say little."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, special, stats

from workbench.analysis import units
from workbench.analysis.units.linear_intercept import fit_linear
from workbench.analysis.units.mixed_likelihood import MixedLikelihood
from workbench.analysis.units.ranking import expected_ranks
from workbench.errors import DataError, StudyError, WorkbenchError

COUNTS = pd.DataFrame(
    {
        "clinic": ["A", "B", "C", "D", "E", "F", "G"],
        "events": [30, 12, 55, 0, 8, 90, 5],
        "n": [60, 40, 70, 5, 30, 200, 5],
    }
)
COLUMNS = [
    "clinic", "n", "events", "estimate", "effect", "std_error", "lower", "upper", "shrunken",
    "shrunken_lower", "shrunken_upper", "reliability", "expected_rank", "rank_lower", "rank_upper",
    "left_out",
]  # fmt: skip


def counts(**changed: object) -> pd.DataFrame:
    """The counts, whose columns n and events are named otherwise than those of the result."""
    return COUNTS.rename(columns={"events": "died", "n": "treated"}).assign(**changed)


CALL = {"outcome": "died", "n": "treated", "unit": "clinic"}


def persons_of(table: pd.DataFrame) -> pd.DataFrame:
    rows = table.loc[table.index.repeat(table["treated"])]
    rank = rows.groupby(level=0).cumcount()
    return rows.assign(died=(rank < rows["died"]).astype(int))[["clinic", "died"]]


def patients(n: int = 800, seed: int = 1, spread: float = 0.6) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    clinic, age = rng.integers(0, 12, n), rng.integers(40, 90, n)
    effect = spread * rng.normal(size=12)
    logit = -0.5 + 0.03 * (age - 65) + effect[clinic]
    died = (rng.random(n) < special.expit(logit)).astype(int)
    waited = 20 + 0.2 * age + 6 * effect[clinic] + rng.normal(0, 5, n)
    return pd.DataFrame({"clinic": clinic, "age": age, "died": died, "waited": waited})


def test_columns_and_attributes():
    found = units.random_intercept(counts(), **CALL)
    assert isinstance(found, units.UnitTable) and type(found.table) is pd.DataFrame
    assert list(found.columns) == COLUMNS
    assert list(found["clinic"]) == list("ABCDEFG")
    assert found["n"].dtype == found["events"].dtype == int
    variance = found.variance
    assert found.icc == pytest.approx(variance / (variance + np.pi**2 / 3))
    assert found.median_odds_ratio == pytest.approx(np.exp(np.sqrt(2 * variance) * 0.674489750196))
    assert found.intercept == found.coefficients["coefficient"][0]
    assert not found.is_singular and found.note == "" and found.p_value < 0.001
    np.testing.assert_allclose(found["shrunken"], special.expit(found.intercept + found["effect"]))
    np.testing.assert_allclose(found["reliability"], 1 - found["std_error"] ** 2 / variance)
    z = 1.959963984540054
    np.testing.assert_allclose(found["upper"], found["effect"] + z * found["std_error"])
    assert found.n_used == 410 and found.n_left_out == 0
    assert np.isnan(found.residual_variance)


def test_rankability_uses_the_variance_of_separate_effects():
    found = units.random_intercept(counts(), **CALL)
    x, n = COUNTS["events"], COUNTS["n"]
    with np.errstate(divide="ignore"):
        middle = np.median(1 / x + 1 / (n - x))
    assert found.rankability == pytest.approx(found.variance / (found.variance + middle))
    assert found.ranks_tell == (found.rankability >= 0.5)


def test_counts_and_persons_give_the_same():
    by_count = units.random_intercept(counts(), **CALL)
    one_by_one = units.random_intercept(persons_of(counts()), outcome="died", unit="clinic")
    pd.testing.assert_frame_equal(by_count.table, one_by_one.table, rtol=1e-7)
    assert by_count.log_likelihood == pytest.approx(one_by_one.log_likelihood, rel=1e-10)


def test_neither_index_nor_order_matter_and_the_input_stays():
    persons = patients()
    before = persons.copy()
    call = {"outcome": "died", "unit": "clinic", "formula": "age"}
    found = units.random_intercept(persons, **call)
    pd.testing.assert_frame_equal(persons, before)
    again = units.random_intercept(persons.sample(frac=1, random_state=3), **call)
    pd.testing.assert_frame_equal(found.table, again.table)


def test_small_units_are_drawn_more():
    found = units.random_intercept(counts(), **CALL).set_index("clinic")
    raw, drawn = found["estimate"], found["shrunken"]
    middle = special.expit(-0.1)
    assert drawn["D"] > raw["D"] == 0 and drawn["G"] < raw["G"] == 1
    assert abs(drawn["F"] - raw["F"]) < abs(drawn["B"] - raw["B"]) < abs(drawn["D"] - raw["D"])
    assert found["reliability"].idxmax() == "F"
    assert found["reliability"].between(0, 1).all() and 0 < middle < 1


def whole_likelihood(table: pd.DataFrame, intercept: float, log_sd: float) -> float:
    """By a dense sum over each unit's effect."""
    u, width = np.linspace(-20, 20, 100_001, retstep=True)
    logit = intercept + u
    prior = stats.norm.logpdf(u, scale=np.exp(log_sd)) + np.log(width)
    total = 0.0
    for died, n in zip(table["died"], table["treated"], strict=True):
        total += special.logsumexp(died * logit - n * np.logaddexp(0, logit) + prior)
    return total


def test_the_likelihood_is_that_of_a_dense_integral():
    table = counts()
    events, n = table["died"].to_numpy(float), table["treated"].to_numpy(float)
    likelihood = MixedLikelihood(np.ones((7, 1)), events, n, np.arange(7), 25)
    for theta in ([0.0, 0.0], [-0.3, -1.0], [0.5, 0.4]):
        expected = whole_likelihood(table, *theta)
        assert likelihood.value(np.array(theta))[0] == pytest.approx(expected, rel=1e-7)
    found = units.random_intercept(table, **CALL, nodes=25)
    best = [found.intercept, np.log(found.variance) / 2]
    assert found.log_likelihood == pytest.approx(whole_likelihood(table, *best), rel=1e-7)


@pytest.mark.parametrize("nodes", [1, 2, 5, 15])
def test_the_gradient_is_that_of_the_approximation_itself(nodes):
    rng = np.random.default_rng(nodes)
    unit = np.sort(rng.integers(0, 5, 40))
    x = np.column_stack([np.ones(40), rng.normal(size=(40, 2))])
    size = rng.integers(1, 9, 40).astype(float)
    likelihood = MixedLikelihood(x, np.floor(size * rng.random(40)), size, unit, nodes)
    theta = np.array([0.2, -0.4, 0.7, -0.3])
    numeric = optimize.approx_fprime(theta, lambda at: likelihood.value(at)[0], 1e-6)
    np.testing.assert_allclose(likelihood.value(theta)[1], numeric, rtol=1e-4, atol=1e-4)


def test_more_nodes_no_longer_change_the_answer():
    few, many = (units.random_intercept(counts(), **CALL, nodes=one) for one in (15, 60))
    np.testing.assert_allclose(few.variance, many.variance, rtol=1e-5)
    np.testing.assert_allclose(few["effect"], many["effect"], rtol=1e-4, atol=1e-5)


def test_covariates_and_what_is_left_out():
    persons = patients(6000).astype({"age": float})
    persons.loc[persons["clinic"] == 4, "age"] = np.nan
    persons.loc[[0, 1], "died"] = np.nan
    found = units.random_intercept(persons, outcome="died", unit="clinic", formula="age")
    assert list(found.coefficients["term"]) == ["Intercept", "age"]
    assert found.coefficients["odds_ratio"][1] == pytest.approx(np.exp(0.03), abs=0.006)
    assert found.n_left_out == found["left_out"].sum() == 6000 - found.n_used
    empty = found[found["clinic"] == 4].iloc[0]
    assert empty["n"] == 0 and empty["left_out"] > 0
    assert empty[["estimate", "effect", "shrunken", "expected_rank"]].isna().all()
    # eleven units have a rank
    assert found["expected_rank"].sum() == pytest.approx(11 * 12 / 2)
    inside = persons.dropna()
    whole = special.expit(
        found.intercept + found.coefficients["coefficient"][1] * inside["age"].to_numpy()
        + found["effect"][0]
    ).mean()  # fmt: skip
    assert found["shrunken"][0] == pytest.approx(whole)


def test_no_variation_is_said_in_words():
    table = counts(died=[30, 20, 35, 2, 15, 100, 3])
    found = units.random_intercept(table, **CALL)
    assert found.is_singular and found.note == "no variation between units detected"
    assert found.variance == found.icc == found.rankability == 0
    assert found.median_odds_ratio == 1 and found.p_value == 1 and not found.ranks_tell
    share = table["died"].sum() / table["treated"].sum()
    np.testing.assert_allclose(found["shrunken"], share)
    assert (found[["effect", "std_error", "reliability"]] == 0).all(axis=None)
    assert (found["expected_rank"] == 4).all()
    assert (found["rank_lower"] == 1).all() and (found["rank_upper"] == 7).all()


def test_all_units_equal_and_two_units():
    equal = counts(died=5, treated=10)
    assert units.random_intercept(equal, **CALL).is_singular
    two = counts().iloc[:2]
    found = units.random_intercept(two.assign(died=[5, 30], treated=[50, 60]), **CALL)
    assert len(found) == 2 and found.variance > 0
    assert found["expected_rank"].sum() == pytest.approx(3)


def test_a_row_without_patients_keeps_its_unit():
    table = counts(died=[30, 12, 55, 0, 8, 90, 0], treated=[60, 40, 70, 5, 30, 200, 0])
    found = units.random_intercept(table, **CALL)
    last = found.iloc[-1]
    assert last["clinic"] == "G" and last["n"] == 0 and np.isnan(last["effect"])
    rest = units.random_intercept(table.iloc[:-1], **CALL)
    assert found.variance == pytest.approx(rest.variance)


def test_the_variance_is_found_again_in_simulated_units():
    rng = np.random.default_rng(11)
    n = rng.integers(20, 400, 300)
    died = rng.binomial(n, special.expit(-1 + 0.5 * rng.normal(size=300)))
    table = pd.DataFrame({"clinic": np.arange(300), "died": died, "treated": n})
    found = units.random_intercept(table, **CALL)
    assert found.variance == pytest.approx(0.25, abs=0.06)
    assert found.intercept == pytest.approx(-1, abs=0.1)
    assert found.rankability > 0.5 and found.ranks_tell


def test_expected_ranks_by_drawing():
    rng = np.random.default_rng(2)
    effect, variance = rng.normal(size=6), rng.uniform(0.05, 0.6, 6)
    drawn = effect + np.sqrt(variance) * rng.normal(size=(40_000, 6))
    rank = drawn.argsort(axis=1).argsort(axis=1) + 1
    found = expected_ranks(effect, variance)
    np.testing.assert_allclose(found["expected_rank"], rank.mean(axis=0), atol=0.03)
    lower, upper = np.quantile(rank, [0.025, 0.975], axis=0, method="inverted_cdf")
    assert np.abs(found["rank_lower"] - lower).max() <= 1
    assert np.abs(found["rank_upper"] - upper).max() <= 1


def test_ranks_of_very_many_units():
    rng = np.random.default_rng(3)
    effect, variance = rng.normal(size=160), np.full(160, 0.2)
    found = expected_ranks(effect, variance)
    assert found["expected_rank"].sum() == pytest.approx(160 * 161 / 2)
    inside = found["expected_rank"].between(found["rank_lower"], found["rank_upper"])
    assert inside.all()
    exact = expected_ranks(effect[:150], variance[:150])
    assert (exact["rank_upper"] <= 150).all() and (exact["rank_lower"] >= 1).all()
    certain = expected_ranks(np.array([0.3, -1.0, 2.0]), np.zeros(3))
    assert certain["expected_rank"].tolist() == [2, 1, 3]
    assert certain["rank_lower"].tolist() == certain["rank_upper"].tolist() == [2, 1, 3]


def dense_criterion(x: np.ndarray, y: np.ndarray, unit: np.ndarray, between: float, within: float):
    """Minus twice the restricted log-likelihood by whole matrices."""
    covariance = within * np.eye(len(y)) + between * (unit[:, None] == unit)
    inverse = np.linalg.inv(covariance)
    cross = x.T @ inverse @ x
    residual = y - x @ np.linalg.solve(cross, x.T @ inverse @ y)
    logs = np.linalg.slogdet(covariance)[1] + np.linalg.slogdet(cross)[1]
    constant = (len(y) - x.shape[1]) * np.log(2 * np.pi)
    return residual @ inverse @ residual + logs + constant


def test_the_linear_model_has_the_restricted_likelihood_of_whole_matrices():
    persons = patients(120)
    x = np.column_stack([np.ones(120), persons["age"]])
    y, unit = persons["waited"].to_numpy(), persons["clinic"].to_numpy()
    fit = fit_linear(x, y, unit)
    at = dense_criterion(x, y, unit, fit.between, fit.within)
    assert -2 * fit.log_likelihood == pytest.approx(at, rel=1e-9)
    for between, within in ((1.02, 1.0), (0.98, 1.0), (1.0, 1.02), (1.0, 0.98)):
        beside = dense_criterion(x, y, unit, fit.between * between, fit.within * within)
        assert beside > at


def test_a_linear_indicator():
    persons = patients()
    call = {"outcome": "waited", "unit": "clinic", "family": "linear"}
    found = units.random_intercept(persons, **call, formula="age")
    assert list(found.columns) == [one for one in COLUMNS if one != "events"]
    assert found.coefficients["coefficient"][1] == pytest.approx(0.2, abs=0.05)
    assert found.residual_variance == pytest.approx(25, rel=0.2)
    assert found.icc == pytest.approx(found.variance / (found.variance + found.residual_variance))
    assert np.isnan(found.median_odds_ratio)
    np.testing.assert_allclose(found["estimate"], persons.groupby("clinic")["waited"].mean())
    level = found.intercept + found.coefficients["coefficient"][1] * persons["age"].mean()
    np.testing.assert_allclose(found["shrunken"], level + found["effect"])
    plain = units.random_intercept(persons, **call)
    middle = np.median(plain.residual_variance / plain["n"])
    assert plain.rankability == pytest.approx(plain.variance / (plain.variance + middle))


def test_a_linear_indicator_without_variation_between_units():
    row = np.arange(12 * 7 * 5)
    persons = pd.DataFrame({"clinic": row // 7 % 12, "waited": row % 7})
    found = units.random_intercept(persons, outcome="waited", unit="clinic", family="linear")
    assert found.is_singular and found.note == "no variation between units detected"
    np.testing.assert_allclose(found["shrunken"], persons["waited"].mean())
    assert found["left_out"].sum() == 0


def test_a_linear_indicator_leaves_out_and_keeps_empty_units():
    persons = patients().assign(
        waited=lambda d: d["waited"].where((d["clinic"] != 3) & (d.index != 0))
    )
    found = units.random_intercept(persons, outcome="waited", unit="clinic", family="linear")
    assert found.n_left_out == (persons["waited"].isna()).sum()
    assert found.set_index("clinic").loc[3, "n"] == 0
    assert np.isnan(found.set_index("clinic").loc[3, "effect"])


BAD = {
    "a missing column": ({"unit": "clinc"}, 'Did you mean "clinic"'),
    "another family": ({"family": "poisson"}, "family is"),
    "n in a linear model": ({"family": "linear"}, '"n" belongs to counts'),
    "no nodes": ({"nodes": 0}, "nodes is a whole number"),
    "half a node": ({"nodes": 1.5}, "nodes is a whole number"),
    "confidence in per cent": ({"confidence": 95}, "confidence"),
    "the unit as a covariate": ({"formula": "clinic"}, '"clinic" is the outcome, the unit'),
    "the size as a covariate": ({"formula": "treated"}, '"treated" is the outcome, the unit'),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_arguments_are_refused(name):
    changed, told = BAD[name]
    with pytest.raises(WorkbenchError, match=told):
        units.random_intercept(counts(), **(CALL | changed))


def replaced(column: str, value: float) -> pd.DataFrame:
    table = counts().astype({column: float})
    table.loc[2, column] = value
    return table


FAULTS = {
    "missing events": (lambda: replaced("died", np.nan), '"died": missing in 1 rows; a missing'),
    "a missing size": (lambda: replaced("treated", np.nan), '"treated": missing in 1 rows'),
    "negative events": (lambda: replaced("died", -1), '"died" in 1 rows is not a count'),
    "half an event": (lambda: replaced("died", 2.5), '"died" in 1 rows is not a count'),
    "a negative size": (lambda: replaced("treated", -5), '"treated" in 1 rows is not a count'),
    "more events than patients": (lambda: replaced("died", 71), '"died" is above "treated" in 1'),
    "a missing unit": (lambda: counts(clinic=[None, *"BCDEFG"]), '"clinic": missing in 1 of 7'),
    "one unit": (lambda: counts(clinic="A"), "one unit only"),
    "one unit with patients": (
        lambda: counts(died=[3, 0, 0, 0, 0, 0, 0], treated=[6, 0, 0, 0, 0, 0, 0]),
        "one unit only has patients",
    ),
    "no patients": (lambda: counts(died=0, treated=0), "there are no patients"),
    "no event": (lambda: counts(died=0), "the same for all 410 patients"),
    "only events": (lambda: counts(died=5, treated=5), "the same for all"),
    "all or none in every unit": (
        lambda: counts(died=[0, 9, 0, 9, 9, 0, 0], treated=9), "in every unit nobody or everybody",
    ),
    "one patient in every unit": (
        lambda: counts(died=[0, 1, 0, 1, 1, 0, 0], treated=1), "one patient in every unit",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_bad_counts_are_refused_in_one_sentence(name):
    make, told = FAULTS[name]
    with pytest.raises(DataError, match=told):
        units.random_intercept(make(), **CALL)


LINEAR_FAULTS = {
    "the same for all": (lambda d: d.assign(waited=3.0), "is the same for all"),
    "the same within units": (lambda d: d.assign(waited=d["clinic"] * 1.0), "within units"),
    "one patient in every unit": (lambda d: d.assign(clinic=range(len(d))), "one patient in every"),
    "words": (lambda d: d.assign(waited="long"), "expected numbers"),
    "nothing": (lambda d: d.assign(waited=np.nan), "nobody left"),
    "infinite": (lambda d: d.assign(waited=np.inf), "not a number"),
}


@pytest.mark.parametrize("name", LINEAR_FAULTS)
def test_bad_numbers_are_refused_in_one_sentence(name):
    change, told = LINEAR_FAULTS[name]
    with pytest.raises(DataError, match=told):
        units.random_intercept(
            change(patients(60)), outcome="waited", unit="clinic", family="linear"
        )


def test_the_unit_is_no_covariate_of_a_linear_model():
    with pytest.raises(StudyError, match="no covariate"):
        units.random_intercept(
            patients(60), outcome="waited", unit="clinic", family="linear", formula="clinic"
        )
    with pytest.raises(StudyError, match="a column of the result has that name"):
        units.random_intercept(counts().rename(columns={"clinic": "n"}), **(CALL | {"unit": "n"}))


def test_separated_covariates_are_refused():
    persons = patients().assign(late=lambda d: d["died"])
    with pytest.raises(DataError, match="separation"):
        units.random_intercept(persons, outcome="died", unit="clinic", formula="late")


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=2, max_size=9),
)
@settings(max_examples=40, deadline=None)
def test_whatever_the_counts_the_parts_fit_together(pairs):
    died = np.array([one for one, _ in pairs])
    n = died + np.array([other for _, other in pairs])
    table = pd.DataFrame({"clinic": np.arange(len(n)), "died": died, "treated": n})
    some = n > 0
    partial = (died > 0) & (died < n)
    if some.sum() < 2 or not partial.any():
        with pytest.raises(DataError):
            units.random_intercept(table, **CALL)
        return
    found = units.random_intercept(table, **CALL)
    seen = found[some]
    assert found.variance >= 0 and 0 <= found.icc < 1 and found.median_odds_ratio >= 1
    assert 0 <= found.rankability < 1 and 0 <= found.p_value <= 1
    assert seen["reliability"].between(0, 1).all()
    k = int(some.sum())
    assert seen["expected_rank"].sum() == pytest.approx(k * (k + 1) / 2)
    middle = special.expit(found.intercept)
    low, high = np.minimum(seen["estimate"], middle), np.maximum(seen["estimate"], middle)
    assert (seen["shrunken"] >= low - 1e-9).all() and (seen["shrunken"] <= high + 1e-9).all()
