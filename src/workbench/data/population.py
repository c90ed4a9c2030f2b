"""Compare a delivery with the population register: histories that cannot be are told.

Nobody is treated before birth, after death or while living abroad, and everybody is in the register
of those who exist. Such rows are kept and counted: which register is wrong is not known here. Only
the date that places a row in time is looked at; the same day as birth, death, leaving or coming
back is possible. An earlier number is its person's where number changes are known. Compared are
pseudonyms, in the engine.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from workbench.data.sql import file_to_read, identifier, literal
from workbench.data.store import Store, Version
from workbench.registers.schema import Register, Role, Table
from workbench.registers.variables import Variable

NOT_CHECKED = "not checked against the population register: "


@dataclass(frozen=True)
class Population:
    """The population register as it lies in the store, seen from one table."""

    store: Store
    persons: str  # the names of its tables, as in population.persons
    migrations: str | None
    number_changes: str | None

    def rows(self, table: str) -> str:
        """SQL for the rows of one of its tables."""
        file = self.store.file(table, self.store.version(table))
        return f"read_parquet({file_to_read(file)})"

    def with_earlier_numbers(self, query: str) -> str:
        """A query about persons (`_person`), told again under each of their earlier numbers."""
        if self.number_changes is None:
            return query
        changes = self.store.version(self.number_changes).definition
        now, earlier = identifier(changes.person), identifier(changes.meaning("earlier_number"))
        known = (
            f"select distinct {now} as _person, {earlier} as _earlier "
            f"from {self.rows(self.number_changes)} "
            f"where {earlier} is not null and {earlier} <> {now}"
        )
        again = (
            "select * exclude (_earlier) replace (_earlier as _person) "
            f"from ({query}) join ({known}) using (_person)"
        )
        return f"from ({query}) union all by name {again}"


@dataclass(frozen=True)
class NotChecked:
    """Why a table cannot be compared with the population register."""

    because: str


def population_of(
    register: Register, table_name: str, store: Store
) -> Population | NotChecked | None:
    """What a table is compared with, or why it cannot be; nothing where there is no question.

    No question is a table without persons, a register that names no population register, and the
    list of persons itself.
    """
    table = register.tables[table_name]
    if register.population is None or table.person is None or table.role == "persons":
        return None
    persons = _table_with("persons", register.population, store)
    if persons is None:
        return NotChecked(f"{register.population}.persons is not in the store")
    own, other = table.variables[table.person], _person_variable(store.version(persons))
    if (own.identity_scheme, own.sensitivity) != (other.identity_scheme, other.sensitivity):
        return NotChecked(f"{persons} names persons in another way")
    return Population(
        store,
        persons,
        _table_with("migrations", register.population, store),
        _table_with("number_changes", register.population, store),
    )


def add_notes(
    engine: duckdb.DuckDBPyConnection, table: Table, population: Population
) -> tuple[str, ...]:
    """Add to the table `notes` what cannot be; give the checks that could not be made."""
    left = list(_add_for_persons(engine, table, population))
    if table.dated_by and table.role != "migrations":
        if population.migrations is None:
            left.append(f"nobody's absence abroad is known: {_no_migrations(population)}")
        else:
            _add_while_abroad(engine, table, population, population.migrations)
    return tuple(NOT_CHECKED + one for one in left)


def _add_for_persons(
    engine: duckdb.DuckDBPyConnection, table: Table, population: Population
) -> list[str]:
    definition = population.store.version(population.persons).definition
    person = identifier(table.person)
    birth, death = definition.meaning("birth_date"), definition.meaning("death_date")
    columns = [f"{identifier(definition.person)} as _person", "true as _is_there"]
    columns += [f"{identifier(birth)} as _born"] if birth else []
    columns += [f"{identifier(death)} as _died"] if death else []
    cases = {"not in the population register": ("_is_there is null", table.person)}
    if table.dated_by:
        dated = identifier(table.dated_by)
        cases |= {"before birth": (f"{dated} < _born", table.dated_by)} if birth else {}
        cases |= {"after death": (f"{dated} > _died", table.dated_by)} if death else {}
    hits = ", ".join(
        f"case when {condition} then [{{rule: {literal(rule)}, name: {literal(column)}}}] end"
        for rule, (condition, column) in cases.items()
    )
    known = f"select {', '.join(columns)} from {population.rows(population.persons)}"
    engine.execute(
        "insert into notes select _place, _hit.rule, _hit.name from ("
        f"select _place, unnest(list_concat({hits})) as _hit from typed "
        f"left join ({population.with_earlier_numbers(known)}) on {person} = _person "
        f"where {person} is not null)"
    )
    return [] if death or not table.dated_by else ["nobody's death is known there"]


def _add_while_abroad(
    engine: duckdb.DuckDBPyConnection, table: Table, population: Population, migrations: str
) -> None:
    definition = population.store.version(migrations).definition
    kind = definition.meaning("migration")
    words = definition.variables[kind].words
    person, day = identifier(definition.person), identifier(definition.dated_by)

    def moves(word: str) -> str:
        codes = ", ".join(literal(code) for code, meaning in words.items() if meaning == word)
        return (
            f"(select distinct {person} as _person, {day} as _day "
            f"from {population.rows(migrations)} "
            f"where {identifier(kind)}::varchar in ({codes}) and {day} is not null)"
        )

    # Away from the day after leaving until the day before the next return, or for good.
    away = (
        "select _gone._person, _gone._day as _left, min(_back._day) as _returned "
        f"from {moves('emigration')} as _gone left join {moves('immigration')} as _back "
        "on _gone._person = _back._person and _back._day >= _gone._day group by all"
    )
    dated = identifier(table.dated_by)
    engine.execute(
        "insert into notes select distinct _place, 'while abroad', "
        f"{literal(table.dated_by)} from typed join ({population.with_earlier_numbers(away)}) "
        f"on {identifier(table.person)} = _person "
        f"where {dated} > _left and {dated} < coalesce(_returned, date 'infinity')"
    )


def _table_with(role: Role, register: str, store: Store) -> str | None:
    """The table of a register in the store that plays a role in its newest version."""
    for name, versions in store.catalogue.tables.items():
        if name.startswith(f"{register}.") and versions[-1].definition.role == role:
            return name
    return None


def _person_variable(version: Version) -> Variable:
    return version.definition.variables[version.definition.person]


def _no_migrations(population: Population) -> str:
    register = population.persons.partition(".")[0]
    return f"{register} has no migrations in the store"
