"""Concordance: how often who has the higher score has the event first.

References: Harrell, Lee and Mark, 1996; Uno et al., 2011 (weights by censoring); Therneau and
Atkinson, 2020 (variance by the infinitesimal jackknife). Equal to R's `survival::concordance`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.analysis import inputs
from workbench.analysis.inputs import FollowUp
from workbench.analysis.regression.pairs import count_pairs
from workbench.errors import DataError, StudyError


@dataclass(frozen=True)
class Concordance:
    """The share of comparable pairs that agree, ties in score counting one half.

    `concordant`, `discordant`, `tied_score`: comparable pairs (weighted); `tied_time`,
    `tied_both`: pairs with the event at the same time, not comparable. All are missing or 0 where
    no pair is comparable.
    """

    estimate: float
    std_error: float
    concordant: float
    discordant: float
    tied_score: float
    tied_time: float
    tied_both: float


def concordance(
    persons: pd.DataFrame,
    *,
    duration: str,
    event: str,
    score: str,
    entry: str | None = None,
    strata: str | Sequence[str] | None = None,
    cluster: str | None = None,
    weight: str | None = None,
    censoring: str = "harrell",
    horizon: float | None = None,
) -> Concordance:
    """How often the person with the higher score has the event first.

    Parameters
    ----------
    persons
        One row per person: `duration`, `event`, `entry` and `weight` as in
        `survival.kaplan_meier`.
    score
        A number, higher for a higher hazard, none missing.
    strata
        Pairs are made within these columns only.
    cluster
        Rows that belong together (a person with several rows); for the standard error.
    censoring
        "harrell": every comparable pair counts once; "uno": pairs count 1 / G(t-)^2, with G the
        share not yet censored, so that the result does not depend on who was censored.
    horizon
        Only events until then make pairs.

    Returns
    -------
    `Concordance`; the standard error is the infinitesimal jackknife's, which for "uno" takes G as
    known.

    Raises
    ------
    DataError, StudyError
        Columns or values that cannot be used.

    References
    ----------
    Harrell, Lee and Mark, 1996; Uno et al., 2011.
    """
    if censoring not in ("harrell", "uno"):
        raise StudyError('concordance: censoring is "harrell" or "uno".')
    if censoring == "uno" and (entry is not None or strata is not None or weight is not None):
        raise StudyError('concordance: censoring="uno" takes no entry, strata or weight.')
    layers = inputs.names_of(strata)
    follow_up = inputs.check_follow_up(
        persons, duration=duration, event=event, entry=entry, weight=weight
    )
    inputs.check_frame(persons, [score, *layers, *([cluster] if cluster else [])])
    inputs.check_groups(persons, [*layers, *([cluster] if cluster else [])])
    values = pd.to_numeric(persons[score], errors="coerce").to_numpy(float, na_value=np.nan)
    if n_odd := int((~np.isfinite(values)).sum()):
        raise DataError(f'concordance: column "{score}" is not a finite number in {n_odd} rows.')
    importance = _importance(follow_up, censoring, horizon)
    groups = None if cluster is None else inputs.group_numbers(persons, [cluster])
    layer = inputs.group_numbers(persons, layers)
    return concordance_of(values, follow_up, layer, groups, importance)


def concordance_of(
    score: np.ndarray,
    follow_up: FollowUp,
    layer: np.ndarray,
    cluster: np.ndarray | None = None,
    importance: np.ndarray | None = None,
) -> Concordance:
    """Concordance of checked follow-up with a score; arrays of one element a person (n)."""
    pairs = count_pairs(score, follow_up, layer, importance=importance)
    event = follow_up.event
    weight = np.ones(len(score)) if follow_up.weight is None else follow_up.weight
    lead = weight if importance is None else weight * importance
    agree, tied, total = lead[event] @ pairs.of_event
    if not total > 0:
        return Concordance(np.nan, np.nan, 0.0, 0.0, 0.0, *pairs.tied_times)
    estimate = (agree + tied / 2) / total
    influence = weight * _excess(pairs.of_other, estimate)
    influence[event] += lead[event] * _excess(pairs.of_event, estimate)
    if cluster is not None:
        influence = np.bincount(cluster, weights=influence)
    return Concordance(
        estimate=float(estimate),
        std_error=float(np.sqrt((influence**2).sum()) / total),
        concordant=float(agree),
        discordant=float(total - agree - tied),
        tied_score=float(tied),
        tied_time=pairs.tied_times[0],
        tied_both=pairs.tied_times[1],
    )


def _excess(counts: np.ndarray, estimate: float) -> np.ndarray:
    return counts[:, 0] + counts[:, 1] / 2 - estimate * counts[:, 2]


def _importance(follow_up: FollowUp, censoring: str, horizon: float | None) -> np.ndarray | None:
    if censoring == "harrell" and horizon is None:
        return None
    factor = np.ones(len(follow_up.time))
    if censoring == "uno":
        factor = 1 / _uncensored(follow_up) ** 2
    if horizon is not None:
        factor = np.where(follow_up.time <= horizon, factor, 0.0)
    return factor


def _uncensored(follow_up: FollowUp) -> np.ndarray:
    """Share not yet censored just before each person's time; events come first at a time."""
    times, place = np.unique(follow_up.time, return_inverse=True)
    events = np.bincount(place, weights=follow_up.event, minlength=len(times))
    leaving = np.bincount(place, minlength=len(times))
    at_risk = np.cumsum(leaving[::-1])[::-1] - events
    censored = leaving - events
    kept = np.cumprod(1 - np.divide(censored, at_risk, out=np.zeros(len(times)), where=at_risk > 0))
    return np.append(1.0, kept[:-1])[place]
