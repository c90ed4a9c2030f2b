"""Boxes: the smallest changes of a full table that keep every sum.

A box takes one swap of each dimension (see `hierarchies`) and changes the cells of their product
by plus and minus one. Added to a table that fits all sums it gives another that does, as long as
no cell falls below zero: so each box that lies in hidden cells is a doubt for whoever attacks.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np

from workbench.output.gate.suppression.box_kernels import cheapest_box
from workbench.output.gate.suppression.cells import Grid

MOST_PRODUCTS = 3000

Padded = tuple[np.ndarray, np.ndarray, np.ndarray]


class Boxes:
    """The boxes around the cells of a grid, made when they are asked for and kept."""

    def __init__(self, grid: Grid) -> None:
        """Remember the grid; its dimension with the most nodes is searched apart."""
        self._grid = grid
        self._widest = int(np.argmax([len(tree.labels) for tree in grid.trees]))
        self._others = [axis for axis in range(len(grid.trees)) if axis != self._widest]
        self._of_node: dict[tuple[int, int], Padded] = {}
        self._of_others: dict[tuple[int, ...], Padded] = {}

    def cheapest(
        self,
        cell: int,
        *,
        values: np.ndarray,
        cost: np.ndarray,
        direction: int,
        need: int,
        cost_of_more: float,
    ) -> tuple[np.ndarray, np.ndarray, int] | None:
        """The box that moves a cell by `need` (or part of it) at the least cost.

        Parameters
        ----------
        cell
            The cell that is to move.
        values, cost
            One number a cell: its count in the table that is moved, and the price of changing it
            (infinite where it is known).
        direction, need
            1 for up and -1 for down; how far.
        cost_of_more
            The price of leaving all of the need to other boxes.

        Returns
        -------
        tuple or None
            The cells, their changes for one step, and how many steps fit; None without a box.
        """
        codes = self._grid.codes[cell]
        first = self._swaps(self._widest, int(codes[self._widest]))
        others = self._products(tuple(int(codes[axis]) for axis in self._others))
        at, other, reach = cheapest_box(
            *first, *others, self._grid.lookup, cost, values, direction, need, cost_of_more
        )
        if at < 0:
            return None
        n, m = first[2][at], others[2][other]
        offsets = first[0][at, :n, None] + others[0][other, None, :m]
        signs = first[1][at, :n, None] * others[1][other, None, :m]
        return self._grid.lookup[offsets.ravel()], direction * signs.ravel(), int(reach)

    def _swaps(self, axis: int, node: int) -> Padded:
        key = axis, node
        if key not in self._of_node:
            swaps = self._grid.trees[axis].swaps(node)
            stride = self._grid.strides[axis]
            self._of_node[key] = _padded(
                [np.array(nodes) * stride for nodes, _ in swaps],
                [np.array(signs) for _, signs in swaps],
            )
        return self._of_node[key]

    def _products(self, nodes: tuple[int, ...]) -> Padded:
        if nodes not in self._of_others:
            start = _padded([np.zeros(1, dtype=np.int64)], [np.ones(1, dtype=np.int64)])
            factors = [
                self._swaps(axis, node) for axis, node in zip(self._others, nodes, strict=True)
            ]
            self._of_others[nodes] = reduce(_times, factors, start)
        return self._of_others[nodes]


def _times(one: Padded, other: Padded) -> Padded:
    """Every swap of one with every swap of the other, the shortest first."""
    pairs = sorted(
        ((i, j) for i in range(len(one[2])) for j in range(len(other[2]))),
        key=lambda pair: one[2][pair[0]] * other[2][pair[1]],
    )[:MOST_PRODUCTS]
    offsets, signs = [], []
    for i, j in pairs:
        n, m = one[2][i], other[2][j]
        offsets.append((one[0][i, :n, None] + other[0][j, None, :m]).ravel())
        signs.append((one[1][i, :n, None] * other[1][j, None, :m]).ravel())
    return _padded(offsets, signs)


def _padded(offsets: Sequence[np.ndarray], signs: Sequence[np.ndarray]) -> Padded:
    """Rows of different lengths as one array, with the lengths beside them."""
    lengths = np.array([len(row) for row in offsets], dtype=np.int64)
    wide = np.zeros((len(offsets), int(lengths.max())), dtype=np.int64)
    turned = np.zeros_like(wide)
    for at, (places, plus) in enumerate(zip(offsets, signs, strict=True)):
        wide[at, : len(places)] = places
        turned[at, : len(plus)] = plus
    return wide, turned, lengths
