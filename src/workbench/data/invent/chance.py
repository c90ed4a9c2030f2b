"""Chance that repeats: one stream of random numbers a register, and draws for whole columns.

Every stream begins from the seed and the name of what it is for, so that another register, or
more draws in one of them, moves nothing elsewhere.
"""

from __future__ import annotations

from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import ArrayLike, NDArray

Numbers = NDArray[np.floating[Any]]
Places = NDArray[np.integer[Any]]


def stream(seed: int, name: str) -> np.random.Generator:
    """The random numbers of one purpose."""
    sequence = np.random.SeedSequence([seed, crc32(name.encode())])
    return np.random.Generator(np.random.PCG64(sequence))


def pick(chance: np.random.Generator, weights: ArrayLike, n: int) -> Places:
    """Positions in `weights`, drawn with chances in proportion to them."""
    edges = np.cumsum(np.asarray(weights, dtype=float))
    return np.minimum(
        np.searchsorted(edges, chance.random(n) * edges[-1], side="right"), len(edges) - 1
    )


def pick_in_rows(chance: np.random.Generator, weights: ArrayLike, rows: ArrayLike) -> Places:
    """Positions in the row of `weights` that belongs to each draw."""
    edges = np.cumsum(np.asarray(weights, dtype=float), axis=1)
    chosen = np.asarray(rows)
    drawn = chance.random(len(chosen)) * edges[chosen, -1]
    found = np.zeros(len(chosen), dtype=np.int64)
    for edge in edges.T[:-1]:
        found += drawn >= edge[chosen]
    return found


def happens(chance: np.random.Generator, probability: ArrayLike, n: int) -> NDArray[np.bool_]:
    """Whether something happens, for each of `n`."""
    return chance.random(n) < np.asarray(probability)


def log_normal_days(
    chance: np.random.Generator, median: ArrayLike, spread: float, n: int
) -> NDArray[np.integer]:
    """Whole days around a median; `spread` is the standard deviation of their logarithm."""
    days = np.asarray(median) * np.exp(spread * chance.standard_normal(n))
    return np.clip(np.rint(days), 0, 20_000).astype(np.int32)


def logistic(value: ArrayLike) -> Numbers:
    """A log-odds as a probability."""
    return 1 / (1 + np.exp(-np.asarray(value, dtype=float)))
