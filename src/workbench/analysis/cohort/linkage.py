"""The tables of one study on one engine, and whom each of their rows is about.

Persons are the same when their pseudonyms are. Where a population register tells who got a new
number, rows under an earlier number count as rows of the person who has the new one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import ibis
import pandas as pd

from workbench.data.store import Store, Version
from workbench.errors import StoreError
from workbench.registers.schema import Role, Table
from workbench.study import Study

MEMORY = "2GB"  # beyond it the engine puts intermediate results on disk
NEEDED: tuple[Role, ...] = ("persons", "migrations", "number_changes")


@dataclass(frozen=True)
class Sources:
    """What a study reads: made by `open_sources`, gone with its engine."""

    engine: Any
    store: Store
    versions: Mapping[str, Version]  # every table the study reads, by full name
    roles: Mapping[Role, str]  # the population's tables
    main: str
    renumbered: ibis.Table | None  # earlier number, current number
    n_circles: int  # number changes that lead back to where they began

    def table(self, name: str) -> Table:
        """The definition of a table, as it was imported."""
        return self.versions[name].definition

    def rows(self, name: str) -> ibis.Table:
        """A table's rows with `_person` (and `_was_renumbered`); `row_id` is the row's place."""
        rows = self.store.rows(name, on=self.engine)
        person = self.table(name).person
        if person is None:
            return rows.mutate(_person=rows.row_id, _was_renumbered=ibis.literal(False))
        if self.renumbered is None:
            return rows.mutate(_person=rows[person], _was_renumbered=ibis.literal(False))
        changes = self.renumbered
        joined = rows.left_join(changes, rows[person] == changes._earlier)
        return joined.mutate(
            _person=ibis.coalesce(joined._current, joined[person]),
            _was_renumbered=joined._current.notnull(),
        ).drop("_earlier", "_current")

    def keep(self, rows: ibis.Table, name: str) -> ibis.Table:
        """Rows worked out once and kept on the engine, to be asked many times."""
        return self.engine.create_table(name, rows, temp=True, overwrite=True)


@contextmanager
def open_sources(study: Study, store: Store) -> Iterator[Sources]:
    """Open the study's tables on an engine of their own; what it spills is swept afterwards.

    Raises `StoreError` when a table that the study reads is not in the store.
    """
    roles = population_roles(study, store)
    names = tables_read(study, store)
    versions = {name: store.version(name) for name in names}
    with TemporaryDirectory(prefix="workbench-") as folder:
        engine = ibis.duckdb.connect(temp_directory=str(Path(folder) / "spill"))
        engine.raw_sql(f"set memory_limit = '{MEMORY}'")
        engine.raw_sql("set enable_progress_bar = false")
        try:
            sources = Sources(engine, store, versions, roles, study.main_table, None, 0)
            pairs, n_circles = _number_changes(sources)
            changes = engine.create_table("renumbered", pairs, temp=True) if len(pairs) else None
            sources = replace(sources, renumbered=changes, n_circles=n_circles)
            yield sources
        finally:
            engine.disconnect()


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
    return tuple(dict.fromkeys([study.main_table, *study.linked_tables, *population]))


def _number_changes(sources: Sources) -> tuple[pd.DataFrame, int]:
    """Every earlier number with the last one that follows it, and how many lead in a circle."""
    name = sources.roles.get("number_changes")
    if name is None:
        return pd.DataFrame(), 0
    table = sources.table(name)
    rows = sources.store.rows(name, on=sources.engine)
    earlier, current = rows[str(table.meaning("earlier_number"))], rows[str(table.person)]
    frame = rows.select(earlier=earlier, current=current).execute().dropna()
    following = dict(zip(frame["earlier"], frame["current"], strict=True))
    last, n_circles = {}, 0
    for number in following:
        seen, at = {number}, following[number]
        while at in following and at not in seen:
            seen.add(at)
            at = following[at]
        if at in seen:
            n_circles += 1
        else:
            last[number] = at
    return pd.DataFrame({"_earlier": list(last), "_current": list(last.values())}), n_circles
