"""Name rows as the user finds them: counted in their file, which is named where there are several.

Row 1 is the first row after the header; blank lines are no rows.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate

from workbench.data.extracts import Extract, Misfit


class RowNames:
    """The names of all rows of a delivery, from their places among the rows that fit."""

    def __init__(self, file_names: Sequence[str], extracts: Sequence[Extract]) -> None:
        self._file_names = file_names
        self._extracts = extracts
        self._ends = list(accumulate(extract.n_rows for extract in extracts))
        # For each file and misfit: how many fitting rows come before it.
        self._fitting_before = [
            [misfit.row - 1 - number for number, misfit in enumerate(extract.misfits)]
            for extract in extracts
        ]

    def of_places(self, places: Sequence[int]) -> list[str]:
        """Names of rows that fit, known by their places from 1."""
        names = []
        for place in places:
            at = bisect_left(self._ends, place)
            nth = place - (self._ends[at] - self._extracts[at].n_rows)
            n_misfits = bisect_right(self._fitting_before[at], nth - 1)
            names.append(self._name(at, nth + n_misfits))
        return names

    def of_misfits(self) -> list[tuple[str, Misfit]]:
        """Every line that does not fit, with its name."""
        return [
            (self._name(at, misfit.row), misfit)
            for at, extract in enumerate(self._extracts)
            for misfit in extract.misfits
        ]

    def _name(self, at: int, row: int) -> str:
        return str(row) if len(self._extracts) == 1 else f"{self._file_names[at]} row {row}"
