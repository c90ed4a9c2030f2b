from __future__ import annotations

import math
import re
from datetime import date
from pathlib import Path

import duckdb
import pytest
from builders import AS_OF, aside, bring_in, kept, register_of, told, write_csv
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from workbench.data import checks
from workbench.registers.variables import Variable

DAY = {"day": "date"}


def _import(tmp_path, variables, *values, **table):
    """One column of values, with a running number beside it."""
    (name,) = variables
    register = register_of({"nr": "integer", **variables}, **table)
    lines = [f'{nr};"{value}"' for nr, value in enumerate(values, 1)]
    return bring_in(register, write_csv(tmp_path / "a.csv", f"nr;{name}", *lines), tmp_path / "s")


def _kept(tmp_path, variables, *values, **table):
    (name,) = variables
    lines = ["0;"]  # a row that is kept whatever becomes of the others
    lines += [f'{nr};"{value}"' for nr, value in enumerate(values, 1)]
    register = register_of({"nr": "integer", **variables}, **table)
    bring_in(register, write_csv(tmp_path / "a.csv", f"nr;{name}", *lines), tmp_path / "s")
    rows = kept(tmp_path / "s")
    return dict(zip(rows["nr"][1:], rows[name][1:], strict=True))


@pytest.mark.parametrize(
    ("text", "number"),
    [("3", 3), (" -3 ", -3), ("+3", 3), ("003", 3), ("3.0", 3), ("3,00", 3), ("3.", 3),
     ("-3.000000", -3), ("999999999999999999", 999999999999999999), ("-0", 0), ("\u00a03", 3)],
)  # fmt: skip
def test_whole_numbers_are_read(tmp_path, text, number):
    assert _kept(tmp_path, {"x": "integer"}, text) == {1: number}


@pytest.mark.parametrize(
    "text",
    ["3.5", "1_000", "0x10", "0b1", "1e3", "inf", "nan", "1.000", "1,000", "1 000", "3.0.0", "--3",
     "three", "٣", "3-", "99999999999999999999", "true", "1.0e1", "½", "3\t"],
)  # fmt: skip
def test_what_is_no_whole_number_is_refused(tmp_path, text):
    done = _import(tmp_path, {"x": "integer"}, "1", text, "")
    assert told(done) == {("not a whole number", "x", 1)}
    assert list(aside(tmp_path / "s")) == ["2"]


@pytest.mark.parametrize(
    ("text", "number"),
    [("2.5", 2.5), ("-.5", -0.5), ("5.", 5.0), ("1e3", 1000.0), ("+1.5E-2", 0.015), ("007", 7.0)],
)
def test_decimal_numbers_are_read(tmp_path, text, number):
    assert _kept(tmp_path, {"x": "decimal"}, text) == {1: number}


@pytest.mark.parametrize(
    "text",
    ["1_0", "0x1F", "inf", "-infinity", "nan", "NaN", "1e999", "1.2.3", "1e", ".", "1 5", "x"],
)
def test_what_is_no_decimal_number_is_refused(tmp_path, text):
    assert told(_import(tmp_path, {"x": "decimal"}, "1.5", text)) == {("not a number", "x", 1)}


@pytest.mark.parametrize(
    "text", ["2020-02-29", "20200229", "2020-02-29 00:00:00", "2020-02-29T00:00", " 2020-02-29 "]
)
def test_dates_are_read(tmp_path, text):
    assert _kept(tmp_path, DAY, text) == {1: date(2020, 2, 29)}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("2020-02-30", "impossible date"),
        ("20200230", "impossible date"),
        ("2021-02-29", "impossible date"),
        ("2020-13-01", "impossible date"),
        ("2020-00-10", "impossible date"),
        ("31.12.2020", "impossible date"),
        ("2020-02-29 10:30", "date with a time of day"),
        ("2020-02-29T23:59:59.5", "date with a time of day"),
        ("infinity", "not a date"),
        ("epoch", "not a date"),
        ("today", "not a date"),
        ("nan", "not a date"),
        ("2020", "not a date"),
        ("2020/02/29", "not a date"),
        ("2020-2-9", "not a date"),
        ("2020-02-29 (BC)", "not a date"),
        ("12020-01-01", "not a date"),
        ("43890", "not a date"),
        ("1859-12-31", "before 1860"),
        ("0001-01-01", "before 1860"),
        ("2024-01-02", "in the future"),
        ("9999-12-31", "in the future"),
    ],
)
def test_dates_that_cannot_be_are_refused(tmp_path, text, rule):
    assert told(_import(tmp_path, DAY, text, "2020-01-01", "")) == {(rule, "day", 1)}


