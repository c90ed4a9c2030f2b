"""Rows of a frame given to the engine, so that a frame and a table are counted by one code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import ibis
import numpy as np
import pandas as pd
from pandas.api import types

from workbench.errors import DataError, gathered
from workbench.registers.indicators import Indicator
from workbench.registers.variables import Variable

ROW = "_row"


@contextmanager
def engine_rows(
    rows: pd.DataFrame, columns: Sequence[str], *indicators: Indicator
) -> Iterator[tuple[ibis.BaseBackend, ibis.Table]]:
    """Give the named columns of a frame to an engine of its own, with the row's number `_row`.

    Raises
    ------
    DataError
        Codes that the register does not have, numbers or dates that are none: all columns at once.
    """
    variables = {name: v for one in indicators for name, v in one.table.variables.items()}
    faults: list[str] = []
    ready = {name: _ready(rows[name], name, variables.get(name), faults) for name in columns}
    if faults:
        advice = "Give the rows as the store has them, with the register's own codes."
        raise DataError(gathered(f"rows: some columns cannot be used. {advice}", faults))
    engine = ibis.duckdb.connect()
    try:
        engine.raw_sql("set enable_progress_bar = false")
        frame = pd.DataFrame(ready).assign(**{ROW: np.arange(len(rows))})
        yield engine, ibis.memtable(frame)
    finally:
        engine.disconnect()


def _ready(column: pd.Series, name: str, variable: Variable | None, faults: list[str]) -> pd.Series:
    """A column in a form that the engine reads as the store's own."""
    column = column.reset_index(drop=True)
    if variable is None:
        return column
    match variable.type:
        case "date":
            return _dates(column, name, faults)
        case "integer" | "decimal" if not variable.codes:
            return _numbers(column, name, faults)
        case "boolean":
            return _truths(column, name, faults)
    return _codes(column, name, variable, faults)


def _dates(column: pd.Series, name: str, faults: list[str]) -> pd.Series:
    if types.is_datetime64_any_dtype(column.dtype):
        return column.astype("datetime64[us]")
    try:
        given = column.dropna()
        if any(isinstance(one, str | float | int) for one in given):
            raise TypeError
        return pd.to_datetime(column).astype("datetime64[us]")
    except (TypeError, ValueError):
        faults.append(f'column "{name}": holds {column.dtype}; expected dates')
        return column


def _numbers(column: pd.Series, name: str, faults: list[str]) -> pd.Series:
    if types.is_numeric_dtype(column.dtype) or column.isna().all():
        return column if types.is_numeric_dtype(column.dtype) else column.astype(float)
    faults.append(f'column "{name}": holds {column.dtype}; expected numbers')
    return column


def _truths(column: pd.Series, name: str, faults: list[str]) -> pd.Series:
    spelt = column.map({True: True, False: False, "true": True, "false": False}, "ignore")
    if n_odd := int((spelt.isna() & column.notna()).sum()):
        faults.append(f'column "{name}": neither true nor false in {n_odd} rows')
    return spelt.astype("boolean")


def _codes(column: pd.Series, name: str, variable: Variable, faults: list[str]) -> pd.Series:
    """Codes as text. A gap makes whole numbers floats: 1.0 is the code 1."""
    if types.is_float_dtype(column.dtype) and bool((column.dropna() % 1 == 0).all()):
        column = column.astype("Int64")
    levels = column.astype("category")
    texts = levels.cat.categories.map(str)
    if variable.words:
        odd = [at for at, text in enumerate(texts) if text not in variable.words]
        if n_odd := int(np.isin(levels.cat.codes.to_numpy(), odd).sum()):
            words = sum(texts[at] in variable.words.values() for at in odd)
            hint = " (they are words: expected codes)" if words else ""
            faults.append(f'column "{name}": codes unknown to the register in {n_odd} rows{hint}')
    return levels.cat.rename_categories(texts) if texts.is_unique else column.astype("string")
