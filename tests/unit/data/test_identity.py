"""Identity numbers of four countries: printed examples, and the engine beside the plain reading.

Examples are published: Skatteverket's test numbers (Sweden), navikt/fnrvalidator and
Skatteetaten's page on numbers from 2032 (Norway), CPR-kontoret (Denmark), DVV (Finland).
"""

from __future__ import annotations

from datetime import date

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import luhn
from stdnum.no import fodselsnummer

from workbench.data.identity import (
    FINNISH_CENTURIES,
    NOT_A_NUMBER,
    SHAPES,
    WRONG_CHECK_DIGIT,
    read_number,
)
from workbench.data.identity_sql import FINNISH_SIGNS, FIRST_WEIGHTS, read_sql

AS_OF = date(2024, 6, 15)


def _read(text, scheme, as_of=AS_OF, born=None):
    return read_number(text, scheme, as_of=as_of, born=born)


@pytest.mark.parametrize(
    "text",
    ["191212121212", "19121212-1212", "19121212+1212", "121212+1212", "19 121212 1212",
     " 19121212-1212 ", "19121212\u00a01212"],
)  # fmt: skip
def test_every_way_of_writing_a_swedish_number_is_one_number(text):
    found = _read(text, "swedish")
    assert (found.number, found.birth_date, found.sex) == (
        "191212121212", date(1912, 12, 12), "male"
    )  # fmt: skip
    assert found.problem is None and not found.is_test and not found.is_coordination


@pytest.mark.parametrize(
    ("text", "as_of", "year"),
    [
        ("121212-1212", date(2024, 6, 15), 2012),
        ("1212121212", date(2024, 6, 15), 2012),
        ("121212-1212", date(2012, 12, 12), 2012),
        ("121212-1212", date(2012, 12, 11), 1912),
        ("121212+1212", date(2012, 1, 1), 1912),  # the sign changes with the year, not the day
        ("121212+1212", date(2011, 12, 31), None),  # nobody is 100 or more who was born then
        ("1212121212", date(1999, 1, 1), 1912),
    ],
)
def test_ten_digits_around_a_hundredth_birthday(text, as_of, year):
    found = _read(text, "swedish", as_of)
    assert (found.birth_date.year if found.birth_date else None) == year
    if year:
        assert found.is_dated_by_calendar
    else:
        assert found.problem == NOT_A_NUMBER


@pytest.mark.parametrize("text", ["121212-1212", "121212+1212", "1212121212"])
@pytest.mark.parametrize("born", [date(1912, 12, 12), date(2012, 12, 12), date(1915, 1, 1)])
def test_a_delivered_birth_date_decides_the_century(text, born):
    found = _read(text, "swedish", born=born)
    assert found.birth_date.year == (2012 if born.year == 2012 else 1912)
    assert not found.is_dated_by_calendar


def test_a_century_that_is_written_needs_no_birth_date():
    assert _read("20121212-1212", "swedish", born=date(1912, 12, 12)).birth_date.year == 2012


@pytest.mark.parametrize(
    ("text", "scheme", "born", "sex"),
    [
        ("198611239883", "swedish", date(1986, 11, 23), "female"),
        ("191500722390", "swedish", None, "male"),  # a coordination number without a birth date
        ("53097248016", "norwegian", date(1972, 9, 13), "female"),  # D-number
        ("130972 48022", "norwegian", date(1972, 9, 13), "female"),
        ("29029648784", "norwegian", date(1996, 2, 29), "male"),
        ("10915596784", "norwegian", date(1955, 11, 10), "male"),  # month + 80
        ("50846202355", "norwegian", date(1962, 4, 10), "male"),  # D-number, month + 80
        ("55507608360", "norwegian", date(1976, 10, 15), "male"),  # D-number, month + 40
        ("211062-5629", "danish", date(1862, 10, 21), "male"),
        ("0707614285", "danish", date(1961, 7, 7), "male"),
        ("010165 0001", "danish", date(1965, 1, 1), "male"),  # does not fit modulus 11
        ("131052-308T", "finnish", date(1952, 10, 13), "female"),
        ("010594y9032", "finnish", date(1994, 5, 1), "male"),
        ("020516C903K", "finnish", date(2016, 5, 2), "male"),
        ("010101+0101", "finnish", date(1801, 1, 1), None),
    ],
)
def test_published_numbers_are_read(text, scheme, born, sex):
    found = _read(text, scheme)
    if born == date(1801, 1, 1):  # nobody in a living register was born before 1860
        assert found.problem == NOT_A_NUMBER
        return
    assert (found.birth_date, found.sex, found.problem) == (born, sex, None)


