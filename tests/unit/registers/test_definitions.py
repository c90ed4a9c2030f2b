"""The registers that come with the workbench: all nine can be used, and say what they mean."""

from __future__ import annotations

import pytest

from workbench.registers.classifications import CODE_SYSTEMS
from workbench.registers.dictionary import data_dictionary
from workbench.registers.schema import Register, find_registers, load_register
from workbench.registers.variables import Variable

TABLES = {
    "population": {"persons", "migrations", "residences", "number_changes"},
    "patients": {"inpatient", "outpatient"},
    "deaths": {"deaths"},
    "cancer": {"tumours"},
    "drugs": {"dispensings"},
    "renal": {"starts", "census", "questionnaires"},
    "blood_cancer": {"lymphoma", "myeloma", "mpn", "cll", "aml", "all", "mds", "cml"},
    "palliative": {"deaths_reported"},
    "vascular": {"procedures", "followups"},
}
REGION_CODES = 21
UNSAID = {"", "-", "?"}


@pytest.fixture(scope="module")
def registers() -> dict[str, Register]:
    return {name: load_register(name, []) for name in TABLES}


@pytest.fixture(scope="module")
def variables(registers) -> dict[str, Variable]:
    """Every variable of all registers by its full name."""
    return {
        f"{name}.{table_name}.{variable_name}": variable
        for name, register in registers.items()
        for table_name, table in register.tables.items()
        for variable_name, variable in table.variables.items()
    }


def test_the_nine_registers_are_there():
    assert set(find_registers([])) >= set(TABLES)


@pytest.mark.parametrize("name", TABLES)
def test_a_register_has_its_tables_and_tells_where_its_structure_is_from(registers, name):
    register = registers[name]
    assert set(register.tables) == TABLES[name]
    assert register.source and register.owner
    assert "structure only, not a copy" in register.description
    assert register.population == (None if name == "population" else "population")


@pytest.mark.parametrize("name", TABLES)
def test_every_table_says_who_and_when(registers, name):
    for table in registers[name].tables.values():
        who = table.variables[table.person]
        assert who.identity_scheme == "swedish" and who.sensitivity == "identity" and who.required
        assert table.variables[table.dated_by].type == "date"
        assert table.label and table.one_row_is != "one person"


def test_every_variable_has_a_label_and_a_header(variables):
    bare = [name for name, one in variables.items() if not one.label or not one.delivered_as]
    assert not bare


def test_every_code_is_in_words(variables):
    unsaid = [
        name
        for name, one in variables.items()
        for values in (one, *one.editions)
        if any(words.strip() in UNSAID for words in values.codes.values())
    ]
    assert not unsaid


def test_codes_that_mean_not_known_are_declared(variables):
    silent = [
        name
        for name, one in variables.items()
        for values in (one, *one.editions)
        for code, words in values.codes.items()
        if words.endswith("not known") and code not in values.unknown
    ]
    assert not silent


def test_code_systems_are_those_the_workbench_knows(variables):
    named = {
        values.code_system
        for one in variables.values()
        for values in (one, *one.editions)
        if values.code_system
    }
    assert named == set(CODE_SYSTEMS)


def test_regions_are_the_21_with_their_codes_as_text(variables):
    regions = [one for one in variables.values() if one.means == "region"]
    assert len(regions) > 10
    assert {len(one.codes) for one in regions} == {REGION_CODES}
    assert all(one.codes["01"] == "Stockholm" for one in regions)


def test_some_variables_changed_type_or_codes_by_year(variables):
    changed_type = {n for n, one in variables.items() if any(e.type for e in one.editions)}
    changed_codes = {n for n, one in variables.items() if any(e.codes for e in one.editions)}
    changed_system = {n for n, one in variables.items() if any(e.code_system for e in one.editions)}
    assert changed_type >= {"renal.starts.haemoglobin", "blood_cancer.lymphoma.stage"}
    assert changed_codes >= {"renal.starts.access", "blood_cancer.mds.risk"}
    assert changed_system >= {"patients.inpatient.main_diagnosis", "deaths.deaths.underlying_cause"}


def test_roles_are_played_by_the_population_register_only(registers):
    roles = {table.role for table in registers["population"].tables.values()}
    assert roles == {"persons", "migrations", "residences", "number_changes"}
    others = [t for r in registers.values() if r.name != "population" for t in r.tables.values()]
    assert {table.role for table in others} == {None}


def test_quality_registers_say_when_a_case_was_reported(registers):
    for name, table in (
        ("renal", "starts"), ("palliative", "deaths_reported"), ("vascular", "procedures"),
        ("cancer", "tumours"), ("blood_cancer", "aml"),
    ):  # fmt: skip
        assert registers[name].tables[table].meaning("registered_date")


def test_free_text_is_scanned_or_left_out(registers):
    assert registers["palliative"].tables["deaths_reported"].variables["comment"].free_text
    assert registers["renal"].tables["starts"].variables["comment"].free_text == "left_out"


@pytest.mark.parametrize("name", TABLES)
def test_the_data_dictionary_tells_every_variable(registers, name):
    text = data_dictionary(registers[name])
    for table in registers[name].tables.values():
        assert all(f"**{variable}**" in text for variable in table.variables)
