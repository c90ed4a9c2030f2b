"""What a funnel shows and where its axes begin and end, before anything is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.errors import StudyError
from workbench.language import text
from workbench.output.figures.unit_marks import (
    Nation,
    hidden_words,
    name_of,
)

PLOT_HEIGHT, TOP, FOOT = 3.55, 0.2, 0.82  # inches
# Ratios: the axis holds at least the first; limits of few patients stretch it to the second only.
NEAREST, FURTHEST = (0.8, 1.25), (0.5, 2.0)
ROOT_FROM = 30  # sizes that differ more than so many times stand on a square-root axis


@dataclass(frozen=True)
class Funnel:
    """Everything the drawing needs; values are on the vertical axis, sizes on the horizontal."""

    points: pd.DataFrame  # name, size, value, flag, is_own
    curve: pd.DataFrame  # size, lower_95 ..., and adjusted_lower_95 ... if they are drawn
    nation: Nation
    is_ratio: bool
    is_adjusted: bool
    direction: str | None
    target: float | None
    size_words: str
    value_words: str
    hidden: str

    @property
    def height(self) -> float:
        """Inches of the drawing."""
        return TOP + PLOT_HEIGHT + FOOT

    @property
    def by_root(self) -> bool:
        """Whether sizes stand on a square-root axis."""
        sizes = self.points.loc[self.points["size"] > 0, "size"]
        return bool(len(sizes)) and float(sizes.max() / sizes.min()) > ROOT_FROM

    @property
    def span(self) -> tuple[float, float]:
        """Where the vertical axis begins and ends; every unit is inside."""
        values, sizes = self.points["value"], self.points["size"]
        seen = self.curve[self.curve["size"] >= max(sizes.min(), 0.02 * sizes.max())]
        limits = seen.drop(columns="size").to_numpy(float)
        low, high = (
            float(np.nanmin([*values, self.nation.estimate, *np.nanmin(limits, axis=0)])),
            float(np.nanmax([*values, self.nation.estimate, *np.nanmax(limits, axis=0)])),
        )
        if self.is_ratio:
            some = values[values > 0]  # a logarithm has no 0
            ends = limits[-1][limits[-1] > 0]  # where limits have their names
            low = min(max(low, FURTHEST[0]), NEAREST[0], *np.maximum(ends, 0.25), *some)
            high = max(min(high, FURTHEST[1]), NEAREST[1], *np.minimum(ends, 4.0), *values)
            return low / 1.08, high * 1.08
        high = max(float(values.max()), min(high, float(values.max()) + 0.3), self.target or 0)
        bottom = 0.0 if low < 0.35 else np.floor(10 * (low - 0.05)) / 10
        steps = [0.02, 0.05, *np.arange(0.1, 1.01, 0.1)]
        top = next((step for step in steps if step >= high * 1.02), 1.0)
        return float(bottom), float(top) + (0.015 if top >= 1.0 else 0.0)


def plan(
    units: pd.DataFrame,
    curve: pd.DataFrame,
    *,
    unit: str,
    nation: Nation,
    size: str = "n",
    own: str | None = None,
    direction: str | None = None,
    target: float | None = None,
    is_adjusted: bool = False,
    n_hidden: int = 0,
    hidden_because: str = "",
    size_words: str = "",
    value_words: str = "",
    labels: Mapping[str, str] | None = None,
) -> Funnel:
    """Lay out a funnel.

    Parameters
    ----------
    units
        One row a shown unit: `unit`, `size` (patients, or events expected), `estimate`, `flag`.
    curve
        Limits by size: `size`, `lower_95`, `upper_95`, `lower_998`, `upper_998`; with
        `is_adjusted` also `adjusted_lower_95` ..., and `adjusted_flag` in `units`.

    Raises
    ------
    StudyError
        No unit with patients; an own unit that is not there.
    """
    some = units[units[size] > 0].reset_index(drop=True)
    if some.empty:
        raise StudyError("The funnel has no unit with patients to draw.")
    if own is not None and own not in set(some[unit].astype(str)):
        raise StudyError(f'own: unit "{own}" is not among the units that are shown.')
    points = pd.DataFrame(
        {
            "name": [name_of(one, labels, longest=26) for one in some[unit]],
            "size": some[size].astype(float),
            "value": some["estimate"].astype(float),
            "flag": some["adjusted_flag" if is_adjusted else "flag"].fillna("none"),
            "is_own": some[unit].astype(str) == own,
        }
    )
    limits = curve.rename(columns={"n": "size"}).astype(float)
    if not is_adjusted:
        limits = limits[[one for one in limits.columns if not one.startswith("adjusted")]]
    return Funnel(
        points, limits, nation, size == "expected", is_adjusted, direction, target,
        size_words or text("Patients"), value_words or text("Share with the event"),
        hidden_words(n_hidden, hidden_because),
    )  # fmt: skip
