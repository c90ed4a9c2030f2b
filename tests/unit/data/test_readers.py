from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
import pytest
from builders import bring_in, kept, register_of, told, write_csv

from workbench.data import readers
from workbench.errors import DataError

FILES = Path(__file__).parents[2] / "data_files"
IRIS = {"Sepal_Length": "decimal", "Petal_Width": "decimal", "Species": "code"}
MIXED = {"id": "integer", "x": "decimal", "word": "text", "day": "date"}
WRITERS = {
    ".sav": pyreadstat.write_sav,
    ".zsav": lambda rows, file: pyreadstat.write_sav(rows, file, compress=True),
    ".dta": pyreadstat.write_dta,
    ".xpt": pyreadstat.write_xport,
    ".por": pyreadstat.write_por,
}


def _refused(register, file, store):
    with pytest.raises(DataError) as told_error:
        bring_in(register, file, store)
    assert not list(store.glob("*/*"))
    return str(told_error.value)


def _rows(n=3):
    columns = {
        "id": [float(number) for number in range(1, n + 1)],
        "x": [0.1, 2.0, None] * (n // 3),
        "word": ["Amal", "b", ""] * (n // 3),
        "day": [date(2020, 1, 31), None, date(1999, 12, 1)] * (n // 3),
    }
    return pd.DataFrame(columns)


@pytest.mark.parametrize("kind", WRITERS)
def test_statistical_files_are_read(tmp_path, kind):
    file = tmp_path / f"rows{kind}"
    rows = _rows()
    rows["day"] = (
        rows["day"].astype(str).where(rows["day"].notna(), "") if kind == ".por" else rows["day"]
    )
    WRITERS[kind](rows, str(file))
    names = {name: (name.upper() if kind == ".por" else name) for name in MIXED}
    register = register_of({n: {"type": t, "delivered_as": names[n]} for n, t in MIXED.items()})
    done = bring_in(register, file, tmp_path / "s")
    assert kept(tmp_path / "s") == {
        "id": [1, 2, 3],
        "x": [0.1, 2.0, None],
        "word": ["Amal", "b", None],
        "day": [date(2020, 1, 31), None, date(1999, 12, 1)],
    }
    assert done.version.sources[0].read_as == f"{kind[1:]} file"


@pytest.mark.parametrize("kind", [".sav", ".dta"])
def test_letters_of_the_north_survive_in_statistical_files(tmp_path, kind):
    WRITERS[kind](pd.DataFrame({"word": ["Åmål", "Ærø"]}), str(tmp_path / f"a{kind}"))
    bring_in(register_of({"word": "text"}), tmp_path / f"a{kind}", tmp_path / "s")
    assert kept(tmp_path / "s")["word"] == ["Åmål", "Ærø"]


def test_a_sas_file_is_read(tmp_path):
    done = bring_in(register_of(IRIS), FILES / "iris.sas7bdat", tmp_path / "s")
    rows = kept(tmp_path / "s")
    assert done.version.n_rows_kept == 150
    assert done.version.columns_left_out == ("Sepal_Width", "Petal_Length")
    assert (rows["Sepal_Length"][0], rows["Petal_Width"][0], rows["Species"][0]) == (
        5.1,
        0.2,
        "setosa",
    )
    assert round(sum(rows["Sepal_Length"]) / 150, 4) == 5.8433  # as printed by Fisher's readers


@pytest.mark.parametrize("share", [0.001, 0.3, 0.6, 0.9, 0.999])
def test_a_sas_file_that_was_cut_is_refused(tmp_path, share):
    content = (FILES / "iris.sas7bdat").read_bytes()
    file = tmp_path / "iris.sas7bdat"
    file.write_bytes(content[: int(len(content) * share)])
    assert "damaged or cut off" in _refused(register_of(IRIS), file, tmp_path / "s")


@pytest.mark.parametrize("kind", [".sav", ".zsav", ".dta", ".xpt"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.95])
def test_a_statistical_file_that_was_cut_is_refused(tmp_path, kind, share):
    file = tmp_path / f"rows{kind}"
    WRITERS[kind](_rows(600), str(file))
    content = file.read_bytes()
    at = int(len(content) * share)
    file.write_bytes(content[: at + 1 if at % readers.XPORT_RECORD == 0 else at])
    assert "cut off" in _refused(register_of(MIXED), file, tmp_path / "s")


def test_a_file_of_another_kind_than_its_name_is_refused(tmp_path):
    csv = write_csv(tmp_path / "a.csv", "id;word", "1;SENTINEL")
    for kind in (".parquet", ".xlsx", *readers.STATISTICAL):
        file = tmp_path / f"a{kind}"
        shutil.copy(csv, file)
        assert "SENTINEL" not in _refused(register_of({"id": "integer"}), file, tmp_path / "s")


@pytest.mark.parametrize("kind", [".sav", ".dta"])
def test_a_statistical_file_without_rows_is_refused(tmp_path, kind):
    WRITERS[kind](_rows().iloc[:0], str(tmp_path / f"a{kind}"))
    assert "headers but no rows" in _refused(
        register_of(MIXED), tmp_path / f"a{kind}", tmp_path / "s"
    )


def test_a_statistical_file_is_read_in_chunks(tmp_path, monkeypatch):
    monkeypatch.setattr(readers, "CHUNK_ROWS", 7)
    WRITERS[".sav"](_rows(60), str(tmp_path / "a.sav"))
    bring_in(register_of(MIXED), tmp_path / "a.sav", tmp_path / "s")
    assert kept(tmp_path / "s")["id"] == list(range(1, 61))


def _book(file, *rows, sheet="Blad1"):
    book = openpyxl.Workbook()
    book.active.title = "Omslag"
    page = book.create_sheet(sheet, 0)
    for row in rows:
        page.append(row)
    book.save(file)
    return file


def test_an_excel_file_is_read(tmp_path):
    file = _book(
        tmp_path / "a.xlsx",
        ["id", " word", "day", "x", "yes", "note", None],
        [1, "Åmål", datetime(2020, 1, 31), 0.5, True, "n"],
        [],
        ["02", 12, date(1999, 12, 1), 3.0, False],
        [3, None, "2020-02-01", "2.5", None, None],
    )
    register = register_of({**MIXED, "yes": "boolean"})
    done = bring_in(register, file, tmp_path / "s")
    assert kept(tmp_path / "s") == {
        "id": [1, 2, 3],
        "word": ["Åmål", "12", None],
        "day": [date(2020, 1, 31), date(1999, 12, 1), date(2020, 2, 1)],
        "x": [0.5, 3.0, 2.5],
        "yes": [True, False, None],
    } | {"x": [0.5, 3.0, 2.5]}
    assert done.version.columns_left_out == ("note",)


def test_a_sheet_is_chosen_by_name(tmp_path):
    file = _book(tmp_path / "a.xlsx", ["id"], [1], sheet="Patienter")
    bring_in(register_of({"id": "integer"}, delivery={"sheet": "Patienter"}), file, tmp_path / "s")
    assert kept(tmp_path / "s") == {"id": [1]}
    wrong = register_of({"id": "integer"}, delivery={"sheet": "Patient"})
    assert 'Did you mean "Patienter"?' in _refused(wrong, file, tmp_path / "s2")


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ([], "the first row holds no headers"),
        ([["id"]], "headers but no rows"),
        ([["id", "word"], [1, "a", "SENTINEL"]], "values to the right of the last header"),
        ([[1, "SENTINEL"], [2, "SENTINEL"]], "is missing"),
        ([["id", "ID"], [1, 2]], "stands more than once"),
    ],
)
def test_an_excel_file_that_is_no_table_is_refused(tmp_path, rows, fault):
    refused = _refused(
        register_of({"id": "integer"}), _book(tmp_path / "a.xlsx", *rows), tmp_path / "s"
    )
    assert fault in refused
    assert "SENTINEL" not in refused


def test_an_excel_file_is_read_in_chunks(tmp_path, monkeypatch):
    monkeypatch.setattr(readers, "CHUNK_ROWS", 4)
    file = _book(tmp_path / "a.xlsx", ["id"], *[[n] for n in range(1, 9)])
    bring_in(register_of({"id": "integer"}), file, tmp_path / "s")
    assert kept(tmp_path / "s")["id"] == list(range(1, 9))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_an_excel_file_that_was_cut_is_refused(tmp_path, share):
    file = _book(tmp_path / "a.xlsx", ["id"], *[[n] for n in range(500)])
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * share)])
    refused = _refused(register_of({"id": "integer"}), file, tmp_path / "s")
    assert "is not a whole Excel file" in refused


