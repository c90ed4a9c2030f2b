"""What a study comes to, counted by the engine from its facts.

Only counts leave the engine: of rows that leave at each step, and of rows alike in a value, a
group, a length of follow-up. Estimators get these rows counted out again, without anybody's name,
date or row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
from ibis import _

from workbench.analysis.cohort.covariates import as_analysed
from workbench.analysis.cohort.follow_up import follow_up_steps, population_steps
from workbench.analysis.cohort.ledger import Ledger, count_ledger
from workbench.analysis.cohort.selection import LATER_ROW
from workbench.analysis.cohort.steps import (
    Step,
    calendar_steps,
    first_step,
    linked_steps,
    own_steps,
)
from workbench.analysis.description import table_one
from workbench.errors import DataError
from workbench.output.explorer.facts import Facts
from workbench.registers.schema import Table
from workbench.study import Definitions, Study, column_variable

CHOSEN = "explored_rows_chosen"  # always by this name, so that what is asked of it stays the same
TOO_SOON = "_too_soon"


@dataclass(frozen=True)
class Chosen:
    """Rows with the step at which each leaves, on the engine."""

    rows: ibis.Table
    reasons: tuple[str, ...]
    n_unlinked: int  # steps asked before other registers were looked up
    facts: Facts
    study: Study
    known: Definitions

    @property
    def n_left(self) -> int:
        """How many rows stay."""
        sql = f"select count(*) from {CHOSEN} where _step is null"
        return int(self._engine.execute(sql).fetchone()[0])

    def ledger(self) -> Ledger:
        """Who left where and why, and what they were like."""
        return count_ledger(
            self.rows, self.reasons, study=self.study, sources=self.facts.sources,
            n_unlinked=self.n_unlinked,
        )  # fmt: skip

    def counted_out(self, names: Sequence[str]) -> pd.DataFrame:
        """Those who stay, with some of the study's columns and no others, rows alike together."""
        places = {name: f"value_{at}" for at, name in enumerate(self.study.variables)}
        columns = [places.get(name, name) for name in names]
        listed = ", ".join(f'"{one}"' for one in columns)
        sql = f"select {listed}, count(*) as _n from {CHOSEN} where _step is null group by all"
        given = self._engine.execute(f"{sql} order by all").to_arrow_table()
        frame = _with_categories(given).rename(columns=dict(zip(columns, names, strict=True)))
        tables = {t: one.definition for t, one in self.facts.sources.versions.items()}
        for name in names:
            if name in places:
                variable = column_variable(self.study, name, tables)
                frame[name] = as_analysed(frame[name], self.study.variables[name], variable)
        times = frame.pop("_n").to_numpy()
        return frame.loc[np.repeat(frame.index.to_numpy(), times)].reset_index(drop=True)

    def table_one(self) -> pd.DataFrame:
        """The study's variables described, by its group; each made from its own counts."""
        group = [self.study.group] if self.study.group else []
        described = [name for name in self.study.variables if name not in group]
        parts = [
            table_one(self.counted_out([name, *group]), variables=[name], by=self.study.group)
            for name in described
        ]
        if not parts:
            raise DataError("There is no variable to describe. Choose a covariate.")
        return pd.concat(parts, ignore_index=True)

    def marked(self, indicator: str) -> pd.DataFrame:
        """Those who stay with their unit, and whether an indicator counts them."""
        at = self.facts.indicators.index(indicator)
        names = {f"mark_{at}_0": "in_denominator", f"mark_{at}_1": "in_numerator"}
        unit = self.study.units.by if self.study.units else ""
        found = self.counted_out([unit, *names]).rename(columns=names)
        return found.astype(dict.fromkeys(names.values(), "boolean"))

    @property
    def _engine(self) -> Any:
        return self.facts.sources.engine.con


def choose_rows(facts: Facts, study: Study, known: Definitions) -> Chosen:
    """Ask every row of a study's table at which step it leaves, as a run does."""
    sources, rows = facts.sources, facts.rows
    table = sources.table(sources.main)
    tables = {name: version.definition for name, version in sources.versions.items()}
    by_value = own_steps(rows, study, table, known.code_lists)
    early = [*calendar_steps(study, table), *by_value]
    if study.cohort.washout_days:
        rows, step = _with_washout(rows, study.cohort.washout_days, by_value)
        early.append(step)
    early += population_steps(study)
    steps = [*early, *linked_steps(rows, study, tables), *follow_up_steps(study)]
    reasons = [step.reason for step in steps]
    rows = rows.mutate(_step=first_step(steps).cast("int8"))
    sources.still_wanted()
    asked = rows.select(*_asked_later(rows.columns, study, table))
    sql = sources.engine.compile(asked)
    sources.engine.con.execute(f"create or replace temp table {CHOSEN} as {sql}")
    chosen = sources.engine.table(CHOSEN)
    if table.person and study.cohort.events == "first":
        reasons.append(LATER_ROW)
        _one_row_a_person(facts, study, step=len(reasons))
    return Chosen(chosen, tuple(reasons), len(early), facts, study, known)


def _asked_later(columns: Sequence[str], study: Study, table: Table) -> list[str]:
    """The columns that are asked once it is known who leaves; conditions have had theirs."""
    wanted = {"row_id", "follow_up", "has_event", "cause"}
    wanted |= {study.source_of(name) for name in study.variables}
    wanted |= {name for pair in table.date_order for name in pair}
    wanted |= {table.dated_by} if table.dated_by else set()
    made = ("_", "value_", "mark_")
    return [name for name in columns if name in wanted or name.startswith(made)]


def _with_washout(rows: ibis.Table, days: int, by_value: Sequence[Step]) -> tuple[ibis.Table, Step]:
    """Mark rows that come too soon after another row that fulfils the same conditions."""
    meets = first_step(by_value).isnull() & _._index_date.notnull()
    rows = rows.mutate(_meets=meets)
    window = ibis.window(group_by=["_person", "_meets"], order_by=["_index_date", "row_id"])
    rows = rows.mutate(_before=rows._index_date.lag().over(window))
    soon = rows._index_date.delta(rows._before, unit="day") < days
    rows = rows.mutate(**{TOO_SOON: rows._meets & soon.fill_null(False)}).drop("_meets", "_before")
    return rows, Step(f"another one less than {days} days before", _[TOO_SOON])


def _one_row_a_person(facts: Facts, study: Study, *, step: int) -> None:
    """Of several rows of one person that stay, only the first by index date (then row) stays."""
    order = "_index_date, row_id" if study.cohort.index_date else "row_id"
    facts.sources.engine.con.execute(
        f"""update {CHOSEN} set _step = {step} where row_id in (
            select row_id from (
                select row_id, row_number() over (partition by _person order by {order}) as place
                from {CHOSEN} where _step is null and _person in (
                    select _person from {CHOSEN} where _step is null
                    group by _person having count(*) > 1))
            where place > 1)"""
    )


def _with_categories(rows: pa.Table) -> pd.DataFrame:
    """Rows as a frame; texts as categories, so that a level is handled once."""
    for at, column in enumerate(rows.schema):
        if pa.types.is_string(column.type):
            rows = rows.set_column(at, column.name, rows.column(at).dictionary_encode())
    return rows.to_pandas(date_as_object=False)
