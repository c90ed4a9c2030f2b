"""One small set of invented registers, and one with planted faults, for every test here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pandas as pd
import pytest

from workbench.data.invent import Invented, invent_registers
from workbench.data.invent.files import delivery_of
from workbench.data.invent.inventing import REGISTERS
from workbench.registers.schema import Register, load_register

AS_OF = date(2022, 6, 30)
PERSONS, SEED = 4000, 5


@pytest.fixture(scope="session")
def definitions() -> dict[str, Register]:
    return {name: load_register(name, []) for name in REGISTERS}


@pytest.fixture(scope="session")
def invented(tmp_path_factory) -> Invented:
    folder = tmp_path_factory.mktemp("invented")
    return invent_registers(folder, persons=PERSONS, seed=SEED, as_of=AS_OF)


@pytest.fixture(scope="session")
def dirty(tmp_path_factory) -> Invented:
    folder = tmp_path_factory.mktemp("dirty")
    return invent_registers(folder, persons=PERSONS, seed=SEED, as_of=AS_OF, dirty=True)


@pytest.fixture(scope="session")
def read(definitions) -> Callable[[Invented, str], pd.DataFrame]:
    """Read a table's file as text, its columns named as variables; nothing repaired."""

    def read_table(source: Invented, full_name: str) -> pd.DataFrame:
        register, name = full_name.split(".")
        table = definitions[register].table(name)
        delimiter, _, encoding = delivery_of(table)
        rows = pd.read_csv(
            source.folder / f"{full_name}.csv", sep=delimiter, encoding=encoding, dtype=str,
            keep_default_na=False, on_bad_lines="error",
        )  # fmt: skip
        assert list(rows.columns) == [table.header_of(name) for name in table.variables]
        return rows.set_axis(list(table.variables), axis=1)

    return read_table


@pytest.fixture(scope="session")
def tables(definitions) -> list[str]:
    return [f"{name}.{table}" for name, one in definitions.items() for table in one.tables]


@pytest.fixture(scope="session")
def truth(invented) -> Callable[[str], pd.DataFrame]:
    """Read a file of the truth, its dates as dates."""

    def read_truth(name: str) -> pd.DataFrame:
        rows = pd.read_csv(
            invented.truth / f"{name}.csv", dtype={"personal_number": str, "region": str,
                                                   "earlier_number": str, "sex_code": str},
        )  # fmt: skip
        dates = [column for column in rows if column.endswith("_date")]
        return rows.assign(**{name: pd.to_datetime(rows[name]) for name in dates})

    return read_truth


def as_days(texts: pd.Series) -> pd.Series:
    """Delivered dates, of either way of writing, as dates; blank ones missing."""
    return pd.to_datetime(texts.str.replace("-", "").replace("", None), format="%Y%m%d")


def as_numbers(texts: pd.Series) -> pd.Series:
    """Identity numbers as twelve digits."""
    return texts.str.strip().str.replace("-", "")


@pytest.fixture(scope="session")
def days() -> Callable[[pd.Series], pd.Series]:
    return as_days


@pytest.fixture(scope="session")
def numbers() -> Callable[[pd.Series], pd.Series]:
    return as_numbers
