"""The tables of one study on one engine, and whom each of their rows is about.

Persons are the same when their pseudonyms are. Where a population register tells who got a new
number, rows under an earlier number count as rows of the person who has the new one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import ibis
import pandas as pd

from workbench.data.staging import private_folder
from workbench.data.store import Store, Version
from workbench.errors import StoreError
from workbench.registers.schema import Role, Table
from workbench.study import Covariate, LinkedEvent, Study

MEMORY = "2GB"  # beyond it the engine puts intermediate results on disk
NEEDED: tuple[Role, ...] = ("persons", "migrations", "number_changes")


@dataclass
class Sources:
    """What a study reads: made by `open_sources`, gone with its engine.

    Where tables are linked, persons are counted through (`_person` is a whole number): pseudonyms
    are compared once for each table, and numbers from then on.
    """

    engine: Any
    store: Store
    study: Study
    versions: Mapping[str, Version]  # every table the study reads, by full name
    roles: Mapping[Role, str]  # the population's tables
    n_circles: int = 0  # number changes that lead back to where they began
    n_forks: int = 0  # earlier numbers that more than one person is said to have had
    has_renumbered: bool = False
    _numbers: ibis.Table | None = None  # pseudonym, the person it is of, whether an earlier one
    _texts: ibis.Table | None = None  # person, the pseudonym in use now
    _linked: dict[str, ibis.Table] = field(default_factory=dict)
    _once: dict[str, ibis.Table] = field(default_factory=dict)
    _n_kept: int = 0

    @property
    def main(self) -> str:
        """The study's own table."""
        return self.study.main_table

    def table(self, name: str) -> Table:
        """The definition of a table, as it was imported."""
        return self.versions[name].definition

    def unlinked(self, name: str) -> ibis.Table:
        """A table's rows as they are stored; `row_id` is the row's place."""
        return self.store.rows(name, on=self.engine)

    def rows(self, name: str) -> ibis.Table:
        """A table's rows with `_person`: missing where the person is not known to the study."""
        rows, person = self.unlinked(name), self.table(name).person
        if person is None:
            return rows.mutate(_person=rows.row_id)
        if self._numbers is None:
            return rows.mutate(_person=rows[person])
        numbers = self._numbers
        joined = rows.left_join(numbers, rows[person] == numbers._number)
        return joined.mutate(_was_renumbered=joined._was_renumbered.fill_null(False)).drop(
            "_number"
        )

    def linked(self, name: str) -> ibis.Table:
        """What the study uses of another table, worked out once, with `_person`.

        `_stranger` is the pseudonym of who is not known to the study, so that others are counted.
        """
        if name not in self._linked:
            rows, table = self.rows(name), self.table(name)
            used = [one for one in columns_used(self.study, name, table) if one in rows.columns]
            stranger = ibis.ifelse(rows._person.isnull(), rows[str(table.person)], ibis.null())
            chosen = rows.select("row_id", "_person", "_was_renumbered", *used, _stranger=stranger)
            self._linked[name] = self.keep(chosen, f"linked_{name.replace('.', '_')}")
        return self._linked[name]

    def one_row_a_person(self, name: str) -> ibis.Table:
        """A linked table with one row a person, for those with rows under two of their numbers.

        The row under the number in use now counts, else the first in the file.
        """
        rows = self.linked(name)
        if not self.has_renumbered:
            return rows
        order = [rows._was_renumbered, rows.row_id]
        place = ibis.row_number().over(group_by=rows._person, order_by=order)
        placed = rows.mutate(_place=place)
        first = placed.filter(placed._person.isnull() | (placed._place == 0)).drop("_place")
        return self.once(f"one_row_{name}", lambda _sources: first)

    def with_text(self, rows: ibis.Table) -> ibis.Table:
        """Rows with `_text`: the pseudonym in use now of each row's person."""
        if self._texts is None:
            return rows.mutate(_text=rows._person.cast("string"))
        return rows.left_join(self._texts, "_person").drop("_person_right")

    def keep(self, rows: ibis.Table, name: str) -> ibis.Table:
        """Rows worked out once and kept on the engine, to be asked many times."""
        self._n_kept += 1  # two parts of a study may call what they keep alike
        return self.engine.create_table(f"{name}_{self._n_kept}", rows, temp=True)

    def let_go(self, kept: ibis.Table) -> None:
        """Give back the room of rows that were kept."""
        self.engine.raw_sql(f"drop table {kept.get_name()}")

    def once(self, name: str, work_out: Callable[[Sources], ibis.Table]) -> ibis.Table:
        """Rows that several parts of a study need, worked out by the first that asks."""
        if name not in self._once:
            self._once[name] = self.keep(work_out(self), name.replace(".", "_"))
        return self._once[name]

    def count_persons_through(self) -> None:
        """Give everybody in the study's table and in the population a number."""
        following, self.n_circles, self.n_forks = _number_changes(self)
        self.has_renumbered = bool(len(following))
        names = [self.main, *([self.roles["persons"]] if "persons" in self.roles else [])]
        known = [self.unlinked(name) for name in names]
        texts = [
            rows.select(_text=rows[str(self.table(n).person)])
            for n, rows in zip(names, known, strict=True)
        ]
        everybody = ibis.union(*texts, distinct=True) if len(texts) > 1 else texts[0].distinct()
        everybody = everybody.filter(everybody._text.notnull())
        changes = ibis.memtable(following, schema={"_earlier": "string", "_current": "string"})
        everybody = everybody.anti_join(changes, everybody._text == changes._earlier)
        current = changes.select(_text=changes._current).distinct()
        everybody = ibis.union(everybody, current, distinct=True) if len(following) else everybody
        number = ibis.row_number().over()
        self._texts = self.keep(everybody.mutate(_person=number), "persons_counted")
        own = self._texts.select(
            "_person", _number=self._texts._text, _was_renumbered=ibis.literal(False)
        )
        if len(following):
            joined = changes.inner_join(self._texts, changes._current == self._texts._text)
            earlier = joined.select(
                "_person", _number=joined._earlier, _was_renumbered=ibis.literal(True)
            )
            own = ibis.union(own, earlier)
        self._numbers = self.keep(own, "numbers_counted")


