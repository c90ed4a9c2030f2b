"""Many indicators for a few units beside the nation: value, number, and level in shape and word.

A level that the number of patients does not settle is said to be open. What cannot be shown is a
dash with its reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from workbench.errors import StudyError
from workbench.language import text
from workbench.output import wording
from workbench.output.figures.unit_marks import (
    INK,
    LEVELS,
    LINE,
    OWN,
    SOFT,
    counted,
    draw_level,
    hidden_words,
    listed,
    name_of,
    percent,
    sentences,
    wrapped,
)

ROW, HEAD, TOP, FOOT = 0.56, 0.5, 0.06, 0.34  # inches
FIGURE_WIDTH, FIRST, NEXT_COLUMN = 170 / 25.4, 2.1, 0.98
MOST_UNITS, MOST_INDICATORS = 5, 18
DIRECTIONS = {"high": "high wanted", "low": "low wanted"}


@dataclass(frozen=True)
class Cell:
    """What stands for one indicator and unit."""

    value: str
    n: str
    level: str
    is_decided: bool
    reason: str


@dataclass(frozen=True)
class IndicatorTable:
    """Everything the drawing needs."""

    indicators: tuple[tuple[str, str], ...]  # name, and wanted direction with target
    columns: tuple[tuple[str, str], ...]  # name, and "unit", "own" or "nation"
    cells: Mapping[tuple[int, int], Cell]
    hidden: str

    @property
    def height(self) -> float:
        """Inches of the drawing."""
        return TOP + HEAD + ROW * len(self.indicators) + FOOT


def plan(
    cells: pd.DataFrame,
    *,
    indicator: str = "indicator",
    unit: str = "unit",
    nation: str = "Nation",
    own: str | None = None,
    directions: Mapping[str, str] | None = None,
    targets: Mapping[str, str] | None = None,
    n_hidden: int = 0,
    hidden_because: str = "",
    labels: Mapping[str, str] | None = None,
) -> IndicatorTable:
    """Lay out the table.

    Parameters
    ----------
    cells
        One row an indicator and unit, the nation among them: `estimate`, `n`, `level`,
        `level_decided`; `reason` where there is no value, and `value` (words) where the estimate
        is not a share.
    nation
        What the nation is called in the column of units; it stands last.
    directions, targets
        Of each indicator: "high" or "low", and the target in words.

    Raises
    ------
    StudyError
        No cell, more units or indicators than a page holds, or an own unit that is not there.
    """
    names = list(dict.fromkeys(cells[indicator].astype(str)))
    units = [one for one in dict.fromkeys(cells[unit].astype(str)) if one != nation]
    if not names or len(units) > MOST_UNITS or len(names) > MOST_INDICATORS:
        raise StudyError(
            f"The table holds 1 to {MOST_INDICATORS} indicators and up to {MOST_UNITS} units "
            f"beside the nation, not {len(names)} and {len(units)}. Choose some."
        )
    if own is not None and own not in units:
        raise StudyError(f'own: unit "{own}" is not among the units that are shown.')
    units = [*sorted(units, key=lambda one: one != own), nation]
    found = {}
    for row in cells.to_dict("records"):
        place = (names.index(str(row[indicator])), units.index(str(row[unit])))
        found[place] = _cell(row)
    under = [
        ", ".join(filter(None, (_wanted((directions or {}).get(one, "")),
                                (targets or {}).get(one, ""))))
        for one in names
    ]  # fmt: skip
    roles = ["nation" if one == nation else "own" if one == own else "unit" for one in units]
    return IndicatorTable(
        tuple((name_of(one, labels, longest=60), told) for one, told in
              zip(names, under, strict=True)),
        tuple((name_of(one, labels, longest=28), role) for one, role in
              zip(units, roles, strict=True)),
        found, hidden_words(n_hidden, hidden_because),
    )  # fmt: skip


def draw(table: IndicatorTable, figure: Any) -> None:
    """Draw rows of indicators, columns of units."""
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, FIGURE_WIDTH)
    axes.set_ylim(table.height, 0)
    step = min((FIGURE_WIDTH - FIRST - 0.1) / len(table.columns), 1.6)
    for at, (name, role) in enumerate(table.columns):
        left = FIRST + at * step
        colour = OWN if role == "own" else INK
        letters = max(8, int((step - 0.1) / 0.072))
        axes.text(left, TOP + HEAD / 2, wrapped(name, letters), weight="bold", color=colour,
                  va="center", fontsize=8.5, linespacing=1.05)  # fmt: skip
        if role == "own":
            low = TOP + HEAD + ROW * len(table.indicators)
            axes.fill_between([left - 0.09, left + step - 0.14], TOP, low, color="#fbf0f6", lw=0,
                              zorder=0)  # fmt: skip
    for down, (name, under) in enumerate(table.indicators):
        top = TOP + HEAD + down * ROW
        axes.plot([0.08, FIRST + step * len(table.columns) - 0.1], [top, top], color=LINE, lw=0.8)
        lines = wrapped(name, 31)
        axes.text(0.08, top + 0.06, lines, va="top", fontsize=8.5, linespacing=1.05)
        low = top + 0.085 + 0.14 * (1 + lines.count("\n"))
        axes.text(0.08, low, under, va="top", fontsize=8, color=SOFT)
        for at in range(len(table.columns)):
            _draw_cell(axes, FIRST + at * step, top, table.cells.get((down, at)))
    _draw_key(axes, table)


def describe(table: IndicatorTable, *, title: str) -> str:
    """The table in words, from the numbers drawn."""
    shown = next((at for at, (_n, role) in enumerate(table.columns) if role == "own"), None)
    shown = len(table.columns) - 1 if shown is None else shown
    name = table.columns[shown][0]
    n_units = sum(role != "nation" for _name, role in table.columns)
    told = {"indicators": counted(len(table.indicators), "indicator")}
    told["units"] = counted(n_units, "unit")
    parts = [f"{title}. {text('Table of {indicators} for {units} beside the nation', **told)}"]
    for level in LEVELS:
        at_level = [table.indicators[down][0] for (down, at), cell in sorted(table.cells.items())
                    if at == shown and cell.level == level]  # fmt: skip
        if at_level:
            told = {"level": text(level), "names": listed(at_level, most=2)}
            parts.append(text("{unit}, {level} level: {names}", unit=name, **told))
    of_unit = [cell for (_down, at), cell in table.cells.items() if at == shown]
    n_open = sum(bool(cell.level) and not cell.is_decided for cell in of_unit)
    if n_open:
        levels = counted(n_open, "level")
        parts.append(text("Of {levels} chance may be the reason", levels=levels))
    n_none = sum(bool(cell.reason) for cell in of_unit)
    if n_none:
        without = counted(n_none, "indicator")
        parts.append(text("{indicators} without a value there", indicators=without))
    return sentences([*parts, table.hidden])


def notes(table: IndicatorTable) -> list[str]:
    """What stands under the figure beside period and method."""
    return [table.hidden] if table.hidden else []


def _wanted(direction: str) -> str:
    return text(DIRECTIONS[direction]) if direction in DIRECTIONS else ""


def _cell(row: Mapping[Any, Any]) -> Cell:
    told = row.get("reason")
    reason = "" if wording.is_missing(told) else str(told)
    if wording.is_missing(row["estimate"]):
        return Cell("–", "", "", False, reason or text("no data"))
    level = row.get("level")
    level = "" if wording.is_missing(level) else str(level)
    words = row.get("value")
    value = percent(row["estimate"]) if wording.is_missing(words) else str(words)
    decided = row.get("level_decided", True)
    is_decided = not wording.is_missing(decided) and bool(decided)
    return Cell(value, f"n {wording.count(row['n'])}", level, is_decided, reason)


def _draw_cell(axes: Any, left: float, top: float, cell: Cell | None) -> None:
    if cell is None or not cell.value.strip("–"):
        axes.text(left, top + 0.17, "–", va="center_baseline", color=SOFT)
        reason = text("no data") if cell is None else cell.reason
        axes.text(left, top + 0.38, wrapped(reason, 16), va="center", fontsize=8, color=SOFT,
                  linespacing=0.95)  # fmt: skip
        return
    if cell.level:
        draw_level(axes, left + 0.06, top + 0.17, cell.level)
    axes.text(left + 0.18, top + 0.17, cell.value, va="center_baseline", weight="bold")
    axes.text(left + 0.18 + 0.078 * len(cell.value) + 0.06, top + 0.17, cell.n, fontsize=8,
              va="center_baseline", color=SOFT)  # fmt: skip
    if cell.level:
        words = text(cell.level) if cell.is_decided else f"{text(cell.level)}?"
        axes.text(left + 0.18, top + 0.38, words, va="center_baseline", fontsize=8,
                  color=LEVELS[cell.level][1])  # fmt: skip


def _draw_key(axes: Any, table: IndicatorTable) -> None:
    low = TOP + HEAD + ROW * len(table.indicators)
    axes.plot([0.08, FIGURE_WIDTH - 0.08], [low, low], color=LINE, lw=0.8)
    told: Sequence[tuple[str, str]] = (
        ("high", "high: target reached"), ("moderate", "moderate"), ("low", "low"),
    )  # fmt: skip
    x, y = 0.16, low + 0.2
    for level, words in told:
        draw_level(axes, x, y, level, size=6)
        words = text(words)
        axes.text(x + 0.12, y, words, va="center_baseline", fontsize=8, color=SOFT)
        x += 0.36 + 0.0595 * len(words)
    words = "?  " + text("could be chance: the level is not settled")
    axes.text(x, y, words, va="center_baseline", fontsize=8, color=SOFT)
