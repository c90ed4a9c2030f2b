"""What holds for a variable in which years: what it says of itself, and its editions.

An edition holds in its own years and takes the place of all the variable says of its values there.
A row without a date belongs to no edition.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from workbench.data.sql import identifier
from workbench.registers.schema import Table
from workbench.registers.variables import Kind, Values, Variable


@dataclass(frozen=True)
class Period:
    """Some years of a variable: the type it was delivered in and what its values may be."""

    kind: Kind
    values: Values
    condition: str  # SQL on a row, blank when it holds for every row


def periods_of(variable: Variable, year: str) -> Iterator[Period]:
    """The editions of a variable, and the rest of the years; `year` is SQL for a row's year."""
    within = [_within(edition, year) for edition in variable.editions]
    for edition, condition in zip(variable.editions, within, strict=True):
        yield Period(edition.type or variable.type, edition, condition)
    rest = f"not ({' or '.join(within)})" if within else ""
    yield Period(variable.type, variable, rest)


def takes_any_text(variable: Variable) -> bool:
    """Whether every text is a value of the variable, in all years."""
    return all(one.kind in {"text", "code"} for one in periods_of(variable, ""))


def and_in(period: Period) -> str:
    """The condition of a period as the end of another one."""
    return f" and {period.condition}" if period.condition else ""


def year_of(table: Table) -> str:
    """SQL for the year of a typed row; nothing when the table is not dated."""
    return f"year({identifier(table.dated_by)})" if table.dated_by else "null::bigint"


def collected_sql(variable: Variable, table: Table) -> str:
    """A condition that a row's year lies where the variable was collected; blank when always."""
    year = year_of(table)
    bounds = []
    if variable.first_year:
        bounds.append(f"{year} >= {variable.first_year}")
    if variable.last_year:
        bounds.append(f"{year} <= {variable.last_year}")
    if not bounds:
        return ""
    ways = [" and ".join(bounds), *(_within(edition, year) for edition in variable.editions)]
    return f"({year} is null or {' or '.join(f'({way})' for way in ways)})"


def _within(edition: Values, year: str) -> str:
    """A condition that a year is one of an edition's; a missing year is not."""
    bounds = []
    if edition.first_year:
        bounds.append(f"{year} >= {edition.first_year}")
    if edition.last_year:
        bounds.append(f"{year} <= {edition.last_year}")
    return f"coalesce({' and '.join(bounds)}, false)"
