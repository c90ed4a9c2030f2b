"""Weights make groups alike, and tell what they cost."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from workbench.analysis.regression.outcome_models import logistic
from workbench.analysis.regression.weighting import inverse_probability_weights
from workbench.errors import DataError, StudyError


def _persons(n: int = 4000) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    age, sex = rng.normal(0, 1, n), rng.choice(["man", "woman"], n)
    chance = 1 / (1 + np.exp(-(0.8 * age + 0.5 * (sex == "man"))))
    treated = (rng.random(n) < chance).astype(int)
    risk = 1 / (1 + np.exp(-(-1 + age + 0.7 * treated)))
    died = (rng.random(n) < risk).astype(int)
    return pd.DataFrame({"age": age, "sex": sex, "treated": treated, "died": died})


PERSONS = _persons()
FORMULA = "treated ~ age + sex"


@pytest.mark.parametrize("target", ["ate", "att", "atc", "overlap"])
def test_groups_are_alike_after_weighting(target):
    found = inverse_probability_weights(PERSONS, FORMULA, target=target)
    balance = found.balance
    assert list(balance["variable"]) == ["age", "sex", "sex"]
    assert list(balance["level"]) == ["", "man", "woman"]
    assert balance["difference_before"].abs().max() > 0.6
    assert balance["difference_after"].abs().max() < 0.05
    sizes = found.effective_size.set_index("exposed")
    assert (sizes["effective_n"] <= sizes["n"] + 1e-9).all()
    assert sizes["n"].sum() == len(PERSONS)
    assert found.overlap[["exposed", "unexposed"]].sum().sum() == len(PERSONS)


def test_overlap_weights_balance_exactly():
    found = inverse_probability_weights(PERSONS, FORMULA, target="overlap")
    assert found.balance["difference_after"].abs().max() < 1e-9


def test_each_target_leaves_its_own_group_as_it_is():
    exposed = (PERSONS["treated"] == 1).to_numpy()
    att = inverse_probability_weights(PERSONS, FORMULA, target="att").persons["weight"]
    atc = inverse_probability_weights(PERSONS, FORMULA, target="atc").persons["weight"]
    assert (att[exposed] == 1).all()
    assert (atc[~exposed] == 1).all()


def test_stabilised_weights_are_in_proportion_and_near_one():
    plain = inverse_probability_weights(PERSONS, FORMULA, stabilised=False).persons
    stable = inverse_probability_weights(PERSONS, FORMULA).persons
    ratio = stable["weight"] / plain["weight"]
    share = PERSONS["treated"].mean()
    np.testing.assert_allclose(ratio, np.where(PERSONS["treated"] == 1, share, 1 - share))
    assert stable["weight"].mean() == pytest.approx(1, abs=0.02)
    by_plain = logistic(plain, "died ~ treated", weight="weight").coefficients
    by_stable = logistic(stable, "died ~ treated", weight="weight").coefficients
    np.testing.assert_allclose(
        by_plain["coefficient"].iloc[1], by_stable["coefficient"].iloc[1], rtol=1e-7
    )


def test_truncation_is_told():
    whole = inverse_probability_weights(PERSONS, FORMULA)
    cut = inverse_probability_weights(PERSONS, FORMULA, truncate=(0.01, 0.99))
    assert (whole.n_truncated, whole.limits) == (0, None)
    assert cut.n_truncated == pytest.approx(80, abs=2)
    assert cut.persons["weight"].between(*cut.limits).all()
    assert cut.effective_size["effective_n"].sum() > whole.effective_size["effective_n"].sum()


def test_who_lacks_a_covariate_is_left_out_and_nothing_is_changed():
    holes = PERSONS.copy()
    holes.loc[:9, "age"] = np.nan
    before = holes.copy()
    found = inverse_probability_weights(holes, FORMULA)
    pd.testing.assert_frame_equal(holes, before)
    assert len(found.persons) == len(PERSONS) - 10
    assert found.fit.n_missing == 10
    assert list(found.persons.index) == list(PERSONS.index[10:])


def test_persons_without_a_counterpart_are_counted():
    alone = PERSONS.copy()
    alone.loc[0, ["age", "treated"]] = [9.0, 1]
    assert inverse_probability_weights(alone, FORMULA).n_outside >= 1


def test_what_cannot_be_weighted_is_refused():
    with pytest.raises(StudyError, match='no target "atte"'):
        inverse_probability_weights(PERSONS, FORMULA, target="atte")
    with pytest.raises(StudyError, match="two shares"):
        inverse_probability_weights(PERSONS, FORMULA, truncate=(0.99, 0.01))
    with pytest.raises(DataError, match='"weight" is the name of a result'):
        inverse_probability_weights(PERSONS.assign(weight=1), FORMULA)
    with pytest.raises(DataError, match="is not 0 or 1"):
        inverse_probability_weights(PERSONS.assign(treated=2), FORMULA)
    split = PERSONS.assign(treated=(PERSONS["age"] > 0).astype(int))
    with pytest.raises(DataError, match="separation"):
        inverse_probability_weights(split, FORMULA)
