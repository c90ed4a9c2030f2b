"""What a project's store and definitions let one choose: tables, columns, outcomes, indicators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from workbench.data.store import Store
from workbench.errors import StoreError, WorkbenchError
from workbench.output.explorer.state import State
from workbench.registers.documents import parse_document
from workbench.registers.indicators import find_indicators, load_indicator
from workbench.registers.schema import Register, Table, load_register
from workbench.registers.variables import Variable
from workbench.study import Study, column_variable

NOBODY_FOLLOWED = "nobody is followed"
DEATH = "death from any cause"
DESCRIBE, SURVIVAL, COMPETING = "10_describe_cohort", "20_estimate_survival", "30_competing_risks"
FIRST_COLUMNS = ("age", "sex", "region", "unit", "hospital")
MOST_LEVELS = 60  # a variable with more is no grouping anybody could read


@dataclass(frozen=True)
class Column:
    """A column that persons can be described, chosen or grouped by."""

    name: str
    label: str
    tree: Mapping[str, Any]  # as it stands under `variables` of a study
    levels: Mapping[str, str] = field(default_factory=dict)  # of a category: value -> word
    is_category: bool = False


class Offers:
    """What can be chosen on one store."""

    def __init__(self, store: Store, folders: tuple[Path, ...]) -> None:
        """Offer what the store holds, by the definitions of the folders."""
        self.store, self._folders = store, folders
        self._registers: dict[str, Register] = {}
        self._indicators: dict[str, dict[str, str]] | None = None  # of each table

    @property
    def tables(self) -> dict[str, str]:
        """Tables of the store that can be studied, by full name, with their labels."""
        found = {}
        for name, versions in sorted(self.store.catalogue.tables.items()):
            if versions and versions[-1].definition.role is None:
                found[name] = f"{versions[-1].definition.label or name} ({name})"
        return found

    def begin(self, full_name: str) -> State:
        """A first state on a table: everybody, by sex, until death where that is known."""
        register_name, table_name = full_name.split(".")
        table, register = self._table(full_name), self._register(register_name)
        tree: dict[str, Any] = {
            "title": f"{register.label}: {table.label or table_name}",
            "question": "Who are they, and how do they fare?",
            "register": register_name, "table": table_name, "notebook": DESCRIBE,
            "cohort": {"index_date": table.dated_by} if table.dated_by else {},
            "population": self._population_of(register),
        }  # fmt: skip
        tree = {key: value for key, value in tree.items() if value}
        bare = State(parse_document(tree, Study, where="choice", error=StoreError))
        columns = self.columns(bare.study)
        chosen = {name: dict(columns[name].tree) for name in FIRST_COLUMNS if name in columns}
        if not chosen:
            chosen = {name: dict(one.tree) for name, one in list(columns.items())[:3]}
        state = bare.changed(variables=chosen)
        outcomes = self.outcomes(state.study)
        if DEATH in outcomes:
            state = state.changed(follow_up=outcomes[DEATH], notebook=SURVIVAL)
        return self.dated(state)

    def dated(self, state: State) -> State:
        """The state with an `as_of` that every table it reads can tell of."""
        study = state.study
        known = self.store.catalogue.tables
        read = set(study.named_tables)
        read |= {name for name in known if name.split(".")[0] == study.population}
        days = [known[name][-1].as_of for name in read if known.get(name)]
        has_dates = bool(study.cohort.index_date)
        if not days or not has_dates or (study.as_of and study.as_of <= min(days)):
            return state
        return state.changed(as_of=min(days).isoformat())

    def columns(self, study: Study) -> dict[str, Column]:
        """Columns by name: the study's own first, the table's, age and sex of the population."""
        table = self._table(study.main_table)
        found = {
            name: _column(name, variable, {"label": variable.label or name})
            for name, variable in table.variables.items()
            if _is_analysable(name, table)
        }
        found |= self._of_population(study, taken=set(found))
        for name, one in study.variables.items():
            tree = one.model_dump(mode="json", by_alias=True, exclude_defaults=True)
            if one.link is None and study.source_of(name) in table.variables:
                variable = table.variables[study.source_of(name)]
            else:
                versions = self.store.catalogue.tables
                tables = {full: some[-1].definition for full, some in versions.items() if some}
                if one.link not in tables:
                    continue
                variable = column_variable(study, name, tables)
            found[name] = _column(name, variable, tree, is_cut=one.cut is not None)
        return found

    def limited_by(self, study: Study) -> dict[str, Column]:
        """The columns behind the choices of age, sex, region and unit, where there are any."""
        columns, table = self.columns(study), self._table(study.main_table)
        meant = {one: table.meaning(one) for one in ("sex", "region", "unit", "hospital")}
        names = {
            "age": ["age"],
            "sex": [meant["sex"], "sex"],
            "region": [meant["region"], "region"],
            "unit": [meant["unit"], meant["hospital"], "unit", "hospital"],
        }
        found = {
            what: next((columns[one] for one in some if one in columns), None)
            for what, some in names.items()
        }
        return {what: _told_apart(one, table) for what, one in found.items() if one is not None}

    def dates(self, study: Study) -> dict[str, str]:
        """Date variables of the study's table, with their labels."""
        table = self._table(study.main_table)
        return {
            name: one.label or name for name, one in table.variables.items() if one.type == "date"
        }

    def outcomes(self, study: Study) -> dict[str, dict[str, Any] | None]:
        """What can end follow-up, in words, as it stands under `follow_up` of a study."""
        found: dict[str, dict[str, Any] | None] = {NOBODY_FOLLOWED: None}
        if study.cohort.index_date is None:
            return found
        if study.population:
            persons = self._population_table(study.population)
            died = self._table(persons).meaning("death_date") if persons else None
            if died:
                event = {"link": persons, "date": died}
                found[DEATH] = {"outcome": DEATH, "event_in": event, "unit": "years"}
        for name, label in self.tables.items():
            table = self._table(name)
            if name != study.main_table and table.person and table.dated_by:
                words = f"first row in {label}"
                later = {"link": name, "from_day": 1}
                found[words] = {"outcome": words, "event_in": later, "unit": "years"}
        return found

    def indicators(self, study: Study) -> dict[str, str]:
        """Shares that are counted on the study's table, by name, with their labels."""
        if self._indicators is None:
            self._indicators = {}
            for name in find_indicators(self._folders):
                try:
                    one = load_indicator(name, self._folders).definition
                except WorkbenchError:
                    continue  # told when a study names it
                if one.type == "proportion":
                    self._indicators.setdefault(one.table, {})[name] = one.label
        return self._indicators.get(study.main_table, {})

    def _table(self, full_name: str) -> Table:
        return self.store.version(full_name).definition

    def _register(self, name: str) -> Register:
        if name not in self._registers:
            self._registers[name] = load_register(name, self._folders)
        return self._registers[name]

    def _population_of(self, register: Register) -> str | None:
        """The population register in the store: the one the register names, else the only one."""
        roles = [
            name.split(".")[0]
            for name, versions in self.store.catalogue.tables.items()
            if versions and versions[-1].definition.role == "persons"
        ]
        if register.population in roles:
            return register.population
        return roles[0] if len(roles) == 1 else None

    def _population_table(self, population: str) -> str | None:
        return next(
            (
                name
                for name, versions in self.store.catalogue.tables.items()
                if name.split(".")[0] == population
                and versions
                and versions[-1].definition.role == "persons"
            ),
            None,
        )

    def _of_population(self, study: Study, *, taken: set[str]) -> dict[str, Column]:
        """Age at the index date and sex, where the population register tells them."""
        persons = self._population_table(study.population) if study.population else None
        if persons is None or study.cohort.index_date is None:
            return {}
        table, found = self._table(persons), {}
        if "age" not in taken:
            tree: dict[str, Any] = {"link": persons, "take": "age", "label": "Age (years)"}
            found["age"] = Column("age", "Age (years)", tree)
        sex = table.meaning("sex")
        if sex and "sex" not in taken:
            tree = {"link": persons, "take": "value", "from": sex, "label": "Sex"}
            found["sex"] = _column("sex", table.variables[sex], tree)
        return found


def _told_apart(column: Column, table: Table) -> Column:
    """A linked column by a name that a condition cannot take for the table's own variable."""
    if "link" not in column.tree or column.name not in table.variables:
        return column
    return replace(column, name=f"person_{column.name}")


def _column(
    name: str, variable: Variable, tree: Mapping[str, Any], *, is_cut: bool = False
) -> Column:
    label = str(tree.get("label") or variable.label or name)
    if not variable.is_category or is_cut:
        return Column(name, label, tree)
    known = {code: word for code, word in variable.words.items() if code not in variable.unknown}
    if any(one.codes for one in variable.editions):  # one code can have meant two things
        known = {word: word for word in known.values()}
    if variable.type == "boolean":
        known = {"true": "yes", "false": "no"}
    return Column(name, label, tree, known, is_category=True)


def _is_analysable(name: str, table: Table) -> bool:
    one = table.variables[name]
    many = one.code_system is not None or one.type in {"date", "text"}
    is_person = name == table.person or one.sensitivity in {"identity", "pseudonym"}
    return not many and not is_person and len(one.words) <= MOST_LEVELS
