"""The counts of one table as cells that add up, and which of them are hidden.

A table of groups says more than its rows: rows of one unit add up to the unit, all rows to the
nation. All of these sums are judged as if they were printed; the sum of everything is known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from workbench.errors import DisclosureError
from workbench.output.gate.suppression import Cells, Protection, cells_of
from workbench.output.gate.suppression.cells import COUNT, MEASURE, REST, TOTAL
from workbench.output.gate.suppression.hierarchies import Hierarchy
from workbench.registers.profiles import ReleaseProfile

N, EVENTS = "n", "events"
PRICE_OF_A_SUM = 5.0  # other tables of the release often print the sums
PRICE_OF_SIZE = 0.05
PRICE_IN_A_BROKEN_ROW, PRICE_IN_A_BROKEN_UNIT = 0.5, 0.7


Nesting = dict[tuple[str, str], dict[str, str]]


@dataclass(frozen=True, eq=False)
class CountSystem:
    """Cells of a table: its rows (`places` in the table, for each measure) and all their sums."""

    keys: tuple[str, ...]
    columns: tuple[str, ...]  # ("events", "n"), or one column alone
    group: tuple[Hashable, ...]  # what the keys are that are never added up
    rows: np.ndarray
    cells: Cells
    places: dict[str, np.ndarray]  # column -> the cell of each row
    table: pd.DataFrame  # keys and columns of its rows
    nesting: Nesting  # which of its labels lie in which of a level above

    @property
    def _trees(self) -> Sequence[Hierarchy]:
        return self.cells.grid.trees if self.cells.grid else ()

    @property
    def roots(self) -> np.ndarray:
        """The sums of everything, printed or not; one truth a cell."""
        tops = {tree.name: tree.labels[tree.root] for tree in self._trees}
        names = self.cells.names
        return np.logical_and.reduce([(names[one] == tops[one]).to_numpy() for one in self.dims])

    @property
    def is_row(self) -> np.ndarray:
        """The cells that stand in the table itself; one truth a cell."""
        found = np.zeros(len(self.cells), dtype=bool)
        for places in self.places.values():
            found[places] = True
        return found

    @cached_property
    def by_kind(self) -> dict[tuple[str, tuple[str, ...]], dict[tuple[str, ...], int]]:
        """(measure, keys it is told for) -> what these are -> the cell.

        The same group can have two cells (a trust with one hospital): the first stands for it.
        """
        found: dict[tuple[str, tuple[str, ...]], dict[tuple[str, ...], int]] = defaultdict(dict)
        for cell, (measure, keys, labels) in enumerate(self.identities()):
            found[measure, keys].setdefault(labels, cell)
        return found

    def identities(self) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
        """What each cell counts, in words that are the same in every table.

        The measure, the keys it is told for, and what these are.
        """
        words = {
            COUNT: self.columns[0],
            TOTAL: self.columns[-1],
            REST: " without ".join(self.columns[::-1]),
        }
        measures = (
            self.cells.names[MEASURE] if MEASURE in self.cells.names else [COUNT] * len(self.cells)
        )
        told: list[list[str]] = [[] for _ in range(len(self.cells))]
        for dim in self.dims:
            tree = next(one for one in self._trees if one.name == dim)
            for parts, label in zip(told, self.cells.names[dim], strict=True):
                if label != tree.labels[tree.root]:
                    parts.append(str(label))
        return [
            (
                words[measure],
                tuple(sorted(one.partition(": ")[0] for one in parts)),
                tuple(sorted(parts)),
            )
            for measure, parts in zip(measures, told, strict=True)
        ]

    @property
    def dims(self) -> list[str]:
        """The dimensions that are added up."""
        return [one for one in self.cells.names if one != MEASURE]


def systems_of(
    table: pd.DataFrame, keys: Sequence[str], counts: Sequence[str], apart: Sequence[str] = (),
    nesting: Nesting | None = None,
) -> list[CountSystem]:  # fmt: skip
    """Take a table of counts to pieces: events with their n, every other count by itself.

    Parameters
    ----------
    table
        One row a group.
    keys, counts
        The columns that name a row, and its numbers of persons.
    apart
        Keys whose groups are never added up (indicators): each makes cells of its own.
    nesting
        What other tables tell of levels: (key, key above) -> label -> label above.
    """
    pairs: list[tuple[str, ...]] = [(EVENTS, N)] if {N, EVENTS} <= set(counts) else []
    pairs += [(one,) for one in counts if not pairs or one not in (N, EVENTS)]
    pieces: list[tuple[tuple[Hashable, ...], pd.DataFrame]] = [((), table)]
    if apart:
        pieces = [(key, rows) for key, rows in table.groupby(list(apart), sort=True)]
    return [
        _system(
            rows,
            [one for one in keys if one not in apart] or list(keys),
            columns,
            group,
            nesting or {},
        )
        for columns in pairs
        for group, rows in pieces
    ]


def _system(
    rows: pd.DataFrame, keys: list[str], columns: tuple[str, ...], group: tuple[Hashable, ...],
    nesting: Nesting,
) -> CountSystem:  # fmt: skip
    above = _nested(rows, keys)
    dims = [one for one in keys if one not in above.values()]
    # with the key's name before it no label can be taken for a sum, nor for one of another key
    labelled = pd.DataFrame({one: f"{one}: " + rows[one].astype(str) for one in keys})
    parents = {
        fine: dict(zip(labelled[fine], labelled[coarse], strict=True))
        for fine, coarse in above.items()
    }
    told = {(fine, above[fine]): labels for fine, labels in parents.items()}
    for (fine, coarse), labels in nesting.items():
        inside = (
            {one: labels[one] for one in labelled[fine].unique() if one in labels}
            if (fine in dims and fine not in parents and coarse not in keys)
            else {}
        )
        if len(set(inside.values())) > 1 and len(inside) == labelled[fine].nunique():
            parents[fine] = told[fine, coarse] = inside
    frame = labelled[dims].assign(**{one: rows[one] for one in columns})
    total = columns[1] if len(columns) > 1 else None
    cells = cells_of(frame, count=columns[0], total=total, dimensions=dims, hierarchies=parents)
    places = {}
    for column, measure in zip(columns, (COUNT, TOTAL), strict=False):
        wanted = frame[dims].assign(**({MEASURE: measure} if total else {}))
        own = pd.MultiIndex.from_frame(cells.names)
        places[column] = own.get_indexer(pd.MultiIndex.from_frame(wanted[list(cells.names)]))
    return CountSystem(
        tuple(keys),
        columns,
        group,
        rows.index.to_numpy(),
        cells,
        places,
        rows[[*keys, *columns]].reset_index(drop=True),
        told,
    )


def _nested(rows: pd.DataFrame, keys: list[str]) -> dict[str, str]:
    """Key -> key of the level above it, where each label has just one and some share one."""
    above: dict[str, str] = {}
    for fine in keys:
        for coarse in keys:
            if coarse == fine or coarse in above.values() or fine in above.values():
                continue
            n_fine, n_coarse = rows[fine].nunique(), rows[coarse].nunique()
            if 1 < n_coarse < n_fine and len(rows[[fine, coarse]].drop_duplicates()) == n_fine:
                above.setdefault(fine, coarse)
    return above


def protection_of(policy: ReleaseProfile) -> Protection:
    """What the profile protects in tables of counts."""
    return Protection(policy.threshold, policy.hides_rest, policy.hides_zero)


def require_known_sums(system: CountSystem, policy: ReleaseProfile) -> None:
    """Refuse a table of which even the sum of everything is small: that sum is always told."""
    if (protection_of(policy).small(system.cells) & system.roots).any():
        raise DisclosureError(
            f'No row has numbers that can be shown under profile "{policy.name}": all of them '
            f"together are fewer than {policy.threshold}, or all but so few have the event. Join "
            "groups or years."
        )


def prices(system: CountSystem, policy: ReleaseProfile) -> np.ndarray:
    """What hiding each cell costs: rows little, sums more, and large numbers a little more.

    A row of which one number is hidden is of no use for shares: its other number costs half. Nor
    is a unit of which one row is hidden for what is made of all its rows.
    """
    cells = system.cells
    small = protection_of(policy).small(cells)
    small |= np.where(cells.rest_of >= 0, small[cells.rest_of], False)
    price = (1 + PRICE_OF_SIZE * np.log1p(cells.counts)) * np.where(
        system.is_row, 1, PRICE_OF_A_SUM
    )
    of_rows = np.column_stack([*system.places.values()])
    broken = small[of_rows].any(axis=1)
    price[of_rows[broken]] *= PRICE_IN_A_BROKEN_ROW
    if len(system.dims) > 1:
        unit = cells.names[system.dims[0]].to_numpy()[of_rows[:, 0]]
        price[of_rows[np.isin(unit, unit[broken]) & ~broken]] *= PRICE_IN_A_BROKEN_UNIT
    return price
