"""Persons who leave are in no version any more, and nothing says who they were."""

from __future__ import annotations

import json
from datetime import date

import pyarrow.parquet as pq
import pytest
from builders import AS_OF, TABLE, aside, bring_in, kept, register_of, write_csv

from workbench.data.forgetting import forget_persons
from workbench.data.keys import Key
from workbench.data.store import CATALOGUE, ROWS, SET_ASIDE, open_store
from workbench.data.sums import sha256_of
from workbench.errors import DataError, KeyFault, StoreError

KEY = Key(bytes(range(1, 41)), "the tests")
NUMBER = {"type": "code", "sensitivity": "identity", "identity_scheme": "swedish"}
ANNA, BO, CAJ = "198611239883", "191212121212", "195005050512"
P = {number: KEY.pseudonym(number, "swedish") for number in (ANNA, BO, CAJ)}
LINES = [
    f"{ANNA};2020-01-01;a;",
    f"{BO};2020-02-01;b;",
    f"{ANNA};2020-02-30;c;",  # set aside
    f"{CAJ};2020-03-01;d;{ANNA}",  # her child
    "191212121213;2020-01-05;e;",  # set aside, nobody knows whose
    f"{BO};2020-13-01;f;",  # set aside
    f"{CAJ};2020-04-01;g;",
]


def _register(**table):
    return register_of(
        {"nr": {**NUMBER, "required": "yes"}, "day": "date", "word": "text", "mother": NUMBER},
        **{"person": "nr", "dated_by": "day", **table},
    )


def _import(tmp_path, *lines, register=None, name="a", **how):
    file = write_csv(tmp_path / f"{name}.csv", "nr;day;word;mother", *lines)
    return bring_in(register or _register(), file, tmp_path / "s", **{"key": KEY, **how})


def _forget(tmp_path, *lines, table=TABLE, key=KEY, **how):
    return forget_persons(
        tmp_path / "s", table, write_csv(tmp_path / "ids.txt", *lines), key=key, as_of=AS_OF, **how
    )


def _everything(store):
    found = [(store / CATALOGUE).read_text("utf-8")]
    for path in store.rglob("*"):
        if path.is_file():
            found.append(path.read_bytes().decode("latin-1"))
        if path.suffix == ".parquet":
            found.append(str(pq.read_table(path).to_pylist()))
    return "\n".join(found)


def _whole(store):
    """Every version is as the catalogue says, and nothing else lies in the store."""
    opened = open_store(store)
    places = set()
    for table, versions in opened.catalogue.tables.items():
        for version in versions:
            assert sha256_of(opened.file(table, version)) == version.rows_sha256
            parts = [opened.file(table, version, part) for part in (ROWS, SET_ASIDE)]
            counted = [pq.read_metadata(part).num_rows for part in parts]
            assert counted == [version.n_rows_kept, version.n_rows_set_aside]
            assert version.n_rows_read == sum(counted)
            places.add(parts[0].parent)
    assert {path for path in store.glob("*/*/*") if path.is_dir()} == places
    assert not list(store.glob(".staging*"))


def test_a_person_is_gone_from_every_version(tmp_path):
    _import(tmp_path, *LINES)
    _import(tmp_path, *LINES, f"{ANNA};2021-01-01;h;", name="b")
    done = _forget(tmp_path, ANNA, reason="asked to leave")
    assert (done.n_asked, done.n_found) == (1, 1)
    assert [(one.version, one.n_rows_kept, one.n_rows_set_aside) for one in done.tombstones] == [
        ("v0001", 2, 1), ("v0002", 3, 1)
    ]  # fmt: skip
    assert kept(tmp_path / "s")["word"] == ["b", "g"]
    assert list(aside(tmp_path / "s")) == ["5", "6"]
    assert P[ANNA] not in _everything(tmp_path / "s")
    assert P[BO] in _everything(tmp_path / "s")
    _whole(tmp_path / "s")


