"""Count comparable pairs of persons, for concordance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.analysis.inputs import FollowUp


@dataclass(frozen=True, eq=False)
class Pairs:
    """Comparable pairs: one has the event while the other is still followed.

    `of_event` (E x 3, rows with the event in their order) and `of_other` (n x 3): per person, the
    sum of the others' weights in pairs that agree (who has the event has the higher score), that
    are tied in score, and in all pairs. `tied_times`: sums over pairs with the event at the same
    time, with different and with the same score; they are not comparable.
    """

    of_event: np.ndarray
    of_other: np.ndarray
    tied_times: tuple[float, float]


def count_pairs(
    score: np.ndarray,
    follow_up: FollowUp,
    layer: np.ndarray,
    *,
    importance: np.ndarray | None = None,
) -> Pairs:
    """Count the comparable pairs of persons within each `layer`.

    Parameters
    ----------
    score
        Per person (n).
    importance
        Factor of the pairs that each person's event makes (n); 1 without it.
    """
    rank = np.unique(score, return_inverse=True)[1]
    weight = np.ones(len(rank)) if follow_up.weight is None else follow_up.weight
    lead = weight if importance is None else weight * importance
    event = follow_up.event
    of_event, of_other = np.zeros((len(rank), 3)), np.zeros((len(rank), 3))
    order = np.argsort(layer, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(layer[order])) + 1):
        part = follow_up.of(rows)
        died = rows[part.event]
        of_event[died] = _still_followed(rank[rows], weight[rows], part)
        of_other[rows] = _gone_before(rank[rows], lead[rows], part)
    codes = np.unique(follow_up.time[event], return_inverse=True)[1]
    same_time = _same(layer[event] * (codes.max(initial=0) + 1) + codes, lead[event], weight[event])
    both = np.unique(
        np.column_stack([layer[event], codes, rank[event]]), axis=0, return_inverse=True
    )[1]
    same_both = _same(both.ravel(), lead[event], weight[event])
    return Pairs(of_event[event], of_other, (same_time - same_both, same_both))


def _still_followed(rank: np.ndarray, weight: np.ndarray, part: FollowUp) -> np.ndarray:
    # still followed at an event: who leaves later, or is censored at the same time
    event = part.event
    order = np.lexsort((event, -part.time))
    key = 2 * np.unique(-part.time, return_inverse=True)[1] + event
    still = np.searchsorted(key[order], key[event], side="left")
    found = _weigh(rank[order], weight[order], still, rank[event])
    if part.entry is not None:
        order = np.argsort(-part.entry, kind="stable")
        absent = np.searchsorted(-part.entry[order], -part.time[event], side="right")
        found = found - _weigh(rank[order], weight[order], absent, rank[event])
    return found.T


def _gone_before(rank: np.ndarray, lead: np.ndarray, part: FollowUp) -> np.ndarray:
    event = np.flatnonzero(part.event)
    order = event[np.argsort(part.time[event], kind="stable")]
    times = part.time[order]
    earlier = np.searchsorted(times, part.time, side="left")
    until = np.where(part.event, earlier, np.searchsorted(times, part.time, side="right"))
    if not len(order):
        return np.zeros((len(rank), 3))
    found = _weigh(rank[order], lead[order], until, rank)
    if part.entry is not None:
        absent = np.searchsorted(times, part.entry, side="right")
        found = found - _weigh(rank[order], lead[order], absent, rank)
    below, tied, total = found
    return np.column_stack([total - below - tied, tied, total])


def _same(code: np.ndarray, lead: np.ndarray, weight: np.ndarray) -> float:
    if not len(code):
        return 0.0
    code = np.unique(code, return_inverse=True)[1].ravel()
    sums = np.bincount(code, weights=lead) * np.bincount(code, weights=weight)
    return float((sums - np.bincount(code, weights=lead * weight)).sum() / 2)


def _weigh(
    rank: np.ndarray, weight: np.ndarray, until: np.ndarray, asked: np.ndarray
) -> np.ndarray:
    """Weight below the asked rank, at it, and in all, among the first `until` (wavelet matrix)."""
    total = np.append(0.0, weight.cumsum())[until]
    start, below = np.zeros_like(until), np.zeros(len(until))
    largest = max(int(rank.max(initial=0)), int(asked.max(initial=0)), 1)
    for bit in reversed(range(largest.bit_length())):
        high = (rank >> bit & 1).astype(bool)
        lows = np.append(0, (~high).cumsum())
        low_weight = np.append(0.0, (weight * ~high).cumsum())
        up = (asked >> bit & 1).astype(bool)
        below += np.where(up, low_weight[until] - low_weight[start], 0.0)
        start = np.where(up, lows[-1] + start - lows[start], lows[start])
        until = np.where(up, lows[-1] + until - lows[until], lows[until])
        order = np.argsort(high, kind="stable")
        rank, weight = rank[order], weight[order]
    running = np.append(0.0, weight.cumsum())
    return np.stack([below, running[until] - running[start], total])
