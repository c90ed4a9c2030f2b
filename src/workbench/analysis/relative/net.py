"""One group's net survival: what survival would be if the disease were the only cause of death."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from workbench.analysis.relative.expected import expected_curve
from workbench.analysis.relative.patients import Patients
from workbench.analysis.relative.steps import Grid, Sums, make_grid, sum_over_risk_sets


@dataclass(frozen=True, eq=False)
class Curve:
    """One group's curve at its times (days): counts, increments of hazard and the estimate.

    The estimate is missing from a time on at which nobody is at risk (period approach).
    `observed` and `expected` are increments of the cumulative hazard at each time (their
    difference is the excess), `variance` the increment of the variance of the cumulative hazard,
    `weight` the weights summed over who is at risk at each time.
    """

    times: np.ndarray
    at_risk: np.ndarray
    events: np.ndarray
    weight: np.ndarray
    observed: np.ndarray
    expected: np.ndarray
    variance: np.ndarray
    estimate: np.ndarray

    @property
    def std_error(self) -> np.ndarray:
        """Standard error of the cumulative excess hazard."""
        return np.sqrt(np.cumsum(self.variance))


def net_curve(
    patients: Patients, asked: np.ndarray | None, *, method: str, step: float | None
) -> Curve:
    """Estimate one group's net (Pohar Perme) or relative survival at every exit and asked time.

    Deaths on the very first day (time 0) are counted there, as by Kaplan-Meier.
    """
    at_start = patients.time <= 0
    followed = patients.of(np.flatnonzero(~at_start))
    curve = _empty()
    if followed.time.size:
        grid = make_grid(followed, asked, step)
        if method in ("ederer1", "hakulinen"):
            curve = _ratio(followed, grid, method)
        else:
            curve = _additive(followed, grid, 1 if method == "pohar-perme" else 0)
    return _with_start(curve, patients, at_start) if at_start.any() else curve


def _empty() -> Curve:
    return Curve(*(np.zeros(0) for _ in fields(Curve)))


def _additive(patients: Patients, grid: Grid, sign: int) -> Curve:
    """Weighted observed less weighted expected hazard, over one risk set."""
    at_risk, events = _counts(patients, grid)
    found = sum_over_risk_sets(patients, grid, sign=sign, until=patients.time)
    place = np.searchsorted(grid.times, patients.time[patients.event])
    weight = np.exp(sign * found.hazard + patients.log_weight)[patients.event]
    n_times = len(grid.times)
    last = np.append(np.flatnonzero(np.diff(grid.gap)), len(grid.gap) - 1)
    total = found.weight1[last]
    with np.errstate(divide="ignore", invalid="ignore"):
        observed = np.where(events > 0, np.bincount(place, weight, n_times) / total, 0.0)
        squares = np.where(events > 0, np.bincount(place, weight**2, n_times) / total**2, 0.0)
    expected = np.bincount(grid.gap, _population(found, grid, at_risk), n_times)
    estimate = np.cumprod(1 - (observed - expected))
    # period approach: from a time on which nobody is at risk, nothing is known
    estimate[np.logical_or.accumulate(at_risk == 0)] = np.nan
    return Curve(grid.times, at_risk, events, total, observed, expected, squares, estimate)


def _population(found: Sums, grid: Grid, at_risk: np.ndarray) -> np.ndarray:
    """Expected hazard of each step: the mean of the rates weighted at its start and at its end."""
    # nobody at risk: rounding leaves sums near 0 whose ratio means nothing
    somebody = at_risk[grid.gap] > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = (found.rate0 / found.weight0 + found.rate1 / found.weight1) / 2
    return np.where(somebody, rate * (grid.end - grid.start), 0.0)


def _ratio(patients: Patients, grid: Grid, method: str) -> Curve:
    """Observed over expected survival, the two estimated apart."""
    at_risk, events = _counts(patients, grid)
    with np.errstate(divide="ignore", invalid="ignore"):
        observed = np.where(events > 0, events / at_risk, 0.0)
        squares = np.where(events > 0, events / at_risk**2.0, 0.0)
    potential = patients.potential if method == "hakulinen" else None
    population = expected_curve(patients, grid.times, potential)
    estimate = np.cumprod(1 - observed) / population
    expected = -np.diff(np.log(population), prepend=0.0)
    total = at_risk.astype(float)
    return Curve(grid.times, at_risk, events, total, observed, expected, squares, estimate)


def _counts(patients: Patients, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    gone = np.searchsorted(np.sort(patients.time), grid.times, side="left")
    come = np.searchsorted(np.sort(patients.entry), grid.times, side="left")
    place = np.searchsorted(grid.times, patients.time[patients.event])
    return come - gone, np.bincount(place, minlength=len(grid.times))


def _with_start(curve: Curve, patients: Patients, at_start: np.ndarray) -> Curve:
    weight = np.exp(patients.log_weight)
    died = weight[at_start & patients.event]
    observed = died.sum() / weight.sum()
    first = {
        "times": 0.0, "at_risk": len(weight), "events": len(died), "weight": weight.sum(),
        "observed": observed, "expected": 0.0, "variance": (died**2).sum() / weight.sum() ** 2,
        "estimate": 1 - observed,
    }  # fmt: skip
    rest = replace(curve, estimate=curve.estimate * (1 - observed))
    return Curve(*(np.append(value, getattr(rest, name)) for name, value in first.items()))
