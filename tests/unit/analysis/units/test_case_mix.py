"""Units beside what their own patients would have had in the nation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import special, stats

from workbench.analysis import regression, units
from workbench.analysis.units.alike import count_alike
from workbench.analysis.units.calibration import calibrate
from workbench.analysis.units.fixed_effects import fixed_effects
from workbench.analysis.units.poisson_binomial import count_chances, mid_p_tails
from workbench.errors import DataError, StudyError, WorkbenchError

COLUMNS = [
    "clinic", "n", "observed", "expected", "ratio", "lower", "upper", "z", "mid_p", "p_adjusted",
    "adjusted", "flag", "left_out",
]  # fmt: skip
CALL = {"outcome": "died", "unit": "clinic"}


def patients(n: int = 600, seed: int = 1, spread: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    clinic = rng.integers(0, 8, n)
    age = rng.integers(40, 90, n)
    planned = rng.integers(0, 2, n)
    effect = spread * rng.normal(size=8)
    chance = special.expit(-1 + 0.04 * (age - 65) - 0.5 * planned + effect[clinic])
    died = (rng.random(n) < chance).astype(int)
    names = np.array([f"clinic {one}" for one in "HGFEDCBA"])[clinic]
    return pd.DataFrame({"clinic": names, "age": age, "planned": planned, "died": died})


def brute_force(chance: np.ndarray) -> np.ndarray:
    whole = np.ones(1)
    for one in chance:
        whole = np.convolve(whole, [1 - one, one])
    return whole


@pytest.mark.parametrize("n", [0, 1, 2, 3, 7, 50])
def test_the_chances_of_counts_are_those_of_a_convolution(n):
    chance = np.random.default_rng(n).random(n)
    np.testing.assert_allclose(count_chances(chance), brute_force(chance), atol=1e-14)


def test_chances_of_several_groups_at_once():
    chance = np.random.default_rng(1).random((9, 4))
    found = count_chances(chance)
    for one, expected in zip(found, chance.T, strict=True):
        np.testing.assert_allclose(one, brute_force(expected), atol=1e-14)


@pytest.mark.parametrize(("observed", "n", "p"), [(90, 100, 0.3), (700, 1000, 0.1), (3, 900, 0.4)])
def test_far_tails_keep_their_digits(observed, n, p):
    law = stats.binom(n, p)
    below = law.cdf(observed - 1) + law.pmf(observed) / 2
    above = law.sf(observed) + law.pmf(observed) / 2
    found = mid_p_tails(observed, np.full(n, p))
    np.testing.assert_allclose(min(found), min(below, above), rtol=1e-9)


@pytest.mark.parametrize(
    ("observed", "chance", "expected"),
    [
        (0, [0.5, 0.5], (0.125, 0.875)),
        (2, [0.5, 0.5], (0.875, 0.125)),
        (1, [1.0], (0.5, 0.5)),
        (0, [0.0, 0.0], (0.5, 0.5)),
        (0, [1.0, 0.5], (0.0, 1.0)),
        (2, [0.0, 0.5], (1.0, 0.0)),
        (2, [1.0, 1.0, 0.5], (0.25, 0.75)),
        (0, [], (0.5, 0.5)),
    ],
)
def test_tails_at_the_edges(observed, chance, expected):
    assert mid_p_tails(observed, np.array(chance)) == pytest.approx(expected)


@given(st.lists(st.floats(0.001, 0.999), min_size=1, max_size=30), st.data())
@settings(max_examples=40, deadline=None)
def test_tails_are_those_of_the_whole_distribution(chance, data):
    observed = data.draw(st.integers(0, len(chance)))
    law = brute_force(np.array(chance))
    below = law[:observed].sum() + law[observed] / 2
    found = mid_p_tails(observed, np.array(chance))
    assert found == pytest.approx((below, 1 - below), abs=1e-12)


def test_expected_events_are_those_of_the_model():
    persons = patients()
    found = units.case_mix(persons, "age + C(planned)", **CALL)
    fit = regression.logistic(persons, "died ~ age + C(planned)")
    by_unit = fit.predict(persons)["estimate"].groupby(persons["clinic"]).sum()
    assert list(found.columns) == COLUMNS
    assert list(found["clinic"]) == sorted(set(persons["clinic"]))
    np.testing.assert_allclose(found["expected"], by_unit, rtol=1e-9)
    assert found["expected"].sum() == pytest.approx(persons["died"].sum())
    assert (found["n"] == persons.groupby("clinic").size().to_numpy()).all()
    np.testing.assert_allclose(found["ratio"], found["observed"] / found["expected"])
    np.testing.assert_allclose(found["adjusted"], found["ratio"] * found.overall)
    interval = units.ratio(found["observed"], found["expected"])
    pd.testing.assert_frame_equal(found[["lower", "upper"]], interval[["lower", "upper"]])


def test_the_result_is_a_table_with_attributes():
    found = units.case_mix(patients(), "age + planned", **CALL)
    assert isinstance(found, units.UnitTable)
    assert type(found.table) is pd.DataFrame
    assert found.n_used == 600 and found.n_left_out == 0
    assert list(found.coefficients["term"]) == ["Intercept", "age", "planned"]
    assert 0.5 < found.c_lower < found.c_statistic < found.c_upper < 1
    # in the model's own patients these are so by construction
    assert found.calibration_slope == pytest.approx(1)
    assert found.calibration_intercept == pytest.approx(0, abs=1e-9)
    assert 0 < found.expected_slope < 1
    assert 0 < found.brier < 0.25
    assert found.calibration["n"].sum() == 600
    assert found.calibration["observed"].sum() == found["observed"].sum()
    assert found.constant_within_units == []


def test_neither_index_nor_order_matter_and_the_input_stays():
    persons = patients()
    before = persons.copy()
    found = units.case_mix(persons, "age", **CALL)
    pd.testing.assert_frame_equal(persons, before)
    mixed = persons.sample(frac=1, random_state=2)
    again = units.case_mix(mixed, "age", **CALL)
    pd.testing.assert_frame_equal(found.table, again.table)


def test_without_covariates_all_share_one_chance():
    persons = patients()
    found = units.case_mix(persons, "1", **CALL, standardised=True)
    raw = persons.groupby("clinic")["died"].mean().to_numpy()
    np.testing.assert_allclose(found["adjusted"], raw)
    np.testing.assert_allclose(found["standardised"], raw)
    assert found.c_statistic == 0.5
    assert np.isnan(found.calibration_slope) and np.isnan(found.expected_slope)
    law = stats.binom(found["n"], found.overall)
    below = law.cdf(found["observed"] - 1) + law.pmf(found["observed"]) / 2
    np.testing.assert_allclose(found["mid_p"], 2 * np.minimum(below, 1 - below), rtol=1e-9)


def with_extremes() -> pd.DataFrame:
    """One clinic where nobody, and one where everybody has the event."""
    extra = pd.DataFrame({"age": np.arange(50, 80), "planned": np.arange(30) % 2})
    none = extra.assign(clinic="none", died=0)
    everybody = extra.assign(clinic="all", died=1)
    return pd.concat([patients(), none, everybody], ignore_index=True)


def test_units_with_no_or_all_events_are_judged_too():
    found = units.case_mix(with_extremes(), "age", **CALL, standardised=True).set_index("clinic")
    nothing, everything = found.loc["none"], found.loc["all"]
    assert nothing["ratio"] == 0 and nothing["lower"] == 0 and nothing["upper"] > 0
    assert nothing["adjusted"] == 0 and nothing["standardised"] == 0
    assert everything["standardised"] == 1 and everything["adjusted"] <= 1
    assert nothing["flag"] == "low 99.8" and everything["flag"] == "high 99.8"
    assert np.isfinite(found["z"]).all()


def test_flags_follow_the_mid_p():
    found = units.case_mix(patients(3000, spread=0.5), "age + planned", **CALL)
    beyond = found["mid_p"] < 0.05
    far = found["mid_p"] < 0.002
    side = np.where(found["observed"] > found["expected"], "high", "low")
    expected = np.where(far, side + " 99.8", np.where(beyond, side + " 95", "none").astype(object))
    assert list(found["flag"]) == list(expected)
    assert far.any() and (~beyond).any()
    assert (found["p_adjusted"] >= found["mid_p"] - 1e-15).all()


def test_who_lacks_something_is_left_out_and_counted_by_unit():
    persons = patients().astype({"age": float, "died": float})
    whole = persons["clinic"] == "clinic C"
    persons.loc[whole, "age"] = np.nan
    persons.loc[persons.index[~whole][:7], "died"] = np.nan
    found = units.case_mix(persons, "age", **CALL)
    assert found.n_left_out == whole.sum() + 7 == found["left_out"].sum()
    assert found.n_used == 600 - found.n_left_out == found["n"].sum()
    row = found.set_index("clinic").loc["clinic C"]
    assert row["n"] == 0 and row["left_out"] == whole.sum() and row["flag"] is None
    assert row[["ratio", "lower", "upper", "z", "mid_p", "p_adjusted", "adjusted"]].isna().all()
    rest = units.case_mix(persons[~whole], "age", **CALL)
    kept = found[found["clinic"] != "clinic C"]
    np.testing.assert_allclose(kept["mid_p"], rest["mid_p"])


def test_units_own_terms_are_those_of_a_model_with_a_level_for_each():
    persons = patients(spread=0.7)
    alike = count_alike(persons, "age + planned", **CALL, taken=set())
    x = alike.rows.to_numpy(float)
    found = fixed_effects(x, alike.events, alike.size, alike.unit, np.zeros(len(x)))
    fit = regression.logistic(persons, "died ~ clinic + age + planned").coefficients
    b = fit.set_index("term")["coefficient"]
    np.testing.assert_allclose(found.coefficient, b[["age", "planned"]], rtol=1e-6)
    np.testing.assert_allclose(found.effect[0], b["Intercept"], rtol=1e-6)
    differences = found.effect[1:] - found.effect[0]
    np.testing.assert_allclose(differences, b.filter(like="clinic["), rtol=1e-6, atol=1e-8)


def test_the_median_unit_as_reference():
    persons = patients(3000, spread=0.7)
    found = units.case_mix(persons, "age + planned", **CALL, reference="median unit")
    assert found.reference == "median unit"
    # half of the units lie above their expected number and half below
    assert (found["observed"] > found["expected"]).sum() == 4
    assert found["expected"].sum() != pytest.approx(found["observed"].sum())
    # one unit far off does not move it
    moved = persons.assign(died=np.where(persons["clinic"] == "clinic A", 1, persons["died"]))
    again = units.case_mix(moved, "age + planned", **CALL, reference="median unit")
    assert again["expected"].sum() < moved["died"].sum()


def test_a_median_unit_without_events_is_refused():
    persons = pd.DataFrame({"clinic": [1] * 4 + [2] * 4 + [3] * 4, "died": [0] * 8 + [0, 1, 1, 1]})
    with pytest.raises(DataError, match="median unit nobody or everybody"):
        units.case_mix(persons, "1", **CALL, reference="median unit")


def test_a_covariate_of_the_unit_is_told():
    persons = patients()
    own = persons.assign(university=persons["clinic"].isin(["clinic A", "clinic B"]))
    found = units.case_mix(own, "age + university", **CALL)
    assert found.constant_within_units == ["university"]
    with pytest.raises(DataError, match="does not differ within any unit"):
        units.case_mix(own, "age + university", **CALL, reference="median unit")


def test_separation_within_units_is_refused():
    # sex tells who died in the one unit where some died and some did not
    persons = pd.DataFrame(
        {
            "clinic": [1] * 6 + [2] * 6 + [3] * 6,
            "sex": [0, 0, 0, 1, 1, 1] * 3,
            "died": [0] * 6 + [1] * 6 + [0, 0, 0, 1, 1, 1],
        }
    )
    assert len(units.case_mix(persons, "sex", **CALL)) == 3
    with pytest.raises(DataError, match="separation"):
        units.case_mix(persons, "sex", **CALL, standardised=True)
    with pytest.raises(DataError, match="in every unit nobody or everybody"):
        units.case_mix(persons.iloc[:12], "sex", **CALL, standardised=True)


def test_events_over_time_at_risk():
    rng = np.random.default_rng(3)
    persons = patients().assign(years=lambda d: 0.5 + rng.random(len(d)) * 3)
    persons["infections"] = rng.poisson(0.4 * persons["years"])
    call = {"outcome": "infections", "unit": "clinic", "family": "poisson", "exposure": "years"}
    found = units.case_mix(persons, "age", **call)
    fit = regression.poisson(persons, "infections ~ age", exposure="years")
    mean = fit.predict(persons, exposure="years")["estimate"].groupby(persons["clinic"]).sum()
    np.testing.assert_allclose(found["expected"], mean, rtol=1e-9)
    rate = persons["infections"].sum() / persons["years"].sum()
    np.testing.assert_allclose(found["adjusted"], found["ratio"] * rate)
    law = stats.poisson(found["expected"])
    below = law.cdf(found["observed"] - 1) + law.pmf(found["observed"]) / 2
    np.testing.assert_allclose(found["mid_p"], np.minimum(2 * np.minimum(below, 1 - below), 1))
    assert found["n"].sum() == 600
    assert np.isnan(found.c_statistic) and found.calibration.empty


def test_equal_counts_are_no_equal_rates():
    table = pd.DataFrame({"clinic": [1, 1, 2, 2], "falls": 5, "years": [1.0, 2.0, 3.0, 4.0]})
    call = {"outcome": "falls", "unit": "clinic", "family": "poisson", "exposure": "years"}
    found = units.case_mix(table, "1", **call)
    assert found["expected"].tolist() == pytest.approx([6, 14])
    assert found["adjusted"].tolist() == pytest.approx([10 / 3, 10 / 7])
    with pytest.raises(DataError, match="the same for all 4 patients"):
        units.case_mix(table.assign(falls=0), "1", **call)


def test_the_c_statistic_counts_pairs():
    rng = np.random.default_rng(4)
    predicted, happened = rng.random(60).round(1), rng.integers(0, 2, 60)
    found = calibrate(predicted, happened.astype(float), np.ones(60))
    case, other = predicted[happened == 1], predicted[happened == 0]
    wins = (case[:, None] > other) + 0.5 * (case[:, None] == other)
    assert found.c_statistic == pytest.approx(wins.mean())
    spread = wins.mean(1).var(ddof=1) / len(case) + wins.mean(0).var(ddof=1) / len(other)
    assert found.c_upper - found.c_statistic == pytest.approx(1.959964 * spread**0.5, rel=1e-6)
    assert found.brier == pytest.approx(((predicted - happened) ** 2).mean())


def test_calibration_of_predictions_that_are_too_extreme():
    rng = np.random.default_rng(5)
    logit = rng.normal(size=20_000)
    happened = (rng.random(20_000) < special.expit(logit)).astype(float)
    found = calibrate(special.expit(2 * logit), happened, np.ones(20_000))
    assert found.slope == pytest.approx(0.5, abs=0.05)
    assert (found.table["n"] == 2000).all()
    alone = calibrate(np.array([0.2, 0.8]), np.array([0.0, 1.0]), np.ones(2))
    assert np.isnan(alone.c_lower) and np.isnan(alone.slope) and alone.c_statistic == 1


BAD = {
    "a missing column": ({"unit": "clinik"}, 'Did you mean "clinic"'),
    "a covariate that is not there": ({"formula": "agge"}, 'Did you mean "age"'),
    "the unit as a covariate": ({"formula": "age + clinic"}, '"clinic" is the outcome, the unit'),
    "the outcome as a covariate": ({"formula": "died"}, '"died" is the outcome'),
    "another reference": ({"reference": "best"}, "reference is one of"),
    "another family": ({"family": "cox"}, "family is"),
    "exposure without poisson": ({"exposure": "age"}, "exposure"),
    "poisson without exposure": ({"family": "poisson"}, "exposure"),
    "confidence in per cent": ({"confidence": 95}, "confidence"),
    "another interval": ({"method": "wald"}, "method"),
    "poisson and the median unit": (
        {"family": "poisson", "exposure": "age", "reference": "median unit"}, "by its ratio",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_arguments_are_refused(name):
    changed, told = BAD[name]
    call = CALL | {"formula": "age"} | changed
    with pytest.raises(WorkbenchError, match=told):
        units.case_mix(patients(), **call)


def change(column: str, value: object, rows: slice = slice(0, 3)) -> pd.DataFrame:
    persons = patients().astype({column: object})
    persons.loc[persons.index[rows], column] = value
    return persons


FAULTS = {
    "missing units": (lambda: change("clinic", None), '"clinic": missing in 3 of 600 rows'),
    "one unit": (lambda: patients().assign(clinic="A"), "one unit only"),
    "an outcome of 2": (lambda: change("died", 2), "in 3 rows is not 0 or 1"),
    "a negative outcome": (lambda: change("died", -1), "in 3 rows is not 0 or 1"),
    "an outcome in words": (lambda: patients().assign(died="yes"), "expected numbers"),
    "no event": (lambda: patients().assign(died=0), "the same for all"),
    "only events": (lambda: patients().assign(died=1), "the same for all"),
    "nobody": (lambda: patients().iloc[:0], "no persons"),
    "nothing but missing": (lambda: patients().assign(age=np.nan), "nobody left"),
    "separation": (lambda: patients().assign(age=lambda d: d["died"] * 10.0), "separation"),
    "no frame": (lambda: [1, 2], "expected a pandas frame"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_bad_data_are_refused_in_one_sentence(name):
    make, told = FAULTS[name]
    with pytest.raises(DataError, match=told):
        units.case_mix(make(), "age", **CALL)


def test_the_unit_may_not_be_named_as_a_result_column():
    persons = patients().rename(columns={"clinic": "observed"})
    with pytest.raises(StudyError, match="a column of the result has that name"):
        units.case_mix(persons, "age", outcome="died", unit="observed")


def test_an_exposure_of_nothing_is_refused():
    persons = patients().assign(years=0.0)
    with pytest.raises(DataError, match='"years": not above 0 in 600 rows'):
        units.case_mix(
            persons, "age", outcome="died", unit="clinic", family="poisson", exposure="years"
        )
    persons["years"] = np.nan
    with pytest.raises(DataError, match="missing count is not 0"):
        units.case_mix(
            persons, "age", outcome="died", unit="clinic", family="poisson", exposure="years"
        )


@given(st.integers(0, 10_000), st.integers(2, 6), st.integers(20, 60))
@settings(max_examples=20, deadline=None)
def test_whatever_the_patients_the_parts_fit_together(seed, k, n):
    rng = np.random.default_rng(seed)
    persons = pd.DataFrame(
        {
            "clinic": rng.integers(0, k, n),
            "sex": rng.integers(0, 2, n),
            "died": np.arange(n) % 3 == 0,
        }
    )
    persons.loc[:1, "clinic"] = [0, 1]
    assume(len(persons.value_counts(["sex", "died"])) == 4)  # else the nation itself is separated
    try:
        found = units.case_mix(persons, "sex", **CALL, standardised=True)
    except DataError:
        # separated within units: the outcome follows from unit and sex
        found = units.case_mix(persons, "sex", **CALL).assign(standardised=0.0)
    assert found["observed"].sum() == pytest.approx(found["expected"].sum())
    assert found["mid_p"].between(0, 1).all() and found["adjusted"].between(0, 1).all()
    assert (found["lower"] <= found["ratio"]).all() and (found["ratio"] <= found["upper"]).all()
    assert found["standardised"].between(0, 1).all()
    names = persons.assign(clinic=persons["clinic"].map(lambda one: f"unit {one}"))
    again = units.case_mix(names, "sex", **CALL)
    np.testing.assert_allclose(found["mid_p"], again["mid_p"])
