from __future__ import annotations

import json
import shutil

import pytest
from builders import AS_OF, TABLE, bring_in, kept, register_of, write_csv

from workbench.data.store import (
    CATALOGUE,
    FORMAT,
    ROWS,
    open_store,
    sweep_leftovers,
    writing,
)
from workbench.errors import StoreError

REGISTER = register_of({"id": "integer"})


def _import(tmp_path, *ids, store="s"):
    file = write_csv(tmp_path / "a.csv", "id", *map(str, ids))
    return bring_in(REGISTER, file, tmp_path / store)


def test_a_folder_that_does_not_exist_is_an_empty_store(tmp_path):
    store = open_store(tmp_path / "none")
    assert store.catalogue.tables == {}
    with pytest.raises(StoreError, match='holds no table "small.rows".*workbench import'):
        store.version(TABLE)
    assert not (tmp_path / "none").exists()


def test_a_table_that_does_not_exist_names_the_nearest(tmp_path):
    _import(tmp_path, 1)
    with pytest.raises(StoreError, match='Did you mean "small.rows"'):
        open_store(tmp_path / "s").version("small.row")


def test_a_store_of_a_newer_workbench_is_left_alone(tmp_path):
    _import(tmp_path, 1)
    catalogue = tmp_path / "s" / CATALOGUE
    newer = json.loads(catalogue.read_text()) | {"format": FORMAT + 1, "unheard_of": {}}
    catalogue.write_text(json.dumps(newer))
    before = catalogue.read_bytes()
    with pytest.raises(StoreError, match="newer workbench"):
        open_store(tmp_path / "s")
    with pytest.raises(StoreError, match="newer workbench"):
        _import(tmp_path, 1, 2)
    assert catalogue.read_bytes() == before
    assert (tmp_path / "s" / "small" / "rows" / "v0001" / ROWS).is_file()


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"{}", b'{"format": "1"}', b'{"format": 1, "tables": []}', b"\xff\xfe",
     b"null",
     b'{"format": 1, "tables": {"small.rows": [{}]}}'],
)  # fmt: skip
def test_a_damaged_catalogue_is_told_and_nothing_is_swept(tmp_path, content):
    _import(tmp_path, 1)
    (tmp_path / "s" / CATALOGUE).write_bytes(content)
    for attempt in (lambda: open_store(tmp_path / "s"), lambda: _import(tmp_path, 1, 2)):
        with pytest.raises(StoreError, match="is damaged. Restore it"):
            attempt()
    assert (tmp_path / "s" / "small" / "rows" / "v0001" / ROWS).is_file()


def test_a_catalogue_that_was_lost_does_not_cost_the_versions(tmp_path):
    _import(tmp_path, 1)
    (tmp_path / "s" / CATALOGUE).unlink()
    for attempt in (lambda: open_store(tmp_path / "s"), lambda: _import(tmp_path, 1, 2)):
        with pytest.raises(StoreError, match="is missing, while versions of tables are there"):
            attempt()
    assert (tmp_path / "s" / "small" / "rows" / "v0001" / ROWS).is_file()


def test_a_catalogue_that_cannot_be_read_is_told(tmp_path):
    (tmp_path / "s" / CATALOGUE).mkdir(parents=True)
    with pytest.raises(StoreError, match="cannot be read: Is a directory"):
        open_store(tmp_path / "s")


def test_missing_rows_are_told(tmp_path):
    _import(tmp_path, 1)
    shutil.rmtree(tmp_path / "s" / "small" / "rows" / "v0001")
    with pytest.raises(StoreError, match=r"damaged: small/rows/v0001/rows.parquet is missing"):
        open_store(tmp_path / "s").rows(TABLE)


def test_rows_carry_their_place(tmp_path):
    _import(tmp_path, 5, "x", 7)
    rows = open_store(tmp_path / "s").rows(TABLE).order_by("row_id").execute()
    assert rows.to_dict("list") == {"id": [5, 7], "row_id": [1, 2]}


def test_a_store_in_a_folder_with_signs_of_a_pattern_is_read(tmp_path):
    _import(tmp_path, 1, store="s1")
    _import(tmp_path, 2, 3, store="s[1]")
    assert open_store(tmp_path / "s[1]").rows(TABLE).count().execute() == 2


