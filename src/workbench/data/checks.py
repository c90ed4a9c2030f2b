"""Give a delivered text its type, or say why it has none: as SQL for the engine.

Values are compared after surrounding blanks are removed; nothing else is repaired. What typed
values may be is in `row_rules`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from workbench.data.periods import periods_of
from workbench.data.sql import identifier, literal
from workbench.registers.schema import Table
from workbench.registers.variables import Kind, Variable

STORED_TYPES = {
    "text": "VARCHAR",
    "code": "VARCHAR",
    "integer": "BIGINT",
    "decimal": "DOUBLE",
    "date": "DATE",
    "boolean": "BOOLEAN",
}
YES = ("1", "true", "yes", "y", "ja", "j", "t", "sant")
NO = ("0", "false", "no", "n", "nei", "nej", "f", "usant")
# 3.0 and 3.00 are how many programs write the whole number 3; 1.000 may mean a thousand, so that
# three zeros after a mark are refused.
WHOLE_NUMBER = r"[+-]?\d{1,15}[.,](0{0,2}|0{4,})"
ISO_DATE = r"\d{4}-\d{2}-\d{2}([ T]00:00(:00(\.0+)?)?)?"
DATE_SHAPE = r"\d{4}-\d{2}-\d{2}([ T]00:00.*)?|\d{8}|\d{1,2}[./-]\d{1,2}[./-]\d{4}"
TIME_SHAPE = r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}.*"


@dataclass(frozen=True)
class Rule:
    """One thing that can be wrong with a row."""

    name: str  # in words, as it is told: "unknown code"
    column: str  # the variable
    condition: str  # SQL on the typed rows; true when the row breaks the rule


def value_sql(column: str, table: Table) -> str:
    """The delivered text of a column without surrounding blanks; missing when there is none."""
    # Asking first is cheap; trimming every value would cost more than reading the numbers.
    # Blanks that are not the common one are found by having more bytes than letters.
    has_blanks = (
        f"starts_with({column}, ' ') or ends_with({column}, ' ') "
        f"or strlen({column}) <> length({column})"
    )
    text = f"nullif(case when {has_blanks} then trim({column}) else {column} end, '')"
    for missing in table.delivery.missing:
        text = f"nullif({text}, {literal(missing)})"
    return text


def typed_sql(value: str, variable: Variable, *, decimal: str, year: str = "") -> str:
    """SQL that gives the value in the variable's type, or nothing where it has another.

    A variable with editions needs `year`: SQL for the row's year.
    """
    cases = ""
    for period in periods_of(variable, year):
        if not period.condition:
            return _of_kind_sql(value, variable.type, variable.date_format, decimal=decimal)
        found = _of_kind_sql(value, period.kind, variable.date_format, decimal=decimal)
        if period.kind != variable.type and STORED_TYPES[variable.type] == "VARCHAR":
            found = f"case when {found} is not null then {value} end"  # stored as it was written
        cases += f"when {period.condition} then {found} "
    return f"case {cases}end"


def _of_kind_sql(value: str, kind: Kind, date_format: str | None, *, decimal: str) -> str:
    """SQL that gives a value in one type, or nothing.

    The engine is more generous than a register may be (it takes 3.7 for 4, 1_000 for 1000 and
    "infinity" for a date), so that a value is accepted when it comes back as it was, and looked
    at closely only when it does not.
    """
    match kind:
        case "integer":
            return (
                f"case when try_cast({value} as bigint)::varchar = {value} "
                f"then try_cast({value} as bigint) "
                f"when regexp_full_match({value}, '[+-]?\\d{{1,18}}') "
                f"then try_cast({value} as bigint) "
                f"when regexp_full_match({value}, '{WHOLE_NUMBER}') "
                f"then try_cast(regexp_extract({value}, '^[+-]?\\d+') as bigint) end"
            )
        case "decimal":
            number = value if decimal == "." else f"replace({value}, ',', '.')"
            other_mark = "," if decimal == "." else "."
            parsed = f"try_cast({number} as double)"
            return (
                f"case when isfinite({parsed}) and not contains({value}, '_') "
                f"and not contains({value}, '{other_mark}') then {parsed} end"
            )
        case "date":
            return _date_sql(value, date_format)
        case "boolean":
            return (
                f"case when lower({value}) in {among(YES)} then true "
                f"when lower({value}) in {among(NO)} then false end"
            )
    return value


def _date_sql(value: str, date_format: str | None) -> str:
    """ISO always; besides it the declared pattern or, where there is none, YYYYMMDD."""
    other_shape = f"regexp_full_match({value}, '\\d{{8}}')"
    if date_format:
        other_shape = f"regexp_matches({value}, '\\d')"  # keeps out "infinity" and "epoch"
    return (
        f"case when try_cast({value} as date)::varchar = {value} and length({value}) = 10 "
        f"then try_cast({value} as date) "
        f"when regexp_full_match({value}, '{ISO_DATE}') then try_cast(left({value}, 10) as date) "
        f"when {other_shape} then try_strptime({value}, {literal(date_format or '%Y%m%d')})::date "
        "end"
    )


def type_rules(name: str, kind: Kind, table: Table) -> Iterator[Rule]:
    """Why a delivered value is none of a kind; on rows where that is known to be so."""
    value = value_sql(identifier(name), table)
    if kind == "date":
        looks_like_one = f"regexp_full_match({value}, '{DATE_SHAPE}')"
        has_time = f"regexp_full_match({value}, '{TIME_SHAPE}') and not {looks_like_one}"
        yield Rule("impossible date", name, looks_like_one)
        yield Rule("date with a time of day", name, has_time)
        yield Rule("not a date", name, f"not ({looks_like_one}) and not ({has_time})")
    else:
        expected = {"integer": "a whole number", "decimal": "a number", "boolean": "yes or no"}
        yield Rule(f"not {expected[kind]}", name, "true")


def among(values: Iterable[str]) -> str:
    """Texts as the right side of `in`."""
    return "(" + ", ".join(literal(value) for value in values) + ")"
