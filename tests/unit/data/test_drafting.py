from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pyreadstat
import pytest
from builders import write_csv
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.data.drafting import MOST_CODES, SAMPLE_ROWS, draft_register
from workbench.data.intake import import_extract
from workbench.errors import DataError, DefinitionError
from workbench.registers.documents import read_document
from workbench.registers.schema import Register

FILES = Path(__file__).parents[2] / "data_files"


def _drafted(file, folder):
    """The draft as text and as a register; it must be one as it stands."""
    text = draft_register("draft", file)
    path = folder / "draft.yaml"
    path.write_text(text, encoding="utf-8")
    return text, read_document(path, Register)


def _types(register):
    return {name: one.type for name, one in register.tables["rows"].variables.items()}


def _dry_run(register, file, folder):
    return import_extract(
        register, "rows", [file], store_folder=folder / "s", as_of=date(2024, 1, 1), dry_run=True
    ).version


def test_a_draft_fits_its_file(tmp_path):
    head = "nr;Kön;född;diag (dag);us;alder år;värde;kod;fri;tom;län;slag-1"
    rows = [
        f"{n};{n % 2 + 1};1950-01-{n % 28 + 1:02};{n % 28 + 1}.{n % 12 + 1}.2001;"
        f"{n % 12 + 1}/{n % 28 + 1}/2001;{n};{n},5;{n:03};ord {n};;{n % 3:02};{20010101 + n % 28}"
        for n in range(1, 200)
    ]
    file = write_csv(tmp_path / "a.csv", head, *rows, encoding="cp1252")
    text, register = _drafted(file, tmp_path)
    assert _types(register) == {
        "nr": "integer", "Kön": "code", "född": "date", "diag_dag": "date", "us": "date",
        "alder_år": "integer", "värde": "decimal", "kod": "code", "fri": "text", "tom": "text",
        "län": "code", "slag_1": "date",
    }  # fmt: skip
    variables = register.tables["rows"].variables
    assert variables["diag_dag"].delivered_as == "diag (dag)"
    assert variables["diag_dag"].date_format == "%d.%m.%Y"
    assert variables["us"].date_format == "%m/%d/%Y"
    assert not variables["tom"].required
    assert "Read as windows-1252, semicolon-separated" in text
    version = _dry_run(register, file, tmp_path)
    assert (version.n_rows_kept, version.n_rows_set_aside) == (199, 0)


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_encoding_and_delimiter_are_recognised(tmp_path, codec, sign):
    file = write_csv(tmp_path / "a.csv", f"id{sign}län", f"1{sign}Å", encoding=codec)
    _, register = _drafted(file, tmp_path)
    assert list(_types(register)) == ["id", "län"]
    assert _dry_run(register, file, tmp_path).n_rows_kept == 1


def test_a_draft_holds_no_value(tmp_path):
    rows = [f"SENTINEL{n};{7_000_000 + n};19{50 + n}-06-0{n};{n},12345" for n in range(1, 10)]
    text, _ = _drafted(write_csv(tmp_path / "a.csv", "a;b;c;d", *rows), tmp_path)
    assert not any(value in text for row in rows for value in row.split(";"))


@pytest.mark.parametrize(
    "lines",
    [
        ["7001;SENTINEL;2001-01-01", "7002;SENTINEL;2001-01-02"],
        ["SENTINEL;man;Lund", "OTHER;man;Lund"],
        ["a;;SENTINEL", "1;2;3"],
        ["SENTINEL;SENTINEL", "1;2"],
        ["SENTINEL;Sentinel", "1;2"],
        ["a;SENTINEL@x", "1;2"],
        ["a;SENTINEL"],
        ["a;_SENTINEL", "1;2"],
        ['a;"SENTINEL\nb"', "1;2"],
        ["\x81\x8d;b", "1;2"],
    ],
)
def test_a_file_without_usable_headers_is_refused_without_values(tmp_path, lines):
    encoding = "latin-1" if "\x81" in lines[0] else "utf-8"
    file = write_csv(tmp_path / "a.csv", *lines, encoding=encoding)
    with pytest.raises(DataError) as refused:
        draft_register("draft", file)
    assert "SENTINEL" not in str(refused.value)
    assert "7001" not in str(refused.value)


@pytest.mark.parametrize("name", ["Hip", "1hip", "hip-knee", "../hip", "", "a" * 41, "hip:\n"])
def test_a_name_that_no_register_can_have_is_refused(tmp_path, name):
    with pytest.raises(DefinitionError, match="cannot be a register's name"):
        draft_register(name, write_csv(tmp_path / "a.csv", "id", "1"))


def test_headers_that_make_equal_or_reserved_names_get_names_of_their_own(tmp_path):
    headers = ["a b", "a-b", "A.b", "person", "Row_ID", "null", "yes", "type"]
    file = write_csv(tmp_path / "a.csv", ";".join(headers), "1;2;3;4;5;6;7;8")
    _, register = _drafted(file, tmp_path)
    table = register.tables["rows"]
    assert [table.header_of(name) for name in table.variables] == headers
    assert _dry_run(register, file, tmp_path).n_rows_kept == 1