@pytest.mark.parametrize(
    ("text", "scheme"),
    [("198611239883", "swedish"), ("10915596784", "norwegian"), ("55507608360", "norwegian"),
     ("610165-0001", "danish"), ("010594Y9032", "finnish")],
)  # fmt: skip
def test_numbers_that_nobody_was_given_are_told_apart(text, scheme):
    assert _read(text, scheme).is_test


@pytest.mark.parametrize(
    ("text", "scheme"), [("191500722390", "swedish"), ("53097248016", "norwegian")]
)
def test_coordination_and_d_numbers_are_known_as_such(text, scheme):
    assert _read(text, scheme).is_coordination


@pytest.mark.parametrize(
    ("text", "scheme", "problem"),
    [
        ("191212121213", "swedish", WRONG_CHECK_DIGIT),
        ("191213121212", "swedish", NOT_A_NUMBER),  # month 13
        ("191202301219", "swedish", NOT_A_NUMBER),  # 30 February
        ("191212001212", "swedish", NOT_A_NUMBER),  # day 0 of a personal number
        ("202512121212", "swedish", NOT_A_NUMBER),  # not born yet
        ("175912121212", "swedish", NOT_A_NUMBER),
        ("19121212-121", "swedish", NOT_A_NUMBER),
        ("19121212--1212", "swedish", NOT_A_NUMBER),
        ("1912-12121212", "swedish", NOT_A_NUMBER),
        ("١٩١٢١٢١٢١٢١٢", "swedish", NOT_A_NUMBER),  # digits, but not ours
        ("19121212T212", "swedish", NOT_A_NUMBER),
        ("", "swedish", NOT_A_NUMBER),
        ("13097248032", "norwegian", WRONG_CHECK_DIGIT),
        ("13097248023", "norwegian", WRONG_CHECK_DIGIT),
        ("32127248022", "norwegian", NOT_A_NUMBER),
        ("80205870001", "norwegian", NOT_A_NUMBER),  # a common help number holds no birth date
        ("30104175038", "norwegian", NOT_A_NUMBER),  # no series 750 for 1941
        ("010165-00001", "danish", NOT_A_NUMBER),
        ("300265-0001", "danish", NOT_A_NUMBER),
        ("131052-308U", "finnish", WRONG_CHECK_DIGIT),
        ("131052-308G", "finnish", NOT_A_NUMBER),  # no check sign
        ("131052Z308T", "finnish", NOT_A_NUMBER),
        ("131052-0012", "finnish", NOT_A_NUMBER),  # individual numbers begin with 002
        ("131099A308T", "finnish", NOT_A_NUMBER),  # not born yet
    ],
)
def test_what_is_wrong_with_a_number_is_said(text, scheme, problem):
    found = _read(text, scheme)
    assert (found.problem, found.number, found.birth_date) == (problem, None, None)


@pytest.mark.parametrize("text", ["30108299939", "02013299903"])
def test_norwegian_numbers_of_2032_are_taken_from_2032_on(text):
    assert _read(text, "norwegian", date(2031, 12, 31)).problem is not None
    found = _read(text, "norwegian", date(2032, 1, 3))
    assert found.number == text
    assert (found.birth_date, found.sex) == (None, None)  # they say neither century nor sex


@pytest.mark.parametrize("text", ["30108299920", "02013299997"])
def test_a_norwegian_number_that_keeps_the_old_rule_is_an_old_one(text):
    assert _read(text, "norwegian", date(2032, 1, 3)).birth_date is not None


@pytest.mark.parametrize(
    ("seventh", "two", "year"),
    [("0", "36", 1936), ("3", "99", 1999), ("4", "36", 2036), ("4", "37", 1937), ("5", "57", 2057),
     ("5", "58", 1858), ("8", "99", 1899), ("9", "36", 2036), ("9", "37", 1937)],
)  # fmt: skip
def test_the_seventh_danish_digit_tells_the_century(seventh, two, year):
    found = _read(f"0101{two}{seventh}001", "danish", date(2060, 1, 1))
    assert (found.birth_date.year if found.birth_date else None) == (year if year > 1859 else None)