@pytest.mark.parametrize(
    "line", [ANNA, "19861123-9883", "861123-9883", "8611239883", " 19 861123 9883 ", f'"{ANNA}"',
             P[ANNA]],
)  # fmt: skip
def test_a_person_is_named_in_any_spelling(tmp_path, line):
    _import(tmp_path, *LINES)
    done = _forget(tmp_path, "# who left in May", "", line)
    assert (done.n_asked, done.n_found, len(done.tombstones)) == (1, 1, 1)
    assert P[ANNA] not in _everything(tmp_path / "s")


def test_what_stays_is_told_as_it_is(tmp_path):
    before = _import(tmp_path, *LINES).version
    _forget(tmp_path, ANNA, reason="asked to leave")
    opened = open_store(tmp_path / "s")
    version = opened.version(TABLE)
    assert (version.name, version.n_rows_removed, version.n_rows_read) == ("v0001", 3, 4)
    assert version.rows_sha256 != before.rows_sha256
    assert {(f.rule, f.column, f.n_rows, f.first_rows) for f in version.faults} == {
        ("wrong check digit", "nr", 1, ("5",)),
        ("impossible date", "day", 1, ("6",)),
    }
    assert all(note.first_rows == () for note in version.notes) and version.notes
    assert (version.first_date, version.last_date) == (date(2020, 2, 1), date(2020, 4, 1))
    (stone,) = opened.catalogue.tombstones
    assert stone.rows_sha256 == before.rows_sha256
    assert (stone.what, stone.reason) == ("persons", "asked to leave")
    assert stone.sources == tuple(source.sha256 for source in before.sources)
    written = json.dumps(json.loads((tmp_path / "s" / CATALOGUE).read_text())["tombstones"])
    assert not any(name in written for name in (ANNA, P[ANNA], "861123"))


def test_forgetting_again_and_again(tmp_path):
    _import(tmp_path, *LINES)
    for at, number in enumerate((ANNA, BO, CAJ), start=2):
        _forget(tmp_path, number)
        assert open_store(tmp_path / "s").version(TABLE).folder == f"v0001-{at}"
        _whole(tmp_path / "s")
    assert kept(tmp_path / "s")["nr"] == []
    assert not any(pseudonym in _everything(tmp_path / "s") for pseudonym in P.values())
    assert _forget(tmp_path, ANNA).tombstones == ()


def test_who_is_not_there_changes_nothing(tmp_path):
    _import(tmp_path, *LINES)
    before = (tmp_path / "s" / CATALOGUE).read_bytes()
    done = _forget(tmp_path, "199007212393")
    assert (done.n_asked, done.n_found, done.tombstones) == (1, 0, ())
    assert (tmp_path / "s" / CATALOGUE).read_bytes() == before


def test_numbers_that_nobody_could_read_are_told(tmp_path):
    _import(tmp_path, *LINES, "1;2")
    assert _forget(tmp_path, ANNA).n_unreadable == 2


def test_the_next_version_keeps_its_number(tmp_path):
    _import(tmp_path, *LINES)
    _forget(tmp_path, ANNA)
    assert _import(tmp_path, *LINES[1:], name="b").version.name == "v0002"
    _whole(tmp_path / "s")


def test_the_same_files_would_bring_persons_back(tmp_path):
    register = _register()
    _import(tmp_path, *LINES, register=register)
    _forget(tmp_path, ANNA)
    changed = _register(label="changed")
    with pytest.raises(DataError, match="(?s)were removed.*--accept-withdrawn.*workbench forget"):
        _import(tmp_path, *LINES, register=changed)
    assert _import(tmp_path, *LINES, register=changed, accept_withdrawn=True).is_new
    assert P[ANNA] in _everything(tmp_path / "s")
    assert _import(tmp_path, *LINES[1:2], name="b").is_new  # another delivery


def test_a_register_is_all_its_tables(tmp_path):
    _import(tmp_path, *LINES)
    done = _forget(tmp_path, ANNA, table="small")
    assert len(done.tombstones) == 1
    with pytest.raises(StoreError, match='holds no table "smal".*small.rows'):
        _forget(tmp_path, ANNA, table="smal")


