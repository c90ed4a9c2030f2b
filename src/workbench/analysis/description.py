"""Describe persons: Table 1, with what is missing counted and differences between groups sized.

Table 1 is one long frame, one row per variable, level and group, so that the release gate sees
every count. There are no tests: a standardised difference tells how far groups are apart, whatever
their size. Method: Yang and Dalton, SAS Global Forum 2012, paper 335. Worked by hand in
tests/unit/analysis/test_description.py.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from pandas.api import types

from workbench.analysis import inputs
from workbench.errors import DataError, StudyError

EVERYONE = "all"
COLUMNS = [
    "variable",
    "kind",
    "level",
    "group",
    "n",
    "n_group",
    "n_missing",
    "percent",
    "mean",
    "std_dev",
    "median",
    "lower_quartile",
    "upper_quartile",
    "standardised_difference",
]


def table_one(
    persons: pd.DataFrame,
    *,
    variables: Sequence[str],
    by: str | None = None,
    unknown: Mapping[str, Sequence[object]] | None = None,
) -> pd.DataFrame:
    """Describe the persons in each group: shares, means, quartiles and what is missing (Table 1).

    Parameters
    ----------
    persons
        One row per person.
    variables
        Columns to describe, in the order of the table. Numbers are described as numbers; text,
        booleans and categories as categories. Make a code such as stage 1, 2, 3 a category first.
    by
        Column with the groups, none missing; None describes everyone only.
    unknown
        Per variable, the codes that count as missing, such as {"stage": [99]}.

    Returns
    -------
    One row per variable, level and group; the group "all" comes first, then the groups in their
    order. The rows of a variable are told apart by `kind`:

    - "category": one row a level and group. `n` persons in the cell; `percent` of those not
      missing. A level that is defined but that nobody has stays, with 0.
    - "number": one row a group, `level` empty. `n` persons not missing; `mean`, `std_dev`
      (n - 1), `median`, `lower_quartile`, `upper_quartile` (linear, R's type 7).
    - "missing": one row a group, `level` empty. `n` persons missing; `percent` of the group.

    Every row has `n_group` (persons in the group), `n_missing` (of them, missing in this
    variable) and `standardised_difference`: the same on all rows of a variable, without sign;
    two groups: their difference, more: the largest of any pair. It is missing with fewer than
    two groups, when a group has too few known values, when nothing varies within two groups that
    differ, and when two groups share no level. What does not apply to a kind is missing.

    Raises
    ------
    DataError
        A column that is missing, or a date; missing groups; a group that is named "all".
    StudyError
        No variables, one named twice or used as the group; `unknown` for a variable not asked for.
    """
    named, coded = list(variables), dict(unknown or {})
    if not named or len(set(named)) < len(named) or by in named:
        raise StudyError("variables: expected one or more columns, each once, without the group's.")
    if strangers := [name for name in coded if name not in named]:
        raise StudyError(f"unknown: {', '.join(map(str, strangers))} not among the variables.")
    groups = inputs.names_of(by)
    inputs.check_frame(persons, [*named, *groups])
    inputs.check_groups(persons, groups)
    member, labels = _groups(persons, groups)
    parts = []
    for name in named:
        values = _known(persons[name], coded.get(name, ()))
        describe = _numbers if _is_number(values) else _categories
        rows = pd.concat([describe(values, member, labels), _missing(values, member, labels)])
        rows["n_group"] = rows["group"].map(dict(zip(labels, member.sum(axis=0), strict=True)))
        absent = values.isna().to_numpy() @ member
        rows["n_missing"] = rows["group"].map(dict(zip(labels, absent, strict=True)))
        rows["standardised_difference"] = _difference(values, member[:, 1:])
        parts.append(rows.assign(variable=name))
    return pd.concat(parts, ignore_index=True).reindex(columns=COLUMNS)


def _groups(persons: pd.DataFrame, groups: list[str]) -> tuple[np.ndarray, list[str]]:
    everyone = np.ones((len(persons), 1), dtype=np.int64)
    if not groups:
        return everyone, [EVERYONE]
    number = inputs.group_numbers(persons, groups)
    _, first = np.unique(number, return_index=True)
    labels = [inputs.label(value) for value in persons[groups[0]].iloc[first]]
    if EVERYONE in labels or len(set(labels)) < len(labels):
        raise DataError(
            f'column "{groups[0]}": two groups would be printed alike, or one is named '
            f'"{EVERYONE}", which stands for everyone. Rename the groups.'
        )
    member = (number[:, None] == np.arange(len(labels))).astype(np.int64)
    return np.hstack([everyone, member]), [EVERYONE, *labels]


def _known(column: pd.Series, codes: Sequence[object]) -> pd.Series:
    values = column.infer_objects()
    if types.is_datetime64_any_dtype(values.dtype) or types.is_timedelta64_dtype(values.dtype):
        raise DataError(f'column "{column.name}": a date has no place in Table 1. Use years.')
    codes = [codes] if isinstance(codes, str) else list(codes)
    known = values.where(~values.isin(codes))
    if isinstance(values.dtype, pd.CategoricalDtype):
        left = [level for level in values.cat.categories if level not in codes]
        return known.cat.set_categories(left)
    if _is_number(values):
        numbers = known.to_numpy(dtype=np.float64, na_value=np.nan)
        if np.isinf(numbers).any():
            raise DataError(f'column "{column.name}": infinite in {np.isinf(numbers).sum()} rows.')
        return pd.Series(numbers)
    return known.astype("category")


def _is_number(values: pd.Series) -> bool:
    return types.is_numeric_dtype(values.dtype) and not types.is_bool_dtype(values.dtype)


def _categories(values: pd.Series, member: np.ndarray, labels: list[str]) -> pd.DataFrame:
    n = _per_level(values, member)
    total = np.maximum(n.sum(axis=0), 1)
    percent = np.where(n.sum(axis=0) > 0, 100 * n / total, np.nan)
    levels = [inputs.label(level) for level in values.cat.categories]
    return pd.DataFrame(
        {
            "kind": "category",
            "level": np.repeat(np.array(levels, dtype=object), len(labels)),
            "group": labels * len(levels),
            "n": n.ravel(),
            "percent": percent.ravel(),
        }
    )


def _numbers(values: pd.Series, member: np.ndarray, labels: list[str]) -> pd.DataFrame:
    rows = []
    for position, group in enumerate(labels):
        inside = values[member[:, position] == 1].dropna()
        rows.append(
            {
                "kind": "number",
                "level": "",
                "group": group,
                "n": len(inside),
                "percent": np.nan,
                "mean": inside.mean(),
                "std_dev": inside.std(),
                "median": inside.median(),
                "lower_quartile": inside.quantile(0.25),
                "upper_quartile": inside.quantile(0.75),
            }
        )
    return pd.DataFrame(rows)


def _missing(values: pd.Series, member: np.ndarray, labels: list[str]) -> pd.DataFrame:
    n = values.isna().to_numpy() @ member
    percent = 100 * n / member.sum(axis=0)
    rows = {"kind": "missing", "level": "", "group": labels, "n": n, "percent": percent}
    return pd.DataFrame(rows)


def _per_level(values: pd.Series, member: np.ndarray) -> np.ndarray:
    level = values.cat.codes.to_numpy()
    return (level == np.arange(len(values.cat.categories))[:, None]).astype(np.int64) @ member


def _difference(values: pd.Series, member: np.ndarray) -> float:
    if _is_number(values):
        inside = [values[member[:, g] == 1].dropna() for g in range(member.shape[1])]
        facts = [_mean_and_variance(part) for part in inside]
        pairs = [_between_numbers(*one, *other) for one, other in itertools.combinations(facts, 2)]
    else:
        n = _per_level(values, member)
        pairs = [_between_shares(one, other) for one, other in itertools.combinations(n.T, 2)]
    # one pair without a defined difference leaves the largest unknown
    return float(np.max(pairs)) if pairs else float("nan")


def _mean_and_variance(values: pd.Series) -> tuple[float, float]:
    if len(values) > 1 and values.min() == values.max():
        # exactly, where floating point would leave a variance just above 0
        return float(values.iloc[0]), 0.0
    return float(values.mean()), float(values.var())


def _between_numbers(mean: float, var: float, other_mean: float, other_var: float) -> float:
    if var + other_var == 0:
        return 0.0 if mean == other_mean else float("nan")
    return abs(mean - other_mean) / np.sqrt((var + other_var) / 2)


def _between_shares(one: np.ndarray, other: np.ndarray) -> float:
    if not ((one > 0) & (other > 0)).any():
        return float("nan")
    # leaving out one level of those that occur keeps the covariance regular
    occurring = np.flatnonzero(one + other > 0)[1:]
    p, q = (n[occurring] / n.sum() for n in (one, other))
    spread = (np.diag(p) - np.outer(p, p) + np.diag(q) - np.outer(q, q)) / 2
    gap = p - q
    return float(np.sqrt(gap @ np.linalg.solve(spread, gap))) if gap.any() else 0.0
