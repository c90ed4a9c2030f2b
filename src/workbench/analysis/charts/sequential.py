"""Patient after patient: risk-adjusted CUSUM and VLAD.

The risk of each patient must come from a model made before the monitored period, or what is looked
for hides in it. Limits are computed for the risks at hand; one that another programme uses means
something else.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import optimize

from workbench.analysis import inputs
from workbench.errors import DataError, StudyError

STATES = 400  # steps between 0 and the limit


def cusum(
    persons: pd.DataFrame, *, outcome: str, risk: str, limit: float, odds_ratio: float = 2.0,
    order: str | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Signal when outcomes get worse, or better, than the patients' risks say (CUSUM).

    Parameters
    ----------
    persons
        One row a patient: `outcome` 0 or 1, `risk` between 0 and 1 from a model made before.
    limit
        A sum above it is a signal, after which both start anew; `cusum_limit` computes one.
    odds_ratio
        How much worse (times the odds; better: one over it) is looked for.
    order
        The column that says who came first; the rows' order if not given.

    Returns
    -------
    One row a patient: `outcome`, `risk`, `score_up`, `score_down`, `cusum_up` (worse), `cusum_down`
    (better), `signal` ("worse", "better", ""), `vlad` (expected less observed so far: up is good).

    Raises
    ------
    DataError, StudyError
        Outcomes or risks that cannot be used; a limit or odds ratio out of range.

    References
    ----------
    Steiner et al., Biostatistics 2000;1:441-452; Lovegrove et al., Lancet 1997;350:1128-1130.
    """
    y, p = _read(persons, outcome, risk, order)
    if not limit > 0 or not odds_ratio > 1:
        raise StudyError("limit: expected above 0; odds_ratio: above 1.")
    up, down = _scores(y, p, odds_ratio), _scores(y, p, 1 / odds_ratio)
    sums, signals = np.zeros((2, len(y))), np.full(len(y), "", dtype=object)
    worse = better = 0.0
    for at in range(len(y)):
        worse, better = max(0.0, worse + up[at]), max(0.0, better + down[at])
        sums[:, at] = worse, better
        if worse > limit or better > limit:
            signals[at] = "worse" if worse > limit else "better"
            worse = better = 0.0
    return pd.DataFrame(
        {
            "outcome": y.astype(int), "risk": p, "score_up": up, "score_down": down,
            "cusum_up": sums[0], "cusum_down": sums[1], "signal": signals,
            "vlad": np.cumsum(p - y),
        }
    )  # fmt: skip


def run_length(
    risk: np.ndarray | pd.Series, *, limit: float, odds_ratio: float = 2.0, truth: float = 1.0
) -> float:
    """How many patients pass, on average, until a signal, if the odds are `truth` times the risks'.

    Patients come at random from `risk`. Computed as a Markov chain over the values of the sum
    (Brook and Evans, Biometrika 1972;59:539-549).
    """
    p = _risks(np.asarray(risk, dtype=float))
    happens = truth * p / (1 - p + truth * p)
    step = limit / STATES
    places = (np.arange(STATES) + 0.5) * step
    chain = np.zeros((STATES, STATES))
    for outcome, chance in ((1.0, happens), (0.0, 1 - happens)):
        score = _scores(np.full(len(p), outcome), p, odds_ratio)
        for add, weight in zip(score, chance / len(p), strict=True):
            # a sum between two places goes to both by how near it lies to each
            to = (places + add) / step - 0.5
            low = np.floor(to).astype(int)
            part = to - low
            for target, share in ((low, 1 - part), (low + 1, part)):
                inside = target < STATES
                rows = np.arange(STATES)[inside]
                np.add.at(chain, (rows, np.maximum(target[inside], 0)), weight * share[inside])
    lengths = np.linalg.solve(np.eye(STATES) - chain, np.ones(STATES))
    return float(lengths[0])


def cusum_limit(
    risk: np.ndarray | pd.Series, *, run_length_wanted: float, odds_ratio: float = 2.0
) -> float:
    """The limit at which a false signal comes once in so many patients, for these risks.

    Raises
    ------
    StudyError
        A run length that is not above 1.
    """
    if not run_length_wanted > 1:
        raise StudyError("run_length_wanted: expected a number of patients above 1.")

    def away(log_limit: float) -> float:
        limit = float(np.exp(log_limit))
        return np.log(run_length(risk, limit=limit, odds_ratio=odds_ratio) / run_length_wanted)

    return float(np.exp(optimize.brentq(away, np.log(0.05), np.log(12.0), xtol=1e-3)))


def _scores(y: np.ndarray, p: np.ndarray, odds_ratio: float) -> np.ndarray:
    return y * np.log(odds_ratio) - np.log(1 - p + odds_ratio * p)


def _read(
    persons: pd.DataFrame, outcome: str, risk: str, order: str | None
) -> tuple[np.ndarray, np.ndarray]:
    inputs.check_frame(persons, [outcome, risk, *([order] if order else [])])
    rows = persons.sort_values(order, kind="stable") if order else persons
    y = pd.to_numeric(rows[outcome], errors="coerce").to_numpy(float, na_value=np.nan)
    if n_odd := int((~np.isin(y, [0, 1])).sum()):
        raise DataError(f'column "{outcome}": neither 0 nor 1 in {n_odd} rows.')
    return y, _risks(pd.to_numeric(rows[risk], errors="coerce").to_numpy(float, na_value=np.nan))


def _risks(p: np.ndarray) -> np.ndarray:
    if not len(p) or not ((p > 0) & (p < 1)).all():
        n_odd = int((~((p > 0) & (p < 1))).sum())
        raise DataError(f"risk: {n_odd} values are missing, or not between 0 and 1.")
    return p
