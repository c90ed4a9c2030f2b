"""Which cases are looked up again: so many as needed, from every unit, the same for one seed."""

from __future__ import annotations

import hashlib
from math import ceil

import numpy as np
import pandas as pd
from scipy import stats

from workbench.analysis import inputs
from workbench.analysis.units.counted import ArrayLike, check_level, read_counts, read_pair
from workbench.analysis.units.intervals import wilson_limits
from workbench.errors import DataError, StudyError

TAKEN = ("n_unit", "n_drawn", "weight", "draw")


def sample_size(
    half_width: float, *, expected: float = 0.9, population: int | None = None,
    confidence: float = 0.95,
) -> int:  # fmt: skip
    """Say how many cases have to be looked up for an interval no wider than wanted.

    Parameters
    ----------
    half_width
        How far each end of the interval may lie from the share: 0.03 for 3 percentage points.
    expected
        The share that is expected to agree; 0.5 is the most careful guess.
    population
        How many cases there are to draw from; with few, fewer suffice.

    Returns
    -------
    The fewest cases whose normal interval is no wider, never more than there are.

    Raises
    ------
    StudyError
        Shares that are not between 0 and 1; nobody to draw from.

    References
    ----------
    Cochran, Sampling Techniques, 1977, sections 4.4 and 4.5.
    """
    for name, share in (("half_width", half_width), ("expected", expected)):
        if not 0 < share < 1:
            raise StudyError(f"{name}: expected a share between 0 and 1, such as 0.05.")
    if population is not None and population < 1:
        raise StudyError("population: expected at least one case.")
    z = float(stats.norm.isf(check_level(confidence)))
    needed = z**2 * expected * (1 - expected) / half_width**2
    if population is None:
        return ceil(needed - 1e-9)
    return min(population, ceil(needed / (1 + (needed - 1) / population) - 1e-9))


def draw_sample(
    cases: pd.DataFrame, *, case: str, unit: str, n: int, seed: int, at_least: int = 0
) -> pd.DataFrame:
    """Draw cases for re-abstraction from every unit, the same ones for the same seed.

    Parameters
    ----------
    cases
        One row a case to draw from. `case` tells cases apart.
    n
        How many in all: see `sample_size`.
    at_least
        So many from each unit that has them, before the rest follow the units' sizes.

    Returns
    -------
    The rows drawn, by unit in the order drawn, with `n_unit` (cases of the unit), `n_drawn` (of
    the unit), `weight` (cases that one drawn case stands for) and `draw` (1, 2 ... in the unit).
    Which cases are drawn depends on their names and the seed alone, not on the order of rows.

    Raises
    ------
    DataError
        Columns that are not there or named as a column of the result; cases or units missing, or
        a case in two rows.
    StudyError
        No case wanted; fewer than each unit is to have.
    """
    inputs.check_frame(cases, [case, unit])
    _check_cases(cases, case, unit)
    if n < 1 or at_least < 0:
        raise StudyError("n: expected at least one case, and at_least not below 0.")
    sizes = cases.groupby(unit, observed=True, sort=True).size()
    share = _allocate(sizes.to_numpy(), min(n, len(cases)), at_least)
    drawn = pd.DataFrame({"n_unit": sizes, "n_drawn": share})
    lots = [_lot(seed, name) for name in cases[case]]
    ordered = cases.assign(draw=lots).sort_values([unit, "draw"], ignore_index=True)
    ordered["draw"] = ordered.groupby(unit, observed=True).cumcount() + 1
    found = ordered.merge(drawn, left_on=unit, right_index=True)
    found = found[found["draw"] <= found["n_drawn"]].reset_index(drop=True)
    found["weight"] = found["n_unit"] / found["n_drawn"]
    return found[[*cases.columns, *TAKEN]]


def of_strata(
    events: ArrayLike, n: ArrayLike, population: ArrayLike, *, confidence: float = 0.95
) -> dict[str, float]:
    """Give the share of all cases that units' samples speak for, with its interval.

    Parameters
    ----------
    events, n, population
        By unit: cases that agree, cases looked up, cases there are.

    Returns
    -------
    `estimate`, `lower`, `upper`, `n` (cases looked up), `n_effective` (that many cases of a simple
    sample would say as much). Each unit counts by its cases; Wilson's limits at the effective
    number. Where all or none agree, or a unit has one case only, that is at most the number looked
    up.

    Raises
    ------
    DataError
        Counts that cannot be used; more looked up than there are; a unit with cases and no sample.

    References
    ----------
    Cochran, Sampling Techniques, 1977, section 5.10 (variance); Korn and Graubard, Surv Methodol
    1998;24:193-201 (interval at the effective number).
    """
    x, of = read_pair(events, n, ("events", "n"))
    size = read_counts(population, "population")
    if len(size) != len(of):
        raise DataError(f"n and population: {len(of)} and {len(size)} values.")
    if n_odd := int(((of > size) | ((of == 0) & (size > 0))).sum()):
        raise DataError(f"n: above the population, or 0 of some cases, in {n_odd} units.")
    x, of, size = (values[of > 0] for values in (x, of, size))
    if not len(of):
        raise DataError("n: no case was looked up.")
    part, share, whole = size / size.sum(), x / of, float(of.sum())
    estimate = float((part * share).sum())
    rest = part**2 * (1 - of / size) * share * (1 - share) / np.maximum(of - 1, 1)
    variance = float(rest.sum())
    plain = estimate * (1 - estimate)
    n_effective = plain / variance if variance > 0 and plain > 0 else whole
    if (of == 1).any():  # what varies within such a unit is not seen
        n_effective = min(n_effective, whole)
    lower, upper = wilson_limits(
        np.array([estimate * n_effective]), np.array([n_effective]), check_level(confidence)
    )
    told = {"estimate": estimate, "lower": float(lower[0]), "upper": float(upper[0])}
    return told | {"n": whole, "n_effective": n_effective}


def _check_cases(cases: pd.DataFrame, case: str, unit: str) -> None:
    if taken := sorted(set(TAKEN) & set(cases.columns)):
        raise DataError(f"cases: rename {', '.join(taken)}; results have such columns.")
    for name in (case, unit):
        if n_missing := int(cases[name].isna().sum()):
            raise DataError(f'cases, column "{name}": missing in {n_missing} rows.')
    if n_double := int(cases[case].duplicated().sum()):
        raise DataError(f'cases, column "{case}": {n_double} rows have a case that stands above.')


def _allocate(sizes: np.ndarray, n: int, at_least: int) -> np.ndarray:
    """Cases of each unit: the least first, then by size, the largest remainders rounded up."""
    floor = np.minimum(sizes, at_least)
    if floor.sum() > n:
        raise StudyError(
            f"n: {n} cases do not give {at_least} to each of {len(sizes)} units; "
            f"{int(floor.sum())} are needed."
        )
    left, room = n - int(floor.sum()), sizes - floor
    if left == 0:
        return floor
    wanted = left * room / room.sum()
    given = np.floor(wanted).astype(int)
    order = np.argsort(-(wanted - given), kind="stable")
    given[order[: left - int(given.sum())]] += 1
    return floor + given


def _lot(seed: int, name: object) -> str:
    """A case's lot: it looks random, and is the same wherever and whenever it is drawn."""
    return hashlib.sha256(f"{seed}|{inputs.label(name)}".encode()).hexdigest()
