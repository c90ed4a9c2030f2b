"""How well a register finds what the records say: sensitivity, specificity, predictive values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from workbench.analysis import inputs
from workbench.analysis.units.intervals import proportion
from workbench.errors import DataError

ONE_SIDED = (
    "only cases that the register has were looked up: what it misses is not seen",
    "only cases that the register does not have were looked up",
)
TAKEN = {"measure", "n", "events", "estimate", "lower", "upper", "reason"}
# measure: among whom (column and value), counting whom
MEASURES = {
    "sensitivity": ("reference", 1, 1),
    "specificity": ("reference", 0, 0),
    "positive predictive value": ("found", 1, 1),
    "negative predictive value": ("found", 0, 0),
}


def accuracy(
    cases: pd.DataFrame, *, found: str, reference: str, by: str | Sequence[str] | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:  # fmt: skip
    """Say how often the register has what the records say, and how often it is right.

    Parameters
    ----------
    cases
        One row a case looked up. `found` is whether the register has it, `reference` whether the
        record says so (0, 1 or booleans, none missing).

    Returns
    -------
    One row a group and measure: the columns of `by`, `measure` ("sensitivity", "specificity",
    "positive predictive value", "negative predictive value"), `n`, `events`, `estimate`, `lower`,
    `upper` (Wilson), `reason`. Where the cases were drawn from one side of `found` only (as a
    sample of registered cases is), sensitivity and specificity cannot be known: missing, with the
    reason. Shares hold for cases drawn alike; for samples of unequal shares see `of_strata`.

    Raises
    ------
    DataError
        Columns that are not there, groups that are missing, values that are neither 0 nor 1.

    References
    ----------
    Altman and Bland, BMJ 1994;308:1552 and 309:102; Begg and Greenes, Biometrics 1983;39:207-215
    (why a sample drawn by the register cannot tell its sensitivity).
    """
    names = inputs.names_of(by)
    inputs.check_frame(cases, [*names, found, reference])
    if taken := sorted(TAKEN & set(names)):
        raise DataError(f"by: rename {', '.join(taken)}; results have such columns.")
    for name in names:
        if n_missing := int(cases[name].isna().sum()):
            raise DataError(f'column "{name}": missing in {n_missing} cases.')
    read = {"found": _yes_no(cases, found), "reference": _yes_no(cases, reference)}
    rows = pd.DataFrame(read)
    if not names:
        return _measures(rows, confidence)
    parts = []
    places = cases[names].reset_index(drop=True).groupby(names, observed=True, sort=True)
    for key, group in places:
        table = _measures(rows.loc[group.index], confidence)
        parts.append(pd.concat([pd.DataFrame([key] * len(table), columns=names), table], axis=1))
    return pd.concat(parts, ignore_index=True)


def _measures(rows: pd.DataFrame, confidence: float) -> pd.DataFrame:
    told = []
    for measure, (side, value, counted) in MEASURES.items():
        among = rows[rows[side] == value]
        other = "found" if side == "reference" else "reference"
        events, reason = int((among[other] == counted).sum()), ""
        sides = set(rows["found"])
        if side == "reference" and len(sides) == 1:
            reason = ONE_SIDED[0 if 1.0 in sides else 1]
        told.append((measure, len(among), events, reason))
    table = pd.DataFrame(told, columns=["measure", "n", "events", "reason"])
    shares = proportion(table["events"], table["n"], confidence=confidence)
    shares[table["reason"] != ""] = np.nan
    return table.drop(columns="reason").join(shares).assign(reason=table["reason"])


def _yes_no(cases: pd.DataFrame, column: str) -> np.ndarray:
    values = pd.to_numeric(cases[column], errors="coerce").to_numpy(float, na_value=np.nan)
    if n_odd := int((~np.isin(values, (0.0, 1.0))).sum()):
        raise DataError(f'column "{column}": {n_odd} cases are neither 0 nor 1.')
    return values
