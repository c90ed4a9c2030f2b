"""Deliveries with identity numbers: pseudonyms in the store, and no number anywhere."""

from __future__ import annotations

import os
from datetime import date

import duckdb
import pandas as pd
import pyarrow.parquet as pq
import pytest
from builders import AS_OF, TABLE, aside, bring_in, kept, register_of, told, write_csv

from workbench.data import delivery, row_stream, typed
from workbench.data import engine as engine_room
from workbench.data.keys import Key, demonstration_key
from workbench.data.store import CATALOGUE, SET_ASIDE, open_store
from workbench.errors import DataError, KeyFault, StoreError

KEY = Key(bytes(range(1, 41)), "the tests")
PUBLIC = demonstration_key()
OTHER = Key(bytes(range(100, 132)), "a test")
NUMBER = {"type": "code", "sensitivity": "identity", "identity_scheme": "swedish"}
TOLVAN, ELVAN = "191212121212", "198611239883"  # a man; a woman of the test series
PSEUDONYM = KEY.pseudonym(TOLVAN, "swedish")


def _register(scheme="swedish", **more):
    variables = {"nr": {**NUMBER, "identity_scheme": scheme}, "word": "text", **more.pop("v", {})}
    return register_of(variables, **{"person": "nr", **more})


def _import(tmp_path, *lines, register=None, header="nr;word", store="s", **how):
    file = write_csv(tmp_path / f"{store}.csv", header, *lines)
    return bring_in(register or _register(), file, tmp_path / store, **{"key": KEY, **how})


def _notes(done):
    return {(note.rule, note.column): note.n_rows for note in done.version.notes}


def _set_aside(store):
    opened = open_store(store)
    return pq.read_table(opened.file(TABLE, opened.version(TABLE), SET_ASIDE)).to_pylist()


