"""Covariates from other registers: what a person's rows say in a window before the index date.

Rows are joined with the persons of the cohort once for each table; every covariate of that table
is then aggregated in the same pass, each over its own days and its own rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import and_, or_

import ibis

from workbench.analysis.cohort.linkage import Sources
from workbench.analysis.row_tests import fulfils, has_code, value_of
from workbench.registers.codes import CodeList
from workbench.registers.schema import Table
from workbench.study import DAYS_IN, Covariate, Study
from workbench.study.definitions import date_of
from workbench.study.rows import AGES, WITHOUT_WINDOW

LATEST = 1 << 40  # more rows than any table has: orders rows by day, then by place


def with_linked_columns(
    rows: ibis.Table, study: Study, sources: Sources, code_lists: Mapping[str, CodeList]
) -> ibis.Table:
    """Add every covariate that comes from another table to rows that carry `_step`.

    Worked out for the rows that have not left yet; the others get missing values.
    """
    by_table: dict[str, dict[str, Covariate]] = {}
    for name, covariate in study.variables.items():
        if covariate.link:
            by_table.setdefault(covariate.link, {})[name] = covariate
    if not by_table:
        return rows
    staying = rows.filter(rows._step.isnull()).select("row_id", "_person", "_index_date")
    for table_name, covariates in by_table.items():
        of_person = {n: one for n, one in covariates.items() if one.take in WITHOUT_WINDOW}
        in_windows = {n: one for n, one in covariates.items() if one.take not in WITHOUT_WINDOW}
        parts = []
        if of_person:
            parts.append(_facts(staying, of_person, table_name, sources))
        if in_windows:
            parts.append(_windows(staying, in_windows, table_name, sources, code_lists))
        for part in parts:
            kept = sources.keep(part, "covariates")
            rows = rows.left_join(kept, rows.row_id == kept.row_id).drop("row_id_right")
    return rows.mutate(**_without_rows(rows, study))


def _facts(
    staying: ibis.Table, covariates: Mapping[str, Covariate], table_name: str, sources: Sources
) -> ibis.Table:
    """Values of a table that has one row a person, and ages at the index date."""
    table, facts = sources.table(table_name), sources.one_row_a_person(table_name)
    wanted = {}
    for name, covariate in covariates.items():
        if covariate.take in AGES:
            wanted[name] = facts[str(date_of(covariate, table))]
        else:
            wanted[name] = value_of(facts, str(covariate.source), table)
    facts = facts.select(_who=facts._person, **wanted)
    joined = staying.inner_join(facts, staying._person == facts._who)
    columns = {
        name: _of_person(joined[name], joined._index_date, covariate)
        for name, covariate in covariates.items()
    }
    return joined.select("row_id", **_named(columns))


def _of_person(value: ibis.Value, day: ibis.Value, covariate: Covariate) -> ibis.Value:
    """A value of the person; of a birth date, the age on the index date."""
    if covariate.take == "age":
        return completed_years(value, day)
    if covariate.take == "exact_age":
        return day.delta(value, unit="day").cast("float64") / DAYS_IN["years"]
    return value


def completed_years(born: ibis.Value, day: ibis.Value) -> ibis.Value:
    """Age in completed years; born on 29 February, one turns a year older on 1 March."""
    years = day.year() - born.year()
    before_birthday = (day.month() * 100 + day.day()) < (born.month() * 100 + born.day())
    return years - before_birthday.cast("int32")


def _windows(
    staying: ibis.Table,
    covariates: Mapping[str, Covariate],
    table_name: str,
    sources: Sources,
    code_lists: Mapping[str, CodeList],
) -> ibis.Table:
    """One row for each staying row that has linked rows in any window, with every covariate."""
    table, linked = sources.table(table_name), sources.linked(table_name)
    marks: dict[str, ibis.Value] = {}
    values: dict[str, ibis.Value] = {}
    for at, covariate in enumerate(covariates.values()):
        marks |= _marks(linked, at, covariate, table, code_lists)
        if covariate.source is not None:
            values[f"_value_{at}"] = value_of(linked, covariate.source, table)
    linked = linked.select(
        _who=linked._person, _date=linked[str(table.dated_by)], _place=linked.row_id,
        **marks, **values,
    )  # fmt: skip
    useful = linked.filter(linked._who.notnull() & reduce(or_, [linked[one] for one in marks]))
    joined = staying.inner_join(useful, staying._person == useful._who)
    joined = joined.mutate(_day=joined._date.delta(joined._index_date, unit="day"))
    spans = [one.days for one in covariates.values() if one.days]
    joined = joined.filter(joined._day <= max(span.last_day for span in spans))
    firsts = [span.first_day for span in spans]
    if None not in firsts:
        joined = joined.filter(joined._day >= min(firsts))
    columns = {}
    for at, (name, covariate) in enumerate(covariates.items()):
        columns[name] = _taken(joined, at, covariate, code_lists)
    return joined.group_by("row_id").agg(**_named(columns))


def linked_column(name: str) -> str:
    """Where a linked covariate stands among the rows, whatever the table's own columns are."""
    return f"_linked_{name}"


