"""The fewest cells to hide in a small table, by whole-number programming.

Every small count gets one other table for its lowest and one for its highest protected value; a
cell may differ in any of them only if it is hidden. All are found together with the cells to hide.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from workbench.output.gate.suppression.cells import Cells
from workbench.output.gate.suppression.doubts import Doubts

EXACT_UP_TO = 1500  # small counts times cells
MOST_SECONDS = 10.0


def fewest_hidden(cells: Cells, found: Doubts, cost: np.ndarray) -> np.ndarray:
    """The cells to hide besides those that cost nothing; none if nothing was found in time.

    A proposal: the tables between the lowest and the highest value are left to the search.
    """
    n, true = len(cells), cells.counts
    wanted = [
        (int(target), value - int(true[target]))
        for target in found.targets
        for value in found.limits
        if value != true[target]
    ]
    if not wanted:
        return np.zeros(0, dtype=np.int64)
    farthest = 2.0 * max(abs(change) for _, change in wanted)
    eye = sparse.eye_array(n, format="csr")
    many = sparse.eye_array(len(wanted), format="csr")
    sums = sparse.kron(many, cells.relations)
    copies = sparse.kron(np.ones((len(wanted), 1)), eye)
    every = sparse.kron(many, eye)
    down = np.tile(np.minimum(true, farthest), len(wanted))
    # the first n unknowns say which cells are hidden, the others how each table differs
    constraints = [
        LinearConstraint(sparse.hstack([sparse.csr_array((sums.shape[0], n)), sums]), 0, 0),
        LinearConstraint(sparse.hstack([farthest * copies, -every]), 0, np.inf),
        LinearConstraint(sparse.hstack([sparse.diags_array(down) @ copies, every]), 0, np.inf),
    ]
    least = np.concatenate([(cost == 0).astype(float), -down])
    most = np.concatenate([np.isfinite(cost).astype(float), np.full(len(down), farthest)])
    for at, (target, change) in enumerate(wanted):
        least[n * (at + 1) + target] = most[n * (at + 1) + target] = change
    price = np.where(np.isfinite(cost), cost, 0)
    answer = milp(
        np.concatenate([price, np.zeros(len(down))]),
        constraints=constraints,
        bounds=Bounds(least, most),
        integrality=np.ones(len(least)),
        options={"time_limit": MOST_SECONDS},
    )
    if answer.x is None:
        return np.zeros(0, dtype=np.int64)
    return np.flatnonzero(answer.x[:n] > 0.5)
