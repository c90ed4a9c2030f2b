"""A frame with a row a unit, and beside it what was found of all of them together."""

from __future__ import annotations

from typing import Any, ClassVar

import pandas as pd


class UnitTable(pd.DataFrame):
    """A frame as pandas knows it; what is said of all units is kept as attributes.

    Rows that are chosen from it, and everything made of it, are plain frames again.
    """

    _metadata: ClassVar[list[str]] = ["found"]

    @property
    def _constructor(self) -> type[pd.DataFrame]:
        return pd.DataFrame

    def __getattr__(self, name: str) -> Any:
        """What was found of all units; otherwise a column, as of any frame."""
        if name != "found" and not name.startswith("_"):
            found = self.__dict__.get("found")
            if found is not None and name in found:
                return found[name]
        return super().__getattr__(name)

    @property
    def table(self) -> pd.DataFrame:
        """The rows as a plain frame."""
        return pd.DataFrame(self)


def unit_table(rows: pd.DataFrame, **found: Any) -> UnitTable:
    """Rows of units with what was found of all of them."""
    made = UnitTable(rows)
    object.__setattr__(made, "found", found)
    return made
