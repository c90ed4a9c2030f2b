from __future__ import annotations

import pytest
from builders import register_of

from workbench.errors import DefinitionError
from workbench.registers.documents import parse_document
from workbench.registers.schema import Table, find_registers, load_register


def _refused(variables, **table):
    with pytest.raises(DefinitionError) as told:
        register_of(variables, **table)
    return str(told.value)


def _variable_refused(**keys):
    return _refused({"x": keys})


def test_a_type_that_does_not_exist_names_the_nearest():
    assert 'Did you mean "integer"?' in _variable_refused(type="intger")


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        ({"type": "text", "codes": {"1": "one"}}, "need type code or integer, not text"),
        ({"type": "date", "unknown": ["9"]}, "need type code or integer, not date"),
        ({"type": "code", "codes": {"1": "a"}, "unknown": ["9"]}, "unknown names 9, which codes"),
        ({"type": "integer", "codes": {"01": "one"}}, "01 is not how a whole number is written"),
        ({"type": "integer", "unknown": ["9.0"]}, "9.0 is not how a whole number is written"),
        ({"type": "text", "date_format": "%Y%m%d"}, "date_format needs type date"),
        ({"type": "code", "minimum": "1"}, "minimum needs type integer, decimal or date"),
        ({"type": "integer", "minimum": "5", "maximum": "4"}, "minimum 5 is above maximum 4"),
        ({"type": "decimal", "maximum": "nan"}, '"nan" is not a value of type decimal'),
        ({"type": "decimal", "maximum": "Infinity"}, '"Infinity" is not a value'),
        ({"type": "integer", "minimum": "1_000"}, '"1_000" is not a value'),
        ({"type": "integer", "minimum": "1; drop table"}, "is not a value of type integer"),
        ({"type": "date", "minimum": "2020-02-30"}, '"2020-02-30" is not a value of type date'),
        ({"type": "date", "minimum": "20200101"}, '"20200101" is not a value of type date'),
        (
            {"type": "date", "minimum": "2020-02-01", "maximum": "2019-12-31"},
            "minimum 2020-02-01 is above maximum 2019-12-31",
        ),
        ({"type": "text", "first_year": "2001", "last_year": "2000"}, "first_year 2001 is after"),
        ({"type": "text", "first_year": "1850"}, "first_year"),
        ({"type": "text", "required": "maybe"}, "expected yes or no"),
        ({"type": "text", "sensitivity": "helth"}, 'Did you mean "health"?'),
        ({"type": "date", "date_format": "%d.%m.%y"}, "has %y; known: %Y %m %d"),
        ({"type": "date", "date_format": "%Q"}, "has %Q"),
        ({"type": "date", "date_format": "%m/%Y"}, "does not give a whole date"),
        ({"type": "date", "date_format": "%d %m"}, "does not give a whole date"),
    ],
)
def test_a_variable_that_contradicts_itself_is_refused(keys, fault):
    assert fault in _variable_refused(**keys)


