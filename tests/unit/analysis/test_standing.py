"""Standing of a register: who answers, what counts, and which limits would cost a stage."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.analysis import standing
from workbench.errors import DataError, StudyError
from workbench.registers.documents import parse_document
from workbench.registers.standing import Answers, load_answers, load_scheme

PARAMS = Path(__file__).parents[3] / "params"
AS_OF = dt.date(2024, 12, 31)
NORWAY, SWEDEN = load_scheme("norway"), load_scheme("sweden")
FACTS = {
    "as_of": AS_OF,
    "completeness_year": 2023,
    "coverage": 0.83,
    "coverage_is_individual": True,
    "coverage_year": 2023,
    "feedback_per_year": 12,
    "guideline_indicators_by_unit": 6,
    "patient_reported_by_unit": 1,
    "release_dates": [dt.date(2024, 6, 10), dt.date(2024, 12, 1)],
    "validation_year": 2021,
}


def answers_of(*, yes=(), no=(), year=2024, scheme="norway"):
    told = {str(n): {"answer": "yes", "year": str(year), "evidence": "Report"} for n in yes}
    told |= {str(n): {"answer": "no", "year": str(year), "evidence": "Report"} for n in no}
    return parse_document(
        {"register": "renal", "answers": {scheme: told}}, Answers, where="answers"
    )


ALL = answers_of(yes=[1, 2, 3, 4, 5, 11, 15, 17, 18])


def answer(found, number):
    return found.set_index("item").loc[number]


def test_a_register_that_meets_all_is_at_the_top():
    found = standing.evaluate(ALL, FACTS, NORWAY)
    assert (found.stage, found.level, found.next_stage, found.missing) == ("4", "A", "", ())
    assert found.words == "Stage 4, level A."
    assert list(found.columns) == standing.COLUMNS and len(found) == 18
    assert set(found["answer"]) == {"yes"}
    assert answer(found, "7")["answered_by"] == "data"
    assert answer(found, "1")["answered_by"] == "asked"
    assert answer(found, "1")["evidence"] == "2024: Report [requirement not verified]"
    assert answer(found, "13")["needed_for"] == "stage 4"
    assert answer(found, "18")["needed_for"] == "level B"


def test_nothing_known_counts_as_not_met_and_is_named():
    found = standing.evaluate(answers_of(), {"as_of": AS_OF}, NORWAY)
    assert (found.stage, found.level) == ("1", "C")
    assert set(found["answer"]) == {"not known"}
    assert found.missing == ("1", "2", "3", "4", "5")
    assert "Of these nobody has answered: 1, 2, 3, 4, 5." in found.words


@pytest.mark.parametrize(
    ("coverage", "stage"), [(0.5999, "2"), (0.60, "3"), (0.7999, "3"), (0.80, "4"), (1.0, "4")]
)
def test_coverage_on_a_limit_is_enough(coverage, stage):
    assert standing.evaluate(ALL, {**FACTS, "coverage": coverage}, NORWAY).stage == stage


@pytest.mark.parametrize(("year", "answered"), [(2022, "yes"), (2021, "no")])
def test_coverage_that_is_too_old_is_not_met(year, answered):
    found = standing.evaluate(ALL, {**FACTS, "coverage_year": year}, NORWAY)
    assert answer(found, "7")["answer"] == answered


def test_coverage_that_is_not_of_persons_is_not_met():
    found = standing.evaluate(ALL, {**FACTS, "coverage_is_individual": False}, NORWAY)
    assert answer(found, "7")["answer"] == "no"
    assert "not linked person by person" in answer(found, "7")["evidence"]


@pytest.mark.parametrize("lacking", ["coverage_year", "coverage_is_individual", "coverage"])
def test_what_data_cannot_settle_is_not_known_or_the_registers_word(lacking):
    some = {**FACTS, lacking: None}
    assert answer(standing.evaluate(ALL, some, NORWAY), "7")["answer"] == "not known"
    own = answers_of(yes=range(1, 19))
    found = answer(standing.evaluate(own, some, NORWAY), "7")
    assert (found["answer"], found["answered_by"]) == ("yes", "asked")


def test_a_coverage_below_the_limit_is_not_met_whatever_its_year():
    some = {**FACTS, "coverage": 0.4, "coverage_year": None, "coverage_is_individual": None}
    found = answer(standing.evaluate(answers_of(yes=[7]), some, NORWAY), "7")
    assert found["answer"] == "no" and "the register answers otherwise (yes" in found["evidence"]


@pytest.mark.parametrize(
    ("days", "yearly", "twice"),
    [
        ([(2024, 6, 15), (2024, 12, 15)], "yes", "yes"),
        ([(2024, 6, 16), (2024, 12, 1)], "no", "no"),
        ([(2024, 6, 1)], "yes", "no"),
        ([(2023, 6, 14), (2024, 12, 1)], "no", "no"),
        ([], "no", "no"),
    ],
)
def test_results_have_to_be_shown_by_their_days(days, yearly, twice):
    dates = [dt.date(*day) for day in days]
    found = standing.evaluate(ALL, {**FACTS, "release_dates": dates}, NORWAY)
    assert answer(found, "8")["answer"] == yearly
    assert answer(found, "14")["answer"] == twice


def test_before_the_day_of_a_year_the_last_years_day_counts():
    early = {"as_of": dt.date(2024, 3, 1), "release_dates": [dt.date(2023, 6, 1)]}
    assert answer(standing.evaluate(ALL, early, NORWAY), "8")["answer"] == "yes"


def test_an_old_answer_or_one_from_the_future_is_not_known():
    old = standing.evaluate(answers_of(yes=[15, 17], year=2019), FACTS, NORWAY)
    assert answer(old, "15")["answer"] == "not known"
    assert "older than 3 years" in answer(old, "15")["evidence"]
    late = standing.evaluate(answers_of(yes=[1], year=2025), FACTS, NORWAY)
    assert answer(late, "1")["answer"] == "not known"


def test_level_b_without_documented_improvement():
    some = answers_of(yes=[1, 2, 3, 4, 5, 11, 15, 18], no=[17])
    assert standing.evaluate(some, FACTS, NORWAY).level == "B"
    none = answers_of(yes=[1, 2, 3, 4, 5, 11, 15], no=[17, 18])
    assert standing.evaluate(none, FACTS, NORWAY).level == "C"


def test_stages_build_on_one_another():
    found = standing.evaluate(answers_of(yes=[1, 2, 4, 5, 11, 15], no=[3]), FACTS, NORWAY)
    assert (found.stage, found.next_stage, found.missing) == ("1", "2", ("3",))


def test_the_swedish_limits_can_be_set():
    facts = {**FACTS, "cases_last_year": 900, "open_indicators_by_unit": 5, "indicators": 8,
             "patient_reported_indicators": 1, "indicators_with_target": 4}  # fmt: skip
    own = answers_of(
        yes=["K.1", "K.2", "K.3", "K.4", "K.5", "3.2", "3.3", "3.4", "2.4", "1.3"], scheme="sweden"
    )
    found = standing.evaluate(own, facts, SWEDEN)
    assert (found.stage, found.level, found.missing) == ("2", "", ("1.1",))
    assert "not verified" in answer(found, "1.1")["evidence"]
    assert standing.evaluate(own, facts, SWEDEN, limits={"1.1": 0.8}).stage == "1"
    assert standing.evaluate(own, facts, SWEDEN, limits={"2.1": 0.9}).stage == "3"
    assert standing.evaluate(answers_of(scheme="sweden"), facts, SWEDEN).stage == "none"


def test_harder_limits_name_the_registers_that_would_miss_them():
    facts = {"renal": FACTS, "blood_cancer": {**FACTS, "coverage": 0.71},
             "palliative": {**FACTS, "coverage": None}}  # fmt: skip
    registers = {name: (ALL, told) for name, told in facts.items()}
    found = standing.harder(registers, NORWAY, limits={"7": 0.8}).set_index("register")
    assert found["n_lost"].to_dict() == {"renal": 0, "blood_cancer": 1, "palliative": 0}
    assert found.loc["blood_cancer", "words"] == "Would miss 7 and fall from stage 3 to 2."
    assert found.loc["renal", "words"] == "Stage 4 as before."
    assert found.loc["palliative", "not_known"] == "7"
    weak = answers_of(yes=[2, 3, 4, 5], no=[1])
    kept = standing.harder({"x": (weak, facts["blood_cancer"])}, NORWAY, limits={"7": 0.8})
    assert kept["words"].iloc[0] == "Would miss 7 and keep stage 1."


def test_limits_that_are_not_harder_or_do_not_exist_are_refused():
    registers = {"renal": (ALL, FACTS)}
    with pytest.raises(StudyError, match="below the 0.6 of requirement 7"):
        standing.harder(registers, NORWAY, limits={"7": 0.5})
    with pytest.raises(StudyError, match='requirement "1" of norway has no limit'):
        standing.harder(registers, NORWAY, limits={"1": 0.5})
    with pytest.raises(StudyError, match="none is given"):
        standing.harder({}, NORWAY, limits={"7": 0.8})


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"as_of": None}, '"as_of" is missing'),
        ({"coverrage": 0.8}, 'Did you mean "coverage"'),
        ({"coverage": 83}, "share from 0 to 1"),
        ({"coverage": float("nan")}, "a number"),
        ({"coverage": True}, "a number"),
        ({"coverage_year": 2023.5}, "a whole number"),
        ({"coverage_year": 2026}, "lies after as_of"),
        ({"release_dates": [dt.date(2025, 1, 1)]}, "lies after as_of"),
        ({"release_dates": ["2024-01-01"]}, "a list of dates"),
        ({"coverage_is_individual": 1}, "True or False"),
        ({"feedback_per_year": -1}, "negative"),
        ({"as_of": dt.datetime(2024, 1, 1)}, "a date"),
    ],
)
def test_facts_that_cannot_be_used_are_refused(changed, told):
    with pytest.raises(DataError, match=told):
        standing.evaluate(ALL, {**FACTS, **changed}, NORWAY)


def test_the_result_is_a_frame_and_what_is_made_of_it_is_plain():
    found = standing.evaluate(ALL, FACTS, NORWAY)
    assert type(found.table) is pd.DataFrame
    assert type(found[found["answer"] == "yes"]) is pd.DataFrame


@pytest.mark.parametrize("register", ["renal", "blood_cancer", "palliative"])
@pytest.mark.parametrize("scheme", [NORWAY, SWEDEN], ids=lambda one: one.name)
def test_the_invented_registers_can_be_judged(register, scheme):
    found = standing.evaluate(load_answers(register, [PARAMS]), FACTS, scheme)
    assert found.stage in {scheme.floor, *scheme.stages} and found.words


@given(
    yes=st.sets(st.integers(1, 18)),
    coverage=st.one_of(st.none(), st.floats(0, 1)),
    limit=st.floats(0.6, 1),
)
def test_a_harder_limit_never_lifts_a_register(yes, coverage, limit):
    own, facts = answers_of(yes=yes), {**FACTS, "coverage": coverage}
    row = standing.harder({"x": (own, facts)}, NORWAY, limits={"7": limit}).iloc[0]
    assert int(row["harder_stage"]) <= int(row["stage"])


@given(yes=st.sets(st.integers(1, 18)), more=st.integers(1, 18))
def test_one_more_yes_never_costs_a_stage(yes, more):
    before = standing.evaluate(answers_of(yes=yes), {"as_of": AS_OF}, NORWAY)
    after = standing.evaluate(answers_of(yes=yes | {more}), {"as_of": AS_OF}, NORWAY)
    assert int(after.stage) >= int(before.stage)
    assert after.level <= before.level
