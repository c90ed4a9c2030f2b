"""The indicators of many registers in one table, as open comparisons show them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from workbench.analysis.indicators.levels import (
    LEVEL_COLUMNS,
    level,
    level_of_estimate,
    no_level,
)
from workbench.analysis.indicators.nation import VALUES, beside_nation, group_columns
from workbench.errors import DataError, StudyError, did_you_mean
from workbench.registers.indicators import Indicator

COVERAGE_KEYS = ["place_level", "place"]
COUNTS = {"n", "events", "missing"}


def overview(
    aggregated: pd.DataFrame | Sequence[pd.DataFrame],
    indicators: Iterable[Indicator],
    *,
    coverage: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Put the indicators of one or many registers in one table, one row for each unit.

    Incident and prevalent indicators stand apart: each row says which it is, and no number is
    made of both.

    Parameters
    ----------
    aggregated
        Results of `aggregate` or `survival_at`, one or several.
    indicators
        All indicators in them.
    coverage
        Columns `name` (as in the definitions' coverage), `place_level`, `place`, `coverage` (a
        share; not cut at 1) and, where results have a year, `year`. It is joined by the unit's id
        and the same year; no year is carried forward.

    Returns
    -------
    One row for each indicator, place and group: `indicator`, `label`, `specialty`, `register`,
    `place_level`, `place`, the groups, `denominator_kind`, `type`, `direction`, `n`, `events`,
    `missing`, `estimate`, `lower`, `upper`, `level`, `level_probability`, `level_decided`,
    `level_words`, `nation_...`, `rest_...`, `green`, `yellow` (as written), `coverage`,
    `provisional`.

    A share has its level by its counts; anything else by its own interval. Below the smallest
    denominator, and without limits, there is no level, and `level_words` says so.

    Raises
    ------
    DataError, StudyError
        Results without a row of the nation; results grouped by different columns; an indicator
        that is not given, or is in two results; coverage with two rows for one unit.
    """
    results = [aggregated] if isinstance(aggregated, pd.DataFrame) else list(aggregated)
    known = {one.name: one for one in indicators}
    if not results:
        raise DataError("aggregated: there is no result.")
    groups = group_columns(results[0])
    if any(group_columns(one) != groups for one in results):
        raise StudyError("aggregated: the results are grouped by different columns.")
    names = [name for one in results for name in one["indicator"].unique()]
    if twice := [name for name in names if names.count(name) > 1]:
        raise StudyError(f"aggregated: {twice[0]} is in two results. Give it once.")
    tables = [beside_nation(one, known.values()).astype(object) for one in results]
    table = pd.concat(tables, ignore_index=True).infer_objects()
    parts = [
        rows.assign(**_told(known[str(name)]), **_levels(rows, known[str(name)]))
        for name, rows in table.groupby("indicator", sort=False)
    ]
    table = _with_coverage(pd.concat(parts), known, coverage, groups)
    counts = [name for name in table.columns if name.split("_")[-1] in COUNTS]
    table = table.astype(dict.fromkeys(counts, "Int64"))
    return table[_order(table, groups)].reset_index(drop=True)


def _told(indicator: Indicator) -> dict[str, object]:
    definition = indicator.definition
    limits = {name: str(value) for name, value in definition.limit_values.items()}
    return {
        "label": definition.label,
        "specialty": definition.specialty,
        "register": definition.register,
        "direction": definition.direction,
        "green": limits.get("green"),
        "yellow": limits.get("yellow"),
    }


def _levels(rows: pd.DataFrame, indicator: Indicator) -> dict[str, pd.Series]:
    """The level of each row, or why it has none."""
    definition = indicator.definition
    limits = definition.limit_values
    if "green" not in limits:
        return dict(no_level(rows.index, "no target").items())
    green, yellow, direction = limits["green"], limits.get("yellow"), definition.direction
    if definition.type == "proportion":
        found = level(rows["events"], rows["n"], green=green, yellow=yellow, direction=direction)
    else:
        found = level_of_estimate(
            rows["estimate"], lower=rows["lower"], upper=rows["upper"],
            green=green, yellow=yellow, direction=direction,
        )  # fmt: skip
    fewest = definition.minimum_denominator or 1
    few = (rows["n"].astype(float) < fewest) & (rows["n"].astype(float) > 0)
    nothing = no_level(rows.index, f"fewer than {fewest} patients")
    columns = {name: found[name].where(~few, nothing[name]) for name in LEVEL_COLUMNS}
    columns["level_decided"] = columns["level_decided"].astype(bool)
    return columns


def _with_coverage(
    table: pd.DataFrame, known: Mapping[str, Indicator], coverage: pd.DataFrame | None,
    groups: Sequence[str],
) -> pd.DataFrame:  # fmt: skip
    if coverage is None:
        return table.assign(coverage=np.nan)
    keys = ["name", *COVERAGE_KEYS, *(["year"] if "year" in groups else [])]
    for name in (*keys, "coverage"):
        if name not in coverage.columns:
            raise DataError(f'coverage: no column "{name}".{did_you_mean(name, coverage.columns)}')
    if n_twice := int(coverage.duplicated(keys).sum()):
        raise DataError(
            f"coverage: {n_twice} rows stand twice ({', '.join(keys)}). Give each once."
        )
    links = {name: one.definition.coverage for name, one in known.items()}
    of_row = table["indicator"].map({name: one.name for name, one in links.items() if one})
    beside = table.assign(name=of_row)[keys].merge(
        coverage[[*keys, "coverage"]], on=keys, how="left", validate="many_to_one"
    )
    return table.assign(coverage=beside["coverage"].to_numpy())


def _order(table: pd.DataFrame, groups: Sequence[str]) -> list[str]:
    first = ["indicator", "label", "specialty", "register", "place_level", "place", *groups]
    first += ["denominator_kind", "type", "direction", "n", "events", "missing"]
    first += ["estimate", "lower", "upper", *LEVEL_COLUMNS]
    first += [f"{of}_{value}" for of in ("nation", "rest") for value in VALUES]
    first += ["green", "yellow", "coverage"]
    return [*first, *(["provisional"] if "provisional" in table.columns else [])]
