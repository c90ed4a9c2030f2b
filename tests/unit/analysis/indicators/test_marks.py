"""Rows are marked, never removed; what is not known is missing, not a no."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pytest

from workbench.analysis.indicators import mark
from workbench.errors import DataError, StudyError
from workbench.registers.documents import parse_document
from workbench.registers.indicator_model import Indicator, IndicatorDefinition
from workbench.registers.indicators import load_indicator

STARTS = pd.DataFrame(
    {
        "modality": ["HD", "HD", "PD", "HD", "HD", None],
        "access": ["AVF", "U", None, "3", "NTCVC", "AVF"],
        "start_date": pd.to_datetime(
            ["2015-01-01", "2015-01-01", "2015-01-01", "2011-01-01", "2015-02-02", "2016-01-01"]
        ),
    },
    index=[5, 4, 3, 2, 1, 1],
)


def by_function(function: str) -> Indicator:
    one = load_indicator("renal_start_fistula_or_graft")
    facts = {
        "name": "own", "label": "Own", "specialty": "nephrology", "table": "renal.starts",
        "type": "proportion", "denominator_kind": "incident", "direction": "none",
        "units": {"treatment": "unit"}, "function": f"{__name__}:{function}",
    }  # fmt: skip
    return Indicator(parse_document(facts, IndicatorDefinition, where="test"), one.table)


def test_rows_keep_their_place_and_the_frame_is_not_changed():
    before = STARTS.copy()
    marked = mark(STARTS, load_indicator("renal_start_fistula_or_graft"))
    pd.testing.assert_frame_equal(STARTS, before)
    assert list(marked.index) == list(STARTS.index)
    assert list(marked["in_denominator"]) == [True, True, False, True, True, False]
    assert marked["in_denominator"].dtype == bool
    # the access of 2011 is a code of an older list: a catheter, and not a fistula
    assert marked["in_numerator"].tolist() == [True, pd.NA, pd.NA, False, False, pd.NA]


def test_a_table_of_the_engine_is_marked_lazily_and_alike():
    indicator = load_indicator("renal_start_fistula_or_graft")
    lazy = mark(ibis.memtable(STARTS.reset_index(drop=True)), indicator)
    assert isinstance(lazy, ibis.Table)
    found = lazy.to_pandas()["in_numerator"].astype("boolean")
    ours = mark(STARTS, indicator)["in_numerator"]
    assert found.tolist() == ours.tolist()


def test_days_between_dates_are_counted_and_never_run_backwards():
    rows = pd.DataFrame(
        {
            "area": ["CAR", "CAR", "CAR", "CAR", "AAA"],
            "symptom_date": pd.to_datetime(
                ["2015-01-01", "2015-01-01", "2015-01-20", None, "2015-01-01"]
            ),
            "procedure_date": pd.to_datetime(["2015-01-15", "2015-01-16"] + ["2015-01-02"] * 3),
        }
    )
    marked = mark(rows, load_indicator("vascular_carotid_within_fourteen_days"))
    assert list(marked["in_denominator"]) == [True, True, True, False, False]
    assert marked["in_numerator"].tolist() == [True, False, pd.NA, pd.NA, pd.NA]


def test_one_unknown_answer_makes_a_row_missing():
    rows = pd.DataFrame(
        {"area": "CAR", "statin": [True, False, None], "antithrombotic": [True, None, True]}
    )
    marked = mark(rows, load_indicator("vascular_recommended_drugs"))
    assert marked["in_numerator"].tolist() == [True, pd.NA, pd.NA]


def test_codes_that_became_numbers_are_still_codes():
    rows = pd.DataFrame({"expected": [1, 1, 9, np.nan], "end_of_life_talk": [1, 9, 1, 0]})
    marked = mark(rows, load_indicator("palliative_end_of_life_talk"))
    assert list(marked["in_denominator"]) == [True, True, False, False]
    assert marked["in_numerator"].tolist() == [True, pd.NA, pd.NA, pd.NA]


def test_rows_before_the_first_year_do_not_count():
    dates = pd.to_datetime(["2011-12-31", "2012-01-01", None])
    rows = pd.DataFrame({"expected": "1", "oral_health_assessed": "1", "death_date": dates})
    marked = mark(rows, load_indicator("palliative_oral_health_assessed"))
    assert list(marked["in_denominator"]) == [False, True, False]


def test_what_is_missing_can_be_what_is_asked():
    rows = pd.DataFrame({"stage": ["I", "U", None, "3"], "diagnosis_date": pd.to_datetime(
        ["2015-01-01", "2015-01-01", "2015-01-01", "2010-01-01"])})  # fmt: skip
    marked = mark(rows, load_indicator("lymphoma_stage_known"))
    assert marked["in_numerator"].tolist() == [True, False, False, True]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"access": ["fistula"] * 6}, "access.*in 6 rows .they are words"),
        ({"modality": ["XX"] * 6}, "modality.*unknown to the register in 6 rows"),
        ({"start_date": "2015-01-01"}, "start_date.*expected dates"),
        ({"in_numerator": 1}, "in_numerator already"),
    ],
)
def test_columns_that_are_not_the_registers_are_refused(change, words):
    with pytest.raises(DataError, match=rf"(?s){words}"):
        mark(STARTS.assign(**change), load_indicator("renal_start_fistula_or_graft"))


@pytest.mark.parametrize("rows", [STARTS, ibis.memtable(STARTS.reset_index(drop=True))])
def test_a_missing_column_is_told_with_the_nearest(rows):
    if isinstance(rows, pd.DataFrame):
        rows = rows.rename(columns={"access": "acces"})
    else:
        rows = rows.rename({"acces": "access"})
    with pytest.raises(DataError, match='no column "access".*Did you mean "acces"'):
        mark(rows, load_indicator("renal_start_fistula_or_graft"))


def test_no_rows_are_refused():
    with pytest.raises(DataError, match="no persons"):
        mark(STARTS.iloc[:0], load_indicator("renal_start_fistula_or_graft"))


def good(rows):
    return rows.assign(in_denominator=True, in_numerator=[True, None] * 3)


def missing(rows):
    return rows.assign(in_denominator=pd.array([None, True] * 3), in_numerator=True)


def fewer(rows):
    return good(rows).iloc[1:]


def test_a_function_may_mark_rows_itself(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, __name__, __import__("types").SimpleNamespace(
        good=good, missing=missing, fewer=fewer, unmarked=lambda rows: rows))  # fmt: skip
    marked = mark(STARTS, by_function("good"))
    assert marked["in_numerator"].tolist() == [True, pd.NA] * 3
    for function, words in [
        ("missing", "missing in 3 rows"),
        ("fewer", "other rows"),
        ("unmarked", "in_denominator and in_numerator"),
        ("absent", "there is no absent"),
    ]:
        with pytest.raises(StudyError, match=words):
            mark(STARTS, by_function(function))
