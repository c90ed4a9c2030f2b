"""Choose the persons of a study and follow them: on the engine, with a ledger that adds up.

Every row of the study's table gets the number of the first step at which it leaves; the ledger,
the profile of those who left and the cohort itself are counted from that. Other registers are
joined for the rows that are still there when their turn comes. Only the rows of the cohort, with
the study's columns, enter Python.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import ibis
import pandas as pd
import pyarrow as pa
from ibis import _

from workbench.analysis.cohort.code_checks import code_checks
from workbench.analysis.cohort.comparison import COMPARISON, PATIENT, draw_comparison
from workbench.analysis.cohort.covariates import as_analysed
from workbench.analysis.cohort.follow_up import (
    causes_of,
    follow_up_steps,
    population_steps,
    with_follow_up,
    with_population,
)
from workbench.analysis.cohort.ledger import Ledger, count_ledger, count_steps
from workbench.analysis.cohort.link_report import report_links
from workbench.analysis.cohort.linkage import Sources, open_sources
from workbench.analysis.cohort.steps import calendar_steps, first_step, linked_steps, own_steps
from workbench.analysis.cohort.windows import linked_column, with_linked_columns
from workbench.analysis.indicators.marks import MARKS, marks_of
from workbench.analysis.row_tests import value_of
from workbench.data.store import Store, Version
from workbench.errors import DataError
from workbench.registers.codes import CodeList
from workbench.registers.indicators import Indicator
from workbench.registers.variables import Variable
from workbench.study import DAYS_IN, Study, column_variable

LATER_ROW = "a later row of the same person"
CodeLists = Mapping[str, CodeList]


@dataclass(frozen=True)
class Cohort:
    """One row a person (or a person's event), and how they were chosen.

    `persons`: `person`, `index_date` where the register delivers dates, the study's variables
    (categories carry the definition's words, unknown codes are missing). Where the study follows
    them also `follow_up` in its unit, `has_event`, and `ended_by`: outcome, a competing cause by
    its name, death, emigration, end of follow-up (in the register), end of data (`as_of`); and
    `cause`, the same for competing risks: 0 censored, 1 the outcome, then the others of `causes`.
    With comparison persons also `matched_as` (patient, comparison person) and `matched_set`.

    `marks`: of each indicator of the study's own table `in_denominator` and `in_numerator`, in the
    rows of `persons`.
    """

    persons: pd.DataFrame
    ledger: Ledger
    versions: dict[str, Version]  # table -> what was read
    causes: tuple[str, ...] = ()  # what ends follow-up besides censoring: the outcome first
    marks: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """Rows of the cohort: persons, or their events."""
        return len(self.persons)

    @property
    def n_persons(self) -> int:
        """Persons of the cohort, comparison persons too; one with several rows counts once."""
        return int(self.persons["person"].nunique())

    @property
    def n_events(self) -> int:
        """How many of them have the event."""
        return int(self.persons["has_event"].sum()) if "has_event" in self.persons else 0


def select_cohort(
    study: Study, store: Store, *, code_lists: CodeLists | None = None,
    indicators: Mapping[str, Indicator] | None = None,
) -> Cohort:  # fmt: skip
    """The persons a study is about, each with index date, covariates, follow-up and event.

    The study must have been checked against its definitions, of which `code_lists` and `indicators`
    are those it names. Raises `StoreError` when a table is not in the store and `DataError` when
    nobody is left, saying at which step.
    """
    lists = code_lists or {}
    with open_sources(study, store) as sources:
        rows, reasons = _chosen(study, sources, lists)
        n_asked = len(reasons) + len(population_steps(study))
        rows, more = _linked_and_followed(rows, study, sources, lists, after=len(reasons))
        reasons += more
        rows = sources.keep(rows, "cohort_rows")
        if sources.table(sources.main).person and study.cohort.events == "first":
            reasons.append(LATER_ROW)
            _one_row_a_person(rows, study, sources, step=len(reasons))
        ledger = count_ledger(rows, reasons, study=study, sources=sources, n_unlinked=n_asked)
        own = {
            name: one
            for name, one in (indicators or {}).items()
            if one.definition.table == study.main_table and one.definition.type == "proportion"
        }
        persons, marks = _marked(_persons(rows, study, sources, own), own)
        if persons.empty:
            raise DataError(_nobody_left(ledger.steps))
        staying = rows.filter(rows._step.isnull())
        if study.comparison is not None:
            steps, more_rows, checks = _compared(rows, study, sources, lists)
            ledger = replace(
                ledger,
                comparison=steps,
                n_wanted=study.comparison.n * int(ledger.steps["n_rows_in"].iloc[-1]),
                n_short=next(iter(checks.values())),
            ).with_checks(checks)
            drawn = more_rows.filter(more_rows._step.isnull())
            persons = _both(persons, _persons(more_rows, study, sources))
            links = ["row_id", "_person", "_index_date"]
            staying = staying.select(links).union(drawn.select(links))
        ledger = ledger.with_checks(code_checks(study, sources, lists))
        ledger = replace(ledger, links=report_links(staying, study, sources))
        return Cohort(persons, ledger, dict(sources.versions), causes_of(study), marks)


def _chosen(study: Study, sources: Sources, lists: CodeLists) -> tuple[ibis.Table, list[str]]:
    """The table's rows with `_step` after everything the table itself can decide."""
    table, rows = sources.table(sources.main), sources.rows(sources.main)
    if study.cohort.index_date:
        rows = rows.mutate(_index_date=rows[study.cohort.index_date])
    by_date, by_value = calendar_steps(study, table), own_steps(rows, study, table, lists)
    rows = rows.mutate(_step=first_step([*by_date, *by_value]))
    reasons = [step.reason for step in [*by_date, *by_value]]
    washout = study.cohort.washout_days
    if washout:
        meets = first_step(by_value).isnull() & _._index_date.notnull()
        rows = rows.mutate(_meets=meets)
        window = ibis.window(group_by=["_person", "_meets"], order_by=["_index_date", "row_id"])
        rows = rows.mutate(_before=rows._index_date.lag().over(window))
        too_soon = rows._index_date.delta(rows._before, unit="day") < washout
        leaves = rows._step.isnull() & rows._meets & too_soon.fill_null(False)
        rows = rows.mutate(_step=ibis.ifelse(leaves, len(reasons) + 1, rows._step))
        rows = rows.drop("_meets", "_before")
        reasons.append(f"another one less than {washout} days before")
    if not study.linked_tables and study.population is None:
        return rows, reasons
    return sources.keep(rows, "chosen_rows"), reasons


def _linked_and_followed(
    rows: ibis.Table, study: Study, sources: Sources, lists: CodeLists, *, after: int
) -> tuple[ibis.Table, list[str]]:
    """Add what other registers say, and follow-up; rows leave by what comes of it."""
    rows = with_population(rows, study, sources)
    rows, reasons = _leave(rows, population_steps(study), after)
    rows = with_linked_columns(rows, study, sources, lists)
    tables = {name: version.definition for name, version in sources.versions.items()}
    more = linked_steps(rows, study, tables)
    rows, by_link = _leave(rows, more, after + len(reasons))
    rows = with_follow_up(rows, study, sources, lists)
    done = after + len(reasons) + len(by_link)
    rows, by_length = _leave(rows, follow_up_steps(study), done)
    return rows, [*reasons, *by_link, *by_length]


def _leave(rows: ibis.Table, steps: Sequence, after: int) -> tuple[ibis.Table, list[str]]:
    """Rows that are still there leave at the first of some steps."""
    if not steps:
        return rows, []
    rows = rows.mutate(_step=ibis.coalesce(rows._step, first_step(steps, after=after)))
    return rows, [step.reason for step in steps]


def _one_row_a_person(rows: ibis.Table, study: Study, sources: Sources, *, step: int) -> None:
    """Of several rows of one person that stay, only the first by index date (then row) stays.

    The later ones get the number of their step in place: they are few, and the rows are many.
    """
    staying = rows.filter(rows._step.isnull())
    # Most persons have one row; only the others are put in order, which is what takes time.
    several = staying.group_by("_person").having(_.count() > 1).agg(_n=_.count())
    theirs = staying.semi_join(several, "_person")
    order = ["_index_date"] if study.cohort.index_date else []
    place = ibis.row_number().over(group_by="_person", order_by=[*order, "row_id"])
    placed = theirs.select("row_id", _place=place)
    later = sources.keep(placed.filter(placed._place > 0), "later_rows")
    sources.engine.raw_sql(
        f"update {rows.get_name()} set _step = {step} "
        f"where row_id in (select row_id from {later.get_name()})"
    )


def _compared(
    rows: ibis.Table, study: Study, sources: Sources, lists: CodeLists
) -> tuple[pd.DataFrame, ibis.Table, dict[str, int]]:
    """Comparison persons, who pass the same steps: their steps, their rows, what to know."""
    drawn, n_short = draw_comparison(rows, study, sources)
    followed, reasons = _linked_and_followed(drawn, study, sources, lists, after=0)
    followed = sources.keep(followed, "comparison_rows")
    steps = count_steps(followed, reasons, population="comparison persons")
    short = f"patients with fewer than {study.comparison.n} comparison persons alike"
    return steps, followed, {short: n_short}


def _marked(
    persons: pd.DataFrame, indicators: Mapping[str, Indicator]
) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """The persons without the columns of marks, and these by indicator."""
    marks = {}
    for at, name in enumerate(indicators):
        columns = {f"_mark_{at}_{one}": one for one in MARKS}
        marks[name] = persons[[*columns]].rename(columns=columns).astype("boolean")
        persons = persons.drop(columns=[*columns])
    return persons, marks


def _persons(
    rows: ibis.Table, study: Study, sources: Sources,
    indicators: Mapping[str, Indicator] | None = None,
) -> pd.DataFrame:  # fmt: skip
    """The rows that stay, as a frame with the study's columns, and the marks of indicators."""
    rows = sources.with_text(rows)
    columns = {"person": _._text}
    if study.cohort.index_date:
        columns["index_date"] = _._index_date
    table = sources.table(sources.main)
    for name, covariate in study.variables.items():
        if covariate.link:
            columns[name] = rows[linked_column(name)]
        elif study.source_of(name) in rows.columns:
            columns[name] = value_of(rows, study.source_of(name), table)
        else:  # comparison persons have no rows in the study's own table
            columns[name] = ibis.null(_kept_type(table.variables[study.source_of(name)]))
    if "_matched_set" in rows.columns:
        columns["matched_set"] = rows._matched_set
    elif study.comparison is not None:
        columns["matched_set"] = rows.row_id
    if study.follow_up is not None:
        # A duration already in the study's unit is not touched: 12 months stay 12.
        factor = _._days / DAYS_IN[study.follow_up.unit]
        length = rows._length if _same_unit(study, sources) else _._length * factor
        places = [(_._ended_by == one, at) for at, one in enumerate(causes_of(study), start=1)]
        cause = ibis.cases(*places, else_=0).cast("int8")
        columns |= {"follow_up": length, "has_event": _._event, "ended_by": _._ended_by}
        columns["cause"] = cause
    for at, indicator in enumerate((indicators or {}).values()):
        found = marks_of(rows, indicator)
        columns |= {f"_mark_{at}_{name}": value for name, value in found.items()}
    chosen = rows.filter(rows._step.isnull()).order_by("_text", "row_id")
    frame = _as_frame(chosen.select(**columns).to_pyarrow())
    tables = {name: version.definition for name, version in sources.versions.items()}
    for name, covariate in study.variables.items():
        variable = column_variable(study, name, tables)
        frame[name] = as_analysed(frame[name], covariate, variable)
    return frame


def _kept_type(variable: Variable) -> str:
    """The type a variable has in the frame, for who has no value of it."""
    return "string" if variable.is_category else "float64"


def _as_frame(rows: pa.Table) -> pd.DataFrame:
    """Rows as a frame; texts but the person as categories, so that a level is handled once."""
    for at, column in enumerate(rows.schema):
        if pa.types.is_string(column.type) and column.name != "person":
            rows = rows.set_column(at, column.name, rows.column(at).dictionary_encode())
    return rows.to_pandas(date_as_object=False)


def _both(patients: pd.DataFrame, compared: pd.DataFrame) -> pd.DataFrame:
    """Patients and comparison persons as one frame; categories keep the order of both."""
    kind = pd.CategoricalDtype([PATIENT, COMPARISON])
    parts = [patients.assign(matched_as=PATIENT), compared.assign(matched_as=COMPARISON)]
    for name in patients.columns:
        kinds = [part[name].dtype for part in parts]
        if all(isinstance(one, pd.CategoricalDtype) for one in kinds):
            levels = dict.fromkeys([*kinds[0].categories, *kinds[1].categories])
            shared = pd.CategoricalDtype([*levels])
            parts = [part.assign(**{name: part[name].astype(shared)}) for part in parts]
    whole = pd.concat(parts, ignore_index=True)
    return whole.assign(matched_as=whole["matched_as"].astype(kind))


def _same_unit(study: Study, sources: Sources) -> bool:
    duration = study.follow_up.duration
    variables = sources.table(sources.main).variables
    given = str(variables[duration].unit) if duration else "days"
    return given == study.follow_up.unit


def _nobody_left(steps: pd.DataFrame) -> str:
    emptied = steps[(steps["n_rows_in"] > 0) & (steps["n_rows_in"] == steps["n_rows_out"])]
    at = f' The last ones left at the step "{emptied["reason"].iloc[0]}".' if len(emptied) else ""
    return f"The cohort is empty: nobody fulfils the study's rules.{at} Widen the rules."
