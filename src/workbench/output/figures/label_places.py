"""Where names of points can stand: near their point, over no other name, point or label."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

Box = tuple[float, float, float, float]  # left, bottom, right, top in inches
# Tried in this order: beside the point, over and under it, aslant; then further away with a line.
NEAR = (
    (1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1), (0.5, 1), (-0.5, 1),
    (0.5, -1), (-0.5, -1), (1, 0.5), (-1, 0.5), (1, -0.5), (-1, -0.5),
)  # fmt: skip
DISTANCES = (0.09, 0.2, 0.34, 0.5, 0.7, 0.9)
LEAD = 0.16  # a name further away than this is tied to its point by a line
MARK = 0.06  # half a mark's size


@dataclass(frozen=True)
class Place:
    """Centre of a name in inches, and whether a line leads to it."""

    x: float
    y: float
    is_far: bool


def place_names(
    points: Sequence[tuple[float, float]],
    widths: Sequence[float],
    *,
    height: float,
    within: Box,
    marks: Sequence[tuple[float, float]],
    must: int = 0,
) -> list[Place | None]:
    """Find a place for each point's name, in the points' order; None where there is none.

    Parameters
    ----------
    points, widths
        Where the named points are and how wide their names are, in inches.
    height
        Of one line of text.
    within
        The box that names may not leave.
    marks
        All points of the figure: no name stands over one.
    must
        So many names, from the first, stand over points rather than nowhere.
    """
    taken: list[Box] = [(x - MARK, y - MARK, x + MARK, y + MARK) for x, y in marks]
    found: list[Place | None] = []
    for at, (point, width) in enumerate(zip(points, widths, strict=True)):
        tried = list(_tries(point, width, height, within))
        overlaps = [_n_overlaps(_box(one.x, one.y, width, height), taken) for one in tried]
        place = next((one for one, n in zip(tried, overlaps, strict=True) if not n), None)
        if place is None and at < must and tried:
            place = tried[overlaps.index(min(overlaps))]
        found.append(place)
        if place is not None:
            taken.append(_box(place.x, place.y, width, height))
    return found


def _tries(point: tuple[float, float], width: float, height: float, within: Box) -> Iterator[Place]:
    for distance in DISTANCES:
        for across, up in NEAR:
            x = point[0] + across * (distance + width / 2)
            y = point[1] + up * (distance + height / 2)
            if _is_inside(_box(x, y, width, height), within):
                yield Place(x, y, distance > LEAD)


def _n_overlaps(box: Box, taken: Sequence[Box]) -> int:
    return sum(_overlap(box, one) for one in taken)


def _box(x: float, y: float, width: float, height: float) -> Box:
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _is_inside(box: Box, within: Box) -> bool:
    return (
        box[0] >= within[0] and box[1] >= within[1] and box[2] <= within[2] and box[3] <= within[3]
    )


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
