"""The cases of a register and of its reference, read from the store for a comparison of sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import ibis
import pandas as pd

from workbench.analysis.cohort.linkage import Sources, open_sources
from workbench.analysis.row_tests import fulfils, has_code, value_of
from workbench.data.store import Store
from workbench.errors import DataError
from workbench.registers.codes import CodeList
from workbench.study import CodeChoice, SourceComparison, Study


@dataclass(frozen=True)
class Cases:
    """Cases in the register and in the reference: one row a case.

    Both have `person`, `date`, `part` (sub-register) and the column the study compares by, with
    the words of its definition. Those of the register have `reported_date` too, where the study
    asks for the lag. Rows without a date are in neither, and counted in `n_undated`.
    """

    register: pd.DataFrame
    reference: pd.DataFrame
    n_undated: Mapping[str, int]  # by table


def read_cases(
    study: Study, store: Store, *, code_lists: Mapping[str, CodeList] | None = None
) -> Cases:
    """Read the cases that a study's `compare_sources` asks for.

    Persons with an old and a new identity number are one person, as in cohorts. Of a person's
    rows in one part of the reference with codes, the first counts: a register of tumours may hold
    several of one disease.

    Raises
    ------
    DataError
        A part without any case in the register or in the reference.
    """
    rules = study.compare_sources
    if rules is None:
        raise DataError("The study compares no sources: give it compare_sources.")
    n_undated: dict[str, int] = {}
    with open_sources(study, store) as sources:
        own = [
            _register_part(sources, part, table, rules, n_undated)
            for part, table in rules.parts.items()
        ]
        other = [
            _reference_part(sources, part, rules, code_lists or {}, n_undated)
            for part in rules.parts
        ]
    for name, parts in (("register", own), ("reference", other)):
        for part, rows in zip(rules.parts, parts, strict=True):
            if rows.empty:
                raise DataError(
                    f"compare_sources: the {name} has no case of the part {part}. Check the tables "
                    "and codes, or leave the part out."
                )
    return Cases(_joined(own, rules), _joined(other, rules), n_undated)


def _register_part(
    sources: Sources, part: str, table: str, rules: SourceComparison, n_undated: dict[str, int]
) -> pd.DataFrame:
    definition, rows = sources.table(table), sources.rows(table)
    for test in rules.where:
        rows = rows.filter(fulfils(rows, test, definition))
    columns = {"date": rows[str(definition.dated_by)]}
    if rules.lag is not None:
        reported = rules.lag.reported or definition.meaning("registered_date")
        columns["reported_date"] = rows[str(reported)]
    return _read(sources, table, rows, part, rules.by, columns, n_undated)


def _reference_part(
    sources: Sources, part: str, rules: SourceComparison, code_lists: Mapping[str, CodeList],
    n_undated: dict[str, int],
) -> pd.DataFrame:  # fmt: skip
    reference = rules.reference
    definition, rows = sources.table(reference.table), sources.rows(reference.table)
    for test in reference.where:
        rows = rows.filter(fulfils(rows, test, definition))
    choice = reference.codes
    if choice is not None:
        groups = choice.groups or ((part,) if len(rules.parts) > 1 else ())
        asked = CodeChoice.model_construct(
            variables=choice.variables, list_name=choice.list_name, groups=groups
        )
        rows = rows.filter(has_code(rows, asked, definition, code_lists[choice.list_name]))
    columns = {"date": rows[str(reference.date or definition.dated_by)]}
    found = _read(sources, reference.table, rows, part, rules.by, columns, n_undated)
    if choice is None:
        return found
    return found.sort_values(["date", "person"], kind="stable").drop_duplicates("person")


def _read(
    sources: Sources, table: str, rows: ibis.Table, part: str, by: str,
    columns: Mapping[str, ibis.Value], n_undated: dict[str, int],
) -> pd.DataFrame:  # fmt: skip
    """Rows of a table as cases, with the words of the column they are compared by."""
    definition = sources.table(table)
    person = rows[str(definition.person)]
    rows = rows.mutate(**columns, _own=person, _by=value_of(rows, by, definition))
    rows = sources.with_text(rows)
    # Who is in no population register keeps the pseudonym of the row.
    chosen = rows.select(
        "row_id", *columns, person=ibis.coalesce(rows._text, rows._own), **{by: rows._by}
    )
    found = chosen.order_by("row_id").execute().drop(columns="row_id")
    undated = found["date"].isna()
    n_undated[table] = n_undated.get(table, 0) + int(undated.sum())
    words = definition.variables[by].codes
    named = found[by].map(lambda code: words.get(code, code), na_action="ignore")
    return found[~undated].assign(part=part, **{by: named[~undated]})


def _joined(parts: list[pd.DataFrame], rules: SourceComparison) -> pd.DataFrame:
    kind = pd.CategoricalDtype(list(rules.parts), ordered=True)
    whole = pd.concat(parts, ignore_index=True)
    return whole.assign(part=whole["part"].astype(kind), date=pd.to_datetime(whole["date"]))
