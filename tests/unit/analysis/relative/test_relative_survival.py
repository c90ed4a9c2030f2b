"""Net, relative and expected survival: laws, edge cases, bad input, compiled as plain."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.analysis import relative, survival
from workbench.analysis.relative import steps
from workbench.errors import DataError, StudyError

CALL = {"duration": "time", "event": "dead", "age": "age", "sex": "sex", "start_date": "start"}
EXPECTED = {key: CALL[key] for key in ("age", "sex", "start_date")}


def life_table(scale: float = 1.0) -> relative.LifeTable:
    frame = pd.MultiIndex.from_product(
        [["f", "m"], range(1990, 2012), range(101)], names=["sex", "year", "age"]
    ).to_frame(index=False)
    hazard = 1e-4 * np.exp(0.085 * frame["age"]) * np.where(frame["sex"] == "m", 1.4, 1.0)
    frame["hazard"] = scale * hazard * 0.99 ** (frame["year"] - 1990)
    return relative.LifeTable.from_frame(frame, age="age", year="year", sex="sex", hazard="hazard")


def patients(n: int = 300, seed: int = 4) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    start = pd.Timestamp("1995-01-01") + pd.to_timedelta(rng.integers(0, 1800, n), unit="D")
    return pd.DataFrame({
        "time": np.minimum(rng.exponential(1500, n).astype(int) + 1, 3650),
        "dead": rng.integers(0, 2, n), "age": rng.uniform(40, 90, n),
        "sex": rng.choice(["f", "m"], n), "start": start, "g": rng.choice(["a", "b"], n),
    })  # fmt: skip


TABLE = life_table()
METHODS = ("pohar-perme", "ederer1", "ederer2", "hakulinen")


@pytest.mark.parametrize("method", METHODS)
def test_without_population_mortality_it_is_kaplan_meier(method):
    rows = patients()
    times = [100, 1000, 3000]
    net = relative.net_survival(rows, life_table(0.0), **CALL, method=method, times=times, by="g")
    km = survival.kaplan_meier(rows, duration="time", event="dead", times=times, by="g")
    np.testing.assert_allclose(net["estimate"], km["estimate"], rtol=1e-12)
    columns = ["g", "time", "at_risk", "events"]
    pd.testing.assert_frame_equal(net[columns], km[columns], check_dtype=False)


@pytest.mark.parametrize("method", METHODS)
def test_order_index_and_unit_do_not_matter(method):
    rows = patients()
    first = relative.net_survival(rows, TABLE, **CALL, method=method, by="g")
    mixed = rows.sample(frac=1, random_state=2).set_index("time", drop=False)
    second = relative.net_survival(mixed, TABLE, **CALL, method=method, by="g")
    pd.testing.assert_frame_equal(first, second, rtol=1e-10)
    years = rows.assign(time=rows["time"] / TABLE.days_per_year)
    third = relative.net_survival(years, TABLE, **CALL, method=method, by="g", unit="years")
    np.testing.assert_allclose(first["estimate"], third["estimate"], rtol=1e-5)
    np.testing.assert_allclose(first["time"], third["time"] * TABLE.days_per_year)


def test_input_is_not_changed():
    rows = patients()
    before = rows.copy(deep=True)
    relative.net_survival(rows, TABLE, **CALL)
    pd.testing.assert_frame_equal(rows, before)


WINDOW = ("1997-03-01", "2000-01-01")
# Ederer I and Hakulinen have no period approach.
WAYS = [(method, None) for method in METHODS]
WAYS += [(method, WINDOW) for method in METHODS if method not in {"ederer1", "hakulinen"}]


@pytest.mark.parametrize(("method", "period"), WAYS)
def test_compiled_equals_plain(method, period, monkeypatch):
    rows = patients(2000).assign(time=lambda d: d["time"] + 0.5)
    plain = relative.net_survival(rows, TABLE, **CALL, method=method, period=period)
    monkeypatch.setattr(steps, "use_compiled", lambda n_rows: True)
    monkeypatch.setattr(steps, "CHUNK", 700)
    compiled = relative.net_survival(rows, TABLE, **CALL, method=method, period=period)
    pd.testing.assert_frame_equal(plain, compiled, rtol=1e-9, atol=1e-12)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 60))
def test_expected_survival_never_rises_and_conditional_equals_individual_for_one(seed, n):
    rows = patients(n, seed)
    times = np.arange(0, 4000, 97)
    for method in ("ederer1", "hakulinen", "conditional"):
        table = relative.expected_survival(
            rows, TABLE, **EXPECTED, method=method, times=times, duration="time"
        )
        curve = table["estimate"].dropna().to_numpy()
        assert (np.diff(curve) <= 1e-12).all() and ((curve > 0) & (curve <= 1)).all()
    own = relative.expected_survival(rows, TABLE, **EXPECTED, method="individual", duration="time")
    one = relative.expected_survival(rows.head(1), TABLE, **EXPECTED, times=[rows["time"].iloc[0]])
    assert own["estimate"].iloc[0] == pytest.approx(one["estimate"].iloc[0], rel=1e-12)
    assert list(own.index) == list(rows.index)


def test_standard_with_the_own_age_structure_changes_little_and_brenner_nothing():
    rows = patients(3000, 1)
    share = (rows["age"] >= 65).mean()
    own = {0: 1 - share, 65: share}
    crude = relative.net_survival(rows, TABLE, **CALL, times=[1000])
    brenner = relative.net_survival(
        rows, TABLE, **CALL, times=[1000], weights=own, standardisation="brenner"
    )
    np.testing.assert_allclose(brenner["estimate"], crude["estimate"], rtol=1e-12)
    np.testing.assert_allclose(brenner["std_error"], crude["std_error"], rtol=1e-12)


def test_traditional_standard_is_the_weighted_mean_of_the_age_groups():
    rows = patients(2000, 3).assign(old=lambda d: d["age"] >= 65)
    apart = relative.net_survival(rows, TABLE, **CALL, times=[500, 1500], by="old")
    mean = relative.net_survival(rows, TABLE, **CALL, times=[500, 1500], weights={0: 3, 65: 1})
    young, old = (apart[apart["old"] == k].reset_index(drop=True) for k in (False, True))
    np.testing.assert_allclose(
        mean["estimate"], 0.75 * young["estimate"] + 0.25 * old["estimate"], rtol=1e-9
    )
    squares = (0.75 * young["std_error"]) ** 2 + (0.25 * old["std_error"]) ** 2
    np.testing.assert_allclose(mean["std_error"], np.sqrt(squares), rtol=1e-9)
    assert (mean["at_risk"] == young["at_risk"] + old["at_risk"]).all()


def test_a_period_that_holds_everything_is_the_cohort():
    rows = patients()
    period = ("1900-01-01", "2100-01-01")
    pd.testing.assert_frame_equal(
        relative.net_survival(rows, TABLE, **CALL, period=period),
        relative.net_survival(rows, TABLE, **CALL),
    )


def test_period_counts_only_what_happens_inside():
    rows = pd.DataFrame({
        "time": [1000, 1000, 10, 800], "dead": [1, 1, 1, 0], "age": 60.0, "sex": "f",
        "start": pd.to_datetime(["1996-01-01", "1999-06-01", "1996-01-01", "1998-01-05"]),
    })  # fmt: skip
    period = ("1998-01-01", "2000-01-01")
    table = relative.net_survival(rows, TABLE, **CALL, times=[100, 900, 1000], period=period)
    # the second is at risk for 214 days, the last until the window closes, the first from day 731
    assert table["at_risk"].tolist() == [2, 1, 1] and table["events"].tolist() == [0, 0, 1]
    assert any("1 persons have no follow-up" in note for note in table.attrs["notes"])
    late = relative.net_survival(rows[:1], TABLE, **CALL, times=[700, 900], period=period)
    assert late["estimate"].isna().all() and (late["reliability"] == "nobody at risk").all()
    with pytest.raises(DataError, match="nobody is under observation"):
        relative.net_survival(rows, TABLE, **CALL, period=("1980-01-01", "1981-01-01"))


def test_nobody_dies_everybody_dies_and_time_zero():
    rows = patients(50)
    alive = relative.net_survival(rows.assign(dead=0), TABLE, **CALL)
    assert (alive["estimate"] > 1).all() and (alive["std_error"] == 0).all()
    gone = relative.net_survival(rows.assign(dead=1, time=100), TABLE, **CALL, times=[50, 100, 200])
    assert gone["estimate"].iloc[0] > 1 and gone["estimate"].iloc[1] == pytest.approx(0, abs=0.05)
    assert np.isnan(gone["estimate"].iloc[2]) and gone["reliability"].iloc[2] == "nobody at risk"
    rows.loc[:4, ["time", "dead"]] = [0, 1]
    first = relative.net_survival(rows, TABLE, **CALL).iloc[0]
    assert (first["time"], first["at_risk"], first["events"]) == (0, 50, 5)
    assert first["estimate"] == pytest.approx(0.9)
    zero = relative.net_survival(rows.assign(time=0), TABLE, **CALL)
    assert len(zero) == 1 and zero["events"].iloc[0] == rows["dead"].sum()


def test_rules_of_publication():
    table = relative.net_survival(patients(60), TABLE, **CALL, times=[5, 2000])
    assert table["reliability"].tolist() == ["fewer than 10 deaths", "fewer than 25 at risk"]


def test_who_lies_outside_the_life_table_is_told():
    rows = patients(20).assign(age=100.5)
    rows.loc[0, "start"] = pd.Timestamp("1985-01-01")
    notes = relative.net_survival(rows, TABLE, **CALL).attrs["notes"]
    assert any("1 persons begin before" in note for note in notes)
    assert any("above the life table's last" in note for note in notes)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"age": np.nan}, '"age": missing in 30 rows'),
        ({"age": 20000.0}, 'age_unit="days"'),
        ({"age": -1.0}, "below 0"),
        ({"age": "old"}, "expected an age"),
        ({"start": "1999-01-01"}, "expected dates"),
        ({"start": pd.NaT}, "missing in 30 rows"),
        ({"sex": 1}, "30 rows not in the table"),
        ({"time": -1}, "negative in 30 rows"),
        ({"dead": 2}, "neither 0 nor 1"),
        ({"g": None}, "missing"),
    ],
)
def test_patients_that_cannot_be_used(change, told):
    with pytest.raises(DataError, match=told):
        relative.net_survival(patients(30).assign(**change), TABLE, **CALL, by="g")


@pytest.mark.parametrize(
    "settings_",
    [
        {"method": "pohar"}, {"standardisation": "none"}, {"confidence": 95}, {"step": 0},
        {"unit": "weeks"}, {"age_unit": "months"}, {"period": ("x", "y")}, {"weights": "ICSS9"},
        {"weights": {10: 1.0}}, {"weights": {0: -1}}, {"times": [np.nan]}, {"estimator": "km"},
        {"period": ("2000-01-01", "1999-01-01")}, {"period": 3},
        {"method": "ederer1", "period": ("1990-01-01", "2000-01-01")},
        {"method": "hakulinen", "weights": "ICSS1", "standardisation": "brenner"},
    ],
)  # fmt: skip
def test_settings_that_make_no_sense(settings_):
    with pytest.raises(StudyError):
        relative.net_survival(patients(30), TABLE, **CALL, **settings_)


def test_an_age_group_without_patients_is_named():
    rows = patients(40).assign(age=50.0)
    with pytest.raises(DataError, match="no patients in the age groups from 0, 55, 65, 75"):
        relative.net_survival(rows, TABLE, **CALL, weights="ICSS1")


def test_a_missing_column_names_the_nearest():
    with pytest.raises(DataError, match='no column "tme".*"time"'):
        relative.net_survival(patients(9), TABLE, **{**CALL, "duration": "tme"})


def test_crude_probabilities_and_survival_add_up_to_one():
    rows = patients(500)
    times = [200, 1500]
    table = relative.crude_probability(rows, TABLE, **CALL, times=times)
    km = survival.kaplan_meier(rows, duration="time", event="dead", times=times)
    total = table.groupby("time")["estimate"].sum().to_numpy()
    np.testing.assert_allclose(total + km["estimate"], 1, rtol=1e-12)
    lost = relative.years_of_life_lost(rows, TABLE, **CALL, times=times, by="g")
    np.testing.assert_allclose(lost["estimate"], lost["expected"] - lost["observed"])


def test_groups_of_the_same_persons_do_not_differ():
    rows = patients(400)
    twice = pd.concat([rows.assign(g=1), rows.assign(g=2)])
    found = relative.net_survival_test(twice, TABLE, **CALL, by="g")
    assert found.statistic == pytest.approx(0, abs=1e-9) and found.p_value == pytest.approx(1)
    with pytest.raises(DataError, match="one group only"):
        relative.net_survival_test(rows.assign(g=1), TABLE, **CALL, by="g")
    with pytest.raises(DataError, match="no events"):
        relative.net_survival_test(twice.assign(dead=0), TABLE, **CALL, by="g")


def excess_patients(n: int = 6000) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    rows = patients(n, 6).assign(x=rng.integers(0, 2, n))
    own = rng.exponential(1 / (0.1 * np.exp(0.7 * rows["x"])) * 365.241)
    other = rng.exponential(1e9, n)
    time = np.ceil(np.minimum(np.minimum(own, other), 1500))
    return rows.assign(time=time, dead=(time < 1500).astype(int))


def test_excess_hazard_finds_what_was_put_in():
    for method in ("poisson", "poisson-interval", "likelihood"):
        fit = relative.excess_hazard(
            excess_patients(), life_table(1e-6), "x", intervals=[0, 500, 1000, 1600],
            method=method, **CALL,
        )  # fmt: skip
        found = fit.coefficients.set_index("term")
        for term, truth in {"x": 0.7, "0 to 500 days": np.log(0.1)}.items():
            assert abs(found.loc[term, "coefficient"] - truth) < 3 * found.loc[term, "std_error"]


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ({"formula": "x + I(2 * x)"}, "sums of others"),
        ({"formula": "nothing"}, "nothing"),
        ({"intervals": [1, 2]}, "rising borders"),
        ({"intervals": [0, 500, 9000, 9999]}, "nobody is followed"),
        ({"method": "cox"}, "method"),
    ],
)
def test_excess_hazard_models_that_cannot_be(call, told):
    given = {"formula": "x", "intervals": [0, 500, 1600], **call}
    with pytest.raises((StudyError, DataError), match=told):
        relative.excess_hazard(excess_patients(500), TABLE, **given, **CALL)
