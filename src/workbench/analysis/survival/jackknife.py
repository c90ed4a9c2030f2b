"""The robust variance of an estimate made from counts: the infinitesimal jackknife.

It is the sum over persons of (weight x the person's influence)^2, and is needed where weights are
not whole numbers (sampling, propensity). The influences of all persons of the same group, entry,
time and cause are the same, so sums of squared weights are enough.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.analysis.counts import EventCounts


@dataclass(frozen=True, eq=False)
class Influence:
    """How an estimate at time t depends on one person's weight.

    For a person who entered at e it is `factor(t) x a - b`: while the person stays,
    a = level(t) - level(e) and b = offset(t) - offset(e); once the person has left at s,
    a = level(s) - level(e) and b = offset(s) - offset(e), less `level_jump` and `offset_jump` of
    the person's own event at s. The jumps have one row a time and one column a cause of the
    counts; the rest one element a time. All are finite.
    """

    factor: np.ndarray
    level: np.ndarray
    offset: np.ndarray
    level_jump: np.ndarray
    offset_jump: np.ndarray


def jackknife_variance(counts: EventCounts, influence: Influence) -> np.ndarray:
    """Sum the squared influences of all persons, at every time of the counts.

    Returns
    -------
    The variance of the estimate, one element a time.

    References
    ----------
    Therneau and Grambsch, 2000, section 7.2; Efron, 1982, chapter 6.
    """
    spells = counts.spells
    left_at = counts.rows_of(spells.number, spells.time)
    column = np.zeros(max(counts.causes) + 1, dtype=np.int64)
    column[list(counts.causes)] = np.arange(1, len(counts.causes) + 1)
    own = column[spells.cause]
    level_at_entry, offset_at_entry = np.zeros(len(own)), np.zeros(len(own))
    entered_at = None
    if spells.entry is not None:
        entered_at = counts.rows_of(spells.number, spells.entry)
        level_at_entry = influence.level[entered_at]
        offset_at_entry = influence.offset[entered_at]
    none = np.zeros((len(counts.time), 1))
    level_jump = np.hstack([none, influence.level_jump])[left_at, own]
    offset_jump = np.hstack([none, influence.offset_jump])[left_at, own]
    a = influence.level[left_at] - level_at_entry - level_jump
    b = influence.offset[left_at] - offset_at_entry - offset_jump
    f = influence.factor

    def gone(values: np.ndarray) -> np.ndarray:
        weights = spells.squares * values
        return counts.running(np.bincount(left_at, weights, minlength=len(counts.time)))

    def staying(values: np.ndarray) -> np.ndarray:
        weights = spells.squares * values
        if entered_at is not None:
            arrived = np.bincount(entered_at, weights, minlength=len(counts.time))
            return counts.running(arrived) - gone(values)
        whole = np.bincount(spells.number, weights, minlength=len(counts.groups))
        return whole[counts.number] - gone(values)

    variance = f**2 * gone(a**2) - 2 * f * gone(a * b) + gone(b**2)
    level, offset, n = influence.level, influence.offset, staying(np.ones(len(own)))
    mean_a, mean_b = staying(level_at_entry), staying(offset_at_entry)
    squares = level**2 * n - 2 * level * mean_a + staying(level_at_entry**2)
    products = level * offset * n - level * mean_b - offset * mean_a
    products = products + staying(level_at_entry * offset_at_entry)
    others = offset**2 * n - 2 * offset * mean_b + staying(offset_at_entry**2)
    return np.maximum(variance + f**2 * squares - 2 * f * products + others, 0.0)
