"""What is wrong with the rows of an extract: every rule of the definition, as SQL for the engine.

A rule is a condition on one row; rows that break one are set aside with the reason. Faults are
counted per rule and column and told with row numbers, never with values. Values are compared after
surrounding blanks are removed; nothing else is repaired.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from workbench.data.sql import identifier, literal
from workbench.registers.schema import EARLIEST_DATE, Table
from workbench.registers.variables import Variable

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
# Six or eight digits, a sign, four digits: the shape of a Swedish or Danish identity number.
IDENTITY_SHAPE = r"(^|[^0-9])(\d\d)?\d\d[01]\d[0-9]\d[-+]\d{4}($|[^0-9])"
# UTF-8 read as Windows-1252: a capital followed by a sign. "SÃO" has no sign there.
MISREAD_LETTER = "\u00c3[\u0080-\u00bf\u0152-\u0192\u02c6-\u02dc\u2013-\u2122]"


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


def typed_sql(value: str, variable: Variable, *, decimal: str) -> str:
    """SQL that gives the value in the variable's type, or nothing where it has another.

    The engine is more generous than a register may be (it takes 3.7 for 4, 1_000 for 1000 and
    "infinity" for a date), so that a value is accepted when it comes back as it was, and looked
    at closely only when it does not.
    """
    match variable.type:
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
            return _date_sql(value, variable.date_format)
        case "boolean":
            return (
                f"case when lower({value}) in {_among(YES)} then true "
                f"when lower({value}) in {_among(NO)} then false end"
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


def type_rules(name: str, table: Table) -> Iterator[Rule]:
    """Why a delivered value has no value of its type; on rows where that is known to be so."""
    variable, value = table.variables[name], value_sql(identifier(name), table)
    if variable.type == "date":
        looks_like_one = f"regexp_full_match({value}, '{DATE_SHAPE}')"
        has_time = f"regexp_full_match({value}, '{TIME_SHAPE}') and not {looks_like_one}"
        yield Rule("impossible date", name, looks_like_one)
        yield Rule("date with a time of day", name, has_time)
        yield Rule("not a date", name, f"not ({looks_like_one}) and not ({has_time})")
    else:
        expected = {"integer": "a whole number", "decimal": "a number", "boolean": "yes or no"}
        yield Rule(f"not {expected[variable.type]}", name, "true")


def row_rules(table: Table, *, as_of: date) -> Iterator[Rule]:
    """What a row of typed values can break by itself, in the order of the definition.

    Rows in the table `untyped` (_place, column_name) had a value of another type.
    """
    for name, variable in table.variables.items():
        value = identifier(name)
        if variable.required or name in table.key or name == table.person:
            untyped = f"(select _place from untyped where column_name = {literal(name)})"
            missing = f"{value} is null and _place not in {untyped}"
            yield Rule("missing value", name, missing + _within(variable, table))
        if variable.codes:
            yield Rule("unknown code", name, f"{value}::varchar not in {_among(variable.codes)}")
        elif variable.type in {"text", "code"}:
            damaged = (
                f"contains({value}, chr(65533)) or contains({value}, chr(0)) "
                f"or (contains({value}, '\u00c3') and regexp_matches({value}, '{MISREAD_LETTER}'))"
            )
            yield Rule("damaged letters", name, damaged)
        yield from _limit_rules(name, variable, as_of)


def _limit_rules(name: str, variable: Variable, as_of: date) -> Iterator[Rule]:
    value = identifier(name)
    if variable.type == "date":
        yield Rule(f"before {EARLIEST_DATE.year}", name, f"{value} < date '{EARLIEST_DATE}'")
        yield Rule("in the future", name, f"{value} > date '{as_of}'")
    quoted = {"date": "date '{}'"}.get(variable.type, "{}")
    if variable.minimum is not None:
        limit = quoted.format(variable.minimum)
        yield Rule("below the minimum", name, f"{value} < {limit}")
    if variable.maximum is not None:
        limit = quoted.format(variable.maximum)
        yield Rule("above the maximum", name, f"{value} > {limit}")


def note_rules(table: Table) -> Iterator[Rule]:
    """What is worth telling but sets no row aside: values outside a variable's years."""
    for name, variable in table.variables.items():
        if variable.first_year or variable.last_year:
            outside = f"not (true{_within(variable, table)})"
            yield Rule(
                "value outside its years", name, f"{identifier(name)} is not null and {outside}"
            )


def identity_rules(table: Table) -> Iterator[Rule]:
    """Columns of free values that seem to hold identity numbers although not declared so."""
    for name, variable in table.variables.items():
        if variable.type in {"text", "code"} and not variable.codes:
            yield Rule("identity number", name, identity_sql(identifier(name)))


def identity_sql(value: str) -> str:
    """A condition that a text holds what looks like an identity number."""
    return f"regexp_matches({value}, '{IDENTITY_SHAPE}')"


def duplicate_sql(table: Table, source: str) -> str:
    """Rows that share their key: later copies of equal rows, and every row where they differ.

    A row with a value of another type equals no other, whatever its remaining values are.
    """
    key = ", ".join(identifier(name) for name in table.key)
    whole = ", ".join(identifier(name) for name in table.variables)
    complete = " and ".join(f"{identifier(name)} is not null" for name in table.key)
    shared = f"select {key} from {source} where {complete} group by all having count(*) > 1"
    own = "case when _place in (select _place from untyped) then _place end"
    return (
        f"with alike as (select _place, hash({whole}, {own}) as _content, {key} "
        f"from {source} semi join ({shared}) using ({key})), "
        "judged as (select _place, min(_content) over same <> max(_content) over same as _differ, "
        "row_number() over (same order by _place) as _copy_no "
        f"from alike window same as (partition by {key})) "
        "select _place, case when _differ then 'key shared by different rows' "
        "else 'copy of another row' end from judged where _differ or _copy_no > 1"
    )


def _within(variable: Variable, table: Table) -> str:
    """A condition that a row's year lies where the variable was collected; blank when always."""
    year = f"year({identifier(table.dated_by)})" if table.dated_by else "null"
    condition = ""
    if variable.first_year:
        condition += f" and coalesce({year} >= {variable.first_year}, true)"
    if variable.last_year:
        condition += f" and coalesce({year} <= {variable.last_year}, true)"
    return condition


def _among(values: Iterable[str]) -> str:
    return "(" + ", ".join(literal(value) for value in values) + ")"
