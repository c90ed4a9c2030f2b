"""Standardised risks equal stratified ones by hand, and cover what they should."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from workbench.analysis.regression import outcome_models as models
from workbench.analysis.regression.standardised_risk import standardised_risk
from workbench.errors import DataError, StudyError


def _persons(n: int = 600) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    old = rng.integers(0, 2, n)
    treated = (rng.random(n) < 0.3 + 0.4 * old).astype(int)
    died = (rng.random(n) < 0.2 + 0.3 * old + 0.1 * treated).astype(int)
    frame = pd.DataFrame({"old": old, "treated": treated, "died": died})
    frame["arm"] = np.where(treated == 1, "new", "care")
    return frame.assign(visits=rng.poisson(1 + died), cost=rng.normal(10 + old, 2))


PERSONS = _persons()
SATURATED = models.logistic(PERSONS, "died ~ treated * old")


def test_a_saturated_model_gives_the_stratified_risks():
    found = standardised_risk(SATURATED, PERSONS, exposure="treated")
    shares = PERSONS["old"].value_counts(normalize=True)
    means = PERSONS.groupby(["treated", "old"])["died"].mean()
    risks = [sum(shares[o] * means[t, o] for o in (0, 1)) for t in (0, 1)]
    np.testing.assert_allclose(found.risks["estimate"], risks)
    table = found.contrasts.set_index("measure")["estimate"]
    assert table["difference"] == pytest.approx(risks[1] - risks[0])
    assert table["ratio"] == pytest.approx(risks[1] / risks[0])


def test_the_standard_error_of_one_stratum_is_the_binomials():
    fit = models.logistic(PERSONS, "died ~ treated")
    found = standardised_risk(fit, PERSONS, exposure="treated")
    groups = PERSONS.groupby("treated")["died"]
    mean, n = groups.mean(), groups.size()
    np.testing.assert_allclose(found.risks["std_error"], np.sqrt(mean * (1 - mean) / n))
    row = found.contrasts.set_index("measure").loc["difference"]
    assert row["std_error"] == pytest.approx(np.sqrt((mean * (1 - mean) / n).sum()))


def test_categories_and_the_reference():
    fit = models.logistic(PERSONS, "died ~ arm + old")
    one = standardised_risk(fit, PERSONS, exposure="arm")
    other = standardised_risk(fit, PERSONS, exposure="arm", reference="new")
    assert list(one.risks["level"]) == ["care", "new"]
    assert list(one.contrasts["reference"]) == ["care", "care"]
    np.testing.assert_allclose(
        one.contrasts["estimate"][0], -other.contrasts["estimate"][0], rtol=1e-9
    )
    np.testing.assert_allclose(
        one.contrasts["estimate"][1], 1 / other.contrasts["estimate"][1], rtol=1e-9
    )


def test_other_models_and_the_covariance_in_use():
    linear = models.linear(PERSONS, "cost ~ treated + old")
    found = standardised_risk(linear, PERSONS, exposure="treated")
    row = linear.coefficients.set_index("term").loc["treated"]
    assert list(found.contrasts["measure"]) == ["difference"]
    for column in ("std_error", "lower", "upper", "p_value"):
        assert found.contrasts[column][0] == pytest.approx(row[column])
    counts = models.poisson(PERSONS, "visits ~ treated + old")
    ratio = standardised_risk(counts, PERSONS, exposure="treated").contrasts.iloc[1]
    row = counts.coefficients.set_index("term").loc["treated"]
    for ours, theirs in (("estimate", "rate_ratio"), ("lower", "lower"), ("upper", "upper")):
        assert ratio[ours] == pytest.approx(row[theirs])


def test_weights_choose_the_population():
    old = PERSONS.assign(w=np.where(PERSONS["old"] == 1, 1.0, 1e-9))
    found = standardised_risk(SATURATED, old, exposure="treated", weight="w")
    mean = PERSONS[PERSONS["old"] == 1].groupby("treated")["died"].mean()
    np.testing.assert_allclose(found.risks["estimate"], mean, rtol=1e-6)


def test_who_lacks_a_covariate_is_left_out_but_not_who_lacks_the_exposure():
    holes = PERSONS.assign(old=PERSONS["old"].astype(float), treated=np.nan)
    holes.loc[:9, "old"] = np.nan
    found = standardised_risk(SATURATED, holes, exposure="treated")
    assert (found.n, found.n_missing) == (590, 10)


def test_what_cannot_be_standardised_is_refused():
    with pytest.raises(StudyError, match='"arm" is not in the model'):
        standardised_risk(SATURATED, PERSONS, exposure="arm")
    with pytest.raises(StudyError, match="two or more levels"):
        standardised_risk(SATURATED, PERSONS, exposure="treated", levels=[1])
    with pytest.raises(StudyError, match="not a level"):
        standardised_risk(SATURATED, PERSONS, exposure="treated", reference=3)
    with pytest.raises(DataError, match="no column"):
        standardised_risk(SATURATED, PERSONS.drop(columns="old"), exposure="treated")
    with pytest.raises(DataError, match="missing in all 600 rows"):
        standardised_risk(SATURATED, PERSONS.assign(old=np.nan), exposure="treated")
    with pytest.raises(DataError, match="not a number above 0"):
        standardised_risk(SATURATED, PERSONS.assign(w=0), exposure="treated", weight="w")
    by_arm = models.logistic(PERSONS, "died ~ arm")
    with pytest.raises(DataError, match="a level the fit has not seen"):
        standardised_risk(by_arm, PERSONS, exposure="arm", levels=["care", "none"])