@pytest.mark.parametrize("text", ["1860-01-01", AS_OF.isoformat()])
def test_the_first_and_the_last_possible_day_are_kept(tmp_path, text):
    assert _kept(tmp_path, DAY, text) == {1: date.fromisoformat(text)}


@pytest.mark.parametrize(
    ("pattern", "text", "day"),
    [
        ("%d.%m.%Y", "29.02.2020", date(2020, 2, 29)),
        ("%d.%m.%Y", "1.2.2020", date(2020, 2, 1)),
        ("%d.%m.%Y", "2020-02-01", date(2020, 2, 1)),
        ("%m/%d/%Y", "02/29/2020", date(2020, 2, 29)),
        ("%d%m%Y", "01022020", date(2020, 2, 1)),
        ("%d %b %Y %H:%M", "1 Feb 2020 23:59", date(2020, 2, 1)),
        ("%Y%j", "2020060", date(2020, 2, 29)),
        ("%d.%m.%Y", "30.02.2020", None),
        ("%d.%m.%Y", "01.02.20", None),
        ("%d.%m.%Y", "01.02.2020x", None),
        ("%d.%m.%Y", "20200201", None),
        ("%d.%m.%Y", "infinity", None),
        ("%d.%m.%Y", "02/01/2020", None),
    ],
)
def test_a_declared_pattern_is_followed(tmp_path, pattern, text, day):
    found = _kept(tmp_path, {"day": {"type": "date", "date_format": pattern}}, text)
    assert found == ({1: day} if day else {})


@pytest.mark.parametrize(
    ("text", "is_yes"), [("1", True), ("JA", True), ("Nej", False), ("0", False)]
)
def test_yes_and_no_are_read(tmp_path, text, is_yes):
    assert _kept(tmp_path, {"x": "boolean"}, text) == {1: is_yes}


def test_what_is_neither_yes_nor_no_is_refused(tmp_path):
    assert told(_import(tmp_path, {"x": "boolean"}, "1", "2", "maybe")) == {
        ("not yes or no", "x", 2)
    }


def test_unknown_codes_are_refused(tmp_path):
    variable = {"x": {"type": "code", "codes": {"1": "a", "9": "not known"}, "unknown": ["9"]}}
    done = _import(tmp_path, variable, "1", "9", "01", "2", "1.0", "", " 1 ")
    assert told(done) == {("unknown code", "x", 3)}
    assert kept(tmp_path / "s")["x"] == ["1", "9", None, "1"]


def test_codes_of_numbers_are_compared_as_numbers(tmp_path):
    variable = {"x": {"type": "integer", "codes": {"1": "a"}}}
    assert _kept(tmp_path, variable, "1", "01", "1.0", "2") == {1: 1, 2: 1, 3: 1}


def test_codes_with_quotation_marks_are_only_text(tmp_path):
    variable = {"x": {"type": "code", "codes": {"o'1": "a", "'); drop table faults; --": "b"}}}
    assert _kept(tmp_path, variable, "o'1", "o2") == {1: "o'1"}


@pytest.mark.parametrize("kind", ["integer", "decimal"])
def test_limits_belong_to_what_is_allowed(tmp_path, kind):
    variable = {"x": {"type": kind, "minimum": "-2", "maximum": "10"}}
    done = _import(tmp_path, variable, "-2", "10", "-3", "11", "")
    assert told(done) == {("below the minimum", "x", 1), ("above the maximum", "x", 1)}


def test_limits_of_dates(tmp_path):
    variable = {"day": {"type": "date", "minimum": "2000-01-01", "maximum": "2000-12-31"}}
    done = _import(tmp_path, variable, "2000-01-01", "2000-12-31", "1999-12-31", "2001-01-01")
    assert told(done) == {("below the minimum", "day", 1), ("above the maximum", "day", 1)}


def test_required_values_may_not_be_missing(tmp_path):
    variable = {"x": {"type": "integer", "required": "yes"}}
    done = _import(tmp_path, variable, "1", "", "  ", "NA", "x", delivery={"missing": ["NA"]})
    assert told(done) == {("missing value", "x", 3), ("not a whole number", "x", 1)}


