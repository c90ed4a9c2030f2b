"""How much small areas differ by more than chance: the health atlas's measures.

Method: McPherson et al., N Engl J Med 1982;307:1310-1314 (systematic component of variation);
Clayton and Kaldor, Biometrics 1987;43:671-681 (gamma-Poisson ratios).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import optimize, special

from workbench.analysis.units.counted import read_amounts, read_counts
from workbench.analysis.units.unit_frames import check_one_row_each
from workbench.analysis.units.unit_table import UnitTable, unit_table
from workbench.errors import DataError

RESULT = {"observed", "expected", "ratio", "shrunken"}
LARGEST = 1e8  # of alpha: beyond it areas do not differ


def small_areas(table: pd.DataFrame, *, area: str, observed: str, expected: str) -> UnitTable:
    """Say how much areas differ in what is done there, beyond what chance makes of few events.

    Parameters
    ----------
    table
        One row an area with its observed and expected number of events.

    Returns
    -------
    The columns `area`, `observed`, `expected`, `ratio`, and `shrunken`: the ratio drawn towards 1
    the more the fewer are expected (gamma-Poisson). As attributes: `scv_raw` (mean of
    ((O - E)/E)^2 - 1/E), `scv` (0 where that is negative), `cv` (per cent, of the ratios, not
    weighted), `ft1`, `ft2`, `ft3` (k-th highest over k-th lowest ratio; missing where the lowest
    is 0), `quintile_ratio` (80th over 20th percentile of the shrunken ratios), `alpha` (infinite
    where areas do not differ).

    Raises
    ------
    DataError
        Counts that cannot be used; one area; an area in two rows, or with nothing expected.
    """
    check_one_row_each(table, area, [observed, expected], RESULT)
    o, e = read_counts(table[observed], observed), read_amounts(table[expected], expected)
    if len(o) < 2:
        raise DataError(f"{area}: one area only; expected two or more to compare.")
    if n_none := int((e == 0).sum()):
        raise DataError(f"{expected}: 0 in {n_none} areas. Leave them out and say so.")
    ratio = o / e
    raw = float((((o - e) / e) ** 2 - 1 / e).mean())
    alpha = _alpha(o, e)
    shrunken = np.ones(len(o)) if np.isinf(alpha) else (o + alpha) / (e + alpha)
    found = {"scv_raw": raw, "scv": max(0.0, raw), "alpha": alpha}
    found["cv"] = float(100 * ratio.std(ddof=1) / ratio.mean()) if ratio.any() else np.nan
    ordered = np.sort(ratio)
    for k in (1, 2, 3):
        is_there = len(ordered) >= k and ordered[k - 1] > 0
        found[f"ft{k}"] = float(ordered[-k] / ordered[k - 1]) if is_there else np.nan
    high, low = np.quantile(shrunken, [0.8, 0.2])
    found["quintile_ratio"] = float(high / low) if low > 0 else np.nan
    columns = {"observed": o.astype(np.int64), "expected": e, "ratio": ratio, "shrunken": shrunken}
    return unit_table(table[[area]].reset_index(drop=True).assign(**columns), **found)


def _alpha(o: np.ndarray, e: np.ndarray) -> float:
    """The gamma distribution's shape by maximum likelihood, its mean being 1."""

    def slope(log_alpha: float) -> float:
        alpha = np.exp(log_alpha)
        parts = special.digamma(o + alpha) - special.digamma(alpha) + np.log(alpha) + 1
        return float((parts - np.log(e + alpha) - (o + alpha) / (e + alpha)).sum())

    low, high = np.log(1e-6), np.log(LARGEST)
    if slope(high) >= 0:
        return np.inf
    if slope(low) <= 0:
        return float(np.exp(low))
    return float(np.exp(optimize.brentq(slope, low, high, xtol=1e-12)))
