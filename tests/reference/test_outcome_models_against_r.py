"""Ordinary outcome models agree with R: glm, lm, MASS::glm.nb, sandwich::vcovCL, mice's pooling."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from agreement import SHARED, Reference, agrees, dataset, references
from scipy import special

from workbench.analysis.regression import outcome_models as models
from workbench.analysis.regression import rubin
from workbench.analysis.regression.outcome_fit import OutcomeFit
from workbench.analysis.regression.standardised_risk import standardised_risk
from workbench.analysis.regression.weighting import inverse_probability_weights

REFS = references("outcome_models")
# R's own covariance is that of the step before the last where glm stops early
EARLY = {
    "sire.f.poisson.piecewise": {
        "rtol": 5e-6,
        "because": "glm stopped at epsilon = 1e-8: a step behind",
    },
    "cbpp.glm": {"rtol": 5e-6, "because": "glm stopped at epsilon = 1e-8: a step behind"},
    "rhdnase.glm": {"rtol": 5e-7, "because": "glm stopped at epsilon = 1e-8: a step behind"},
}
needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="the shared folder is not here")


def _rhdnase() -> pd.DataFrame:
    d = dataset("rhdnase").drop_duplicates("id")
    d = d.assign(y=d["ivstart"].notna(), w=0.5 + (d["id"] % 4) / 4)
    return d[d["fev"].notna()]


def _gbsg() -> pd.DataFrame:
    d = dataset("gbsg")
    return d.assign(grade=d["grade"].astype("category"), log_size=np.log(d["size"]))


def _cbpp() -> pd.DataFrame:
    """One row an animal, in the order of R's `prep`."""
    d = dataset("cbpp")
    rows = d.loc[d.index.repeat(d["size"])]
    rank = rows.groupby(level=0).cumcount()
    rows = rows.assign(y=(rank < rows["incidence"]).astype(int))
    return rows.assign(period=rows["period"].astype("category"))


def _cbpp_counts() -> pd.DataFrame:
    d = dataset("cbpp").assign(period=lambda d: d["period"].astype("category"))
    ill, well = d.assign(y=1, n=d["incidence"]), d.assign(y=0, n=d["size"] - d["incidence"])
    both = pd.concat([ill, well])
    return both[both["n"] > 0]


def _ways() -> float:
    d = dataset("cbpp")
    ill, n = d["incidence"], d["size"]
    logs = special.gammaln(n + 1) - special.gammaln(ill + 1) - special.gammaln(n - ill + 1)
    return float(logs.sum())


FITS = {
    "rhdnase.glm": (models.logistic, _rhdnase, "y ~ trt + fev", {}),
    "rhdnase.glm.cluster": (models.logistic, _rhdnase, "y ~ trt + fev", {"cluster": "inst"}),
    "rhdnase.poisson.robust": (models.poisson, _rhdnase, "y ~ trt + fev", {"cluster": "id"}),
    "rhdnase.lm.cluster": (models.linear, _rhdnase, "fev ~ trt + y", {"cluster": "inst"}),
    "rhdnase.lm.weights": (models.linear, _rhdnase, "fev ~ trt + y", {"weight": "w"}),
    "rhdnase.glm.weights": (models.logistic, _rhdnase, "y ~ trt + fev", {"weight": "w"}),
    "gbsg.logistic": (models.logistic, _gbsg, "status ~ age + grade * hormon", {}),
    "gbsg.rcs": (models.logistic, _gbsg, "status ~ rcs(age, 4) + hormon", {}),
    "gbsg.nb": (models.negative_binomial, _gbsg, "nodes ~ age + grade + hormon", {}),
    "gbsg.nb.offset": (
        models.negative_binomial,
        _gbsg,
        "nodes ~ age + grade",
        {"offset": "log_size"},
    ),
    "cbpp.glm": (models.logistic, _cbpp_counts, "y ~ period", {"weight": "n"}),
    "cbpp.clusterrobust": (models.logistic, _cbpp, "y ~ period", {"cluster": "herd"}),
    "lungdk.poisson": (
        models.poisson,
        lambda: dataset("lungdk"),
        "D ~ C(A5) + C(P5)",
        {"exposure": "Y"},
    ),
}


def _compare(ref: Reference, found: OutcomeFit) -> None:
    value, table, what = ref.value, found.coefficients, f"regression.{found.model}: "
    agrees(ref, what + "coefficient", table["coefficient"], value["coef"], rtol=1e-7)
    loose = EARLY.get(ref.id, {"rtol": 1e-7})
    if "se" in value:
        agrees(ref, what + "std_error", table["std_error"], value["se"], **loose)
    if "vcov" in value and found.n_clusters is None:
        covariance = found.covariance.to_numpy()
        agrees(ref, what + "covariance", covariance, value["vcov"], **loose)
    if "robust" in value:
        robust = found.covariance.to_numpy()
        agrees(ref, what + "robust covariance", robust, value["robust"], rtol=1e-7)
        diagonal = np.sqrt(np.diag(np.array(value["robust"])))
        agrees(ref, what + "robust_std_error", table["robust_std_error"], diagonal, rtol=1e-7)
    if "robust_se" in value:
        agrees(
            ref,
            what + "robust_std_error",
            table["robust_std_error"],
            value["robust_se"],
            rtol=1e-7,
        )
    if "theta" in value:
        agrees(ref, what + "1 / dispersion", 1 / found.dispersion, value["theta"], rtol=1e-7)
    if "sigma2" in value:
        agrees(ref, what + "dispersion", found.dispersion, value["sigma2"], rtol=1e-9)
    if "loglik" in value:
        # R counts the ways to choose who is ill where the outcome comes as counts
        ways = _ways() if ref.id == "cbpp.glm" else 0.0
        agrees(ref, what + "log_likelihood", found.log_likelihood + ways, value["loglik"])


