"""Clean files break no rule of their definition: judged here with pandas alone."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from workbench.registers.classifications import CODE_SYSTEMS, normalise
from workbench.registers.variables import Values, Variable

NUMBERS = {"integer": r"-?\d+", "decimal": r"-?\d+([.,]\d+)?", "boolean": "[01]"}


@pytest.fixture(scope="session")
def every(invented, read, tables, definitions, days):
    """Every table: its definition, its rows, and the year of each row."""
    found = {}
    for name in tables:
        register, table = name.split(".")
        one, rows = definitions[register].table(table), read(invented, name)
        found[name] = one, rows, days(rows[one.dated_by]).dt.year
    return found


def periods(variable: Variable, year: pd.Series):
    """What holds of a variable, and for which rows."""
    rest = pd.Series(True, index=year.index)
    for edition in variable.editions:
        own = year.between(edition.first_year or 0, edition.last_year or 9999)
        rest &= ~own
        yield edition, own
    yield variable, rest


def test_required_values_and_keys_are_there(every):
    for name, (table, rows, _) in every.items():
        for variable, one in table.variables.items():
            if one.required or variable in table.key:
                assert (rows[variable] != "").all(), f"{name}.{variable}"
        if table.key:
            assert not rows.duplicated(list(table.key)).any(), name


def test_codes_are_those_of_their_year(every):
    for name, (table, rows, year) in every.items():
        for variable, one in table.variables.items():
            for values, own in periods(one, year):
                given = rows.loc[own & (rows[variable] != ""), variable]
                if values.codes:
                    assert given.isin(values.codes).all(), f"{name}.{variable}"
                elif values.code_system:
                    assert _have_shape(given, values, separated=bool(one.separated_by)), variable


def _have_shape(given: pd.Series, values: Values, *, separated: bool) -> bool:
    shape = re.compile(CODE_SYSTEMS[values.code_system].shape)
    codes = {code for text in given.unique() for code in (text.split() if separated else [text])}
    return all(shape.match(normalise(code)) for code in codes)


def test_numbers_are_numbers_within_their_limits(every):
    for name, (table, rows, year) in every.items():
        for variable, one in table.variables.items():
            for values, own in periods(one, year):
                kind = getattr(values, "type", None) or one.type
                given = rows.loc[own & (rows[variable] != ""), variable]
                if kind not in NUMBERS or values.codes:
                    continue
                assert given.str.fullmatch(NUMBERS[kind]).all(), f"{name}.{variable}"
                read = given.str.replace(",", ".").astype(float)
                assert read.min() >= float(values.minimum or "-inf") or read.empty
                assert read.max() <= float(values.maximum or "inf") or read.empty


def test_values_stand_only_in_the_years_in_which_they_were_asked(every):
    for name, (table, rows, year) in every.items():
        for variable, one in table.variables.items():
            if one.editions or not (one.first_year or one.last_year):
                continue
            outside = ~year.between(one.first_year or 0, one.last_year or 9999)
            assert (rows.loc[outside, variable] == "").all(), f"{name}.{variable}"


def test_dates_are_in_their_order_and_after_their_minimum(every, days):
    for name, (table, rows, _) in every.items():
        for first, second in table.date_order:
            assert not (days(rows[first]) > days(rows[second])).any(), f"{name}: {first}, {second}"
        for variable, one in table.variables.items():
            if one.type == "date" and one.minimum:
                assert days(rows[variable]).min() >= pd.Timestamp(one.minimum)


def test_no_free_text_holds_a_number(every):
    for _, (table, rows, _) in every.items():
        for variable, one in table.variables.items():
            if one.free_text:
                assert (rows[variable] != "").any()
                assert not rows[variable].str.contains(r"\d{6}").any()


def test_values_are_missing_and_unknown_as_in_real_registers(every):
    _, starts, _ = every["renal.starts"]
    assert (starts["planned"] == "U").any() and (starts["known_months"] == "").any()
    _, forms, _ = every["palliative.deaths_reported"]
    assert 0.02 < (forms["pain_rated"] == "9").mean() < 0.12
