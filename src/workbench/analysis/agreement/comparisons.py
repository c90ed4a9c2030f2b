"""A whole validation at once: every variable compared by its kind, one row each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from workbench.analysis import inputs
from workbench.analysis.agreement.correlations import icc, limits_of_agreement
from workbench.analysis.agreement.kappas import kappa
from workbench.analysis.units.counted import check_level
from workbench.analysis.units.intervals import proportion
from workbench.errors import DataError, StudyError

KINDS = ("category", "order", "number", "date")
LACKS_FIRST, LACKS_SECOND, LACKS_BOTH = (
    "n_only_in_second",
    "n_only_in_original",
    "n_in_neither",
)
FEWEST = 2  # cases below which neither kappa nor correlation is tried


@dataclass(frozen=True)
class Compared:
    """How one variable is compared.

    `kind` is "category", "order" (`categories` in their order; kappa weighted as `weights` says),
    "number" (equal within `tolerance`) or "date" (within `tolerance` days).
    """

    kind: str = "category"
    categories: tuple[object, ...] | None = None
    weights: str = "quadratic"
    tolerance: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise StudyError(f"compared: expected one of {', '.join(KINDS)}.")
        if self.kind == "order" and not self.categories:
            raise StudyError("compared: an order needs its categories, from first to last.")
        if self.tolerance < 0:
            raise StudyError("compared: a tolerance is 0 or more.")


def compare(
    original: pd.DataFrame, second: pd.DataFrame, *, case: str,
    variables: Mapping[str, Compared], confidence: float = 0.95,
) -> pd.DataFrame:  # fmt: skip
    """Compare what the register holds with what was found on a second look, by variable.

    Parameters
    ----------
    original, second
        One row a case each, with the column `case` and the variables. Cases only in `original` were
        not looked up: they are counted in `attrs["n_not_looked_up"]`.
    variables
        How each is compared.

    Returns
    -------
    One row a variable: `variable`, `kind`, `n` (cases looked up), `n_only_in_original`,
    `n_only_in_second`, `n_in_neither` (where a value is missing), `n_compared` (known both times),
    `events` (equal, or within the tolerance), `estimate` (their share), `lower`, `upper` (Wilson),
    `statistic` ("kappa", "weighted kappa", "icc"), `agreement`, `agreement_lower`,
    `agreement_upper`, `difference`, `difference_lower`, `difference_upper` (mean of second less
    original; numbers, and days of dates), `note`. A value in one place only is no agreement and no
    disagreement: it stands in its own column.

    Raises
    ------
    DataError, StudyError
        Columns that are not there, a case missing or in two rows, a second look at a case that the
        original does not have, values that are no numbers or dates.
    """
    if not variables:
        raise StudyError("variables: name at least one.")
    check_level(confidence)
    for words, frame in (("original", original), ("second", second)):
        _check_cases(words, frame, case, list(variables))
    both = original[[case, *variables]].merge(
        second[[case, *variables]], on=case, how="inner", suffixes=("", "_second")
    )
    if n_new := len(second) - len(both):
        raise DataError(f"second: {n_new} cases are not in original. Find out what they are.")
    rows = [
        {"variable": name, "kind": one.kind, "n": len(both)}
        | _of_one(both[name], both[f"{name}_second"], name, one, confidence)
        for name, one in variables.items()
    ]
    table = pd.DataFrame(rows)
    table.attrs["n_not_looked_up"] = len(original) - len(both)
    return table


def _check_cases(words: str, frame: pd.DataFrame, case: str, variables: list[str]) -> None:
    inputs.check_frame(frame, [case, *variables])
    n_missing, n_double = int(frame[case].isna().sum()), int(frame[case].duplicated().sum())
    if n_missing or n_double:
        raise DataError(
            f'{words}, column "{case}": missing in {n_missing} rows, and {n_double} rows have a '
            "case that stands above."
        )
    if case in variables:
        raise StudyError(f'variables: "{case}" tells cases apart and cannot be compared.')


def _of_one(
    first: pd.Series, last: pd.Series, name: str, how: Compared, confidence: float
) -> dict[str, Any]:
    lacks, lacks_last = first.isna().to_numpy(bool), last.isna().to_numpy(bool)
    known = ~lacks & ~lacks_last
    told: dict[str, Any] = {
        LACKS_SECOND: int((~lacks & lacks_last).sum()),
        LACKS_FIRST: int((lacks & ~lacks_last).sum()),
        LACKS_BOTH: int((lacks & lacks_last).sum()),
        "n_compared": int(known.sum()),
    }
    one, other = (
        _read(values[known].reset_index(drop=True), name, how) for values in (first, last)
    )
    is_equal = _equal(one, other, how)
    told["events"] = int(is_equal.sum())
    told |= proportion([told["events"]], [len(one)], confidence=confidence).iloc[0].to_dict()
    measure = _of_numbers if how.kind in {"number", "date"} else _of_categories
    return told | measure(one, other, how, confidence)


def _read(values: pd.Series, name: str, how: Compared) -> pd.Series:
    readers: dict[str, Callable[..., Any]] = {"number": pd.to_numeric, "date": pd.to_datetime}
    if how.kind not in readers:
        return values.astype(object)
    found = readers[how.kind](values, errors="coerce")
    if n_odd := int(found.isna().sum()):
        raise DataError(f'column "{name}": {n_odd} values are no {how.kind}s.')
    if how.kind == "date":
        found = (found - pd.Timestamp("2000-01-01")) / pd.Timedelta(days=1)
    return found.astype(float)


def _equal(one: pd.Series, other: pd.Series, how: Compared) -> np.ndarray:
    if how.kind in {"category", "order"}:
        return (one == other).to_numpy(bool)
    # a hair for numbers with decimals: 1.3 - 1.2 is not above 0.1
    return (np.abs(other - one) <= how.tolerance + 1e-9).to_numpy(bool)


def _of_categories(
    one: pd.Series, other: pd.Series, how: Compared, confidence: float
) -> dict[str, Any]:
    weights = how.weights if how.kind == "order" else None
    told: dict[str, Any] = {"statistic": "weighted kappa" if weights else "kappa"}
    nothing = dict.fromkeys(("difference", "difference_lower", "difference_upper"), np.nan)
    if len(one) < FEWEST:
        return told | _agreement({"note": "too few cases"}) | nothing
    found = kappa(one, other, categories=how.categories, weights=weights, confidence=confidence)
    return told | _agreement(found) | nothing


def _of_numbers(
    one: pd.Series, other: pd.Series, how: Compared, confidence: float
) -> dict[str, Any]:
    told: dict[str, Any] = {"statistic": "icc"}
    if len(one) < FEWEST:
        nothing = dict.fromkeys(("difference", "difference_lower", "difference_upper"), np.nan)
        return told | _agreement({"note": "too few cases"}) | nothing
    found = icc(np.column_stack([one, other]), confidence=confidence)
    note = "values do not vary" if np.isnan(found["estimate"]) else ""
    apart = limits_of_agreement(one, other, confidence=confidence)
    far = {"difference": "estimate", "difference_lower": "lower", "difference_upper": "upper"}
    return (
        told | _agreement({**found, "note": note}) | {new: apart[old] for new, old in far.items()}
    )


def _agreement(found: Mapping[str, Any]) -> dict[str, Any]:
    names = {"agreement": "estimate", "agreement_lower": "lower", "agreement_upper": "upper"}
    numbers = {new: found.get(old, np.nan) for new, old in names.items()}
    return numbers | {"note": found["note"]}
