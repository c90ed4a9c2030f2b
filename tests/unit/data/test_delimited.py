from __future__ import annotations

import random

import pytest
from builders import aside, bring_in, kept, register_of, told, write_csv

from workbench.data import delimited
from workbench.errors import DataError

VARIABLES = {"id": "integer", "word": "text", "x": "decimal"}


def _register(**table):
    return register_of(VARIABLES, **table)


@pytest.mark.parametrize("sign", [";", ",", "\t", "|"])
@pytest.mark.parametrize("is_declared", [True, False])
def test_any_delimiter_is_recognised(tmp_path, sign, is_declared):
    file = write_csv(tmp_path / "a.csv", f"id{sign}word{sign}x", f"1{sign}a{sign}2.5")
    delivery = {"delimiter": sign} if is_declared else {}
    done = bring_in(_register(delivery=delivery), file, tmp_path / "s")
    assert kept(tmp_path / "s") == {"id": [1], "word": ["a"], "x": [2.5]}
    assert delimited.SPOKEN[sign] in done.version.sources[0].read_as


def test_an_unusual_declared_delimiter_is_taken(tmp_path):
    file = write_csv(tmp_path / "a.csv", "id§word§x", "1§a§2.5")
    bring_in(_register(delivery={"delimiter": "§"}), file, tmp_path / "s")
    assert kept(tmp_path / "s")["word"] == ["a"]


def test_a_wrong_declared_delimiter_is_one_clear_error(tmp_path):
    file = write_csv(tmp_path / "a.csv", "id;word;x", "1;SENTINEL;2")
    with pytest.raises(DataError) as refused:
        bring_in(_register(delivery={"delimiter": ","}), file, tmp_path / "s")
    assert "says the delimiter is comma" in str(refused.value)
    assert "holds 0 of 3 columns, split at semicolon it holds 3" in str(refused.value)
    assert "SENTINEL" not in str(refused.value)


def test_a_decimal_comma_is_recognised(tmp_path):
    file = write_csv(tmp_path / "a.csv", "id;word;x", "1;a,b;2,5", "2;c.d;-0,25", "3;;7")
    bring_in(_register(), file, tmp_path / "s")
    assert kept(tmp_path / "s")["x"] == [2.5, -0.25, 7.0]


def test_commas_and_points_in_one_delivery_are_refused(tmp_path):
    one = write_csv(tmp_path / "a.csv", "id;word;x", "1;a;2,5")
    two = write_csv(tmp_path / "b.csv", "id;word;x", "2;a;2.5")
    with pytest.raises(DataError, match="some numbers have a decimal comma"):
        bring_in(_register(), [one, two], tmp_path / "s")


def test_a_declared_decimal_mark_sets_other_numbers_aside(tmp_path):
    file = write_csv(tmp_path / "a.csv", "id;word;x", "1;a;2,5", "2;a;2.5", "3;a;1.234,5")
    done = bring_in(_register(delivery={"decimal": ","}), file, tmp_path / "s")
    assert told(done) == {("not a number", "x", 2)}
    assert kept(tmp_path / "s")["id"] == [1]


def test_a_text_for_missing_is_no_decimal_mark(tmp_path):
    file = write_csv(tmp_path / "a.csv", "id;word;x", "1;a;2,5", "2;.;.")
    bring_in(_register(delivery={"missing": ["."]}), file, tmp_path / "s")
    assert kept(tmp_path / "s") == {"id": [1, 2], "word": ["a", None], "x": [2.5, None]}


def test_quoted_fields_may_hold_anything(tmp_path):
    file = write_csv(tmp_path / "a.csv", "id;word;x", '1;"a;b\n\nc ""d"" ";2', '2;5" pipe;3')
    done = bring_in(_register(), file, tmp_path / "s")
    assert kept(tmp_path / "s")["word"] == ['a;b\n\nc "d"', '5" pipe']
    assert done.version.n_rows_set_aside == 0


@pytest.mark.parametrize(
    "lines",
    [
        ["1;a;1", '2;"SENTINEL;1', "3;a;1"],
        ["1;a;1", '2;"SENTINEL;1', '3;"a";1', "4;a;1"],
        ["1;a;1", '2;"SENTINEL"more;1', "3;a;1"],
        ["1;a;1", '2;"SENTINEL\\"more";1', "3;a;1"],
        ["1;a;1", "2;a;1", '3;"SENTINEL;1'],
    ],
)
def test_a_quotation_mark_that_is_not_closed_is_refused(tmp_path, lines):
    file = write_csv(tmp_path / "a.csv", "id;word;x", *lines)
    row = next(n for n, line in enumerate(lines, 1) if "SENTINEL" in line)
    with pytest.raises(DataError) as refused:
        bring_in(_register(), file, tmp_path / "s")
    assert f"row {row}: a quotation mark is not closed" in str(refused.value)
    assert "SENTINEL" not in str(refused.value)


