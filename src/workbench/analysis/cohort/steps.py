"""Reasons for which rows leave a cohort, in the order in which they are asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import ibis
from ibis import _

from workbench.analysis.cohort.covariates import unit_factor, variable_words
from workbench.analysis.cohort.windows import linked_column
from workbench.analysis.row_tests import fulfilled, fulfils, has_code
from workbench.registers.codes import CodeList
from workbench.registers.schema import Table
from workbench.study import Condition, Study, column_variable


@dataclass(frozen=True)
class Step:
    """A reason to leave, and the rows that have it."""

    reason: str
    leaves: ibis.Value


def calendar_steps(study: Study, table: Table) -> list[Step]:
    """Reasons that the index date gives."""
    rules = study.cohort
    if rules.index_date is None:
        return []
    steps = [Step(f"no {variable_words(rules.index_date, table)}", _._index_date.isnull())]
    if rules.period:
        first, last = rules.period.first, rules.period.last
        steps.append(Step(f"before {first}", _._index_date < ibis.literal(first)))
        steps.append(Step(f"after {last}", _._index_date > ibis.literal(last)))
    elif study.as_of:
        steps.append(Step(f"after {study.as_of}", _._index_date > ibis.literal(study.as_of)))
    return steps


def own_steps(
    rows: ibis.Table, study: Study, table: Table, code_lists: Mapping[str, CodeList]
) -> list[Step]:
    """Reasons that conditions on the table's own variables give."""
    steps = []
    for condition, included in _conditions(study):
        if is_linked(condition, study):
            continue
        if condition.codes:
            holds = has_code(rows, condition.codes, table, code_lists[condition.codes.list_name])
        else:
            holds = fulfils(rows, condition.test, table)
        steps.append(Step(condition.because, ~holds if included else holds))
    return steps


def linked_steps(rows: ibis.Table, study: Study, tables: Mapping[str, Table]) -> list[Step]:
    """Reasons that conditions on columns from other tables give."""
    steps = []
    for condition, included in _conditions(study):
        if is_linked(condition, study):
            name = str(condition.variable)
            variable = column_variable(study, name, tables)
            factor = unit_factor(study.variables[name], variable)
            value = rows[linked_column(name)]
            holds = fulfilled(value * factor if factor != 1 else value, condition.test, variable)
            steps.append(Step(condition.because, ~holds if included else holds))
    return steps


def is_linked(condition: Condition, study: Study) -> bool:
    """Whether a condition is on a column that comes from another table."""
    column = study.variables.get(condition.variable or "")
    return column is not None and column.link is not None


def _conditions(study: Study) -> list[tuple[Condition, bool]]:
    include = [(condition, True) for condition in study.cohort.include]
    return include + [(condition, False) for condition in study.cohort.exclude]


def first_step(steps: Sequence[Step], *, after: int = 0) -> ibis.Value:
    """The number of the first step at which a row leaves; missing when it stays."""
    numbered = [(step.leaves, number) for number, step in enumerate(steps, start=after + 1)]
    return ibis.cases(*numbered) if numbered else ibis.null("int8")
