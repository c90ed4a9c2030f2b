"""Kappa, intraclass correlation and accuracy against published numbers and statsmodels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import cohens_kappa

from workbench.analysis import agreement
from workbench.errors import DataError, StudyError

# Fleiss, Statistical Methods for Rates and Proportions, 1981, table 13.1: two raters' diagnoses
# (psychotic, neurotic, organic) of 100 patients.
DIAGNOSES = np.array([[75, 1, 4], [5, 4, 1], [0, 0, 10]])
# Shrout and Fleiss, Psychol Bull 1979;86:420-428, table 2: six targets, four judges.
JUDGES = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
)


def test_kappa_of_the_published_diagnoses():
    found = agreement.kappa_of_table(DIAGNOSES)
    assert found["observed"] == pytest.approx(0.89) and found["expected"] == pytest.approx(0.66)
    assert found["estimate"] == pytest.approx(0.68, abs=0.005)
    assert found["std_error_null"] == pytest.approx(0.076, abs=0.0005)
    assert found["estimate"] / found["std_error_null"] == pytest.approx(8.88, abs=0.01)
    assert found["lower"] == pytest.approx(found["estimate"] - 1.959964 * found["std_error"])


@pytest.mark.parametrize(("weights", "theirs"), [(None, None), ("linear", "linear"),
                                                 ("quadratic", "quadratic")])  # fmt: skip
@pytest.mark.parametrize("seed", range(4))
def test_kappa_agrees_with_statsmodels(weights, theirs, seed):
    draw = np.random.default_rng(seed)
    table = DIAGNOSES if seed == 0 else draw.integers(0, 30, (4, 4)) + 20 * np.eye(4, dtype=int)
    found = agreement.kappa_of_table(table, weights=weights)
    expected = cohens_kappa(table, wt=theirs)
    assert found["estimate"] == pytest.approx(expected.kappa, rel=1e-12)
    assert found["std_error"] == pytest.approx(expected.std_kappa, rel=1e-9)
    assert found["std_error_null"] == pytest.approx(expected.std_kappa0, rel=1e-9)


def test_readings_give_the_table_and_their_order_does_not_matter():
    first = np.repeat(["a", "a", "b", "b"], [20, 5, 10, 15])
    last = np.repeat(["a", "b", "a", "b"], [20, 5, 10, 15])
    found = agreement.kappa(first, last)
    assert found["estimate"] == pytest.approx(0.4)  # (0.7 - 0.5) / 0.5, by hand
    turned = agreement.kappa(last[::-1], first[::-1])
    assert turned["estimate"] == pytest.approx(found["estimate"])


def test_kappa_is_honest_where_it_says_nothing():
    alike = agreement.kappa(["a", "b"] * 10, ["a", "b"] * 10)
    assert alike["estimate"] == 1 and np.isnan(alike["lower"]) and np.isnan(alike["upper"])
    assert "no width" in alike["note"]
    one = agreement.kappa(["a"] * 9, ["a"] * 9)
    assert np.isnan(one["estimate"]) and "one category" in one["note"]


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: agreement.kappa(["a"], ["a", "b"]), DataError, "1 and 2 cases"),
        (lambda: agreement.kappa(["a", None], ["a", "b"]), DataError, "missing in 1 cases"),
        (lambda: agreement.kappa(["a"], ["b"], weights="linear"), StudyError, "in their order"),
        (lambda: agreement.kappa(["a"], ["b"], categories=["a"]), DataError, "not named"),
        (lambda: agreement.kappa([1, "a"], [1, 1]), DataError, "several kinds"),
        (lambda: agreement.kappa_of_table([[1, 2]]), DataError, "as many rows"),
        (lambda: agreement.kappa_of_table([[0, 0], [0, 0]]), DataError, "at least one case"),
        (lambda: agreement.kappa_of_table(DIAGNOSES, weights="cubic"), StudyError, "quadratic"),
        (lambda: agreement.icc([[1, 2]]), DataError, "at least two cases"),
        (lambda: agreement.icc([[1, None], [1, 2]]), DataError, "in 1 cases"),
        (lambda: agreement.icc(JUDGES, model="other"), StudyError, "agreement, consistency"),
        (lambda: agreement.limits_of_agreement([1], [1, 2]), DataError, "1 and 2 cases"),
    ],
)
def test_what_cannot_be_compared_is_refused(call, kind, words):
    with pytest.raises(kind, match=words):
        call()


@pytest.mark.parametrize(
    ("model", "estimate", "lower", "upper"),
    [  # estimates: Shrout and Fleiss, table 4; limits: the documentation of R's psych::ICC
        ("one-way", 0.17, -0.13, 0.72),
        ("agreement", 0.29, 0.02, 0.76),
        ("consistency", 0.71, 0.34, 0.95),
    ],
)
def test_icc_of_the_published_judges(model, estimate, lower, upper):
    found = agreement.icc(JUDGES, model=model)
    assert (found["estimate"], found["lower"], found["upper"]) == pytest.approx(
        (estimate, lower, upper), abs=0.005
    )


def test_a_constant_between_readers_counts_against_agreement_and_not_consistency():
    values = np.random.default_rng(2).normal(50, 10, 40)
    readings = np.column_stack([values, values + 5])
    assert agreement.icc(readings, model="consistency")["estimate"] == pytest.approx(1)
    assert agreement.icc(readings)["estimate"] < 0.95
    same = agreement.icc(np.column_stack([values, values]))
    assert same["estimate"] == pytest.approx(1) and same["lower"] == pytest.approx(1)
    assert np.isnan(agreement.icc([[1, 1], [1, 1]])["estimate"])


def test_limits_of_agreement_worked_out_by_hand():
    found = agreement.limits_of_agreement([10, 20, 30, 40], [12, 20, 34, 42])
    assert found["estimate"] == 2 and found["std_dev"] == pytest.approx(np.sqrt(8 / 3))
    assert found["upper_case"] == pytest.approx(2 + 1.959964 * np.sqrt(8 / 3))


def test_accuracy_worked_out_by_hand():
    cases = pd.DataFrame({"found": [1] * 50 + [0] * 50,
                          "record": [1] * 45 + [0] * 5 + [1] * 10 + [0] * 40})  # fmt: skip
    table = agreement.accuracy(cases, found="found", reference="record").set_index("measure")
    assert table["estimate"].to_dict() == pytest.approx({
        "sensitivity": 45 / 55, "specificity": 40 / 45, "positive predictive value": 0.9,
        "negative predictive value": 0.8,
    })  # fmt: skip
    assert ((table["lower"] < table["estimate"]) & (table["estimate"] < table["upper"])).all()


def test_a_sample_of_registered_cases_cannot_tell_sensitivity():
    cases = pd.DataFrame({"unit": ["A"] * 20 + ["B"] * 20, "found": [1] * 20 + [1, 0] * 10,
                          "record": [1] * 18 + [0] * 2 + [1, 0] * 10}, index=[0] * 40)  # fmt: skip
    table = agreement.accuracy(cases, found="found", reference="record", by="unit")
    table = table.set_index(["unit", "measure"])
    assert np.isnan(table.loc[("A", "sensitivity"), "estimate"])
    assert "what it misses" in table.loc[("A", "sensitivity"), "reason"]
    assert table.loc[("A", "positive predictive value"), "estimate"] == 0.9
    assert table.loc[("B", "sensitivity"), "estimate"] == 1
    with pytest.raises(DataError, match="neither 0 nor 1"):
        agreement.accuracy(cases.assign(found=3), found="found", reference="record")


def validation():
    original = pd.DataFrame({
        "case": range(40), "stage": ["I", "II", "III", "IV"] * 10, "side": ["left", "right"] * 20,
        "size": np.arange(40) / 10, "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(
            np.arange(40), "D"),
    })  # fmt: skip
    second = original.iloc[:30].copy()
    second.loc[0, "stage"] = "II"
    second.loc[1, "side"], second.loc[2, "side"] = None, "left"
    second["size"] += 0.1
    second.loc[3, "day"] += pd.Timedelta(days=9)
    return original, second, {
        "stage": agreement.Compared("order", categories=("I", "II", "III", "IV")),
        "side": agreement.Compared(), "size": agreement.Compared("number", tolerance=0.1),
        "day": agreement.Compared("date", tolerance=3),
    }  # fmt: skip


def test_every_variable_is_compared_by_its_kind():
    original, second, how = validation()
    table = agreement.compare(original, second, case="case", variables=how).set_index("variable")
    assert table.attrs["n_not_looked_up"] == 10 and (table["n"] == 30).all()
    assert table["events"].to_dict() == {"stage": 29, "side": 29, "size": 30, "day": 29}
    assert table.loc["side", ["n_compared", "n_only_in_original"]].tolist() == [29, 1]
    assert table.loc["size", "difference"] == pytest.approx(0.1)
    assert table.loc["day", "difference"] == pytest.approx(9 / 30)
    assert table["statistic"].tolist() == ["weighted kappa", "kappa", "icc", "icc"]
    assert np.isnan(table.loc["side", "agreement_lower"]) and table.loc["side", "note"]


def test_comparisons_that_cannot_be_are_refused():
    original, second, how = validation()
    with pytest.raises(DataError, match="1 cases are not in original"):
        agreement.compare(original.iloc[1:], second, case="case", variables=how)
    with pytest.raises(DataError, match="1 rows have a case that stands above"):
        agreement.compare(original, pd.concat([second, second.iloc[:1]]), case="case",
                          variables=how)  # fmt: skip
    with pytest.raises(DataError, match='column "side": 30 values are no numbers'):
        agreement.compare(original, second.assign(side="left"), case="case",
                          variables={"side": agreement.Compared("number")})  # fmt: skip
    with pytest.raises(StudyError, match="needs its categories"):
        agreement.Compared("order")
    with pytest.raises(StudyError, match="category, order"):
        agreement.Compared("words")


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 40), min_size=3, max_size=3), min_size=3, max_size=3),
    st.sampled_from([None, "linear", "quadratic"]),
)
def test_kappa_is_at_most_one_and_the_same_for_both_readers(rows, weights):
    table = np.array(rows)
    if table.sum() == 0:
        return
    found = agreement.kappa_of_table(table, weights=weights)
    turned = agreement.kappa_of_table(table.T, weights=weights)
    assert not found["estimate"] > 1 + 1e-9
    assert found["estimate"] == pytest.approx(turned["estimate"], nan_ok=True)
    assert found["std_error"] == pytest.approx(turned["std_error"], nan_ok=True, abs=1e-9)