def test_too_few_and_too_many_fields_are_set_aside_whole(tmp_path):
    lines = ["1;a;1", "2;a", "3;a;1", "4;a;1;more", "5", "6;a;1"]
    done = bring_in(_register(), write_csv(tmp_path / "a.csv", "id;word;x", *lines), tmp_path / "s")
    assert told(done) == {("wrong number of fields", "(line)", 3)}
    assert aside(tmp_path / "s") == {row: ["wrong number of fields"] for row in "245"}
    assert kept(tmp_path / "s")["id"] == [1, 3, 6]


def test_extra_columns_are_told_and_not_stored(tmp_path):
    file = write_csv(
        tmp_path / "a.csv", ";note;id;word;x;note", "a;b;1;c;2;d", "a;b;2", "e;f;3;g;4;h"
    )
    done = bring_in(_register(), file, tmp_path / "s")
    assert done.version.columns_left_out == ("(column 1)", "note")
    assert kept(tmp_path / "s") == {"id": [1, 3], "word": ["c", "g"], "x": [2.0, 4.0]}
    assert list(aside(tmp_path / "s")) == ["2"]


def test_a_file_without_a_header_line_leaks_nothing(tmp_path):
    file = write_csv(tmp_path / "a.csv", "7001;SENTINELxyz;2.5", "7002;SENTINELabc;3.5")
    with pytest.raises(DataError) as refused:
        bring_in(_register(), file, tmp_path / "s")
    assert "first line was read as" in str(refused.value)
    assert not any(part in str(refused.value) for part in ("SENTINEL", "7001", "2.5"))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_is_read(tmp_path, end):
    file = write_csv(tmp_path / "a.csv", "id;word;x", "1;a;1", "2;b", "3;c;3", end=end)
    bring_in(_register(), file, tmp_path / "s")
    assert kept(tmp_path / "s")["word"] == ["a", "c"]
    assert list(aside(tmp_path / "s")) == ["2"]


@pytest.mark.parametrize(
    "text",
    [
        "id;word;x\n1;a;1\r\n2;b;2\r\n3;c\r\n4;d;4\r\n",
        "id;word;x\r\n1;a;1\n2;b;2\n3;c\n4;d;4\n",
        "id;word;x\n1;a;1\n2;b;2\r3;c\n4;d;4\n",
    ],
)
def test_lines_that_end_in_several_ways_are_read(tmp_path, text):
    file = tmp_path / "a.csv"
    file.write_bytes(text.encode())
    done = bring_in(_register(), file, tmp_path / "s")
    assert kept(tmp_path / "s") == {"id": [1, 2, 4], "word": ["a", "b", "d"], "x": [1, 2, 4]}
    assert list(aside(tmp_path / "s")) == ["3"]
    assert "line ends mixed" in done.version.sources[0].read_as


def test_line_ends_that_change_late_are_read(tmp_path):
    file = tmp_path / "a.csv"
    lines = "".join(f"{n};a;1\n" for n in range(1, 20_001))
    file.write_bytes(f"id;word;x\n{lines}20001;b;1\r\n20002;c;1\n".encode())
    bring_in(_register(), file, tmp_path / "s")
    assert kept(tmp_path / "s")["word"][-2:] == ["b", "c"]


def test_blank_lines_are_no_rows_wherever_they_stand(tmp_path):
    file = write_csv(
        tmp_path / "a.csv",
        "id;word;x",
        "",
        "1;a;1",
        "",
        "",
        "2;b",
        '3;"c\n\nd";x',
        "4;e;1;1",
        "",
        "",
    )
    done = bring_in(_register(), file, tmp_path / "s")
    assert done.version.n_rows_read == 4
    assert list(aside(tmp_path / "s")) == ["3", "2", "4"]
    assert kept(tmp_path / "s")["id"] == [1]


