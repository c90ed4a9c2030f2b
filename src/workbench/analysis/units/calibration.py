"""How well predicted chances fit what happened: c-statistic, calibration and Brier score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special, stats

from workbench.analysis.regression import outcome_estimation as estimation


@dataclass(frozen=True, eq=False)
class Calibration:
    """How predictions and outcomes agree.

    `table`: one row a tenth of the patients by predicted chance: `group` (1 is the lowest), `n`,
    `observed`, `expected`, `estimate` (share observed), `predicted` (mean chance). Patients with
    the same chance stay together, so groups may differ in size and some may be empty (no row).
    `intercept`, `slope`: of the outcome's log odds on those predicted, 0 and 1 where predictions
    are right (in the model's own patients they are so by construction); missing where there is
    only one chance or no finite answer. `c_statistic`, `c_lower`, `c_upper`: how often a patient
    with the event had the higher chance than one without. `brier`: mean squared distance.
    """

    table: pd.DataFrame
    intercept: float
    slope: float
    c_statistic: float
    c_lower: float
    c_upper: float
    brier: float


def calibrate(
    predicted: np.ndarray,
    events: np.ndarray,
    size: np.ndarray,
    *,
    confidence: float = 0.95,
    groups: int = 10,
) -> Calibration:
    """Compare predicted chances with outcomes.

    Parameters
    ----------
    predicted, events, size
        Chance (0 to 1), events and patients of each row of patients alike (r); some have the event
        and some have not.
    confidence
        Level of the interval of the c-statistic (DeLong's, cut at 0 and 1).
    groups
        How many groups the table has.

    References
    ----------
    DeLong et al., Biometrics 1988;44:837-845; Cox, Biometrika 1958;45:562-565 (slope); Brier,
    Mon Weather Rev 1950;78:1-3.
    """
    # rounding must not part patients whose chance is the same
    chance, place = np.unique(predicted.round(12), return_inverse=True)
    happened = np.bincount(place, weights=events)
    n = np.bincount(place, weights=size)
    intercept, slope = _line(chance, happened, n)
    c, std_error = _concordance(happened, n - happened)
    half = float(stats.norm.ppf((1 + confidence) / 2)) * std_error
    far = events * (1 - predicted) ** 2 + (size - events) * predicted**2
    return Calibration(
        table=_table(chance, happened, n, groups),
        intercept=intercept,
        slope=slope,
        c_statistic=c,
        c_lower=max(c - half, 0.0) if half == half else np.nan,
        c_upper=min(c + half, 1.0) if half == half else np.nan,
        brier=float(far.sum() / size.sum()),
    )


def _concordance(events: np.ndarray, others: np.ndarray) -> tuple[float, float]:
    """The c-statistic and its standard error; counts by rising chance."""
    n_events, n_others = events.sum(), others.sum()
    below_event = (np.cumsum(others) - others / 2) / n_others
    below_other = (np.cumsum(events) - events / 2) / n_events
    c = float(events @ below_event / n_events)
    if min(n_events, n_others) < 2:
        return c, np.nan
    spread = events @ (below_event - c) ** 2 / (n_events - 1) / n_events
    spread += others @ (below_other - (1 - c)) ** 2 / (n_others - 1) / n_others
    return c, float(np.sqrt(spread))


def _line(chance: np.ndarray, events: np.ndarray, n: np.ndarray) -> tuple[float, float]:
    inside = (chance > 0) & (chance < 1)
    if inside.sum() < 2:
        return np.nan, np.nan
    logit = special.logit(chance[inside])
    x = np.column_stack([np.ones(2 * len(logit)), np.tile(logit, 2)])
    y = np.repeat([1.0, 0.0], len(logit))
    weight = np.concatenate([events[inside], (n - events)[inside]])
    some = weight > 0
    found = estimation.logistic(x[some], y[some], weight[some], np.zeros(int(some.sum())))
    if found is None:
        return np.nan, np.nan
    return float(found.coefficient[0]), float(found.coefficient[1])


def _table(chance: np.ndarray, events: np.ndarray, n: np.ndarray, groups: int) -> pd.DataFrame:
    middle = np.cumsum(n) - n / 2
    group = np.minimum((groups * middle / n.sum()).astype(int), groups - 1) + 1
    rows = pd.DataFrame({"group": group, "n": n, "observed": events, "expected": n * chance})
    table = rows.groupby("group", as_index=False).sum()
    table[["n", "observed"]] = table[["n", "observed"]].astype(int)
    share, mean = table["observed"] / table["n"], table["expected"] / table["n"]
    return table.assign(estimate=share, predicted=mean)
