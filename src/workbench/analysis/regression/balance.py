"""How alike two groups are, before and after weighting."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandas.api import types

from workbench.analysis import inputs

TENTHS = np.linspace(0, 1, 11)


def balance_table(
    covariates: pd.DataFrame, exposed: np.ndarray, weight: np.ndarray
) -> pd.DataFrame:
    """Compare covariates of exposed and unexposed persons, before and after weighting.

    Parameters
    ----------
    covariates
        One column a covariate, none missing: numbers, yes/no, text or categories.
    exposed, weight
        Per row: whether exposed, and the weight.

    Returns
    -------
    One row a number or level: `variable`, `level` ("" for a number), then with the endings
    `_before` and `_after`: `exposed`, `unexposed` (means; of levels, shares) and `difference`, in
    standard deviations: the root of the mean of both groups' variances before weighting, so that
    before and after can be compared. Missing where nothing varies. Below 0.1 is commonly taken as
    alike.

    References
    ----------
    Austin, Stat Med 2009;28:3083-3107.
    """
    rows = []
    for name, column in covariates.items():
        for level, values in _columns(column).items():
            row: dict[str, object] = {"variable": str(name), "level": level}
            spread = _spread(values, exposed, is_share=level != "")
            for ending, size in (("before", np.ones(len(weight))), ("after", weight)):
                means = [np.average(values[g], weights=size[g]) for g in (exposed, ~exposed)]
                difference = (means[0] - means[1]) / spread if spread > 0 else np.nan
                row[f"exposed_{ending}"], row[f"unexposed_{ending}"] = means
                row[f"difference_{ending}"] = difference
            rows.append(row)
    return pd.DataFrame(rows)


def effective_sizes(exposed: np.ndarray, weight: np.ndarray) -> pd.DataFrame:
    """How many persons of equal weight would tell as much as the weighted ones (Kish, 1965).

    Returns
    -------
    One row a group: `exposed`, `n`, `sum_weights`, `effective_n`, `largest_weight`.
    """
    rows = []
    for is_exposed in (False, True):
        own = weight[exposed == is_exposed]
        facts = {"exposed": is_exposed, "n": len(own), "sum_weights": own.sum()}
        effective = own.sum() ** 2 / (own**2).sum()
        rows.append(facts | {"effective_n": effective, "largest_weight": own.max()})
    return pd.DataFrame(rows)


def overlap_table(exposed: np.ndarray, chance: np.ndarray) -> pd.DataFrame:
    """Count both groups by tenths of the propensity: where one group is absent, nothing compares.

    Returns
    -------
    Ten rows: `propensity_from`, `propensity_to`, `exposed`, `unexposed` (persons).
    """
    counts = {
        name: np.histogram(chance[own], bins=TENTHS)[0]
        for name, own in (("exposed", exposed), ("unexposed", ~exposed))
    }
    return pd.DataFrame({"propensity_from": TENTHS[:-1], "propensity_to": TENTHS[1:], **counts})


def _columns(column: pd.Series) -> dict[str, np.ndarray]:
    if types.is_numeric_dtype(column.dtype) and not types.is_bool_dtype(column.dtype):
        return {"": column.to_numpy(dtype=float)}
    groups = column.astype("category").cat.remove_unused_categories()
    codes = groups.cat.codes.to_numpy()
    names = [inputs.label(level) for level in groups.cat.categories]
    return {name: (codes == code).astype(float) for code, name in enumerate(names)}


def _spread(values: np.ndarray, exposed: np.ndarray, *, is_share: bool) -> float:
    groups = [values[exposed], values[~exposed]]
    if is_share:
        variances = [float(group.mean() * (1 - group.mean())) for group in groups]
    else:
        variances = [float(group.var(ddof=1)) if len(group) > 1 else 0.0 for group in groups]
    return float(np.sqrt(np.mean(variances)))
