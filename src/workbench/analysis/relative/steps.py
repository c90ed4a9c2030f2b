"""Steps of follow-up time, and sums over the patients at risk in each of them.

Within one cell of the life table everybody's cumulative hazard grows by the same rate, so the sum
of weights exp(sign * hazard) over its patients is one number that grows: a difference array per
cell (in at the first step, out after the last) replaces a loop over patients and days.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.analysis.compiled import use_compiled
from workbench.analysis.relative.patients import Patients
from workbench.analysis.relative.walk import pieces

# numbers in one block of [cell, step] in the plain path: 32 MB
BLOCK = 4_000_000
# patients in one go of the compiled path, so that stretches stay below some 300 MB
CHUNK = 400_000


@dataclass(frozen=True, eq=False)
class Grid:
    """Steps (start, end] of follow-up, in days.

    `times` are the ends at which an estimate is made (exits, entries, asked times); `gap` gives
    for each step the number of the time that it leads to.
    """

    start: np.ndarray
    end: np.ndarray
    times: np.ndarray
    gap: np.ndarray

    @property
    def points(self) -> np.ndarray:
        """All borders of steps, from 0 on."""
        return np.append(self.start, self.end[-1:])


@dataclass(frozen=True, eq=False)
class Sums:
    """Sums over the patients at risk in each step, at its start (0) and its end (1).

    `weight` are sums of w = exp(sign * H) times the patient's own weight, `rate` of w * rate;
    `hazard` is each patient's own H at the end of follow-up.
    """

    weight0: np.ndarray
    rate0: np.ndarray
    weight1: np.ndarray
    rate1: np.ndarray
    hazard: np.ndarray


def make_grid(patients: Patients, asked: np.ndarray | None, step: float | None) -> Grid:
    """Cut follow-up at every exit, entry and asked time, and gaps into parts of at most `step`."""
    longest = patients.time.max()
    if asked is None:
        asked = np.zeros(0)
    times = np.unique(np.concatenate([patients.time, patients.entry, asked[asked <= longest]]))
    times = times[times > 0]
    before = np.append(0.0, times)[:-1]
    n_parts = np.ones(len(times), dtype=int)
    if step is not None:
        # 1e-9: a gap of three steps is three also where the times are not exact
        n_parts = np.maximum(np.ceil((times - before) / step - 1e-9).astype(int), 1)
    gap = np.repeat(np.arange(len(times)), n_parts)
    part = np.arange(len(gap)) - np.repeat(np.cumsum(n_parts) - n_parts, n_parts)
    width = step if step is not None else 0.0
    start = before[gap] + part * width
    end = np.append(start[1:], times[-1:])
    return Grid(start=start, end=end, times=times, gap=gap)


def cut_at(times: np.ndarray) -> Grid:
    """Cut follow-up at the given times, one step each."""
    times = np.unique(times[times > 0])
    return Grid(np.append(0.0, times)[:-1], times, times, np.arange(len(times)))


def sum_over_risk_sets(
    patients: Patients, grid: Grid, *, sign: int, exact: bool = False, until: np.ndarray
) -> Sums:
    """Sum weights exp(sign * H) of everybody at risk (after entry, up to `until`), step by step.

    Parameters
    ----------
    sign
        1 (Pohar Perme), 0 (Ederer II) or -1 (expected survival).
    exact
        Whether cells are crossed at the very day; otherwise a step has the rate of its start.
        Exact sums are right at the ends of steps only.
    until
        Days at which each patient leaves the risk set.
    """
    enters = np.searchsorted(grid.start, patients.entry, side="left")
    if use_compiled(len(patients.time)):
        from workbench.analysis.relative.step_kernels import compiled_sums

        borders = (grid.start, grid.end, enters)
        found, hazard = compiled_sums(
            patients, borders, sign=sign, exact=exact, until=until, chunk=CHUNK
        )
        return Sums(found[0], found[1], found[2], found[3], hazard)
    cell, first, last, power, hazard = _stretches(
        patients, grid, until, enters, sign=sign, exact=exact
    )
    rates = patients.table.hazard.ravel()
    found = np.zeros((4, len(grid.start)))
    order = np.argsort(cell, kind="stable")
    cell, first, last, power = cell[order], first[order], last[order], power[order]
    known, number = np.unique(cell, return_inverse=True)
    n_cells = max(BLOCK // (len(grid.start) + 1), 1)
    for low in range(0, len(known), n_cells):
        part = slice(*np.searchsorted(number, [low, low + n_cells]))
        rate = rates[known[low : low + n_cells]]
        found += _block(number[part] - low, first[part], last[part], power[part], rate, grid, sign)
    return Sums(found[0], found[1], found[2], found[3], hazard)


def _block(
    number: np.ndarray, first: np.ndarray, last: np.ndarray, power: np.ndarray,
    rate: np.ndarray, grid: Grid, sign: int,
) -> np.ndarray:  # fmt: skip
    n_points = len(grid.start) + 1
    weight = np.exp(power)
    size = len(rate) * n_points
    entering = np.bincount(number * n_points + first, weight, size)
    entering -= np.bincount(number * n_points + last, weight, size)
    sums = entering.reshape(len(rate), n_points)[:, :-1].cumsum(axis=1)
    growth0 = sums * np.exp(sign * np.outer(rate, grid.start))
    growth1 = sums * np.exp(sign * np.outer(rate, grid.end))
    return np.stack([growth0.sum(axis=0), rate @ growth0, growth1.sum(axis=0), rate @ growth1])


def _stretches(
    patients: Patients, grid: Grid, until: np.ndarray, enters: np.ndarray, *, sign: int, exact: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Cut each walk into stretches of steps in one cell, with the log of the weight at time 0."""
    points = grid.points
    hazard = np.zeros(len(until))
    parts = []
    for piece in pieces(patients, until):
        if exact:
            first = np.searchsorted(grid.end, piece.start, side="right")
            last = np.searchsorted(grid.end, piece.stop, side="right")
            start, stop = piece.start, piece.stop
        else:
            first = np.searchsorted(grid.start, piece.start, side="left")
            last = np.searchsorted(grid.start, piece.stop, side="left")
            start, stop = points[first], points[last]
        power = sign * (hazard[piece.who] - piece.rate * start) + patients.log_weight[piece.who]
        hazard[piece.who] += piece.rate * (stop - start)
        first = np.maximum(first, enters[piece.who])
        kept = first < last
        parts.append((piece.cell[kept], first[kept], last[kept], power[kept]))
    if not parts:
        whole = np.zeros(0, dtype=np.int64)
        return whole, whole, whole, np.zeros(0), hazard
    cell, first, last, power = (np.concatenate(part) for part in zip(*parts, strict=True))
    return cell, first, last, power, hazard
