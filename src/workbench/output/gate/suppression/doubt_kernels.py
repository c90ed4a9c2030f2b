"""The two sums behind every doubt, compiled (numba)."""

from __future__ import annotations

from numba import njit


@njit(cache=True, nogil=True)
def fits(counts, starts, rows, entries, lower, upper, cells, changes, moved):
    """Whether a change keeps every row within its limits and every count at zero or above.

    The matrix lies by cells (compressed columns); `moved` is room for a number a row, all zero
    before and after.
    """
    good = True
    for i in range(len(cells)):
        cell = cells[i]
        if counts[cell] + changes[i] < 0:
            good = False
        for at in range(starts[cell], starts[cell + 1]):
            moved[rows[at]] += entries[at] * changes[i]
    for i in range(len(cells)):
        for at in range(starts[cells[i]], starts[cells[i] + 1]):
            row = rows[at]
            good = good and lower[row] <= moved[row] <= upper[row]
    for i in range(len(cells)):
        for at in range(starts[cells[i]], starts[cells[i] + 1]):
            moved[rows[at]] = 0
    return good


@njit(cache=True, nogil=True)
def count_behind(behind, readers, places, counts, lowest, cells, changes, step):
    """Add a doubt to the values it keeps possible, for the readers who know none of its cells."""
    for reader in range(len(readers)):
        knows = False
        for i in range(len(cells)):
            knows = knows or readers[reader, cells[i]]
        if knows:
            continue
        for i in range(len(cells)):
            place, value = places[cells[i]], counts[cells[i]] + changes[i] - lowest
            if place >= 0 and 0 <= value < behind.shape[2]:
                behind[reader, place, value] += step
