"""From the finest table to all cells that are published with it, with every sum."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import sparse

from workbench.errors import DataError, did_you_mean
from workbench.output.gate.suppression.cells import COUNT, MEASURE, REST, TOTAL, Cells, Grid
from workbench.output.gate.suppression.hierarchies import Hierarchy, hierarchy_of

MOST_CELLS = 2_000_000
MEASURES = Hierarchy(MEASURE, (TOTAL, COUNT, REST), (-1, 0, 0))


def cells_of(
    frame: pd.DataFrame,
    *,
    count: str,
    dimensions: Sequence[str],
    total: str | None = None,
    hierarchies: Mapping[str, Mapping[Hashable, Hashable]] | None = None,
    margins: str | Sequence[Sequence[str]] = "all",
) -> Cells:
    """Build every cell that is published with a table: the table itself and all its sums.

    Parameters
    ----------
    frame
        The finest table, one row a combination of the dimensions. A combination without a row
        does not exist (a closed unit): readers know that nobody is in it.
    count
        Column with whole numbers of persons.
    dimensions
        Columns whose combinations are the cells.
    total
        Column with the size of each group that `count` is a part of; counts and sizes are then
        published together, and the rest (size minus count) is judged as well.
    hierarchies
        Dimension -> (label -> label of the level above), for dimensions with levels.
    margins
        "all", or the combinations of dimensions that are published, each with all its levels; the
        total of everything is `[]`. The others still exist for whoever works out hidden counts.

    Returns
    -------
    Cells
        In an order of their own, which the order of the rows does not change.

    Raises
    ------
    DataError
        A missing column; missing, negative or broken counts; a count above its group; a
        combination twice; a label that is both finest and a sum.
    """
    table, counts = _checked(frame, list(dimensions), count, total)
    trees = _trees(table, list(dimensions), hierarchies or {}, margins)
    places = tuple(
        pd.Index([tree.labels[leaf] for leaf in tree.leaves]).get_indexer(table[tree.name])
        for tree in trees
    )
    if np.prod([len(tree.labels) for tree in trees], dtype=float) * len(counts) > MOST_CELLS:
        raise DataError(
            f"the table with all its sums has more than {MOST_CELLS} cells. Publish fewer "
            "dimensions together."
        )
    present = _summed(trees, places, np.ones(len(table), dtype=np.int64)) > 0
    layers = [_summed(trees, places, values) for values in counts]
    if total is not None:
        trees = (MEASURES, *trees)
        layers = [layers[1], layers[0], layers[1] - layers[0]]
        present = np.broadcast_to(present, (3, *present.shape))
        values = np.stack(layers)
    else:
        values = layers[0]
    return _as_cells(trees, values, present, margins)


def _checked(
    frame: pd.DataFrame, dimensions: list[str], count: str, total: str | None
) -> tuple[pd.DataFrame, list[np.ndarray]]:
    """The labels and the counts as whole numbers."""
    if not isinstance(frame, pd.DataFrame) or frame.empty or not dimensions:
        raise DataError("table: expected a pandas frame with rows, and at least one dimension.")
    columns = [count] if total is None else [count, total]
    for column in (*dimensions, *columns):
        if list(frame.columns).count(column) != 1:
            known = [name for name in frame.columns if isinstance(name, str)]
            raise DataError(f'table: no single column "{column}".{did_you_mean(column, known)}')
    table = frame[dimensions].astype(object).reset_index(drop=True)
    n_missing = int(table.isna().any(axis=1).sum())
    if n_missing:
        raise DataError(f"table: {n_missing} rows lack a label. Name them, or leave them out.")
    n_twice = int(table.duplicated().sum())
    if n_twice:
        raise DataError(f"table: {n_twice} rows repeat a combination. Sum the counts first.")
    counts = [_whole(frame[column], column) for column in columns]
    if total is not None and (counts[0] > counts[1]).any():
        n_above = int((counts[0] > counts[1]).sum())
        raise DataError(f'table: "{count}" is above "{total}" in {n_above} rows. Mend the counts.')
    return table, counts


def _whole(values: pd.Series, column: str) -> np.ndarray:
    """A column of counts as whole numbers, or a refusal."""
    numbers = np.asarray(pd.to_numeric(values, errors="coerce"), dtype=float)
    wrong = ~np.isfinite(numbers)
    wrong |= np.where(wrong, 0, numbers) % 1 != 0
    wrong |= np.where(wrong, 0, numbers) < 0
    if wrong.any():
        raise DataError(
            f'table: "{column}" is missing, negative or not whole in {int(wrong.sum())} rows. '
            "Only whole numbers of persons can be judged."
        )
    return numbers.astype(np.int64)


def _trees(
    table: pd.DataFrame,
    dimensions: list[str],
    hierarchies: Mapping[str, Mapping[Hashable, Hashable]],
    margins: str | Sequence[Sequence[str]],
) -> tuple[Hierarchy, ...]:
    """The tree of every dimension; names that are no dimension are refused."""
    asked = [] if isinstance(margins, str) else [name for margin in margins for name in margin]
    if isinstance(margins, str) and margins != "all":
        raise DataError('margins: give "all", or a list of combinations of dimensions.')
    for name in (*hierarchies, *asked):
        if name not in dimensions:
            raise DataError(f'"{name}" is not a dimension.{did_you_mean(str(name), dimensions)}')
    if MEASURE in dimensions:
        raise DataError(f'table: a dimension cannot be called "{MEASURE}". Rename the column.')
    return tuple(
        hierarchy_of(name, list(table[name].unique()), hierarchies.get(name)) for name in dimensions
    )


def _summed(
    trees: tuple[Hierarchy, ...], places: tuple[np.ndarray, ...], values: np.ndarray
) -> np.ndarray:
    """The values on every combination of nodes, sums included."""
    summed = np.zeros([len(tree.leaves) for tree in trees], dtype=np.int64)
    summed[places] = values
    for axis, tree in enumerate(trees):
        summed = np.moveaxis(np.tensordot(tree.sums, summed, axes=(1, axis)), 0, axis)
    return summed


def _as_cells(
    trees: tuple[Hierarchy, ...],
    values: np.ndarray,
    present: np.ndarray,
    margins: str | Sequence[Sequence[str]],
) -> Cells:
    """Number the combinations that exist, and write their sums down."""
    lookup = np.full(values.shape, -1, dtype=np.int64)
    lookup[present] = np.arange(int(present.sum()))
    codes = np.argwhere(present)
    names = pd.DataFrame(
        {
            tree.name: np.array(tree.labels, dtype=object)[codes[:, axis]]
            for axis, tree in enumerate(trees)
        }
    )
    strides = np.array([int(np.prod(values.shape[axis + 1 :])) for axis in range(len(trees))])
    return Cells(
        names,
        values[present],
        _relations(trees, lookup, len(codes)),
        _printed(trees, codes, margins),
        Grid(trees, codes, lookup.ravel(), strides),
    )


def _relations(trees: tuple[Hierarchy, ...], lookup: np.ndarray, n_cells: int) -> sparse.csr_array:
    """A row for every total of some parts that exist, along every dimension."""
    rows, columns, entries, n_rows = [], [], [], 0
    for axis, tree in enumerate(trees):
        along = np.moveaxis(lookup, axis, 0).reshape(len(tree.labels), -1)
        for node, below in enumerate(tree.children):
            if not below:
                continue
            exists = along[node] >= 0
            group = along[:, exists][[node, *below]]
            at = np.broadcast_to(np.arange(group.shape[1]) + n_rows, group.shape)
            sign = np.broadcast_to(np.array([1] + [-1] * len(below))[:, None], group.shape)
            inside = group >= 0
            rows.append(at[inside])
            columns.append(group[inside])
            entries.append(sign[inside])
            n_rows += group.shape[1]
    if not rows:
        return sparse.csr_array((0, n_cells), dtype=np.int64)
    triples = np.concatenate(entries), (np.concatenate(rows), np.concatenate(columns))
    return sparse.coo_array(triples, shape=(n_rows, n_cells), dtype=np.int64).tocsr()


def _printed(
    trees: tuple[Hierarchy, ...], codes: np.ndarray, margins: str | Sequence[Sequence[str]]
) -> np.ndarray:
    """Which cells are published: never the rest, and only the margins that were asked for."""
    printed = np.ones(len(codes), dtype=bool)
    if trees[0] is MEASURES:
        printed = codes[:, 0] != MEASURES.labels.index(REST)
    if isinstance(margins, str):
        return printed
    asked = np.zeros(len(codes), dtype=bool)
    for margin in margins:
        fits = np.ones(len(codes), dtype=bool)
        for axis, tree in enumerate(trees):
            if tree is not MEASURES and tree.name not in margin:
                fits &= codes[:, axis] == tree.root
        asked |= fits
    return printed & asked
