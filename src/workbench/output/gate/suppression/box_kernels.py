"""The search over boxes, compiled (numba)."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def cheapest_box(  # noqa: C901 -- in two functions it takes twice as long
    offsets, signs, lengths, other_offsets, other_signs, other_lengths,
    lookup, cost, values, direction, need, cost_of_more,
):  # fmt: skip
    """Find the box that moves its cell by `need`, or part of it, and hides the least.

    A box is one swap of the first dimension times one of the others; its price the cost of its
    cells, and `cost_of_more` for the part of the need that is left. Gives the two swaps and how
    far the box goes; -1 where there is none.
    """
    best, best_at, best_other, best_reach = np.inf, -1, -1, 0
    for at in range(len(lengths)):
        for other in range(len(other_lengths)):
            price, reach = 0.0, need
            for i in range(lengths[at]):
                for j in range(other_lengths[other]):
                    cell = lookup[offsets[at, i] + other_offsets[other, j]]
                    if cell < 0:
                        price = np.inf
                        break
                    price += cost[cell]
                    if direction * signs[at, i] * other_signs[other, j] < 0:
                        reach = min(reach, values[cell])
                if price >= best or reach == 0:
                    break
            if reach == 0 or price >= best:
                continue
            price += cost_of_more * (need - reach) / need
            if price < best:
                best, best_at, best_other, best_reach = price, at, other, reach
                if best == 0:  # nothing costs less than nothing
                    return best_at, best_other, best_reach
    return best_at, best_other, best_reach
