"""The loops over the rows of a Cox model, compiled (numba); imported only for large data.

Rows are sorted by the place of their exit and cut into pieces that share no place, so that
several threads add without getting in each other's way. Categories come as one pattern code a
row: a table with a row per pattern holds their columns, and only the numbers differ within it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numba import njit

from workbench.analysis.regression.cox_likelihood import Steps, Sums, backward
from workbench.analysis.regression.risk_sets import RiskSets

THREADS = max(1, min(os.cpu_count() or 1, 8))
ROUNDING = 1e-13
# sums may be taken in another order, so that several are added at once; nothing else is loosened
LOOSE = {"reassoc", "contract"}


@njit(cache=True, nogil=True, fastmath=LOOSE)
def _score_of(i, numbers, slope, offset):
    score = offset[i] if offset.size else 0.0
    for j in range(numbers.shape[1]):
        score += slope[j] * numbers[i, j]
    return score


@njit(cache=True, nogil=True, fastmath=LOOSE)
def _add_rows(
    rows, exits, patterns, base, base_ratio, filled, column, value, numbers, slope, offset,
    at_risk, died, event_place, weight, risk, columns, events, event_columns, totals,
):  # fmt: skip
    n_numbers = numbers.shape[1]
    n_table = columns.shape[1] - n_numbers
    own = np.zeros(n_table + n_numbers)
    score_sum = 0.0
    place, mass = exits[rows[0]], 0.0
    for i in range(rows[0], rows[1]):
        if exits[i] != place:
            risk[place] = mass
            columns[place, :] = own
            own[:] = 0.0
            place, mass = exits[i], 0.0
        pattern = patterns[i]
        score, ratio = _score_of(i, numbers, slope, offset), base_ratio[pattern]
        if n_numbers or offset.size:
            ratio *= np.exp(score)
        w = ratio * at_risk[i] if at_risk.size else ratio
        weight[i] = w
        mass += w
        for k in range(filled[pattern], filled[pattern + 1]):
            own[column[k]] += w * value[k]
        for j in range(n_numbers):
            own[n_table + j] += w * numbers[i, j]
        if died[i] > 0:
            d, at = died[i], event_place[place]
            score_sum += d * (score + base[pattern])
            dw = d * ratio
            events[at] += dw
            for k in range(filled[pattern], filled[pattern + 1]):
                event_columns[at, column[k]] += dw * value[k]
                totals[1 + column[k]] += d * value[k]
            for j in range(n_numbers):
                event_columns[at, n_table + j] += dw * numbers[i, j]
                totals[1 + n_table + j] += d * numbers[i, j]
    risk[place] = mass
    columns[place, :] = own
    totals[0] = score_sum


@njit(cache=True, nogil=True)
def _add_starts(starts, patterns, filled, column, value, numbers, weight, risk, columns):
    n_table = columns.shape[1] - numbers.shape[1]
    for i in range(len(starts)):
        w, place, pattern = weight[i], starts[i], patterns[i]
        risk[place] += w
        for k in range(filled[pattern], filled[pattern + 1]):
            columns[place, column[k]] += w * value[k]
        for j in range(numbers.shape[1]):
            columns[place, n_table + j] += w * numbers[i, j]


@njit(cache=True, nogil=True, fastmath=LOOSE)
def _add_products(
    rows, exits, starts, patterns, numbers, at_risk, died, weight, running, taken, found
):
    n_numbers = numbers.shape[1]
    for i in range(rows[0], rows[1]):
        met = running[exits[i] + 1]
        if starts.size:
            met -= running[starts[i]]
        if died[i] > 0:
            share = died[i] / at_risk[i] if at_risk.size else 1.0
            met -= taken[exits[i]] * share
        v = weight[i] * met
        own = found[patterns[i]]
        own[0] += v
        k = 1 + n_numbers
        for a in range(n_numbers):
            va = v * numbers[i, a]
            own[1 + a] += va
            for b in range(a + 1):
                own[k + b] += va * numbers[i, b]
            k += a + 1


@njit(cache=True, nogil=True)
def _add_ties(n_events, at_risk, died, weight, is_efron, steps):
    log_den = 0.0
    for m in range(len(n_events)):
        for rank in range(n_events[m]):
            share = rank / n_events[m] if is_efron else 0.0
            den = at_risk[m] - share * died[m]
            inverse = weight[m] / den
            steps[0, m] += inverse
            steps[1, m] += share * inverse
            steps[2, m] += inverse / den
            steps[3, m] += share * inverse / den
            steps[4, m] += share * share * inverse / den
            log_den += weight[m] * np.log(den)
    return log_den


@njit(cache=True, nogil=True)
def _in_order(rows, order, numbers, found):
    for i in range(rows[0], rows[1]):
        for j in range(numbers.shape[1]):
            found[i, j] = numbers[order[i], j]


class CompiledRows:
    """The rows as patterns and numbers, added up by compiled loops on all cores.

    `table` is P x F (columns of the categories, a row per pattern), `pattern` (n) says which is
    whose, `numbers` is n x Q; the columns of the model are the F and then the Q ones. The columns
    of the table are centred on `table_mean` (F): that is done afterwards, so that the many zeros
    of a category cost nothing.
    """

    def __init__(
        self,
        pattern: np.ndarray,
        table: np.ndarray,
        table_mean: np.ndarray,
        numbers: np.ndarray,
        risk: RiskSets,
        offset: np.ndarray | None = None,
    ) -> None:
        # those with the event last at each time: a loop that need not guess runs faster
        key = 2 * risk.exit + (risk.died > 0)
        key = key.astype(np.uint16) if 2 * risk.n_places <= 65_536 else key
        order = np.argsort(key, kind="stable")
        none = np.empty(0)
        self.risk, self.table = risk, np.ascontiguousarray(table)
        self.n_columns = table.shape[1] + numbers.shape[1]
        self._table_mean, self._sparse = table_mean, _without_zeros(table + table_mean)
        self._exit = risk.exit.astype(np.int32)[order]
        self._pattern = pattern.astype(np.int32)[order]
        self._start = np.empty(0, dtype=np.int64) if risk.start is None else risk.start[order]
        self._at_risk = none if risk.at_risk is None else risk.at_risk[order]
        self._died = risk.died[order]
        self._offset = none if offset is None else offset[order]
        self._event_place = np.full(risk.n_places, -1)
        self._event_place[risk.places] = np.arange(len(risk.places))
        self._pieces = _pieces(self._exit, THREADS)
        self._pool = ThreadPoolExecutor(THREADS)
        self._numbers = np.empty_like(numbers, order="C")
        self._each(lambda piece, rows: _in_order(rows, order, numbers, self._numbers))

    def _each(self, work: Callable[[int, np.ndarray], None]) -> None:
        list(self._pool.map(work, range(len(self._pieces)), self._pieces))

    def sums(self, coefficient: np.ndarray) -> Sums:
        """Weigh the rows by exp(x'b) and add them up."""
        n_table, p, risk = self.table.shape[1], self.n_columns, self.risk
        base = self.table @ coefficient[:n_table]
        at_risk, columns = np.zeros(risk.n_places), np.zeros((risk.n_places, p))
        events, event_columns = np.zeros(len(risk.places)), np.zeros((len(risk.places), p))
        totals, weight = np.zeros((len(self._pieces), 1 + p)), np.empty(len(self._exit))

        def add(piece: int, rows: np.ndarray) -> None:
            _add_rows(
                rows, self._exit, self._pattern, base, np.exp(base), *self._sparse, self._numbers,
                coefficient[n_table:], self._offset, self._at_risk, self._died, self._event_place,
                weight, at_risk, columns, events, event_columns, totals[piece],
            )  # fmt: skip

        self._each(add)
        at_risk, columns = backward(at_risk), backward(columns)
        if self._start.size:
            later, later_columns = np.zeros(risk.n_places + 1), np.zeros((risk.n_places + 1, p))
            _add_starts(
                self._start, self._pattern, *self._sparse, self._numbers, weight, later,
                later_columns,
            )  # fmt: skip
            at_risk = at_risk - backward(later)[1:]
            columns = columns - backward(later_columns)[1:]
        total = totals.sum(axis=0)
        columns[:, :n_table] -= at_risk[:, None] * self._table_mean
        event_columns[:, :n_table] -= events[:, None] * self._table_mean
        total[1 : 1 + n_table] -= self._died.sum() * self._table_mean
        return Sums(weight, at_risk, columns, events, event_columns, float(total[0]), total[1:])

    def steps(self, sums: Sums) -> Steps:
        """Sum what happens at each event time over its tied events."""
        risk = self.risk
        found = np.zeros((5, len(risk.places)))
        log_den = _add_ties(
            risk.n_events, sums.risk[risk.places], sums.events, risk.mean_weight,
            risk.share is not None, found,
        )  # fmt: skip
        return Steps(found[0], found[1], found[2], found[3], found[4], log_den)

    def information_rows(self, sums: Sums, steps: Steps) -> np.ndarray:
        """Sum over the rows of what they met of the hazard times x x' (p x p)."""
        q = self._numbers.shape[1]
        running = self.risk.running(steps.hazard)
        taken = np.zeros(self.risk.n_places)
        taken[self.risk.places] = steps.taken
        found = np.zeros((len(self._pieces), len(self.table), 1 + q + q * (q + 1) // 2))

        def add(piece: int, rows: np.ndarray) -> None:
            _add_products(
                rows, self._exit, self._start, self._pattern, self._numbers, self._at_risk,
                self._died, sums.weight, running, taken, found[piece],
            )  # fmt: skip

        self._each(add)
        return _assembled(found.sum(axis=0), self.table, q)


def _without_zeros(table: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where each row's values begin, their columns and the values, without the zeros."""
    # centred and back leaves rounding where there was a zero
    clean = np.where(np.abs(table) < ROUNDING * np.abs(table).max(initial=1.0), 0.0, table)
    row, column = np.nonzero(clean)
    filled = np.searchsorted(row, np.arange(table.shape[0] + 1))
    return filled, column, clean[row, column]


def _assembled(found: np.ndarray, table: np.ndarray, n_numbers: int) -> np.ndarray:
    """The p x p cross product from the sums of each pattern."""
    n_table, lower = table.shape[1], np.tril_indices(n_numbers)
    whole = np.zeros((n_table + n_numbers, n_table + n_numbers))
    whole[:n_table, :n_table] = (table * found[:, :1]).T @ table
    across = table.T @ found[:, 1 : 1 + n_numbers]
    whole[:n_table, n_table:], whole[n_table:, :n_table] = across, across.T
    square = np.zeros((n_numbers, n_numbers))
    square[lower] = found[:, 1 + n_numbers :].sum(axis=0)
    whole[n_table:, n_table:] = square + np.tril(square, -1).T
    return whole


def _pieces(places: np.ndarray, n_pieces: int) -> np.ndarray:
    """First and last row of pieces of about the same size that share no place."""
    asked = np.linspace(0, len(places), n_pieces + 1).astype(np.int64)[1:-1]
    cuts = np.searchsorted(places, places[asked]) if len(asked) else asked
    ends = np.unique(np.r_[0, cuts, len(places)])
    return np.column_stack([ends[:-1], ends[1:]])
