from __future__ import annotations

import pytest
from builders import bring_in, kept, register_of
from hypothesis import given
from hypothesis import strategies as st

from workbench.data import encodings
from workbench.data.encodings import as_utf8, recognise_encoding
from workbench.errors import DataError

TEXT = "id;town\n1;Åmål\n2;Östersund\n3;Ærø\n4;Škofja Loka\n5;20 € – ”x”\n"
SWEDISH = "id;town\n1;Åmål\n2;Östersund\n3;Ærø\n4;Pite\u00c5”\n5;20 € – ”x”\n"
TOWNS = ["Åmål", "Östersund", "Ærø"]


def _register(**delivery):
    return register_of({"id": "integer", "town": "text"}, delivery=delivery)


@pytest.mark.parametrize(
    ("codec", "mark", "declared"),
    [
        ("utf-8", b"", "utf-8"),
        ("utf-8", b"\xef\xbb\xbf", "utf-8"),
        ("utf-16-le", b"", "utf-16"),
        ("utf-16-be", b"", "utf-16"),
        ("utf-16-le", b"\xff\xfe", "utf-16"),
        ("utf-16-be", b"\xfe\xff", "utf-16"),
        ("cp1252", b"", "windows-1252"),
    ],
)
@pytest.mark.parametrize("is_declared", [True, False])
def test_letters_of_the_north_survive(tmp_path, codec, mark, declared, is_declared):
    file = tmp_path / "towns.csv"
    text = SWEDISH if codec == "cp1252" else TEXT
    file.write_bytes(mark + text.encode(codec))
    done = bring_in(
        _register(**({"encoding": declared} if is_declared else {})), file, tmp_path / "s"
    )
    assert kept(tmp_path / "s")["town"][:3] == TOWNS
    assert kept(tmp_path / "s")["town"][4] == "20 € – ”x”"
    assert done.version.sources[0].read_as.startswith(declared)
    assert done.version.n_rows_set_aside == 0


def test_plain_ascii_may_be_declared_as_anything(tmp_path):
    for declared in ("utf-8", "windows-1252", "utf-16"):
        file = tmp_path / f"{declared}.csv"
        file.write_text("id;town\n1;Lund\n")
        if declared != "utf-16":
            assert bring_in(_register(encoding=declared), file, tmp_path / declared).is_new


def test_a_letter_cut_by_the_end_of_a_block_is_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(encodings, "BLOCK", 7)
    for codec, expected in (("utf-8", "utf-8"), ("utf-16", "utf-16"), ("cp1252", "windows-1252")):
        file = tmp_path / f"{codec}.csv"
        file.write_bytes(SWEDISH.encode(codec))
        assert recognise_encoding(file) == expected
        copy, _ = as_utf8(file, _register().tables["rows"], staging=tmp_path)
        assert copy.read_text("utf-8") == SWEDISH


@pytest.mark.parametrize("letter", list("åäöÅÄÖæøÆØéüšžŽčČć"))
def test_two_encodings_in_one_file_are_refused(tmp_path, letter):
    file = tmp_path / "mixed.csv"
    file.write_bytes("id;town\n1;Åmål\n".encode("cp1252") + f"2;a{letter}b\n".encode())
    with pytest.raises(DataError, match="mixes two encodings|some mean nothing"):
        bring_in(_register(), file, tmp_path / "store")
    assert not (tmp_path / "store" / "small").exists()


def test_two_encodings_are_seen_across_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(encodings, "BLOCK", 1)
    file = tmp_path / "mixed.csv"
    file.write_bytes("id;town\n1;Åmål\n".encode("cp1252") + "2;ö\n".encode())
    with pytest.raises(DataError, match="1 letters are UTF-8"):
        as_utf8(file, _register().tables["rows"], staging=tmp_path)


@pytest.mark.parametrize(
    "word", ["ANDR\u00c9E", "PITE\u00c5 ", "S\u00c3O", "”PITE\u00c5”", "\u00c4\u00c4\u00d6"]
)
def test_words_of_windows_1252_are_not_taken_for_two_encodings(tmp_path, word):
    file = tmp_path / "words.csv"
    file.write_bytes(f"id;town\n1;{word}\n".encode("cp1252"))
    assert bring_in(_register(), file, tmp_path / "store").version.n_rows_kept == 1
    assert kept(tmp_path / "store")["town"] == [word.strip()]


def test_bytes_that_no_encoding_explains_are_refused(tmp_path):
    file = tmp_path / "bad.csv"
    file.write_bytes(b"id;town\n1;\x81\x8d\xff\n")
    with pytest.raises(DataError, match="some mean nothing"):
        bring_in(_register(), file, tmp_path / "store")


def test_utf16_that_was_cut_is_refused(tmp_path):
    file = tmp_path / "cut.csv"
    file.write_bytes(SWEDISH.encode("utf-16")[:-1])
    with pytest.raises(DataError, match="some mean nothing"):
        bring_in(_register(), file, tmp_path / "store")


@pytest.mark.parametrize(
    ("declared", "codec"),
    [
        ("utf-8", "cp1252"),
        ("windows-1252", "utf-8"),
        ("utf-16", "utf-8"),
        ("utf-8", "utf-16"),
        ("windows-1252", "utf-16"),
    ],
)
def test_another_encoding_than_declared_is_refused(tmp_path, declared, codec):
    file = tmp_path / "towns.csv"
    file.write_bytes(SWEDISH.encode(codec))
    with pytest.raises(DataError, match=f"is not {declared}, as the definition declares"):
        bring_in(_register(encoding=declared), file, tmp_path / "store")


def test_a_zero_byte_makes_no_utf16(tmp_path):
    file = tmp_path / "zero.csv"
    file.write_bytes(b"id;town\n1;a\0b\n2;c\n")
    done = bring_in(_register(), file, tmp_path / "store")
    assert [(f.rule, f.n_rows) for f in done.version.faults] == [("damaged letters", 1)]


@given(st.text(st.characters(codec="cp1252", exclude_characters='\r\n\0;"'), min_size=1))
def test_any_text_keeps_its_letters(tmp_path_factory, text):
    folder = tmp_path_factory.mktemp("any")
    table = _register().tables["rows"]
    for codec in ("utf-8", "utf-8-sig", "utf-16"):
        file = folder / f"{codec}.csv"
        file.write_bytes(f"id;town\n1;{text}\n".encode(codec))
        copy, _ = as_utf8(file, table, staging=folder)
        assert copy.read_text("utf-8-sig") == f"id;town\n1;{text}\n"
