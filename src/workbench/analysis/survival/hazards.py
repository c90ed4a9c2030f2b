"""What curves are made of: shares, hazards and their variances at every time of the counts."""

from __future__ import annotations

import numpy as np

from workbench.analysis.counts import EventCounts, running
from workbench.analysis.survival.jackknife import Influence, jackknife_variance


def survival_shares(counts: EventCounts) -> np.ndarray:
    """The share still without any event after each time (Kaplan-Meier)."""
    d, y = counts.events, np.where(counts.at_risk > 0, counts.at_risk, 1)
    factor = np.where(counts.everybody, 0.0, 1 - d / y)
    return running(np.multiply, factor, counts.first)


def shares_before(shares: np.ndarray, first: np.ndarray) -> np.ndarray:
    """The share just before each time: 1 at the start of every group."""
    before = np.append(1.0, shares[:-1])
    before[first[:-1]] = 1.0
    return before


def greenwood_steps(counts: EventCounts) -> np.ndarray:
    """Greenwood's term at each time: events / (at_risk (at_risk - events)).

    0 where everybody at risk has the event: there the share is 0 and its logarithm has no variance.
    """
    d, y = counts.events, counts.at_risk
    divides = (d > 0) & ~counts.everybody
    return np.divide(d, y * (y - d) * 1.0, out=np.zeros(len(d)), where=divides)


def staying_shares(counts: EventCounts) -> np.ndarray:
    """One over those who stay at each time; 0 where nobody does or nothing happens."""
    stay = (counts.at_risk - counts.events) * 1.0
    divides = (counts.events > 0) & ~counts.everybody
    return np.divide(1.0, stay, out=np.zeros(len(stay)), where=divides)


def log_survival_variance(counts: EventCounts) -> np.ndarray:
    """Variance of the logarithm of Kaplan-Meier: Greenwood's, or robust where weights ask for it.

    Without meaning once the curve is at 0.
    """
    steps = greenwood_steps(counts)
    if counts.spells is None:
        return counts.running(steps)
    none = np.zeros(len(steps))
    jump = staying_shares(counts)[:, None]
    influence = Influence(none + 1, counts.running(steps), none, jump, none[:, None])
    return jackknife_variance(counts, influence)


def nelson_aalen_variance(counts: EventCounts) -> np.ndarray:
    """Variance of the cumulative hazard: the sum of events / at_risk^2, or robust."""
    y = np.where(counts.at_risk > 0, counts.at_risk, 1.0)
    steps = counts.events / y**2
    if counts.spells is None:
        return counts.running(steps)
    none = np.zeros(len(steps))
    jump = np.where(counts.n_events > 0, 1 / y, 0.0)[:, None]
    influence = Influence(none, none, counts.running(steps), none[:, None], jump)
    return jackknife_variance(counts, influence)


def fleming_harrington_steps(counts: EventCounts) -> tuple[np.ndarray, np.ndarray]:
    """Sums of 1 / (at_risk - k) and its square over the k = 0 ... d - 1 events of each time."""
    d = counts.n_events
    at = np.flatnonzero(d)
    ends = np.cumsum(d[at])
    # one row an event: how many of its own time go before it
    before = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - d[at], d[at])
    inverse = 1.0 / (np.repeat(counts.n_at_risk[at], d[at]) - before)
    hazard, squares = np.zeros(len(d)), np.zeros(len(d))
    if len(at):
        hazard[at] = np.add.reduceat(inverse, ends - d[at])
        squares[at] = np.add.reduceat(inverse**2, ends - d[at])
    return hazard, squares
