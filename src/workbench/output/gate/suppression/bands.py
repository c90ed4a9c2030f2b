"""Published numbers that were worked out from counts, as bands on the counts behind them.

A percentage printed with one decimal says of the counts x and n that 100 x / n lies within half a
tenth of it. Everything is kept in whole numbers, so that no count is ruled in or out by rounding in
the machine. Where a count would lie on the very edge of a band, a reader may know which way the
edge was rounded; the edge is therefore left out unless the true count lies on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from scipy import sparse

from workbench.errors import DataError
from workbench.output.gate.suppression.cells import Cells

UNLIMITED = 2**60


@dataclass(frozen=True, eq=False)
class Bands:
    """Rows over all cells: `lower` <= matrix x counts <= `upper`, all whole numbers."""

    matrix: sparse.csr_array
    lower: np.ndarray
    upper: np.ndarray

    def __add__(self, other: Bands) -> Bands:
        """Both together."""
        return Bands(
            sparse.vstack([self.matrix, other.matrix], format="csr"),
            np.concatenate([self.lower, other.lower]),
            np.concatenate([self.upper, other.upper]),
        )


def ratio_bands(
    cells: Cells,
    tops: Sequence[int],
    bottoms: Sequence[int],
    *,
    decimals: int = 1,
    times: int = 100,
) -> Bands:
    """What printed percentages or ratios of two counts tell of the counts.

    Parameters
    ----------
    cells
        All cells, with the true counts.
    tops, bottoms
        Positions of numerators and denominators; pairs with an empty denominator print nothing.
    decimals
        Decimals that are printed.
    times
        100 for percentages, 1 for ratios.

    Returns
    -------
    Bands
        Two rows a printed number.

    Raises
    ------
    DataError
        Decimals that nobody prints.
    """
    if not 0 <= decimals <= 6:
        raise DataError(f"decimals: {decimals} cannot be printed. Give 0 to 6.")
    scale = 10**decimals
    rows: list[list[tuple[int, int]]] = []
    lower: list[int] = []
    upper: list[int] = []
    for top, bottom in zip(tops, bottoms, strict=True):
        x, n = int(cells.counts[top]), int(cells.counts[bottom])
        if n == 0:
            continue
        printed = _rounded(Fraction(times * scale * x, n))
        # 2 times scale x - (2 printed -+ 1) n is at least 0, and at most 0
        for edge, is_lower in ((2 * printed - 1, True), (2 * printed + 1, False)):
            gap = 2 * times * scale * x - edge * n
            rows.append([(top, 2 * times * scale), (bottom, -edge)])
            lower.append(int(gap != 0) if is_lower else -UNLIMITED)
            upper.append(UNLIMITED if is_lower else -int(gap != 0))
    return _bands(cells, rows, lower, upper)


def rounded_bands(cells: Cells, which: Sequence[int], *, base: int) -> Bands:
    """What counts rounded to a multiple of `base` tell: each lies within half a base of it."""
    if base < 2:
        raise DataError(f"base: counts cannot be rounded to multiples of {base}.")
    rows, lower, upper = [], [], []
    for cell in which:
        value = int(cells.counts[cell])
        printed = base * _rounded(Fraction(value, base))
        edges = 2 * printed - base, 2 * printed + base
        rows.append([(int(cell), 2)])
        lower.append(edges[0] + int(2 * value != edges[0]))
        upper.append(edges[1] - int(2 * value != edges[1]))
    return _bands(cells, rows, lower, upper)


def range_bands(
    cells: Cells, which: Sequence[int], lowest: Sequence[int], highest: Sequence[int]
) -> Bands:
    """What anything else tells of single counts: each lies from `lowest` to `highest`.

    For an interval beside a shown denominator: try every count, and keep the lowest and the
    highest one whose interval is printed alike.
    """
    rows = [[(int(cell), 1)] for cell in which]
    return _bands(cells, rows, [int(one) for one in lowest], [int(one) for one in highest])


def counts_that_print(printed: str, n: int, *, times: int = 100) -> list[int]:
    """The counts of `n` whose percentage is printed so; "15.4" of 13 can only be 2."""
    scale = 10 ** len(printed.partition(".")[2])
    wanted = Fraction(printed) * scale
    return [
        x for x in range(n + 1) if abs(Fraction(times * scale * x, n) - wanted) <= Fraction(1, 2)
    ]


def _rounded(number: Fraction) -> int:
    """The nearest whole number; a half goes to the even one, as Python's own rounding does."""
    return round(number)


def _bands(
    cells: Cells, rows: list[list[tuple[int, int]]], lower: list[int], upper: list[int]
) -> Bands:
    """Rows of (cell, entry) as a matrix."""
    at = [row for row, pairs in enumerate(rows) for _ in pairs]
    columns = [cell for pairs in rows for cell, _ in pairs]
    entries = np.array([entry for pairs in rows for _, entry in pairs], dtype=np.int64)
    matrix = sparse.coo_array((entries, (at, columns)), shape=(len(rows), len(cells)))
    return Bands(matrix.tocsr(), np.array(lower, dtype=np.int64), np.array(upper, dtype=np.int64))
