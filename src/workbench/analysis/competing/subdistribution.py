"""The arithmetic of the Fine-Gray model: sums per time, Newton's method and the sandwich.

Everything is a sum per distinct time, a running sum over the times, and one weighted product of
the covariates, so the work grows with the number of persons and not with its square. There is no
compiled kernel here: the sums are numpy's own loops, and a million persons take about two seconds.

Persons who had a competing event stay at risk for the event of interest with the weight
G(t-)/G(s-), where s is the time of their own event and G the probability of not yet being
censored.

References
----------
Fine and Gray, J Am Stat Assoc 1999;94:496-509 (the model and its sandwich variance).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

CENSORED, OF_INTEREST, COMPETING = 0, 1, 2
MOST_STEPS = 60
# Newton's decrement: what is left to gain in the log-likelihood is half of it
SMALL_DECREMENT = 1e-20


@dataclass(frozen=True, eq=False)
class Subjects:
    """Persons of a Fine-Gray model, in any order.

    `covariates` (n x p, centred, one column contiguous), `step` (n: which distinct time), `kind`
    (n: CENSORED, OF_INTEREST or COMPETING), `layer` (n: group with a censoring distribution of its
    own), `times` (T, sorted), `at_risk` and `censored` (layers x T: for the censoring
    distribution), `uncensored` (layers x T: G just before each time).
    """

    covariates: np.ndarray
    step: np.ndarray
    kind: np.ndarray
    layer: np.ndarray
    times: np.ndarray
    at_risk: np.ndarray
    censored: np.ndarray
    uncensored: np.ndarray

    @property
    def late(self) -> np.ndarray:
        """The rows of persons with a competing event."""
        return np.flatnonzero(self.kind == COMPETING)


@dataclass(frozen=True, eq=False)
class Sums:
    """What the log-likelihood and its derivatives are made of at given coefficients.

    `weight` (n: exp of the linear predictor), `mean` (T x p: weighted mean of the covariates among
    those at risk), `jump` (T: baseline subdistribution hazard), `log_likelihood`, `gradient` (p).
    """

    weight: np.ndarray
    mean: np.ndarray
    jump: np.ndarray
    log_likelihood: float
    gradient: np.ndarray


def gather(
    covariates: np.ndarray,
    time: np.ndarray,
    kind: np.ndarray,
    layer: np.ndarray,
    *,
    events_first: bool,
) -> Subjects:
    """Sort the persons' times into steps and estimate who is not yet censored (Kaplan-Meier).

    `events_first`: who has an event at a time is no longer at risk of being censored at that time
    (as R's `survival::finegray`); otherwise is (as R's `cmprsk::crr`).
    """
    times, step = np.unique(time, return_inverse=True)
    shape = (int(layer.max()) + 1, len(times))
    cell = layer * len(times) + step
    leaving = np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)
    censored = np.bincount(cell[kind == CENSORED], minlength=leaving.size).reshape(shape)
    at_risk = _from(leaving)
    exposed = at_risk - (leaving - censored) if events_first else at_risk
    share = np.divide(censored, exposed, out=np.zeros(shape), where=exposed > 0)
    after = np.cumprod(1 - share, axis=1)
    uncensored = np.column_stack([np.ones(shape[0]), after[:, :-1]])
    return Subjects(
        np.asfortranarray(covariates), step, kind, layer, times, at_risk, censored, uncensored
    )


def add_up(subjects: Subjects, coefficient: np.ndarray) -> Sums:
    """Log-likelihood, gradient, baseline hazard and means at given coefficients."""
    x, step, late = subjects.covariates, subjects.step, subjects.late
    n_times, n_terms = len(subjects.times), x.shape[1]
    shape = (len(subjects.uncensored), n_times)
    predictor = x @ coefficient
    weight = np.exp(predictor)
    cell = subjects.layer[late] * n_times + step[late]
    late_weight = weight[late] / subjects.uncensored.ravel()[cell]
    risk = np.empty((n_times, n_terms + 1), order="F")
    for j in range(n_terms + 1):
        column = weight if j == 0 else weight * x[:, j - 1]
        late_column = late_weight if j == 0 else late_weight * x[late, j - 1]
        now = _from(np.bincount(step, weights=column, minlength=n_times))
        before = _before(_per_cell(cell, late_column, shape))
        risk[:, j] = now + (subjects.uncensored * before).sum(axis=0)
    happened = subjects.kind == OF_INTEREST
    events = np.bincount(step[happened], minlength=n_times)
    mean = np.divide(
        risk[:, 1:], risk[:, :1], out=np.zeros((n_times, n_terms)), where=risk[:, :1] > 0
    )
    some = events > 0
    jump = np.zeros(n_times)
    jump[some] = events[some] / risk[some, 0]
    lost = float(events[some] @ np.log(risk[some, 0]))
    return Sums(
        weight=weight,
        mean=mean,
        jump=jump,
        log_likelihood=float(predictor[happened].sum()) - lost,
        gradient=x[happened].sum(axis=0) - events @ mean,
    )


def information(subjects: Subjects, sums: Sums) -> np.ndarray:
    """Minus the second derivatives of the log-likelihood (p x p)."""
    x, late = subjects.covariates, subjects.late
    held = np.cumsum(sums.jump)[subjects.step]
    held[late] += _carried(subjects, sums.jump)
    events = np.bincount(subjects.step[subjects.kind == OF_INTEREST], minlength=len(subjects.times))
    shared = sums.mean.T @ (events[:, None] * sums.mean)
    return x.T @ ((sums.weight * held)[:, None] * x) - shared


def maximise(subjects: Subjects) -> tuple[np.ndarray, Sums, Sums] | None:
    """Coefficients at the largest log-likelihood, the sums there and at 0; None if not found."""
    coefficient = np.zeros(subjects.covariates.shape[1])
    null = found = add_up(subjects, coefficient)
    for _ in range(MOST_STEPS):
        try:
            move = np.linalg.solve(information(subjects, found), found.gradient)
        except np.linalg.LinAlgError:
            return None
        decrement = float(found.gradient @ move)
        if not np.isfinite(decrement):
            return None
        size, tried = 1.0, add_up(subjects, coefficient + move)
        # near the optimum the last digit of the log-likelihood may fall: that is no overshoot
        slack = 1e-11 * abs(found.log_likelihood)
        while not tried.log_likelihood >= found.log_likelihood - slack and size > 1e-6:
            size /= 2
            tried = add_up(subjects, coefficient + size * move)
        coefficient, found = coefficient + size * move, tried
        if abs(decrement) < SMALL_DECREMENT * max(1.0, abs(found.log_likelihood)):
            return coefficient, found, null
    return None


def residuals(subjects: Subjects, sums: Sums, *, with_censoring: bool) -> np.ndarray:
    """Each person's share in the score (n x p), whose squares make the sandwich variance.

    `with_censoring` adds the part that comes from estimating the censoring distribution.
    """
    x, step, late = subjects.covariates, subjects.step, subjects.late
    happened = np.flatnonzero(subjects.kind == OF_INTEREST)
    held = np.cumsum(sums.jump)[step]
    held[late] += _carried(subjects, sums.jump)
    # a column at a time: whole matrices would not fit in the processor's own memory
    score = np.empty(x.shape, order="F")
    for j in range(x.shape[1]):
        at_mean = sums.jump * sums.mean[:, j]
        held_mean = np.cumsum(at_mean)[step]
        held_mean[late] += _carried(subjects, at_mean)
        score[:, j] = sums.weight * (held_mean - x[:, j] * held)
        score[happened, j] += x[happened, j] - sums.mean[step[happened], j]
    if with_censoring:
        _add_censoring(score, subjects, sums)
    return score


def _add_censoring(score: np.ndarray, subjects: Subjects, sums: Sums) -> None:
    n_times, late = len(subjects.times), subjects.late
    cell = subjects.layer * n_times + subjects.step
    late_weight = sums.weight[late] / subjects.uncensored.ravel()[cell[late]]
    at_risk, out = subjects.at_risk, np.flatnonzero(subjects.kind == CENSORED)
    shape = (len(at_risk), n_times)
    waiting = _before(_per_cell(cell[late], late_weight, shape))
    to_come = _from(subjects.uncensored * sums.jump)
    share = np.divide(subjects.censored, at_risk, out=np.zeros(shape), where=at_risk > 0)
    for j in range(score.shape[1]):
        column = late_weight * subjects.covariates[late, j]
        pull = _before(_per_cell(cell[late], column, shape)) * to_come
        pull -= waiting * _from(subjects.uncensored * sums.jump * sums.mean[:, j])
        pull = np.divide(pull, at_risk, out=np.zeros(shape), where=at_risk > 0)
        score[:, j] -= np.cumsum(pull * share, axis=1).ravel()[cell]
        score[out, j] += pull.ravel()[cell[out]]


def _carried(subjects: Subjects, jump: np.ndarray) -> np.ndarray:
    """What a person with a competing event meets after it: sum over later t of G(t-)/G(s-) jump."""
    late = subjects.late
    step, layer = subjects.step[late], subjects.layer[late]
    later = _from(subjects.uncensored * jump) - subjects.uncensored * jump
    return later[layer, step] / subjects.uncensored[layer, step]


def _per_cell(cell: np.ndarray, values: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    return np.bincount(cell, weights=values, minlength=shape[0] * shape[1]).reshape(shape)


def _from(values: np.ndarray) -> np.ndarray:
    """Sums from each time on."""
    return np.cumsum(values[..., ::-1], axis=-1)[..., ::-1]


def _before(values: np.ndarray) -> np.ndarray:
    """Sums over the times before each time."""
    return np.cumsum(values, axis=-1) - values