def test_a_number_does_not_show_itself():
    assert "1212" not in repr(_read("191212121212", "swedish"))


# Numbers that nearly are: right ones of every kind, some of them changed in one place.
def _swedish(day, extra, serial, has_century, sign):
    ten = f"{day:%y%m}{day.day + extra:02}{serial:03}"
    ten += luhn.calc_check_digit(ten)
    return f"{str(day.year)[:2] if has_century else ''}{ten[:6]}{sign}{ten[6:]}"


def _norwegian(day, days, months, serial, rest):
    nine = f"{day.day + days:02}{day.month + months:02}{day:%y}{serial:03}"
    total = sum(weight * int(digit) for weight, digit in zip(FIRST_WEIGHTS, nine, strict=True))
    ten = nine + str((rest - total) % 11)[0]
    return ten + fodselsnummer.calc_check_digit2(ten)[0]


def _finnish(day, sign, serial):
    checked = f"{day:%d%m%y}{serial:03}"
    return f"{checked[:6]}{sign}{checked[6:]}{FINNISH_SIGNS[int(checked) % 31]}"


DAYS = st.dates(date(1855, 1, 1), date(2045, 12, 31))
SERIALS = st.integers(0, 999)
NUMBERS = {
    "swedish": st.builds(
        _swedish, DAYS, st.sampled_from([0, 0, 60]), SERIALS, st.booleans(),
        st.sampled_from(["", "-", "+", " "]),
    ),
    "norwegian": st.builds(
        _norwegian, DAYS, st.sampled_from([0, 0, 40]), st.sampled_from([0, 0, 40, 65, 80]),
        SERIALS, st.sampled_from([0, 0, 1, 2, 3, 4]),
    ),
    "danish": st.builds(
        lambda day, extra, sign, last: f"{day.day + extra:02}{day:%m%y}{sign}{last:04}",
        DAYS, st.sampled_from([0, 0, 60]), st.sampled_from(["", "-", " "]), st.integers(0, 9999),
    ),
    "finnish": st.builds(_finnish, DAYS, st.sampled_from("".join(FINNISH_CENTURIES)), SERIALS),
}  # fmt: skip


@st.composite
def _nearly(draw, numbers):
    text = draw(numbers)
    if draw(st.booleans()):
        at = draw(st.integers(0, len(text) - 1))
        sign = draw(st.sampled_from("0123456789-+ AaY\u00a0\u0663x"))
        text = text[:at] + sign + text[at + draw(st.integers(0, 1)) :]
    return text


@pytest.fixture(scope="module")
def engine():
    with duckdb.connect() as session:
        yield session


@pytest.mark.parametrize("scheme", SHAPES)
@pytest.mark.parametrize("as_of", [AS_OF, date(2000, 2, 29), date(2035, 1, 1)])
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_the_engine_reads_numbers_as_they_are_read_one_by_one(engine, scheme, as_of, data):
    rows = data.draw(
        st.lists(
            st.tuples(_nearly(NUMBERS[scheme]), st.none() | st.dates(date(1890, 1, 1), as_of)),
            min_size=1,
            max_size=40,
        )
    )
    texts, borns = map(list, zip(*rows, strict=True))
    engine.execute(
        "create or replace temp table given as "
        "select unnest(?::varchar[]) as text, unnest(?::date[]) as born",
        [texts, borns],
    )
    read = read_sql("from given", "text", scheme, as_of=as_of, prefix="_", born="born")
    found = engine.execute(
        f"select text, born, _number, _born, _sex, _problem, _is_test, _by_calendar from ({read})"
    ).fetchall()
    for text, born, *answers in found:
        one = read_number(text, scheme, as_of=as_of, born=born)
        assert answers == [
            one.number, one.birth_date, one.sex, one.problem, one.is_test, one.is_dated_by_calendar
        ], (scheme, as_of, born)  # fmt: skip


def test_a_missing_number_has_no_problem(engine):
    read = read_sql("select null::varchar as text", "text", "swedish", as_of=AS_OF, prefix="_")
    found = engine.execute(f"select _number, _born, _sex, _problem, _is_test from ({read})")
    assert found.fetchall() == [(None, None, None, None, False)]
