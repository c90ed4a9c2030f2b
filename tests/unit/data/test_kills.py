"""What is killed leaves the old state or the new one, no number, and the next one works."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from builders import TABLE, bring_in, kept, register_of, write_csv
from stdnum import luhn

from workbench.data.forgetting import forget_persons
from workbench.data.keys import Key
from workbench.data.store import CATALOGUE, SET_ASIDE, open_store, sweep_leftovers
from workbench.data.sums import sha256_of

TESTS = Path(__file__).parents[2]
REGISTER = register_of({"id": "integer", "word": "text"})
N_OLD, N_NEW = 10, 20_000
N_RANDOM = 30
POINTS = [
    ("_to_disk", "before"),  # the files are written, perhaps not on disk
    ("_to_disk", "after"),
    ("_move_into_place", "before"),
    ("_move_into_place", "after"),
    ("_write_catalogue", "before"),
    ("replace", "before"),  # the new catalogue is written beside the old one
    ("replace", "after"),
    ("_write_catalogue", "after"),
]


@pytest.fixture(scope="module")
def orders():
    """Give an order to the process that forks the imports; get back what became of it."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path])}
    script = Path(__file__).with_name("killed_imports.py")
    with subprocess.Popen(
        [sys.executable, str(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
    ) as process:

        def give(**order):
            process.stdin.write(json.dumps(order, default=str).encode() + b"\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        yield give
        process.stdin.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("deliveries")
    old = write_csv(folder / "old.csv", "id;word", *[f"{row};old" for row in range(N_OLD)])
    lines = [f"{row};Örebro" if row % 100 else f"{row}x;a" for row in range(N_NEW)]
    new = write_csv(folder / "new.csv", "id;word", *lines, encoding="cp1252")
    bring_in(REGISTER, old, folder / "store")
    return old, new, folder / "store"


def _check_whole(store):
    """Everything the catalogue tells of is there, as it was written."""
    opened = open_store(store)
    for version in opened.catalogue.tables.get(TABLE, ()):
        assert sha256_of(opened.file(TABLE, version)) == version.rows_sha256
        parts = [opened.file(TABLE, version), opened.file(TABLE, version, SET_ASIDE)]
        counted = [pq.read_metadata(part).num_rows for part in parts]
        assert counted == [version.n_rows_kept, version.n_rows_set_aside]
    return [version.name for version in opened.catalogue.tables.get(TABLE, ())]


def _check_next_import(store, new, names):
    """The next import of the same file works, and sweeps what the killed one left."""
    done = bring_in(REGISTER, new, store)
    assert done.is_new is (done.version.name not in names)
    assert done.version.n_rows_read == N_NEW
    names = _check_whole(store)
    assert names[-1] == done.version.name
    assert {place.name for place in store.iterdir()} == {".lock", CATALOGUE, "small"}
    assert sorted(place.name for place in (store / "small" / "rows").iterdir()) == names
    assert len(kept(store)["id"]) == N_NEW - N_NEW // 100


@pytest.mark.parametrize(("point", "when"), POINTS)
def test_an_import_killed_at_a_write_point(tmp_path, orders, files, point, when):
    _, new, template = files
    store = Path(shutil.copytree(template, tmp_path / "store"))
    assert orders(file=new, store=store, point=point, when=when)["killed"]
    is_told = (point, when) in {("replace", "after"), ("_write_catalogue", "after")}
    names = _check_whole(store)
    assert names == (["v0001", "v0002"] if is_told else ["v0001"])
    assert len(kept(store)["id"]) == (N_NEW - N_NEW // 100 if is_told else N_OLD)
    _check_next_import(store, new, names)


@pytest.mark.parametrize(("point", "when"), POINTS)
def test_a_first_import_killed_at_a_write_point(tmp_path, orders, files, point, when):
    _, new, _ = files
    store = tmp_path / "store"
    assert orders(file=new, store=store, point=point, when=when)["killed"]
    names = _check_whole(store)
    assert names == []
    _check_next_import(store, new, names)


def test_imports_killed_at_random_moments(tmp_path, orders, files):
    _, new, template = files
    whole = orders(file=new, store=shutil.copytree(template, tmp_path / "whole"))
    assert not whole["killed"]
    drawn = random.Random(2024)
    outcomes = []
    for number in range(N_RANDOM):
        store = Path(shutil.copytree(template, tmp_path / str(number)))
        after = drawn.uniform(0, whole["seconds"])
        outcome = orders(file=new, store=store, kill_after=after)
        names = _check_whole(store)
        assert names in (["v0001"], ["v0001", "v0002"])
        assert outcome["killed"] or names == ["v0001", "v0002"]
        outcomes.append(outcome["killed"])
        _check_next_import(store, new, names)
    assert sum(outcomes) >= N_RANDOM // 2, "too few imports were killed before they were done"


NUMBER = {"type": "code", "sensitivity": "identity", "identity_scheme": "swedish"}
KEY = Key(bytes(range(1, 41)), "the tests")
NUMBERS = register_of({"nr": NUMBER, "word": "text"}, person="nr")


def _number(at):
    nine = f"5005{1 + at % 28:02}{at % 1000:03}"
    return "19" + nine + luhn.calc_check_digit(nine)


def _numbers_below(folder):
    """Identity numbers of the delivery in any file below a folder."""
    content = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    return [at for at in range(100) if _number(at).encode() in content]


@pytest.fixture(scope="module")
def registers(tmp_path_factory):
    """A delivery with numbers that must be copied on its way, and a store of two versions of it."""
    folder = tmp_path_factory.mktemp("registers")
    lines = [f"{_number(row)};Örebro" if row % 50 else f"{_number(row)};Ã¥" for row in range(5_000)]
    new = write_csv(folder / "new.csv", "nr;word", *lines, encoding="utf-16")
    for at in (1, 2):
        old = write_csv(folder / f"old{at}.csv", "nr;word", *lines[: 100 * at])
        bring_in(NUMBERS, old, folder / "store", key=KEY)
    return new, write_csv(folder / "ids.txt", _number(7), _number(50)), folder / "store"


def test_killed_imports_leave_no_number(tmp_path, orders, registers):
    new, _, template = registers
    how = {"file": new, "register": "numbers"}
    whole = orders(**how, store=shutil.copytree(template, tmp_path / "whole"))
    drawn = random.Random(7)
    n_left, n_killed = 0, 0
    for number in range(N_RANDOM // 2):
        store = Path(shutil.copytree(template, tmp_path / str(number)))
        after = drawn.uniform(0, whole["seconds"])
        n_killed += orders(**how, store=store, kill_after=after)["killed"]
        n_left += bool(_numbers_below(store))
        sweep_leftovers(store)
        assert _numbers_below(store) == []
        assert not list(store.glob(".staging-*"))
        assert len(_check_whole(store)) in {2, 3}
    assert n_killed and n_left, "no import was killed while a copy of its file lay there"


def _forgotten(store):
    """For each version, whether it holds none of the persons who leave, or all of them."""
    pseudonyms = [KEY.pseudonym(_number(at), "swedish") for at in (7, 50)]
    opened = open_store(store)
    for version in opened.catalogue.tables[TABLE]:
        rows = [opened.file(TABLE, version), opened.file(TABLE, version, SET_ASIDE)]
        read = "".join(str(pq.read_table(part).to_pylist()) for part in rows)
        there = {pseudonym in read for pseudonym in pseudonyms}
        assert len(there) == 1
        yield there == {False}


@pytest.mark.parametrize(
    ("point", "when"), [*POINTS, ("_sweep_versions", "before"), ("_sweep_versions", "after")]
)
def test_a_removal_killed_at_a_write_point(tmp_path, orders, registers, point, when):
    _, ids, template = registers
    store = Path(shutil.copytree(template, tmp_path / "store"))
    outcome = orders(file=ids, store=store, forget=True, point=point, when=when)
    assert outcome["killed"]
    _check_whole(store)
    is_done = set(_forgotten(store))
    assert len(is_done) == 1, "one version has forgotten, the other has not"
    forget_persons(store, TABLE, ids, key=KEY, as_of=open_store(store).version(TABLE).as_of)
    assert set(_forgotten(store)) == {True}
    folders = {path.name for path in (store / "small" / "rows").iterdir()}
    assert folders == {one.place for one in open_store(store).catalogue.tables[TABLE]}


def test_removals_killed_at_random_moments(tmp_path, orders, registers):
    _, ids, template = registers
    whole = orders(file=ids, store=shutil.copytree(template, tmp_path / "whole"), forget=True)
    drawn = random.Random(3)
    for number in range(N_RANDOM // 3):
        store = Path(shutil.copytree(template, tmp_path / str(number)))
        after = drawn.uniform(0, whole["seconds"])
        orders(file=ids, store=store, forget=True, kill_after=after)
        _check_whole(store)
        assert len(set(_forgotten(store))) == 1
