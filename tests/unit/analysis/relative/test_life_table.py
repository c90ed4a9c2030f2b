"""Life tables: what is accepted, what is decided and told, and the files of statistical offices."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from workbench.analysis.relative import LifeTable
from workbench.errors import DataError, StudyError

COLUMNS = {"age": "age", "year": "year", "sex": "sex"}


def rates(**changes) -> pd.DataFrame:
    frame = pd.MultiIndex.from_product(
        [["female", "male"], [2000, 2001], [0, 1, 2]], names=["sex", "year", "age"]
    ).to_frame(index=False)
    return frame.assign(rate=0.01 * (1 + np.arange(12)), **changes)


def test_hazard_is_kept_per_day_whatever_it_is_given_as():
    yearly = LifeTable.from_frame(rates(), **COLUMNS, hazard="rate")
    daily = rates().assign(rate=lambda d: d["rate"] / 365.241)
    same = LifeTable.from_frame(daily, **COLUMNS, hazard="rate", per="day")
    q = rates().assign(rate=lambda d: -np.expm1(-d["rate"]))
    third = LifeTable.from_frame(q, **COLUMNS, probability="rate")
    assert yearly.hazard.shape == (2, 2, 3)
    np.testing.assert_allclose(yearly.hazard, same.hazard, rtol=1e-14)
    np.testing.assert_allclose(yearly.hazard, third.hazard, rtol=1e-12)


def test_row_order_and_index_do_not_matter():
    mixed = rates().sample(frac=1, random_state=1)
    np.testing.assert_array_equal(
        LifeTable.from_frame(mixed, **COLUMNS, hazard="rate").hazard,
        LifeTable.from_frame(rates(), **COLUMNS, hazard="rate").hazard,
    )


def test_years_that_are_skipped_and_ages_that_end_early_are_told():
    table = rates().replace({"year": {2001: 2005}})
    table = table[~((table["year"] == 2005) & (table["age"] == 2))]
    made = LifeTable.from_frame(table, **COLUMNS, hazard="rate")
    assert any("4 calendar years" in note for note in made.notes)
    assert any("2 cells above" in note for note in made.notes)
    assert (made.hazard[:, 1, 2] == made.hazard[:, 1, 1]).all()


def test_certain_death_at_the_last_age_takes_the_age_before():
    table = rates().assign(rate=lambda d: np.where(d["age"] == 2, 1.0, 0.1))
    made = LifeTable.from_frame(table, **COLUMNS, probability="rate")
    assert np.isfinite(made.hazard).all() and (made.hazard[:, :, 2] == made.hazard[:, :, 1]).all()
    assert any("probability 1" in note for note in made.notes)
    with pytest.raises(DataError, match="before the last age"):
        LifeTable.from_frame(table.assign(rate=1.0), **COLUMNS, probability="rate")


@pytest.mark.parametrize(
    ("frame", "call", "told"),
    [
        (rates().rename(columns={"age": "agee"}), {"hazard": "rate"}, 'no column "age".*"agee"'),
        (rates().assign(rate=-1.0), {"hazard": "rate"}, "12 values are below 0 or above 20"),
        (rates().assign(rate=25.0), {"probability": "rate"}, "12 values are below 0 or above 1"),
        (rates().assign(age=0.5), {"hazard": "rate"}, "not whole years in 12 rows"),
        (rates().assign(sex=None), {"hazard": "rate"}, '"sex": missing in 12 rows'),
        (pd.concat([rates(), rates()]), {"hazard": "rate"}, "12 rows repeat"),
        (rates().replace({"age": {1: 7}}), {"hazard": "rate"}, "ages between"),
        (rates().drop(index=1), {"hazard": "rate"}, "1 cells are missing"),
        (rates().assign(rate="x"), {"hazard": "rate"}, "expected numbers"),
    ],
)
def test_tables_that_cannot_be_used(frame, call, told):
    with pytest.raises(DataError, match=f"(?s){told}"):
        LifeTable.from_frame(frame, **COLUMNS, **call)


@pytest.mark.parametrize(
    "call",
    [{}, {"hazard": "rate", "probability": "rate"}, {"hazard": "rate", "per": "week"}],
)
def test_settings_that_cannot_be(call):
    with pytest.raises(StudyError):
        LifeTable.from_frame(rates(), **COLUMNS, **call)


def test_sexes_must_match_or_be_mapped():
    table = LifeTable.from_frame(rates(), **COLUMNS, hazard="rate")
    persons = pd.DataFrame({"sex": [1, 2, 2]})
    with pytest.raises(DataError, match=r'"sex": 3 rows not in the table: female, male'):
        table.row_of(persons, "sex")
    np.testing.assert_array_equal(table.row_of(persons, "sex", {1: "male", 2: "female"}), [1, 0, 0])


def test_own_strata():
    table = pd.concat([rates(region="north"), rates(region="south").assign(rate=0.5)])
    made = LifeTable.from_frame(table, **COLUMNS, hazard="rate", strata=["region"])
    persons = pd.DataFrame({"sex": ["male", "male"], "region": ["south", "north"]})
    assert made.hazard[made.row_of(persons, "sex")][0, 0, 0] == pytest.approx(0.5 / 365.241)
    with pytest.raises(DataError, match='"region": 1 rows'):
        made.row_of(persons.replace("north", "west"), "sex")


HMD = """Sweden, Life tables (period 1x1), {sex}\tLast modified: 1 Jan 2020

  Year          Age             mx       qx    ax      lx      dx      Lx       Tx     ex
  2000           0           0.00300  0.00299  0.14  100000     299   99743  8000000  80.00
  2000           1           0.00100  0.00100  0.50   99701     100   99651  7900000  79.24
  2000         2+            0.50000  1.00000  2.00   99601   99601  199202  7800000  78.31
