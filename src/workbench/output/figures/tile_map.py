"""Regions as equal tiles where they lie: every value is written, small regions are seen as well.

Shade goes with the value, from light to dark of one hue, so that it holds in grey and for every
eye; a triangle says where the interval does not reach the nation. What the gate hides is hatched,
what has no value has a broken edge, and the two are never one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from workbench.errors import StudyError, did_you_mean
from workbench.language import retold, text
from workbench.output.disclosure import HIDDEN, MISSING, Released, require_released
from workbench.output.figures.comparison_figures import UnitCaption
from workbench.output.figures.drawing import Caption, in_its_language, seal_drawing
from workbench.output.figures.unit_marks import (
    INK,
    LETTER,
    OWN,
    SOFT,
    counted,
    listed,
    percent,
    sentences,
    wrapped,
)
from workbench.registers.tiles import TileMap

WIDTH, MAP, EDGE = 170 / 25.4, 4.85, 0.1  # inches: the figure, the map in it, and around it
WIDEST, TALL, GAP = 1.15, 0.62, 0.05
KEY = 1.4  # inches the key needs
NARROWEST = 0.2  # small differences stay pale ones
LIGHT, DARK = (0.95, 0.97, 0.99), (0.36, 0.60, 0.80)  # the darkest still bears dark letters
SHOWN, NOT_SHOWN, NO_VALUE = "shown", "not shown", "no value"
MARKS = {"above": "▲", "below": "▼", "": ""}


@dataclass(frozen=True)
class Cell:
    """One tile: where it is, what it is called, and what stands on it."""

    name: str
    column: int
    row: int
    state: str
    value: float = np.nan
    side: str = ""
    is_own: bool = False


@dataclass(frozen=True)
class TilePlan:
    """All tiles, the nation beside them, and what is said of those that cannot be placed."""

    cells: tuple[Cell, ...]
    n_columns: int
    n_rows: int
    words: str
    nation: float
    not_placed: tuple[str, ...]
    because: str

    @property
    def height(self) -> float:
        """Inches the drawing needs: for the map, or for the key beside a small one."""
        return max(self.n_rows * TALL + 2 * EDGE, KEY + 2 * EDGE)

    @property
    def ends(self) -> tuple[float, float]:
        """Where shades begin and end: the values shown, or a wider range around close ones."""
        values = [cell.value for cell in self.cells if cell.state == SHOWN]
        low, high = min(values), max(values)
        if high - low >= NARROWEST:
            return low, high
        begin = min(max((low + high - NARROWEST) / 2, 0.0), 1 - NARROWEST)
        return begin, begin + NARROWEST


@in_its_language
def draw_tile_map(
    shares: Released, *, tiles: TileMap, words: str, own: str | None = None,
    labels: Mapping[str, str] | None = None, caption: Caption | None = None,
) -> Released:  # fmt: skip
    """Draw a share by region on a map of equal tiles.

    Parameters
    ----------
    shares
        A released reading "shares" of one key, the region: its code, or its name on the map.
    tiles
        What `registers.tiles.load_tile_map` gave ("sweden_regions", "norway_rhf", "norway_hf").
    words
        What is counted: "Fistula or graft at start".
    own
        The region to point out by a ring.
    labels
        Names by code, where the rows have codes of their own.

    Raises
    ------
    DisclosureError
        What is given was not released.
    StudyError
        More than one key; no region that is on the map.
    """
    require_released(shares, "shares")
    made = plan(shares, tiles=tiles, words=words, own=own, labels=labels)
    method = "Wilson intervals"
    given = caption or Caption(method=method)
    further = notes(made)
    foot = UnitCaption(given.period, given.coverage, given.method, language=given.language,
                       missing=getattr(given, "missing", ""),
                       further=(*getattr(given, "further", ()), *further))  # fmt: skip
    told = describe(made, title=retold(shares.title))
    return seal_drawing(shares, lambda _one, figure: draw(made, figure), made.height, told, foot)


def plan(
    shares: Released, *, tiles: TileMap, words: str, own: str | None = None,
    labels: Mapping[str, str] | None = None,
) -> TilePlan:  # fmt: skip
    """Find the tile of each region, and what stands on it."""
    if len(shares.facts["by"]) != 1:
        raise StudyError("A tile map shows one number a region: release the shares by region only.")
    key = shares.facts["by"][0]
    rows = {_code(value, tiles, labels): row
            for value, row in zip(shares.frame[key], shares.frame.to_dict("records"),
                                  strict=True)}  # fmt: skip
    placed = {code: row for code, row in rows.items() if code in tiles.tiles}
    if not any(pd.notna(row["estimate"]) for row in placed.values()):
        known = [tile.name for tile in tiles.tiles.values()]
        first = next(iter(rows), "")
        raise StudyError(f"No region with a value is on the tile map {tiles.name} (\"{first}\")."
                         f"{did_you_mean(first, known)}")  # fmt: skip
    own_code = None if own is None else _code(own, tiles, labels)
    n_hidden = int(shares.facts.get("n_hidden") or 0)
    nation = float(shares.facts["nation_estimate"])
    cells = []
    for code, tile in tiles.tiles.items():
        row = placed.get(code)
        state, value, side = _content(row, nation, is_any_hidden=n_hidden > 0)
        cells.append(Cell(tile.name, tile.column, tile.row, state, value, side, code == own_code))
    because = text("fewer than {n} patients, or such could be worked out",
                   n=shares.rules["threshold"])  # fmt: skip
    others = tuple((labels or {}).get(code, code) for code in rows if code not in tiles.tiles)
    return TilePlan(tuple(cells), tiles.n_columns, tiles.n_rows, words, nation, others, because)


def draw(made: TilePlan, figure: Any) -> None:
    """Draw the tiles and, beside them, the key."""
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, WIDTH)
    axes.set_ylim(made.height, 0)
    wide = min(WIDEST, MAP / made.n_columns)
    for cell in made.cells:
        _draw_tile(axes, cell, made, EDGE + cell.column * wide, EDGE + cell.row * TALL, wide)
    _draw_key(axes, made, EDGE + made.n_columns * wide + 0.2)


def notes(made: TilePlan) -> list[str]:
    """What the drawing leaves out, and how sure the differences are."""
    told = []
    if any(cell.state == NOT_SHOWN for cell in made.cells):
        n_hidden = sum(cell.state == NOT_SHOWN for cell in made.cells)
        told.append(text("{units} not shown ({reason})", units=counted(n_hidden, "region"),
                         reason=made.because))  # fmt: skip
    if made.not_placed:
        told.append(text("Not on the map: {names}", names=listed(made.not_placed)))
    return told


def describe(made: TilePlan, *, title: str) -> str:
    """The map in words: its lowest and highest region, and who differs from the nation."""
    shown = sorted((cell for cell in made.cells if cell.state == SHOWN), key=lambda c: c.value)
    low, high = shown[0], shown[-1]
    parts = [
        title,
        text("{what} on a map with one tile a region; places are not to scale", what=made.words),
        text("Lowest: {low_name} {low}; highest: {high_name} {high}",
             low_name=low.name, low=percent(low.value), high_name=high.name,
             high=percent(high.value)),
        text("Nation {value}", value=percent(made.nation)),
    ]  # fmt: skip
    words = "The intervals of {units} do not reach the national value"
    if n_clear := sum(bool(cell.side) for cell in shown):
        parts.append(text(words, units=counted(n_clear, "region")))
    return sentences([*parts, *notes(made)])


def _code(value: Any, tiles: TileMap, labels: Mapping[str, str] | None) -> str:
    """The code of a region given by its code, or by its name on the map."""
    told = str(value)
    if told in tiles.tiles:
        return told
    names = {tile.name.casefold(): code for code, tile in tiles.tiles.items()}
    label = (labels or {}).get(told, told)
    return names.get(told.casefold(), names.get(label.casefold(), told))


def _content(
    row: Mapping[str, Any] | None, nation: float, *, is_any_hidden: bool
) -> tuple[str, float, str]:
    # A region that is not among the rows is hidden where any is: which of them have no patients
    # at all would tell something of the others.
    if row is None:
        return NOT_SHOWN if is_any_hidden else NO_VALUE, np.nan, ""
    if pd.isna(row["estimate"]):
        return NO_VALUE, np.nan, ""
    side = "above" if row["lower"] > nation else "below" if row["upper"] < nation else ""
    return SHOWN, float(row["estimate"]), side


def _draw_tile(axes: Any, cell: Cell, made: TilePlan, left: float, top: float, wide: float) -> None:
    face = _face(cell, made)
    _box(axes, left, top, wide - GAP, TALL - GAP, face=face, state=cell.state)
    middle = left + (wide - GAP) / 2
    letters = int((wide - GAP - 0.04) / LETTER)
    paper = {"boxstyle": "square,pad=0.15", "fc": "white", "ec": "none"}
    style = {"ha": "center", "color": INK, "bbox": paper if cell.state == NOT_SHOWN else None}
    name = wrapped(cell.name, letters)
    is_long = "\n" in name
    axes.text(middle, top + 0.17, name, va="center", size=8, linespacing=0.95,
              weight="bold" if cell.is_own else "normal", **style)  # fmt: skip
    value = {NOT_SHOWN: HIDDEN, NO_VALUE: MISSING}.get(cell.state, percent(cell.value))
    told = f"{value} {MARKS[cell.side]}".rstrip()
    axes.text(middle, top + (0.44 if is_long else 0.39), told, va="center", size=9.5, **style)
    if cell.is_own:
        inner = {"facecolor": "none", "edgecolor": OWN, "lw": 2.2}
        axes.bar(left, TALL - GAP, wide - GAP, top, align="edge", **inner)


def _face(cell: Cell, made: TilePlan) -> Any:
    """Fill of a tile."""
    if cell.state != SHOWN:
        return "white"
    low, high = made.ends
    return _shade((cell.value - low) / (high - low))


def _shade(part: float) -> tuple[float, ...]:
    return tuple(one + part * (other - one) for one, other in zip(LIGHT, DARK, strict=True))


def _box(
    axes: Any, left: float, top: float, wide: float, tall: float, *, face: Any, state: str
) -> None:
    line: dict[str, Any] = {"edgecolor": "#b9c4cc", "lw": 0.5}
    if state == NOT_SHOWN:
        line = {"edgecolor": "#9a9a9a", "lw": 0.8, "hatch": "////"}
    if state == NO_VALUE:
        line = {"edgecolor": SOFT, "lw": 1.0, "ls": (0, (3, 2))}
    axes.bar(left, tall, wide, top, align="edge", facecolor=face, **line)


def _draw_key(axes: Any, made: TilePlan, left: float) -> None:
    low, high = made.ends
    wide, at = 1.0, EDGE
    steps = np.arange(40)
    axes.bar(left + wide * steps / 40, 0.14, wide / 40 + 0.003, at, align="edge", lw=0,
             color=[_shade(step / 39) for step in steps])  # fmt: skip
    style = {"size": 8, "va": "center"}
    axes.text(left, at + 0.24, percent(low), ha="left", **style)
    axes.text(left + wide, at + 0.24, percent(high), ha="right", **style)
    axes.text(left, at + 0.46, text("Nation {value}", value=percent(made.nation)), **style)
    at += 0.7
    sides = {cell.side for cell in made.cells}
    words = {"above": text("interval above the nation's"),
             "below": text("interval below the nation's")}  # fmt: skip
    letters = int((WIDTH - left - 0.28) / LETTER)
    for side in [one for one in words if one in sides]:
        axes.text(left, at, MARKS[side], **style)
        at = _key_words(axes, left + 0.2, at, wrapped(words[side], letters))
    states = {cell.state for cell in made.cells}
    told = {NOT_SHOWN: text("not shown"), NO_VALUE: text("no value")}
    for state in [one for one in told if one in states]:
        _box(axes, left, at - 0.06, 0.14, 0.12, face="white", state=state)
        at = _key_words(axes, left + 0.2, at, wrapped(told[state], letters))


def _key_words(axes: Any, left: float, at: float, words: str) -> float:
    """Words of the key beside their mark; where the next one begins."""
    axes.text(left, at - 0.06, words, size=8, va="top")
    return at + 0.15 * (1 + words.count("\n")) + 0.08
