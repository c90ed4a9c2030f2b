"""What is wrong with the rows of an extract: every rule of the definition, as SQL for the engine.

A rule is a condition on one row; rows that break one are set aside with the reason. Faults are
counted per rule and column and told with row numbers, never with values. Values are compared after
surrounding blanks are removed; nothing else is repaired.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from workbench.data.sql import identifier, literal
from workbench.registers.schema import EARLIEST_DATE, Table, Variable

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
ISO_DATE = r"\d{4}-\d{2}-\d{2}([ T]00:00(:00(\.0+)?)?)?"
# Six or eight digits, a sign, four digits: the shape of a Swedish or Danish identity number.
IDENTITY_SHAPE = r"(^|[^0-9])(\d\d)?\d\d[01]\d[0-9]\d[-+]\d{4}($|[^0-9])"


@dataclass(frozen=True)
class Rule:
    """One thing that can be wrong with a row."""

    name: str  # in words, as it is told: "unknown code"
    column: str  # the variable
    condition: str  # SQL on the delivered text; true when the row breaks the rule


def value_sql(name: str, table: Table) -> str:
    """The delivered text of a variable without surrounding blanks; missing when there is none."""
    text = f"nullif(trim({identifier(name)}), '')"
    for missing in table.delivery.missing:
        text = f"nullif({text}, {literal(missing)})"
    return text


def typed_sql(value: str, variable: Variable, *, decimal: str) -> str:
    """SQL that gives the value in the variable's type, or nothing where it has another."""
    if variable.type == "integer":
        # 3.0 is how many programs write the whole number 3; 3.5 is a fault.
        return (
            f"case when regexp_full_match({value}, '[+-]?\\d{{1,18}}') then try_cast({value} as bigint) "
            f"when regexp_full_match({value}, '[+-]?\\d{{1,15}}[.,]0*') "
            f"then try_cast(regexp_extract({value}, '^[+-]?\\d+') as bigint) end"
        )
    if variable.type == "decimal":
        number = value if decimal == "." else f"replace({value}, ',', '.')"
        mark = "[.]" if decimal == "." else ","
        shape = f"[+-]?(\\d+({mark}\\d*)?|{mark}\\d+)([eE][+-]?\\d{{1,3}})?"
        return f"case when regexp_full_match({value}, '{shape}') then try_cast({number} as double) end"
    if variable.type == "date":
        iso = f"when regexp_full_match({value}, '{ISO_DATE}') then try_cast(left({value}, 10) as date)"
        if variable.date_format:
            other = f"else try_strptime({value}, {literal(variable.date_format)})::date"
        else:
            other = f"when regexp_full_match({value}, '\\d{{8}}') then try_strptime({value}, '%Y%m%d')::date"
        return f"case {iso} {other} end"
    if variable.type == "boolean":
        return f"case when lower({value}) in {_among(YES)} then true when lower({value}) in {_among(NO)} then false end"
    return value


def row_rules(table: Table, *, as_of: date, decimal: str) -> Iterator[Rule]:
    """The rules that one row can break by itself, in the order of the definition."""
    years = None
    if table.dated_by:
        dated = value_sql(table.dated_by, table)
        years = f"year({typed_sql(dated, table.variables[table.dated_by], decimal=decimal)})"
    for name, variable in table.variables.items():
        value = value_sql(name, table)
        typed = typed_sql(value, variable, decimal=decimal)
        if variable.required or name in table.key or name == table.person:
            yield Rule("missing value", name, f"{value} is null{_within(variable, years)}")
        yield from _type_rules(name, variable, value, typed)
        yield from _limit_rules(name, variable, typed, as_of)