def test_blank_lines_of_a_file_with_one_column_are_no_rows(tmp_path):
    file = write_csv(tmp_path / "a.csv", "id", "1", "", "2", "", "x", "", "")
    done = bring_in(register_of({"id": "integer"}), file, tmp_path / "s")
    assert (done.version.n_rows_read, list(aside(tmp_path / "s"))) == (3, ["3"])


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_row_numbers_are_right_in_a_long_file(tmp_path, end, mark):
    """Longer than several of the engine's vectors, with quoted line ends, blank lines, misfits."""
    drawn = random.Random(7)
    lines, wrong, right = [f"{mark}id;word;x"], set(), []
    for row in range(1, 30_001):
        lines += [""] * (drawn.random() < 0.001)
        word = drawn.choice(["a", f'"a{end}{end}b"', '"a;""b"', ""])
        kind = drawn.random()
        line = f"{row};{word};1"
        if kind < 0.001:
            line, wrong = f"{row};{word}", wrong | {str(row)}
        elif kind < 0.002:
            line, wrong = f"{row};{word};1;1", wrong | {str(row)}
        elif kind < 0.003:
            line, wrong = f"{row};{word};one", wrong | {str(row)}
        else:
            right.append(row)
        lines.append(line)
    done = bring_in(_register(), write_csv(tmp_path / "a.csv", *lines, end=end), tmp_path / "s")
    assert set(aside(tmp_path / "s")) == wrong
    assert kept(tmp_path / "s")["id"] == right
    assert done.version.n_rows_read == 30_000


def test_files_of_one_name_from_two_folders_are_both_read(tmp_path):
    files = []
    for folder, word in (("a", "Åmål"), ("b", "Örebro")):
        (tmp_path / folder).mkdir()
        files.append(
            write_csv(tmp_path / folder / "x.csv", "id;word;x", f"1;{word};1", encoding="cp1252")
        )
    bring_in(_register(), files, tmp_path / "s")
    assert kept(tmp_path / "s")["word"] == ["Åmål", "Örebro"]


def test_a_file_named_like_a_pattern_is_the_one_read(tmp_path):
    write_csv(tmp_path / "a1.csv", "id;word;x", "1;wrong;1")
    bring_in(
        _register(), write_csv(tmp_path / "a[1].csv", "id;word;x", "1;right;1"), tmp_path / "s"
    )
    assert kept(tmp_path / "s")["word"] == ["right"]


def test_a_header_may_run_over_several_lines(tmp_path):
    file = write_csv(tmp_path / "a.csv", 'id;"a\nlong note";word;x', "1;n;a;1", "2;n;b;2;2")
    done = bring_in(_register(), file, tmp_path / "s")
    assert done.version.columns_left_out == ("a\nlong note",)
    assert kept(tmp_path / "s")["id"] == [1]
    assert list(aside(tmp_path / "s")) == ["2"]


def test_headers_only_are_refused(tmp_path):
    for text in ("id;word;x\n", "id;word;x", "id;word;x\n\n\n"):
        file = tmp_path / "a.csv"
        file.write_text(text)
        with pytest.raises(DataError, match="headers but no rows"):
            bring_in(_register(), file, tmp_path / "s")


def test_an_empty_file_is_refused(tmp_path):
    with pytest.raises(DataError, match="is empty"):
        bring_in(_register(), write_csv(tmp_path / "a.csv"), tmp_path / "s")


@pytest.mark.parametrize("text", ["x" * 3_000_000, "\n" * 100, '"' * 99, ";" * 99, "\x00" * 9])
def test_what_is_no_table_is_refused(tmp_path, text):
    file = tmp_path / "a.csv"
    file.write_text(text)
    with pytest.raises(DataError) as refused:
        bring_in(_register(), file, tmp_path / "s")
    assert len(str(refused.value)) < 1000


def test_a_line_longer_than_the_engine_takes_is_told(tmp_path):
    file = write_csv(tmp_path / "a.csv", "id;word;x", "1;a;1", f"2;{'SENTINEL' * 500_000};1")
    with pytest.raises(DataError) as refused:
        bring_in(_register(), file, tmp_path / "s")
    assert "SENTINEL" not in str(refused.value)


def test_far_too_many_misfits_are_told_in_short(tmp_path, monkeypatch):
    monkeypatch.setattr(delimited, "MOST_MISFITS", 10)
    file = write_csv(tmp_path / "a.csv", "id;word;x", *["1;2"] * 11)
    with pytest.raises(DataError, match="more than 10 lines do not have the header's 3 fields"):
        bring_in(_register(), file, tmp_path / "s")


def test_a_row_may_end_with_a_delimiter(tmp_path):
    bring_in(
        _register(), write_csv(tmp_path / "a.csv", "id;word;x", "1;a;1;", "2;b;2;"), tmp_path / "s"
    )
    assert kept(tmp_path / "s")["id"] == [1, 2]
