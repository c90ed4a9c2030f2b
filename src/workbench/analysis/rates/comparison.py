"""Rates of groups beside that of a reference group: ratios and differences, within strata.

Method: Mantel and Haenszel's weights; variances of Greenland and Robins, Biometrics 1985;41:55-68.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from workbench.analysis import inputs
from workbench.analysis.rates.tables import check_confidence, sums_within
from workbench.errors import DataError, StudyError

# events and person-years of the group and of the reference, one element a stratum
Strata = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def rate_ratio(
    table: pd.DataFrame, *, group: str, reference: object, events: str = "events",
    person_years: str = "person_years", strata: str | Sequence[str] | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:  # fmt: skip
    """Say how many times as high each group's rate is as the reference group's.

    Parameters
    ----------
    table
        Rows with events and person-years, as `person_time` gives them.
    group, reference
        The column of the groups, and which of them the others are compared with.
    strata
        Columns within which to compare: the ratio is then Mantel and Haenszel's. Strata in which
        one of both has no person-years say nothing and count for nothing.

    Returns
    -------
    One row per other group: `group`, `events`, `person_years` (in the strata that count),
    `estimate`, `lower`, `upper` (log scale), `p_value` (Wald). Missing where either has no events.

    Raises
    ------
    DataError, StudyError
        Columns or numbers that cannot be used; a reference that is not there; no other group; a
        group that shares no stratum with the reference.

    References
    ----------
    Greenland and Robins, 1985; Rothman, Greenland and Lash, Modern Epidemiology, 2008, chapter 15.
    """
    return _compared(table, group, reference, (events, person_years), strata, confidence, _ratio)


def rate_difference(
    table: pd.DataFrame, *, group: str, reference: object, events: str = "events",
    person_years: str = "person_years", strata: str | Sequence[str] | None = None,
    per: float = 1.0, confidence: float = 0.95,
) -> pd.DataFrame:  # fmt: skip
    """Say how many more events each group has than the reference group in the same time.

    Parameters
    ----------
    table, group, reference, strata
        As in `rate_ratio`.
    per
        Give the difference for so many person-years (1000, 100 000).

    Returns
    -------
    As `rate_ratio`, with the difference of rates (group less reference) and plain normal limits.
    Without any events there are no limits.

    Raises
    ------
    DataError, StudyError
        As `rate_ratio`.

    References
    ----------
    Greenland and Robins, 1985; Rothman, Greenland and Lash, Modern Epidemiology, 2008, chapter 15.
    """
    found = _compared(
        table, group, reference, (events, person_years), strata, confidence, _difference
    )
    names = ["estimate", "lower", "upper"]
    return found.assign(**{name: found[name] * per for name in names})


def _compared(
    table: pd.DataFrame, group: str, reference: object, columns: tuple[str, str],
    strata: str | Sequence[str] | None, confidence: float,
    compare: Callable[[Strata, float], tuple[float, float, float, float]],
) -> pd.DataFrame:  # fmt: skip
    layers, (events, years) = inputs.names_of(strata), columns
    z = float(stats.norm.isf(check_confidence(confidence)))
    cells = sums_within(table, [*columns], [*layers, group])
    if reference not in cells[group].tolist():
        raise StudyError(f'reference: the column "{group}" has no such group.')
    if cells[group].nunique() < 2:
        raise DataError(f'column "{group}": no group beside the reference.')
    layer = inputs.group_numbers(cells, layers)
    shape = (int(layer.max()) + 1,)
    rows = []
    for name in sorted(set(cells[group]) - {reference}):
        both = []
        for one in (name, reference):
            is_one = (cells[group] == one).to_numpy()
            for column in columns:
                values = np.zeros(shape)
                values[layer[is_one]] = cells.loc[is_one, column]
                both.append(values)
        counts = (both[1] > 0) & (both[3] > 0)
        if not counts.any():
            raise DataError(
                f'column "{group}": a group and the reference share no stratum with person-years.'
            )
        a, s, b, t = (values[counts] for values in both)
        estimate, lower, upper, p_value = compare((a, s, b, t), z)
        told = {group: name, events: int(a.sum()), years: float(s.sum()), "estimate": estimate}
        rows.append(told | {"lower": lower, "upper": upper, "p_value": p_value})
    found = pd.DataFrame(rows).rename(columns={events: "events", years: "person_years"})
    return found.astype({group: cells[group].dtype})


def _ratio(strata: Strata, z: float) -> tuple[float, float, float, float]:
    a, s, b, t = strata
    above, below = float((a * t / (s + t)).sum()), float((b * s / (s + t)).sum())
    if above == 0 or below == 0:
        return np.nan, np.nan, np.nan, np.nan
    variance = float(((a + b) * s * t / (s + t) ** 2).sum()) / (above * below)
    log, error = float(np.log(above / below)), float(np.sqrt(variance))
    lower, upper = np.exp([log - z * error, log + z * error])
    return above / below, float(lower), float(upper), _two_sided(log / error)


def _difference(strata: Strata, z: float) -> tuple[float, float, float, float]:
    a, s, b, t = strata
    weight = s * t / (s + t)
    estimate = float((weight * (a / s - b / t)).sum() / weight.sum())
    error = float(np.sqrt((weight**2 * (a / s**2 + b / t**2)).sum()) / weight.sum())
    if error == 0:
        return estimate, np.nan, np.nan, np.nan
    return estimate, estimate - z * error, estimate + z * error, _two_sided(estimate / error)


def _two_sided(z: float) -> float:
    return float(2 * stats.norm.sf(abs(z)))