"""


def test_human_mortality_database(tmp_path):
    files = []
    for sex in ("Females", "Males"):
        files.append(tmp_path / f"{sex}.txt")
        files[-1].write_text(HMD.format(sex=sex), encoding="utf-8")
    table = LifeTable.from_hmd(files)
    expected = np.array([-np.log1p(-0.00299), -np.log1p(-0.001), 0.5]) / 365.241
    np.testing.assert_allclose(table.hazard[0, 0], expected)
    with pytest.raises(DataError, match="only female"):
        LifeTable.from_hmd(files[0])
    rates_file = tmp_path / "Mx_1x1.txt"
    rates_file.write_text(
        "Sweden, Death rates (period 1x1)\n\n  Year  Age  Female  Male  Total\n"
        "  2000  0  0.003  0.004  0.0035\n  2000  1+  0.3  0.4  0.35\n",
        encoding="utf-8",
    )
    both = LifeTable.from_hmd(rates_file)
    np.testing.assert_allclose(both.hazard[:, 0] * 365.241, [[0.003, 0.3], [0.004, 0.4]])
    rates_file.write_text("nothing", encoding="utf-8")
    with pytest.raises(DataError, match="not a 1x1 file"):
        LifeTable.from_hmd(rates_file)
    with pytest.raises(DataError, match="cannot be read"):
        LifeTable.from_hmd(tmp_path / "none.txt")


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
@pytest.mark.parametrize(
    "text",
    [
        '"kön","ålder","Dödsrisk (promille) 2019","Dödsrisk (promille) 2020"\n'
        '"män","0 år","2,0","4"\n"män","1 år","1","2"\n'
        '"kvinnor","0 år","2","4"\n"kvinnor","1 år","1","2"\n',
        "kön;ålder;år;tabellinnehåll;Ettårig livslängdstabell\n"
        + "".join(
            f"{sex};{age} år;{year};Dödsrisk, promille;{(2 - age) * (year - 2018)}\n"
            for sex in ("män", "kvinnor") for age in (0, 1) for year in (2019, 2020)
        ),
    ],
)  # fmt: skip
def test_statistics_sweden(tmp_path, text, encoding):
    file = tmp_path / "scb.csv"
    file.write_text(text, encoding=encoding)
    table = LifeTable.from_scb(file)
    q = -np.expm1(-table.hazard * 365.241)
    np.testing.assert_allclose(q[1], [[0.002, 0.001], [0.004, 0.002]], rtol=1e-9)


def test_other_files_are_refused(tmp_path):
    file = tmp_path / "other.csv"
    file.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(DataError, match="no columns for sex"):
        LifeTable.from_scb(file)
    file.write_text("sex,age,b\nmen,1,2\n", encoding="utf-8")
    with pytest.raises(DataError, match="risk of dying"):
        LifeTable.from_scb(file)