@contextmanager
def open_sources(study: Study, store: Store) -> Iterator[Sources]:
    """Open the study's tables on an engine of their own; what it spills is swept afterwards.

    Raises `StoreError` when a table that the study reads is not in the store.
    """
    roles = population_roles(study, store)
    versions = {name: store.version(name) for name in tables_read(study, store)}
    with private_folder() as folder:
        engine = ibis.duckdb.connect(temp_directory=str(folder / "spill"))
        engine.raw_sql(f"set memory_limit = '{MEMORY}'")
        engine.raw_sql("set enable_progress_bar = false")
        sources = Sources(engine, store, study, versions, roles)
        try:
            if (len(versions) > 1 or study.linked_tables) and sources.table(sources.main).person:
                sources.count_persons_through()
            yield sources
        finally:
            engine.disconnect()


def columns_used(study: Study, name: str, table: Table) -> tuple[str, ...]:
    """The variables of a table that a study asks for when it links it."""
    wanted = {one for one, variable in table.variables.items() if variable.means}
    wanted |= {table.dated_by} if table.dated_by else set()
    covariates = [one for one in study.variables.values() if one.link == name]
    events = [one for one in study.events if one.link == name]
    wanted |= {one.source for one in covariates if one.source}
    wanted |= {one.date for one in events if one.date}
    places: list[Covariate | LinkedEvent] = [*covariates, *events]
    for place in places:
        wanted |= {str(test.variable) for test in place.where}
        wanted |= set(place.codes.variables) if place.codes else set()
    return tuple(one for one in table.variables if one in wanted)


def population_roles(study: Study, store: Store) -> dict[Role, str]:
    """The population register's tables in the store, by role."""
    if study.population is None:
        return {}
    roles = {}
    for name, versions in store.catalogue.tables.items():
        if versions and name.split(".")[0] == study.population and versions[-1].definition.role:
            roles[versions[-1].definition.role] = name
    if "persons" not in roles:
        raise StoreError(
            f'The store holds no table of the register "{study.population}" with role: persons, '
            "so that nobody can be followed. Import it first."
        )
    return roles


def tables_read(study: Study, store: Store) -> tuple[str, ...]:
    """Every table a study reads, by full name."""
    roles = population_roles(study, store)
    wanted = [role for role in NEEDED if role in roles]
    if study.comparison is not None and "residences" in roles:
        wanted.append("residences")
    population = [roles[role] for role in wanted]
    return tuple(dict.fromkeys([*study.named_tables, *population]))


def _number_changes(sources: Sources) -> tuple[pd.DataFrame, int, int]:
    """Every earlier number with the last one that follows it; how many circles and forks.

    A fork is an earlier number with several successors: whose it was cannot be told, so that it
    is nobody's.
    """
    name = sources.roles.get("number_changes")
    columns = ["_earlier", "_current"]
    if name is None:
        return pd.DataFrame(columns=columns), 0, 0
    table, rows = sources.table(name), sources.unlinked(name)
    earlier, current = rows[str(table.meaning("earlier_number"))], rows[str(table.person)]
    frame = rows.select(earlier=earlier, current=current).execute().dropna()
    frame = frame.drop_duplicates()
    is_fork = frame["earlier"].duplicated(keep=False)
    n_forks = int(frame.loc[is_fork, "earlier"].nunique())
    known = frame[~is_fork]
    following = dict(zip(known["earlier"], known["current"], strict=True))
    last, n_circles = [], 0
    for number in following:
        seen, at = {number}, following[number]
        while at in following and at not in seen:
            seen.add(at)
            at = following[at]
        if at in seen:
            n_circles += 1
        else:
            last.append((number, at))
    return pd.DataFrame(last, columns=columns), n_circles, n_forks
