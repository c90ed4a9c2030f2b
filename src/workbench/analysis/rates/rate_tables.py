"""Rates, standardised ratios and rates, and rate ratios from tables of events and person-years."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from workbench.analysis import inputs
from workbench.analysis.rates.poisson_limits import p_value_of, poisson_limits
from workbench.errors import DataError, StudyError, gathered


def rate(
    table: pd.DataFrame, *, events: str = "events", person_years: str = "person_years",
    by: str | Sequence[str] | None = None, per: float = 1.0, confidence: float = 0.95,
    interval: str = "exact",
) -> pd.DataFrame:  # fmt: skip
    """Tell how often the event happens for each person-year (crude rate).

    Parameters
    ----------
    table
        Rows with events and person-years, as `person_time` gives them; added up within `by`.
    per
        Give the rate for so many person-years (1000, 100 000).
    interval
        As in `poisson_limits`.

    Returns
    -------
    One row per group: the columns of `by`, `events`, `person_years`, `estimate`, `lower`, `upper`.

    Raises
    ------
    DataError, StudyError
        Columns or numbers that cannot be used; a group without person-years.
    """
    sums = _sums(table, [events, person_years], by)
    d, years = sums[events].to_numpy(), sums[person_years].to_numpy()
    _refuse_none(years, person_years)
    lower, upper = poisson_limits(d, confidence, interval)
    labels = sums[inputs.names_of(by)]
    facts = {"events": d.astype(np.int64), "person_years": years, "estimate": d / years * per}
    return labels.assign(**facts, lower=lower / years * per, upper=upper / years * per)


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
        As in `poisson_limits`, of the observed number; the expected one is taken as known.

    Returns
    -------
    One row per group: the columns of `by`, `observed`, `expected`, `person_years`, `estimate`
    (observed over expected), `lower`, `upper`, `p_value` (two-sided mid-p against 1).

    Raises
    ------
    DataError, StudyError
        Columns or numbers that cannot be used; person-years in a cell for which the reference has
        no rate, or two; a group with nothing expected.

    References
    ----------
    Breslow and Day, Statistical Methods in Cancer Research II, 1987, chapter 2.
    """
    keys, names = inputs.names_of(on), inputs.names_of(by)
    _check(table, [events, person_years])
    inputs.check_frame(table, [*keys, *names])
    inputs.check_frame(reference, [*keys, rate])
    if n_double := int(reference.duplicated(keys).sum()):
        raise DataError(f"reference: {n_double} rows repeat a cell of {', '.join(keys)}.")
    both = table[[*dict.fromkeys([*keys, *names])]].assign(
        _d=table[events].to_numpy(), _y=table[person_years].to_numpy()
    )
    both = both.merge(reference[[*keys, rate]].rename(columns={rate: "_r"}), on=keys, how="left")
    if n_none := int((both["_r"].isna() & ((both["_y"] > 0) | (both["_d"] > 0))).sum()):
        raise DataError(
            f"reference: no rate for {n_none} cells of {', '.join(keys)} that have person-years. "
            "Leave these out of the table, or add their rates."
        )
    sums = _sums(both.assign(_e=both["_y"] * both["_r"].fillna(0.0)), ["_d", "_y", "_e"], by)
    o, e = sums["_d"].to_numpy(), sums["_e"].to_numpy()
    _refuse_none(e, "expected events")
    lower, upper = poisson_limits(o, confidence, interval)
    found = sums[names].assign(observed=o.astype(np.int64), expected=e, person_years=sums["_y"])
    return found.assign(estimate=o / e, lower=lower / e, upper=upper / e, p_value=p_value_of(o, e))


