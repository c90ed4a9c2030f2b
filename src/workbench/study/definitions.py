"""Everything a study names that is defined elsewhere: tables, their roles, code lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from workbench.errors import DefinitionError, StudyError, did_you_mean, gathered
from workbench.registers.codes import CodeList, load_code_list
from workbench.registers.indicators import Indicator, load_indicator
from workbench.registers.life_tables import LifeTableFile, load_life_table
from workbench.registers.proms import Prom, load_prom
from workbench.registers.schema import Register, Role, Table, load_register
from workbench.registers.variables import Variable
from workbench.study.model import Covariate, Study

T = TypeVar("T")


@dataclass(frozen=True)
class Definitions:
    """The definitions behind one study."""

    tables: Mapping[str, Table]  # by full name: the study's own, linked ones, the population's
    roles: Mapping[Role, str] = field(default_factory=dict)  # of the population's tables
    code_lists: Mapping[str, CodeList] = field(default_factory=dict)
    life_table: LifeTableFile | None = None
    indicators: Mapping[str, Indicator] = field(default_factory=dict)
    prom: Prom | None = None  # the questionnaire that patients answered

    @property
    def indicator_tables(self) -> tuple[str, ...]:
        """The tables that indicators count, each once."""
        return tuple(dict.fromkeys(one.definition.table for one in self.indicators.values()))


def load_definitions(study: Study, folders: Sequence[Path], *, where: str) -> Definitions:
    """Find everything a study names; raise `StudyError` with all that is not there."""
    faults: list[str] = []
    indicators = _found(study.indicators, partial(load_indicator, folders=folders), faults)
    counted = Definitions({}, indicators=indicators).indicator_tables
    named = tuple(dict.fromkeys([*study.named_tables, *counted]))
    wanted = [full_name.split(".")[0] for full_name in named]
    wanted += [study.population] if study.population else []
    registers = _found(wanted, partial(load_register, folders=folders), faults)
    tables = _tables(named, registers, faults)
    lists = [choice.list_name for choice in study.code_choices]
    code_lists = _found(lists, partial(load_code_list, folders=folders), faults)
    relative = study.relative_survival
    life_tables = _found(
        [relative.life_table] if relative else [],
        partial(load_life_table, folders=folders),
        faults,
    )
    asked = study.questionnaire
    proms = _found([asked.form] if asked else [], partial(load_prom, folders=folders), faults)
    roles = _roles(registers.get(study.population or ""), tables)
    if study.population in registers and "persons" not in roles:
        faults.append(f"population: {study.population} has no table with role: persons.")
    if faults:
        raise StudyError(gathered(f"{where} cannot be used:", faults))
    life_table = life_tables[relative.life_table] if relative else None
    prom = proms[asked.form] if asked else None
    return Definitions(tables, roles, code_lists, life_table, indicators, prom)


def load_indicators(
    names: Sequence[str], folders: Sequence[Path], *, where: str
) -> dict[str, Indicator]:
    """Find the named indicators; raise `StudyError` with all that are not there or unusable."""
    faults: list[str] = []
    indicators = _found(names, partial(load_indicator, folders=folders), faults)
    if faults:
        raise StudyError(gathered(f"{where} cannot be used:", faults))
    return indicators


def _found(names: Sequence[str], load: Callable[[str], T], faults: list[str]) -> dict[str, T]:
    """What could be loaded, by name; the faults of the rest are added."""
    loaded = {}
    for name in dict.fromkeys(names):
        try:
            loaded[name] = load(name)
        except DefinitionError as fault:
            faults.append(str(fault))
    return loaded


def _tables(
    named: Sequence[str], registers: Mapping[str, Register], faults: list[str]
) -> dict[str, Table]:
    tables: dict[str, Table] = {}
    for full_name in named:
        register_name, table_name = full_name.split(".")
        register = registers.get(register_name)
        if register is None:
            continue
        if table_name in register.tables:
            tables[full_name] = register.tables[table_name]
        else:
            near = did_you_mean(table_name, register.tables)
            faults.append(f'the register {register_name} has no table "{table_name}".{near}')
    return tables


def _roles(population: Register | None, tables: dict[str, Table]) -> dict[Role, str]:
    """The population's tables by role; they join the study's tables."""
    roles: dict[Role, str] = {}
    for name, table in population.tables.items() if population else ():
        if table.role:
            full_name = f"{population.name}.{name}" if population else ""
            roles[table.role] = full_name
            tables.setdefault(full_name, table)
    return roles


def column_variable(study: Study, name: str, tables: Mapping[str, Table]) -> Variable:
    """What a column of the cohort is, as if it were a variable of a register."""
    covariate = study.variables[name]
    if covariate.link is None:
        return tables[study.main_table].variables[study.source_of(name)]
    label = covariate.label or name
    match covariate.take:
        case "any":
            return Variable(type="code", label=label, codes={"false": "no", "true": "yes"})
        case "count" | "score":
            return Variable(type="integer", label=label)
        case "age":
            return Variable(type="integer", label=label, unit="years")
        case "exact_age":
            return Variable(type="decimal", label=label, unit="years")
    if covariate.source is None:
        return Variable(type="integer", label=label, unit="days")
    return tables[covariate.link].variables[covariate.source]


def date_of(covariate: Covariate, table: Table) -> str | None:
    """The variable of a linked table from which a covariate is taken as a date."""
    return covariate.source or table.meaning("birth_date")
