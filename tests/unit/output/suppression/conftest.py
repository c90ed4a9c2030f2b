"""What a reader can work out, by trying every table there is: slow, plain, and on its own."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="session")
def possible_values():
    """The function below; tests cannot import from a folder that is no package."""
    return _possible_values


def _possible_values(
    leaves: pd.DataFrame,
    names: pd.DataFrame,
    shown: np.ndarray,
    parents: dict[str, str],
    *,
    count: str,
    total: str | None = None,
    most: int,
    fits=None,
) -> list[set[int]]:
    """For every cell all its values over the tables with leaves 0..most that fit what is shown.

    `names` are the cells (dimensions, and `measure` where there is a total); `shown` which of them
    the reader knows; `fits` a further condition on the cells' values (tables x cells).
    """
    dimensions = [name for name in names if name != "measure"]
    parts = [count] if total is None else ["count", "rest"]
    truth = (
        leaves[count].tolist()
        if total is None
        else leaves[count].tolist() + (leaves[total] - leaves[count]).tolist()
    )
    below = np.zeros((len(names), len(truth)), dtype=np.int64)
    for (at, name), (column, leaf) in itertools.product(
        enumerate(names.to_dict("records")),
        enumerate([(part, row) for part in parts for row in leaves.to_dict("records")]),
    ):
        part, row = leaf
        inside = all(
            name[one] == "all" or name[one] == row[one] or parents.get(row[one]) == name[one]
            for one in dimensions
        )
        below[at, column] = inside and name.get("measure", part) in (part, "total")
    tables = np.indices((most + 1,) * len(truth)).reshape(len(truth), -1).T
    values = tables @ below.T
    real = below @ np.array(truth)
    good = (values[:, shown] == real[shown]).all(axis=1)
    if fits is not None:
        good &= fits(values)
    return [set(column.tolist()) for column in values[good].T]
