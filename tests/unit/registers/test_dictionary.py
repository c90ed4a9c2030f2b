from __future__ import annotations

from pathlib import Path

import pytest
from builders import register_of

from workbench.registers.dictionary import data_dictionary
from workbench.registers.schema import load_register

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.mark.parametrize("name", ["colorectal", "lung"])
def test_every_variable_and_code_of_the_examples_is_told(name):
    register = load_register(name, [EXAMPLES / name / "params"])
    lines = data_dictionary(register).splitlines()
    for table in register.tables.values():
        for variable_name, variable in table.variables.items():
            at = next(n for n, line in enumerate(lines) if f"**{variable_name}** (" in line)
            own = "\n".join(lines[at : at + 6 + len(variable.codes)])
            assert variable.type in lines[at]
            assert variable.label in lines[at]
            assert [f"{c} = {word}" in own for c, word in variable.codes.items()].count(False) == 0


def test_everything_a_variable_says_is_told():
    register = register_of(
        {
            "day": {"type": "date", "date_format": "%d.%m.%Y", "required": "yes"},
            "hb": {
                "type": "decimal",
                "unit": "g/l",
                "minimum": "1.5",
                "maximum": "300",
                "delivered_as": "Hb 1",
                "first_year": "2001",
                "last_year": "2009",
                "source": "laboratory",
                "description": "Blood count",
                "sensitivity": "open",
            },
            "sex": {"type": "code", "codes": {"1": "man", "9": "not known"}, "unknown": ["9"]},
        },
        dated_by="day",
        key=["day", "sex"],
        date_order=[],
        set_aside_limit="0.1",
    )
    text = data_dictionary(register)
    for expected in (
        "in g/l", "from 1.5 to 300", "Delivered as Hb 1.", "from 2001 until 2009", "laboratory",
        "Blood count", "open", "date, required", "%d.%m.%Y", "9 = not known (counts as missing)",
        "Dated by day.", "Unique together: day, sex.", "above 10% faulty rows", "no identity",
    ):  # fmt: skip
        assert expected in text


def test_a_table_without_dates_says_so():
    assert "durations and no dates" in data_dictionary(register_of({"x": "integer"}))


def test_a_person_and_the_order_of_dates_are_told():
    variables = {"id": "integer", "born": "date", "died": "date"}
    text = data_dictionary(register_of(variables, person="id", date_order=[["born", "died"]]))
    assert "A person is id." in text
    assert "born is never after died." in text
