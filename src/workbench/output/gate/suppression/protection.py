"""What is small: the limits a pattern of hidden cells must keep, and the values they protect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.errors import DefinitionError

if TYPE_CHECKING:
    from workbench.output.gate.suppression.cells import Cells

LARGEST_THRESHOLD = 60  # the values of a protected range are kept as the bits of one number


@dataclass(frozen=True)
class Protection:
    """Which counts are small, and so which values must stay possible for whoever reads the rest.

    Parameters
    ----------
    threshold
        Smallest count shown: 5 hides 1 to 4.
    hides_rest
        Whether a count is hidden, too, when those of the group who are not in it are small.
    hides_zero
        Whether 0 (and all of a group) is hidden as well; 0 is then one of the protected values.
    """

    threshold: int = 5
    hides_rest: bool = True
    hides_zero: bool = False

    def __post_init__(self) -> None:
        """Refuse limits that protect nobody or cannot be computed with."""
        if not 3 <= int(self.threshold) <= LARGEST_THRESHOLD or self.threshold % 1:
            raise DefinitionError(
                f"threshold: {self.threshold} cannot be the smallest count shown. Give a whole "
                f"number from 3 to {LARGEST_THRESHOLD}."
            )

    @property
    def lowest(self) -> int:
        """The lowest protected value."""
        return 0 if self.hides_zero else 1

    @property
    def highest(self) -> int:
        """The highest protected value."""
        return self.threshold - 1

    def small(self, cells: Cells) -> np.ndarray:
        """Which cells hold a count that must stay unknown, printed or not; one truth a cell.

        A cell that nobody prints is small, too: what anybody can work out is as good as told. The
        zeros of a group of nobody, and of cells nobody prints, point at no one.
        """
        values = cells.counts
        small = (values > 0) & (values < self.threshold)
        if self.hides_zero:
            zero = (values == 0) & (cells.is_printed | cells.is_rest)
            zero &= cells.total_values > 0
            small |= zero
        if not self.hides_rest:
            small &= ~cells.is_rest
        return small
