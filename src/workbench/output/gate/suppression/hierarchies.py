"""The levels of one dimension: hospitals in trusts in regions, years in all years.

A dimension is a tree with one root (the total). Its *swaps* are the smallest ways in which the
count of one node can go up by one while every sum in the tree still holds: a sibling goes down
instead, or the nodes above go up as well. They are the building stones of other tables that fit
the same totals.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import numpy as np
import pandas as pd

from workbench.errors import DataError

ALL = "all"
MOST_SWAPS = 400  # for one node; more would cost time and rarely hide less


@dataclass(frozen=True, eq=False)
class Hierarchy:
    """One dimension's nodes, each with its parent (-1 for the root)."""

    name: str
    labels: tuple[Hashable, ...]
    parents: tuple[int, ...]

    @cached_property
    def children(self) -> tuple[tuple[int, ...], ...]:
        """The nodes right below each node."""
        below: list[list[int]] = [[] for _ in self.labels]
        for node, parent in enumerate(self.parents):
            if parent >= 0:
                below[parent].append(node)
        return tuple(tuple(nodes) for nodes in below)

    @cached_property
    def leaves(self) -> tuple[int, ...]:
        """The nodes with nothing below them."""
        return tuple(node for node, below in enumerate(self.children) if not below)

    @property
    def root(self) -> int:
        """The total of the dimension."""
        return self.parents.index(-1)

    @cached_property
    def sums(self) -> np.ndarray:
        """Nodes x leaves: 1 where the leaf lies below the node."""
        sums = np.zeros((len(self.labels), len(self.leaves)), dtype=np.int64)
        for column, leaf in enumerate(self.leaves):
            node = leaf
            while node >= 0:
                sums[node, column] = 1
                node = self.parents[node]
        return sums

    def swaps(self, node: int) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
        """Ways to let a node go up by one: (nodes, their signs), the shortest first."""
        found = []
        for chain in islice(self._chains(node), 3):
            up: tuple[int, ...] = chain
            top = node
            while True:
                parent = self.parents[top]
                if parent < 0:
                    found.append((up, (1,) * len(up)))
                    break
                for sibling in self.children[parent]:
                    if sibling != top:
                        for down in islice(self._chains(sibling), MOST_SWAPS):
                            signs = (1,) * len(up) + (-1,) * len(down)
                            found.append((up + down, signs))
                up, top = (*up, parent), parent
        found.sort(key=lambda swap: len(swap[0]))
        return found[:MOST_SWAPS]

    def near(self, node: int) -> np.ndarray:
        """The nodes above a node, and all below its parent; one truth a node."""
        start = node if self.parents[node] < 0 else self.parents[node]
        near = np.zeros(len(self.labels), dtype=bool)
        waiting = [start]
        while waiting:
            near[waiting[-1]] = True
            waiting += self.children[waiting.pop()]
        while start >= 0:
            near[start] = True
            start = self.parents[start]
        return near

    def _chains(self, node: int) -> list[tuple[int, ...]]:
        """The ways from a node down to a leaf, the node itself included."""
        if not self.children[node]:
            return [(node,)]
        return [(node, *rest) for child in self.children[node] for rest in self._chains(child)]


def hierarchy_of(
    name: str, labels: Sequence[Hashable], parents: Mapping[Hashable, Hashable] | None
) -> Hierarchy:
    """Build a dimension's tree from its finest labels and each label's parent.

    Parameters
    ----------
    name
        The dimension's column, for messages.
    labels
        The labels of the finest table.
    parents
        Label -> label of the level above. Labels without a parent stand below the total; None for
        a dimension without levels.

    Raises
    ------
    DataError
        A label that is missing, that is its own ancestor, or that is both finest and a sum.
    """
    parents = dict(parents or {})
    above = _ancestors(name, labels, parents)
    both = sorted(str(label) for label in set(labels) & set(above.values()))
    if both:
        raise DataError(
            f'dimension "{name}": {", ".join(both[:3])} stand{"s" if len(both) == 1 else ""} in '
            "the finest table and above other labels. Leave sums out of the frame: they are made."
        )
    tops = sorted({label for label in (*labels, *above.values()) if label not in above}, key=str)
    if len(tops) != 1 or tops[0] in set(labels):
        total = ALL
        while total in above or total in set(labels):
            total = f"({total})"  # "all" is a form of leukaemia too
        above |= dict.fromkeys(tops, total)
        tops = [total]
    order = [tops[0], *sorted(above, key=str)]
    place = {label: at for at, label in enumerate(order)}
    return Hierarchy(name, tuple(order), (-1, *(place[above[label]] for label in order[1:])))


def _ancestors(
    name: str, labels: Sequence[Hashable], parents: Mapping[Hashable, Hashable]
) -> dict[Hashable, Hashable]:
    """Label -> parent for the given labels and all that stand above them."""
    above: dict[Hashable, Hashable] = {}
    for label in labels:
        seen = {label}
        while label in parents and not pd.isna(parents[label]):
            above[label] = label = parents[label]
            if label in seen:
                raise DataError(
                    f'dimension "{name}": {label} stands above itself. Mend its hierarchy.'
                )
            seen.add(label)
    return above
