"""Newton's method for Cox's partial likelihood; many rows start from a part of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from workbench.analysis.regression.cox_likelihood import (
    Likelihood,
    Rows,
    backward,
    information,
    likelihood,
)
from workbench.analysis.regression.risk_sets import RiskSets

MOST_STEPS = 50
MOST_HALVINGS = 25
# what a last step may still gain in log likelihood, per event: leaves standard errors 1e-8 off
EXACT = 1e-16
# among so few rows a further step costs nothing, and goes on to the last digit
FEW_ROWS = 100_000
EXACT_AMONG_FEW = 1e-20
# the log likelihood of many persons is rounded, so that it may seem to fall in the last steps
ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Maximum:
    """Where the likelihood is largest: coefficient (p), information (p x p), log likelihood."""

    coefficient: np.ndarray
    information: np.ndarray
    log_likelihood: float


def maximise(
    rows: Rows,
    risk: RiskSets,
    start: np.ndarray | None = None,
    *,
    gain: float | None = None,
    look: Callable[[np.ndarray], None] | None = None,
) -> Maximum | None:
    """Find the largest partial likelihood by Newton's method with halved steps.

    Parameters
    ----------
    start
        Coefficient to start from (p); 0 without it.
    gain
        Stop when a step would gain less than this; by default so that nothing more is to be had.
    look
        Called with the first information matrix; may refuse it.

    Returns
    -------
    The maximum, or None where there is none or it is not reached.
    """
    coefficient = np.zeros(rows.n_columns) if start is None else start
    least_gain = _least_gain(rows, risk) if gain is None else gain
    current = likelihood(rows, risk, coefficient)
    for step_number in range(MOST_STEPS):
        if not np.isfinite(current.value):
            return None
        curved = information(rows, risk, current, current.steps)
        if look is not None and step_number == 0:
            look(curved)
        step = _solved(curved, current.gradient)
        if step is None:
            return None
        decrement = float(current.gradient @ step)
        if decrement < least_gain:
            value = current.value + decrement / 2
            return Maximum(coefficient + step, curved, value)
        taken = _climbed(rows, risk, coefficient, step, current)
        if taken is None:
            return None
        coefficient, current = taken
    return None


def _least_gain(rows: Rows, risk: RiskSets) -> float:
    exact = EXACT_AMONG_FEW if len(risk.exit) < FEW_ROWS else EXACT
    return exact * float(risk.n_events.sum())


def _climbed(
    rows: Rows, risk: RiskSets, start: np.ndarray, step: np.ndarray, before: Likelihood
) -> tuple[np.ndarray, Likelihood] | None:
    allowed = before.value - ROUNDING * (1 + abs(before.value))
    for halving in range(MOST_HALVINGS):
        coefficient = start + step / 2**halving
        with np.errstate(all="ignore"):
            found = likelihood(rows, risk, coefficient)
        if np.isfinite(found.value) and found.value >= allowed:
            return coefficient, found
    return None


def _solved(curved: np.ndarray, gradient: np.ndarray) -> np.ndarray | None:
    size = np.sqrt(np.diag(curved).clip(min=0))
    if not (np.isfinite(curved).all() and (size > 0).all()):
        return None
    try:
        factor = linalg.cho_factor(curved / np.outer(size, size))
    except linalg.LinAlgError:
        return None
    return linalg.cho_solve(factor, gradient / size) / size


def null_log_likelihood(risk: RiskSets, offset: np.ndarray | None) -> float:
    """Log partial likelihood when no term has an effect."""
    at_risk = np.ones(len(risk.exit)) if risk.at_risk is None else risk.at_risk
    ratio = np.ones(1) if offset is None else np.exp(offset)
    size = risk.n_places + 1
    mass = backward(np.bincount(risk.exit, weights=at_risk * ratio, minlength=size))[:-1]
    if risk.start is not None:
        started = np.bincount(risk.start, weights=at_risk * ratio, minlength=size)
        mass = mass - backward(started)[1:]
    died = np.bincount(risk.exit, weights=risk.died * ratio, minlength=size)[risk.places]
    score = 0.0 if offset is None else float(risk.died @ offset)
    if risk.of_event is None:
        return score - float((risk.mean_weight * risk.n_events) @ np.log(mass[risk.places]))
    den = mass[risk.places][risk.of_event] - risk.share * died[risk.of_event]
    return score - float(risk.mean_weight[risk.of_event] @ np.log(den))
