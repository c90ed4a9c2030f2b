"""Rates and shares of units as they would be with the same patients everywhere."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from workbench.analysis import inputs, rates
from workbench.analysis.units.alike import check_units
from workbench.analysis.units.counted import check_level, read_amounts, read_counts
from workbench.analysis.units.intervals import count_limits
from workbench.errors import DataError, StudyError

METHODS = ("dobson", "fay-feuer")
RESULT = {"n", "observed", "expected", "events", "estimate", "lower", "upper"}
RESULT |= {"rate", "rate_lower", "rate_upper"}


def direct_standardised(
    table: pd.DataFrame, *, unit: str, stratum: str, events: str = "events", n: str = "n",
    weights: Mapping[object, float] | None = None, times: str | None = None, per: float = 1.0,
    confidence: float = 0.95, method: str = "dobson",
) -> pd.DataFrame:  # fmt: skip
    """Give each unit's rate or share as it would be with one standard's mix of patients.

    Parameters
    ----------
    table
        One row a unit and stratum (with `times`: and number of events) with `events` and `n`.
    weights
        The standard, weight by stratum; the nation's own mix if not given. Strata that the table
        has not are left out of the standard.
    times
        Where one person can have several events: the column that says how many events each of the
        row's persons had; `events` then counts persons.
    per
        Give rates for so many.
    method
        "dobson" (around Byar's limits of all events) or "fay-feuer" (gamma; also good with fewer
        than ten events).

    Returns
    -------
    One row a unit: `unit`, `n`, `events`, `estimate`, `lower`, `upper`. Around no event at all
    Dobson's method has no limits (missing); Fay and Feuer's has.

    Raises
    ------
    DataError, StudyError
        Missing or negative counts (never taken for 0); a missing unit or stratum; a stratum without
        persons or weight; weights that are no numbers of 0 or more.

    References
    ----------
    Dobson et al., Stat Med 1991;10:457-462; Fay and Feuer, Stat Med 1997;16:791-801.
    """
    if method not in METHODS:
        raise StudyError(f"method: expected one of {', '.join(METHODS)}.")
    named = [unit, stratum, events, n, *([times] if times else [])]
    _check(table, unit, stratum, named)
    rows = table[[unit, stratum]].assign(**{n: read_amounts(table[n], n)})
    rows["_x"] = read_counts(table[events], events)
    rows["_f"] = read_counts(table[times], times) if times else 1.0
    cells = _cells(rows, unit, stratum, n)
    share = _shares(cells, stratum, n, weights)
    if method == "fay-feuer":
        if times:
            raise StudyError("method: repeated events have Dobson's limits only.")
        return _fay_feuer(cells, unit, stratum, n, share, per, confidence)
    return _dobson(cells, unit, n, cells[stratum].map(share).to_numpy(), per, confidence)


def indirect_standardised(
    table: pd.DataFrame, reference: pd.DataFrame | None = None, *, unit: str, stratum: str,
    events: str = "events", n: str = "n", leave_one_out: bool = False, per: float = 1.0,
    confidence: float = 0.95,
) -> pd.DataFrame:  # fmt: skip
    """Compare each unit's events with what the nation's rates would give for its patients.

    Two units' ratios are comparable with the nation only, not with each other.

    Parameters
    ----------
    table
        One row a unit and stratum with `events` and `n`.
    reference
        One row a stratum with the same columns; all units together if not given.
    leave_one_out
        Expect for each unit what the others' rates give.
    per
        Give the standardised rate for so many.

    Returns
    -------
    One row a unit: `unit`, `n`, `observed`, `expected`, `estimate`, `lower`, `upper` (ratios),
    `rate`, `rate_lower`, `rate_upper` (ratio times the crude rate of the reference, which is that
    of the other units where one is left out). With fewer than one
    expected event a ratio says nothing; it is given, and figures leave it out.

    Raises
    ------
    DataError, StudyError
        Counts that cannot be used; a missing unit or stratum; events where the reference has none
        expected (the stratum is named), which says that the reference is wrong.

    References
    ----------
    Breslow and Day, 1987, section 2.3.
    """
    if leave_one_out and reference is not None:
        raise StudyError("leave_one_out: the reference is then all other units; give none.")
    _check(table, unit, stratum, [events, n])
    rows = _counted(table, stratum, events, n).assign(unit=table[unit].to_numpy())
    known = rows if reference is None else _reference(reference, stratum, events, n)
    merged = _expected(rows, known, leave_one_out)
    _refuse_unexpected(merged, stratum)
    found = merged.groupby("unit", observed=True, sort=True)[["x", "size", "expected"]].sum()
    low, high = count_limits(found["x"].to_numpy(float), confidence, "byar")
    own = found[["x", "size"]] if leave_one_out else 0 * found[["x", "size"]]
    others = known[["x", "size"]].sum() - own
    with np.errstate(divide="ignore", invalid="ignore"):
        crude = others["x"] / others["size"] * per
        below = found["expected"].where(found["expected"] > 0)
        limits = {"estimate": found["x"] / below, "lower": low / below, "upper": high / below}
    names = {"estimate": "rate", "lower": "rate_lower", "upper": "rate_upper"}
    told = {"n": found["size"], "observed": found["x"].astype(np.int64)}
    told |= {"expected": found["expected"], **limits}
    told |= {name: limits[key] * crude for key, name in names.items()}
    return pd.DataFrame(told).rename_axis(unit).reset_index()


def _check(table: pd.DataFrame, unit: str, stratum: str, columns: list[str]) -> None:
    check_units(table, unit, [stratum, *columns], RESULT)
    if stratum in RESULT | {unit, "squares"}:
        raise StudyError(
            f'stratum="{stratum}": that is the unit, or a column of the result. Rename the strata.'
        )
    if n_missing := int(table[stratum].isna().sum()):
        raise DataError(
            f'table: column "{stratum}": missing in {n_missing} rows. Give these patients a '
            'stratum of their own ("unknown"), or leave them out, counted.'
        )


def _expected(rows: pd.DataFrame, known: pd.DataFrame, leave_one_out: bool) -> pd.DataFrame:
    """Rows with what the known rates (less the unit's own part) give for their patients."""
    sums = known.groupby("stratum", observed=True)[["x", "size"]].sum()
    merged = rows.join(sums, on="stratum", rsuffix="_all")
    if leave_one_out:
        own = rows.groupby(["unit", "stratum"], observed=True)[["x", "size"]].transform("sum")
        merged[["x_all", "size_all"]] -= own.to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        chance = (merged["x_all"] / merged["size_all"]).where(merged["size_all"] > 0)
    return merged.assign(expected=np.where(merged["size"] > 0, merged["size"] * chance, 0.0))


def _cells(rows: pd.DataFrame, unit: str, stratum: str, n: str) -> pd.DataFrame:
    """A row a unit and stratum: persons (counted once), events, and their variance."""
    rows = rows.assign(events=rows["_x"] * rows["_f"], squares=rows["_x"] * rows["_f"] ** 2)
    summed = rows.groupby([unit, stratum], observed=True)[["events", "squares"]].sum()
    size = rows.groupby([unit, stratum], observed=True)[n]
    if (size.max() != size.min()).any():
        raise DataError(f"{n}: differs between rows of one unit and stratum.")
    cells = summed.assign(**{n: size.first()}).reset_index()
    if n_none := int((cells[n] == 0).sum()):
        raise DataError(
            f"{n}: 0 in {n_none} strata of units, whose rate is not known. Join strata."
        )
    return cells


def _shares(
    cells: pd.DataFrame, stratum: str, n: str, weights: Mapping[object, float] | None
) -> dict[object, float]:
    given = cells.groupby(stratum, observed=True)[n].sum().to_dict() if weights is None else weights
    strata = list(dict.fromkeys(cells[stratum]))
    if missing := [one for one in strata if one not in given]:
        raise DataError(f"weights: none for {len(missing)} strata of the table.")
    standard = np.array([given[one] for one in strata], dtype=float)
    if not np.isfinite(standard).all() or (standard < 0).any() or not standard.any():
        raise StudyError("weights: expected numbers of 0 or more, not all of them 0.")
    per_unit = cells.groupby(cells.columns[0], observed=True)[stratum].nunique()
    if (per_unit < len(strata)).any():
        raise DataError(
            f"{stratum}: {int((per_unit < len(strata)).sum())} units lack a stratum, whose rate is "
            "not known there. Join strata."
        )
    return dict(zip(strata, standard / standard.sum(), strict=True))


def _dobson(
    cells: pd.DataFrame, unit: str, n: str, share: np.ndarray, per: float, confidence: float
) -> pd.DataFrame:
    check_level(confidence)
    parts = cells[[unit]].assign(
        estimate=share * cells["events"] / cells[n],
        variance=share**2 * cells["squares"] / cells[n] ** 2,
        events=cells["events"],
        n=cells[n],
    )
    found = parts.groupby(unit, observed=True, sort=True).sum().reset_index()
    x = found["events"].to_numpy(float)
    low, high = count_limits(x, confidence, "byar")
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.sqrt(found["variance"].to_numpy() / x)
        lower = found["estimate"] + factor * (low - x)
        upper = found["estimate"] + factor * (high - x)
    counts = {"n": found["n"], "events": found["events"].astype(np.int64)}
    limits = {"estimate": found["estimate"] * per, "lower": lower * per, "upper": upper * per}
    return found[[unit]].assign(**counts, **limits)


def _fay_feuer(
    cells: pd.DataFrame, unit: str, stratum: str, n: str, share: dict[object, float], per: float,
    confidence: float,
) -> pd.DataFrame:  # fmt: skip
    found = rates.direct_standardised(
        cells, stratum=stratum, weights=share, events="events", person_years=n, by=unit, per=per,
        confidence=confidence,
    )  # fmt: skip
    counts = cells.groupby(unit, observed=True, sort=True)[n].sum().to_numpy()
    return found.assign(n=counts)[[unit, "n", "events", "estimate", "lower", "upper"]]


def _reference(reference: pd.DataFrame, stratum: str, events: str, n: str) -> pd.DataFrame:
    inputs.check_frame(reference, [stratum, events, n])
    return _counted(reference, stratum, events, n)


def _counted(table: pd.DataFrame, stratum: str, events: str, n: str) -> pd.DataFrame:
    """Strata and counts under names of ours, so that no column of the table is taken for them."""
    x, size = read_counts(table[events], events), read_amounts(table[n], n)
    return pd.DataFrame({"stratum": table[stratum].to_numpy(), "x": x, "size": size})


def _refuse_unexpected(merged: pd.DataFrame, stratum: str) -> None:
    has_some = (merged["size"] > 0) | (merged["x"] > 0)
    wrong = has_some & (merged["expected"].isna() | ((merged["expected"] == 0) & (merged["x"] > 0)))
    if wrong.any():
        names = ", ".join(
            str(one) for one in sorted(set(merged.loc[wrong, "stratum"]), key=str)[:5]
        )
        raise DataError(
            f"{stratum} {names}: events or patients where the reference expects none. Join strata, "
            "or use a reference that has these patients."
        )
