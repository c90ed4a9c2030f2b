"""What makes an indicator impossible to compute: limits on the wrong side, unknown variables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from workbench.errors import did_you_mean
from workbench.registers.indicator_model import Indicator
from workbench.registers.row_tests import RowTest, unknown_codes_asked, variable_test_faults

Key = tuple[str | int, ...]


@dataclass(frozen=True)
class Finding:
    """One thing to mend in a definition; a warning may stand, with a reason."""

    rule: str
    key: Key
    what: str
    expected: str = ""
    advice: str = ""
    is_fault: bool = True

    @property
    def sentence(self) -> str:
        """Where, what is wrong, what was expected, what to do."""
        parts = (self.what, self.expected and f"Expected {self.expected}.", self.advice)
        return f"{dotted(self.key)}: {' '.join(part for part in parts if part)}"


def dotted(key: Key) -> str:
    """A place in a file, as one writes it: limits.green, numerator[0]."""
    text = ""
    for part in key:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "the file"


def faults_of(indicator: Indicator) -> Iterator[Finding]:
    """Everything that makes a definition unusable with its table."""
    yield from _limit_faults(indicator)
    yield from _variable_faults(indicator)
    yield from _date_faults(indicator)
    for part in ("denominator", "numerator"):
        for at, test in enumerate(getattr(indicator.definition, part)):
            yield from _test_faults(indicator, (part, at), test)


def _limit_faults(indicator: Indicator) -> Iterator[Finding]:
    definition, limits = indicator.definition, indicator.definition.limit_values
    if len(limits) < 2 or definition.direction == "none":
        return
    high = definition.direction == "high"
    green, yellow = limits["green"], limits["yellow"]
    if green != yellow and (green < yellow) == high:
        side = "above" if high else "below"
        yield Finding(
            "limit_side",
            ("limits", "green"),
            f"green {green} is not {side} yellow {yellow} although direction is "
            f"{definition.direction}.",
            f"green {side} yellow",
            "Exchange the limits or mend direction; with one limit leave yellow out.",
        )


def _variable_faults(indicator: Indicator) -> Iterator[Finding]:
    definition = indicator.definition
    for part in ("value", "exposure"):
        name = getattr(definition, part)
        if name is None:
            continue
        variable = indicator.variable(name)
        if variable is None:
            yield _no_variable(indicator, (part,), name)
        elif variable.type not in {"integer", "decimal"} or variable.codes:
            what = f"{name} has type {variable.type}{' with codes' if variable.codes else ''}."
            yield Finding("not_a_number", (part,), what, "a number")
    for context, name in definition.units.items():
        if name not in indicator.table.variables:
            yield _no_variable(indicator, ("units", context), name)
    for name in definition.days:
        if name in indicator.table.variables:
            what = f"the table has a variable {name} already."
            yield Finding("name_taken", ("days", name), what, advice="Name the days otherwise.")


def _date_faults(indicator: Indicator) -> Iterator[Finding]:
    definition, table = indicator.definition, indicator.table
    asked: list[tuple[Key, str]] = []
    for name, between in definition.days.items():
        asked += [(("days", name, "from"), between.first), (("days", name, "to"), between.last)]
    if definition.period.dated_by or table.dated_by:
        asked.append((("period", "dated_by"), indicator.dated_by))
    else:
        what = "the table has no date of its own."
        yield Finding("no_date", ("period",), what, "dated_by, a date of the table")
    for key, name in asked:
        if name not in table.variables:
            yield _no_variable(indicator, key, name)
        elif table.variables[name].type != "date":
            dates = [other for other, one in table.variables.items() if one.type == "date"]
            what = f"{name} has type {table.variables[name].type}."
            yield Finding("not_a_date", key, what, f"a date ({', '.join(dates)})")


def _test_faults(indicator: Indicator, key: Key, test: RowTest) -> Iterator[Finding]:
    variable = indicator.variable(test.variable)
    if variable is None:
        yield _no_variable(indicator, (*key, "variable"), test.variable)
        return
    for fault in variable_test_faults(test, variable):
        yield Finding("unknown_value", key, fault)
    if codes := unknown_codes_asked(test, variable):
        yield Finding(
            "never_found",
            key,
            f"{', '.join(codes)} means not known in {test.variable}, so that no row has it.",
            advice="Use is_missing.",
        )


def _no_variable(indicator: Indicator, key: Key, name: str) -> Finding:
    definition = indicator.definition
    near = did_you_mean(name, [*indicator.table.variables, *definition.days]).strip()
    what = f'the table {definition.table} has no variable "{name}".'
    return Finding("unknown_variable", key, what, advice=near)
