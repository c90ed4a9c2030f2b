"""Variables that changed with the years: type, codes and limits of each edition."""

from __future__ import annotations

import pytest
from builders import aside, bring_in, kept, register_of, told, write_csv


def _import(tmp_path, variable, *lines, **table):
    register = register_of({"day": "date", "x": variable}, dated_by="day", **table)
    return bring_in(register, write_csv(tmp_path / "a.csv", "day;x", *lines), tmp_path / "s")


def test_codes_are_those_of_the_year(tmp_path):
    variable = {
        "type": "code", "codes": {"A": "new", "B": "new too"},
        "editions": [{"last_year": "1999", "codes": {"1": "old"}},
                     {"first_year": "2000", "last_year": "2004", "codes": {"1": "x", "2": "y"}}],
    }  # fmt: skip
    lines = ["1999-12-31;1", "1999-12-31;A", "2000-01-01;2", "2004-12-31;A", "2005-01-01;A", ";B",
             ";1", "1990-01-01;"]  # fmt: skip
    done = _import(tmp_path, variable, *lines)
    assert list(aside(tmp_path / "s")) == ["2", "4", "7"]
    assert told(done) == {("unknown code", "x", 3)}


def test_an_edition_says_all_of_its_years(tmp_path):
    """What the variable says of other years does not hold there."""
    variable = {
        "type": "integer", "minimum": "0", "maximum": "10",
        "editions": [{"last_year": "1999", "minimum": "100"}],
    }  # fmt: skip
    lines = ["1999-01-01;99", "1999-01-01;100000", "2000-01-01;11", "2000-01-01;10"]
    assert told(_import(tmp_path, variable, *lines)) == {
        ("below the minimum", "x", 1), ("above the maximum", "x", 1)
    }  # fmt: skip
    assert kept(tmp_path / "s")["x"] == [100000, 10]


@pytest.mark.parametrize(
    ("stored", "edition", "good", "bad", "rule", "value"),
    [
        ("decimal", "integer", "3", "3.5", "not a whole number", 3.0),
        ("code", "integer", "007", "x", "not a whole number", "007"),
        ("text", "decimal", "3,5", "x", "not a number", "3,5"),
        ("code", "date", "2001-02-03", "2001-02-30", "impossible date", "2001-02-03"),
        ("code", "boolean", "ja", "perhaps", "not yes or no", "ja"),
    ],
)
def test_values_have_the_type_of_the_year(tmp_path, stored, edition, good, bad, rule, value):
    variable = {"type": stored, "editions": [{"last_year": "1999", "type": edition}]}
    decimal = {"delivery": {"decimal": ","}} if good == "3,5" else {}
    done = _import(tmp_path, variable, f"1999-01-01;{good}", f"1999-01-01;{bad}", **decimal)
    assert told(done) == {(rule, "x", 1)}
    assert kept(tmp_path / "s")["x"] == [value]


def test_a_value_of_the_old_type_is_wrong_in_new_years(tmp_path):
    variable = {"type": "decimal", "editions": [{"last_year": "1999", "type": "integer"}]}
    done = _import(tmp_path, variable, "1999-01-01;3", "2000-01-01;3.5", "2000-01-01;x")
    assert told(done) == {("not a number", "x", 1)}


@pytest.mark.parametrize(
    ("kind", "limit", "good", "bad"),
    [("integer", "5", "5", "6"), ("decimal", "5.5", "5,5", "5,6"),
     ("date", "2000-12-31", "20001231", "2001-01-01")],
)  # fmt: skip
def test_limits_hold_also_where_the_value_is_stored_as_text(tmp_path, kind, limit, good, bad):
    variable = {"type": "text", "editions": [{"last_year": "1999", "type": kind, "maximum": limit}]}
    lines = [f"1999-01-01;{good}", f"1999-01-01;{bad}", f"2000-01-01;{bad}"]
    done = _import(tmp_path, variable, *lines, delivery={"decimal": ","})
    assert told(done) == {("above the maximum", "x", 1)}


def test_required_holds_in_editions_too_and_their_years_are_collected_years(tmp_path):
    variable = {
        "type": "code", "required": "yes", "first_year": "2005",
        "editions": [{"first_year": "1990", "last_year": "1999", "codes": {"1": "a"}}],
    }  # fmt: skip
    lines = ["1995-01-01;1", "1995-01-01;", "2002-01-01;", "2002-01-01;5", "2006-01-01;",
             "2006-01-01;5"]  # fmt: skip
    done = _import(tmp_path, variable, *lines)
    assert told(done) == {("missing value", "x", 2)}
    assert list(aside(tmp_path / "s")) == ["2", "5"]
    assert [(n.rule, n.first_rows) for n in done.version.notes] == [
        ("value outside its years", ("4",))
    ]


def test_each_classification_is_looked_at_in_its_years(tmp_path):
    variable = {
        "type": "code", "code_system": "icd10se",
        "editions": [{"last_year": "1996", "code_system": "icd9"}],
    }  # fmt: skip
    lines = ["1996-12-31;410A", "1996-12-31;I219", "1997-01-01;I219", "1997-01-01;410A"]
    done = _import(tmp_path, variable, *lines)
    assert {(n.rule, n.first_rows) for n in done.version.notes} == {
        ("not shaped like icd9", ("2",)), ("not shaped like icd10se", ("4",))
    }  # fmt: skip


def test_a_row_whose_date_is_wrong_belongs_to_no_edition(tmp_path):
    variable = {"type": "code", "codes": {"A": "a"}, "editions": [
        {"last_year": "1999", "codes": {"1": "b"}}]}  # fmt: skip
    _import(tmp_path, variable, "1999-02-30;A", "1999-01-01;1")
    assert aside(tmp_path / "s") == {"1": ["impossible date: day"]}
