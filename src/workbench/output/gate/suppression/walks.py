"""Walks: from the true table, box by box, to tables in which a cell has another value."""

from __future__ import annotations

import numpy as np

from workbench.output.gate.suppression.boxes import Boxes
from workbench.output.gate.suppression.cells import Cells
from workbench.output.gate.suppression.doubts import Doubt, Doubts

COST_OF_MORE = 1.0  # the price of a box that goes nowhere near far enough, in cells


def walk(
    boxes: Boxes, values: np.ndarray, target: int, value: int, cost: np.ndarray
) -> list[Doubt] | None:
    """Tables in which a target has each value on the way to `value`, at little cost.

    Parameters
    ----------
    boxes
        The boxes of the cells' grid.
    values
        The true counts.
    target, value
        The cell, and the value that must become possible.
    cost
        The price of hiding each cell; 0 for hidden ones, infinite for known ones.

    Returns
    -------
    list of Doubt or None
        Every step on the way; None where boxes do not lead there.
    """
    need = value - int(values[target])
    direction = 1 if need > 0 else -1
    need = abs(need)
    now, price = values, cost
    steps: list[Doubt] = []
    while need > 0:
        found = boxes.cheapest(
            target, values=now, cost=price, direction=direction, need=need,
            cost_of_more=COST_OF_MORE,
        )  # fmt: skip
        if found is None:
            return None
        cells, changes, reach = found
        if now is values:
            now, price = values.copy(), cost.copy()
        price[cells] = 0
        for _ in range(min(reach, need)):
            now[cells] += changes
            steps.append(_difference(now, values, steps, cells))
        need -= min(reach, need)
    return steps


def _difference(
    now: np.ndarray, values: np.ndarray, steps: list[Doubt], cells: np.ndarray
) -> Doubt:
    """How a table differs from the true one; only cells of earlier steps and these can."""
    touched = cells if not steps else np.union1d(steps[-1].cells, cells)
    changes = now[touched] - values[touched]
    return Doubt(touched[changes != 0], changes[changes != 0])


def farthest(missing: list[tuple[int, int]], true: int) -> tuple[int, int]:
    """The first reader and the value to go for: what lies on the way is then often settled too."""
    reader = missing[0][0]
    values = [value for one, value in missing if one == reader]
    return reader, max(values) if max(values) > true else min(values)


def settle_by_walks(
    doubts: Doubts,
    boxes: Boxes,
    cells: Cells,
    target: int,
    cost: np.ndarray,
    readers: np.ndarray,
) -> bool:
    """Walk until every value of a target is possible for every reader; whether it came so far."""
    price = cost
    while missing := doubts.missing(target):
        reader, value = farthest(missing, int(cells.counts[target]))
        known = readers[reader]
        own_price = np.where(known, np.inf, price) if known.any() else price
        steps = walk(boxes, cells.counts, target, value, own_price)
        if steps is None:
            return False
        fitting = [step for step in steps if doubts.add(step) is not None]
        if len(fitting) < len(steps):  # a printed number that is no count says otherwise
            return False
        price = price.copy()
        for step in steps:
            price[step.cells] = 0
    return True