@pytest.mark.parametrize("key", FITS)
def test_a_fit(key: str):
    model, persons, formula, columns = FITS[key]
    ref = REFS[key]
    found = model(persons(), formula, **columns)
    _compare(ref, found)
    if "predicted" in ref.value:
        rows = found.predict(persons().iloc[:5])
        for column, expected in ref.value["predicted"].items():
            what = f"regression.{found.model}: predict, {column}"
            agrees(ref, what, rows[column], expected, rtol=1e-7)


def test_intervals_and_p_values_of_a_linear_model():
    ref = REFS["rhdnase.lm.cluster"]
    table = models.linear(_rhdnase(), "fev ~ trt + y").coefficients
    ours = table[["lower", "upper"]].to_numpy()
    agrees(ref, "regression.linear: lower, upper", ours, ref.value["ci"])
    agrees(ref, "regression.linear: p_value", table["p_value"], ref.value["p"], rtol=1e-7)


def test_standardised_risk():
    ref = REFS["gbsg.gcomputation"]
    fit = models.logistic(_gbsg(), "status ~ age + grade * hormon")
    found = standardised_risk(fit, _gbsg(), exposure="hormon")
    what, value = "regression.standardised_risk: ", ref.value
    agrees(ref, what + "risk", found.risks["estimate"], value["risk"])
    agrees(ref, what + "risk, std_error", found.risks["std_error"], value["risk_se"], rtol=1e-7)
    table = found.contrasts.set_index("measure")
    agrees(ref, what + "difference", table.loc["difference", "estimate"], value["rd"])
    agrees(ref, what + "ratio", table.loc["ratio", "estimate"], value["rr"])
    errors = table.loc[["difference", "ratio"], "std_error"]
    expected = [value["rd_se"], value["log_rr_se"]]
    agrees(ref, what + "contrasts, std_error", errors, expected, rtol=1e-7)


@pytest.mark.parametrize(("target", "place"), [("ate", 0), ("att", 1), ("overlap", 2)])
def test_inverse_probability_weights(target: str, place: int):
    ref, formula = REFS["gbsg.ipw"], "hormon ~ age + grade + nodes + meno"
    found = inverse_probability_weights(_gbsg(), formula, target=target, stabilised=False)
    what, value = f"regression.inverse_probability_weights({target}): ", ref.value
    first = found.persons.iloc[:10]
    agrees(ref, what + "propensity", first["propensity"], value["propensity"], rtol=1e-7)
    agrees(ref, what + "weight", first["weight"], value[target], rtol=1e-7)
    age = found.balance.set_index("variable").loc["age"]
    ours = age[["difference_before", "difference_after"]]
    expected = [value["smd_age"][0], value["smd_age"][place + 1]]
    agrees(ref, what + "standardised difference", ours, expected, rtol=1e-7)
    sizes = [row[place] for row in value["ess"]]
    agrees(ref, what + "effective_n", found.effective_size["effective_n"], sizes, rtol=1e-7)
    if target == "ate":
        fit = models.logistic(found.persons, "status ~ hormon", weight="weight")
        table, what = fit.coefficients, "regression.logistic with weights of propensity: "
        agrees(ref, what + "coefficient", table["coefficient"], value["marginal"], rtol=1e-7)
        robust, expected = table["robust_std_error"], value["marginal_se"]
        agrees(ref, what + "robust_std_error", robust, expected, rtol=1e-7)


@pytest.mark.parametrize(("key", "n"), [("rubin.small", 60), ("rubin.large", 100_000)])
def test_rubins_rules(key: str, n: int):
    ref = REFS[key]
    estimates, errors = [0.61, 0.83, 0.55, 0.72, 0.78], [0.21, 0.24, 0.2, 0.22, 0.23]
    found = rubin.combine(estimates, errors, complete_df=n - 4).iloc[0]
    names = {"df": "degrees_of_freedom", "fmi": "fraction_missing", "r": "relative_increase"}
    for theirs, expected in ref.value.items():
        ours = names.get(theirs, theirs)
        agrees(ref, f"regression.combine: {ours}", found[ours], expected)


def _years(date: pd.Series) -> pd.Series:
    length = np.where(date.dt.is_leap_year, 366, 365)
    return date.dt.year + (date.dt.dayofyear - 1) / length


@needs_shared
def test_piecewise_exponential_rates():
    """Follow-up split as popEpi does here: years and the share of the calendar year gone."""
    ref = references("rates")["sire.f.poisson.piecewise"]
    d = dataset("sire")
    start, end = pd.to_datetime(d["dg_date"]), pd.to_datetime(d["ex_date"])
    d = d.assign(years=_years(end) - _years(start), dead=d["status"].isin([1, 2]))
    d = d[d["years"] > 0]
    group = pd.cut(d["dg_age"], [0, 55, 65, 75, np.inf], right=False, labels=False)
    cells = []
    breaks = [0, 0.25, 1, 3, 5]
    for low, high in itertools.pairwise(breaks):
        inside = (np.minimum(d["years"], high) - low).clip(lower=0)
        ended = d["dead"] & (d["years"] > low) & (d["years"] <= high)
        cell = pd.DataFrame({"group": group, "years": inside, "events": ended}).groupby("group")
        cells.append(cell.sum().reset_index().assign(fot=low))
    table = pd.concat(cells)
    found = models.poisson(table, "events ~ C(fot) + C(group)", exposure="years")
    _compare(ref, found)