def test_a_pinned_store_shows_what_it_was_pinned_to(tmp_path):
    _import(tmp_path, 1)
    _import(tmp_path, 1, 2)
    store = open_store(tmp_path / "s")
    assert store.version(TABLE).name == "v0002"
    pinned = store.pinned({TABLE: "v0001"})
    assert pinned.rows(TABLE).count().execute() == 1
    with pytest.raises(StoreError, match="holds no table"):
        store.pinned({TABLE: "v0009"}).version(TABLE)
    with pytest.raises(StoreError, match="holds no table"):
        store.pinned({}).version(TABLE)


def test_the_catalogue_tells_everything_again_after_reading(tmp_path):
    done = _import(tmp_path, 1, "x")
    version = open_store(tmp_path / "s").version(TABLE)
    assert version == done.version
    assert version.definition == REGISTER.tables["rows"]
    assert (version.n_rows_read, version.n_rows_kept, version.n_rows_set_aside) == (2, 1, 1)
    assert version.as_of == AS_OF


def test_the_lock_goes_with_its_writer(tmp_path):
    with pytest.raises(ZeroDivisionError), writing(tmp_path / "s"):
        raise ZeroDivisionError
    with writing(tmp_path / "s") as writer:
        assert writer.next_name(TABLE) == "v0001"


def test_leftovers_of_a_killed_writer_are_swept(tmp_path):
    _import(tmp_path, 1)
    store = tmp_path / "s"
    for left in (".staging-x", "small/rows/v0002", "small/other/v0001"):
        (store / left).mkdir(parents=True)
        (store / left / ROWS).write_text("half")
    (store / "catalogue.new").write_text("{")
    _import(tmp_path, 1, 2)
    assert sorted(str(p.relative_to(store)) for p in store.glob("*/*/*")) == [
        "small/rows/v0001",
        "small/rows/v0002",
    ]
    assert not list(store.glob(".staging-*")) + list(store.glob("*.new"))
    assert kept(store)["id"] == [1, 2]


NEW_KEYS = {"key_fingerprint", "tombstones"}
NEW_KEYS_OF_VERSIONS = {"free_text_left_out", "not_checked", "n_rows_removed", "folder"}


def test_a_catalogue_of_an_older_workbench_is_read_and_brought_up_to_date(tmp_path):
    _import(tmp_path, 1)
    path = tmp_path / "s" / CATALOGUE
    content = json.loads(path.read_text())
    older = {key: value for key, value in content.items() if key not in NEW_KEYS}
    for version in older["tables"][TABLE]:
        for key in NEW_KEYS_OF_VERSIONS:
            del version[key]
    path.write_text(json.dumps({**older, "format": 1}))
    assert open_store(tmp_path / "s").version(TABLE).place == "v0001"
    assert kept(tmp_path / "s")["id"] == [1]
    assert _import(tmp_path, 1, 2).version.name == "v0002"
    assert json.loads(path.read_text())["format"] == FORMAT


def test_leftovers_are_swept_unless_a_writer_is_at_work(tmp_path):
    _import(tmp_path, 1)
    store = tmp_path / "s"
    left = store / ".staging-x"
    left.mkdir()
    with writing(store) as writer:
        left.mkdir()  # the writer has swept the first one already
        sweep_leftovers(store)
        assert left.is_dir() and writer.staging.is_dir()
    sweep_leftovers(store)
    assert not left.exists()
    assert kept(store)["id"] == [1]


def test_sweeping_leaves_what_it_cannot_judge(tmp_path):
    sweep_leftovers(tmp_path / "none")
    assert not (tmp_path / "none").exists()
    _import(tmp_path, 1)
    (tmp_path / "s" / ".staging-x").mkdir()
    (tmp_path / "s" / CATALOGUE).write_text("{")
    sweep_leftovers(tmp_path / "s")
    assert (tmp_path / "s" / ".staging-x").is_dir()
    assert (tmp_path / "s" / "small" / "rows" / "v0001" / ROWS).is_file()
