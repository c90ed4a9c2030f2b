"""Indicators that can be counted together from few combinations of answers.

Most indicators ask questions with a handful of answers. Rows that answered these alike are counted
first, and marked only then: many indicators cost little more than one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from workbench.analysis.indicators.marks import columns_needed
from workbench.registers.indicators import Indicator

MOST_COMBINATIONS = 64  # of answers in one family, for each unit and year


@dataclass(frozen=True)
class Family:
    """Indicators counted together; without columns they are counted row by row."""

    members: Mapping[str, Indicator]
    columns: frozenset[str] = frozenset()


def families_of(indicators: Mapping[str, Indicator]) -> list[Family]:
    """Put indicators together as long as their answers have few combinations."""
    together: list[tuple[dict[str, Indicator], frozenset[str]]] = []
    by_row: dict[str, Indicator] = {}
    for short, one in indicators.items():
        columns = frozenset(columns_needed(one))
        if not _is_of_answers(one):
            by_row[short] = one
            continue
        for at, (members, known) in enumerate(together):
            if _combinations(known | columns, one) <= MOST_COMBINATIONS:
                together[at] = ({**members, short: one}, known | columns)
                break
        else:
            together.append(({short: one}, columns))
    families = [Family(members, columns) for members, columns in together]
    return [*families, *([Family(by_row)] if by_row else [])]


def _is_of_answers(indicator: Indicator) -> bool:
    definition = indicator.definition
    if definition.function or definition.value or definition.exposure:
        return False
    if definition.days or definition.period.first_year:
        return False
    columns = columns_needed(indicator)
    return bool(columns) and all(_answers(name, indicator) for name in columns)


def _answers(name: str, indicator: Indicator) -> int:
    """How many answers a variable can have, no answer among them; 0 for more than a handful."""
    variable = indicator.table.variables.get(name)
    if variable is None or any(edition.codes for edition in variable.editions):
        return 0
    if variable.type == "boolean":
        return 3
    return len(variable.codes) + 1 if variable.codes else 0


def _combinations(columns: frozenset[str], indicator: Indicator) -> int:
    return prod(_answers(name, indicator) for name in columns)
