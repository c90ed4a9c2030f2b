"""What a table's quality says of it: what is missing when, what jumps, what is there twice."""

from __future__ import annotations

import pandas as pd
import pytest
from builders import TABLE, bring_in, register_of, write_csv

from workbench.analysis.quality import Quality, codes_never_seen, describe_quality, find_breaks
from workbench.data.store import open_store
from workbench.errors import StudyError
from workbench.registers.codes import CodeList
from workbench.registers.documents import parse_document
from workbench.registers.profiles import load_profile

REGISTER = register_of(
    {
        "id": {"type": "code", "sensitivity": "pseudonym"},
        "day": "date",
        "stage": {"type": "code", "codes": {"1": "one", "2": "two", "9": "?"}, "unknown": ["9"]},
        "late": {"type": "integer", "first_year": "2012"},
        "diagnosis": {"type": "code", "code_system": "icd10se"},
    },
    person="id",
    dated_by="day",
)
HEADER = "id,day,stage,late,diagnosis"


def quality_of(folder, *rows: str) -> Quality:
    bring_in(REGISTER, write_csv(folder / "rows.csv", HEADER, *rows), folder / "store")
    return describe_quality(open_store(folder / "store"), TABLE)


def test_unknown_codes_are_missing_and_years_without_the_variable_are_not_looked_at(tmp_path):
    quality = quality_of(
        tmp_path,
        "a,2011-01-01,1,,I10",
        "b,2011-02-01,9,,I10",
        "c,2012-01-01,,,",
        "d,2012-01-02,1,3,",
    )
    missing = quality.missing.set_index(["variable", "year"])[["n_rows", "n_missing"]]
    assert missing.loc[("stage", "2011")].tolist() == [2, 1]
    assert missing.loc[("stage", "2012")].tolist() == [2, 1]
    assert ("late", "2011") not in missing.index
    assert missing.loc[("late", "2012")].tolist() == [2, 1]
    assert missing.loc[("diagnosis", "2012")].tolist() == [2, 2]
    assert "id" not in set(quality.missing["variable"])


def test_repeated_rows_are_counted(tmp_path):
    quality = quality_of(
        tmp_path,
        "a,2011-01-01,1,,I10",
        "a,2011-01-01,1,,I10",
        "a,2011-01-01,2,,I10",
        "b,2011-01-01,,,",
    )
    assert quality.repeats["n_rows"].tolist() == [2, 2, 1]
    assert quality.repeats["n_persons"].tolist() == [1, 1, 1]


def test_a_table_without_repeats_tells_none(tmp_path):
    quality = quality_of(tmp_path, "a,2011-01-01,1,,I10", "b,2011-01-01,1,,I10")
    assert quality.repeats[["n_rows", "n_persons"]].to_numpy().tolist() == [[0, 0]] * 3


def test_a_variable_that_is_left_out_is_no_part_of_what_repeats(tmp_path):
    register = register_of(
        {
            "id": {"type": "code", "sensitivity": "pseudonym"},
            "day": "date",
            "remark": {"type": "text", "free_text": "left_out"},
        },
        person="id",
        dated_by="day",
    )
    rows = ["a,2011-01-01,x", "a,2011-01-01,y"]
    bring_in(register, write_csv(tmp_path / "r.csv", "id,day,remark", *rows), tmp_path / "store")
    quality = describe_quality(open_store(tmp_path / "store"), TABLE)
    assert quality.repeats["n_rows"].tolist() == [1, 1, 1]


def test_persons_behind_missing_values_and_years_are_counted_once(tmp_path):
    quality = quality_of(
        tmp_path,
        "a,2011-01-01,1,,I10",
        "a,2011-02-01,,,I10",
        "a,2013-02-01,,,I10",
        "a,2014-02-01,,,I10",
        "b,2011-02-01,,,I10",
        "b,2014-02-01,1,,I10",
    )
    stage = quality.missing[quality.missing["variable"] == "stage"].set_index("year")
    assert stage.loc["2011"].tolist() == ["stage", 3, 2, 2, 1]
    assert quality.years["n_persons"].tolist() == [2, 1, 2]
    assert quality.returns.to_numpy().tolist() == [
        ["2013", "2011", 1], ["2014", "2011", 1], ["2014", "2013", 1],
    ]  # fmt: skip


def test_deliveries_and_faults_are_told(tmp_path):
    quality = quality_of(tmp_path, "a,2011-01-01,1,,I10", "b,2011-13-01,1,,I10")
    counts = quality.deliveries[["n_rows_read", "n_rows_kept", "n_rows_set_aside"]]
    assert counts.to_numpy().tolist() == [[2, 1, 1]]
    assert quality.faults.iloc[0].tolist() == ["impossible date", "day", "set aside", 1]


def test_a_jump_is_large_and_beyond_chance():
    shares = [(200, 10), (200, 12), (200, 80), (200, 82)]
    missing = pd.DataFrame(
        [
            {"variable": "stage", "year": str(2010 + at), "n_rows": n, "n_missing": k}
            for at, (n, k) in enumerate(shares)
        ]
    )
    assert find_breaks(missing).tolist() == [False, False, True, False]
    few = missing.assign(n_rows=10, n_missing=[1, 1, 3, 3])
    assert not find_breaks(few).any()


def test_all_missing_beside_all_missing_is_no_jump():
    missing = pd.DataFrame(
        {"variable": "stage", "year": ["2010", "2011"], "n_rows": 50, "n_missing": 50}
    )
    assert not find_breaks(missing).any()


def test_codes_that_no_row_has_are_told(tmp_path):
    quality_of(tmp_path, "a,2011-01-01,1,,I10", "b,2011-01-01,1,,e11.9")
    content = {
        "name": "heart", "label": "Heart", "system": "icd10se", "source": "s", "match": "prefix",
        "codes": ["I10", "I50", "E11"],
    }  # fmt: skip
    codes = parse_document(content, CodeList, where="heart.yaml")
    store = open_store(tmp_path / "store")
    assert codes_never_seen(store, TABLE, ["diagnosis"], codes)["code"].tolist() == ["I50"]
    with pytest.raises(StudyError, match="no variable"):
        codes_never_seen(store, TABLE, ["diagnoses"], codes)


def test_released_quality_shows_no_few(tmp_path):
    from workbench.output.disclosure import release

    rows = [f"p{at},201{at % 2}-01-01,{1 if at % 9 else 9},,I10" for at in range(60)]
    rows.append("x,2012-01-01,1,,")
    quality = quality_of(tmp_path, *rows)
    released = release(quality, load_profile("standard"), title="Quality")
    counts = released.frame[["n_rows", "n_missing"]].stack().dropna().astype(int)
    assert not counts.between(1, 4).any()
    assert released.parts["years"].frame["years"].tolist() == ["2010", "2011 to 2012"]
    assert released.parts["deliveries"].frame["n_rows_kept"].tolist() == [61]
