"""Scores beside response rates, and changes from before to after."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from workbench.analysis import prom as proms
from workbench.errors import DataError, StudyError
from workbench.registers.proms import ImportantChange, load_prom

RAND12 = load_prom("rand12")
NAMES = list(RAND12.labels)


def asked(n, n_answered, unit="A", seed=1):
    """Patients of one unit; the first so many have scores."""
    draw = np.random.default_rng(seed)
    scores = {name: draw.integers(0, 101, n).astype(float) for name in NAMES}
    frame = pd.DataFrame({"unit": unit, "answered": [1] * n_answered + [0] * (n - n_answered)})
    frame = frame.assign(**scores)
    frame.loc[frame["answered"] == 0, NAMES] = np.nan
    return frame


def test_a_unit_is_shown_from_thirty_patients_and_fifteen_answers():
    patients = pd.concat([
        asked(30, 15, "shown"), asked(29, 29, "few patients"), asked(60, 14, "few answers"),
    ])  # fmt: skip
    rates = proms.response(patients, answered="answered", by="unit").set_index("unit")
    assert rates["reason"].to_dict() == {
        "few answers": "too few answers", "few patients": "too few patients", "shown": "",
    }  # fmt: skip
    assert rates.loc["shown", "is_low"] and not rates.loc["few patients", "is_low"]
    table = proms.summarise(patients, RAND12, answered="answered", by="unit").set_index("unit")
    assert table.loc["shown", "estimate"].notna().all()
    numbers = ["estimate", "std_dev", "lower", "upper"]
    assert table.loc[["few patients", "few answers"], numbers].isna().all().all()
    assert table.loc["few answers", "response"].iloc[0] == pytest.approx(14 / 60)


def test_means_have_students_interval():
    patients = asked(40, 40)
    row = proms.summarise(patients, RAND12, answered="answered").set_index("scale").loc["pain"]
    expected = stats.t.interval(0.95, 39, patients["pain"].mean(), stats.sem(patients["pain"]))
    assert (row["lower"], row["upper"]) == pytest.approx(expected)
    assert row["n"] == row["n_answered"] == row["n_scored"] == 40


def test_a_scale_that_few_answered_is_hidden_alone():
    patients = asked(40, 20)
    patients.loc[:9, "pain"] = np.nan
    table = proms.summarise(patients, RAND12, answered="answered").set_index("scale")
    assert table.loc["pain", "reason"] == "too few answers" and table.loc["pain", "n_scored"] == 10
    assert np.isnan(table.loc["pain", "estimate"]) and table.loc["energy", "reason"] == ""


def test_scores_of_those_who_did_not_answer_are_refused():
    patients = asked(40, 20)
    patients["answered"] = 0
    with pytest.raises(DataError, match="20 patients have a score and did not answer"):
        proms.summarise(patients, RAND12, answered="answered")
    with pytest.raises(DataError, match="neither 0 nor 1"):
        proms.response(asked(40, 20).assign(answered=2), answered="answered")
    with pytest.raises(StudyError, match="display rule"):
        proms.DisplayRule(answers=1)


def both_times(n=20, seed=3):
    draw = np.random.default_rng(seed)
    first = pd.DataFrame({"person": range(n), "unit": "A"})
    first = first.assign(**{name: draw.normal(50, 10, n) for name in NAMES})
    last = first.drop(columns="unit").assign(**{name: first[name] + draw.normal(4, 6, n)
                                               for name in NAMES})  # fmt: skip
    return first, last


def test_change_agrees_with_the_paired_test_and_hand_made_sizes():
    first, last = both_times()
    row = proms.change(first, last, RAND12, person="person").set_index("scale").loc["pain"]
    apart = last["pain"] - first["pain"]
    interval = stats.ttest_rel(last["pain"], first["pain"]).confidence_interval()
    assert (row["lower"], row["upper"]) == pytest.approx(tuple(interval))
    assert row["effect_size"] == pytest.approx(apart.mean() / first["pain"].std())
    assert row["response_mean"] == pytest.approx(apart.mean() / apart.std())
    assert np.isnan(row["n_better"]) and row["source"] == ""


def test_shares_need_an_important_change_with_its_source():
    first, last = both_times()
    limits = {"pain": ImportantChange(points=5, source="Invented, 2020")}
    row = proms.change(first, last, RAND12, person="person", important=limits)
    row = row.set_index("scale").loc["pain"]
    apart = (last["pain"] - first["pain"]).to_numpy()
    assert (row["n_better"], row["n_worse"]) == ((apart >= 5).sum(), (apart <= -5).sum())
    assert row["source"] == "Invented, 2020"
    with pytest.raises(StudyError, match='no scale "pian"'):
        proms.change(first, last, RAND12, person="person", important={"pian": limits["pain"]})


def test_who_answered_once_is_counted_and_not_compared():
    first, last = both_times()
    table = proms.change(first, last.iloc[:16], RAND12, person="person", by="unit")
    assert (table["n"] == 20).all() and (table["n_both"] == 16).all()
    few = proms.change(first, last.iloc[:14], RAND12, person="person", by="unit")
    assert few["estimate"].isna().all() and (few["reason"] == "too few answered both times").all()


def test_two_forms_of_a_person_are_refused():
    first, last = both_times()
    with pytest.raises(DataError, match="1 rows have a person who stands above"):
        proms.change(first, pd.concat([last, last.iloc[:1]]), RAND12, person="person")
