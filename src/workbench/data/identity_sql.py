"""Identity numbers in bulk: the rules of `identity` as SQL, for millions of numbers at once.

`read_sql` adds columns to a relation, in steps that build on one another, so that the engine works
each part of a number out once. A number that fails is missing there and has its problem.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from workbench.data.identity import (
    BLANKS,
    COORDINATION_DAYS,
    D_NUMBER_DAYS,
    FINNISH_CENTURIES,
    FINNISH_TESTS,
    NO_BIRTH_DATE_DAY,
    NOT_A_NUMBER,
    RELAXED_FROM,
    REPLACEMENT_DAYS,
    SHAPES,
    SWEDISH_TESTS,
    TEST_MONTHS,
    WRONG_CHECK_DIGIT,
)
from workbench.data.sql import identifier, literal
from workbench.registers.schema import EARLIEST_DATE
from workbench.registers.variables import IdentityScheme

# Columns that `read_sql` adds, each after the prefix it is given.
NUMBER, BORN, SEX = "number", "born", "sex"
PROBLEM, IS_TEST, BY_CALENDAR = "problem", "is_test", "by_calendar"
ANSWERS = (NUMBER, BORN, SEX, PROBLEM, IS_TEST, BY_CALENDAR)

FINNISH_SIGNS = "0123456789ABCDEFHJKLMNPRSTUVWXY"
FIRST_WEIGHTS = (3, 7, 6, 1, 8, 9, 4, 5, 2)
SECOND_WEIGHTS = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
Step = Mapping[str, str]  # column -> SQL over the columns of the step before


def read_sql(
    source: str,
    value: str,
    scheme: IdentityScheme,
    *,
    as_of: date,
    prefix: str,
    born: str = "null::date",
) -> str:
    """A query that gives the rows of `source` with what the numbers in `value` say.

    `source` is a query or a relation's name, `value` and `born` are SQL over its columns. Added are
    `ANSWERS`: the normal form, birth date, sex (male or female), problem, whether the number is of
    a test series, and whether its century was taken from the calendar.
    """
    steps = {
        "swedish": _swedish, "norwegian": _norwegian, "danish": _danish, "finnish": _finnish
    }[scheme]  # fmt: skip
    # Most numbers have no blanks inside and, but for the Finnish, no small letters.
    plain = f"regexp_replace({value}, '[{BLANKS}]', '', 'g')"
    has_blanks = f"contains({value}, ' ') or strlen({value}) <> length({value})"
    written = f"case when {has_blanks} then {plain} else {value} end"
    if scheme == "finnish":
        written = f"upper({written})"
    first: list[Step] = [{"written": written, "near": born}]
    inner = {prefix + one for one in ("written", "near")}
    query = source
    for step in (*first, *steps(prefix, as_of)):
        added = ", ".join(f"{sql} as {identifier(prefix + name)}" for name, sql in step.items())
        query = f"select *, {added} from ({query})"
        inner |= {prefix + name for name in step}
    hidden = ", ".join(identifier(name) for name in sorted(inner - {prefix + n for n in ANSWERS}))
    return f"select * exclude ({hidden}) from ({query})"


def _swedish(p: str, as_of: date) -> Iterator[Step]:
    shaped = f"regexp_full_match({p}written, '{SHAPES['swedish']}')"
    digits = f"replace(replace({p}written, '-', ''), '+', '')::bigint"
    yield {
        "digits": f"case when {shaped} then {digits} end",
        "has_century": f"strlen({p}written) >= 12",
        "is_old": f"contains({p}written, '+')",
    }
    yield {
        "ten": f"{p}digits % 10000000000",
        "two": f"({p}digits // 100000000 % 100)::int",
        "month": f"({p}digits // 1000000 % 100)::int",
        "written_day": f"({p}digits // 10000 % 100)::int",
        "serial": f"({p}digits // 10 % 1000)::int",
    }
    yield {"day": f"{p}written_day % {COORDINATION_DAYS}"}
    last = f"({as_of.year} - 100 * {p}is_old::int)"
    nearest = f"year({p}near) - 50 + ({p}two - year({p}near) + 2050) % 100"
    yield {
        "open_year": f"case when {p}has_century then {p}digits // 100000000 "
        f"when {p}near is not null then {nearest} "
        f"else {last} - ({last} - {p}two) % 100 end"
    }
    is_later = f"not {p}has_century and {_day_number(p, 'open_year')} > {_day_of(as_of)}"
    yield {"year": f"({p}open_year - case when {is_later} then 100 else 0 end)::int"}
    yield {"is_possible": _is_possible(p, as_of)}
    is_known = f"({p}month > 0 and {p}day > 0)"
    yield _problem(
        p, f"{p}is_possible and ({is_known} or {p}written_day >= {COORDINATION_DAYS})", _luhn(p)
    )
    yield _answers(
        p,
        number=f"(({p}year * 100000000::bigint) + {p}ten % 100000000)::varchar",
        is_known=is_known,
        sex_digit=f"{p}serial",
        is_test=f"{p}serial >= {SWEDISH_TESTS}",
        by_calendar=f"not {p}has_century and {p}near is null",
    )


def _luhn(p: str) -> str:
    """Every second digit from the right counts double, with its own digits summed."""
    parts = []
    for place in range(10):
        digit = f"{p}ten // {10**place} % 10"
        doubled = f"{digit} * 2 - case when {digit} > 4 then 9 else 0 end"
        parts.append(f"({doubled})" if place % 2 else f"({digit})")
    return f"({' + '.join(parts)}) % 10 = 0"


def _norwegian(p: str, as_of: date) -> Iterator[Step]:
    shaped = f"regexp_full_match({p}written, '{SHAPES['norwegian']}')"
    yield {"digits": f"case when {shaped} then replace({p}written, '-', '')::bigint end"}
    yield {
        "written_day": f"({p}digits // 1000000000)::int",
        "written_month": f"({p}digits // 10000000 % 100)::int",
        "two": f"({p}digits // 100000 % 100)::int",
        "serial": f"({p}digits // 100 % 1000)::int",
        "rest": f"(({_weighted(p, FIRST_WEIGHTS)} + {p}digits // 10 % 10) % 11)::int",
        "second": f"(({_weighted(p, SECOND_WEIGHTS)} + {p}digits % 10) % 11)::int",
    }
    is_d_number = f"{p}written_day > {D_NUMBER_DAYS} and {p}written_day < {NO_BIRTH_DATE_DAY}"
    added = " ".join(
        f"when {p}written_month > {one} and {p}written_month <= {one + 12} then {one}"
        for one in TEST_MONTHS
    )
    yield {
        "day": f"{p}written_day - case when {is_d_number} then {D_NUMBER_DAYS} else 0 end",
        "added": f"case {added} else 0 end",
        "series_year": f"case when {p}serial < 500 then 1900 + {p}two "
        f"when {p}two < 40 then 2000 + {p}two "
        f"when {p}serial < 750 and {p}two >= 54 then 1800 + {p}two "
        f"when {p}serial >= 900 then 1900 + {p}two end",
    }
    is_new = f"({p}rest between 1 and 3 or {p}series_year is null)"
    yield {"is_new": is_new if as_of >= RELAXED_FROM else "false"}
    yield {
        "month": f"{p}written_month - {p}added",
        "year": f"case when {p}is_new then 2000 + {p}two else {p}series_year end",
    }
    possible = f"{_is_possible(p, as_of, unless=f'{p}is_new')}"
    yield {"is_possible": possible}
    right = f"({p}rest = 0 or {p}is_new and {p}rest between 1 and 3) and {p}second = 0"
    yield _problem(p, f"{p}is_possible and {p}month > 0 and {p}day > 0", right)
    yield _answers(
        p,
        number=f"lpad({p}digits::varchar, 11, '0')",
        is_known=f"not {p}is_new",
        sex_digit=f"case when not {p}is_new then {p}serial end",
        is_test=f"{p}added > 0",
    )


def _weighted(p: str, weights: tuple[int, ...]) -> str:
    """The sum of the first digits of eleven, each times its weight."""
    return " + ".join(
        f"{p}digits // {10 ** (10 - place)} % 10 * {weight}" for place, weight in enumerate(weights)
    )


def _danish(p: str, as_of: date) -> Iterator[Step]:
    shaped = f"regexp_full_match({p}written, '{SHAPES['danish']}')"
    yield {"digits": f"case when {shaped} then replace({p}written, '-', '')::bigint end"}
    yield {
        "written_day": f"({p}digits // 100000000)::int",
        "month": f"({p}digits // 1000000 % 100)::int",
        "two": f"({p}digits // 10000 % 100)::int",
        "seventh": f"({p}digits // 1000 % 10)::int",
    }
    century = (
        f"case when {p}seventh <= 3 or {p}seventh in (4, 9) and {p}two >= 37 then 1900 "
        f"when {p}seventh between 5 and 8 and {p}two >= 58 then 1800 else 2000 end"
    )
    is_replacement = f"{p}written_day > {REPLACEMENT_DAYS}"
    yield {
        "day": f"{p}written_day - case when {is_replacement} then {REPLACEMENT_DAYS} else 0 end",
        "year": f"{century} + {p}two",
    }
    yield {"is_possible": _is_possible(p, as_of)}
    yield _problem(p, f"{p}is_possible and {p}month > 0 and {p}day > 0", "true")
    yield _answers(
        p,
        number=f"lpad({p}digits::varchar, 10, '0')",
        sex_digit=f"{p}digits % 10",
        is_test=is_replacement,
    )


def _finnish(p: str, as_of: date) -> Iterator[Step]:
    shaped = f"regexp_full_match({p}written, '{SHAPES['finnish']}')"
    yield {"code": f"case when {shaped} then {p}written end"}
    yield {
        "day": f"{p}code[1:2]::int",
        "month": f"{p}code[3:4]::int",
        "two": f"{p}code[5:6]::int",
        "serial": f"{p}code[8:10]::int",
    }
    centuries = " ".join(
        f"when {literal(sign)} then {year}" for sign, year in FINNISH_CENTURIES.items()
    )
    checked = f"({p}code[1:6]::bigint * 1000 + {p}serial) % 31"
    yield {
        "year": f"case {p}code[7] {centuries} end + {p}two",
        "is_right": f"{literal(FINNISH_SIGNS)}[({checked})::int + 1] = {p}code[11]",
    }
    yield {"is_possible": _is_possible(p, as_of)}
    possible = f"{p}is_possible and {p}month > 0 and {p}day > 0 and {p}serial >= 2"
    yield _problem(p, possible, f"{p}is_right")
    yield _answers(
        p,
        number=f"{p}code",
        sex_digit=f"{p}serial",
        is_test=f"{p}serial >= {FINNISH_TESTS}",
    )


def _is_possible(p: str, as_of: date, *, unless: str = "false") -> str:
    """A condition that year, month and day can be a birth date; month or day 0 is any."""
    leap = f"({p}year % 4 = 0 and ({p}year % 100 <> 0 or {p}year % 400 = 0))"
    longest = (
        f"case when {p}month in (4, 6, 9, 11) then 30 when {p}month <> 2 then 31 "
        f"when {leap} then 29 else 28 end"
    )
    return (
        f"coalesce({p}year >= {EARLIEST_DATE.year} and {p}month <= 12 and {p}day <= {longest} "
        f"and ({unless} or {_day_number(p, 'year')} <= {_day_of(as_of)}), false)"
    )


def _day_number(p: str, year: str) -> str:
    """A day as one number that grows with time, also where month or day is 0."""
    return f"{p}{year} * 10000 + {p}month * 100 + {p}day"


def _day_of(day: date) -> int:
    return day.year * 10000 + day.month * 100 + day.day


def _problem(p: str, is_possible: str, is_right: str) -> Step:
    return {
        PROBLEM: f"case when {p}written is null then null "
        f"when not coalesce({is_possible}, false) then {literal(NOT_A_NUMBER)} "
        f"when not ({is_right}) then {literal(WRONG_CHECK_DIGIT)} end"
    }


def _answers(
    p: str,
    *,
    number: str,
    sex_digit: str,
    is_test: str,
    is_known: str = "true",
    by_calendar: str = "false",
) -> Step:
    """What is answered, only where there is a number without a problem."""
    is_fine = f"{p}written is not null and {p}{PROBLEM} is null"
    sex = (
        f"case when ({sex_digit}) % 2 = 1 then 'male' when ({sex_digit}) % 2 = 0 then 'female' end"
    )
    return {
        NUMBER: f"case when {is_fine} then {number} end",
        BORN: f"case when {is_fine} and {is_known} then make_date({p}year, {p}month, {p}day) end",
        SEX: f"case when {is_fine} then {sex} end",
        IS_TEST: f"({is_fine}) and {is_test}",
        BY_CALENDAR: f"({is_fine}) and {by_calendar}",
    }
