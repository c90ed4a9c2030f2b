"""Write names and values into SQL so that they stay names and values."""

from __future__ import annotations

from pathlib import Path


def identifier(name: str) -> str:
    """A column or table name, quoted."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str | Path) -> str:
    """A text value, quoted."""
    return "'" + str(value).replace("'", "''") + "'"
