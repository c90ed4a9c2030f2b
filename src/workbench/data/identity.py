"""Read one Nordic identity number: its normal form, birth date and sex, or what is wrong with it.

The normal form is the same for every way of writing a number, so that one person gets one
pseudonym: twelve digits for a Swedish number, eleven for a Norwegian one, ten for a Danish one, and
the eleven signs of a Finnish code. `identity_sql` answers alike for millions of numbers; a test
holds the two together. Check digits are python-stdnum's; what it does not know of is done here.

Sources: SKV 704 and 707 (Sweden); Skatteetaten, Nytt fødselsnummer fra 2032 (Norway);
CPR-kontoret, Personnummeret i CPR (Denmark); Digital and Population Data Services Agency, Reform of
personal identity code (Finland).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal, NamedTuple

from stdnum import luhn
from stdnum.fi import hetu
from stdnum.no import fodselsnummer

from workbench.registers.schema import EARLIEST_DATE
from workbench.registers.variables import IdentityScheme

Problem = Literal["not an identity number", "wrong check digit"]
NOT_A_NUMBER: Final = "not an identity number"
WRONG_CHECK_DIGIT: Final = "wrong check digit"
Sex = Literal["male", "female"]

# Blanks inside a number: the common one and those that print programs put between digits.
BLANKS = " \u00a0\u2009\u202f"
SHAPES: dict[IdentityScheme, str] = {
    "swedish": r"([0-9]{2})?[0-9]{6}[-+]?[0-9]{4}",
    "norwegian": r"[0-9]{6}-?[0-9]{5}",
    "danish": r"[0-9]{6}-?[0-9]{4}",
    "finnish": r"[0-9]{6}[-+ABCDEFUVWXY][0-9]{3}[0-9A-FHJ-NPR-Y]",
}
COORDINATION_DAYS = 60  # added to the day of a Swedish coordination number
D_NUMBER_DAYS = 40  # added to the day of a Norwegian D-number
NO_BIRTH_DATE_DAY = 80  # from here a Norwegian number is a common help number (FH) without a date
REPLACEMENT_DAYS = 60  # added to the day of a Danish replacement number; nobody was given one
# Added to the month of synthetic Norwegian numbers: the tax agency's, the health network's, and the
# labour agency's, which hospitals' own help numbers (H) cannot be told from.
TEST_MONTHS = (80, 65, 40)
SWEDISH_TESTS = 980  # serial numbers 980-999 are the tax agency's for tests
FINNISH_TESTS = 900  # individual numbers 900-999 are temporary or for tests
FINNISH_CENTURIES = {"+": 1800, **dict.fromkeys("-YXWVU", 1900), **dict.fromkeys("ABCDEF", 2000)}
# Numbers issued in Norway from this day may leave 0, 1, 2 or 3 in the first check, and say neither
# sex nor century. Those from before must leave 0.
RELAXED_FROM = date(2032, 1, 1)


@dataclass(frozen=True)
class IdentityNumber:
    """What an identity number says; `number` is missing when there is a problem with it."""

    number: str | None = field(repr=False)  # the normal form
    birth_date: date | None = field(default=None, repr=False)
    sex: Sex | None = None
    is_coordination: bool = False  # a coordination number, or a D-number
    is_test: bool = False  # of a series that nobody was given: tests, help and replacement numbers
    is_dated_by_calendar: bool = False  # ten digits: the century was taken from the calendar
    problem: Problem | None = None


class _Day(NamedTuple):
    """A day as a number says it; month or day 0 is one that nobody knows."""

    year: int
    month: int
    day: int


def read_number(
    text: str, scheme: IdentityScheme, *, as_of: date, born: date | None = None
) -> IdentityNumber:
    """Read one number of a scheme, however it is written.

    `as_of` is the day from which it is read: nobody was born later, and ten Swedish digits without
    a century belong to the youngest person they can be (with + to one who turns 100 or more in that
    year). `born`, where a birth date is delivered beside the number, decides that century instead.
    """
    written = re.sub(f"[{BLANKS}]", "", text).upper()
    if not re.fullmatch(SHAPES[scheme], written):
        return IdentityNumber(None, problem=NOT_A_NUMBER)
    match scheme:
        case "swedish":
            return _swedish(written, as_of=as_of, born=born)
        case "norwegian":
            return _norwegian(written.replace("-", ""), as_of=as_of)
        case "danish":
            return _danish(written.replace("-", ""), as_of=as_of)
        case "finnish":
            return _finnish(written, as_of=as_of)


def _swedish(written: str, *, as_of: date, born: date | None) -> IdentityNumber:
    digits = written.replace("-", "").replace("+", "")
    ten = digits[-10:]
    month, day = int(ten[2:4]), int(ten[4:6])
    is_coordination = day >= COORDINATION_DAYS
    day -= COORDINATION_DAYS * is_coordination
    has_century = len(digits) == 12
    if has_century:
        year = int(digits[:4])
    else:
        year = _swedish_year(int(ten[:2]), month, day, "+" in written, as_of=as_of, born=born)
    found = _Day(year, month, day)
    # Month and day may be unknown when a coordination number is given.
    is_known = month > 0 and day > 0
    if not _is_possible(found, as_of) or not (is_known or is_coordination):
        return IdentityNumber(None, problem=NOT_A_NUMBER)
    if not luhn.is_valid(ten):
        return IdentityNumber(None, problem=WRONG_CHECK_DIGIT)
    return IdentityNumber(
        f"{year:04}{ten[2:]}",
        birth_date=date(*found) if is_known else None,
        sex=_sex(ten[8]),
        is_coordination=is_coordination,
        is_test=int(ten[6:9]) >= SWEDISH_TESTS,
        is_dated_by_calendar=not has_century and born is None,
    )


def _swedish_year(
    two: int, month: int, day: int, is_old: bool, *, as_of: date, born: date | None
) -> int:
    """The year that ten digits leave open."""
    if born is not None:
        first = born.year - 50
        year = first + (two - first) % 100  # the nearest to the delivered one
    else:
        last = as_of.year - 100 * is_old
        year = last - (last - two) % 100
    is_later = (year, month, day) > (as_of.year, as_of.month, as_of.day)
    return year - 100 * is_later


def _norwegian(digits: str, *, as_of: date) -> IdentityNumber:
    day, month, two, serial = int(digits[:2]), int(digits[2:4]), int(digits[4:6]), int(digits[6:9])
    is_d_number = D_NUMBER_DAYS < day < NO_BIRTH_DATE_DAY
    day -= D_NUMBER_DAYS * is_d_number
    added = next((one for one in TEST_MONTHS if one < month <= one + 12), 0)
    month -= added
    rest = (int(digits[9]) - int(_first_check(digits))) % 11
    year = _norwegian_year(two, serial)
    is_new = as_of >= RELAXED_FROM and (rest in {1, 2, 3} or year is None)
    # A new number does not say its century; 29 February needs one that has it.
    found = _Day(2000 + two if is_new else year or 0, month, day)
    if not (month and day) or not _is_possible(found, None if is_new else as_of):
        return IdentityNumber(None, problem=NOT_A_NUMBER)
    is_right = rest == 0 or (is_new and rest in {1, 2, 3})
    if not is_right or digits[10] != fodselsnummer.calc_check_digit2(digits[:10]):
        return IdentityNumber(None, problem=WRONG_CHECK_DIGIT)
    return IdentityNumber(
        digits,
        birth_date=None if is_new else date(*found),
        sex=None if is_new else _sex(digits[8]),
        is_coordination=is_d_number,
        is_test=added > 0,
    )


def _first_check(digits: str) -> str:
    """The first check digit by the old rule; ten when no digit would do."""
    return fodselsnummer.calc_check_digit1(digits[:9])


def _norwegian_year(two: int, serial: int) -> int | None:
    """The year by the individual digits' series; nothing when no series fits."""
    if serial < 500:
        return 1900 + two
    if two < 40:
        return 2000 + two
    if serial < 750 and two >= 54:
        return 1800 + two
    return 1900 + two if serial >= 900 else None