@pytest.mark.parametrize(
    "keys",
    [
        {"type": "integer", "codes": {"-1": "none", "0": "zero", "10": "ten"}, "unknown": ["-1"]},
        {"type": "code", "unknown": ["99"]},
        {"type": "decimal", "minimum": "-1.5", "maximum": "+2"},
        {"type": "date", "minimum": "1990-01-01", "date_format": "%d.%m.%Y"},
        {"type": "date", "date_format": "%d %b %Y %H:%M"},
        {"type": "date", "date_format": "%Y%j"},
        {"type": "date", "date_format": "%-d/%-m/%Y"},
    ],
)
def test_a_variable_that_agrees_with_itself_is_taken(keys):
    assert register_of({"x": keys}).tables["rows"].variables["x"].type == keys["type"]


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ({"person": "idd"}, 'there is no variable "idd". Did you mean "id"?'),
        ({"key": ["id", "nr"]}, 'there is no variable "nr"'),
        ({"key": ["id", "id"]}, "key names a variable twice"),
        ({"dated_by": "id"}, '"id" is used as a date but has type integer'),
        ({"dated_by": "dag"}, 'Did you mean "day"?'),
        ({"date_order": [["day", "id"]]}, '"id" is used as a date'),
        ({"date_order": [["day", "day"]]}, 'compares "day" with itself'),
        ({"date_order": [["day"]]}, "date_order"),
        ({"set_aside_limit": "1.5"}, "set_aside_limit"),
        ({"set_aside_limit": "5%"}, "expected a number"),
        ({"set_aside_limit": "nan"}, "set_aside_limit"),
        ({"delivery": {"encoding": "latin1"}}, "is not a choice here"),
        ({"delivery": {"decimal": ";"}}, "is not a choice here"),
        ({"delivery": {"delimiter": "semicolon"}}, "expected one sign such as ; or the word tab"),
        ({"delivery": {"delimiter": "x"}}, "expected one sign"),
        ({"delivery": {"delimiter": '"'}}, "expected one sign"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(table, fault):
    assert fault in _refused({"id": "integer", "day": "date"}, **table)


def test_years_need_a_date_that_places_the_row():
    keys = {"type": "text", "first_year": "2000"}
    assert "the table needs dated_by" in _refused({"day": "date", "x": keys})
    assert register_of({"day": "date", "x": keys}, dated_by="day")


@pytest.mark.parametrize("name", ["row_id", "Row_ID", "index_date", "has_event", "person"])
def test_names_of_the_workbench_are_refused(name):
    assert "is a name the workbench uses itself" in _refused({name: "text"})


@pytest.mark.parametrize("name", ["_x", "1x", "a b", "a-b", "a.b", 'a"b'])
def test_names_that_are_no_names_are_refused(name):
    assert "is no variable name" in _refused({name: "text"})


def test_letters_of_the_north_may_stand_in_names():
    assert "ålder" in register_of({"ålder": "integer"}).tables["rows"].variables


def test_two_names_that_differ_in_capitals_are_refused():
    assert "same name" in _refused({"Sex": "text", "sex": "text"})


def test_two_headers_that_differ_in_capitals_are_refused():
    sex = {"type": "text", "delivered_as": "KÖN"}
    assert "same header" in _refused({"sex": sex, "kön": "text"})


def test_a_tab_survives_as_delimiter():
    for given in ("\t", "\\t", "tab"):
        table = register_of({"x": "text"}, delivery={"delimiter": given}).tables["rows"]
        again = parse_document(table.model_dump(mode="json"), Table, where="x")
        assert table.delivery.delimiter == again.delivery.delimiter == "tab"


def test_a_table_written_as_json_is_the_same_table_again():
    table = register_of(
        {"id": "integer", "day": {"type": "date", "minimum": "2000-01-01", "last_year": "2010"}},
        key=["id"],
        dated_by="day",
        delivery={"missing": ["NA", "."], "decimal": ","},
    ).tables["rows"]
    assert Table.model_validate_json(table.model_dump_json()) == table


def test_what_counts_as_a_category():
    number = register_of({"x": "decimal"}).tables["rows"].variables["x"]
    coded = register_of({"x": {"type": "integer", "codes": {"1": "a"}}}).tables["rows"]
    assert not number.is_category
    assert coded.variables["x"].is_category
    assert not coded.has_dates


def test_a_table_that_does_not_exist_names_the_nearest():
    with pytest.raises(DefinitionError, match=r'no table "row".* Did you mean "rows"'):
        register_of({"x": "text"}).table("row")


def _definition(folder, name, label="One", file_name=None):
    path = folder / "registers" / f"{file_name or name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f"name: {name}\nlabel: {label}\ntables: {{t: {{variables: {{x: {{type: text}}}}}}}}"
    )


def test_the_nearest_folder_wins(tmp_path):
    near, far = tmp_path / "near", tmp_path / "far"
    _definition(near, "hip", "Near")
    _definition(far, "hip", "Far")
    _definition(far, "knee")
    assert load_register("hip", [near, far]).label == "Near"
    assert set(find_registers([near, far])) >= {"hip", "knee"}


def test_a_register_that_does_not_exist_names_the_nearest(tmp_path):
    _definition(tmp_path, "hip")
    with pytest.raises(DefinitionError, match='no register "hipp". Did you mean "hip"'):
        load_register("hipp", [tmp_path])


def test_a_name_that_differs_from_the_file_is_refused(tmp_path):
    _definition(tmp_path, "hip", file_name="knee")
    with pytest.raises(DefinitionError, match='key name says "hip"'):
        load_register("knee", [tmp_path])


@pytest.mark.parametrize("name", ["Hip", "1hip", "hip.x", "a" * 41])
def test_a_register_has_a_plain_name(name):
    document = {"name": name, "label": "x", "tables": {"t": {"variables": {"x": {"type": "text"}}}}}
    from workbench.registers.schema import Register

    with pytest.raises(DefinitionError, match="name"):
        parse_document(document, Register, where="x")
