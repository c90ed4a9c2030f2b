"""Curved effects in formulas: restricted cubic splines, straight beyond the outer knots."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from formulaic.transforms import stateful_transform
from numpy.typing import ArrayLike

from workbench.errors import StudyError

# where the knots lie, as shares of the persons (Harrell, 2015, table 2.3)
KNOT_SHARES = {
    3: (0.10, 0.50, 0.90),
    4: (0.05, 0.35, 0.65, 0.95),
    5: (0.05, 0.275, 0.50, 0.725, 0.95),
    6: (0.05, 0.23, 0.41, 0.59, 0.77, 0.95),
    7: (0.025, 0.1833, 0.3417, 0.50, 0.6583, 0.8167, 0.975),
}


@stateful_transform
def rcs(
    values: ArrayLike, knots: int | list[float] = 4, *, _state: dict[str, Any] | None = None
) -> dict[str, np.ndarray]:
    """Let a number have a curved effect: a restricted cubic spline, as in "rcs(age, 4) + sex".

    Parameters
    ----------
    values
        A column of numbers.
    knots
        How many knots (3 to 7), which then lie at fixed percentiles of the persons in the fit, or
        the knots themselves, three or more, rising. Predictions use the knots of the fit.

    Returns
    -------
    Knots - 1 columns: "linear", the number itself, then "curve1", "curve2" ..., in the unit of the
    number. All curves 0 is a straight line.

    Raises
    ------
    StudyError
        Fewer than 3 or more than 7 knots; knots that coincide or do not rise.

    References
    ----------
    Harrell, Regression Modeling Strategies, 2nd edition, 2015, section 2.4.5.
    """
    state = {} if _state is None else _state
    x = pd.Series(values).to_numpy(dtype=float, na_value=np.nan)
    if "knots" not in state:
        state["knots"] = _places(x, knots)
    place = state["knots"]
    last, before = place[-1], place[-2]
    columns = {"linear": x}
    for j, knot in enumerate(place[:-2], start=1):
        curve = _cubed(x - knot)
        curve -= _cubed(x - before) * (last - knot) / (last - before)
        curve += _cubed(x - last) * (before - knot) / (last - before)
        columns[f"curve{j}"] = curve / (last - place[0]) ** 2
    return columns


def _cubed(distance: np.ndarray) -> np.ndarray:
    return np.maximum(distance, 0.0) ** 3


def _places(x: np.ndarray, knots: int | list[float]) -> np.ndarray:
    if isinstance(knots, int | np.integer):
        if knots not in KNOT_SHARES:
            raise StudyError(f"rcs: {knots} knots; expected 3 to 7, or a list of the knots.")
        place = np.nanquantile(x, KNOT_SHARES[int(knots)])
    else:
        place = np.asarray(knots, dtype=float)
    if len(place) < 3 or not (np.diff(place) > 0).all():
        raise StudyError(
            "rcs: expected three or more knots that rise. Where many persons share a value, "
            "percentiles coincide: use fewer knots or give them as a list."
        )
    return place
