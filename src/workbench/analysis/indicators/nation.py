"""The nation beside each unit, and the nation without it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from workbench.analysis.indicators.cells import SUMS
from workbench.analysis.indicators.estimates import medians, with_estimates
from workbench.analysis.indicators.places import NATION
from workbench.errors import DataError, StudyError
from workbench.registers.indicators import Indicator

VALUES = ["n", "events", "estimate", "lower", "upper"]
LEVEL_KEYS = ["indicator", "place_level", "place"]


def beside_nation(aggregated: pd.DataFrame, indicators: Iterable[Indicator]) -> pd.DataFrame:
    """Put the nation beside each unit, and the rest of the nation without the unit.

    A unit is compared with the rest: in the nation it would stand on both sides.

    Parameters
    ----------
    aggregated
        From `aggregate` or `survival_at`.
    indicators
        The same indicators.

    Returns
    -------
    The rows with `nation_n`, `nation_events`, `nation_estimate`, `nation_lower`, `nation_upper`,
    and the same with `rest_`: the nation's sums less the unit's own, medians from the values that
    are not the unit's. Missing on the nation's own rows, and where nobody is left. A median's rest
    needs the result of `aggregate` itself, not rows chosen from it.

    Raises
    ------
    DataError
        No rows of the nation beside those of units.
    StudyError
        An indicator that is not among those given.
    """
    known = _named(aggregated, indicators)
    table = pd.DataFrame(aggregated)
    groups = group_columns(table)
    same = ["indicator", *groups]
    of_nation = table["place_level"] == NATION
    amounts = [name for name in SUMS if name in table.columns]
    wanted = dict.fromkeys([*same, *VALUES, *amounts])
    nation = table.loc[of_nation, list(wanted)].add_prefix("nation_")
    nation = nation.rename(columns={f"nation_{name}": name for name in same})
    beside = table[same].merge(nation, on=same, how="left", validate="many_to_one")
    if n_alone := int(beside["nation_n"].isna().sum()):
        raise DataError(f"aggregated: {n_alone} rows have no row of the nation. Keep those rows.")
    beside = beside.set_axis(table.index)
    result = table.assign(**{f"nation_{one}": beside[f"nation_{one}"] for one in VALUES})
    if "rest_estimate" in table.columns:
        return result
    own = table[amounts].apply(pd.to_numeric).astype(float).where(~of_nation)
    sums = {one: (beside[f"nation_{one}"].astype(float) - own[one].fillna(0)) for one in amounts}
    rest = table[[*LEVEL_KEYS, *groups]].assign(**sums).loc[~of_nation]
    found = with_estimates(_counts(rest, known), known)
    values = getattr(aggregated, "median_values", None)
    if values is not None and len(values):
        found = _with_medians(found, values, groups)
    told = {f"rest_{one}": found[one].reindex(table.index) for one in VALUES}
    result = result.assign(**told)
    return result.astype({"nation_n": "Int64", "nation_events": "Int64", "rest_n": "Int64"}).assign(
        rest_events=result["rest_events"].where(table["events"].notna()).astype("Int64")
    )


def group_columns(table: pd.DataFrame) -> list[str]:
    """The columns by which results are grouped beside place: those between place and kind."""
    names = list(table.columns)
    needed = [*LEVEL_KEYS, "denominator_kind", "type"]
    if absent := [name for name in needed if name not in names]:
        raise DataError(f'aggregated: no column "{absent[0]}". Give the result of aggregate.')
    return names[names.index("place") + 1 : names.index("denominator_kind")]


def _named(table: pd.DataFrame, indicators: Iterable[Indicator]) -> Mapping[str, Indicator]:
    known = {one.name: one for one in indicators}
    if strange := [name for name in table["indicator"].unique() if name not in known]:
        raise StudyError(f"indicators: {strange[0]} is not among them. Give all that are shown.")
    return known


def _counts(rest: pd.DataFrame, known: Mapping[str, Indicator]) -> pd.DataFrame:
    """Sums of the rest: where a type has none, 0 of nobody is no estimate."""
    has_events = rest["indicator"].map(
        {
            name: one.definition.type in {"proportion", "rate", "count"}
            for name, one in known.items()
        }
    )
    return rest.assign(events=rest["events"].where(has_events.astype(bool)))


def _with_medians(found: pd.DataFrame, values: pd.DataFrame, groups: Sequence[str]) -> pd.DataFrame:
    """Medians of the values that are not a unit's own, unit by unit."""
    same = ["indicator", *groups, "value"]
    keys = ["indicator", *groups]
    whole = values[values["place_level"] == NATION].drop(columns=["place_level", "place"])
    units = values[values["place_level"] != NATION]
    parts = []
    for (level, place), own in units.groupby(["place_level", "place"], observed=True):
        here = whole.merge(own[keys].drop_duplicates(), on=keys)
        both = here.merge(own[[*same, "n"]], on=same, how="left", suffixes=("", "_own"))
        left = both.assign(n=both["n"] - both["n_own"].fillna(0).astype("int64"))
        left = left[left["n"] > 0]
        if len(left):
            parts.append(medians(left, keys).assign(place_level=level, place=place))
    if not parts:
        return found
    told = pd.concat(parts, ignore_index=True)
    where = [*LEVEL_KEYS, *groups]
    beside = found[where].merge(told, on=where, how="left", validate="one_to_one")
    beside = beside.set_axis(found.index)
    filled = {one: found[one].fillna(beside[one]) for one in ("estimate", "lower", "upper")}
    return found.assign(**filled)