def _danish(digits: str, *, as_of: date) -> IdentityNumber:
    day, month, two, seventh = (
        int(digits[:2]), int(digits[2:4]), int(digits[4:6]), int(digits[6])
    )  # fmt: skip
    is_replacement = day > REPLACEMENT_DAYS
    day -= REPLACEMENT_DAYS * is_replacement
    found = _Day(_danish_century(seventh, two) + two, month, day)
    # No check digit: since 2007 numbers are given out that do not fit the old modulus.
    if not (month and day) or not _is_possible(found, as_of):
        return IdentityNumber(None, problem=NOT_A_NUMBER)
    return IdentityNumber(
        digits, birth_date=date(*found), sex=_sex(digits[9]), is_test=is_replacement
    )


def _danish_century(seventh: int, two: int) -> int:
    """The century by the seventh digit and the year."""
    if seventh <= 3 or (seventh in {4, 9} and two >= 37):
        return 1900
    return 1800 if seventh in {5, 6, 7, 8} and two >= 58 else 2000


def _finnish(code: str, *, as_of: date) -> IdentityNumber:
    serial = int(code[7:10])
    year = FINNISH_CENTURIES[code[6]] + int(code[4:6])
    found = _Day(year, int(code[2:4]), int(code[:2]))
    # For historical reasons individual numbers begin with 002.
    if serial < 2 or not (found.month and found.day) or not _is_possible(found, as_of):
        return IdentityNumber(None, problem=NOT_A_NUMBER)
    if not hetu.is_valid(code, allow_temporary=True):
        return IdentityNumber(None, problem=WRONG_CHECK_DIGIT)
    return IdentityNumber(
        code, birth_date=date(*found), sex=_sex(code[9]), is_test=serial >= FINNISH_TESTS
    )


def _is_possible(found: _Day, as_of: date | None) -> bool:
    """Whether somebody living or dead can have been born that day; 0 stands for any."""
    year, month, day = found
    try:
        date(year, month or 1, day or 1)
    except ValueError:
        return False
    is_early = year < EARLIEST_DATE.year
    return not is_early and (as_of is None or found <= (as_of.year, as_of.month, as_of.day))


def _sex(digit: str) -> Sex:
    return "male" if int(digit) % 2 else "female"
