"""Rows of a study's table with everything that filters ask of them, worked out once.

What takes time is to look persons up in other registers. That does not depend on the period, the
conditions or the group, so it is done for every row and kept on the engine; a change of a filter
then only asks these rows. The rows come from the same functions as a run's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, fields
from typing import Any

import ibis
from ibis import _

from workbench.analysis.cohort.follow_up import causes_of, with_follow_up, with_population
from workbench.analysis.cohort.linkage import (
    Sources,
    columns_used,
    open_sources,
    population_roles,
    tables_read,
)
from workbench.analysis.cohort.windows import linked_column, with_linked_columns
from workbench.analysis.indicators.marks import MARKS, marks_of
from workbench.analysis.row_tests import value_of
from workbench.data.store import Store
from workbench.registers.indicators import Indicator
from workbench.study import DAYS_IN, Definitions, Study

FACTS = "explored_facts"


@dataclass
class KeptSources(Sources):
    """Sources that outlive one study: what is kept on the engine serves the next one too."""

    still_wanted: Callable[[], None] = field(default=lambda: None)  # raises when not
    made: list[str] = field(default_factory=list)

    def keep(self, rows: ibis.Table, name: str) -> ibis.Table:
        """Rows worked out and kept, unless nobody waits for them any more."""
        self.still_wanted()
        kept = super().keep(rows, name)
        self.made.append(kept.get_name())
        return kept

    def linked(self, name: str) -> ibis.Table:
        """As for one study; of tables beside the population's only the rows of its own persons."""
        if name not in self._linked and name not in self.roles.values():
            every = self.rows(name)
            persons = self.rows(self.main).select("_person").distinct()
            wanted = ("_was_renumbered", *columns_used(self.study, name, self.table(name)))
            used = [one for one in wanted if one in every.columns]
            theirs = every.semi_join(persons, "_person").select("row_id", "_person", *used)
            self._linked[name] = self.keep(theirs, f"linked_{name.replace('.', '_')}")
        return super().linked(name)

    def serve(self, study: Study) -> None:
        """Read for another study of the same table and population."""
        self.study = study
        self.roles = population_roles(study, self.store)
        self.versions = {name: self.store.version(name) for name in tables_read(study, self.store)}
        for name in [one for one in self._linked if one in self.versions]:
            used = columns_used(study, name, self.table(name))
            if not {*used} <= {*self._linked[name].columns}:
                del self._linked[name]
                self._once.pop(f"one_row_{name}", None)
        if self._numbers is None and len(self.versions) > 1 and self.table(self.main).person:
            self.count_persons_through()

    def forget(self, names: list[str]) -> None:
        """Give back the room of tables that are asked no more."""
        for name in names:
            self.engine.raw_sql(f"drop table if exists {name}")
            self.made.remove(name)


@dataclass(frozen=True)
class Facts:
    """The rows of a study's table on the engine, before anybody leaves.

    Beside the table's own columns and those that steps ask for, the columns `value_0` ... of the
    study's variables in their order, `follow_up`, `has_event` and `cause`, and of each indicator
    `mark_0_0` (in its denominator) and `mark_0_1` (in its numerator).
    """

    rows: ibis.Table
    sources: KeptSources
    indicators: tuple[str, ...]  # those of the table, in the order of their marks
    columns: frozenset[str]