def direct_standardised(
    table: pd.DataFrame, *, stratum: str, weights: Mapping[object, float] | pd.Series,
    events: str = "events", person_years: str = "person_years",
    by: str | Sequence[str] | None = None, per: float = 1.0, confidence: float = 0.95,
    interval: str = "gamma",
) -> pd.DataFrame:  # fmt: skip
    """Give each group the rate it would have with a standard population's ages.

    Parameters
    ----------
    table
        Rows with events and person-years by `stratum` (age group).
    weights
        The standard: weight by stratum; those of the strata in the table are made to add up to 1.
    interval
        "gamma" (Fay and Feuer, 1997: good with few events) or "normal".

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
    if interval not in ("gamma", "normal"):
        raise StudyError("interval: expected gamma or normal.")
    names = inputs.names_of(by)
    cells = _sums(table, [events, person_years], [*names, stratum])
    share = _shares(cells[stratum], weights)
    n_strata = cells[stratum].nunique()
    number = inputs.group_numbers(cells, names)
    if (np.bincount(number) < n_strata).any() or (cells[person_years] <= 0).any():
        raise DataError(
            f'column "{stratum}": some group has no person-years in a stratum, so that its rate '
            "there is not known. Join strata."
        )
    d, years = cells[events].to_numpy(), cells[person_years].to_numpy()
    part = share / years
    total = np.bincount(number, weights=part * d)
    variance = np.bincount(number, weights=part**2 * d)
    largest = pd.Series(part).groupby(number).max().to_numpy()
    lower, upper = _limits(total, variance, largest, confidence, interval)
    sums = _sums(table, [events, person_years], by)
    crude = sums[events] / sums[person_years]
    found = sums[names].assign(
        events=sums[events].astype(np.int64), person_years=sums[person_years], crude=crude * per
    )
    facts = {"estimate": total, "std_error": np.sqrt(variance), "lower": lower, "upper": upper}
    return found.assign(**{name: values * per for name, values in facts.items()})


def rate_ratio(
    table: pd.DataFrame, *, group: str, reference: object, events: str = "events",
    person_years: str = "person_years", strata: str | Sequence[str] | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:  # fmt: skip
    """Compare each group's rate with that of a reference group, within strata if given.

    Parameters
    ----------
    group, reference
        The column of the groups, and which of them the others are compared with.
    strata
        Columns within which to compare: the ratio is then Mantel and Haenszel's.

    Returns
    -------
    One row per other group: `group`, `events`, `person_years`, `estimate`, `lower`, `upper` (log
    scale, variance of Greenland and Robins), `p_value` (Wald). Missing where either has no events.

    Raises
    ------
    DataError, StudyError
        Columns or numbers that cannot be used; a reference that is not there.

    References
    ----------
    Mantel and Haenszel, 1959; Greenland and Robins, Biometrics 1985;41:55-68; Rothman, 2008.
    """
    layers = inputs.names_of(strata)
    cells = _sums(table, [events, person_years], [*layers, group])
    if reference not in cells[group].tolist():
        raise StudyError(f'reference: the column "{group}" has no such group.')
    own = cells[cells[group] == reference].drop(columns=group)
    z = float(stats.norm.ppf((1 + confidence) / 2))
    rows = []
    for name, part in cells[cells[group] != reference].groupby(group, observed=True):
        part = part.drop(columns=group)
        pairs = (
            part.merge(own, on=layers, suffixes=("", "_ref"))
            if layers
            else part.merge(own, how="cross", suffixes=("", "_ref"))
        )
        estimate, error = _mantel_haenszel(pairs, events, person_years)
        limits = np.exp(np.log(estimate) + np.array([-z, z]) * error) if estimate else [np.nan] * 2
        told = {group: name, "events": int(part[events].sum())}
        told["person_years"] = part[person_years].sum()
        p = 2 * stats.norm.sf(abs(np.log(estimate)) / error) if estimate else np.nan
        told |= {"estimate": estimate or np.nan, "lower": limits[0], "upper": limits[1]}
        rows.append(told | {"p_value": float(p)})
    return pd.DataFrame(rows)


def _mantel_haenszel(pairs: pd.DataFrame, events: str, years: str) -> tuple[float, float]:
    """The ratio and the standard error of its logarithm; zeros where either has no events."""
    a, b = pairs[events].to_numpy(float), pairs[f"{events}_ref"].to_numpy(float)
    s, t = pairs[years].to_numpy(float), pairs[f"{years}_ref"].to_numpy(float)
    whole = s + t
    above, below = float((a * t / whole).sum()), float((b * s / whole).sum())
    if not above or not below:
        return 0.0, 0.0
    variance = float(((a + b) * s * t / whole**2).sum()) / (above * below)
    return above / below, float(np.sqrt(variance))


def _limits(
    total: np.ndarray, variance: np.ndarray, largest: np.ndarray, confidence: float, interval: str
) -> tuple[np.ndarray, np.ndarray]:
    tail = (1 - confidence) / 2
    if interval == "normal":
        half = stats.norm.ppf(1 - tail) * np.sqrt(variance)
        return np.maximum(total - half, 0.0), total + half
    some = total > 0
    ratio = np.divide(variance, total, out=np.zeros_like(total), where=some)
    shape = np.divide(total, ratio, out=np.ones_like(total), where=some)
    lower = np.where(some, stats.gamma.ppf(tail, shape) * ratio, 0.0)
    above, spread = total + largest, variance + largest**2
    return lower, stats.gamma.ppf(1 - tail, above**2 / spread) * spread / above


def _shares(strata: pd.Series, weights: Mapping[object, float] | pd.Series) -> np.ndarray:
    found = strata.map(dict(weights)).astype(float)
    if n_none := int(found.isna().groupby(strata, observed=True).any().sum()):
        raise DataError(f"weights: {n_none} strata of the table have no weight.")
    if (found < 0).any() or not found.any():
        raise StudyError("weights: expected numbers of 0 or more, not all of them 0.")
    return (found / found.groupby(strata, observed=True).first().sum()).to_numpy()


def _check(table: pd.DataFrame, columns: Sequence[str]) -> None:
    inputs.check_frame(table, columns)
    faults = []
    for name in columns:
        values = pd.to_numeric(table[name], errors="coerce")
        if n_odd := int((values.isna() | (values < 0) | np.isinf(values)).sum()):
            faults.append(f'column "{name}": missing, negative or no number in {n_odd} rows')
    if faults:
        raise DataError(gathered("table: some numbers cannot be used.", faults))


def _sums(table: pd.DataFrame, columns: list[str], by: str | Sequence[str] | None) -> pd.DataFrame:
    """Sums within groups, sorted; everybody in one row without `by`."""
    names = inputs.names_of(by)
    _check(table, columns)
    inputs.check_frame(table, names)
    inputs.check_groups(table.rename(columns={c: f"_{c}" for c in columns if c in names}), names)
    if not names:
        return table[columns].sum().to_frame().T.astype(float)
    return table.groupby(names, observed=True, sort=True)[columns].sum().reset_index()


def _refuse_none(values: np.ndarray, what: str) -> None:
    if n_none := int((values <= 0).sum()):
        raise DataError(f"{what}: 0 in {n_none} groups, so that nothing can be divided by it.")
