"""Linking without identity numbers, against an invented population whose truth is known."""

from __future__ import annotations

import logging
import sys

import numpy as np
import pandas as pd
import pytest

from workbench.analysis.pair_comparison import prepared_values
from workbench.analysis.record_linkage import compare_with_truth, link_records
from workbench.errors import DataError, RunError, StudyError

FIELDS = {
    "first_name": "name",
    "last_name": "name",
    "birth_date": "date",
    "sex": "exact",
    "municipality": "code",
}
BLOCKING = [["birth_date"], ["last_name", "sex"], ["first_name", "municipality"]]
HOW = {"key": "id", "fields": FIELDS, "blocking": BLOCKING, "seed": 1}
PARTS = ["ka", "lin", "berg", "sten", "ost", "mar", "vik", "dal", "holm", "sund", "fors", "ek"]
PARTS += ["lund", "and", "er", "nor", "sjo", "ny", "gran", "as"]


def _names(draw, n_names, n_parts):
    names = set()
    while len(names) < n_names:
        names.add("".join(draw.choice(PARTS, n_parts)).capitalize())
    return sorted(names)


def _some(draw, names, n):
    """Names as people have them: a few very common, most rare."""
    shares = 1 / np.arange(1, len(names) + 1)
    return draw.choice(names, n, p=shares / shares.sum())


def population(n=3000):
    draw = np.random.default_rng(7)
    days = pd.to_timedelta(draw.integers(0, 25_000, n), unit="D")
    return pd.DataFrame(
        {
            "id": [f"p{k}" for k in range(n)],
            "first_name": _some(draw, _names(draw, 150, 2), n),
            "last_name": _some(draw, _names(draw, 500, 3), n),
            "birth_date": pd.Timestamp("1930-01-01") + days,
            "sex": draw.choice(["1", "2"], n),
            "municipality": draw.choice([f"{code:04d}" for code in range(1100, 1160)], n),
        }
    )


def with_errors(persons):
    """The same persons as another register wrote them down."""
    draw, persons = np.random.default_rng(8), persons.reset_index(drop=True)
    n = len(persons)
    for name in ("first_name", "last_name"):
        hit = draw.random(n) < 0.08
        persons.loc[hit, name] = [f"{one[0]}x{one[2:]}" for one in persons.loc[hit, name]]
    born = persons["birth_date"]
    swapped = (draw.random(n) < 0.04) & (born.dt.day <= 12)
    persons.loc[swapped, "birth_date"] = [
        pd.Timestamp(day.year, day.day, day.month) for day in born[swapped]
    ]
    persons.loc[draw.random(n) < 0.1, "municipality"] = "1199"
    for name in ("first_name", "last_name", "municipality", "birth_date"):
        persons.loc[draw.random(n) < 0.03, name] = None
    persons["id"] = "q" + persons["id"].str[1:]
    return persons.sample(frac=1, random_state=1).reset_index(drop=True)


@pytest.fixture(scope="module")
def files():
    persons = population()
    return persons.iloc[:2200].reset_index(drop=True), with_errors(persons.iloc[800:].copy())


@pytest.fixture(scope="module")
def truth():
    shared = range(800, 2200)
    return pd.DataFrame(
        {"left_id": [f"p{k}" for k in shared], "right_id": [f"q{k}" for k in shared]}
    )


@pytest.fixture(scope="module")
def linkage(files):
    pytest.importorskip("splink", reason="linking needs the extra: register-workbench[linkage]")
    return link_records(*files, **HOW)


@pytest.fixture(scope="module")
def compared(linkage, truth):
    return compare_with_truth(linkage, truth).set_index("threshold")


# -- against the truth


def test_nearly_all_links_are_true_and_nearly_all_true_pairs_are_found(compared):
    at = compared.loc[0.95]
    assert at["precision"] > 0.995
    assert at["recall"] > 0.95


def test_a_lower_threshold_finds_no_less(compared):
    assert compared["recall"].is_monotonic_decreasing
    assert compared["found"].is_monotonic_decreasing


