"""All indicators of all units, levels and years: sums over sums, counted in one pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

import pandas as pd

from workbench.analysis.indicators.cells import SUMS, YEAR, Pass
from workbench.analysis.indicators.estimates import ESTIMATES
from workbench.analysis.indicators.passes import Found, Rows, counted_on_levels, opened
from workbench.analysis.indicators.places import NATION, ladder_of
from workbench.analysis.inputs import names_of
from workbench.analysis.units.unit_table import UnitTable, unit_table
from workbench.errors import StudyError
from workbench.registers.indicator_model import SURVIVAL
from workbench.registers.indicators import Indicator
from workbench.registers.organisations import Organisation

RESULT = ["n", "events", "missing", "estimate", "lower", "upper"]
TAKEN = {"indicator", "place_level", "place", "type", "provisional", *SUMS, *ESTIMATES}


def aggregate(
    rows: Rows | Mapping[str, Rows],
    indicators: Iterable[Indicator],
    *,
    as_of: date,
    by: str | Sequence[str] = ("year",),
    context: str = "treatment",
    organisation: Organisation | None = None,
    levels: Sequence[str] | None = None,
    rule: str | None = None,
    part: str | None = None,
) -> UnitTable:
    """Compute indicators for every unit, every level above it, the nation and every year.

    Rows are read once for each table and date of the indicators; every level above is a sum of
    sums, never a mean of means. Medians are taken from the values themselves.

    Parameters
    ----------
    rows
        Rows of one table of a register with its own codes, as a frame or a table of the engine;
        or such rows by the table's full name ("renal.starts") where indicators need several.
    indicators
        From `load_indicator`; all incident, or all prevalent.
    as_of
        The day the data were taken out. Rows dated later are left out, and a year that was not
        complete by then (see the definition's period) is provisional.
    by
        "year", further columns of the rows, both, or an empty list.
    context
        "treatment" or "residence": which unit of the definition a row belongs to.
    organisation, levels, rule, part
        The organisation the units stand in; the levels wanted (all below the nation if not said);
        how a divided place is counted, and the column with its parts. Without an organisation
        there are units and the nation.

    Returns
    -------
    A frame with one row for each indicator, `place_level`, `place` and group:

    - the columns of `by`; `denominator_kind`, `type`;
    - `n` rows of the denominator that could be judged, `events` of them in the numerator,
      `missing` rows of the denominator that could not; `exposure`, `total` and
      `total_of_squares` where the type has them;
    - `estimate`, `lower`, `upper` (95 %), `std_error` (of means);
    - `provisional`, where there is a year.

    Rows whose unit is missing, unknown to the organisation or closed on the day stand under the
    place "unknown unit", so that each level adds up to the nation. A unit without any row of the
    denominator has no line; the nation has one for every year of the data.

    Its attributes: `.left_out` (table, dated_by, reason, n: rows without a date or after
    `as_of`), `.not_placed` (table, dated_by, place_level, reason, n: rows under "unknown unit",
    whether an indicator counts them or not), `.median_values` (how often each value occurs, from
    which medians of the rest are taken: persons' values, never for release), `.as_of`, `.table` (a
    plain frame).

    Raises
    ------
    DataError
        Rows that cannot be used (see `mark`), or without a column.
    StudyError
        No indicators, or the same twice; incident and prevalent ones together; survival (see
        `survival_at`); rows of another table; units or levels that are not there.
    """
    chosen = list(indicators)
    groups = names_of(by)
    _check(chosen, groups)
    tables = _rows_of(rows, chosen)
    found: list[Found] = []
    for (table, dated_by), together in _passes(chosen).items():
        unit = _unit(together, context)
        ladder = ladder_of(together[0], unit, organisation=organisation, levels=levels, rule=rule)
        days = tuple(day for day in ladder.change_days if day <= as_of)
        further = tuple(name for name in groups if name != YEAR)
        over = Pass(unit, dated_by, further, part, days, as_of)
        with opened(tables[table], together, over) as (engine_table, fetch):
            one = counted_on_levels(engine_table, together, over, fetch, ladder, groups)
        where = {"table": table, "dated_by": dated_by}
        found.append(one.told(**where))
    return _result(found, groups, chosen, as_of)


def _check(indicators: Sequence[Indicator], groups: Sequence[str]) -> None:
    names = [one.name for one in indicators]
    if not names:
        raise StudyError("indicators: there are none.")
    if len(set(names)) < len(names):
        raise StudyError("indicators: one stands twice. Name each once.")
    kinds = {one.definition.denominator_kind: one.name for one in indicators}
    if len(kinds) > 1:
        raise StudyError(
            f"indicators: {kinds['incident']} counts who begins (incident), {kinds['prevalent']} "
            "who is there (prevalent). These are never mixed: aggregate them apart."
        )
    if survival := [one.name for one in indicators if one.definition.type in SURVIVAL]:
        raise StudyError(
            f"indicators: {survival[0]} is a survival, which is no sum over rows. Use survival_at."
        )
    if taken := [name for name in groups if name in TAKEN]:
        raise StudyError(f"by: {taken[0]} is a column of the result. Rename it first.")


def _rows_of(rows: Rows | Mapping[str, Rows], indicators: Sequence[Indicator]) -> Mapping:
    needed = list(dict.fromkeys(one.definition.table for one in indicators))
    if isinstance(rows, Mapping):
        if absent := [table for table in needed if table not in rows]:
            raise StudyError(f"rows: there are none of {absent[0]}. Give them by that name.")
        return rows
    if len(needed) > 1:
        raise StudyError(
            f"rows: the indicators count several tables ({', '.join(needed)}). Give the rows of "
            "each by its name, {table: rows}."
        )
    return {needed[0]: rows}


def _passes(indicators: Sequence[Indicator]) -> dict[tuple[str, str], list[Indicator]]:
    """Indicators that can be counted together: of one table, dated by one variable."""
    passes: dict[tuple[str, str], list[Indicator]] = {}
    for one in indicators:
        passes.setdefault((one.definition.table, one.dated_by), []).append(one)
    return passes


def _unit(indicators: Sequence[Indicator], context: str) -> str:
    units = {one.definition.units.get(context): one.name for one in indicators}  # type: ignore[call-overload]
    if None in units:
        raise StudyError(f'{units[None]}: the definition has no unit of {context} ("units").')
    if len(units) > 1:
        raise StudyError(
            f"indicators: {' and '.join(units.values())} have different units of {context} "
            f"({' and '.join(units)}). Aggregate them apart."
        )
    return next(iter(units))


def _result(found: Sequence[Found], groups: Sequence[str], chosen: Sequence[Indicator],
    as_of: date) -> UnitTable:  # fmt: skip
    names = {one.name: at for at, one in enumerate(chosen)}
    definitions = {one.name: one.definition for one in chosen}
    table = pd.concat([one.table for one in found], ignore_index=True)
    levels = {one: at for at, one in enumerate(dict.fromkeys(table["place_level"]))} | {NATION: -1}
    order = pd.DataFrame(
        {"indicator": table["indicator"].map(names), "level": table["place_level"].map(levels)}
    ).assign(**{name: table[name] for name in ("place", *groups)})
    table = table.loc[order.sort_values(list(order.columns), kind="stable").index]
    table = table.reset_index(drop=True)
    told = {
        part: table["indicator"].map(
            {name: getattr(one, part) for name, one in definitions.items()}
        )
        for part in ("type", "denominator_kind")
    }
    table = table.assign(**told)
    is_counted = table["type"].isin(["proportion", "rate", "count"])
    table["events"] = table["events"].where(is_counted).astype("Int64")
    if YEAR in groups:
        wait = table["indicator"].map(
            {name: one.period.complete_after_days for name, one in definitions.items()}
        )
        table["provisional"] = [
            date(year, 12, 31) + timedelta(days=days) > as_of
            for year, days in zip(table[YEAR], wait, strict=True)
        ]
    facts = {
        name: pd.concat([getattr(one, name) for one in found], ignore_index=True)
        for name in ("left_out", "not_placed", "median_values")
    }
    first = ["indicator", "place_level", "place", *groups, "denominator_kind", "type"]
    last = [name for name in table.columns if name not in {*first, *RESULT}]
    return unit_table(table[[*first, *RESULT, *last]], as_of=as_of, **facts)