def _type_rules(name: str, variable: Variable, value: str, typed: str) -> Iterator[Rule]:
    if variable.type == "date":
        looks_like_one = f"regexp_full_match({value}, '\\d{{4}}-\\d{{2}}-\\d{{2}}.*|\\d{{8}}|\\d{{1,2}}[./-]\\d{{1,2}}[./-]\\d{{4}}')"
        yield Rule("impossible date", name, f"{value} is not null and {typed} is null and {looks_like_one}")
        yield Rule("not a date", name, f"{value} is not null and {typed} is null and not {looks_like_one}")
    elif variable.type in {"integer", "decimal", "boolean"}:
        expected = {"integer": "a whole number", "decimal": "a number", "boolean": "yes or no"}
        yield Rule(f"not {expected[variable.type]}", name, f"{value} is not null and {typed} is null")
    else:
        yield Rule("damaged letters", name, f"contains({value}, chr(65533)) or contains({value}, 'Ã')")
    if variable.codes:
        yield Rule("unknown code", name, f"{typed}::varchar not in {_among(variable.codes)}")


def _limit_rules(name: str, variable: Variable, typed: str, as_of: date) -> Iterator[Rule]:
    limit = {"date": "date {}", "integer": "{}", "decimal": "{}"}.get(variable.type, "")
    quote = literal if variable.type == "date" else str
    if variable.type == "date":
        yield Rule(f"before {EARLIEST_DATE.year}", name, f"{typed} < date '{EARLIEST_DATE}'")
        yield Rule("in the future", name, f"{typed} > date '{as_of}'")
    if variable.minimum is not None:
        yield Rule("below the minimum", name, f"{typed} < {limit.format(quote(variable.minimum))}")
    if variable.maximum is not None:
        yield Rule("above the maximum", name, f"{typed} > {limit.format(quote(variable.maximum))}")


def note_rules(table: Table, *, decimal: str) -> Iterator[Rule]:
    """What is worth telling but sets no row aside: values outside a variable's years."""
    if table.dated_by is None:
        return
    dated = value_sql(table.dated_by, table)
    year = f"year({typed_sql(dated, table.variables[table.dated_by], decimal=decimal)})"
    for name, variable in table.variables.items():
        if variable.first_year or variable.last_year:
            value = value_sql(name, table)
            outside = f"not (true{_within(variable, year)})"
            yield Rule("value outside its years", name, f"{value} is not null and {outside}")


def identity_rules(table: Table) -> Iterator[Rule]:
    """Columns of free values that seem to hold identity numbers although not declared so."""
    for name, variable in table.variables.items():
        if variable.type in {"text", "code"} and not variable.codes:
            value = value_sql(name, table)
            yield Rule("identity number", name, f"regexp_matches({value}, '{IDENTITY_SHAPE}')")


def duplicate_sql(table: Table, source: str) -> str:
    """Rows that share their key: later copies of equal rows, and every row where they differ."""
    key = ", ".join(value_sql(name, table) for name in table.key)
    whole = ", ".join(value_sql(name, table) for name in table.variables)
    complete = " and ".join(f"{value_sql(name, table)} is not null" for name in table.key)
    return (
        f"with shared as (select {key} from {source} where {complete} group by all having count(*) > 1), "
        f"rows as (select row_id, hash({whole}) as content, row({key}) as key from {source} "
        f"where {complete} and row({key}) in (select row(columns(*)) from shared)), "
        "judged as (select row_id, count(distinct content) over (partition by key) as n_contents, "
        "row_number() over (partition by key order by row_id) as place from rows) "
        "select row_id, case when n_contents > 1 then 'key shared by different rows' "
        "else 'copy of another row' end from judged where n_contents > 1 or place > 1"
    )


def _within(variable: Variable, year: str | None) -> str:
    """A condition that a row's year lies where the variable was collected; blank when always."""
    condition = ""
    if year and variable.first_year:
        condition += f" and coalesce({year} >= {variable.first_year}, true)"
    if year and variable.last_year:
        condition += f" and coalesce({year} <= {variable.last_year}, true)"
    return condition


def _among(values: Mapping[str, str] | tuple[str, ...]) -> str:
    return "(" + ", ".join(literal(value) for value in values) + ")"
