from __future__ import annotations

import pytest
from builders import register_of

from workbench.data.headers import match_headers
from workbench.errors import DataError

TABLE = register_of(
    {"id": "integer", "sex": "code", "age": {"type": "integer", "delivered_as": "Ålder (år)"}}
).tables["rows"]


def _refused(*headers):
    with pytest.raises(DataError) as told:
        match_headers(headers, TABLE, where="file.csv")
    return str(told.value)


def test_capitals_blanks_and_order_do_not_count():
    columns, strangers = match_headers([" ålder (ÅR)", "SEX", "Id "], TABLE, where="x")
    assert columns == {"id": 2, "sex": 1, "age": 0}
    assert strangers == ()


def test_extra_columns_are_told_blank_and_double_ones_too():
    columns, strangers = match_headers(
        ["", "id", "note", "sex", "note", "", "Ålder (år)"], TABLE, where="x"
    )
    assert columns == {"id": 1, "sex": 3, "age": 6}
    assert strangers == ("(column 1)", "note", "note", "(column 6)")


def test_a_missing_column_names_what_resembles_it():
    told = _refused("id", "sexx", "Ålder (år)")
    assert 'the column "sex" is missing. Is it "sexx"?' in told
    assert "read as 3 headers" in told


def test_every_missing_and_double_column_is_told_at_once():
    told = _refused("ID", "id", "Ålder (år)")
    assert 'the column "id" stands more than once' in told
    assert 'the column "sex" is missing' in told


def test_values_in_place_of_headers_are_not_repeated():
    told = _refused("idd", "sexy", "Ålder (är)")
    assert "idd" not in told
    assert "sexy" not in told
    assert "är)" not in told
