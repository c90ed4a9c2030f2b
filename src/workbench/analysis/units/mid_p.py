"""Where a count lies among those that chance gives, half of its own chance counted (mid-p).

Limits are where the mid-p function, drawn as straight lines between whole counts, reaches a tail. A
count is then outside its limit exactly when its mid-p value says so: curve and flag agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import stats


class Counts(Protocol):
    """A distribution of counts, one for each unit."""

    @property
    def most(self) -> np.ndarray | float:
        """The largest count there can be."""

    def cdf(self, k: np.ndarray) -> np.ndarray:
        """The chance of k or fewer."""

    def pmf(self, k: np.ndarray) -> np.ndarray:
        """The chance of k."""

    def ppf(self, q: float) -> np.ndarray:
        """The smallest k with a chance of at least q of k or fewer."""


@dataclass(frozen=True)
class Binomial:
    """Patients with the event, of n with a chance each; one chance for all, or one a unit."""

    n: np.ndarray
    chance: np.ndarray | float

    @property
    def most(self) -> np.ndarray:
        """The largest count there can be."""
        return self.n

    def cdf(self, k: np.ndarray) -> np.ndarray:
        """The chance of k or fewer."""
        return np.asarray(stats.binom.cdf(k, self.n, self.chance))

    def pmf(self, k: np.ndarray) -> np.ndarray:
        """The chance of k."""
        return np.asarray(stats.binom.pmf(k, self.n, self.chance))

    def ppf(self, q: float) -> np.ndarray:
        """The smallest k with a chance of at least q of k or fewer."""
        return np.asarray(stats.binom.ppf(q, self.n, self.chance))


@dataclass(frozen=True)
class Poisson:
    """Events, of which so many are expected."""

    mean: np.ndarray

    @property
    def most(self) -> float:
        """The largest count there can be: none is."""
        return np.inf

    def cdf(self, k: np.ndarray) -> np.ndarray:
        """The chance of k or fewer."""
        return np.asarray(stats.poisson.cdf(k, self.mean))

    def pmf(self, k: np.ndarray) -> np.ndarray:
        """The chance of k."""
        return np.asarray(stats.poisson.pmf(k, self.mean))

    def ppf(self, q: float) -> np.ndarray:
        """The smallest k with a chance of at least q of k or fewer."""
        return np.asarray(stats.poisson.ppf(q, self.mean))


def place_of(counts: np.ndarray, among: Counts) -> np.ndarray:
    """P(fewer) + P(as many) / 2: 0.5 in the middle, near 0 or 1 far out."""
    return among.cdf(counts - 1) + among.pmf(counts) / 2


def limit_of(among: Counts, q: float) -> np.ndarray:
    """The count, between whole ones, at which `place_of` reaches q; missing where it never does."""
    low = among.ppf(q)
    # half of a count's own chance can lie on either side of q
    k = np.where(place_of(low, among) >= q, low, low + 1)
    below, above = place_of(k - 1, among), place_of(k, among)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (k - 1) + (q - below) / (above - below)
    is_there = (k >= 1) & (k <= among.most) & (above >= q) & (above > below)
    return np.where(is_there, between, np.nan)
