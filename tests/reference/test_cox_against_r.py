"""Cox models and concordance agree with R's package survival (3.5-3, R 4.2.2).

Coefficients, standard errors and what follows from them to 1e-7 (an optimiser), concordance and
log likelihood to 1e-9. The compact part lies in `vectors/cox.json` and its kind.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from agreement import SHARED, agrees, as_numbers, dataset, references

from workbench.analysis import regression
from workbench.errors import StudyError


def _pbc(d: pd.DataFrame) -> pd.DataFrame:
    return d.assign(status=(d["status"] == 2).astype(int))


def _ordered(persons: pd.DataFrame, column: str, levels: list[str]) -> pd.DataFrame:
    return persons.assign(**{column: pd.Categorical(persons[column], categories=levels)})


def _arms(d: pd.DataFrame) -> pd.DataFrame:
    return _ordered(d, "rx", ["Obs", "Lev", "Lev+5FU"])


def _deaths(d: pd.DataFrame) -> pd.DataFrame:
    return _arms(d[d["etype"] == 2])


def _sizes(d: pd.DataFrame) -> pd.DataFrame:
    return _ordered(d, "size", ["<=20", "20-50", ">50"])


def _weighted(d: pd.DataFrame) -> pd.DataFrame:
    return d.assign(w=0.5 + (d["pid"] % 4) / 4)


def _attained_age(d: pd.DataFrame) -> pd.DataFrame:
    return d.assign(t0=d["age"] * 365, t1=d["age"] * 365 + d["dtime"])


def _years(d: pd.DataFrame) -> pd.DataFrame:
    return d.assign(years=np.ceil((d["futime"] + 1) / 12))


def _colrec(d: pd.DataFrame) -> pd.DataFrame:
    year = pd.to_datetime(d["diag"]).dt.year.astype(float) - 2000
    return d.assign(agey=d["age"] / 365.241, yr=year)


def _sire(d: pd.DataFrame) -> pd.DataFrame:
    diagnosis, left = pd.to_datetime(d["dg_date"]), pd.to_datetime(d["ex_date"])
    made = d.assign(
        time=(left - diagnosis).dt.days,
        status=(d["status"] > 0).astype(int),
        g=np.digitize(d["dg_age"], [45, 55, 65, 75]),
        yr=diagnosis.dt.year - 2000,
    )
    return made[diagnosis < left]


def _visits(d: pd.DataFrame) -> pd.DataFrame:
    following = d.groupby("id")["day"].shift(-1)
    last = following.isna()
    made = d.assign(
        start=d["day"],
        stop=following.where(~last, d["futime"]),
        event=(last & (d["status"] == 2)).astype(int),
    )
    return made[made["start"] < made["stop"]]


def _inherited(d: pd.DataFrame) -> pd.DataFrame:
    return _ordered(d, "inherit", ["autosomal", "X-linked"])


def _with_institution(d: pd.DataFrame) -> pd.DataFrame:
    return d[d["inst"].notna()].assign(status=lambda d: d["status"] - 1)


def _first_exacerbation(d: pd.DataFrame) -> pd.DataFrame:
    persons = d.drop_duplicates("id")
    followed = pd.to_datetime(persons["end_dt"]) - pd.to_datetime(persons["entry_dt"])
    until = persons["ivstart"].clip(lower=0.5).where(persons["ivstart"].notna(), followed.dt.days)
    return persons.assign(status=persons["ivstart"].notna().astype(int), time=until)


def _same(d: pd.DataFrame) -> pd.DataFrame:
    return d


FIVE = "age + edema + np.log(bili) + albumin + np.log(protime)"
THREE = "age + edema + np.log(bili)"
DEATH = {"duration": "dtime", "event": "death"}
START_STOP = {"duration": "stop", "event": "event", "entry": "start"}
CGD = {"duration": "tstop", "event": "status", "entry": "tstart"}
NODES = "age + nodes + hormon"

# id without the rule for ties: how the data are made, formula, the columns
MODELS: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], str, dict]] = {
    "pbc": (_pbc, FIVE, {}),
    "pbc.robust": (_pbc, THREE, {"robust": True}),
    "colon": (
        _deaths,
        "rx + sex + age + obstruct + perfor + adhere + node4 + extent + surg",
        {},
    ),
    "colon.wlw": (_arms, "rx + node4", {"strata": "etype", "cluster": "id"}),
    "rotterdam": (
        _sizes,
        "age + meno + size + grade + np.minimum(nodes, 12) + np.log1p(pgr) + np.log1p(er)"
        " + hormon + chemo",
        DEATH,
    ),
    "rotterdam.cols30": (
        _sizes,
        "age + I(age**2) + meno + size + grade + np.minimum(nodes, 12) + np.sqrt(nodes)"
        " + np.log1p(pgr) + np.log1p(er) + hormon + chemo + C(year) + hormon:meno + chemo:grade",
        DEATH,
    ),
    "rotterdam.weights": (_weighted, NODES, DEATH | {"weight": "w"}),
    "rotterdam.weights.robust": (_weighted, NODES, DEATH | {"weight": "w", "robust": True}),
    "rotterdam.strata": (_same, NODES, DEATH | {"strata": ["grade", "size"]}),
    "rotterdam.lefttrunc": (
        _attained_age,
        "nodes + hormon + grade",
        {"duration": "t1", "event": "death", "entry": "t0"},
    ),
    "mgus2.months": (
        _same,
        "age + sex + hgb + creat + mspike",
        {"duration": "futime", "event": "death"},
    ),
    "mgus2.years_heavyties": (
        _years,
        "age + sex + hgb",
        {"duration": "years", "event": "death"},
    ),
    "colrec": (_colrec, "agey + C(sex) + C(stage) + site + yr", {"event": "stat"}),
    "sire": (_sire, "dg_age + yr", {}),
    "heart.timevarying": (_same, "age + year + surgery + transplant", START_STOP),
    "pbcseq.timevarying": (
        _visits,
        "age + np.log(bili) + albumin + np.log(protime) + edema",
        START_STOP,
    ),
    "cgd.ag.cluster": (_inherited, "treat + inherit + steroids", CGD | {"cluster": "id"}),
    "cgd.ag.cluster_center": (
        _inherited,
        "treat + inherit + steroids",
        CGD | {"cluster": "center"},
    ),
    "cgd.pwp": (_same, "treat + steroids", CGD | {"strata": "enum", "cluster": "id"}),
    "kidney.cluster": (_same, "age + sex", {"cluster": "id"}),
    "lung.cluster_inst": (_with_institution, "age + sex + ph_ecog", {"cluster": "inst"}),
    "rhdnase.cluster_inst": (_first_exacerbation, "trt + fev", {"cluster": "inst"}),
}
COX, MORE, PLAIN = references("cox"), references("cox_more"), references("concordance")
ASKED = {"duration": "time", "event": "status"}


def _rows(name: str) -> pd.DataFrame:
    try:
        return dataset(name)
    except FileNotFoundError:
        pytest.skip(f"data set {name} is not in this checkout")


def _fit(ref, model: str, ties: str) -> tuple[regression.CoxFit, pd.DataFrame]:
    make, formula, columns = MODELS[model]
    persons = make(_rows(ref.dataset))
    return regression.cox(persons, formula, ties=ties, **(ASKED | columns)), persons


def test_the_exact_rule_for_ties_is_refused_as_another_model():
    with pytest.raises(StudyError, match="another model"):
        regression.cox(_pbc(_rows("pbc")), "age", **ASKED, ties="exact")


# The "exact" rule for ties is another model; frailty (random effects) is not offered.
OFFERED = [name for name in COX if not name.endswith((".exact", ".frailty"))]


@pytest.mark.parametrize("name", OFFERED)
def test_cox_equals_coxph(name):
    ref = COX[name]
    model, _, ties = name.rpartition(".")
    value = ref.value
    found, persons = _fit(ref, model, ties)
    table = found.coefficients
    agrees(ref, "regression.cox: coefficient", table["coefficient"], value["coef"], rtol=1e-7)
    agrees(ref, "regression.cox: std_error", table["std_error"], value["se"], rtol=1e-7)
    if value["robust_se"] is not None:
        robust = table["robust_std_error"]
        agrees(ref, "regression.cox: robust_std_error", robust, value["robust_se"], rtol=1e-7)
    else:
        assert table["robust_std_error"].isna().all()
    spread = np.sqrt(np.outer(*[np.diag(as_numbers(value["vcov"]))] * 2))
    agrees(
        ref,
        "regression.cox: covariance, in standard errors",
        found.covariance.to_numpy() / spread,
        as_numbers(value["vcov"]) / spread,
        rtol=1e-7,
        atol=1e-9,
    )
    agrees(ref, "regression.cox: p_value", table["p_value"], value["p"], rtol=1e-7)
    agrees(ref, "regression.cox: log_likelihood", found.log_likelihood, value["loglik"])
    null = found.log_likelihood_null
    agrees(ref, "regression.cox: log_likelihood_null", null, value["loglik_null"])
    tests = found.tests.set_index("test")["statistic"]
    agrees(ref, "regression.cox: tests, score", tests["score"], value["score_test"], rtol=1e-7)
    agrees(ref, "regression.cox: tests, wald", tests["wald"], value["wald_test"], rtol=1e-7)
    agrees(ref, "regression.cox: concordance", found.concordance, value["concordance"])
    error = found.concordance_std_error
    agrees(ref, "regression.cox: concordance_std_error", error, value["concordance_se"])
    assert (found.n, found.events) == (value["n"], value["nevent"])
    assert found.n_missing == len(persons) - value["n"]


ZPH = {
    "pbc": (_pbc, FIVE, {}),
    "rotterdam": (_same, NODES, DEATH | {"strata": "grade"}),
    "colon": (_deaths, "rx + age + node4", {}),
}


def _of(part: str) -> list[str]:
    return [name for name in MORE if part in name]


@pytest.mark.parametrize("name", _of(".zph."))
def test_proportional_hazards_test_equals_zph(name):
    ref = MORE[name]
    make, formula, columns = ZPH[ref.dataset]
    persons = make(_rows(ref.dataset))
    fit = regression.cox(persons, formula, **(ASKED | columns))
    found = fit.proportional_hazards_test(transform=ref.value["transform"])
    what = "regression.cox: proportional_hazards_test"
    agrees(ref, f"{what}, statistic", found["statistic"], ref.value["chisq"], rtol=1e-7)
    agrees(ref, f"{what}, df", found["degrees_of_freedom"], ref.value["df"])
    agrees(ref, f"{what}, p_value", found["p_value"], ref.value["p"], rtol=1e-7)
    assert found["term"].iloc[-1] == "GLOBAL"


@pytest.mark.parametrize("name", _of(".baseline."))
def test_baseline_equals_basehaz(name):
    ref = MORE[name]
    fit = _fit(ref, "pbc", name.rpartition(".")[2])[0]
    table = fit.baseline()
    place = np.searchsorted(table["time"], ref.value["time"], side="right") - 1
    found = table["cumulative_hazard"].to_numpy()[place]
    agrees(ref, "regression.cox: baseline", found, ref.value["cumhaz"], rtol=1e-7)


@pytest.mark.parametrize("name", _of(".predict."))
def test_predicted_survival_equals_survfit(name):
    ref = MORE[name]
    fit = _fit(ref, "pbc", "efron")[0]
    new = pd.DataFrame(
        {"age": [40, 60], "edema": [0, 1], "bili": [1, 5], "albumin": [4, 3], "protime": [10, 12]}
    )
    found = fit.predict(new, times=ref.value["time"])
    names = {"estimate": "surv", "std_error": "std_err", "lower": "lower", "upper": "upper"}
    for ours, theirs in names.items():
        values = found[ours].to_numpy().reshape(2, -1).T
        agrees(ref, f"regression.cox: predict, {ours}", values, ref.value[theirs], rtol=1e-7)


@pytest.mark.parametrize("name", _of(".residuals"))
def test_residuals_equal_those_of_coxph(name):
    ref = MORE[name]
    fit = _fit(ref, "pbc.robust", "efron")[0]
    for kind in ("martingale", "deviance", "score", "dfbeta", "schoenfeld"):
        found = fit.residuals(kind).drop(columns="time", errors="ignore").to_numpy()[:10]
        expected = as_numbers(ref.value[kind]).reshape(found.shape)
        what = f"regression.cox: residuals, {kind}"
        agrees(ref, what, found, expected, rtol=1e-7, atol=1e-10)


SCORED = {
    "rotterdam": (_same, NODES, DEATH),
    "rotterdam.strata": (_same, NODES, DEATH | {"strata": "grade"}),
    "pbc": (_pbc, THREE, {}),
    "lung": (lambda d: d.assign(status=d["status"] - 1), "age + sex + ph_ecog", {}),
}
UNO = "rotterdam.concordance.uno"


def _agree_on_pairs(ref, found: regression.Concordance, value: dict) -> None:
    agrees(ref, "regression.concordance: estimate", found.estimate, value["concordance"])
    agrees(ref, "regression.concordance: std_error", found.std_error, value["se"])
    if "counts" in value:
        names = ["concordant", "discordant", "tied.x", "tied.y", "tied.xy"]
        ours = [found.concordant, found.discordant, found.tied_score, found.tied_time]
        expected = [value["counts"][name] for name in names]
        agrees(ref, "regression.concordance: pairs", [*ours, found.tied_both], expected)


@pytest.mark.parametrize("name", _of(".concordance"))
def test_concordance_of_a_fit_equals_r(name):
    ref = MORE[name]
    key = "rotterdam.strata" if name.endswith("strata") else ref.dataset
    make, formula, columns = SCORED[key]
    persons = make(_rows(ref.dataset))
    fit = regression.cox(persons, formula, **(ASKED | columns))
    kept = persons.loc[fit.residuals().index]
    kept = kept.assign(score=fit.predict(kept, kind="linear")["estimate"])
    asked = ASKED | columns
    more = {"censoring": "uno", "horizon": 3652} if name == UNO else {}
    found = regression.concordance(kept, score="score", **asked, **more)
    _agree_on_pairs(ref, found, ref.value)


# as R sorted them
SIZES = {"<=20": 0, ">50": 1, "20-50": 2}
GROUPED: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "colon.death": lambda d: d[d["etype"] == 2].assign(g=d["rx"]),
    "colon.recur": lambda d: d[d["etype"] == 1].assign(g=d["rx"]),
    "colrec.all": lambda d: d.assign(status=d["stat"], g=d["stage"]),
    "rotterdam.death": lambda d: d.assign(
        time=d["dtime"], status=d["death"], g=d["size"].map(SIZES)
    ),
    "mgus2.death": lambda d: d.assign(time=d["futime"], status=d["death"], g=d["sex"]),
    "pbc.death": lambda d: _pbc(d).assign(g=d["edema"]),
    "lung.death": lambda d: d[d["ph_ecog"].notna()].assign(status=d["status"] - 1, g=d["sex"]),
    "sire.death": _sire,
    "ovarian.death": lambda d: d.assign(time=d["futime"], status=d["fustat"], g=d["rx"]),
}


@pytest.mark.parametrize("name", PLAIN)
def test_concordance_of_a_grouping_equals_r(name):
    ref = PLAIN[name]
    persons = GROUPED[".".join(name.split(".")[:2])](_rows(ref.dataset))
    persons = persons.assign(score=pd.factorize(persons["g"], sort=True)[0])
    found = regression.concordance(persons, **ASKED, score="score")
    _agree_on_pairs(ref, found, ref.value)


# what else a fit gives, computed for these tests (each with its R call)
ENGINE = references("cox_engine")
NEW = pd.DataFrame({"age": [50, 70], "ph_ecog": [0, 2], "sex": [1, 2]})


def _lung(d: pd.DataFrame) -> pd.DataFrame:
    made = d[d["ph_ecog"].notna() & d["inst"].notna()].assign(status=lambda d: d["status"] - 1)
    return made.assign(w=0.5 + (np.arange(1, len(made) + 1) % 4) / 4, o=0.03 * made["age"])


LUNG = "age + ph_ecog + sex"
ENGINES: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], str, dict]] = {
    "lung.plain": (_lung, LUNG, {}),
    "lung.weights": (_lung, LUNG, {"weight": "w"}),
    "lung.weights.naive": (_lung, LUNG, {"weight": "w", "robust": False}),
    "lung.offset": (_lung, "ph_ecog + sex", {"offset": "o"}),
    "lung.strata": (_lung, "age + ph_ecog", {"strata": "sex"}),
    "heart.startstop": (_same, "age + year + surgery + transplant", START_STOP | {"cluster": "id"}),
}


def _agree_on_fit(ref, fit: regression.CoxFit, value: dict) -> None:
    table = fit.coefficients
    agrees(ref, "regression.cox: coefficient", table["coefficient"], value["coef"], rtol=1e-7)
    agrees(ref, "regression.cox: std_error", table["std_error"], value["se"], rtol=1e-7)
    found = fit.covariance.to_numpy()
    agrees(ref, "regression.cox: covariance", found, value["var"], rtol=1e-7, atol=1e-9)
    both = [fit.log_likelihood_null, fit.log_likelihood]
    agrees(ref, "regression.cox: log_likelihood, both", both, value["loglik"])


def _agree_on_survival(ref, fit: regression.CoxFit, value: dict) -> None:
    found = fit.predict(NEW, times=[100, 300, 600])
    names = {"estimate": "surv", "std_error": "std_err", "lower": "lower", "upper": "upper"}
    for ours, theirs in names.items():
        if theirs in value:
            values = found[ours].to_numpy().reshape(2, 3)
            values = values if "strata" in ref.id else values.T
            agrees(ref, f"regression.cox: predict, {ours}", values, value[theirs], rtol=1e-7)


def _agree_on_zph(ref, fit: regression.CoxFit, value: dict) -> None:
    for transform, expected in value.items():
        found = fit.proportional_hazards_test(transform)["statistic"]
        what = f"regression.cox: proportional_hazards_test, {transform}"
        agrees(ref, what, found, expected, rtol=1e-7)


def _agree_on_residuals(ref, fit: regression.CoxFit, value: dict) -> None:
    for kind, expected in value.items():
        asked = "scaled schoenfeld" if kind == "scaled" else kind
        found = fit.residuals(asked).drop(columns=["time", "sex"], errors="ignore")
        if fit.solution.strata.columns.empty or "schoenfeld" not in asked:
            found = fit.residuals(asked).drop(columns="time", errors="ignore")
        values = found.to_numpy()[::60].reshape(np.shape(expected))
        what = f"regression.cox: residuals, {asked}"
        agrees(ref, what, values, expected, rtol=1e-7, atol=1e-9)


def _agree_on_baseline(ref, fit: regression.CoxFit, value: dict) -> None:
    table = fit.baseline()
    place = np.searchsorted(table["time"], value["time"], side="right")
    found = np.append(0.0, table["cumulative_hazard"])[place]
    agrees(ref, "regression.cox: baseline", found, value["hazard"], rtol=1e-7)


def _agree_on_linear(ref, fit: regression.CoxFit, value: dict) -> None:
    found = fit.predict(NEW, kind="linear")
    agrees(ref, "regression.cox: predict, linear", found["estimate"], value["lp"], rtol=1e-7)
    agrees(ref, "regression.cox: predict, linear error", found["std_error"], value["se"], rtol=1e-7)
    ratio = fit.predict(NEW, kind="hazard_ratio")["estimate"]
    agrees(ref, "regression.cox: predict, hazard_ratio", ratio, value["risk"], rtol=1e-7)


def _agree_on_concordance(ref, fit: regression.CoxFit, value: dict) -> None:
    agrees(ref, "regression.cox: concordance", fit.concordance, value["concordance"])


PIECES = {
    "fit": _agree_on_fit,
    "survival": _agree_on_survival,
    "zph": _agree_on_zph,
    "residuals": _agree_on_residuals,
    "baseline": _agree_on_baseline,
    "linear": _agree_on_linear,
    "concordance": _agree_on_concordance,
}


@pytest.mark.parametrize("name", [name for name in ENGINE if ".adjusted." not in name])
def test_what_a_fit_gives_equals_r(name):
    ref = ENGINE[name]
    model, ties, piece = name.rsplit(".", 2)
    make, formula, columns = ENGINES[model]
    fit = regression.cox(make(_rows(ref.dataset)), formula, ties=ties, **(ASKED | columns))
    PIECES[piece](ref, fit, ref.value)


def test_adjusted_survival_equals_the_mean_of_predicted_curves():
    ref = ENGINE["lung.adjusted.curves"]
    persons = _lung(_rows("lung")).assign(sex=lambda d: d["sex"].astype("category"))
    fit = regression.cox(persons, LUNG, **ASKED)
    found = fit.adjusted_survival(by="sex", times=[100, 300, 600])["estimate"]
    expected = np.ravel(ref.value["survival"])
    agrees(ref, "regression.cox: adjusted_survival", found, expected, rtol=1e-7)
    means = fit.adjusted_restricted_mean(by="sex", horizon=500)["estimate"]
    what = "regression.cox: adjusted_restricted_mean"
    agrees(ref, what, means, ref.value["mean500"], rtol=1e-7)


if not SHARED.exists():

    def test_shared_references_are_run():
        pytest.skip("no shared/ beside this checkout: only the vectors in this folder were run")
