"""Tests of whether survival differs between groups: the log-rank test and its relatives.

Equal to R's survdiff to 1e-9: tests/reference/test_curves_against_r.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from workbench.analysis import inputs
from workbench.analysis.counts import EventCounts, event_counts
from workbench.errors import DataError, StudyError

if TYPE_CHECKING:
    import ibis

Columns = str | Sequence[str] | None
Weighting = Callable[[np.ndarray, np.ndarray], np.ndarray]
WEIGHTINGS = ("logrank", "gehan", "tarone-ware", "peto")


@dataclass(frozen=True, eq=False)
class LogRank:
    """Whether survival differs between groups: a chi-square test and what it was made of.

    `table` has one row per group: the columns of `by`, `n` and `events` (persons), `observed` and
    `expected` (events; weighted when the test is, as in R). `variance` is the covariance matrix
    of observed minus expected, groups in the order of the table.
    """

    statistic: float
    degrees_of_freedom: int
    p_value: float
    table: pd.DataFrame
    variance: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)), repr=False)


def logrank(
    persons: pd.DataFrame | ibis.Table | EventCounts,
    *,
    duration: str | None = None,
    event: str | None = None,
    by: str | Sequence[str],
    strata: Columns = None,
    rho: float = 0,
    gamma: float = 0,
    weighting: str = "logrank",
    entry: str | None = None,
) -> LogRank:
    """Test whether groups differ in survival (log-rank and its weighted relatives).

    Parameters
    ----------
    by, strata
        The groups to compare, and the columns within which to compare them before adding up.
    rho, gamma
        Weight S(t-)^rho (1 - S(t-))^gamma with S the pooled curve of the stratum: 0, 0 is the
        log-rank test (Mantel, 1966); 1, 0 Peto and Peto's; 0, 1 looks at late differences
        (Fleming and Harrington, 1991, chapter 7).
    weighting
        Or a test by its name: "logrank", "gehan" (weight: the number at risk; Gehan, 1965;
        Breslow, 1970), "tarone-ware" (its square root; 1977), "peto" (rho = 1).
    entry
        When the person came under observation, as in `kaplan_meier`. The rest is as there too.

    Returns
    -------
    `LogRank`. Groups that were never at risk when an event happened do not count in the degrees
    of freedom, as in R.

    Raises
    ------
    DataError, StudyError
        As `kaplan_meier`; one group only; no event; groups never at risk together; a negative
        rho or gamma; an unknown weighting, or one together with rho or gamma; weighted counts.
    """
    weigh = _weighting(weighting, rho, gamma)
    names, layers = inputs.names_of(by), inputs.names_of(strata)
    counts = event_counts(
        persons, duration=duration, event=event, by=[*layers, *names], entry=entry
    )
    counts.refuse_weights("logrank")
    if not counts.events.any():
        raise DataError(f"{_told(event)}: no events, so there is nothing to compare.")
    return _test(counts, names, layers, weigh)


def pairwise_logrank(
    persons: pd.DataFrame | ibis.Table | EventCounts,
    *,
    duration: str | None = None,
    event: str | None = None,
    by: str,
    strata: Columns = None,
    rho: float = 0,
    gamma: float = 0,
    weighting: str = "logrank",
    adjust: str = "holm",
) -> pd.DataFrame:
    """Test each pair of groups for a difference in survival, with p-values adjusted for many tests.

    Parameters
    ----------
    by
        One grouping column; the rest is as in `logrank`.
    adjust
        "holm" or "bonferroni" (the chance of any false finding), "bh" (Benjamini and Hochberg:
        the share of false findings), or "none".

    Returns
    -------
    One row per pair: `group` and `other` (levels of `by`, in their order), `statistic`,
    `degrees_of_freedom`, `p_value`, `p_adjusted`. Missing for a pair without an event, or never
    at risk together; such pairs do not count among the tests. Weights of the test are those of
    the pair's own pooled curve.

    Raises
    ------
    DataError, StudyError
        As `logrank`; several grouping columns; an unknown adjustment.

    References
    ----------
    Holm, 1979; Benjamini and Hochberg, 1995.
    """
    weigh = _weighting(weighting, rho, gamma)
    names, layers = inputs.names_of(by), inputs.names_of(strata)
    if len(names) != 1:
        raise StudyError("by: expected one grouping column; make one of several first.")
    counts = event_counts(persons, duration=duration, event=event, by=[*layers, *names])
    counts.refuse_weights("pairwise_logrank")
    levels = inputs.group_numbers(counts.groups, names)
    labels = counts.groups[names[0]].iloc[np.unique(levels, return_index=True)[1]].tolist()
    if len(labels) < 2:
        raise DataError(f"by={names}: one group only; a comparison needs two or more.")
    rows = []
    for one, other in combinations(range(len(labels)), 2):
        pair = counts.of_groups((levels == one) | (levels == other))
        row = {"group": labels[one], "other": labels[other]}
        try:
            found = _test(pair, names, layers, weigh)
            row |= {"statistic": found.statistic, "p_value": found.p_value}
        except DataError:
            # this pair cannot be compared; the others can
            row |= {"statistic": np.nan, "p_value": np.nan}
        rows.append(row | {"degrees_of_freedom": 1})
    table = pd.DataFrame(rows)[["group", "other", "statistic", "degrees_of_freedom", "p_value"]]
    return table.assign(p_adjusted=adjusted(table["p_value"].to_numpy(), adjust))


def adjusted(p_value: np.ndarray, method: str) -> np.ndarray:
    """Adjust p-values for many tests; missing ones stay missing and do not count."""
    if method not in ("holm", "bonferroni", "bh", "none"):
        raise StudyError("adjust: expected one of holm, bonferroni, bh, none.")
    known = ~np.isnan(p_value)
    p, n = p_value[known], int(known.sum())
    out = np.full(len(p_value), np.nan)
    order = np.argsort(p)
    back = np.argsort(order)
    if method == "none":
        out[known] = p
    elif method == "bonferroni":
        out[known] = np.minimum(p * n, 1.0)
    elif method == "holm":
        steps = p[order] * (n - np.arange(n))
        out[known] = np.minimum(np.maximum.accumulate(steps), 1.0)[back]
    else:
        steps = p[order] * n / np.arange(1, n + 1)
        out[known] = np.minimum(np.minimum.accumulate(steps[::-1])[::-1], 1.0)[back]
    return out


def _told(event: str | None) -> str:
    return "counts" if event is None else f'column "{event}"'


def _weighting(name: str, rho: float, gamma: float) -> Weighting:
    if name not in WEIGHTINGS:
        raise StudyError(f"weighting: expected one of {', '.join(WEIGHTINGS)}.")
    if not (rho >= 0 and gamma >= 0):
        raise StudyError("rho, gamma: expected 0 or more.")
    if name != "logrank" and (rho or gamma):
        raise StudyError("weighting: give either its name or rho and gamma.")
    if name == "gehan":
        return lambda n, before: n * 1.0
    if name == "tarone-ware":
        return lambda n, before: np.sqrt(n)
    early = 1.0 if name == "peto" else rho
    return lambda n, before: before**early * (1 - before) ** gamma


def _test(counts: EventCounts, names: list[str], layers: list[str], weigh: Weighting) -> LogRank:
    number = inputs.group_numbers(counts.groups, names)
    layer = inputs.group_numbers(counts.groups, layers)
    n_groups = int(number.max()) + 1
    if not names or n_groups < 2:
        raise DataError(f"by={names}: one group only; a comparison needs two or more.")
    observed, expected = np.zeros(n_groups), np.zeros(n_groups)
    variance = np.zeros((n_groups, n_groups))
    for value in np.unique(layer):
        inside = np.flatnonzero(layer == value)
        terms = _compare(counts, inside, weigh)
        own = number[inside]
        observed[own] += terms[0]
        expected[own] += terms[1]
        variance[np.ix_(own, own)] += terms[2]
    statistic, freedom = chi_square(observed - expected, variance, expected > 0, names)
    ends = counts.first[1:] - 1
    died = np.bincount(number, counts.running(counts.n_events)[ends], minlength=n_groups)
    gone = np.bincount(number, counts.running(counts.persons.censored)[ends], minlength=n_groups)
    table = counts.groups[names].iloc[np.unique(number, return_index=True)[1]]
    table = table.reset_index(drop=True)
    persons = {"n": (died + gone).astype(np.int64), "events": died.astype(np.int64)}
    table = table.assign(**persons, observed=observed, expected=expected)
    p_value = float(stats.chi2.sf(statistic, freedom))
    return LogRank(statistic, freedom, p_value, table, variance)


def _compare(
    counts: EventCounts, groups: np.ndarray, weigh: Weighting
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    spans = [slice(*counts.first[[group, group + 1]]) for group in groups]
    at = np.unique(np.concatenate([counts.time[s][counts.events[s] > 0] for s in spans]))
    at_risk, died = np.zeros((len(groups), len(at))), np.zeros((len(groups), len(at)))
    for row, span in enumerate(spans):
        time, events = counts.time[span], counts.events[span]
        at_risk[row] = np.append(counts.at_risk[span], 0)[np.searchsorted(time, at)]
        died[row, np.searchsorted(at, time[events > 0])] = events[events > 0]
    n, d = at_risk.sum(axis=0), died.sum(axis=0)
    before = np.append(1.0, np.cumprod(1 - d / n))[:-1]
    weight = weigh(n, before)
    share = at_risk / n
    spread = np.where(n > 1, weight**2 * d * (n - d) / np.maximum(n - 1, 1), 0.0)
    variance = np.diag(share @ spread) - (share * spread) @ share.T
    return died @ weight, share @ (weight * d), variance


def chi_square(
    difference: np.ndarray, variance: np.ndarray, compared: np.ndarray, names: list[str]
) -> tuple[float, int]:
    """The test of observed minus expected, and its degrees of freedom.

    `compared` marks the groups that were at risk at all. Refuses (DataError) what has no answer.
    """
    used = np.flatnonzero(compared)[:-1]
    # the sizes of weighted variances differ by many powers of ten: compare them as correlations
    scale = np.sqrt(np.maximum(np.diag(variance)[used], 0.0))
    scale[scale == 0] = 1.0
    inner = variance[np.ix_(used, used)] / np.outer(scale, scale)
    if used.size == 0 or np.linalg.matrix_rank(inner, hermitian=True) < used.size:
        told = "some groups were never at risk together when an event happened. Join groups or"
        raise DataError(f"by={names}: {told} leave out the strata.")
    score = difference[used] / scale
    return float(score @ np.linalg.solve(inner, score)), int(used.size)