def test_a_parquet_file_is_read_as_it_means(tmp_path):
    midnight = [datetime(2020, 1, 31), None, datetime(1999, 12, 1)]
    columns = {
        "id": pa.array([1, 2, 3], pa.int16()),
        "x": pa.array([0.1, 2.0, float("nan")]),
        "f": pa.array([0.5, 3.0, None], pa.float32()),
        "money": pa.array([1.50, 2, None]).cast(pa.decimal128(8, 2)),
        "day": pa.array([date(2020, 1, 31), None, date(1999, 12, 1)]),
        "stamp": pa.array(midnight, pa.timestamp("us")),
        "zoned": pa.array(midnight, pa.timestamp("us", "UTC")),
        "nano": pa.array(midnight, pa.timestamp("ns")),
        "yes": pa.array([True, False, None]),
        "word": pa.array(["Åmål", "", "b"]).dictionary_encode(),
        "note": pa.array([[1], [2], []]),
    }
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    days = dict.fromkeys(["day", "stamp", "zoned", "nano"], "date")
    numbers = dict.fromkeys(["x", "f", "money"], "decimal")
    register = register_of({"id": "integer", **numbers, **days, "yes": "boolean", "word": "text"})
    done = bring_in(register, tmp_path / "a.parquet", tmp_path / "s")
    expected_days = [date(2020, 1, 31), None, date(1999, 12, 1)]
    assert kept(tmp_path / "s") == {
        "id": [1, 2, 3],
        "x": [0.1, 2.0, None],
        "f": [0.5, 3.0, None],
        "money": [1.5, 2.0, None],
        **dict.fromkeys(days, expected_days),
        "yes": [True, False, None],
        "word": ["Åmål", None, "b"],
    }
    assert done.version.columns_left_out == ("note",)


