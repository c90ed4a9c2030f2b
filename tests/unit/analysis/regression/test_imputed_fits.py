"""Every kind of fit can be made on imputed data and joined."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from workbench.analysis.competing.fine_gray import fine_gray
from workbench.analysis.regression import outcome_models as models
from workbench.analysis.regression.cox import cox
from workbench.analysis.regression.imputation import impute
from workbench.analysis.regression.rubin import pool


def _persons(n: int = 500) -> pd.DataFrame:
    rng = np.random.default_rng(6)
    age = rng.normal(0, 1, n)
    stage = np.where(age + rng.normal(0, 1, n) > 0, "late", "early")
    ended, out = rng.exponential(np.exp(-0.7 * age)), rng.uniform(0, 3, n)
    cause = np.where(ended < out, np.where(rng.random(n) < 0.7, 1, 2), 0)
    frame = pd.DataFrame({"age": age, "stage": stage, "cause": cause})
    frame["years"] = np.minimum(ended, out)
    frame["died"], frame["cost"] = (cause > 0).astype(int), 2 * age + rng.normal(0, 1, n)
    frame["visits"] = rng.poisson(np.exp(0.5 * age) * rng.gamma(2, 0.5, n))
    return frame.assign(hospital=rng.integers(0, 20, n))


WHOLE = _persons()
HOLES = WHOLE.assign(age=WHOLE["age"].mask(np.random.default_rng(7).random(len(WHOLE)) < 0.3))
BY_TIME = {"duration": "years", "event": "died"}
BY_CAUSE = {"duration": "years", "event": "cause"}
FITS = {
    "logistic": (lambda d: models.logistic(d, "died ~ age + stage"), {"outcome": "died"}),
    "clustered": (
        lambda d: models.logistic(d, "died ~ age + stage", cluster="hospital"),
        {"outcome": "died"},
    ),
    "poisson": (lambda d: models.poisson(d, "visits ~ age + stage"), {"outcome": "visits"}),
    "negative_binomial": (
        lambda d: models.negative_binomial(d, "visits ~ age + stage"),
        {"outcome": "visits"},
    ),
    "linear": (lambda d: models.linear(d, "cost ~ age + stage"), {"outcome": "cost"}),
    "cox": (lambda d: cox(d, "age + stage", **BY_TIME), BY_TIME),
    "fine_gray": (lambda d: fine_gray(d, "age + stage", **BY_CAUSE), BY_CAUSE),
}


@pytest.mark.parametrize(("fit", "outcome"), FITS.values(), ids=FITS)
def test_pooled_fits_are_near_the_whole_and_less_sure(fit, outcome):
    imputed = impute(HOLES, ["age", "stage"], **outcome, n_imputations=8, n_cycles=3, seed=1)
    pooled = pool([fit(frame) for frame in imputed.frames])
    whole = fit(WHOLE).coefficients.set_index("term").loc["age"]
    row = pooled.coefficients.set_index("term").loc["age"]
    assert pooled.n == len(HOLES)
    assert abs(row["coefficient"] - whole["coefficient"]) < 3.5 * row["std_error"]
    robust = whole["robust_std_error"]
    assert row["std_error"] > 0.9 * (whole["std_error"] if np.isnan(robust) else robust)
    assert 0 < row["fraction_missing"] < 0.8
    assert row["lower"] < row["upper"]
    assert row["degrees_of_freedom"] > 2
