"""Cells of units put on the levels of an organisation; who cannot be placed stays in sight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd

from workbench.analysis.indicators.cells import ERA, PART, UNIT
from workbench.errors import StudyError, did_you_mean
from workbench.registers.indicators import Indicator
from workbench.registers.organisations import Organisation, place_with_reason

UNKNOWN = "unknown unit"
NATION = "nation"


@dataclass(frozen=True)
class Ladder:
    """Where units stand, on which levels results are wanted, and how places are found."""

    start: str  # the level of the units' own codes
    levels: tuple[str, ...]
    organisation: Organisation | None = None
    rule: str | None = None

    @property
    def change_days(self) -> tuple[date, ...]:
        """The days on which the organisation changed: within them every place is one place."""
        return tuple(self.organisation.change_days()) if self.organisation else ()

    def places(self, cells: pd.DataFrame, level: str) -> tuple[pd.Series, pd.Series]:
        """The place of each cell on a level ("unknown unit" where none), and why it has none."""
        if self.organisation is None:
            reason = pd.Series(None, index=cells.index, dtype=object)
            reason = reason.mask(cells[UNIT].isna(), "no code")
            return cells[UNIT].astype(object).fillna(UNKNOWN), reason
        days = self.change_days
        # one day for all between two changes; the first era lies before the first change
        first = days[0] - timedelta(days=1) if days else date(2000, 1, 1)
        day_of = dict(enumerate([first, *days]))
        codes = cells[UNIT].astype(object).where(cells[UNIT].notna(), None)
        found = place_with_reason(
            codes,
            self.organisation,
            level_from=self.start,
            level_to=level,
            on=pd.to_datetime(cells[ERA].map(day_of)),
            rule=self.rule,
            parts=cells[PART] if PART in cells.columns else None,
        )
        return found["place"].fillna(UNKNOWN), found["reason"]


def ladder_of(
    indicator: Indicator,
    unit: str,
    *,
    organisation: Organisation | None,
    levels: Sequence[str] | None,
    rule: str | None,
) -> Ladder:
    """The levels from the unit's own up to below the nation.

    Raises
    ------
    StudyError
        Levels without an organisation; a unit that stands on no level of it; levels that are not
        there or lie below the unit's.
    """
    means = indicator.table.variables[unit].means or "unit"
    if organisation is None:
        if levels or rule:
            raise StudyError("levels and rule belong to an organisation. Give organisation too.")
        return Ladder(means, (means,))
    if means not in organisation.levels:
        raise StudyError(
            f"{indicator.name}: {unit} means {means}, which is no level of the organisation "
            f"{organisation.name} ({', '.join(organisation.levels)})."
        )
    above = organisation.levels[organisation.levels.index(means) : -1]
    for level in levels or ():
        if level not in above:
            near = did_you_mean(level, above)
            raise StudyError(f'levels: "{level}" is not between {unit} and the nation.{near}')
    wanted = [one for one in above if levels is None or one in levels]
    return Ladder(means, tuple(wanted), organisation, rule)