def test_a_person_and_a_key_are_required(tmp_path):
    lines = ["1;a", ";b", "2;"]
    register = register_of({"who": "code", "nr": "text"}, person="who", key=["nr"])
    done = bring_in(register, write_csv(tmp_path / "a.csv", "who;nr", *lines), tmp_path / "s")
    assert told(done) == {("missing value", "who", 1), ("missing value", "nr", 1)}


def test_required_holds_within_the_years_and_outside_is_worth_a_note(tmp_path):
    variables = {
        "day": "date",
        "x": {"type": "integer", "required": "yes", "first_year": "2001", "last_year": "2002"},
    }
    lines = ["2000-12-31;", "2001-01-01;", "2002-12-31;1", "2003-01-01;", "2003-01-02;5", ";", ";7"]
    register = register_of(variables, dated_by="day")
    done = bring_in(register, write_csv(tmp_path / "a.csv", "day;x", *lines), tmp_path / "s")
    assert aside(tmp_path / "s") == {row: ["missing value: x"] for row in "26"}
    assert [(n.rule, n.column, n.first_rows) for n in done.version.notes] == [
        ("value outside its years", "x", ("5",))
    ]


def test_copies_and_rows_that_share_a_key(tmp_path):
    lines = ["1;a", "2;b", "1;a", "3;c", "3;d", "1; a ", "4;e", ";x", ";x", "3;c"]
    register = register_of({"nr": "integer", "word": "text"}, key=["nr"])
    done = bring_in(register, write_csv(tmp_path / "a.csv", "nr;word", *lines), tmp_path / "s")
    assert aside(tmp_path / "s") == {
        "3": ["copy of another row: nr"],
        "6": ["copy of another row: nr"],
        **{row: ["key shared by different rows: nr"] for row in ("4", "5", "10")},
        **{row: ["missing value: nr"] for row in "89"},
    }
    assert kept(tmp_path / "s")["nr"] == [1, 2, 4]
    assert done.version.n_rows_kept == 3


def test_a_key_of_several_variables_named_like_the_engines_own(tmp_path):
    names = ["content", "differ", "copy_no", "rule", "row", "reasons", "line", "alike"]
    register = register_of(dict.fromkeys(names, "text"), key=names[:3])
    lines = ["a;b;c;1;2;3;4;5", "a;b;c;1;2;3;4;5", "a;b;d;1;2;3;4;5", "a;b"]
    done = bring_in(
        register, write_csv(tmp_path / "a.csv", ";".join(names), *lines), tmp_path / "s"
    )
    assert list(aside(tmp_path / "s")) == ["2", "4"]
    assert done.version.n_rows_kept == 2


def test_a_row_with_a_value_of_another_type_is_no_copy(tmp_path):
    register = register_of({"nr": "integer", "x": "integer"}, key=["nr"])
    file = write_csv(tmp_path / "a.csv", "nr;x", "1;abc", "1;", "2;5")
    bring_in(register, file, tmp_path / "s")
    shared = "key shared by different rows: nr"
    assert aside(tmp_path / "s") == {"1": [shared, "not a whole number: x"], "2": [shared]}


@pytest.mark.parametrize(
    "word", ["Ã¥", "Ã„ngelholm", "a\ufffdb", "a\0b", "MalmÃ¶", "S\u00c3\u00b8r", "Ã–"]
)
def test_damaged_letters_are_refused(tmp_path, word):
    file = tmp_path / "a.csv"
    file.write_bytes(f"word\n{word}\nÅmål\n".encode())
    done = bring_in(register_of({"word": "text"}), file, tmp_path / "s")
    assert told(done) == {("damaged letters", "word", 1)}


@pytest.mark.parametrize("word", ["SÃO PAULO", "ÃSA", "½ – ’ € Ÿ", "JOÃO"])
def test_whole_letters_are_kept(tmp_path, word):
    assert _kept(tmp_path, {"word": "text"}, word) == {1: word}


