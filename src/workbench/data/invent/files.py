"""Write a table as its register delivers it: headers, delimiter, decimal mark and encoding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from workbench.data.invent.columns import Rows
from workbench.registers.schema import Register, Table

BLOCK = 400_000  # rows made into text at a time
DELIMITERS = {"tab": "\t"}
SEPARATOR = ","  # where a definition leaves the delimiter open


@dataclass(frozen=True)
class Written:
    """One file that was written."""

    register: str
    table: str
    file: Path
    n_rows: int


def write_table(folder: Path, register: Register, name: str, rows: Rows) -> Written:
    """Write the rows of one table; a column the definition does not know is a fault of ours."""
    table = register.table(name)
    if strangers := set(table.variables) ^ set(rows.columns):
        raise AssertionError(f"{register.name}.{name}: {sorted(strangers)} do not match")
    file = folder / f"{register.name}.{name}.csv"
    delimiter, decimal, encoding = delivery_of(table)
    options = csv.WriteOptions(include_header=False, delimiter=delimiter, quoting_style="none")
    free_text = [name for name, one in table.variables.items() if one.free_text]
    headers = [table.header_of(variable) for variable in table.variables]
    order = rows.order()
    with file.open("wb") as sink:
        sink.write((delimiter.join(headers) + "\n").encode(encoding))
        for first in range(0, len(order), BLOCK):
            block = order[first : first + BLOCK]
            texts = {
                name: rows.columns[name].text(block, variable, decimal)
                for name, variable in table.variables.items()
            }
            if free_text:
                texts |= {name: _quoted(texts[name]) for name in free_text}
                sink.write(_lines(list(texts.values()), delimiter).encode(encoding))
            else:
                csv.write_csv(pa.table(texts), pa.PythonFile(sink, "w"), options)
    return Written(register.name, name, file, len(rows))


def delivery_of(table: Table) -> tuple[str, str, str]:
    """The delimiter, decimal mark and encoding in which a table is written."""
    delivery = table.delivery
    delimiter = DELIMITERS.get(delivery.delimiter or SEPARATOR, delivery.delimiter or SEPARATOR)
    return delimiter, delivery.decimal or ".", delivery.encoding or "utf-8"


def _quoted(texts: pa.Array) -> pa.Array:
    """Free text in quotation marks, as it may hold the delimiter."""
    return pc.binary_join_element_wise('"', pc.replace_substring(texts, '"', '""'), '"', "")


def _lines(texts: Sequence[pa.Array], delimiter: str) -> str:
    filled = [pc.fill_null(column, "") for column in texts]
    lines = pc.binary_join_element_wise(*filled, delimiter).to_pylist()
    return "".join(f"{line}\n" for line in lines)