class FactRoom:
    """The facts of the newest study, and of those before it what still holds."""

    def __init__(self, store: Store, still_wanted: Callable[[], None]) -> None:
        self._store = store
        self._still_wanted = still_wanted
        self._open = ExitStack()
        self._sources: KeptSources | None = None
        self._place: object = None  # the table and the population served
        self._index_date: object = None
        self._base: ibis.Table | None = None
        self._key: object = None
        self._facts: Facts | None = None
        self._covariates: dict[str, ibis.Table] = {}  # what was looked up, by what it is
        self._made: list[str] = []

    @property
    def engine(self) -> Any:
        """The engine at work, or nothing before the first study."""
        return None if self._sources is None else self._sources.engine

    def has(self, study: Study) -> bool:
        """Whether a study's facts are there, so that it is answered at once."""
        return self._facts is not None and self._key == _key_of(study)

    def facts_of(self, study: Study, known: Definitions) -> Facts:
        """The rows of a study's table with all that is asked of them."""
        if self.has(study) and self._facts is not None:
            self._facts.sources.study = study
            return self._facts
        sources = self._serving(study)
        rows = self._based(study, sources)
        self._let_go_of_facts()
        before = set(sources.made)
        rows = self._with_covariates(rows, study, known)
        rows = with_follow_up(rows, study, sources, known.code_lists)
        own = {
            name: one
            for name, one in known.indicators.items()
            if one.definition.table == study.main_table and one.definition.type == "proportion"
        }
        rows = rows.mutate(**_analysed(rows, study, sources), **_marks(rows, own))
        kept = sources.keep(rows, FACTS)
        lasting = [*sources._linked.values(), *sources._once.values()]
        lasting += [*self._covariates.values(), kept]
        names = {one.get_name() for one in lasting}
        sources.forget([one for one in sources.made if one not in before | names])
        self._made = [kept.get_name()]
        self._facts = Facts(kept, sources, tuple(own), frozenset(kept.columns))
        self._key = _key_of(study)
        return self._facts

    def close(self) -> None:
        """Give the engine back with all that it keeps."""
        self._open.close()
        self._sources = self._base = self._facts = None
        self._place = self._index_date = self._key = None
        self._made, self._covariates = [], {}

    def _serving(self, study: Study) -> KeptSources:
        """Sources for a study: those at hand when it is of the same table and population."""
        place = (study.main_table, study.population)
        if self._sources is None or self._place != place:
            self.close()
            opened = self._open.enter_context(open_sources(study, self._store))
            given = {one.name: getattr(opened, one.name) for one in fields(Sources)}
            self._sources = KeptSources(**given, still_wanted=self._still_wanted)
            self._place = place
        self._sources.serve(study)
        return self._sources

    def _based(self, study: Study, sources: KeptSources) -> ibis.Table:
        """The table's rows with what the population register says of their persons."""
        about = (study.cohort.index_date, sources._numbers is not None)
        if self._base is None or self._index_date != about:
            rows = sources.rows(sources.main)
            if study.cohort.index_date:
                rows = rows.mutate(_index_date=rows[study.cohort.index_date])
            if self._base is not None:
                stale = [self._base, *self._covariates.values()]
                sources.forget([one.get_name() for one in stale])
                self._covariates = {}
            self._base = sources.keep(with_population(rows, study, sources), "explored_rows")
            self._index_date = about
        return self._base

    def _with_covariates(self, rows: ibis.Table, study: Study, known: Definitions) -> ibis.Table:
        """Add what other tables say; each covariate is looked up once and then kept."""
        linked = {name: one for name, one in study.variables.items() if one.link}
        asked = rows.mutate(_step=ibis.null("int8"))
        for name, covariate in linked.items():
            about = covariate.model_dump_json(exclude={"label", "cut", "unit"})
            if about not in self._covariates:
                only = study.model_copy(update={"variables": {name: covariate}})
                found = with_linked_columns(asked, only, self._at_hand, known.code_lists)
                chosen = found.select("row_id", _looked_up=found[linked_column(name)])
                self._covariates[about] = self._at_hand.keep(chosen, "explored_covariate")
            kept = self._covariates[about].rename(**{linked_column(name): "_looked_up"})
            rows = rows.left_join(kept, "row_id").drop("row_id_right")
        return rows

    @property
    def _at_hand(self) -> KeptSources:
        if self._sources is None:
            raise AssertionError("facts are asked for before a study is served")
        return self._sources

    def _let_go_of_facts(self) -> None:
        if self._sources is not None:
            self._sources.forget(self._made)
        self._made, self._facts, self._key = [], None, None


def _key_of(study: Study) -> str:
    """What the facts of a study depend on: not who is in, nor how they are compared."""
    lasting = {"cohort", "register_name", "table", "as_of", "population", "follow_up", "variables"}
    kept = study.model_dump(mode="json", include=lasting | {"indicators"})
    kept["cohort"] = study.cohort.index_date
    # Labels and cuts are put on what the engine gives.
    kept["variables"] = {
        name: one.model_dump(mode="json", exclude={"label", "cut", "unit"})
        for name, one in study.variables.items()
    }
    return repr(kept)


def _analysed(rows: ibis.Table, study: Study, sources: Sources) -> dict[str, ibis.Value]:
    """The study's variables and follow-up as a run fetches them."""
    table = sources.table(sources.main)
    columns: dict[str, ibis.Value] = {}
    for at, (name, covariate) in enumerate(study.variables.items()):
        own = covariate.link is None
        value = value_of(rows, study.source_of(name), table) if own else rows[linked_column(name)]
        columns[f"value_{at}"] = value
    if study.follow_up is not None:
        given = study.follow_up.duration
        unit = str(table.variables[given].unit) if given else "days"
        factor = _._days / DAYS_IN[study.follow_up.unit]
        columns["follow_up"] = _._length if unit == study.follow_up.unit else _._length * factor
        places = [(_._ended_by == one, at) for at, one in enumerate(causes_of(study), start=1)]
        columns["cause"] = ibis.cases(*places, else_=0).cast("int8")
        columns["has_event"] = _._event
    return columns


def _marks(rows: ibis.Table, indicators: Mapping[str, Indicator]) -> dict[str, ibis.Value]:
    """Who is in the denominator and the numerator of each indicator."""
    marks: dict[str, ibis.Value] = {}
    for at, one in enumerate(indicators.values()):
        found = marks_of(rows, one)
        marks |= {f"mark_{at}_{place}": found[name] for place, name in enumerate(MARKS)}
    return marks
