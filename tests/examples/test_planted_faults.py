"""Every fault planted into the invented registers is found at import, and counted exactly."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from workbench.data.intake import import_extract
from workbench.data.invent import invent_registers
from workbench.data.keys import demonstration_key
from workbench.data.store import open_store
from workbench.registers.schema import load_register

AS_OF = date(2024, 12, 31)
COMMON = "test number"  # every invented number is one: told, and no fault
Told = dict[tuple[str, str, str, str], int]


def imported(folder: Path, *, dirty: bool) -> Told:
    """Invent and import everything; faults and notes by table, rule, column and outcome."""
    invent_registers(folder / "extracts", persons=3000, seed=5, as_of=AS_OF, dirty=dirty)
    files = sorted(
        (folder / "extracts").glob("*.csv"), key=lambda file: not file.stem.startswith("population")
    )
    told: Told = {}
    for file in files:
        register, table = file.stem.split(".")
        version = import_extract(
            load_register(register, ()),
            table,
            [file],
            store_folder=folder / "store",
            as_of=AS_OF,
            key=demonstration_key(),
        ).version
        told |= {(file.stem, one.rule, one.column, "yes"): one.n_rows for one in version.faults}
        told |= {(file.stem, one.rule, one.column, "no"): one.n_rows for one in version.notes}
    return told


@pytest.fixture(scope="module")
def dirty(tmp_path_factory) -> tuple[Path, Told]:
    folder = tmp_path_factory.mktemp("dirty")
    return folder, imported(folder, dirty=True)


@pytest.fixture(scope="module")
def clean(tmp_path_factory) -> Told:
    return imported(tmp_path_factory.mktemp("clean"), dirty=False)


def test_every_planted_fault_is_counted_and_nothing_else(dirty, clean):
    folder, found = dirty
    planted = pd.read_csv(folder / "extracts" / "truth" / "faults.csv")
    expected = {
        (f"{one.register}.{one.table}", one.rule, one.column, one.sets_aside): int(one.n_rows)
        for one in planted.itertuples()
    }
    assert len({rule for _table, rule, _column, _outcome in expected}) >= 20
    # Rows under an earlier number are in the clean registers too, and no fault of theirs.
    more = {
        what: n - clean.get(what, 0)
        for what, n in found.items()
        if what[1] != COMMON and n != clean.get(what, 0)
    }
    assert more == expected


def test_clean_registers_have_no_fault(clean):
    assert [what for what in clean if what[3] == "yes"] == []


def test_rows_read_are_rows_kept_and_rows_set_aside(dirty):
    folder, _ = dirty
    tables = open_store(folder / "store").catalogue.tables
    for name, (version,) in tables.items():
        assert version.n_rows_read == version.n_rows_kept + version.n_rows_set_aside, name
    assert sum(version.n_rows_set_aside for (version,) in tables.values()) > 200


def test_no_identity_number_stays_in_the_store_of_dirty_registers(dirty):
    folder, _ = dirty
    shape = re.compile(r"(?<!\d)(?:\d\d)?(\d{6})[-+ ]?(\d{4})(?!\d)")
    known = set()
    for file in (folder / "extracts").glob("*.csv"):
        text = file.read_text(encoding="latin-1")
        known |= {left + right for left, right in shape.findall(text) if right[:2] in {"98", "99"}}
    leaks = []
    for file in (folder / "store").rglob("*"):
        if file.is_file():
            if file.suffix == ".parquet":
                columns = pq.read_table(file).to_pydict()
                text = "\n".join({str(value) for values in columns.values() for value in values})
            else:
                text = file.read_text(encoding="utf-8", errors="replace")
            if any(left + right in known for left, right in shape.findall(text)):
                leaks.append(file.relative_to(folder))
    assert len(known) > 2500
    assert leaks == []
