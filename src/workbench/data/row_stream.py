"""Let typed rows flow past in their order, and write them with pseudonyms for numbers.

No identity number is written: the rows come with short hashes in their place, which are looked up
block by block, while the engine already prepares the next block.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from workbench.data.numbers import Finding, Numbers, findings, problems
from workbench.registers.schema import Table

BLOCK = 122_880  # rows; the engine's own row groups have as many
BUFFER = "64MB"
Found = defaultdict[tuple[str, str], list["np.ndarray[Any, Any]"]]


def write_with_pseudonyms(
    engine: duckdb.DuckDBPyConnection,
    query: str,
    table: Table,
    numbers: Sequence[Numbers],
    file: Path,
) -> None:
    """Write the rows of `query` to `file`; fill the tables `untyped` and `notes` on the way."""
    unread: Found = defaultdict(list)
    worth_telling: Found = defaultdict(list)
    engine.execute(f"set streaming_buffer_size = '{BUFFER}'")
    reader = engine.execute(query).to_arrow_reader(BLOCK)
    by_name = {one.name: one for one in numbers}
    kinds = {field.name: field.type for field in reader.schema}
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in table.variables])
    plain = [name for name in table.variables if name not in by_name]
    # The least and the greatest of each group of rows help whoever asks for a period, and nobody
    # who asks for a code; of pseudonyms they would only cost.
    limits = [field.name for field in schema if not pa.types.is_string(field.type)]
    with (
        pq.ParquetWriter(file, schema, use_dictionary=plain, write_statistics=limits) as writer,
        ThreadPoolExecutor(1) as second_hand,
    ):

        def write(rows: pa.RecordBatch, first_place: int) -> None:
            columns = {name: rows.column(name) for name in plain}
            for one in numbers:
                columns[one.name], which = one.look_up(rows)
                _collect(unread, problems(one, which), first_place)
                _collect(worth_telling, findings(one, which, rows, table), first_place)
            arrays = [columns[name] for name in table.variables]
            writer.write_batch(pa.record_batch(arrays, schema=schema))

        before: Future[None] | None = None
        place = 1
        for rows in _blocks(reader):
            if before:
                before.result()
            before = second_hand.submit(write, rows, place)
            place += len(rows)
        if before:
            before.result()
    _insert(engine, "untyped", unread)
    _insert(engine, "notes", worth_telling)


def _blocks(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """The rows in blocks of one size, so that the file does not depend on how they came."""
    waiting: list[pa.RecordBatch] = []
    n_waiting = 0
    for batch in reader:
        waiting.append(batch)
        n_waiting += len(batch)
        if n_waiting >= BLOCK:
            whole = _as_one(waiting)
            n_out = n_waiting - n_waiting % BLOCK
            yield from (whole.slice(first, BLOCK) for first in range(0, n_out, BLOCK))
            waiting, n_waiting = [whole.slice(n_out)], n_waiting - n_out
    if n_waiting:
        yield _as_one(waiting)


def _as_one(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    return pa.Table.from_batches(batches).combine_chunks().to_batches()[0]


def _collect(found: Found, new: Sequence[Finding], first_place: int) -> None:
    for rule, column, positions in new:
        if len(positions):
            found[rule, column].append(positions + first_place)


def _insert(engine: duckdb.DuckDBPyConnection, target: str, found: Found) -> None:
    for (rule, column), parts in found.items():
        places = pa.table({"_place": np.concatenate(parts)})
        engine.register("found_places", places)
        engine.execute(
            f"insert into {target} select _place, ?, ? from found_places", [rule, column]
        )
        engine.unregister("found_places")
