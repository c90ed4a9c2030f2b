"""Rates beside a standard: observed over expected events, and directly standardised rates.

Method: Breslow and Day, Statistical Methods in Cancer Research II, 1987, chapter 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from workbench.analysis import inputs
from workbench.analysis.rates.poisson_limits import p_value_of, poisson_limits
from workbench.analysis.rates.tables import check_confidence, check_table, refuse_none, sums_within
from workbench.errors import DataError, StudyError

DIRECT_INTERVALS = ("gamma", "normal", "log")
OBSERVED, YEARS, EXPECTED, RATE = "_observed", "_years", "_expected", "_rate"


def standardised_ratio(
    table: pd.DataFrame, reference: pd.DataFrame, *, on: str | Sequence[str], rate: str = "rate",
    events: str = "events", person_years: str = "person_years",
    by: str | Sequence[str] | None = None, confidence: float = 0.95, interval: str = "exact",
) -> pd.DataFrame:  # fmt: skip
    """Compare the number of events with the number at reference rates (SMR, SIR).

    Parameters
    ----------
    table
        Rows with events and person-years by age, year, sex ... (`person_time`).
    reference
        One row for each cell of the columns `on`, with the yearly `rate` of the reference.
    by
        Grouping column or columns; None is everybody.
    interval
        Of the observed number, the expected one being taken as known: "exact" (Poisson, by
        chi-square), "mid-p", "byar" (an approximation to exact), "profile" (profile likelihood)
        or "wald" (log scale; no limits without events).

    Returns
    -------
    One row per group: the columns of `by`, `observed`, `expected`, `person_years`, `estimate`
    (observed over expected), `lower`, `upper`, `p_value` (two-sided mid-p against 1). Whether the
    groups differ: `homogeneity`.

    Raises
    ------
    DataError, StudyError
        Columns or numbers that cannot be used; person-years or events in a cell for which the
        reference has no rate, or two; a group with nothing expected.

    References
    ----------
    Breslow and Day, 1987, section 2.3.
    """
    keys, names = inputs.names_of(on), inputs.names_of(by)
    check_table(table, [events, person_years], keys=[*keys, *names])
    check_table(reference, keys=[*keys, rate], where="reference")
    if n_double := int(reference.duplicated(keys).sum()):
        raise DataError(f"reference: {n_double} rows repeat a cell of {', '.join(keys)}.")
    both = _with_rates(table, reference, keys, names, rate).assign(
        **{OBSERVED: table[events].to_numpy(float), YEARS: table[person_years].to_numpy(float)}
    )
    is_asked = (both[YEARS] > 0) | (both[OBSERVED] > 0)
    if n_none := int((both[RATE].isna() & is_asked).sum()):
        raise DataError(
            f"reference: no rate for {n_none} cells of {', '.join(keys)} that have person-years. "
            "Leave these out of the table, or add their rates."
        )
    both[EXPECTED] = (both[YEARS] * both[RATE]).fillna(0.0)
    if (both[EXPECTED] < 0).any():
        raise DataError(f'reference: column "{rate}": negative rates.')
    sums = sums_within(both, [OBSERVED, YEARS, EXPECTED], by)
    observed, expected = sums[OBSERVED].to_numpy(), sums[EXPECTED].to_numpy()
    refuse_none(expected, "expected events")
    lower, upper = poisson_limits(observed, confidence, interval)
    found = sums[names].assign(
        observed=observed.astype(np.int64), expected=expected, person_years=sums[YEARS]
    )
    ratio = {"estimate": observed / expected, "lower": lower / expected, "upper": upper / expected}
    return found.assign(**ratio, p_value=p_value_of(observed, expected))


def homogeneity(
    ratios: pd.DataFrame, *, observed: str = "observed", expected: str = "expected",
    trend: str | None = None,
) -> dict[str, float]:  # fmt: skip
    """Test whether groups have the same ratio of observed to expected events, or a trend.

    Parameters
    ----------
    ratios
        One row per group with observed and expected numbers, as `standardised_ratio` gives.
    trend
        Column with a number for each group: tests against a trend in it instead.

    Returns
    -------
    `statistic` (chi-square), `degrees_of_freedom`, `p_value`. Missing where nobody had an event or,
    for a trend, where its column has one value only.

    Raises
    ------
    DataError
        Columns or numbers that cannot be used; one group only; a group with nothing expected.

    References
    ----------
    Breslow and Day, 1987, section 3.4, equations 3.10 and 3.11 (their external standard).
    """
    columns = [observed, expected] if trend is None else [observed, expected, trend]
    check_table(ratios, [observed, expected], keys=columns[2:])
    if len(ratios) < 2:
        raise DataError("ratios: one group only; expected two or more to compare.")
    seen, known = ratios[observed].to_numpy(float), ratios[expected].to_numpy(float)
    refuse_none(known, "expected events")
    fitted = known * seen.sum() / known.sum()
    away, free = seen - fitted, len(seen) - 1
    nothing = {"statistic": np.nan, "degrees_of_freedom": float(free), "p_value": np.nan}
    if not seen.any():
        return nothing
    statistic = float((away**2 / fitted).sum())
    if trend is not None:
        score, free = pd.to_numeric(ratios[trend], errors="coerce").to_numpy(float), 1
        if not np.isfinite(score).all():
            raise DataError(f'ratios: column "{trend}": expected a number for each group.')
        spread = float((fitted * score**2).sum() - (fitted * score).sum() ** 2 / fitted.sum())
        if np.ptp(score) == 0:
            return nothing | {"degrees_of_freedom": 1.0}
        statistic = float((away * score).sum()) ** 2 / spread
    p_value = float(stats.chi2.sf(statistic, free))
    return {"statistic": statistic, "degrees_of_freedom": float(free), "p_value": p_value}


def direct_standardised(
    table: pd.DataFrame, *, stratum: str | Sequence[str],
    weights: Mapping[object, float] | pd.Series, events: str = "events",
    person_years: str = "person_years", by: str | Sequence[str] | None = None, per: float = 1.0,
    confidence: float = 0.95, interval: str = "gamma",
) -> pd.DataFrame:  # fmt: skip
    """Give each group the rate it would have with a standard population's ages.

    Parameters
    ----------
    table
        Rows with events and person-years by `stratum` (age group, or several columns).
    weights
        The standard: weight by stratum (by tuple for several columns); those of the strata in the
        table are made to add up to 1.
    interval
        "gamma" (Fay and Feuer, 1997: good with few events), "log" (normal on the log scale; none
        without events) or "normal" (the lower limit cut at 0).

    Returns
    -------
    One row per group: the columns of `by`, `events`, `person_years`, `crude`, `estimate`,
    `std_error`, `lower`, `upper`, all rates `per` person-years.

    Raises
    ------
    DataError, StudyError
        Columns or numbers that cannot be used; a stratum without weight; a group that has no
        person-years in a stratum of the table.

    References
    ----------
    Breslow and Day, 1987, section 2.1; Fay and Feuer, Stat Med 1997;16:791-801.
    """
    tail = check_confidence(confidence)
    if interval not in DIRECT_INTERVALS:
        raise StudyError(f"interval: expected one of {', '.join(DIRECT_INTERVALS)}.")
    names, layers = inputs.names_of(by), inputs.names_of(stratum)
    cells = sums_within(table, [events, person_years], [*names, *layers])
    layer = inputs.group_numbers(cells, layers)
    number = inputs.group_numbers(cells, names)
    n_strata = int(layer.max()) + 1
    if (np.bincount(number) < n_strata).any() or (cells[person_years] <= 0).any():
        raise DataError(
            f'column "{", ".join(layers)}": some group has no person-years in a stratum, so that '
            "its rate there is not known. Join strata."
        )
    share = _shares(cells[layers], layer, weights)
    counted, years = cells[events].to_numpy(float), cells[person_years].to_numpy(float)
    part = share / years
    total = np.bincount(number, weights=part * counted)
    variance = np.bincount(number, weights=part**2 * counted)
    largest = pd.Series(part).groupby(number).max().to_numpy()
    lower, upper = _direct_limits(total, variance, largest, tail, interval)
    sums = sums_within(table, [events, person_years], by)
    crude = (sums[events] / sums[person_years]).to_numpy()
    facts = {"crude": crude, "estimate": total, "std_error": np.sqrt(variance)}
    facts |= {"lower": lower, "upper": upper}
    found = sums[names].assign(
        events=sums[events].astype(np.int64), person_years=sums[person_years].astype(float)
    )
    return found.assign(**{name: values * per for name, values in facts.items()})


def _with_rates(
    table: pd.DataFrame, reference: pd.DataFrame, keys: list[str], names: list[str], rate: str
) -> pd.DataFrame:
    """The keys and groups of the table, in its order, with the reference's rate."""
    known = reference[keys].assign(
        **{RATE: pd.to_numeric(reference[rate], errors="coerce").to_numpy(float, na_value=np.nan)}
    )
    try:
        return table[[*dict.fromkeys([*keys, *names])]].merge(known, on=keys, how="left")
    except ValueError as error:
        raise DataError(
            f"reference: the columns {', '.join(keys)} hold another kind of values than those of "
            "the table (text against numbers). Make them the same."
        ) from error


