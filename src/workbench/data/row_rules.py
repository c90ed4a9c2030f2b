"""What typed rows may be: every rule of the definition, as conditions for the engine.

A rule is a condition on one row; rows that break one are set aside with the reason. Some rules are
only worth telling. Both are counted per rule and column and told with row numbers, never with
values.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from workbench.data.checks import Rule, among
from workbench.data.periods import Period, and_in, collected_sql, periods_of, year_of
from workbench.data.sql import identifier, literal
from workbench.registers.classifications import CODE_SYSTEMS
from workbench.registers.schema import EARLIEST_DATE, Table
from workbench.registers.variables import Variable

# UTF-8 read as Windows-1252: a capital followed by a sign. "SÃO" has no sign there.
MISREAD_LETTER = "\u00c3[\u0080-\u00bf\u0152-\u0192\u02c6-\u02dc\u2013-\u2122]"
SEPARATORS = {"blank": " +", "comma": " *, *", "semicolon": " *; *"}


def row_rules(table: Table, *, as_of: date) -> Iterator[Rule]:
    """What a row of typed values can break by itself, in the order of the definition.

    Rows in the table `untyped` (_place, column_name) had a value of another type.
    """
    for name, variable in table.variables.items():
        if variable.required or name in table.key or name == table.person:
            untyped = f"(select _place from untyped where column_name = {literal(name)})"
            missing = f"{identifier(name)} is null and _place not in {untyped}"
            collected = collected_sql(variable, table)
            yield Rule("missing value", name, missing + (f" and {collected}" if collected else ""))
        if variable.type == "date":
            yield from _date_rules(name, as_of)
        for period in periods_of(variable, year_of(table)):
            rules = [*_code_rules(name, variable, period), *_limit_rules(name, variable, period)]
            yield from (
                Rule(rule.name, name, f"({rule.condition}){and_in(period)}") for rule in rules
            )


def _date_rules(name: str, as_of: date) -> Iterator[Rule]:
    value = identifier(name)
    yield Rule(f"before {EARLIEST_DATE.year}", name, f"{value} < date '{EARLIEST_DATE}'")
    yield Rule("in the future", name, f"{value} > date '{as_of}'")


def _code_rules(name: str, variable: Variable, period: Period) -> Iterator[Rule]:
    value, codes = identifier(name), period.values.codes
    if codes:
        yield Rule("unknown code", name, f"{value}::varchar not in {among(codes)}")
    elif variable.type in {"text", "code"} and not variable.identity_scheme:
        # As many bytes as letters: nothing but ASCII, which is quickly asked and nearly always so.
        damaged = (
            f"case when strlen({value}) = length({value}) then contains({value}, chr(0)) "
            f"else contains({value}, chr(0)) or contains({value}, chr(65533)) "
            f"or regexp_matches({value}, '{MISREAD_LETTER}') end"
        )
        yield Rule("damaged letters", name, damaged)


def _limit_rules(name: str, variable: Variable, period: Period) -> Iterator[Rule]:
    """Limits are compared in the type they are said in, also where the value is stored as text."""
    value = identifier(name)
    if period.kind != variable.type and variable.type in {"text", "code"}:
        value = _number_in_text(value) if period.kind != "date" else _date_in_text(value)
    quoted = "date '{}'" if period.kind == "date" else "{}"
    for limit, words, sign in (
        (period.values.minimum, "below the minimum", "<"),
        (period.values.maximum, "above the maximum", ">"),
    ):
        if limit is not None:
            yield Rule(words, name, f"{value} {sign} {quoted.format(limit)}")


def _number_in_text(value: str) -> str:
    return f"try_cast(replace({value}, ',', '.') as double)"


def _date_in_text(value: str) -> str:
    return f"coalesce(try_cast({value} as date), try_strptime({value}, '%Y%m%d')::date)"


def note_rules(table: Table) -> Iterator[Rule]:
    """What is worth telling but sets no row aside."""
    for name, variable in table.variables.items():
        if collected := collected_sql(variable, table):
            outside = f"{identifier(name)} is not null and not {collected}"
            yield Rule("value outside its years", name, outside)
        for period in periods_of(variable, year_of(table)):
            if system := period.values.code_system:
                strange = _strange_code(name, variable, CODE_SYSTEMS[system].shape)
                yield Rule(f"not shaped like {system}", name, f"({strange}){and_in(period)}")
    for first, second in table.date_order:
        later = f"{identifier(first)} > {identifier(second)}"
        yield Rule("order of dates", f"{first}, {second}", later)


def _strange_code(name: str, variable: Variable, shape: str) -> str:
    """A condition that a cell holds a code that its classification cannot have."""
    value = identifier(name)
    code = shape.removeprefix("^").removesuffix("$")
    removed = "[./ -]"
    if variable.separated_by:
        separator = SEPARATORS[variable.separated_by]
        code, removed = f" *{code}(?:{separator}{code})* *", "[./-]"
    plain = f"regexp_replace(upper({value}), '{removed}', '', 'g')"
    # Most codes come as they are compared; only the others are worth rewriting.
    return (
        f"case when {value} is null or regexp_full_match({value}, '{code}') then false "
        f"else not regexp_full_match({plain}, '{code}') end"
    )


def duplicate_sql(table: Table, source: str) -> str:
    """Rows that share their key: later copies of equal rows, and every row where they differ.

    A row with a value of another type equals no other, whatever its remaining values are.
    """
    key = ", ".join(identifier(name) for name in table.key)
    whole = ", ".join(identifier(name) for name in table.variables)
    complete = " and ".join(f"{identifier(name)} is not null" for name in table.key)
    # Keys are counted by a short sum of each; the few that may stand twice are compared whole.
    twice = f"select hash({key}) from {source} where {complete} group by all having count(*) > 1"
    shared = (
        f"select {key} from {source} where {complete} and hash({key}) in ({twice}) "
        "group by all having count(*) > 1"
    )
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
