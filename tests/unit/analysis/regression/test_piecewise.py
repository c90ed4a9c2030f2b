"""The piecewise-exponential model: rates within intervals, equal to counting by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from workbench.analysis import regression
from workbench.errors import WorkbenchError

CALL = {"duration": "t", "event": "e", "cuts": [0, 1, 3, 6]}


def persons_of(n: int = 800) -> pd.DataFrame:
    draw = np.random.default_rng(2)
    group = draw.integers(0, 2, n)
    time = draw.exponential(4.0, n) / np.where(group == 1, 2.0, 1.0)
    return pd.DataFrame(
        {"t": np.minimum(time, 5.0), "e": (time < 5.0) * 1, "g": np.array(["a", "b"])[group],
         "who": range(n)}
    )  # fmt: skip


def test_without_covariates_rates_are_events_over_time():
    persons = persons_of()
    fit = regression.piecewise_exponential(persons, "interval", **CALL)
    logs = fit.coefficients["coefficient"].to_numpy()
    rates = []
    for low, high in ((0, 1), (1, 3), (3, 6)):
        time = (np.minimum(persons["t"], high) - low).clip(lower=0).sum()
        happened = ((persons["t"] > low) & (persons["t"] <= high) & (persons["e"] == 1)).sum()
        rates.append(happened / time)
    np.testing.assert_allclose(np.exp([logs[0], logs[0] + logs[1], logs[0] + logs[2]]), rates)


def test_one_interval_and_proportional_hazards_give_the_ratio_of_rates():
    persons = persons_of()
    fit = regression.piecewise_exponential(persons, "g", **{**CALL, "cuts": [0, 99]})
    sums = persons.groupby("g")[["e", "t"]].sum()
    ratio = (sums["e"] / sums["t"]).to_numpy()
    found = fit.coefficients.set_index("term").loc["g[T.b]", "rate_ratio"]
    assert found == pytest.approx(ratio[1] / ratio[0], rel=1e-9)


def test_a_cluster_changes_the_errors_and_no_coefficient():
    persons = persons_of()
    few = regression.piecewise_exponential(persons, "interval + g", **CALL)
    rows = regression.piecewise_exponential(persons, "interval + g", **CALL, cluster="who")
    np.testing.assert_allclose(
        few.coefficients["coefficient"], rows.coefficients["coefficient"], rtol=1e-8
    )
    assert rows.coefficients["robust_std_error"].notna().all()
    assert (few.n, few.events) == (800, int(persons["e"].sum()))


def test_persons_with_a_missing_covariate_are_counted_once():
    persons = persons_of().assign(age=lambda d: d["t"].where(d["who"] >= 7))
    fit = regression.piecewise_exponential(persons, "interval + age", **CALL)
    assert (fit.n, fit.n_missing) == (793, 7)


def test_many_intervals_come_near_to_cox():
    persons = persons_of(4000)
    cuts = np.linspace(0, 5, 60)
    fit = regression.piecewise_exponential(persons, "interval + g", **{**CALL, "cuts": cuts})
    cox = regression.cox(persons, "g", duration="t", event="e")
    ours = fit.coefficients.set_index("term").loc["g[T.b]", "coefficient"]
    assert ours == pytest.approx(cox.coefficients["coefficient"][0], abs=0.01)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"cuts": [0]}, "two or more limits"),
        ({"cuts": [3, 1]}, "each above the one before"),
        ({"cuts": [50, 60]}, "nobody is followed"),
    ],
)
def test_limits_that_make_no_sense_are_refused(change, words):
    with pytest.raises(WorkbenchError, match=words):
        regression.piecewise_exponential(persons_of(), "g", **{**CALL, **change})


def test_no_events_are_refused():
    with pytest.raises(WorkbenchError, match="no events"):
        regression.piecewise_exponential(persons_of().assign(e=0), "g", **CALL)
