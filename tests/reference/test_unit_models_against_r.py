"""Case mix and random intercepts agree with R: glm, lme4's glmer and lmer, merTools' ranks."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from agreement import SHARED, Reference, agrees, dataset, references
from scipy import special, stats

from workbench.analysis import regression, units

REFS = references("unit_models")
OPTIMISER = "lme4's optimiser stops a little before the maximum"
DIFFERENCES = "lme4's standard errors are from differences of a deviance that is not quite at rest"
EARLY = "glm stopped at epsilon = 1e-8: a step behind"
CLOSE = {"rtol": 5e-5, "atol": 5e-6, "because": OPTIMISER}
NEAR = {"rtol": 5e-4, "because": DIFFERENCES}
needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="the shared folder is not here")
WHAT = "units.random_intercept: "


@needs_shared
def test_the_compact_values_are_those_of_the_shared_folder():
    file = SHARED / "reference" / "units_models.json"
    shared = {one["id"]: one for one in json.loads(file.read_text())["vectors"]}
    whole = shared.keys() & REFS.keys()
    assert whole == {
        "casemix_logistic_1", "glmm_1", "glmm_no_variation", "lmm_1", "trend_1"
    }  # fmt: skip
    for name in whole:
        value = REFS[name].value
        assert value["output"] == shared[name]["output"]
        assert value["input"] == shared[name]["input"]
    for name, ref in references("binary").items():
        assert name not in REFS or REFS[name].value == ref.value


@pytest.mark.parametrize(("key", "nodes"), [("nAGQ1", 1), ("nAGQ15", 15)])
@pytest.mark.parametrize("name", ["glmm_1", "glmm_no_variation"])
def test_counts_of_units(name, key, nodes):
    ref = REFS[name]
    value = ref.value["output"][key]
    table = pd.DataFrame(ref.value["input"])
    found = units.random_intercept(table, outcome="x", n="n", unit="unit", nodes=nodes)
    agrees(ref, f"{WHAT}intercept ({key})", found.intercept, value["intercept"], **CLOSE)
    agrees(
        ref,
        f"{WHAT}std_error of the intercept ({key})",
        found.coefficients["std_error"],
        [value["se_intercept"]],
        **NEAR,
    )
    attributes = {
        "variance": "sigma2", "icc": "icc_latent", "median_odds_ratio": "mor",
        "rankability": "rankability",
    }  # fmt: skip
    for ours, theirs in attributes.items():
        agrees(ref, f"{WHAT}{ours} ({key})", getattr(found, ours), value[theirs], **CLOSE)
    columns = {
        "effect": "u", "std_error": "u_se", "shrunken": "p_shrunk",
        "reliability": "unit_reliability",
    }  # fmt: skip
    for ours, theirs in columns.items():
        agrees(ref, f"{WHAT}{ours} ({key})", found[ours], value[theirs], **CLOSE)
    if "loglik" in value:
        ways = log_ways(table["x"], table["n"])
        ours = found.log_likelihood + ways
        agrees(ref, f"{WHAT}log_likelihood ({key})", ours, value["loglik"], rtol=1e-8)
    if name == "glmm_1":
        compare_ranks(ref, found, key)
    else:
        assert found.is_singular
        # merTools divides 0 by 0 here; every unit expects the middle
        assert (found["expected_rank"] == 4.5).all()


def compare_ranks(ref: Reference, found: pd.DataFrame, key: str) -> None:
    value, rank = ref.value["output"][key], found["expected_rank"]
    agrees(ref, f"{WHAT}expected_rank ({key})", rank, value["expected_rank"], **CLOSE)
    per_cent = 100 * (rank - 0.5) / len(found)
    theirs = value["percentile_expected_rank"]
    agrees(ref, f"{WHAT}expected_rank in per cent ({key})", per_cent, theirs, **CLOSE)


def log_ways(events: pd.Series, n: pd.Series) -> float:
    """How many ways there are to choose who has the event, as R counts where counts come in."""
    logs = special.gammaln(n + 1) - special.gammaln(events + 1) - special.gammaln(n - events + 1)
    return float(logs.sum())


def cbpp() -> tuple[pd.DataFrame, dict[str, str]]:
    table = dataset("cbpp").assign(period=lambda d: d["period"].astype("category"))
    columns = {"outcome": "incidence", "n": "size", "unit": "herd", "formula": "period"}
    return table, columns


def rhdnase() -> pd.DataFrame:
    persons = dataset("rhdnase").drop_duplicates("id")
    return persons.assign(y=persons["ivstart"].notna(), fev10=persons["fev"] / 10)


def compare_glmer(ref: Reference, found: pd.DataFrame) -> None:
    value, table = ref.value, found.coefficients
    agrees(ref, WHAT + "coefficient", table["coefficient"], value["fixef"], **CLOSE)
    agrees(ref, WHAT + "std_error", table["std_error"], value["se"], **CLOSE)
    agrees(ref, WHAT + "square root of variance", found.variance**0.5, value["re_sd"], **CLOSE)
    assert [str(one) for one in found.iloc[:, 0]] == [str(u) for u in value["ranef"]["unit"]]
    agrees(ref, WHAT + "effect", found["effect"], value["ranef"]["blup"], **CLOSE)


@pytest.mark.parametrize(("name", "nodes"), [("cbpp.glmer.laplace", 1), ("cbpp.glmer.agq25", 25)])
def test_herds_with_a_covariate(name, nodes):
    table, columns = cbpp()
    found = units.random_intercept(table, **columns, nodes=nodes)
    compare_glmer(REFS[name], found)
    ill, n = table["incidence"], table["size"]
    ours = found.log_likelihood + log_ways(ill, n)
    if nodes > 1:
        # there lme4 gives it beside that of a model with a term for each row
        ours -= stats.binom.logpmf(ill, n, ill / n).sum()
    agrees(REFS[name], WHAT + "log_likelihood", ours, REFS[name].value["loglik"])


def test_persons_with_covariates():
    ref = REFS["rhdnase.glmer"]
    found = units.random_intercept(
        rhdnase(), outcome="y", unit="inst", formula="trt + fev10", nodes=1
    )
    compare_glmer(ref, found)
    agrees(ref, WHAT + "log_likelihood", found.log_likelihood, ref.value["loglik"])


def patients() -> pd.DataFrame:
    return pd.DataFrame(REFS["casemix_logistic_1"].value["input"]).assign(
        age10=lambda d: (d["age"] - 65) / 10
    )


def test_case_mix_with_the_random_intercept_beside_it():
    ref = REFS["casemix_logistic_1"]
    value = ref.value["output"]["glmm"]
    found = units.random_intercept(patients(), outcome="y", unit="unit", formula="age10 + diabetes")
    coefficient = found.coefficients["coefficient"]
    agrees(ref, WHAT + "coefficient", coefficient, value["coef"], **CLOSE)
    agrees(ref, WHAT + "variance", found.variance, value["sigma2"], **CLOSE)
    odds = found.median_odds_ratio
    agrees(ref, WHAT + "median_odds_ratio", odds, value["mor"], **CLOSE)
    agrees(ref, WHAT + "effect", found["effect"], value["u"], **CLOSE)
    agrees(ref, WHAT + "std_error", found["std_error"], value["u_se"], **CLOSE)


def test_case_mix():
    ref, what = REFS["casemix_logistic_1"], "units.case_mix: "
    value = ref.value["output"]
    found = units.case_mix(patients(), "age10 + diabetes", outcome="y", unit="unit", method="exact")
    columns = {
        "observed": "observed", "expected": "expected", "ratio": "oe",
        "lower": "oe_lower95_exact_poisson", "upper": "oe_upper95_exact_poisson",
        "adjusted": "adjusted_rate", "mid_p": "midp_two_sided", "z": "z_score",
    }  # fmt: skip
    for ours, theirs in columns.items():
        agrees(ref, what + ours, found[ours], value[theirs], rtol=1e-7)
    variance = ((found["observed"] - found["expected"]) / found["z"]) ** 2
    agrees(ref, what + "variance behind z", variance, value["variance"], rtol=1e-7)
    upper = np.where(
        found["observed"] > found["expected"], found["mid_p"] / 2, 1 - found["mid_p"] / 2
    )
    agrees(ref, what + "mid_p, upper tail", upper, value["upper_tail_midp"], rtol=1e-7)
    table = found.coefficients
    agrees(ref, what + "coefficient", table["coefficient"], value["coef"], rtol=1e-7)
    loose = {"rtol": 5e-6, "because": EARLY}
    agrees(ref, what + "std_error", table["std_error"], value["se"], **loose)
    agrees(ref, what + "c_statistic", found.c_statistic, value["c_statistic"])
    agrees(ref, what + "brier", found.brier, value["brier"])


def test_observed_over_expected_of_institutions():
    ref, what, value = REFS["rhdnase.inst.oe"], "units.case_mix: ", REFS["rhdnase.inst.oe"].value
    found = units.case_mix(rhdnase(), "trt + fev", outcome="y", unit="inst", method="exact")
    columns = {
        "inst": "inst", "observed": "y", "expected": "p", "n": "n", "ratio": "oe",
        "lower": "lo", "upper": "hi",
    }  # fmt: skip
    for ours, theirs in columns.items():
        agrees(ref, what + ours, found[ours], value[theirs], rtol=1e-7)


def test_a_linear_model():
    ref, what = REFS["lmm_1"], "units.random_intercept (linear): "
    value = ref.value["output"]
    found = units.random_intercept(
        pd.DataFrame(ref.value["input"]), outcome="y", unit="unit", family="linear"
    )
    agrees(ref, what + "intercept", found.intercept, value["mean"])
    std_error = found.coefficients["std_error"]
    agrees(ref, what + "std_error of the intercept", std_error, [value["se"]], **CLOSE)
    names = {"variance": "var_unit", "residual_variance": "var_residual", "icc": "icc"}
    for ours, theirs in names.items():
        agrees(ref, what + ours, getattr(found, ours), value[theirs], **CLOSE)
    agrees(ref, what + "effect", found["effect"], value["u"], **CLOSE)
    agrees(ref, what + "std_error", found["std_error"], value["u_se"], **CLOSE)
    criterion = -2 * found.log_likelihood
    agrees(ref, what + "restricted log-likelihood", criterion, value["reml"])


def test_a_trend_over_years():
    ref = REFS["trend_1"]
    value, table = ref.value["output"], pd.DataFrame(ref.value["input"])
    with_event = table.assign(y=1, w=table["x"])
    both = pd.concat([with_event, table.assign(y=0, w=table["n"] - table["x"])])
    both["year"] -= 2021  # near 0, where the slope and its error stay the same
    found = regression.logistic(both, "y ~ year", weight="w").coefficients.iloc[1]
    columns = {
        "odds_ratio": "or_per_year", "lower": "or_lower95", "upper": "or_upper95",
        "z": "z", "p_value": "p",
    }  # fmt: skip
    for ours, theirs in columns.items():
        agrees(ref, f"regression.logistic: {ours}", found[ours], value[theirs], rtol=1e-7)
