"""Parts of a whole by unit as stacked bars: what kind of access, which method, which place.

The nation stands in its sorted place among the units. Parts are told apart by shade, hatching and
a number inside where it fits; their names stand over the first bar.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from workbench import language
from workbench.errors import StudyError
from workbench.language import text
from workbench.output import wording
from workbench.output.figures.unit_marks import (
    INK,
    LETTER,
    OWN,
    SOFT,
    counted,
    hidden_words,
    name_of,
    percent,
    sentences,
)

ROW, TOP, KEY, FOOT = 0.24, 0.2, 0.19, 0.5  # inches
PLACE = (0.3, 0.58)
FIGURE_WIDTH, KEY_WIDTH = 170 / 25.4, 4.6
MOST_UNITS, LONGEST = 40, 25
# Each its shade, its hatching and the ink on it; neighbours differ on a grey printer, too.
PARTS = (
    ("#00466b", "", "#ffffff"), ("#9cc9e3", "", INK), ("#e6a04b", "////", INK),
    ("#7a3e00", "", "#ffffff"), ("#d9d9d9", "....", INK), ("#5e5e5e", "", "#ffffff"),
)  # fmt: skip
LEAST = 0.055  # of the whole: a smaller part has no number in it


@dataclass(frozen=True)
class TypeBars:
    """Everything the drawing needs; `shares` has a row a bar, from top to bottom."""

    shares: pd.DataFrame  # a column a kind
    names: tuple[str, ...]
    sizes: tuple[int, ...]
    roles: tuple[str, ...]  # "unit", "own" or "nation"
    kinds: tuple[str, ...]
    hidden: str
    whole: str

    @property
    def height(self) -> float:
        """Inches of the drawing."""
        return TOP + KEY * len(self.key) + ROW * len(self.names) + FOOT

    @property
    def key(self) -> tuple[tuple[int, ...], ...]:
        """The kinds in as many lines as their names need."""
        lines: list[list[int]] = [[]]
        used = 0.0
        for at, kind in enumerate(self.kinds):
            width = 0.42 + LETTER * len(kind)
            if lines[-1] and used + width > KEY_WIDTH:
                lines.append([])
                used = 0.0
            lines[-1].append(at)
            used += width
        return tuple(tuple(line) for line in lines)


def plan(
    parts: pd.DataFrame,
    *,
    unit: str,
    kind: str,
    nation: Mapping[str, int] | None = None,
    order: tuple[str, ...] | None = None,
    own: str | None = None,
    n_hidden: int = 0,
    hidden_because: str = "",
    labels: Mapping[str, str] | None = None,
) -> TypeBars:
    """Lay out the bars, sorted by the share of the first kind.

    Parameters
    ----------
    parts
        One row a shown unit and kind: `unit`, `kind`, `n`.
    nation
        Number of persons of each kind in the whole country; without it the bar of all units
        that are shown, and called so.
    order
        The kinds from left to right; by their size if not given.

    Raises
    ------
    StudyError
        No patients; more units or kinds than can be told apart; an unknown kind or own unit.
    """
    table = parts.pivot_table(index=unit, columns=kind, values="n", aggfunc="sum", observed=True)
    table = table.fillna(0)[lambda one: one.sum(axis=1) > 0]
    kinds = tuple(order or table.sum().sort_values(ascending=False, kind="stable").index)
    _require(table, kinds, own)
    counts = table[list(kinds)]
    whole = text("All units shown") if nation is None else text("Nation")
    total = counts.sum() if nation is None else pd.Series(nation).reindex(kinds).fillna(0)
    shares = counts.div(counts.sum(axis=1), axis=0)
    roles = ["own" if str(one) == own else "unit" for one in counts.index]
    names = [name_of(one, labels, longest=LONGEST) for one in counts.index]
    rows = pd.concat([shares, (total / total.sum()).to_frame().T], ignore_index=True)
    rows = rows.assign(
        _name=[*names, whole], _role=[*roles, "nation"], _n=[*counts.sum(axis=1), total.sum()]
    ).sort_values([kinds[0], "_name"], ascending=[False, True], ignore_index=True)
    return TypeBars(
        rows[list(kinds)].astype(float), tuple(rows["_name"]), tuple(rows["_n"].astype(int)),
        tuple(rows["_role"]), tuple(name_of(one, labels) for one in kinds),
        hidden_words(n_hidden, hidden_because), whole,
    )  # fmt: skip


def draw(bars: TypeBars, figure: Any) -> None:
    """Draw one bar a unit."""
    height, n_rows = bars.height, len(bars.names)
    axes = figure.add_axes((PLACE[0], FOOT / height, PLACE[1], ROW * n_rows / height))
    axes.set_xlim(0, 1)
    axes.set_ylim(n_rows - 0.5, -0.5)
    axes.set_yticks([])
    quarters = [0, 0.25, 0.5, 0.75, 1]
    axes.set_xticks(quarters, [language.share(one) for one in quarters])
    axes.set_xlabel(text("Share of the unit's patients"))
    axes.spines["left"].set_visible(False)
    for at, role in enumerate(bars.roles):
        _draw_bar(axes, at, role, bars)
    _draw_key(axes, bars)


def describe(bars: TypeBars, *, title: str) -> str:
    """The figure in words, from the numbers drawn."""
    whole = bars.roles.index("nation")
    told = ", ".join(
        f"{kind} {percent(bars.shares.iloc[whole, at])}" for at, kind in enumerate(bars.kinds)
    )
    first = bars.shares.iloc[:, 0]
    units = [at for at, role in enumerate(bars.roles) if role != "nation"]
    low, high = units[-1], units[0]
    n_units = counted(len(units), "unit")
    parts = [
        f"{title}. " + text("Stacked bars of {units}, each adding up to 100 %", units=n_units),
        _patients(bars, whole, told),
        text("{kind} ranges from {low} in {unit} to {high} in {other}", kind=bars.kinds[0],
             low=percent(first.iloc[low]), unit=bars.names[low],
             high=percent(first.iloc[high]), other=bars.names[high]),
    ]  # fmt: skip
    if "own" in bars.roles:
        own = bars.roles.index("own")
        shares = ", ".join(
            f"{kind} {percent(bars.shares.iloc[own, at])}" for at, kind in enumerate(bars.kinds[:3])
        )
        parts.append(_patients(bars, own, shares))
    return sentences([*parts, bars.hidden])


def _patients(bars: TypeBars, at: int, shares: str) -> str:
    n = wording.count(bars.sizes[at])
    return text("{unit} ({n} patients): {shares}", unit=bars.names[at], n=n, shares=shares)


def notes(bars: TypeBars) -> list[str]:
    """What stands under the figure beside period and method."""
    return [bars.hidden] if bars.hidden else []


def _require(table: pd.DataFrame, kinds: tuple[str, ...], own: str | None) -> None:
    if table.empty or len(table) > MOST_UNITS or len(kinds) > len(PARTS):
        raise StudyError(
            f"The bars show 1 to {MOST_UNITS} units and up to {len(PARTS)} kinds, not {len(table)} "
            f"and {len(kinds)}. Join kinds, or draw one figure for each region."
        )
    if set(kinds) != set(table.columns):
        raise StudyError("order: name every kind of the table once, and no other.")
    if own is not None and own not in set(table.index.astype(str)):
        raise StudyError(f'own: unit "{own}" is not among the units that are shown.')


def _draw_bar(axes: Any, at: int, role: str, bars: TypeBars) -> None:
    begin, half = 0.0, 0.4 if role == "unit" else 0.46
    for share, (shade, hatch, ink) in zip(bars.shares.iloc[at], PARTS, strict=False):
        if share <= 0:
            continue
        bar = axes.barh(
            at, share, left=begin, height=2 * half, color=shade, edgecolor="white", lw=0.8,
            hatch=hatch,
        )  # fmt: skip
        if share >= LEAST:
            box = {"facecolor": shade, "edgecolor": "none", "pad": 0.8} if hatch else None
            axes.text(
                begin + share / 2, at, wording.number(100 * share, decimals=0), ha="center",
                va="center_baseline", color=ink, fontsize=8, bbox=box,
            )  # fmt: skip
        if role != "unit":
            bar[0].set_linewidth(1.2)
        begin += share
    colour = {"own": OWN, "nation": INK}.get(role, INK)
    style = {
        "transform": axes.get_yaxis_transform(), "va": "center_baseline", "color": colour,
        "weight": "normal" if role == "unit" else "bold",
    }  # fmt: skip
    axes.text(-0.02, at, bars.names[at], ha="right", **style)
    axes.text(1.145, at, f"n {wording.count(bars.sizes[at])}", ha="right", **style)
    if role == "own":
        axes.plot(
            [0, 1, 1, 0, 0], [at - half, at - half, at + half, at + half, at - half], color=OWN,
            lw=1.6, clip_on=False, zorder=5,
        )  # fmt: skip


def _draw_key(axes: Any, bars: TypeBars) -> None:
    """Names of the kinds over the bars."""
    width = PLACE[1] * FIGURE_WIDTH
    for line, kinds in enumerate(bars.key):
        x, up = 0.0, -0.5 - (0.14 + KEY * (len(bars.key) - 1 - line)) / ROW
        for at in kinds:
            shade, hatch, _ink = PARTS[at]
            axes.barh(
                up, 0.16 / width, left=x, height=0.55, color=shade, hatch=hatch,
                edgecolor="white", lw=0, clip_on=False,
            )  # fmt: skip
            axes.text(
                x + 0.22 / width, up, bars.kinds[at], va="center_baseline", fontsize=8, color=SOFT
            )
            x += (0.42 + LETTER * len(bars.kinds[at])) / width
    axes.set_ylim(len(bars.names) - 0.5, -0.5)
