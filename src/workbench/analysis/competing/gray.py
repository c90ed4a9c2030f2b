"""Gray's test: whether the share that has an event differs between groups, others competing.

Equal to R's cmprsk (cuminc) to 1e-9: tests/reference/test_incidence_against_r.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from workbench.analysis import inputs
from workbench.analysis.competing.incidence import incidence_shares
from workbench.analysis.counts import EventCounts, event_counts
from workbench.analysis.survival.comparison import chi_square
from workbench.analysis.survival.hazards import survival_shares
from workbench.errors import DataError

if TYPE_CHECKING:
    import ibis


@dataclass(frozen=True, eq=False)
class GrayTest:
    """Whether cumulative incidence differs between groups: a chi-square test and its parts.

    `table` has one row per group: the columns of `by`, `n` (persons), `events` (of the cause,
    persons), `observed` and `expected` (events of the cause). `variance` is the covariance matrix
    of observed minus expected, groups in the order of the table.
    """

    statistic: float
    degrees_of_freedom: int
    p_value: float
    table: pd.DataFrame
    variance: np.ndarray


@dataclass(frozen=True, eq=False)
class _Grid:
    # one row a group, one column a time at which anybody has an event
    at_risk: np.ndarray
    own: np.ndarray
    others: np.ndarray
    survival_before: np.ndarray
    survival: np.ndarray
    incidence_before: np.ndarray


def gray_test(
    persons: pd.DataFrame | ibis.Table | EventCounts,
    *,
    duration: str | None = None,
    event: str | None = None,
    cause: int,
    by: str | Sequence[str],
    strata: str | Sequence[str] | None = None,
) -> GrayTest:
    """Test whether the share that has an event over time differs between groups (Gray).

    Parameters
    ----------
    persons
        As in `cumulative_incidence`.
    cause
        The code of the event whose incidence is compared; all other codes above 0 compete.
    by, strata
        The groups to compare, and the columns within which to compare them before adding up.

    Returns
    -------
    `GrayTest`. With Y at risk, F the incidence and S the survival free of any event in the group,
    a group counts Y (1 - F(t-)) / S(t-) persons at risk of the cause: also those who have had a
    competing event. Groups that were never at risk when the event happened do not count in the
    degrees of freedom.

    Raises
    ------
    DataError, StudyError
        As `cumulative_incidence`; one group only; no event of the cause; groups never at risk
        together.

    References
    ----------
    Gray, 1988 (score and its variance, sections 2 and 3, rho = 0).
    """
    names, layers = inputs.names_of(by), inputs.names_of(strata)
    counts = event_counts(
        persons, duration=duration, event=event, by=[*layers, *names], causes=True
    )
    counts.refuse_weights("gray_test")
    if cause not in counts.causes:
        raise DataError(f"cause={cause}: no event of this cause, so there is nothing to compare.")
    number = inputs.group_numbers(counts.groups, names)
    layer = inputs.group_numbers(counts.groups, layers)
    n_groups = int(number.max()) + 1
    if not names or n_groups < 2:
        raise DataError(f"by={names}: one group only; a comparison needs two or more.")
    observed, expected = np.zeros(n_groups), np.zeros(n_groups)
    variance = np.zeros((n_groups, n_groups))
    for value in np.unique(layer):
        inside = np.flatnonzero(layer == value)
        grid, own = _grid(counts, inside, counts.causes.index(cause)), number[inside]
        terms = _score(grid)
        observed[own] += terms[0]
        expected[own] += terms[1]
        variance[np.ix_(own, own)] += _variance(grid)
    statistic, freedom = chi_square(observed - expected, variance, expected > 0, names)
    n = np.bincount(number, _persons(counts), minlength=n_groups).astype(np.int64)
    table = counts.groups[names].iloc[np.unique(number, return_index=True)[1]]
    table = table.reset_index(drop=True).assign(n=n, events=observed.astype(np.int64))
    table = table.assign(observed=observed, expected=expected)
    p_value = float(stats.chi2.sf(statistic, freedom))
    return GrayTest(statistic, freedom, p_value, table, variance)


def _persons(counts: EventCounts) -> np.ndarray:
    leaving = counts.n_events + counts.persons.censored
    return counts.running(leaving)[counts.first[1:] - 1]


def _grid(counts: EventCounts, groups: np.ndarray, column: int) -> _Grid:
    spans = [slice(*counts.first[[group, group + 1]]) for group in groups]
    at = np.unique(np.concatenate([counts.time[s][counts.events[s] > 0] for s in spans]))
    survival, incidence = survival_shares(counts), incidence_shares(counts, column)
    own = counts.persons.events[:, column]
    parts: dict[str, list[np.ndarray]] = {name: [] for name in _Grid.__dataclass_fields__}
    for s in spans:
        time = counts.time[s]
        before, until = np.searchsorted(time, at), np.searchsorted(time, at, side="right")
        here = until > before
        parts["at_risk"].append(np.append(counts.at_risk[s], 0)[before])
        parts["own"].append(np.where(here, np.append(own[s], 0)[before], 0))
        others = np.append((counts.events - own)[s], 0)[before]
        parts["others"].append(np.where(here, others, 0))
        parts["survival_before"].append(np.append(1.0, survival[s])[before])
        parts["survival"].append(np.append(1.0, survival[s])[until])
        parts["incidence_before"].append(np.append(0.0, incidence[s])[before])
    return _Grid(**{name: np.array(rows) for name, rows in parts.items()})


def _divided(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    # where nobody is left there is nothing to divide, and nothing to count
    shape = np.broadcast_shapes(above.shape, below.shape)
    return np.divide(above, below, out=np.zeros(shape), where=below > 0)


def _score(grid: _Grid) -> tuple[np.ndarray, np.ndarray]:
    counting = _divided(grid.at_risk * (1 - grid.incidence_before), grid.survival_before)
    share = _divided(counting, counting.sum(axis=0))
    return grid.own.sum(axis=1) * 1.0, share @ grid.own.sum(axis=0)


def _variance(grid: _Grid) -> np.ndarray:
    # Gray's h: at risk over survival, how many had to start for so many to be left
    started = _divided(grid.at_risk * 1.0, grid.survival_before)
    all_started, events = started.sum(axis=0), grid.own.sum(axis=0)
    steps = _divided(events * 1.0, all_started)
    free = 1 - np.cumsum(steps)
    hazard = _divided(steps, np.append(1.0, free[:-1]))
    share = _divided(started, all_started)
    groups = np.arange(len(started))
    variance = np.zeros((len(groups), len(groups)))
    for row in groups:
        y, own_started = grid.at_risk[row], started[row]
        direct = ((groups == row)[:, None] - share) * own_started
        later = direct * hazard
        later = later.sum(axis=1, keepdims=True) - np.cumsum(later, axis=1)
        ratio = _divided(free, grid.survival[row])
        # ties as in a draw without replacement from those expected (all who started, as few left)
        alike = all_started * grid.survival_before[row]
        tied = 1 - _divided(np.maximum(events - 1.0, 0.0), np.maximum(alike - 1, 0.0))
        own = np.where(y > 0, tied * _divided(steps, own_started), 0.0)
        others = grid.others[row]
        tied = 1 - _divided(np.maximum(others - 1.0, 0.0), np.maximum(y - 1.0, 0.0))
        competing = tied * _divided(others * 1.0, own_started**2)
        first, second = direct + (1 - ratio) * later, ratio * later
        variance += (first * own) @ first.T + (second * competing) @ second.T
    return variance
