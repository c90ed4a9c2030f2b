from __future__ import annotations

import duckdb
import pytest

from workbench.data.sql import file_to_read, file_to_write, identifier, literal


@pytest.mark.parametrize("text", ["a", "it's", 'say "a"', "a;b--", "Å", "", "x'); drop table t"])
def test_names_and_values_stay_what_they_are(text):
    with duckdb.connect() as engine:
        found = engine.execute(f"select {literal(text)} as {identifier(text or 'x')}")
        assert [column[0] for column in found.description] == [text or "x"]
        assert found.fetchall() == [(text,)]


def test_a_file_with_signs_of_a_pattern_is_that_file(tmp_path):
    folder = tmp_path / "d[1]"
    folder.mkdir()
    for name, text in (("a[1]?*.parquet", "right"), ("a1xx.parquet", "wrong")):
        with duckdb.connect() as engine:
            engine.execute(f"copy (select '{text}' as t) to {file_to_write(folder / name)}")
    with duckdb.connect() as engine:
        source = f"read_parquet({file_to_read(folder / 'a[1]?*.parquet')})"
        assert engine.execute(f"select t from {source}").fetchall() == [("right",)]