def _shares(
    strata: pd.DataFrame, layer: np.ndarray, weights: Mapping[object, float] | pd.Series
) -> np.ndarray:
    """The standard's share of each cell's stratum."""
    known = dict(weights)
    first = np.unique(layer, return_index=True)[1]
    labels = list(strata.iloc[first].itertuples(index=False, name=None))
    keys = [label[0] if len(label) == 1 else label for label in labels]
    if n_none := sum(key not in known for key in keys):
        raise DataError(f"weights: {n_none} strata of the table have no weight.")
    found = np.array([known[key] for key in keys], dtype=float)
    if not np.isfinite(found).all() or (found < 0).any() or not found.any():
        raise StudyError("weights: expected numbers of 0 or more, not all of them 0.")
    return (found / found.sum())[layer]


def _direct_limits(
    total: np.ndarray, variance: np.ndarray, largest: np.ndarray, tail: float, interval: str
) -> tuple[np.ndarray, np.ndarray]:
    z = float(stats.norm.ppf(1 - tail))
    if interval == "normal":
        half = z * np.sqrt(variance)
        return np.maximum(total - half, 0.0), total + half
    some = total > 0
    if interval == "log":
        spread = np.exp(z * np.sqrt(variance) / np.where(some, total, np.nan))
        return total / spread, total * spread
    ratio = np.divide(variance, total, out=np.zeros_like(total), where=some)
    shape = np.divide(total, ratio, out=np.ones_like(total), where=some)
    lower = np.where(some, stats.gamma.ppf(tail, shape) * ratio, 0.0)
    above, spread = total + largest, variance + largest**2
    return lower, stats.gamma.ppf(1 - tail, above**2 / spread) * spread / above
