"""Regions by sub-registers in cells: how much is covered, and how long reports take.

A cell has its value in words and a shade that is darker the better it is; below the limit it is
hatched and says so. The nation stands in its own row, and is never left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from workbench.errors import StudyError
from workbench.output import wording
from workbench.output.figures.unit_marks import (
    INK,
    OWN,
    SOFT,
    counted,
    hidden_words,
    listed,
    name_of,
    percent,
    sentences,
    wrapped,
)

ROW, LINE_HEIGHT, TOP, FOOT = 0.42, 0.14, 0.14, 0.36  # inches
FIGURE_WIDTH, RIGHT = 170 / 25.4, 0.1
SHADES = ("#ffffff", "#dcebf4", "#a9cfe4", "#5b9cc4", "#00568a")
INKS = (INK, INK, INK, INK, "#ffffff")
MOST_COLUMNS, MOST_ROWS = 9, 30


@dataclass(frozen=True)
class Matrix:
    """Everything the drawing needs."""

    rows: tuple[tuple[str, str], ...]  # name, and "unit", "own" or "nation"
    columns: tuple[str, ...]
    cells: Mapping[tuple[int, int], tuple[float, str, str]]  # share, second line, reason
    steps: tuple[float, ...]  # where shades change; the first is the limit
    value_words: str
    column_words: str
    below_words: str
    hidden: str

    @property
    def height(self) -> float:
        """Inches of the drawing."""
        return self.head + ROW * len(self.rows) + FOOT

    @property
    def wide(self) -> float:
        """Inches of a column."""
        return min((FIGURE_WIDTH - self.first - RIGHT) / len(self.columns), 1.5)

    @property
    def first(self) -> float:
        """Inches of the names at the left."""
        return max(0.9, 0.2 + 0.072 * max(len(name) for name, _role in self.rows))

    @property
    def headings(self) -> tuple[str, ...]:
        """Names of the columns in as many lines as they need."""
        return tuple(wrapped(one, max(5, int(self.wide / 0.072))) for one in self.columns)

    @property
    def head(self) -> float:
        """Inches over the first row."""
        return TOP + LINE_HEIGHT * (1 + max(one.count("\n") for one in self.headings))


def plan(
    table: pd.DataFrame,
    *,
    row: str,
    column: str,
    value: str = "estimate",
    second: Mapping[str, str] | None = None,
    nation: str = "Nation",
    own: str | None = None,
    steps: tuple[float, ...] = (0.6, 0.7, 0.8, 0.95),
    n_hidden: int = 0,
    hidden_because: str = "too few patients",
    value_words: str = "coverage",
    column_words: str = "sub-register",
    below_words: str = "too low",
    labels: Mapping[str, str] | None = None,
) -> Matrix:
    """Lay out the matrix.

    Parameters
    ----------
    table
        One row a region and sub-register: `row`, `column`, `value` (a share, or missing with a
        `reason`).
    second
        A further column for the second line of each cell and what follows its number:
        {"median_days": "days"}.
    nation
        What the nation is called in the column `row`; it stands last.
    steps
        Where shades change, rising, up to four; below the first a cell is hatched. A coverage over
        100 % is told as it is.

    Raises
    ------
    StudyError
        No cell, more rows or columns than a page holds, steps that do not rise, or an own row
        that is not there.
    """
    names = [one for one in dict.fromkeys(table[row].astype(str)) if one != nation]
    names = [*names, *([nation] if (table[row].astype(str) == nation).any() else [])]
    across = list(dict.fromkeys(table[column].astype(str)))
    _require(names, across, steps, own)
    further, words = next(iter((second or {}).items()), ("", ""))
    cells = {}
    for one in table.to_dict("records"):
        place = (names.index(str(one[row])), across.index(str(one[column])))
        told = one.get("reason")
        reason = "no data" if wording.is_missing(told) else str(told)
        more = one.get(further)
        line = "" if wording.is_missing(more) else f"{wording.number(more, decimals=0)} {words}"
        share = float(one[value]) if not wording.is_missing(one[value]) else float("nan")
        cells[place] = (share, line, reason)
    roles = ["nation" if one == nation else "own" if one == own else "unit" for one in names]
    return Matrix(
        tuple((name_of(one, labels), role) for one, role in zip(names, roles, strict=True)),
        tuple(name_of(one, labels) for one in across), cells, tuple(steps), value_words,
        column_words, below_words, hidden_words(n_hidden, hidden_because),
    )  # fmt: skip


def draw(matrix: Matrix, figure: Any) -> None:
    """Draw the cells with their names at the left and on top."""
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, FIGURE_WIDTH)
    axes.set_ylim(matrix.height, 0)
    wide = matrix.wide
    for at, name in enumerate(matrix.headings):
        axes.text(
            matrix.first + (at + 0.5) * wide, matrix.head - 0.06, name, ha="center", va="bottom",
            weight="bold", fontsize=8, linespacing=1.05,
        )  # fmt: skip
    for down, (name, role) in enumerate(matrix.rows):
        top = matrix.head + down * ROW + (0.04 if role == "nation" else 0)
        axes.text(
            matrix.first - 0.1, top + ROW / 2, name, ha="right", va="center",
            weight="normal" if role == "unit" else "bold", color=OWN if role == "own" else INK,
        )  # fmt: skip
        for at in range(len(matrix.columns)):
            _draw_cell(
                axes, (matrix.first + at * wide, top, wide), matrix, matrix.cells.get((down, at))
            )
        if role == "own":
            left, right = matrix.first, matrix.first + wide * len(matrix.columns)
            axes.plot([left, right, right, left, left], [top, top, top + ROW, top + ROW, top],
                      color=OWN, lw=1.8, zorder=5)  # fmt: skip
    _draw_key(axes, matrix)


def describe(matrix: Matrix, *, title: str) -> str:
    """The matrix in words, from the numbers drawn."""
    known = {place: cell for place, cell in matrix.cells.items() if cell[0] == cell[0]}
    regions = {place: cell for place, cell in known.items() if matrix.rows[place[0]][1] != "nation"}
    n_rows = sum(role != "nation" for _name, role in matrix.rows)
    what = f"{matrix.value_words[:1].upper()}{matrix.value_words[1:]}"
    by = f"{counted(n_rows, 'region')} by {counted(len(matrix.columns), matrix.column_words)}"
    parts = [f"{title}. {what} of {by}"]
    nation = [f"{matrix.columns[at]} {percent(cell[0])}" + (f", {cell[1]}" if cell[1] else "")
              for (down, at), cell in sorted(known.items())
              if matrix.rows[down][1] == "nation"]  # fmt: skip
    if nation:
        parts.append(f"{matrix.rows[-1][0]}: {'; '.join(nation)}")
    if regions:
        ordered = sorted(regions, key=lambda place: regions[place][0])
        for place, word in ((ordered[0], "Lowest"), (ordered[-1], "highest")):
            told = f"{word}: {matrix.rows[place[0]][0]}, {matrix.columns[place[1]]}"
            parts.append(f"{told} {percent(regions[place][0])}")
        low = [place for place in ordered if regions[place][0] < matrix.steps[0]]
        parts.append(f"{counted(len(low), 'cell')} below {percent(matrix.steps[0])}"
                     + (f": {listed(_places(matrix, low), most=3)}" if low else ""))  # fmt: skip
    n_none = len(matrix.rows) * len(matrix.columns) - len(known)
    parts.append(f"{counted(n_none, 'cell')} without a value" if n_none else "")
    return sentences([*parts, matrix.hidden])


def notes(matrix: Matrix) -> list[str]:
    """What stands under the figure beside period and method."""
    return [matrix.hidden] if matrix.hidden else []


def _places(matrix: Matrix, places: list[tuple[int, int]]) -> list[str]:
    return [f"{matrix.rows[down][0]} {matrix.columns[at]}" for down, at in places]


def _require(
    names: list[str], across: list[str], steps: tuple[float, ...], own: str | None
) -> None:
    if not names or len(names) > MOST_ROWS or len(across) > MOST_COLUMNS:
        raise StudyError(
            f"The matrix holds 1 to {MOST_ROWS} rows and {MOST_COLUMNS} columns, not {len(names)} "
            f"and {len(across)}. Choose some."
        )
    if not 1 <= len(steps) < len(SHADES) or list(steps) != sorted(set(steps)):
        raise StudyError(f"steps: give 1 to {len(SHADES) - 1} limits, each above the one before.")
    if own is not None and own not in names:
        raise StudyError(f'own: row "{own}" is not among those that are shown.')


def _shade(share: float, matrix: Matrix) -> int:
    passed = sum(share >= step for step in matrix.steps)
    return 0 if not passed else passed + len(SHADES) - 1 - len(matrix.steps)


def _draw_cell(
    axes: Any, place: tuple[float, float, float], matrix: Matrix,
    cell: tuple[float, str, str] | None,
) -> None:  # fmt: skip
    left, top, wide = place
    share, line, reason = cell or (float("nan"), "", "no data")
    middle = left + wide / 2
    if share != share:
        axes.text(middle, top + ROW / 2, f"–\n{reason}", ha="center", va="center", fontsize=8,
                  color=SOFT, linespacing=1.0)  # fmt: skip
        return
    at = _shade(share, matrix)
    hatch = "" if at else "////"
    axes.fill_between(
        [left + 0.02, left + wide - 0.02], top + 0.02, top + ROW - 0.02, facecolor=SHADES[at],
        edgecolor="#c9c9c9", hatch=hatch, lw=0.6,
    )  # fmt: skip
    words = percent(share) if at else f"{percent(share)} {matrix.below_words}"
    if not at and 0.078 * len(words) > wide:  # then hatching and the key say it
        words = percent(share)
    box = None if at else {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
    up = ROW / 2 - (0.085 if line else 0)
    axes.text(middle, top + up, words, ha="center", va="center", fontsize=8.5, weight="bold",
              color=INKS[at], bbox=box)  # fmt: skip
    if line:
        axes.text(middle, top + ROW / 2 + 0.085, line, ha="center", va="center", fontsize=8,
                  color=INKS[at], bbox=box)  # fmt: skip


def _draw_key(axes: Any, matrix: Matrix) -> None:
    y, x = matrix.height - 0.16, 0.5
    begin = len(SHADES) - len(matrix.steps)
    limits = [percent(step) for step in matrix.steps]
    told = [(0, f"under {limits[0]}: {matrix.below_words}")]
    for at, limit in enumerate(limits):
        to = f" to {limits[at + 1]}" if at + 1 < len(limits) else " or more"
        told.append((begin + at, f"{limit.removesuffix(' %') if to[1] == 't' else limit}{to}"))
    for shade, words in told:
        axes.fill_between(
            [x, x + 0.2], y - 0.06, y + 0.06, facecolor=SHADES[shade], edgecolor="#9a9a9a",
            hatch="" if shade else "////", lw=0.6,
        )  # fmt: skip
        axes.text(x + 0.26, y, words, va="center", fontsize=8, color=SOFT)
        x += 0.42 + 0.0595 * len(words)