def _named(columns: Mapping[str, ibis.Value]) -> dict[str, ibis.Value]:
    return {linked_column(name): value for name, value in columns.items()}


def _marks(
    linked: ibis.Table,
    at: int,
    covariate: Covariate,
    table: Table,
    code_lists: Mapping[str, CodeList],
) -> dict[str, ibis.Value]:
    """Which rows count for a covariate; for a score, which count for each of its groups."""
    tests = [fulfils(linked, test, table) for test in covariate.where]
    if covariate.codes is None:
        return {f"_mark_{at}": reduce(and_, tests, ibis.literal(True))}
    code_list = code_lists[covariate.codes.list_name]
    if covariate.take != "score":
        coded = has_code(linked, covariate.codes, table, code_list)
        return {f"_mark_{at}": reduce(and_, [*tests, coded])}
    marks = {}
    for group in code_list.groups:  # also those not chosen: they can imply and supersede
        choice = covariate.codes.model_copy(update={"groups": (group,)})
        coded = has_code(linked, choice, table, code_list)
        marks[f"_mark_{at}_{group}"] = reduce(and_, [*tests, coded])
    return marks


def _taken(
    joined: ibis.Table, at: int, covariate: Covariate, code_lists: Mapping[str, CodeList]
) -> ibis.Value:
    """The covariate's value over the rows in its window."""
    if covariate.take == "score":
        return _score(joined, at, covariate, code_lists)
    counts = joined[f"_mark_{at}"] & _in_window(joined, covariate)
    order = joined._day * LATEST + joined._place
    value = joined[f"_value_{at}"] if covariate.source is not None else joined._day
    known = counts & value.notnull()
    match covariate.take:
        case "any":
            return counts.any()
        case "count":
            return counts.sum()
        case "first":
            return value.argmin(order, where=known)
        case "last":
            return value.argmax(order, where=known)
    # The nearest day; of rows on days equally near, the later one.
    nearest = joined._day.abs() * 2 + (joined._day < 0).cast("int64")
    return value.argmin(nearest * LATEST - joined._place, where=known)


def _in_window(joined: ibis.Table, covariate: Covariate) -> ibis.Value:
    days = covariate.days
    inside = joined._day <= days.last_day
    return inside if days.first_day is None else inside & (joined._day >= days.first_day)


def _score(
    joined: ibis.Table, at: int, covariate: Covariate, code_lists: Mapping[str, CodeList]
) -> ibis.Value:
    """The sum of the weights of the groups present; a group that another supersedes counts not."""
    code_list = code_lists[covariate.codes.list_name]
    groups = tuple(code_list.groups)
    chosen = covariate.codes.groups or groups
    inside = _in_window(joined, covariate)
    present = {
        group: (joined[f"_mark_{at}_{group}"] & inside).any().fill_null(False) for group in groups
    }
    coded = dict(present)
    for group in groups:  # several groups together can stand for another
        if implied := code_list.groups[group].implied_by:
            together = reduce(and_, [coded[other] for other in implied])
            present[group] = coded[group] | together
    total = ibis.literal(0)
    for group in chosen:
        above = [other for other in groups if group in code_list.groups[other].supersedes]
        counts = reduce(and_, [present[group], *[~present[other] for other in above]])
        total = total + ibis.ifelse(counts, code_list.groups[group].weight, 0)
    return total


def _without_rows(rows: ibis.Table, study: Study) -> dict[str, ibis.Value]:
    """A person without linked rows has none of what is counted; values stay missing."""
    nothing = {"any": False, "count": 0, "score": 0}
    return {
        linked_column(name): ibis.ifelse(
            rows._step.isnull(), rows[linked_column(name)].fill_null(nothing[covariate.take]), None
        )
        for name, covariate in study.variables.items()
        if covariate.link and covariate.take in nothing
    }
