"""Indicators that are a survival: of each unit, the nation, and the rest, at the agreed time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from workbench.analysis.indicators.places import NATION
from workbench.analysis.inputs import check_frame, check_groups
from workbench.analysis.relative import LifeTable, net_survival
from workbench.analysis.survival import kaplan_meier
from workbench.errors import StudyError
from workbench.registers.indicator_model import SURVIVAL
from workbench.registers.indicators import Indicator

FOUND = ["n", "events", "estimate", "lower", "upper", "std_error"]
Estimate = Callable[[pd.DataFrame], pd.DataFrame]


def survival_at(
    persons: pd.DataFrame,
    indicator: Indicator,
    *,
    unit: str,
    place_level: str = "unit",
    life_table: LifeTable | None = None,
    **of_patients: Any,
) -> pd.DataFrame:
    """Give each unit's survival at the time the indicator names, the nation's, and the rest's.

    Parameters
    ----------
    persons
        One row for each patient of the indicator's denominator, with the columns of follow-up the
        definition names, in its unit of time: a study's cohort has them.
    unit
        Column with the unit, none missing ("unknown unit" is a unit too).
    place_level
        What a unit is, as the result calls it.
    life_table, of_patients
        For net survival: the life table, and `age`, `sex`, `start_date` and further settings of
        `relative.net_survival`.

    Returns
    -------
    Rows as those of `aggregate`: `indicator`, `place_level`, `place`, `denominator_kind`, `type`,
    `n` patients, `events` until that time, `missing` (0), `estimate`, `lower`, `upper`,
    `std_error`, and `rest_n` ... `rest_upper` of all patients of other units. Where nobody of a
    unit was followed so long and some were still alive, there is no estimate: missing.

    Raises
    ------
    DataError, StudyError
        An indicator of another type; net survival without a life table; follow-up that cannot be
        used (see `survival.kaplan_meier`).

    References
    ----------
    Kaplan and Meier, JASA 1958;53:457-481; Pohar Perme, Stare and Esteve, Biometrics
    2012;68:113-120.
    """
    definition = indicator.definition
    if definition.type not in SURVIVAL:
        raise StudyError(f"{indicator.name} is a {definition.type}. Use aggregate.")
    if (life_table is None) == (definition.type == "net_survival"):
        needs = "needs a life_table" if life_table is None else "has no life_table"
        raise StudyError(f"{indicator.name}: type {definition.type} {needs}.")
    columns = definition.follow_up
    check_frame(persons, [unit, columns.duration, columns.event])
    check_groups(persons.rename(columns={unit: "place"}), ["place"])

    def estimate(rows: pd.DataFrame) -> dict[str, float]:
        return _at(rows, indicator, life_table, of_patients)

    lines = [{"place_level": NATION, "place": NATION} | estimate(persons)]
    for place, own in persons.groupby(unit, observed=True, sort=True):
        rest = persons[persons[unit] != place]
        of_rest = estimate(rest) if len(rest) else dict.fromkeys(FOUND, np.nan) | {"n": 0}
        told = {f"rest_{name}": value for name, value in of_rest.items() if name != "std_error"}
        lines.append({"place_level": place_level, "place": place} | estimate(own) | told)
    table = pd.DataFrame(lines)
    facts = {"denominator_kind": definition.denominator_kind, "type": definition.type}
    table = table.assign(indicator=indicator.name, missing=0, **facts)
    first = ["indicator", "place_level", "place", *facts, "n", "events", "missing"]
    table = table[[*first, *table.columns.drop(first)]]
    counts = [name for name in table.columns if name.split("_")[-1] in {"n", "events"}]
    return table.astype(dict.fromkeys(counts, "Int64"))


def _at(
    rows: pd.DataFrame, indicator: Indicator, life_table: LifeTable | None, settings: dict
) -> dict[str, float]:
    definition = indicator.definition
    columns, at = definition.follow_up, float(definition.at)
    time = rows[columns.duration].to_numpy(float)
    happened = rows[columns.event].to_numpy(float) > 0
    n_until = int((happened & (time <= at)).sum())
    told = {"n": len(rows), "events": n_until}
    # beyond the last patient's follow-up the curve says nothing, unless nobody was left alive
    last = float(time.max())
    if last < at and not happened[time == last].all():
        return told | dict.fromkeys(FOUND[2:], np.nan)
    keys: dict[str, Any] = {"duration": columns.duration, "event": columns.event}
    keys["times"] = [min(at, last)]
    if life_table is None:
        found = kaplan_meier(rows, **keys)
    else:
        found = net_survival(rows, life_table, **{"unit": columns.unit} | keys | settings)
    return told | {name: float(found[name].iloc[0]) for name in FOUND[2:]}
