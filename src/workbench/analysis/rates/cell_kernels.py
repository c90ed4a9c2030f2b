"""The sums of `cells`, compiled: each person's follow-up is walked from limit to limit.

Work is per cell crossed, not per day. Results are those of the plain path; equal to the last digit
where follow-up is counted in whole days.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from workbench.analysis.rates.cells import CellSums
from workbench.analysis.rates.follow_up import Followed


def walked(followed: Followed, number: np.ndarray, shape: tuple[int, ...]) -> CellSums:
    """Persons, events and time of each group and cell, as `cells.sums_of`."""
    limits = list(followed.limits.values())
    bases = [limit.base for limit in limits]
    steps = [limit.step.astype(np.int64) for limit in limits]
    n, events, time = (np.zeros(int(np.prod(shape))) for _ in range(3))
    lost = _walk(
        (followed.start, followed.end, followed.event, number.astype(np.int64)),
        (np.concatenate(bases), _ends(bases)),
        (np.concatenate(steps), _ends(steps)),
        np.stack([limit.first.astype(np.int64) for limit in limits]),
        np.stack([limit.shift for limit in limits]),
        n, events, time,
    )  # fmt: skip
    return CellSums(n, events, time, int(lost[0]), float(lost[1]), shape)


def _ends(parts: list[np.ndarray]) -> np.ndarray:
    return np.append(0, np.cumsum([len(part) for part in parts]))


@njit(cache=True, nogil=True)
def _limit(place, scale, base, base_ends, first, shift):  # type: ignore[no-untyped-def]
    """When a person reaches a limit, given the step of it."""
    low, high = base_ends[scale], base_ends[scale + 1] - 1
    at = min(max(low + first + place, low), high)
    return base[at] + shift


@njit(cache=True, nogil=True)
def _reached(time, scale, bases, steps, first, shift):  # type: ignore[no-untyped-def]
    """How many limits of a scale a person has reached at a time (their number, by halving)."""
    base, base_ends = bases
    step, step_ends = steps
    low, high = step_ends[scale], step_ends[scale + 1]
    while low < high:
        middle = (low + high) // 2
        if _limit(step[middle], scale, base, base_ends, first, shift) <= time:
            low = middle + 1
        else:
            high = middle
    return low - step_ends[scale]


@njit(cache=True, nogil=True)
def _walk(who, bases, steps, first, shift, n, events, time):  # type: ignore[no-untyped-def]
    start, end, event, number = who
    step, ends = steps
    n_scales = len(first)
    reached = np.empty(n_scales, np.int64)
    following = np.empty(n_scales)
    lost_events, lost_time = 0.0, 0.0
    for i in range(len(start)):
        now = start[i]
        for s in range(n_scales):
            reached[s] = _reached(now, s, bases, steps, first[s, i], shift[s, i])
        going = True
        while going:
            flat, inside, until = number[i], True, end[i]
            for s in range(n_scales):
                size = ends[s + 1] - ends[s]
                inside = inside and 0 < reached[s] < size
                flat = flat * (size - 1) + reached[s] - 1
                following[s] = np.inf
                if reached[s] < size:
                    place = step[ends[s] + reached[s]]
                    following[s] = _limit(place, s, bases[0], bases[1], first[s, i], shift[s, i])
                until = min(until, following[s])
            going = until < end[i]
            happened = 0.0 if going or not event[i] else 1.0
            if inside:
                n[flat] += 1
                events[flat] += happened
                time[flat] += until - now
            else:
                lost_events += happened
                lost_time += until - now
            now = until
            for s in range(n_scales):
                if following[s] <= now:
                    reached[s] = _reached(now, s, bases, steps, first[s, i], shift[s, i])
    return lost_events, lost_time
