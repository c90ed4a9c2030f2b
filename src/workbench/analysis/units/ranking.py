"""Ranks of units as uncertain as they are: the expected rank and an interval, never a bare rank."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from workbench.analysis.units.poisson_binomial import count_chances

# points of equal chance that stand for where one unit's effect may lie
N_POINTS = 101
# with more units than this, the number that lies below is nearly normal
MOST_EXACT = 150


def expected_ranks(
    effect: np.ndarray, variance: np.ndarray, confidence: float = 0.95
) -> pd.DataFrame:
    """Which rank each unit may expect, given how uncertain all of them are; 1 is the lowest effect.

    Parameters
    ----------
    effect, variance
        Posterior mean and variance of each unit's effect (k), taken as independent and normal.
    confidence
        Level of the interval.

    Returns
    -------
    `expected_rank` = 1 + sum over the other units j of Phi((u_i - u_j) / sqrt(v_i + v_j)), and the
    interval `rank_lower`, `rank_upper`: quantiles of the distribution of the rank itself. Given a
    unit's effect the number of units below it is Poisson-binomial; that is averaged over 101
    equally likely values of its effect (over 150 units, its normal approximation). Where no effect
    is uncertain and all are equal, each expects (k + 1) / 2 and may have any rank.

    References
    ----------
    Laird and Louis, J Educ Stat 1989;14:29-46; Lingsma et al., BMC Med Res Methodol 2010;10:41.
    """
    k = len(effect)
    if not variance.any() and np.ptp(effect) == 0:
        middle = {"expected_rank": (k + 1) / 2, "rank_lower": 1.0, "rank_upper": float(k)}
        return pd.DataFrame(middle, index=range(k))
    expected, lower, upper = np.empty(k), np.empty(k), np.empty(k)
    points = stats.norm.ppf((np.arange(N_POINTS) + 0.5) / N_POINTS)
    tail = (1 - confidence) / 2
    for i in range(k):
        others = np.arange(k) != i
        apart = effect[i] - effect[others]
        expected[i] = 1 + _below(apart, np.sqrt(variance[i] + variance[others])).sum()
        places = apart + np.sqrt(variance[i]) * points[:, None]
        chance = _below(places, np.sqrt(variance[others]))
        cumulative = np.cumsum(_number_below(chance))
        # rounding must not move a quantile
        lower[i] = 1 + np.searchsorted(cumulative, tail - 1e-12)
        upper[i] = min(1 + int(np.searchsorted(cumulative, 1 - tail - 1e-12)), k)
    return pd.DataFrame({"expected_rank": expected, "rank_lower": lower, "rank_upper": upper})


def _below(apart: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """The chance that the other unit lies below; one half where nothing tells the two apart."""
    with np.errstate(divide="ignore", invalid="ignore"):
        z = apart / spread
    return stats.norm.cdf(np.where(np.isnan(z), 0.0, z))


def _number_below(chance: np.ndarray) -> np.ndarray:
    """The distribution (k) of how many others lie below, from points x (k - 1) chances."""
    n_others = chance.shape[1]
    if n_others <= MOST_EXACT:
        return count_chances(chance.T).mean(axis=0)
    mean, spread = chance.sum(axis=1), np.sqrt((chance * (1 - chance)).sum(axis=1))
    edges = np.arange(n_others) + 0.5 - mean[:, None]
    within = stats.norm.cdf(edges / np.maximum(spread, 1e-12)[:, None]).mean(axis=0)
    return np.diff(np.concatenate([[0.0], within, [1.0]]))
