"""Poisson regression of follow-up cut into intervals: the piecewise-exponential model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd

from workbench.analysis import inputs
from workbench.analysis.regression.outcome_fit import OutcomeFit
from workbench.analysis.regression.outcome_models import poisson
from workbench.errors import DataError, StudyError

INTERVAL, EVENTS, TIME, ROW = "interval", "_events", "_time", "_row"


def piecewise_exponential(
    persons: pd.DataFrame,
    formula: str,
    *,
    duration: str,
    event: str,
    cuts: Sequence[float],
    entry: str | None = None,
    cluster: str | None = None,
    confidence: float = 0.95,
) -> OutcomeFit:
    """Estimate rates that are constant within intervals of follow-up, and how they differ.

    Parameters
    ----------
    persons
        One row per person (or start-stop row): `duration`, `event` and `entry` as in
        `survival.kaplan_meier`.
    formula
        The covariates, as in `cox`; the word `interval` stands for the interval of follow-up, so
        that "interval + age" has proportional hazards and "interval * stage" has not.
    cuts
        Limits of the intervals in the unit of the duration, rising, from 0 on. Follow-up after
        the last one is not used.
    cluster
        Column that says whose rows belong together; the variance is then robust.

    Returns
    -------
    `OutcomeFit` of the Poisson model with the logarithm of time as offset: `rate_ratio` compares
    hazards. `n` counts the rows of `persons`; `levels` counts their stretches in the intervals.

    Raises
    ------
    DataError, StudyError
        As `poisson`; limits that do not rise; a column named `interval`; nobody within the limits.

    References
    ----------
    Holford, Biometrics 1980;36:299-305; Laird and Olivier, J Am Stat Assoc 1981;76:231-240.
    """
    limits = np.asarray(list(cuts), dtype=float)
    if len(limits) < 2 or limits[0] < 0 or not (np.diff(limits) > 0).all():
        raise StudyError("cuts: expected two or more limits from 0 on, each above the one before.")
    if INTERVAL in persons.columns:
        raise DataError(
            f'persons: "{INTERVAL}" names the interval of follow-up. Rename the column.'
        )
    follow_up = inputs.check_follow_up(persons, duration=duration, event=event, entry=entry)
    rows = _cut(persons, follow_up, limits)
    if not rows[EVENTS].any():
        raise DataError("piecewise_exponential: no events within the limits.")
    fit = poisson(
        rows, f"{EVENTS} ~ {formula}", exposure=TIME, cluster=cluster, confidence=confidence
    )
    is_used = rows[fit.design.variables].notna().all(axis=1)
    n, n_whole = rows.loc[is_used, ROW].nunique(), rows[ROW].nunique()
    return replace(fit, n=int(n), n_missing=int(n_whole - n))


def _cut(persons: pd.DataFrame, follow_up: inputs.FollowUp, limits: np.ndarray) -> pd.DataFrame:
    """One row a person and interval with any time in it."""
    entry = np.zeros(len(persons)) if follow_up.entry is None else follow_up.entry
    names = [f"{low:g} to {high:g}" for low, high in pairwise(limits)]
    parts = []
    for name, (low, high) in zip(names, pairwise(limits), strict=True):
        time = np.minimum(follow_up.time, high) - np.maximum(entry, low)
        inside = time > 0
        happened = follow_up.event & (follow_up.time > low) & (follow_up.time <= high)
        part = persons[inside].assign(
            **{TIME: time[inside], EVENTS: happened[inside] * 1, ROW: np.flatnonzero(inside)}
        )
        parts.append(part.assign(**{INTERVAL: name}))
    rows = pd.concat(parts, ignore_index=True)
    if rows.empty:
        raise DataError("piecewise_exponential: nobody is followed within the limits.")
    kind = pd.CategoricalDtype([name for name in names if (rows[INTERVAL] == name).any()])
    return rows.assign(**{INTERVAL: rows[INTERVAL].astype(kind)})