def test_texts_for_missing_are_missing_in_every_column(tmp_path):
    variables = {
        "a": "integer",
        "b": "text",
        "c": "date",
        "d": {"type": "code", "codes": {"1": "x"}},
    }
    register = register_of(variables, delivery={"missing": ["NA", "it's", "."]})
    file = write_csv(
        tmp_path / "a.csv", "a;b;c;d", "NA;NA; NA ;it's", "1;na;2020-01-01;1", ".;.;.;."
    )
    done = bring_in(register, file, tmp_path / "s")
    assert done.version.n_rows_set_aside == 0
    assert kept(tmp_path / "s")["b"] == [None, "na", None]


_AS_PYTHON = {
    "integer": re.compile(r"[+-]?[0-9]{1,18}|[+-]?[0-9]{1,15}[.,](0{0,2}|0{4,})"),
    "decimal": re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"),
}


@pytest.fixture(scope="module")
def engine():
    with duckdb.connect() as session:
        yield session


@pytest.mark.parametrize("kind", ["integer", "decimal"])
@example("1e308")
@example("1e309")
@example("+.5")
@example("-")
@example("0" * 30)
@given(st.text(st.sampled_from("0123456789+-.,eE_ xinfa"), min_size=1, max_size=9))
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_numbers_are_those_of_a_plain_grammar(engine, kind, text):
    value = text.strip(" ") or "x"
    query = f"select {checks.typed_sql('v', Variable(type=kind), decimal='.')} from (select ? as v)"
    ((found,),) = engine.execute(query, [value]).fetchall()
    if kind == "decimal":
        is_number = _AS_PYTHON[kind].fullmatch(value) and math.isfinite(float(value))
        assert found == (float(value) if is_number else None)
    elif _AS_PYTHON[kind].fullmatch(value):
        assert found == int(re.split("[.,]", value)[0])
    else:  # a longer number that the engine writes as it was given
        assert found is None or str(found) == value


@given(st.dates(date(1, 1, 1)), st.sampled_from(["%Y-%m-%d", "%Y%m%d"]))
def test_every_day_of_the_calendar_is_read(engine, day, pattern):
    text = day.strftime(pattern).zfill(len(pattern) + 2)
    query = (
        f"select {checks.typed_sql('v', Variable(type='date'), decimal='.')} from (select ? as v)"
    )
    assert engine.execute(query, [text]).fetchall() == [(day,)]


# One column a rule; the planted value breaks only its own rule.
PLANTED = {
    "whole": ({"type": "integer"}, "5", "x5"),
    "number": ({"type": "decimal", "minimum": "0"}, "1.5", "-1.5"),
    "day": ({"type": "date"}, "2001-05-06", "2001-02-30"),
    "late": ({"type": "date"}, "2001-05-06", "2031-02-03"),
    "sex": ({"type": "code", "codes": {"1": "a", "2": "b"}}, "2", "3"),
    "told": ({"type": "text", "required": "yes"}, "a b", ""),
    "yes": ({"type": "boolean"}, "ja", "?"),
}


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.sets(st.sampled_from([*PLANTED, "few", "many"]), max_size=2), min_size=1, max_size=60
    )
)
def test_what_is_set_aside_is_what_was_planted(tmp_path_factory, faults):
    folder: Path = tmp_path_factory.mktemp("planted")
    lines, wrong = [], set()
    for nr, planted in enumerate([set(), *faults], 1):  # the first row is clean: one must be kept
        fields = [bad if name in planted else good for name, (_, good, bad) in PLANTED.items()]
        fields = [str(nr), *fields] + ["more"] * ("many" in planted)
        lines.append(";".join(fields[:4] if "few" in planted else fields))
        wrong |= {str(nr)} if planted else set()
    file = write_csv(folder / "a.csv", ";".join(["nr", *PLANTED]), *lines)
    variables = {"nr": "integer", **{name: variable for name, (variable, _, _) in PLANTED.items()}}
    done = bring_in(register_of(variables, key=["nr"]), file, folder / "s")
    version = done.version
    assert set(aside(folder / "s")) == wrong
    assert version.n_rows_read == version.n_rows_kept + version.n_rows_set_aside == len(lines)
    rows = kept(folder / "s")
    assert rows.pop("nr") == [nr for nr in range(1, len(lines) + 1) if str(nr) not in wrong]
    clean = {"whole": 5, "number": 1.5, "day": date(2001, 5, 6), "late": date(2001, 5, 6)}
    clean |= {"sex": "2", "told": "a b", "yes": True}
    assert {name: set(column) for name, column in rows.items()} == {
        n: {v} for n, v in clean.items()
    }
