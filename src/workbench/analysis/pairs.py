"""Count comparable pairs of persons, for concordance."""

from __future__ import annotations

import numpy as np

from workbench.analysis.inputs import FollowUp


def count_pairs(score: np.ndarray, follow_up: FollowUp, layer: np.ndarray) -> np.ndarray:
    """Count the comparable pairs of persons: one has the event while the other is still followed.

    Returns
    -------
    Three sums, weighted by the product of the two weights: pairs in which the other's score is
    lower, pairs in which it is the same, and all pairs. Pairs are made within `layer`; events at
    the same time make no pair.
    """
    rank = np.unique(score, return_inverse=True)[1]
    weight = np.ones(len(rank)) if follow_up.weight is None else follow_up.weight
    sums = np.zeros(3)
    for value in np.unique(layer):
        own = layer == value
        ranks, weights, part = rank[own], weight[own], follow_up.of(own)
        time, event, entry = part.time, part.event, part.entry
        # still followed at an event: who leaves later, or is censored at the same time
        order = np.lexsort((event, -time))
        key = 2 * np.unique(-time, return_inverse=True)[1] + event
        still = np.searchsorted(key[order], key[event], side="left")
        found = _weigh(ranks[order], weights[order], still, ranks[event])
        if entry is not None:
            order = np.argsort(-entry, kind="stable")
            absent = np.searchsorted(-entry[order], -time[event], side="right")
            found = found - _weigh(ranks[order], weights[order], absent, ranks[event])
        sums += found @ weights[event]
    return sums


def _weigh(
    rank: np.ndarray, weight: np.ndarray, until: np.ndarray, asked: np.ndarray
) -> np.ndarray:
    """Weight below the asked rank, at it, and in all, among the first `until` (wavelet matrix)."""
    total = np.append(0.0, weight.cumsum())[until]
    start, below = np.zeros_like(until), np.zeros(len(until))
    for bit in reversed(range(int(max(rank.max(), 1)).bit_length())):
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
