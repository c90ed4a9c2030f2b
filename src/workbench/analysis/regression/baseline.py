"""The baseline hazard of a Cox model, and what its uncertainty is made of.

References: Breslow, 1974; Tsiatis, 1981 (variance); Efron's ties as in R's `survfit.coxph`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.analysis.regression.cox_solution import Solution
from workbench.analysis.survival.intervals import normal_quantile


@dataclass(frozen=True, eq=False)
class Baseline:
    """The cumulative hazard of one stratum at mean covariates, as steps at its K event times.

    `hazard` (K), `variance` (K: of the hazard, coefficients taken as known) and `drift` (K x p:
    how the hazard would change with the coefficients), all cumulative.
    """

    time: np.ndarray
    hazard: np.ndarray
    variance: np.ndarray
    drift: np.ndarray

    def at(self, times: np.ndarray) -> Baseline:
        """The same, read at other times (0 before the first event)."""
        place = np.searchsorted(self.time, times, side="right")
        return Baseline(
            times,
            np.append(0.0, self.hazard)[place],
            np.append(0.0, self.variance)[place],
            np.vstack([np.zeros((1, self.drift.shape[1])), self.drift])[place],
        )


def baselines(solution: Solution) -> list[Baseline]:
    """The baseline of each stratum, in the order of its number."""
    risk, steps = solution.risk, solution.found.steps
    drift = solution.mean_steps[0]
    layer = risk.layer[risk.places]
    found = []
    for number in range(len(solution.strata)):
        own = layer == number
        found.append(
            Baseline(
                risk.time[risk.places][own],
                steps.hazard[own].cumsum(),
                steps.square[own].cumsum(),
                drift[own].cumsum(axis=0),
            )
        )
    return found


def variance_of(base: Baseline, columns: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Variance of log survival per covariate row (n x p, centred) and time: n x K, over ratio^2."""
    change = columns[:, None, :] * base.hazard[:, None] - base.drift
    return base.variance + np.einsum("nkp,pq,nkq->nk", change, covariance, change)


def baseline_frame(solution: Solution, confidence: float) -> pd.DataFrame:
    """The baseline as a table; see `CoxFit.baseline`."""
    zero = -solution.covariates.mean[None, :]
    ratio = float(np.exp(zero[0] @ solution.coefficient))
    parts = []
    for number, base in enumerate(baselines(solution)):
        spread = ratio * np.sqrt(variance_of(base, zero, solution.covariance)[0])
        hazard = ratio * base.hazard
        half = normal_quantile(confidence) * spread / hazard
        part = pd.DataFrame(
            {
                "time": base.time,
                "cumulative_hazard": hazard,
                "std_error": spread,
                "lower": hazard * np.exp(-half),
                "upper": hazard * np.exp(half),
            }
        )
        for place, name in enumerate(solution.strata):
            part.insert(place, name, solution.strata[name].iloc[number])
        parts.append(part)
    return pd.concat(parts, ignore_index=True)
