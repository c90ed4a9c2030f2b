"""What can be chosen among the results, and what was: study, indicator, level, period, units.

Choices come from a visitor's browser as positions in lists, and a visitor's browser can send
anything. A position that is none falls back to the first; more than five units are cut to five.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from workbench.output.portal.results import Result

Thing = TypeVar("Thing")
MOST_UNITS = 5
VIEWS = ("caterpillar", "funnel", "trend", "table")


@dataclass(frozen=True)
class Choice:
    """What one visitor looks at. `year` is empty for the whole period."""

    study: str = ""
    indicator: str = ""
    unit: str = ""
    period: str = ""
    year: str = ""
    units: tuple[str, ...] = ()
    view: str = VIEWS[0]
    n_left_out: int = 0


class Choices:
    """The results, and the lists of what can be chosen of them, each within the one before."""

    def __init__(self, results: Sequence[Result]) -> None:
        self.results = tuple(results)

    def studies(self) -> list[tuple[str, str]]:
        """Title and name of every study that has a result."""
        told = {one.study: one.title for one in self.results}
        names = list(told.values())
        return [
            (title if names.count(title) == 1 else f"{title} ({study})", study)
            for study, title in told.items()
        ]

    def indicators(self, choice: Choice) -> list[str]:
        """The chosen study's indicators."""
        return _once(one.indicator for one in self._within(choice, "study"))

    def levels(self, choice: Choice) -> list[str]:
        """The levels of organisation that the chosen indicator has."""
        return _once(one.unit for one in self._within(choice, "study", "indicator"))

    def periods(self, choice: Choice) -> list[tuple[str, str]]:
        """The periods, and within each the years that have numbers: pairs of period and year."""
        found = []
        for one in self._within(choice, "study", "indicator", "unit"):
            found += [(one.period, ""), *((one.period, year) for year in one.years_shown)]
        return found

    def result(self, choice: Choice) -> Result | None:
        """The chosen result, in the chosen year if there is one."""
        found = self._within(choice, "study", "indicator", "unit", "period")
        if not found:
            return None
        return found[0].in_year(choice.year) if choice.year else found[0]

    def settled(self, choice: Choice) -> Choice:
        """A choice that exists: what is not there is replaced by the first that is."""
        studies = [name for _, name in self.studies()]
        now = replace(choice, study=_kept(choice.study, studies))
        now = replace(now, indicator=_kept(now.indicator, self.indicators(now)))
        now = replace(now, unit=_kept(now.unit, self.levels(now)))
        pairs = self.periods(now)
        pair = (now.period, now.year)
        period, year = pair if pair in pairs else (pairs[0] if pairs else ("", ""))
        now = replace(now, period=period, year=year)
        result = self.result(now)
        known = result.units if result else ()
        wanted = [one for one in dict.fromkeys(now.units) if one in known]
        view = now.view if now.view in VIEWS else VIEWS[0]
        return replace(
            now, units=tuple(wanted[:MOST_UNITS]), view=view,
            n_left_out=max(len(wanted) - MOST_UNITS, 0),
        )  # fmt: skip

    def _within(self, choice: Choice, *names: str) -> list[Result]:
        return [
            one
            for one in self.results
            if all(getattr(one, name) == getattr(choice, name) for name in names)
        ]


def picked(options: Sequence[Thing], position: object) -> Thing | None:
    """The option at a position that came from a browser; nothing if it is none."""
    if isinstance(position, bool) or not isinstance(position, int):
        return None
    return options[position] if 0 <= position < len(options) else None


def _kept(wanted: str, known: Sequence[str]) -> str:
    return wanted if wanted in known else next(iter(known), "")


def _once(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
