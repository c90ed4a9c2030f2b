"""Write names and values into SQL so that they stay names and values."""

from __future__ import annotations

import re
from pathlib import Path


def identifier(name: str) -> str:
    """A column or table name, quoted."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """A text value, quoted."""
    return "'" + value.replace("'", "''") + "'"


def only_this(path: Path) -> str:
    """A path as the engine must read it: `a[1].csv` is that file, not a pattern for `a1.csv`."""
    return re.sub(r"[*?\[]", r"[\g<0>]", str(path))


def file_to_read(path: Path) -> str:
    """One file, quoted."""
    return literal(only_this(path))


def file_to_write(path: Path) -> str:
    """The place of a new file, quoted; the engine knows no patterns where it writes."""
    return literal(str(path))
