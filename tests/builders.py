"""Builders of small things that many tests need: a register, an extract, an import."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from workbench.data.intake import Import, import_extract
from workbench.data.store import SET_ASIDE, open_store
from workbench.registers.documents import parse_document
from workbench.registers.schema import Register

AS_OF = date(2024, 1, 1)
TABLE = "small.rows"


def register_of(variables: Mapping[str, Mapping[str, Any] | str], **table: Any) -> Register:
    """The register `small` with the table `rows`; a variable may be given by its type alone."""
    given = {n: {"type": one} if isinstance(one, str) else one for n, one in variables.items()}
    content = {"variables": given, "set_aside_limit": "1", **table}
    document = {"name": "small", "label": "Small", "tables": {"rows": content}}
    return parse_document(document, Register, where="small.yaml")


def write_csv(file: Path, *lines: str, encoding: str = "utf-8", end: str = "\n") -> Path:
    """A text file of lines, as they stand."""
    file.write_bytes("".join(line + end for line in lines).encode(encoding))
    return file


def bring_in(register: Register, files: Path | Sequence[Path], store: Path, **how: Any) -> Import:
    """Import files into `small.rows`."""
    several = [files] if isinstance(files, Path) else files
    return import_extract(register, "rows", several, store_folder=store, **{"as_of": AS_OF, **how})


def kept(store: Path) -> dict[str, list[Any]]:
    """The rows of the newest version, as columns."""
    opened = open_store(store)
    return pq.read_table(opened.file(TABLE, opened.version(TABLE))).to_pydict()


def aside(store: Path) -> dict[str, list[str]]:
    """The rows set aside in the newest version: the row's name and its reasons."""
    opened = open_store(store)
    rows = pq.read_table(opened.file(TABLE, opened.version(TABLE), SET_ASIDE)).to_pylist()
    return {row["_row"]: row["_reasons"] for row in rows}


def told(done: Import) -> set[tuple[str, str, int]]:
    """The faults of an import: rule, column, how many rows."""
    return {(fault.rule, fault.column, fault.n_rows) for fault in done.version.faults}
