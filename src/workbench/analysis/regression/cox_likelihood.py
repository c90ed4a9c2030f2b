"""The partial likelihood of Cox's model without a loop over times (numpy).

With w = exp(x'b), all that is needed of the rows are sums of w and w x per time of exit (and of
entry), and one cross product of the rows, weighted by what each row has met of the baseline
hazard: no p x p sum per risk set is ever formed. The rows may be any object with the methods of
`PlainRows`; the compiled one is in cox_kernels.py.

References: Cox, 1972; Breslow, 1974; Efron, 1977; Therneau and Grambsch, 2000, chapter 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from workbench.analysis.regression.risk_sets import RiskSets


@dataclass(frozen=True, eq=False)
class Sums:
    """Per place: sums of w (T) and w x (T x p) of those at risk, and of those with the event.

    The sums of events are taken at the places with events only (M, M x p). `died_score` is the
    weighted sum of x'b over the events, `died_columns` that of x; `weight` (n) is each row's w, in
    the order in which the rows are kept.
    """

    weight: np.ndarray
    risk: np.ndarray
    risk_columns: np.ndarray
    events: np.ndarray
    event_columns: np.ndarray
    died_score: float
    died_columns: np.ndarray


class Rows(Protocol):
    """What the likelihood asks of the rows (persons) of a model."""

    n_columns: int

    def sums(self, coefficient: np.ndarray) -> Sums:
        """Weigh the rows by exp(x'b) and add them up."""

    def steps(self, sums: Sums) -> Steps:
        """Sum what happens at each event time over its tied events."""

    def information_rows(self, sums: Sums, steps: Steps) -> np.ndarray:
        """Sum over the rows of what they met of the hazard times x x' (p x p)."""


@dataclass(frozen=True, eq=False)
class Steps:
    """What happens at each event time (M): sums over the tied events of 1/den and the like.

    den = S0 - f E0, with f of `RiskSets.share`. `hazard` sum 1/den, `taken` sum f/den; `square`,
    `mixed`, `taken_square` the sums of 1, f, f^2 over den^2; all times the mean weight of the
    events. `log_den` is the weighted sum of log den over all events.
    """

    hazard: np.ndarray
    taken: np.ndarray
    square: np.ndarray
    mixed: np.ndarray
    taken_square: np.ndarray
    log_den: float

    def times(self, factor: np.ndarray) -> Steps:
        """The same with every event time multiplied by a number."""
        return Steps(
            self.hazard * factor,
            self.taken * factor,
            self.square * factor,
            self.mixed * factor,
            self.taken_square * factor,
            self.log_den,
        )


@dataclass(frozen=True, eq=False)
class Likelihood:
    """The log partial likelihood at a coefficient, with its slope and what it was made of."""

    value: float
    gradient: np.ndarray
    sums: Sums
    steps: Steps


class PlainRows:
    """The rows as one matrix, added up by numpy.

    `matrix` is n x p; `offset` (n) is added to x'b.
    """

    def __init__(
        self, matrix: np.ndarray, risk: RiskSets, offset: np.ndarray | None = None
    ) -> None:
        self.matrix, self.risk, self.offset = matrix, risk, offset
        self.n_columns = matrix.shape[1]
        self._by_exit = _Adding(risk.exit, risk.n_places)
        self._by_start = None if risk.start is None else _Adding(risk.start, risk.n_places)
        self._events = np.flatnonzero(risk.died)
        own = np.searchsorted(risk.places, risk.exit[self._events])
        self._by_event = _Adding(own, len(risk.places))

    def sums(self, coefficient: np.ndarray) -> Sums:
        """Weigh the rows by exp(x'b) and add them up."""
        score = self.matrix @ coefficient
        if self.offset is not None:
            score = score + self.offset
        ratio = np.exp(score)
        risk, events = self.risk, self._events
        weight = ratio if risk.at_risk is None else ratio * risk.at_risk
        product = weight[:, None] * self.matrix
        at_risk = backward(self._by_exit.add(weight))
        columns = backward(self._by_exit.add(product))
        if self._by_start is not None:
            at_risk = at_risk - _later(self._by_start.add(weight))
            columns = columns - _later(self._by_start.add(product))
        died = risk.died[events]
        died_weight = died * ratio[events]
        inside = self.matrix[events]
        return Sums(
            weight=weight,
            risk=at_risk,
            risk_columns=columns,
            events=self._by_event.add(died_weight),
            event_columns=self._by_event.add(died_weight[:, None] * inside),
            died_score=float(died @ score[events]),
            died_columns=died @ inside,
        )

    def steps(self, sums: Sums) -> Steps:
        """Sum what happens at each event time over its tied events."""
        risk = self.risk
        at_risk, weight = sums.risk[risk.places], risk.mean_weight
        if risk.of_event is None:
            hazard = weight * risk.n_events / at_risk
            nothing = np.zeros(len(hazard))
            log_den = float((weight * risk.n_events) @ np.log(at_risk))
            return Steps(hazard, nothing, hazard / at_risk, nothing, nothing, log_den)
        den = at_risk[risk.of_event] - risk.share * sums.events[risk.of_event]

        def added(values: np.ndarray) -> np.ndarray:
            return np.add.reduceat(values, risk.first) * weight

        inverse = 1 / den
        taken = risk.share * inverse
        return Steps(
            hazard=added(inverse),
            taken=added(taken),
            square=added(inverse * inverse),
            mixed=added(taken * inverse),
            taken_square=added(taken * taken),
            log_den=float(added(np.log(den)).sum()),
        )

    def information_rows(self, sums: Sums, steps: Steps) -> np.ndarray:
        """Sum over the rows of what they met of the hazard times x x' (p x p)."""
        met = expected(self.risk, sums.weight, steps)
        return self.matrix.T @ (met[:, None] * self.matrix)


class _Adding:
    """Adds rows up by place; the order of the rows is found once."""

    def __init__(self, place: np.ndarray, n_places: int) -> None:
        # 16 bits are sorted in one pass by numpy, 64 are not
        key = place.astype(np.uint16) if n_places <= 65_536 else place
        self._order = np.argsort(key, kind="stable")
        in_order = place[self._order]
        self._first = np.flatnonzero(np.r_[True, in_order[1:] != in_order[:-1]][: len(place)])
        self._at = in_order[self._first]
        self._n_places = n_places

    def add(self, values: np.ndarray) -> np.ndarray:
        added = np.zeros((self._n_places, *values.shape[1:]))
        if len(self._first):
            added[self._at] = np.add.reduceat(values[self._order], self._first, axis=0)
        return added


def backward(values: np.ndarray) -> np.ndarray:
    """Sums from each place to the last."""
    return np.cumsum(values[::-1], axis=0)[::-1]


def _later(values: np.ndarray) -> np.ndarray:
    """Sums over the places after each place."""
    return backward(values) - values


def likelihood(rows: Rows, risk: RiskSets, coefficient: np.ndarray) -> Likelihood:
    """Log partial likelihood at `coefficient` (p), and its gradient."""
    sums = rows.sums(coefficient)
    steps = rows.steps(sums)
    met = steps.hazard[:, None] * sums.risk_columns[risk.places]
    met -= steps.taken[:, None] * sums.event_columns
    gradient = sums.died_columns - met.sum(axis=0)
    return Likelihood(sums.died_score - steps.log_den, gradient, sums, steps)


def information(rows: Rows, risk: RiskSets, found: Likelihood, steps: Steps) -> np.ndarray:
    """Minus the second derivative of the log likelihood (p x p).

    `steps` are those of `found`, or the same multiplied by a function of time.
    """
    at_risk, died = found.sums.risk_columns[risk.places], found.sums.event_columns
    mixed = (steps.mixed[:, None] * at_risk).T @ died
    means = (steps.square[:, None] * at_risk).T @ at_risk - mixed - mixed.T
    means += (steps.taken_square[:, None] * died).T @ died
    return rows.information_rows(found.sums, steps) - means


def expected(risk: RiskSets, weight: np.ndarray, steps: Steps) -> np.ndarray:
    """Events that each row was expected to have: its weight times the hazard it has met (n)."""
    met = risk.over_follow_up(risk.running(steps.hazard))
    died = risk.died > 0
    if steps.taken.any():
        own = risk.at_events(steps.taken)[died]
        if risk.at_risk is not None:
            # of a counted row only the events among its persons
            own = own * (risk.died[died] / risk.at_risk[died])
        met[died] -= own
    return weight * met
