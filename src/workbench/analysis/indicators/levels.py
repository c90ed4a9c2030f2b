"""The level that a result reaches, and how sure that level is."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from workbench.analysis.indicators.targets import LEVELS, LimitLike, Target, read_target
from workbench.analysis.units.counted import ArrayLike, index_of, read_pair
from workbench.errors import DataError, StudyError

SURE = 0.95  # probability from which a level is decided
LEVEL_COLUMNS = ["level", "level_probability", "level_decided", "level_words"]


def level(
    events: ArrayLike,
    n: ArrayLike,
    *,
    green: LimitLike,
    yellow: LimitLike | None = None,
    direction: str,
) -> pd.DataFrame:
    """Say whether a share is high, moderate or low against its target, and how sure that is.

    "High" means good, also where low values are wanted. A share on a limit has reached it.

    Parameters
    ----------
    events, n
        Patients with the event, and all patients: numbers, arrays or Series of one length.
    green, yellow
        Limits as shares; with green alone there are two levels. They are compared with x/n as the
        fractions that were written: 69 of 100 reaches 0.69. Give text or a Decimal for a limit
        with more digits than a float holds.
    direction
        "high" where much is good, "low" where little is.

    Returns
    -------
    One row each, with the index of a Series given:

    - `level`: "high", "moderate" or "low"; missing of nobody (n = 0).
    - `level_probability`: how probable it is that the true share lies in that level, by the
      posterior Beta(x + 1/2, n - x + 1/2), which is defined at 0 and at n of n too. A green limit
      of 1 (or of 0, where low is good) cannot be decided: the probability of "high" is then 0.
    - `level_decided`: whether that is 0.95 or more.
    - `level_words`: the level, or between which levels it is not decided.

    Raises
    ------
    DataError, StudyError
        Counts that are missing, negative, not whole, or more events than patients; two lengths or
        two indexes; limits outside 0 to 1 or on the wrong side; another direction.

    References
    ----------
    The rule of levels is that of the Norwegian portal of treatment quality (inclusive limits).
    Brown, Cai and DasGupta, Stat Sci 2001;16:101-133, for the posterior under Jeffreys' prior.
    """
    target = read_target(green, yellow, direction, share=True)
    _same_index(events, n)
    x, of = read_pair(events, n, ("events", "n"))
    known = of > 0
    codes = target.level_of_shares(x, of)
    shares = _shares(target, lambda limit: _posterior(limit, x, of, target))
    return _table(np.where(known, codes, -1), shares, index_of(events), "no patients")


def level_of_estimate(
    estimate: ArrayLike,
    *,
    green: LimitLike,
    yellow: LimitLike | None = None,
    direction: str,
    lower: ArrayLike | None = None,
    upper: ArrayLike | None = None,
    std_error: ArrayLike | None = None,
) -> pd.DataFrame:
    """Say which level a mean, a rate or a survival reaches, and how sure that is by its own error.

    Parameters
    ----------
    estimate
        Numbers in the unit of the limits. A missing estimate has no level.
    lower, upper
        Limits of the interval of each estimate: the level is decided where the whole interval lies
        in it, and `level_probability` is missing.
    std_error
        Or the standard error: `level_probability` is then that of a normal distribution, and the
        level is decided from 0.95 (0.90 is not enough: both sides of a level are asked).

    Returns
    -------
    As `level`.

    Raises
    ------
    DataError, StudyError
        Neither an interval nor an error, or both; lengths that differ; an interval that does not
        hold its estimate; limits or direction as in `level`.
    """
    target = read_target(green, yellow, direction, share=False)
    if (std_error is None) == (lower is None) or (lower is None) != (upper is None):
        raise StudyError("level_of_estimate: give lower and upper, or std_error.")
    values = _numbers(estimate, "estimate")
    known = np.isfinite(values)
    codes = np.where(known, target.level_of_values(np.where(known, values, 0.0)), -1)
    if std_error is not None:
        errors = _numbers(std_error, "std_error", length=len(values))
        if n_odd := int((errors < 0).sum()):
            raise DataError(f"std_error: {n_odd} values are below 0.")
        shares = _shares(target, lambda limit: _normal(limit, values, errors, target))
        return _table(codes, shares, index_of(estimate), "no estimate")
    low, high = (
        _numbers(one, name, length=len(values))
        for one, name in ((lower, "lower"), (upper, "upper"))
    )
    if n_odd := int(((low > values) | (high < values)).sum()):
        raise DataError(f"lower and upper: {n_odd} intervals do not hold their estimate.")
    return _table_of_intervals(codes, target, low, high, index_of(estimate))


def no_level(index: pd.Index, words: str) -> pd.DataFrame:
    """Rows without a level, and why."""
    missing = np.full(len(index), np.nan)
    columns = [np.full(len(index), None, dtype=object), missing, np.zeros(len(index), dtype=bool)]
    table = dict(zip(LEVEL_COLUMNS, [*columns, words], strict=True))
    return pd.DataFrame(table, index=index)


def _shares(target: Target, beyond) -> np.ndarray:
    """How probable high, moderate and low are, one column each; `beyond` a limit is better."""
    (good, worse), (fair, bad) = beyond(target.green), beyond(target.yellow)
    # of two tails the smaller is the exact one, so that their difference is taken from these
    middle = np.where(good > 0.5, worse - bad, fair - good)
    if target.green == target.yellow:
        middle = np.zeros_like(good)
    return np.column_stack([good, np.clip(middle, 0, 1), bad])


def _posterior(limit, x: np.ndarray, n: np.ndarray, target: Target) -> tuple[np.ndarray, ...]:
    belief = stats.beta(x + 0.5, n - x + 0.5)
    above, below = belief.sf(float(limit)), belief.cdf(float(limit))
    return (above, below) if target.high_is_good else (below, above)


def _normal(limit, values: np.ndarray, errors: np.ndarray, target: Target) -> tuple:
    # a result without any error lies where it lies; one on the limit has reached it
    apart = target.sign * (values - float(limit))
    certain = np.where(apart >= 0, np.inf, -np.inf)
    z = np.divide(apart, errors, out=certain, where=errors > 0)
    z = np.where(np.isnan(errors) | np.isnan(values), np.nan, z)
    return stats.norm.cdf(z), stats.norm.sf(z)


def _table(
    codes: np.ndarray, shares: np.ndarray, index: pd.Index | None, nothing: str
) -> pd.DataFrame:
    """The result of levels and their probabilities; a code of -1 has no level."""
    rows = np.arange(len(codes))
    known = codes >= 0
    probability = np.where(known, shares[rows, codes], np.nan)
    decided = known & (probability >= SURE)
    # the fewest levels that are sure together, with the observed one always among them
    order = np.argsort(-shares, axis=1, kind="stable")
    before = np.cumsum(np.take_along_axis(shares, order, axis=1), axis=1)
    needed = np.column_stack([np.ones(len(codes), dtype=bool), before[:, :2] < SURE])
    among = np.zeros_like(needed)
    np.put_along_axis(among, order, needed, axis=1)
    among[rows, codes] = True
    among[np.isnan(probability)] = True
    words = _words(codes, decided, among, nothing)
    return _frame(codes, probability, decided, words, index)


def _table_of_intervals(
    codes: np.ndarray, target: Target, low: np.ndarray, high: np.ndarray, index: pd.Index | None
) -> pd.DataFrame:
    has_interval = np.isfinite(low) & np.isfinite(high)
    worst, best = (low, high) if target.high_is_good else (high, low)
    ends = [target.level_of_values(np.nan_to_num(one)) for one in (best, worst)]
    at = np.arange(3)
    among = (at >= ends[0][:, None]) & (at <= ends[1][:, None]) | ~has_interval[:, None]
    if target.green == target.yellow:
        among[:, 1] = False
    decided = (codes >= 0) & has_interval & (ends[0] == ends[1])
    words = _words(codes, decided, among, "no estimate")
    return _frame(codes, np.full(len(codes), np.nan), decided, words, index)


def _words(codes: np.ndarray, decided: np.ndarray, among: np.ndarray, nothing: str) -> list[str]:
    return [
        nothing
        if code < 0
        else LEVELS[code]
        if sure
        else f"not decided between {_joined([LEVELS[at] for at in np.flatnonzero(which)])}"
        for code, sure, which in zip(codes, decided, among, strict=True)
    ]


def _joined(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def _frame(
    codes: np.ndarray, probability: np.ndarray, decided: np.ndarray, words: list[str],
    index: pd.Index | None,
) -> pd.DataFrame:  # fmt: skip
    reached = np.array([*LEVELS, None], dtype=object)[codes]
    columns = [reached, probability, decided, words]
    return pd.DataFrame(dict(zip(LEVEL_COLUMNS, columns, strict=True)), index=index)


def _same_index(events: ArrayLike, n: ArrayLike) -> None:
    both = isinstance(events, pd.Series) and isinstance(n, pd.Series)
    if both and not events.index.equals(n.index):
        raise DataError("events and n: their indexes differ, so that rows may not belong together.")


def _numbers(values: ArrayLike, name: str, *, length: int | None = None) -> np.ndarray:
    series = pd.Series(values) if np.ndim(values) else pd.Series([values])
    numbers = pd.to_numeric(series, errors="coerce").to_numpy(float, na_value=np.nan)
    if n_odd := int((np.isnan(numbers) & series.notna().to_numpy()).sum()):
        raise DataError(f"{name}: {n_odd} values are no numbers.")
    if length is not None and len(numbers) != length:
        raise DataError(f"{name}: {len(numbers)} values for {length} estimates.")
    return numbers
