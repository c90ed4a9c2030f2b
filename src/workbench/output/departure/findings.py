"""What a look at a folder finds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One fault of one file: where and what, without the value itself."""

    file: str  # its path below the folder
    what: str
    to_do: str
    place: str = ""  # sheet, column, member of an archive

    def __str__(self) -> str:
        """A line for the terminal."""
        where = f"{self.file} ({self.place})" if self.place else self.file
        return f"{where}: {self.what}. {self.to_do}"