def test_numbers_with_a_leading_zero_or_too_many_digits_are_codes(tmp_path):
    rows = [f"{n % 90:02};{n:020};{n}" for n in range(1, 100)]
    _, register = _drafted(write_csv(tmp_path / "a.csv", "a;b;c", *rows), tmp_path)
    assert _types(register) == {"a": "code", "b": "code", "c": "integer"}


def test_one_decimal_mark_holds_for_the_whole_file(tmp_path):
    rows = [f"{n},5;{n}.5" for n in range(1, MOST_CODES + 5)]
    file = write_csv(tmp_path / "a.csv", "comma;point", *rows)
    _, register = _drafted(file, tmp_path)
    assert _types(register) == {"comma": "decimal", "point": "text"}
    assert _dry_run(register, file, tmp_path).n_rows_set_aside == 0


def test_nothing_is_required_where_not_every_row_was_looked_at(tmp_path):
    rows = [f"{n};a" for n in range(SAMPLE_ROWS + 300)]
    _, register = _drafted(write_csv(tmp_path / "a.csv", "id;word", *rows, "x;"), tmp_path)
    assert not any(one.required for one in register.tables["rows"].variables.values())


def test_lines_that_do_not_fit_are_passed_over(tmp_path):
    file = write_csv(tmp_path / "a.csv", "id;word", "1;a", "2", "", "3;b;c", "4;d")
    _, register = _drafted(file, tmp_path)
    assert register.tables["rows"].variables["word"].required


def test_other_kinds_of_files_are_drafted(tmp_path):
    _, register = _drafted(FILES / "iris.sas7bdat", tmp_path)
    assert set(_types(register).values()) == {"decimal", "code"}
    assert _dry_run(register, FILES / "iris.sas7bdat", tmp_path).n_rows_kept == 150
    rows = pd.DataFrame({"id": range(1, 40), "day": [date(2001, 2, 3)] * 39})
    rows.to_excel(tmp_path / "a.xlsx", index=False)
    rows.to_parquet(tmp_path / "a.parquet")
    pyreadstat.write_sav(rows, str(tmp_path / "a.sav"))
    for kind in ("xlsx", "parquet", "sav"):
        _, register = _drafted(tmp_path / f"a.{kind}", tmp_path)
        assert _types(register) == {"id": "integer", "day": "date"}


def test_files_that_cannot_be_read_are_told(tmp_path):
    with pytest.raises(DataError, match="there is no such file"):
        draft_register("draft", tmp_path / "none.csv")
    with pytest.raises(DataError, match="cannot be read"):
        draft_register("draft", write_csv(tmp_path / "a.doc", "id", "1"))
    with pytest.raises(DataError, match="is empty"):
        draft_register("draft", write_csv(tmp_path / "a.csv"))


_VALUES = st.one_of(
    st.integers(-(10**19), 10**19).map(str),
    st.decimals(-1000, 1000, places=2).map(str),
    st.decimals(-1000, 1000, places=2).map(lambda one: str(one).replace(".", ",")),
    st.dates(date(1900, 1, 1), date(2020, 1, 1)).map(str),
    st.dates(date(1900, 1, 1), date(2020, 1, 1)).map(lambda day: day.strftime("%d.%m.%Y")),
    st.dates(date(1900, 1, 1), date(2020, 1, 1)).map(lambda day: day.strftime("%Y%m%d")),
    st.text(st.characters(categories=["L", "N"], exclude_characters="Ã"), max_size=6),
    st.sampled_from(["", " ", "0", "01", "+1", "1.", ".5", "-", "yes", "null", "a b", " 1 "]),
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(1, 4).flatmap(
    lambda n: st.lists(st.lists(_VALUES, min_size=n, max_size=n), min_size=1, max_size=20)
))  # fmt: skip
def test_any_draft_takes_its_own_file(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("any")
    headers = [f"column {n}" for n in range(len(rows[0]) + 1)]
    lines = [";".join(['"' + value + '"' for value in [*row, "z"]]) for row in rows]
    file = write_csv(folder / "a.csv", ";".join(headers), *lines)
    _, register = _drafted(file, folder)
    version = _dry_run(register, file, folder)
    assert version.n_rows_kept == len(rows), version.faults


@pytest.mark.parametrize(
    ("values", "scheme"),
    [
        (["19121212-1212", "19861123-9883", "191212121212"], "swedish"),
        (["1212121212", "8611239883"], "swedish"),
        (["13097248022", "29029648784"], "norwegian"),
        (["131052-308T", "010594Y9032"], "finnish"),
        (["211062-5629", "070761-4285"], "danish"),
        (["19121212-1212"] * 9 + ["19121212-1213"], "swedish"),
        (["0707614285", "0102034285"], None),  # ten digits may be anything
        (["191212121213", "198611239884"], None),
        (["20240115001", "20240115002"], None),
    ],
)
def test_identity_numbers_are_declared_in_the_draft(tmp_path, values, scheme):
    file = write_csv(tmp_path / "a.csv", "nr;x", *[f"{one};1" for one in values])
    text, register = _drafted(file, tmp_path)
    variable = register.tables["rows"].variables["nr"]
    assert variable.identity_scheme == scheme
    assert (variable.sensitivity == "identity") is (scheme is not None)
    assert not any(value in text for value in values)
