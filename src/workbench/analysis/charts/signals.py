"""Special causes by the NHS rules: what is unlikely to be chance alone.

In order of precedence: outside the limits; six or seven points that rise or fall (a tie breaks it);
two of three beyond two sigma, all three on one side (only the far ones are marked, and points
outside the limits do not count); seven on one side of the centre (a point on it breaks it).

Source: NHS England, Making Data Count; Montgomery, Statistical Quality Control, 2013, chapter 5.
"""

from __future__ import annotations

import numpy as np

from workbench.analysis.charts.limits import Limits

OUTSIDE, TREND, NEAR, SIDE = "outside limits", "rising or falling", "2 of 3", "7 on one side"
ONE_SIDE = 7


def find_signals(
    value: np.ndarray, limits: Limits, *, trend_points: int = 7
) -> tuple[np.ndarray, np.ndarray]:
    """The rule that each point of a segment breaks ("" for none), and which way (1 up, -1 down)."""
    n = len(value)
    rule, way = np.full(n, "", dtype=object), np.zeros(n, dtype=int)
    side = _above(value, limits.centre) - _above(limits.centre, value)
    outside = _above(value, limits.upper) - _above(limits.lower, value)
    far = _above(value, limits.upper_2s) - _above(limits.lower_2s, value)
    found = [
        (SIDE, _runs(side, ONE_SIDE)),
        (NEAR, _near(np.where(outside == 0, far, 0), side)),
        (f"{trend_points} {TREND}", _trends(value, trend_points)),
        (OUTSIDE, outside),
    ]
    for name, ways in found:  # later ones take precedence
        rule[ways != 0], way[ways != 0] = name, ways[ways != 0]
    return rule, way


def kind_of(way: np.ndarray, direction: str | None) -> np.ndarray:
    """What signals mean: improvement, concern, no direction; "common cause" without one."""
    if direction is None:
        return np.where(way == 0, "common cause", "no direction").astype(object)
    good = 1 if direction == "high" else -1
    words = np.where(way == good, "improvement", "concern")
    return np.where(way == 0, "common cause", words).astype(object)


def _above(value: np.ndarray, line: np.ndarray) -> np.ndarray:
    """1 where a value is above a line by more than the rounding of a mean, else 0."""
    return ((value > line) & ~np.isclose(value, line, rtol=1e-12, atol=0)).astype(int)


def _runs(side: np.ndarray, length: int) -> np.ndarray:
    """Points in a run of so many on one side."""
    found = np.zeros(len(side), dtype=int)
    for at in range(len(side) - length + 1):
        part = side[at : at + length]
        if part[0] != 0 and (part == part[0]).all():
            found[at : at + length] = part[0]
    return found


def _trends(value: np.ndarray, length: int) -> np.ndarray:
    """Points in a run of so many that rise or fall."""
    step = np.sign(np.diff(value)).astype(int)
    found = np.zeros(len(value), dtype=int)
    for at in range(len(value) - length + 1):
        part = step[at : at + length - 1]
        if part[0] != 0 and (part == part[0]).all():
            found[at : at + length] = part[0]
    return found


def _near(far: np.ndarray, side: np.ndarray) -> np.ndarray:
    """The far points of three on one side of which two or more are far."""
    found = np.zeros(len(side), dtype=int)
    for at in range(len(side) - 2):
        part = slice(at, at + 3)
        for sign in (1, -1):
            is_far = far[part] == sign
            if (side[part] == sign).all() and is_far.sum() >= 2:
                found[part] = np.where(is_far, sign, found[part])
    return found