def _everything_below(folder):
    """All bytes below a folder, and all that Parquet files there hold, as text."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            found.append(path.read_bytes().decode("latin-1"))
        if path.suffix == ".parquet":
            found.append(str(pq.read_table(path).to_pylist()))
    return "\n".join(found)


def _spellings(number):
    """Every way a Swedish number may be written."""
    twelve = number.replace("-", "").replace("+", "").replace(" ", "")
    return {twelve, twelve[2:]} | {
        f"{whole[:-4]}{sign}{whole[-4:]}" for whole in (twelve, twelve[2:]) for sign in "-+ "
    }


def test_every_spelling_of_a_number_is_one_pseudonym(tmp_path):
    spelled = ["191212121212", "19121212-1212", "121212+1212", " 19121212-1212 ", "19 1212121212"]
    done = _import(tmp_path, *[f"{one};a" for one in spelled])
    assert kept(tmp_path / "s")["nr"] == [PSEUDONYM] * 5
    assert done.version.n_rows_set_aside == 0


@pytest.mark.parametrize(
    ("scheme", "text", "number"),
    [("norwegian", "130972 48022", "13097248022"), ("danish", "211062-5629", "2110625629"),
     ("danish", "0707614285", "0707614285"), ("finnish", "131052-308t", "131052-308T")],
)  # fmt: skip
def test_every_scheme_has_its_normal_form(tmp_path, scheme, text, number):
    _import(tmp_path, f"{text};a", register=_register(scheme))
    assert kept(tmp_path / "s")["nr"] == [KEY.pseudonym(number, scheme)]


@pytest.mark.parametrize("ending", [".parquet", ".xlsx", ".dta"])
def test_every_kind_of_file_is_pseudonymised(tmp_path, ending):
    rows = pd.DataFrame({"nr": [TOLVAN, "19861123-9883"], "word": ["a", "b"]})
    file = tmp_path / f"a{ending}"
    {".parquet": rows.to_parquet, ".xlsx": rows.to_excel, ".dta": rows.to_stata}[ending](
        file, **({"write_index": False} if ending == ".dta" else {"index": False})
    )
    bring_in(_register(), file, tmp_path / "s", key=KEY)
    assert kept(tmp_path / "s")["nr"] == [PSEUDONYM, KEY.pseudonym(ELVAN, "swedish")]


@pytest.mark.parametrize("block", [1, 2, 3, 1000])
def test_rows_keep_their_order_and_their_places(tmp_path, monkeypatch, block):
    monkeypatch.setattr(row_stream, "BLOCK", block)
    lines = [f"{TOLVAN};a", f"{TOLVAN[:-1]}3;b", f"{ELVAN};c", ";d", "x;e", f"{TOLVAN};f"]
    _import(tmp_path, *lines)
    assert kept(tmp_path / "s")["word"] == ["a", "c", "f"]
    assert aside(tmp_path / "s") == {
        "2": ["wrong check digit: nr"],
        "4": ["missing value: nr"],
        "5": ["not an identity number: nr"],
    }


@pytest.mark.parametrize("n_threads", [1, 2, 4])
def test_many_rows_keep_their_order_and_give_the_same_file(tmp_path, monkeypatch, n_threads):
    real = duckdb.connect

    def with_threads(*given, **how):
        session = real(*given, **how)
        session.execute(f"set threads = {n_threads}")
        return session

    numbers = [TOLVAN, ELVAN, "195005050512", "191212121213", "199007212393"]
    of = [KEY.pseudonym(one, "swedish") for one in numbers]
    lines = [f"{numbers[(row * row) % 5]};{row}" for row in range(300_000)]
    usual = _import(tmp_path, *lines, store="usual").version
    monkeypatch.setattr(engine_room.duckdb, "connect", with_threads)
    assert _import(tmp_path, *lines).version.rows_sha256 == usual.rows_sha256
    rows = kept(tmp_path / "s")
    expected = [row for row in range(300_000) if (row * row) % 5 != 3]
    assert rows["word"] == [str(row) for row in expected]
    assert rows["nr"] == [of[(row * row) % 5] for row in expected]


def test_a_delivery_of_misfits_alone_and_one_of_empty_numbers(tmp_path):
    with pytest.raises(DataError, match="refused"):
        _import(tmp_path, "1;2;3", store="a")
    with pytest.raises(DataError, match="nr: missing value in 2 rows"):
        _import(tmp_path, ";a", ";b", store="b")


def test_faults_of_numbers_are_told_by_rule(tmp_path):
    lines = [f"{TOLVAN};a", "191212121213;b", "19121;c", "20301212-1212;d", "191213121212;e"]
    done = _import(tmp_path, *lines)
    assert told(done) == {("not an identity number", "nr", 3), ("wrong check digit", "nr", 1)}


def test_what_is_worth_telling_of_numbers(tmp_path):
    sex = {"type": "code", "codes": {"1": "male", "2": "female", "9": "x"}, "means": "sex"}
    register = _register(v={"born": {"type": "date", "means": "birth_date"}, "sex": sex})
    lines = [
        f"{TOLVAN};a;1912-12-12;1",
        f"{TOLVAN};b;1912-12-13;2",  # both differ
        "121212-1212;c;1912-12-12;1",  # the delivered birth date gives the century
        "121212-1212;d;;9",  # the calendar gives it: another person
        f"{ELVAN};e;;",
        "x;f;1900-01-01;1",
    ]
    done = _import(tmp_path, *lines, register=register, header="nr;word;born;sex")
    assert _notes(done) == {
        ("birth date differs from the number", "born"): 1,
        ("sex differs from the number", "sex"): 1,
        ("century taken from the calendar", "nr"): 1,
        ("test number", "nr"): 1,
    }
    rows = kept(tmp_path / "s")
    assert rows["nr"][:4] == [PSEUDONYM] * 3 + [KEY.pseudonym("201212121212", "swedish")]


def test_another_persons_number_has_nothing_to_do_with_the_birth_date(tmp_path):
    register = _register(v={"mother": NUMBER, "born": {"type": "date", "means": "birth_date"}})
    lines = [f"{ELVAN};a;{TOLVAN};1986-11-23", f"{ELVAN};b;;1986-11-23", f"{ELVAN};c;1;"]
    done = _import(tmp_path, *lines, register=register, header="nr;word;mother;born")
    assert ("birth date differs from the number", "born") not in _notes(done)
    assert kept(tmp_path / "s")["mother"] == [PSEUDONYM, None]
    assert told(done) == {("not an identity number", "mother", 1)}


def test_notes_are_of_rows_that_are_kept(tmp_path):
    done = _import(tmp_path, f"{ELVAN};a", f"{ELVAN};Ã¥")
    assert _notes(done) == {("test number", "nr"): 1}


def test_dates_in_the_wrong_order_are_told_and_kept(tmp_path):
    register = register_of({"a": "date", "b": "date"}, date_order=[["a", "b"]])
    lines = ["2020-01-02;2020-01-01", "2020-01-01;2020-01-01", "2020-01-02;", ";2020-01-01"]
    done = bring_in(register, write_csv(tmp_path / "a.csv", "a;b", *lines), tmp_path / "s")
    assert _notes(done) == {("order of dates", "a, b"): 1}
    assert done.version.n_rows_kept == 4


@pytest.mark.parametrize(
    ("system", "separated_by", "codes", "strange"),
    [
        ("icd10se", None, ["I219", "i21.9", "I10-P", "T810X"], ["21", "I21 C18", "XXX"]),
        ("kva", "blank", ["JHB00", "JHB00 NFB29", " JHB00  NFB29 "], ["JHB00 1", "JHB0"]),
        ("atc", "comma", ["A10BA02", "A10BA02, C09", "A10"], ["A10BA02,12", "A1"]),
    ],
)
def test_codes_that_their_classification_cannot_have_are_told(
    tmp_path, system, separated_by, codes, strange
):
    variable = {"type": "code", "code_system": system}
    register = register_of(
        {"nr": "integer", "x": variable | ({"separated_by": separated_by} if separated_by else {})}
    )
    lines = [f"{at};{one}" for at, one in enumerate(["", *codes, *strange])]
    done = bring_in(register, write_csv(tmp_path / "a.csv", "nr;x", *lines), tmp_path / "s")
    assert _notes(done) == {(f"not shaped like {system}", "x"): len(strange)}
    first = len(codes) + 2
    assert [n.first_rows for n in done.version.notes] == [
        tuple(str(first + at) for at in range(len(strange)))
    ]


DIRTY = [
    f"{TOLVAN};fine;A",
    "19121212-1212;fine too;B",
    "191212121213;wrong digit;C",  # a number mistyped
    "19861123-988;too short;D",
    f"{ELVAN};Ã¥;E",  # set aside for its word
    f"{ELVAN};Ã¥ {TOLVAN};F",  # with a number in it
    f"{ELVAN};Ã¥ 121212-121;G",  # and a part of one
    f"{ELVAN};Ã¥;19900721-2393",
    f"{TOLVAN};two;many;fields",
    f"{TOLVAN}",
]


def test_rows_set_aside_hold_no_number(tmp_path):
    register = _register(v={"code": "code"})
    _import(tmp_path, *DIRTY, register=register, header="nr;word;code")
    elvan = KEY.pseudonym(ELVAN, "swedish")
    assert [(row["nr"], row["word"], row["code"]) for row in _set_aside(tmp_path / "s")] == [
        ("[withheld]", "wrong digit", "C"),
        ("[withheld]", "too short", "D"),
        (elvan, "Ã¥", "E"),
        (elvan, "[withheld]", "F"),
        (elvan, "[withheld]", "G"),
        (elvan, "Ã¥", "[withheld]"),
        (None, None, None),
        (None, None, None),
    ]
    assert {row["_line"] for row in _set_aside(tmp_path / "s")} == {None, "[withheld]"}


def test_a_missing_number_in_a_row_set_aside_stays_as_it_was(tmp_path):
    register = _register(delivery={"missing": ["NA"]})
    _import(tmp_path, f"{TOLVAN};a", "NA;b", " ;c", register=register)
    assert [row["nr"] for row in _set_aside(tmp_path / "s")] == ["NA", " "]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_no_number_is_found_below_the_store(tmp_path, encoding, capfd):
    register = _register(v={"code": "code"})
    lines = [*DIRTY, "195005050512;Örebro;H"]
    file = write_csv(tmp_path / "a.csv", "nr;word;code", *lines, encoding=encoding)
    said = []
    done = bring_in(register, file, tmp_path / "s", key=KEY, progress=said.append)
    told_to_user = [str(done), *said, *capfd.readouterr()]
    found = _everything_below(tmp_path / "s") + "".join(told_to_user)
    for number in (TOLVAN, ELVAN, "195005050512", "191212121213", "199007212393"):
        assert [one for one in _spellings(number) if one in found] == []
    assert PSEUDONYM in found
    for block in KEY.pads():
        assert block.decode("latin-1") not in found


@pytest.mark.parametrize("stop_at", ["write_with_pseudonyms", "_add_untyped", "read_numbers"])
def test_what_fails_on_the_way_leaves_no_number(tmp_path, monkeypatch, stop_at):
    def fail(*_, **__):
        raise duckdb.IOException(f"cannot cast {TOLVAN}")

    monkeypatch.setattr(typed, stop_at, fail)
    register = _register(v={"day": "date"})
    with pytest.raises(DataError) as refused:
        _import(tmp_path, f"{TOLVAN};Å;x", register=register, header="nr;word;day")
    assert TOLVAN not in str(refused.value) + _everything_below(tmp_path / "s")
    assert not list((tmp_path / "s").glob(".staging*"))


def test_typed_rows_on_their_way_hold_pseudonyms_already(tmp_path, monkeypatch):
    seen = []

    def look(engine, *given, **how):
        (path,) = (tmp_path / "s").glob(".staging-*/typed.parquet")
        seen.append(str(pq.read_table(path).to_pylist()))
        return real(engine, *given, **how)

    real = delivery.find_faults
    monkeypatch.setattr(delivery, "find_faults", look)
    _import(tmp_path, f"{TOLVAN};a")
    assert PSEUDONYM in seen[0] and TOLVAN not in seen[0]


def test_free_text_that_is_scanned(tmp_path):
    register = register_of({"id": "integer", "note": {"type": "text", "free_text": "scanned"}})
    found = ["see 19121212-1212", "191212121212", "191212 1212 moved", "pnr121212-1212",
             "13097248022", "130972 48022", "131052-308t", "0707614285",
             "19121212-1213"]  # fmt: skip
    fine = ["phone 070-1234567", "191212121213", "order 20240115093000", "2024-01-15",
            "1234567890", "131052-308U", "130972 48023", "0707614286", ""]  # fmt: skip
    lines = [f"{at};{one}" for at, one in enumerate([*fine, *found])]
    done = bring_in(register, write_csv(tmp_path / "a.csv", "id;note", *lines), tmp_path / "s")
    assert told(done) == {("identity number in free text", "note", len(found))}
    assert kept(tmp_path / "s")["id"] == list(range(len(fine)))
    assert {row["note"] for row in _set_aside(tmp_path / "s")} == {"[withheld]"}


def test_free_text_that_is_left_out_is_never_stored(tmp_path):
    secret = {"type": "text", "free_text": "left_out", "required": "yes"}
    register = register_of({"id": "integer", "note": {**secret, "delivered_as": "NOTE"}})
    file = write_csv(tmp_path / "a.csv", "id;NOTE;more", "1;see 19121212-1212;x", "y;SECRET;x")
    done = bring_in(register, file, tmp_path / "s")
    assert done.version.free_text_left_out == ("note",)
    assert done.version.columns_left_out == ("more",)
    assert done.version.definition.variables["note"].free_text == "left_out"
    assert kept(tmp_path / "s") == {"id": [1]}
    found = _everything_below(tmp_path / "s")
    assert "1212" not in found and "SECRET" not in found
    # A delivery that does not hold it at all is as good.
    other = write_csv(tmp_path / "b.csv", "id", "1")
    assert bring_in(register, other, tmp_path / "t").version.free_text_left_out == ("note",)


UNDECLARED = {
    "bare Swedish": (["191212121212", "198611239883", "195005050512"], "code", True),
    "bare Swedish, ten digits": (["1212121212", "8611239883", "5005050512"], "text", True),
    "bare Norwegian": (["13097248022", "29029648784", "15021951940"], "code", True),
    "bare Danish": (["0707614285", "2110625629", "1405852981"], "code", True),
    "as whole numbers": (["191212121212", "198611239883"], "integer", True),
    "samples that begin with a date": (
        ["202401150001", "202401150002", "202401150003", "202401150004"], "code", False
    ),
    "long numbers": (["999912121212", "888812121213"], "code", False),
    "wrong check digits": (["191212121213", "198611239884", "195005050513"], "code", False),
    "one among hundreds": (["191212121212", *["A1"] * 200], "code", False),
    "one among a few": (["191212121212", *["A1"] * 20], "code", True),
}  # fmt: skip


@pytest.mark.parametrize("case", UNDECLARED)
def test_bare_numbers_where_none_is_declared(tmp_path, case):
    values, kind, is_refused = UNDECLARED[case]
    register = register_of({"id": "integer", "x": kind})
    file = write_csv(tmp_path / "a.csv", "id;x", *[f"{at};{one}" for at, one in enumerate(values)])
    if not is_refused:
        assert bring_in(register, file, tmp_path / "s").is_new
        return
    with pytest.raises(DataError, match='column "x" holds what looks like identity numbers'):
        bring_in(register, file, tmp_path / "s")
    assert not (tmp_path / "s" / "small").exists()


def test_an_undeclared_number_in_a_row_that_is_kept_refuses_a_declared_table_too(tmp_path):
    with pytest.raises(DataError, match='"word" holds what looks like identity numbers in 1 row'):
        _import(tmp_path, f"{TOLVAN};a", f"{TOLVAN};see 19861123-9883")


def test_numbers_need_a_key(tmp_path):
    with pytest.raises(KeyFault, match="workbench new key") as refused:
        _import(tmp_path, f"{TOLVAN};a", key=None)
    assert refused.value.exit_code == 2
    assert not (tmp_path / "s").exists()


def test_tables_without_numbers_need_no_key_and_bind_the_store_to_none(tmp_path):
    file = write_csv(tmp_path / "a.csv", "id", "1")
    bring_in(register_of({"id": "integer"}), file, tmp_path / "s", key=OTHER)
    assert open_store(tmp_path / "s").catalogue.key_fingerprint is None
    _import(tmp_path, f"{TOLVAN};a", key=KEY)
    assert open_store(tmp_path / "s").catalogue.key_fingerprint == KEY.fingerprint


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (OTHER, Key(bytes(range(32)), "the file b"), "made with another key than that of the file"),
        (PUBLIC, OTHER, "holds invented persons"),
        (OTHER, PUBLIC, "holds persons under a secret key"),
    ],
)
@pytest.mark.parametrize("dry_run", [False, True])
def test_a_store_refuses_a_second_key(tmp_path, first, second, words, dry_run):
    _import(tmp_path, f"{ELVAN};a", key=first)
    before = (tmp_path / "s" / CATALOGUE).read_bytes()
    with pytest.raises(StoreError, match=f"(?s){words}.*--store FOLDER"):
        _import(tmp_path, f"{ELVAN};b", key=second, dry_run=dry_run)
    assert (tmp_path / "s" / CATALOGUE).read_bytes() == before
    assert _import(tmp_path, f"{ELVAN};b", key=first).is_new


@pytest.mark.parametrize("dry_run", [False, True])
def test_the_public_key_is_for_nobody_who_may_exist(tmp_path, dry_run):
    with pytest.raises(DataError, match="(?s)real persons may have in 2 rows.*new key"):
        _import(tmp_path, f"{ELVAN};a", f"{TOLVAN};b", f"{TOLVAN};c", key=PUBLIC, dry_run=dry_run)
    assert _import(tmp_path, f"{ELVAN};a", "191212121213;b", key=PUBLIC, store="t").is_new


def test_a_new_key_makes_a_new_store_of_the_same_files(tmp_path):
    _import(tmp_path, f"{TOLVAN};a", key=OTHER, store="old")
    _import(tmp_path, f"{TOLVAN};a", key=KEY, store="new")
    assert kept(tmp_path / "old")["nr"] != kept(tmp_path / "new")["nr"] == [PSEUDONYM]


def test_a_lost_key_leaves_a_store_that_can_be_read(tmp_path):
    _import(tmp_path, f"{TOLVAN};a", key=OTHER)
    assert open_store(tmp_path / "s").rows(TABLE).count().execute() == 1
    with pytest.raises(KeyFault):
        _import(tmp_path, f"{ELVAN};a", key=None)


def test_a_dry_run_says_the_same_and_leaves_nothing(tmp_path, monkeypatch):
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr("workbench.data.staging.gettempdir", lambda: str(temporary))
    monkeypatch.setattr(
        "workbench.data.staging.mkdtemp",
        lambda prefix: os.fspath(_made(temporary / f"{prefix}x")),
    )
    dry = _import(tmp_path, *DIRTY[:4], register=_register(v={"code": "code"}),
                  header="nr;word;code", dry_run=True)  # fmt: skip
    assert told(dry) == {("not an identity number", "nr", 1), ("wrong check digit", "nr", 1)}
    assert list(temporary.iterdir()) == [] and not (tmp_path / "s").exists()


def _made(path):
    path.mkdir(mode=0o700)
    return path


def test_the_age_of_the_delivery_decides_the_century(tmp_path):
    _import(tmp_path, "121212-1212;a", as_of=date(2000, 1, 1))
    assert kept(tmp_path / "s")["nr"] == [PSEUDONYM]
    assert AS_OF.year > 2012
    _import(tmp_path, "121212-1212;a", store="t")
    assert kept(tmp_path / "t")["nr"] != [PSEUDONYM]
