"""The engine session of a delivery: its memory, and where it may put what does not fit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from workbench.data.sql import literal

MEMORY = "1GB"


@contextmanager
def engine_session(staging: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """An engine that spills into the staging folder and nowhere else: it may hold numbers."""
    with duckdb.connect() as engine:
        engine.execute(f"set memory_limit = '{MEMORY}'")
        engine.execute(f"set temp_directory = {literal(str(staging / 'spill'))}")
        # With one thread the engine would cut files into other groups of rows, so that the same
        # delivery would not give the same bytes on every machine.
        engine.execute("set threads = greatest(2, current_setting('threads'))")
        yield engine