def test_counts_add_up(compared, linkage):
    assert (compared["found"] + compared["missed"] == compared["true_links"]).all()
    links = linkage.error_estimates.set_index("threshold")["n_links"]
    assert (compared["found"] + compared["false"] == links).all()


def test_the_estimated_precision_is_near_the_true_one(compared, linkage):
    estimated = linkage.error_estimates.set_index("threshold")["precision"]
    assert (estimated - compared["precision"]).abs().max() < 0.01


def test_the_estimated_misses_are_those_that_blocking_let_through(compared, linkage, truth):
    brought_together = linkage.pairs.merge(truth)
    never_compared = len(truth) - len(brought_together)
    estimated = linkage.error_estimates.set_index("threshold")["expected_missed"]
    seen_missed = compared["missed"] - never_compared
    assert ((estimated - seen_missed).abs() <= 15).all()


def test_parameters_are_those_of_the_population(linkage):
    learnt = linkage.parameters.set_index(["field", "level"])
    assert learnt.loc[("sex", "equal"), "u"] == pytest.approx(0.5, abs=0.01)
    assert learnt.loc[("birth_date", "equal"), "u"] == pytest.approx(1 / 25_000, rel=0.3)
    assert learnt.loc[("municipality", "different"), "m"] == pytest.approx(0.1, abs=0.02)
    assert learnt.loc[("last_name", "equal"), "m"] == pytest.approx(0.92, abs=0.02)


# -- what a result is


def test_every_record_is_linked_once_at_most(linkage):
    assert linkage.links["left_id"].is_unique and linkage.links["right_id"].is_unique
    assert (linkage.links["match_probability"] >= linkage.threshold).all()


def test_pairs_tell_the_level_of_every_field_and_no_value(linkage):
    levels = [f"{name}_level" for name in FIELDS]
    expected = ["left_id", "right_id", "match_weight", "match_probability", *levels, "is_best"]
    assert [*linkage.pairs] == expected
    known = {"equal", "close", "similar", "different", "missing"}
    assert {level for name in levels for level in linkage.pairs[name].unique()} <= known


def test_the_best_pairs_come_first(linkage):
    assert linkage.pairs["match_weight"].is_monotonic_decreasing


def test_clerical_review_holds_the_undecided_and_none_that_is_linked(linkage):
    review = linkage.clerical_review
    assert len(review) > 0
    assert (review["match_probability"] >= 0.5).all()
    assert not review["left_id"].isin(linkage.links["left_id"]).any()
    assert not review["right_id"].isin(linkage.links["right_id"]).any()


def test_agreeing_on_a_rare_name_says_more(linkage, files):
    names = pd.concat([file["last_name"] for file in files]).value_counts()
    alike = linkage.pairs[(linkage.pairs.filter(like="_level") == "equal").all(axis=1)]
    last_names = alike.merge(files[0], left_on="left_id", right_on="id")["last_name"]
    common = last_names.map(names).to_numpy()
    weights = alike["match_weight"].to_numpy()
    assert weights[common <= 5].mean() > weights[common >= 100].mean() + 3


def test_the_same_in_gives_the_same_out(linkage, files):
    again = link_records(*files, **HOW)
    for frame in ("pairs", "links", "clerical_review", "parameters", "error_estimates"):
        pd.testing.assert_frame_equal(getattr(again, frame), getattr(linkage, frame))


def test_files_and_log_stay_as_they_were(linkage, files, capsys):
    before = [file.copy() for file in files]
    level = logging.getLogger("splink").level
    link_records(*files, **{**HOW, "blocking": [["birth_date"], ["last_name", "first_name"]]})
    assert capsys.readouterr() == ("", "")
    assert logging.getLogger("splink").level == level
    for file, was in zip(files, before, strict=True):
        pd.testing.assert_frame_equal(file, was)


def test_a_record_that_two_claim_equally_goes_to_review(linkage, files):
    left, right = files
    sure = linkage.links["right_id"][0]
    twin = right[right["id"] == sure].assign(id="twin")
    with_twin = link_records(left, pd.concat([right, twin], ignore_index=True), **HOW)
    assert not with_twin.links["right_id"].isin([sure, "twin"]).any()
    assert {sure, "twin"} <= set(with_twin.clerical_review["right_id"])


