"""Versions whose time is over are removed, and their names never come back."""

from __future__ import annotations

from datetime import date

import pytest
from builders import AS_OF, TABLE, bring_in, kept, register_of, write_csv

from workbench.data import pruning
from workbench.data.store import open_store
from workbench.errors import DataError, StoreError

REGISTER = register_of({"id": "integer"})


def _import(tmp_path, *ids):
    return bring_in(REGISTER, write_csv(tmp_path / "a.csv", "id", *map(str, ids)), tmp_path / "s")


@pytest.fixture
def store(tmp_path):
    """Three versions of one table."""
    for ids in ((1,), (1, 2), (1, 2, 3)):
        _import(tmp_path, *ids)
    return tmp_path / "s"


def _names(store):
    return [one.name for one in open_store(store).catalogue.tables.get(TABLE, ())]


def _prune(store, choice, **how):
    return pruning.prune_versions(store, choice, as_of=AS_OF, **how)


def test_the_newest_are_kept(store):
    done = _prune(store, pruning.all_but_newest(1), reason="over")
    assert [(one.version, one.what, one.n_rows_kept) for one in done.tombstones] == [
        ("v0001", "version", 1), ("v0002", "version", 2)
    ]  # fmt: skip
    assert _names(store) == ["v0003"]
    assert [path.name for path in (store / "small" / "rows").iterdir()] == ["v0003"]
    assert kept(store)["id"] == [1, 2, 3]


def test_names_are_not_given_twice(tmp_path, store):
    _prune(store, pruning.all_but_newest(0))
    assert _names(store) == []
    assert _import(tmp_path, 9).version.name == "v0004"
    _prune(store, pruning.named("v0004"), table=TABLE)
    assert _import(tmp_path, 9).version.name == "v0005"


@pytest.mark.parametrize(("day", "left"), [(date(2000, 1, 1), 3), (date(2999, 1, 1), 0)])
def test_what_was_imported_before_a_day_goes(store, day, left):
    _prune(store, pruning.imported_before(day), table="small")
    assert len(_names(store)) == left


def test_one_version_by_name(store):
    _prune(store, pruning.named("v0002"), table=TABLE)
    assert _names(store) == ["v0001", "v0003"]
    with pytest.raises(StoreError, match='no version "v0002"'):
        _prune(store, pruning.named("v0002"), table=TABLE)


def test_a_dry_run_removes_nothing(store):
    done = _prune(store, pruning.all_but_newest(0), dry_run=True)
    assert len(done.tombstones) == 3
    assert len(_names(store)) == 3
    assert open_store(store).catalogue.tombstones == ()


def test_nothing_to_remove_changes_nothing(store):
    before = (store / "catalogue.json").read_bytes()
    assert _prune(store, pruning.all_but_newest(5)).tombstones == ()
    assert (store / "catalogue.json").read_bytes() == before


def test_an_unknown_table_and_a_telling_reason_are_refused(store):
    with pytest.raises(StoreError, match="holds no table"):
        _prune(store, pruning.all_but_newest(0), table="other")
    with pytest.raises(DataError, match="not who"):
        _prune(store, pruning.all_but_newest(0), reason="19121212-1212")
    assert len(_names(store)) == 3


def test_pruned_files_may_come_again(tmp_path, store):
    _prune(store, pruning.all_but_newest(0))
    assert _import(tmp_path, 1, 2, 3).is_new