def test_running_numbers(tmp_path):
    register = register_of(
        {"id": {"type": "code", "sensitivity": "pseudonym"}, "x": "integer"}, person="id"
    )
    lines = ["p1;1", "p2;2", " p1 ;x", "p12;3", "p1;4;5", "p12;5;6"]
    bring_in(register, write_csv(tmp_path / "a.csv", "id;x", *lines), tmp_path / "s")
    done = _forget(tmp_path, "p1", key=None)
    assert [(one.n_rows_kept, one.n_rows_set_aside) for one in done.tombstones] == [(1, 2)]
    assert kept(tmp_path / "s")["id"] == ["p2", "p12"]
    assert list(aside(tmp_path / "s")) == ["6"]


def test_running_numbers_that_are_whole_numbers(tmp_path):
    register = register_of(
        {"id": {"type": "integer", "sensitivity": "pseudonym"}, "x": "integer"}, person="id"
    )
    lines = ["007;1", "8;2", "7;x", "07.0;x"]
    bring_in(register, write_csv(tmp_path / "a.csv", "id;x", *lines), tmp_path / "s")
    _forget(tmp_path, "7", key=None)
    assert kept(tmp_path / "s")["id"] == [8]
    assert aside(tmp_path / "s") == {}


FAULTY = {
    "wrong digit": (["191212121213"], "line 1: wrong check digit"),
    "no number": ([ANNA, "Anna Svensson"], "line 2: not an identity number"),
    "nobody": (["# nobody", ""], "names nobody"),
}


@pytest.mark.parametrize("case", FAULTY)
def test_a_list_that_cannot_be_used_changes_nothing(tmp_path, case):
    lines, words = FAULTY[case]
    _import(tmp_path, *LINES)
    before = (tmp_path / "s" / CATALOGUE).read_bytes()
    with pytest.raises(DataError) as refused:
        _forget(tmp_path, *lines)
    assert words in str(refused.value)
    assert "1212" not in str(refused.value) and "Anna" not in str(refused.value)
    assert (tmp_path / "s" / CATALOGUE).read_bytes() == before


def test_ten_digits_that_fit_two_persons_are_doubtful(tmp_path):
    _import(tmp_path, f"{BO};2020-01-01;a;", "201212121212;2020-01-01;b;", "191212121212;;c;")
    with pytest.raises(DataError, match="(?s)line 2: two persons fit.*twelve digits"):
        _forget(tmp_path, "201212121212", "121212-1212")
    assert _forget(tmp_path, "121212+1212").n_found == 1
    assert _forget(tmp_path, "121212-1212").n_found == 1  # only one of them is left
    assert kept(tmp_path / "s")["nr"] == []


def test_numbers_need_the_key_of_the_store_and_pseudonyms_none(tmp_path):
    _import(tmp_path, *LINES)
    with pytest.raises(KeyFault, match="no key"):
        _forget(tmp_path, ANNA, key=None)
    with pytest.raises(StoreError, match="made with another key"):
        _forget(tmp_path, ANNA, key=Key(bytes(range(50, 90)), "a test"))
    assert _forget(tmp_path, P[ANNA], key=None).n_found == 1


def test_a_reason_says_why_and_not_who(tmp_path):
    _import(tmp_path, *LINES)
    for reason in (f"{ANNA} asked", "born 19861123-9883"):
        with pytest.raises(DataError, match="why, and not who") as refused:
            _forget(tmp_path, ANNA, reason=reason)
        assert "9883" not in str(refused.value)


def test_tables_without_persons_are_told(tmp_path):
    bring_in(register_of({"x": "integer"}), write_csv(tmp_path / "a.csv", "x", "1"), tmp_path / "s")
    with pytest.raises(StoreError, match="carry no identity.*workbench prune"):
        _forget(tmp_path, "1", key=None)


def test_a_list_that_is_not_there_is_told_before_anything(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        forget_persons(tmp_path / "s", TABLE, tmp_path / "none", key=KEY, as_of=AS_OF)


def test_readers_of_before_see_whole_rows(tmp_path):
    _import(tmp_path, *LINES)
    _forget(tmp_path, BO)
    rows = open_store(tmp_path / "s").rows(TABLE).order_by("row_id").execute()
    assert rows["row_id"].tolist() == [1, 2, 3]