def test_a_field_without_any_value_says_nothing(linkage, files):
    left, right = (file.assign(height=np.nan) for file in files)
    with_height = link_records(left, right, **{**HOW, "fields": {**FIELDS, "height": "number"}})
    assert set(with_height.pairs["height_level"]) == {"missing"}
    assert len(with_height.links) == pytest.approx(len(linkage.links), abs=2)


# -- values in one form


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("name", "Åsa-Lena  ÖST", "åsa lena öst"),
        ("code", " c50.9", "C509"),
        ("date", "2020-01-02", pd.Timestamp("2020-01-02")),
        ("number", "7", 7.0),
    ],
)
def test_the_same_value_written_in_two_ways_is_equal(kind, one, other):
    prepared = [prepared_values(pd.Series([value]), kind)[0] for value in (one, other)]
    assert prepared[0] == prepared[1]


@pytest.mark.parametrize("kind", ["name", "code", "exact"])
def test_an_empty_value_is_missing(kind):
    assert prepared_values(pd.Series(["", None], dtype=object), kind).tolist() == [None, None]


# -- what cannot be used


def _refused(error, files, **changes):
    with pytest.raises(error) as told:
        link_records(*files, **{**HOW, **changes})
    return str(told.value)


def test_an_unknown_kind_names_the_nearest(files):
    told = _refused(StudyError, files, fields={"last_name": "nmae"})
    assert 'fields.last_name: "nmae" is no kind of field. Did you mean "name"?' in told


def test_a_missing_column_names_the_nearest_and_both_files(files):
    told = _refused(DataError, files, fields={"lastname": "name"})
    assert 'left: there is no column "lastname". Did you mean "last_name"?' in told
    assert 'right: there is no column "lastname"' in told


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"blocking": [["sex", "last_name"]]}, "last_name, sex: in every blocking rule"),
        ({"blocking": []}, "blocking rules of at least one column each"),
        ({"blocking": [[]]}, "blocking rules of at least one column each"),
        ({"fields": {}}, "give fields"),
        ({"threshold": 0.4}, "must lie between"),
        ({"threshold": 1.0}, "must lie between"),
    ],
)
def test_choices_that_cannot_work_are_refused(files, changes, said):
    assert said in _refused(StudyError, files, **changes)


def test_a_key_that_repeats_is_counted(files):
    left, right = files
    told = _refused(DataError, (left, right.assign(id=["a", "a", *right["id"][2:]])))
    assert "right.id: 1 rows have no value or that of another row" in told


def test_files_without_records_are_refused(files):
    left, right = files
    assert "left: there are no records" in _refused(DataError, (left.iloc[:0], right))


def test_values_that_cannot_be_read_are_counted_and_not_shown(files):
    left, right = files
    dates = left["birth_date"].astype(str).replace(str(left["birth_date"][0].date()), "1 May 1950")
    told = _refused(DataError, (left.assign(birth_date=dates), right))
    assert "birth_date: 1 values cannot be read; expected dates like 2020-12-31" in told
    assert "1950" not in told


def test_rules_without_pairs_and_too_wide_rules_are_refused(files, monkeypatch):
    left, right = files
    apart = left.assign(birth_date=pd.Timestamp("1850-01-01"))
    told = _refused(DataError, (apart, right))
    assert "No two records of the files agree on birth_date" in told
    monkeypatch.setattr("workbench.analysis.pair_comparison.MOST_PAIRS", 1000)
    wide = [["sex"], ["last_name"]]
    assert "agree on sex, more than 1000" in _refused(DataError, files, blocking=wide)


def test_without_the_extra_the_user_is_told_how_to_install_it(files, monkeypatch):
    monkeypatch.setitem(sys.modules, "splink", None)
    assert "pip install 'register-workbench[linkage]'" in _refused(RunError, files)


def test_a_truth_without_ids_is_refused(linkage):
    with pytest.raises(DataError, match='no column "left_id".*Did you mean "left"'):
        compare_with_truth(linkage, pd.DataFrame({"left": [1], "right_id": [1]}))