def test_a_time_of_day_is_not_cut_off_a_date(tmp_path):
    stamps = [datetime(2020, 1, 31, 23, 30), datetime(2020, 1, 31)]
    zoned = pa.array([stamp.replace(tzinfo=UTC) for stamp in stamps], pa.timestamp("us", "UTC"))
    pq.write_table(pa.table({"a": pa.array(stamps), "b": zoned}), tmp_path / "a.parquet")
    done = bring_in(register_of({"a": "date", "b": "date"}), tmp_path / "a.parquet", tmp_path / "s")
    rule = "date with a time of day"
    assert told(done) == {(rule, "a", 1), (rule, "b", 1)}
    assert kept(tmp_path / "s")["b"] == [date(2020, 1, 31)]


def test_whole_floating_numbers_are_codes_without_decimals(tmp_path):
    pq.write_table(pa.table({"code": [1.0, 2.0], "big": [1e20, 1.0]}), tmp_path / "a.parquet")
    register = register_of(
        {"code": {"type": "code", "codes": {"1": "a", "2": "b"}}, "big": "decimal"}
    )
    bring_in(register, tmp_path / "a.parquet", tmp_path / "s")
    assert kept(tmp_path / "s") == {"code": ["1", "2"], "big": [1e20, 1.0]}


def test_numbers_of_a_parquet_file_need_no_decimal_comma(tmp_path):
    pq.write_table(pa.table({"x": [1.5]}), tmp_path / "a.parquet")
    bring_in(
        register_of({"x": "decimal"}, delivery={"decimal": ","}),
        tmp_path / "a.parquet",
        tmp_path / "s",
    )
    assert kept(tmp_path / "s") == {"x": [1.5]}


@pytest.mark.parametrize("share", [0.01, 0.5, 0.9, 0.999])
def test_a_parquet_file_that_was_cut_is_refused(tmp_path, share):
    file = tmp_path / "a.parquet"
    pq.write_table(pa.table({"id": list(range(10_000))}), file)
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * share)])
    refused = _refused(register_of({"id": "integer"}), file, tmp_path / "s")
    assert "is not a whole Parquet file" in refused


def test_a_parquet_file_with_a_damaged_page_is_refused(tmp_path):
    file = tmp_path / "a.parquet"
    pq.write_table(pa.table({"id": list(range(10_000))}), file)
    content = bytearray(file.read_bytes())
    content[200:400] = b"\0" * 200
    file.write_bytes(content)
    assert "is not a whole Parquet file" in _refused(
        register_of({"id": "integer"}), file, tmp_path / "s"
    )


def test_double_headers_of_a_parquet_file_are_refused(tmp_path):
    pq.write_table(pa.table({"id": [1], "ID": [2]}), tmp_path / "a.parquet")
    refused = _refused(register_of({"id": "integer"}), tmp_path / "a.parquet", tmp_path / "s")
    assert "stands more than once" in refused


def test_kinds_that_cannot_be_read_are_told(tmp_path):
    for name, fault in (("a.xls", 'Did you mean ".xlsx"'), ("a", "without an ending")):
        write_csv(tmp_path / name, "id", "1")
        assert fault in _refused(register_of({"id": "integer"}), tmp_path / name, tmp_path / "s")
    missing = _refused(register_of({"id": "integer"}), tmp_path / "none.csv", tmp_path / "s")
    assert "there is no such file" in missing


def test_files_of_several_kinds_make_one_delivery(tmp_path):
    pq.write_table(pa.table({"x": [1.5], "id": [1]}), tmp_path / "a.parquet")
    csv = write_csv(tmp_path / "b.csv", "id;x", "2;2.5", "3;x")
    done = bring_in(
        register_of({"id": "integer", "x": "decimal"}),
        [tmp_path / "a.parquet", csv],
        tmp_path / "s",
    )
    assert kept(tmp_path / "s") == {"id": [1, 2], "x": [1.5, 2.5]}
    assert done.version.faults[0].first_rows == ("b.csv row 2",)


def test_rows_that_a_file_promises_and_does_not_hold_are_missed(tmp_path, monkeypatch):
    monkeypatch.setattr(readers, "CHUNK_ROWS", 7)
    whole = pyreadstat.read_file_in_chunks

    def only_the_first_chunk(*given, **how):
        yield next(whole(*given, **how))

    monkeypatch.setattr(pyreadstat, "read_file_in_chunks", only_the_first_chunk)
    WRITERS[".sav"](_rows(60), str(tmp_path / "a.sav"))
    refused = _refused(register_of(MIXED), tmp_path / "a.sav", tmp_path / "s")
    assert "it says it holds 60 rows, 7 could be read" in refused
