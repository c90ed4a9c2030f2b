"""Special causes by the NHS rules: what is unlikely to be chance alone.

In order of precedence: outside the limits; six or seven points that rise or fall (a tie breaks it);
two of three beyond two thirds of the limits, all three on one side (only the far ones are marked);
seven on one side of the centre (a point on it breaks it).

Source: NHS England, Making Data Count; Montgomery, Statistical Quality Control, 2013, chapter 5.
"""

from __future__ import annotations

import numpy as np

OUTSIDE, TREND, NEAR, SIDE = "outside limits", "rising or falling", "2 of 3", "7 on one side"
ONE_SIDE = 7


def find_signals(
    value: np.ndarray, centre: np.ndarray, lower: np.ndarray, upper: np.ndarray, *,
    trend_points: int = 7,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """The rule that each point of a segment breaks ("" for none), and which way (1 up, -1 down)."""
    n = len(value)
    rule, way = np.full(n, "", dtype=object), np.zeros(n, dtype=int)
    side = np.sign(value - centre).astype(int)
    found = [
        (SIDE, _runs(side, ONE_SIDE)),
        (NEAR, _near(value, centre, lower, upper, side)),
        (f"{trend_points} {TREND}", _trends(value, trend_points)),
        (OUTSIDE, np.where(value > upper, 1, np.where(value < lower, -1, 0))),
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


def _near(
    value: np.ndarray, centre: np.ndarray, lower: np.ndarray, upper: np.ndarray, side: np.ndarray
) -> np.ndarray:
    inside = (value <= upper) & (value >= lower)
    far_up = (value > centre + (upper - centre) * 2 / 3) & inside
    far_down = (value < centre - (centre - lower) * 2 / 3) & inside
    found = np.zeros(len(value), dtype=int)
    for at in range(len(value) - 2):
        part = slice(at, at + 3)
        for far, sign in ((far_up, 1), (far_down, -1)):
            if (side[part] == sign).all() and far[part].sum() >= 2:
                found[part] = np.where(far[part], sign, found[part])
    return found
