from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from datetime import date

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from builders import AS_OF, TABLE, aside, bring_in, kept, register_of, told, write_csv
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench import cli
from workbench.data import delivery
from workbench.data import engine as engine_room
from workbench.data.store import CATALOGUE, SET_ASIDE, open_store, writing
from workbench.errors import DataError, RunError, StoreError

VARIABLES = {"id": "integer", "word": "text"}
SENTINEL = "SENTINELxyz"


def _register(**table):
    return register_of(VARIABLES, **{"key": ["id"], **table})


def _content(folder):
    """Every file of a store but the lock, with its sum."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def test_the_same_file_twice_changes_nothing(tmp_path):
    file = write_csv(tmp_path / "a.csv", "id;word", "1;a", "1;a", "x;b")
    first = bring_in(_register(), file, tmp_path / "s")
    before = _content(tmp_path / "s")
    again = bring_in(_register(), file, tmp_path / "s", as_of=date(2025, 1, 1))
    assert (first.is_new, again.is_new) == (True, False)
    assert again.version == first.version
    assert _content(tmp_path / "s") == before


def test_a_corrected_delivery_is_a_new_version_beside_the_old(tmp_path):
    one = write_csv(tmp_path / "a.csv", "id;word", "1;a")
    two = write_csv(tmp_path / "b.csv", "id;word", "1;b")
    bring_in(_register(), one, tmp_path / "s")
    before = _content(tmp_path / "s" / "small")
    done = bring_in(_register(), two, tmp_path / "s")
    assert done.version.name == "v0002"
    assert kept(tmp_path / "s")["word"] == ["b"]
    assert before.items() <= _content(tmp_path / "s" / "small").items()
    assert [v.name for v in open_store(tmp_path / "s").catalogue.tables[TABLE]] == [
        "v0001",
        "v0002",
    ]
    assert bring_in(_register(), one, tmp_path / "s").version.name == "v0003"


def test_a_changed_definition_is_a_new_version(tmp_path):
    file = write_csv(tmp_path / "a.csv", "id;word", "1;a")
    bring_in(_register(), file, tmp_path / "s")
    assert bring_in(_register(label="Changed"), file, tmp_path / "s").version.name == "v0002"


def test_several_files_are_one_delivery_and_rows_name_their_file(tmp_path):
    one = write_csv(tmp_path / "a.csv", "id;word", "1;a", "2", "x;c", "4;d")
    two = write_csv(tmp_path / "b.csv", "word,id,more", "e,5,", "f,y,", "g,7,,8", "h,1,")
    done = bring_in(_register(), [one, two], tmp_path / "s")
    assert set(aside(tmp_path / "s")) == {
        "a.csv row 1", "a.csv row 2", "a.csv row 3", "b.csv row 2", "b.csv row 3", "b.csv row 4",
    }  # fmt: skip
    assert kept(tmp_path / "s") == {"id": [4, 5], "word": ["d", "e"]}
    assert [source.n_rows for source in done.version.sources] == [4, 4]
    assert done.version.columns_left_out == ("more",)


def test_a_file_named_twice_is_refused(tmp_path):
    file = write_csv(tmp_path / "a.csv", "id;word", "1;a")
    copy = write_csv(tmp_path / "b.csv", "id;word", "1;a")
    for files in ([file, file], [file, copy]):
        with pytest.raises(DataError, match="two of the files are the same"):
            bring_in(_register(), files, tmp_path / "s")


def test_a_dry_run_writes_nothing_and_says_the_same(tmp_path):
    file = write_csv(tmp_path / "a.csv", "id;word", "1;a", "x;b", "2")
    dry = bring_in(_register(), file, tmp_path / "s", dry_run=True)
    assert dry.is_dry_run
    assert not (tmp_path / "s").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv"]
    assert told(dry) == told(bring_in(_register(), file, tmp_path / "s"))


@pytest.mark.parametrize(
    ("limit", "n_faulty", "n_rows", "is_taken"),
    [("0.29", 29, 100, True), ("0.29", 30, 100, False), ("0", 0, 9, True), ("0", 1, 9, False),
     ("1", 9, 9, False), ("0.07", 7, 100, True)],
)  # fmt: skip
def test_the_share_that_may_be_set_aside(tmp_path, limit, n_faulty, n_rows, is_taken):
    old = write_csv(tmp_path / "old.csv", "id;word", "1;a")
    bring_in(_register(), old, tmp_path / "s")
    before = _content(tmp_path / "s")
    lines = [f"{'x' if row <= n_faulty else ''}{row};a" for row in range(1, n_rows + 1)]
    file, register = (
        write_csv(tmp_path / "a.csv", "id;word", *lines),
        _register(set_aside_limit=limit),
    )
    if is_taken:
        assert bring_in(register, file, tmp_path / "s").version.n_rows_set_aside == n_faulty
        return
    with pytest.raises(DataError) as refused:
        bring_in(register, file, tmp_path / "s")
    assert f"{n_faulty} of {n_rows} rows" in str(refused.value)
    assert f"id: not a whole number in {'1 row' if n_faulty == 1 else f'{n_faulty} rows'}" in str(
        refused.value
    )
    assert _content(tmp_path / "s") == before


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        (["1;2;191212-1212"], '"word"'),
        (["1;2;born 19121212-1212, moved"], '"word"'),
        (["1;2;191212+1212"], '"word"'),
        (["1;2;a", "2;19121212-1212;b"], '"age"'),
        (["1;2;a", "x;19121212-1212;b"], '"age"'),
        (["1;2;a", "2;3;b;19121212-1212"], "wrong number of fields"),
    ],
)
def test_what_looks_like_identity_numbers_is_refused_wherever_it_stands(tmp_path, lines, place):
    register = register_of({"id": "integer", "age": "integer", "word": "text"})
    with pytest.raises(DataError) as refused:
        bring_in(register, write_csv(tmp_path / "a.csv", "id;age;word", *lines), tmp_path / "s")
    assert "looks like identity numbers" in str(refused.value)
    assert place in str(refused.value)
    assert "1212" not in str(refused.value)
    assert not (tmp_path / "s" / "small").exists()


@pytest.mark.parametrize(
    "word", ["2020-01-01", "070-1234567", "191212-121", "1234567-1212", "12-1212"]
)
def test_other_numbers_are_no_identity_numbers(tmp_path, word):
    assert bring_in(
        _register(), write_csv(tmp_path / "a.csv", "id;word", f"1;{word}"), tmp_path / "s"
    ).is_new


def test_a_second_import_at_once_is_told_to_wait(tmp_path):
    project = tmp_path / "p"
    (project / "params" / "registers").mkdir(parents=True)
    (project / "params" / "registers" / "small.yaml").write_text(
        "name: small\nlabel: S\ntables: {rows: {variables: {id: {type: integer}}}}\n"
    )
    file = write_csv(tmp_path / "a.csv", "id", "1")
    command = [
        sys.executable,
        "-m",
        "workbench",
        "import",
        TABLE,
        str(file),
        "--project",
        str(project),
    ]
    with writing(project / "store"):
        with pytest.raises(StoreError, match="being written by another import"):
            bring_in(register_of({"id": "integer"}), file, project / "store")
        second = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert second.returncode == 3
    assert "being written by another import" in second.stderr
    assert "Traceback" not in second.stderr
    assert subprocess.run(command, capture_output=True, timeout=60).returncode == 0


def test_readers_see_the_old_version_until_the_new_one_is_whole(tmp_path):
    store = tmp_path / "s"
    bring_in(_register(), write_csv(tmp_path / "a.csv", "id;word", "1;old"), store)
    opened_before = open_store(store)
    seen = []
    two = write_csv(tmp_path / "b.csv", "id;word", "1;new", "2;new")
    bring_in(_register(), two, store, progress=lambda _: seen.append(kept(store)["word"]))
    assert len(seen) >= 4
    assert set(map(tuple, seen)) == {("old",)}
    assert opened_before.rows(TABLE).word.execute().tolist() == ["old"]
    assert kept(store)["word"] == ["new", "new"]


@pytest.mark.parametrize("n_threads", [1, 2, 4])
def test_the_same_input_gives_the_same_file(tmp_path, monkeypatch, n_threads):
    real = duckdb.connect

    def with_threads(*given, **how):
        engine = real(*given, **how)
        engine.execute(f"set threads = {n_threads}")
        return engine

    lines = [f"{row};{row % 977}" if row % 500 else f"{row}x;a" for row in range(1, 260_001)]
    file = write_csv(tmp_path / "a.csv", "id;word", *lines)
    first = bring_in(register_of(VARIABLES), file, tmp_path / "one")
    monkeypatch.setattr(engine_room.duckdb, "connect", with_threads)
    second = bring_in(register_of(VARIABLES), file, tmp_path / "two")
    assert first.version.rows_sha256 == second.version.rows_sha256
    assert first.version.faults == second.version.faults
    assert (
        _content(tmp_path / "one")["small/rows/v0001/set_aside.parquet"]
        == (_content(tmp_path / "two")["small/rows/v0001/set_aside.parquet"])
    )


def test_everything_of_a_store_belongs_to_its_owner(tmp_path):
    old_mask = os.umask(0o000)
    try:
        bring_in(
            _register(), write_csv(tmp_path / "a.csv", "id;word", "1;a", "x;a"), tmp_path / "s"
        )
    finally:
        os.umask(old_mask)
    modes = {
        path: path.stat().st_mode & 0o777 for path in [tmp_path / "s", *(tmp_path / "s").rglob("*")]
    }
    assert {m for path, m in modes.items() if path.is_dir()} == {0o700}
    assert {m for path, m in modes.items() if path.is_file()} == {0o600}
    assert len(modes) >= 7


def test_nothing_is_left_beside_the_version(tmp_path):
    bring_in(
        _register(),
        write_csv(tmp_path / "a.csv", "id;word", "1;å", encoding="cp1252"),
        tmp_path / "s",
    )
    bad = write_csv(tmp_path / "b.csv", "id;wort", "1;a")
    with pytest.raises(DataError):
        bring_in(_register(), bad, tmp_path / "s")
    assert set(_content(tmp_path / "s")) == {
        CATALOGUE,
        "small/rows/v0001/rows.parquet",
        f"small/rows/v0001/{SET_ASIDE}",
    }
    assert sorted(p.name for p in (tmp_path / "s").iterdir()) == [".lock", CATALOGUE, "small"]


def test_rows_set_aside_are_kept_as_they_were_delivered(tmp_path):
    file = write_csv(tmp_path / "a.csv", "id;word", "1; a ", "x; b ", "3;c;d", '"y";')
    bring_in(_register(), file, tmp_path / "s")
    store = open_store(tmp_path / "s")
    rows = pq.read_table(store.file(TABLE, store.version(TABLE), SET_ASIDE)).to_pylist()
    no_number = ["not a whole number: id"]
    assert rows == [
        {"_row": "2", "_reasons": no_number, "_line": None, "id": "x", "word": " b "},
        {"_row": "4", "_reasons": no_number, "_line": None, "id": "y", "word": None},
        {
            "_row": "3",
            "_reasons": ["wrong number of fields"],
            "_line": "3;c;d",
            "id": None,
            "word": None,
        },
    ]


def test_the_period_is_that_of_the_rows_kept(tmp_path):
    register = register_of({"id": "integer", "day": "date"}, dated_by="day")
    lines = ["1;2000-05-06", "x;1990-01-01", "2;2001-01-01", "3;2031-01-01", "4;"]
    version = bring_in(
        register, write_csv(tmp_path / "a.csv", "id;day", *lines), tmp_path / "s"
    ).version
    assert (version.first_date, version.last_date) == (date(2000, 5, 6), date(2001, 1, 1))


def test_faults_are_told_the_most_frequent_first_with_the_first_rows(tmp_path):
    lines = ["1", *["x;a"] * 9, *["2;Ã¥"] * 2]
    version = bring_in(
        register_of(VARIABLES),
        write_csv(tmp_path / "a.csv", "id;word", "1;a", *lines),
        tmp_path / "s",
    ).version
    assert delivery.describe_faults(version.faults) == [
        "id: not a whole number in 9 rows (row 3, 4, 5, 6, 7, ...)",
        "word: damaged letters in 2 rows (row 12, 13)",
        "(line): wrong number of fields in 1 row (row 2)",
    ]


def test_progress_is_told_by_stages(tmp_path):
    stages = []
    file = write_csv(tmp_path / "a.csv", "id;word", "1;a")
    bring_in(_register(), file, tmp_path / "s", progress=stages.append)
    assert stages == [
        "reading a.csv",
        "checking rows",
        "writing rows",
        "putting the version in its place",
    ]


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="Not a directory"):
        bring_in(
            _register(), write_csv(tmp_path / "a.csv", "id;word", "1;a"), tmp_path / "file" / "s"
        )


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (duckdb.OutOfMemoryException(SENTINEL), RunError),
        (duckdb.IOException(f"{SENTINEL}: No space left on device"), RunError),
        (duckdb.IOException(SENTINEL), DataError),
        (duckdb.ConversionException(SENTINEL), DataError),
    ],
)
def test_the_engines_words_are_not_repeated(tmp_path, raised, kind):
    def fail(stage):
        if stage == "writing rows":
            raise raised

    file = write_csv(tmp_path / "a.csv", "id;word", "1;a")
    with pytest.raises(kind) as told_error:
        bring_in(_register(), file, tmp_path / "s", progress=fail)
    assert SENTINEL not in str(told_error.value)
    assert "Nothing has changed" in str(told_error.value)
    assert not (tmp_path / "s" / "small").exists()


# Every kind of column; SENTINEL is planted in one, two or all of them, in good and bad places.
COLUMNS = {
    "nr": {"type": "integer", "minimum": "0"},
    "x": {"type": "decimal", "maximum": "10"},
    "day": {"type": "date", "required": "yes"},
    "other": {"type": "date", "date_format": "%d.%m.%Y"},
    "sex": {"type": "code", "codes": {"1": "a", "2": "b"}},
    "free": "code",
    "word": {"type": "text", "required": "yes"},
    "yes": "boolean",
    "late": {"type": "integer", "first_year": "2005"},
}
CLEAN = ["1", "1.5", "2001-02-03", "03.02.2001", "1", "A1", "word", "1", "7"]


def _run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["workbench", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code or 0


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    planted=st.lists(
        st.tuples(
            st.integers(0, len(COLUMNS) + 1),
            st.sampled_from([SENTINEL, f'"{SENTINEL}"', f"2{SENTINEL}", f"Ã¥{SENTINEL}"]),
        ),
        min_size=1,
        max_size=12,
    ),
    limit=st.sampled_from(["1", "0.5", "0"]),
    has_header=st.booleans(),
)
def test_no_value_is_ever_told(tmp_path_factory, monkeypatch, capfd, planted, limit, has_header):
    project = tmp_path_factory.mktemp("project")
    (project / "params" / "registers").mkdir(parents=True)
    table = {
        "set_aside_limit": limit,
        "key": ["nr"],
        "dated_by": "day",
        "variables": {
            name: {"type": one} if isinstance(one, str) else one for name, one in COLUMNS.items()
        },
    }
    definition = {"name": "small", "label": "Small", "tables": {"rows": table}}
    (project / "params" / "registers" / "small.yaml").write_text(json.dumps(definition))
    lines = [";".join(COLUMNS)] * has_header + [";".join(CLEAN)]
    for at, value in planted:
        fields = [*CLEAN]
        fields[at : at + 1] = [value]  # beyond the last column: a field too many
        lines.append(";".join(fields))
    file = write_csv(project / "a.csv", *lines)
    for more in (["--dry-run"], []):
        code = _run(monkeypatch, "import", TABLE, file, "--project", project, *more)
        assert code in {0, 3}
    _run(monkeypatch, "status", "--project", project)
    said = "".join(capfd.readouterr())
    assert said
    assert SENTINEL not in said
    catalogue = project / "store" / CATALOGUE
    assert not catalogue.exists() or SENTINEL not in catalogue.read_text("utf-8")


def test_parquet_with_a_value_in_every_fault_tells_none(tmp_path):
    pq.write_table(
        pa.table({"id": [SENTINEL, "1"], "word": ["a", SENTINEL]}), tmp_path / "a.parquet"
    )
    done = bring_in(_register(), tmp_path / "a.parquet", tmp_path / "s")
    assert SENTINEL not in str(done)
    assert done.version.as_of == AS_OF
