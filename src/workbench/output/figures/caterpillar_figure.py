"""Units one under another, sorted, the nation in its place among them, values at the right.

Ranges of a target's levels lie as tints behind the values, with their words on top. Units with too
few patients stand grey at the foot with the reason; no unit has a rank.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from workbench.errors import StudyError
from workbench.language import text
from workbench.output import wording
from workbench.output.figures.unit_marks import (
    COMMON,
    INK,
    LETTER,
    LEVELS,
    LINE,
    OWN,
    SOFT,
    TINTS,
    Nation,
    counted,
    draw_level,
    hidden_words,
    name_of,
    percent,
    sentences,
    share_ticks,
    spread,
)

ROW, TIGHT, TOP, FOOT = 0.2, 0.165, 0.34, 0.5  # inches
LONGEST = 26  # letters of a name, with its group
MANY, MOST_UNITS = 36, 56  # rows stand closer from so many, and no page holds more
PLACE = (0.315, 0.43)  # of the figure's width: left edge and width of the plot


@dataclass(frozen=True)
class Caterpillar:
    """Everything the drawing needs; `rows` from top to bottom, the nation among them."""

    rows: pd.DataFrame  # name, kind, estimate, lower, upper, raw, value, reason
    nation: Nation
    bands: tuple[tuple[float, float, str], ...]
    span: tuple[float, float]
    value_words: str
    raw_words: str
    hidden: str

    @property
    def row(self) -> float:
        """Inches of a row."""
        return TIGHT if len(self.rows) > MANY else ROW

    @property
    def height(self) -> float:
        """Inches of the drawing."""
        return TOP + self.row * len(self.rows) + FOOT


def plan(
    units: pd.DataFrame,
    *,
    unit: str,
    nation: Nation,
    own: str | None = None,
    green: float | None = None,
    yellow: float | None = None,
    direction: str = "high",
    minimum: int = 0,
    sort: str = "value",
    raw: str | None = None,
    n_hidden: int = 0,
    hidden_because: str = "",
    value_words: str = "",
    labels: Mapping[str, str] | None = None,
) -> Caterpillar:
    """Lay out sorted units.

    Parameters
    ----------
    units
        One row a shown unit: `unit`, `n`, `estimate`, `lower`, `upper`, and `raw` if asked for.
    green, yellow
        Limits of the high and of the moderate level; without `yellow` there are two levels.
    minimum
        Units with fewer patients stand grey at the foot.
    sort
        "value" (the wanted side on top), "name", or the column to group by.
    raw
        A column drawn as a second mark: the value before it was shrunken.

    Raises
    ------
    StudyError
        No unit, more than a page holds, or an own unit that is not there.
    """
    if units.empty or len(units) > MOST_UNITS:
        raise StudyError(
            f"The figure lists 1 to {MOST_UNITS} units, not {len(units)}. Draw one for each region."
        )
    if own is not None and own not in set(units[unit].astype(str)):
        raise StudyError(f'own: unit "{own}" is not among the units that are shown.')
    rows = _rows(units, unit, own, minimum, raw, labels)
    if sort not in {"value", "name"}:
        rows["name"] = [
            f"{name_of(one, None, longest=LONGEST - 3 - len(str(group)))} ({group})"
            for one, group in zip(rows["name"], rows[sort], strict=True)
        ]
    is_few = rows["kind"] == "few"
    shown = pd.concat([rows[~is_few], _nation_row(nation)], ignore_index=True)
    whole = pd.concat(
        [_sorted(shown, sort, direction), rows[is_few].sort_values("name")], ignore_index=True
    )
    span = _span(whole, [one for one in (green, yellow) if one is not None])
    return Caterpillar(
        whole, nation, _bands(green, yellow, direction, span), span,
        value_words or text("{what}, with 95 % interval", what=text("Share with the event")),
        text("before shrinking") if raw else "", hidden_words(n_hidden, hidden_because),
    )  # fmt: skip


def draw(caterpillar: Caterpillar, figure: Any) -> None:
    """Draw names at the left, values in the middle, the numbers at the right."""
    height, n_rows = caterpillar.height, len(caterpillar.rows)
    tall = caterpillar.row * n_rows / height
    axes = figure.add_axes((PLACE[0], FOOT / height, PLACE[1], tall))
    axes.set_ylim(n_rows - 0.5, -0.5)
    axes.set_xlim(*caterpillar.span)
    axes.set_xticks(*share_ticks(caterpillar.span[0], min(caterpillar.span[1], 1.0)))
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(caterpillar.value_words)
    _draw_bands(axes, caterpillar)
    axes.plot([caterpillar.nation.estimate] * 2, [-0.5, n_rows - 0.5], color=INK, lw=0.9, zorder=1)
    for at, row in enumerate(caterpillar.rows.to_dict("records")):
        _draw_row(axes, at, row)


def describe(caterpillar: Caterpillar, *, title: str) -> str:
    """The figure in words, from the numbers drawn."""
    rows = caterpillar.rows
    told = rows[rows["kind"].isin(["unit", "own"])]
    few = int((rows["kind"] == "few").sum())
    sorted_units = text("{units} sorted, with 95 % intervals", units=counted(len(told), "unit"))
    parts = [f"{title}. {sorted_units}", caterpillar.nation.words]
    if len(told):
        best, worst = told.iloc[0], told.iloc[-1]
        parts.append(text(
            "First stands {first} with {high}, last {last} with {low}", first=best["name"],
            high=best["value"], last=worst["name"], low=worst["value"],
        ))  # fmt: skip
        clear = told[(told["lower"] > caterpillar.nation.estimate)
                     | (told["upper"] < caterpillar.nation.estimate)]  # fmt: skip
        words = "The intervals of {units} do not reach the national value"
        parts.append(text(words, units=counted(len(clear), "unit")))
    for own in rows[rows["kind"] == "own"].to_dict("records"):
        limits = wording.interval(percent(own["lower"]), percent(own["upper"]))
        words = "{name} has {value} (interval {limits})"
        parts.append(text(words, name=own["name"], value=own["value"], limits=limits))
    if few:
        words = "{units} with too few patients named without value"
        parts.append(text(words, units=counted(few, "unit")))
    return sentences([*parts, caterpillar.hidden])


def notes(caterpillar: Caterpillar) -> list[str]:
    """What stands under the figure beside period and method."""
    hollow = caterpillar.raw_words
    raw = text("Hollow marks: {words}", words=hollow) if hollow else ""
    return [one for one in (raw, caterpillar.hidden) if one]


def _rows(
    units: pd.DataFrame, unit: str, own: str | None, minimum: int, raw: str | None,
    labels: Mapping[str, str] | None,
) -> pd.DataFrame:  # fmt: skip
    few = units["n"] < max(minimum, 1)
    is_own = units[unit].astype(str) == own
    found = units.reset_index(drop=True).drop(columns=["name", "kind"], errors="ignore")
    told = [_value_of(e, n) for e, n in zip(units["estimate"], units["n"], strict=True)]
    return found.assign(
        name=[name_of(one, labels, longest=LONGEST) for one in units[unit]],
        kind=np.select([few, is_own], ["few", "own"], "unit"),
        raw=found[raw].astype(float) if raw else np.nan,
        value=told,
        of=[_of(n) for n in units["n"]],
        reason=text("fewer than {n} patients", n=max(minimum, 1)),
    )


def _nation_row(nation: Nation) -> pd.DataFrame:
    row = {"name": nation.name, "kind": "nation", "estimate": nation.estimate}
    row |= {"lower": nation.lower, "upper": nation.upper, "raw": np.nan}
    told = {"value": _value_of(nation.estimate, nation.n), "of": _of(nation.n), "reason": ""}
    return pd.DataFrame([{**row, **told}])


def _value_of(estimate: Any, n: Any) -> str:
    """A share and of how many: "61 % of 2 314"."""
    if n is None:
        return percent(estimate)
    return text("{share} of {n}", share=percent(estimate), n=wording.count(n))


def _of(n: Any) -> str:
    return "" if n is None else text("of {n}", n=wording.count(n))


def _sorted(rows: pd.DataFrame, sort: str, direction: str) -> pd.DataFrame:
    if sort == "name":
        return rows.sort_values("name", ignore_index=True)
    wanted_low = direction == "low"
    if sort != "value":  # by group, the nation first, values sorted inside
        groups = rows[sort].astype(object).where(rows["kind"] != "nation", "")
        rows = rows.assign(_group=groups.astype(str))
        rows = rows.sort_values(["_group", "estimate"], ascending=[True, wanted_low])
        return rows.drop(columns="_group").reset_index(drop=True)
    return rows.sort_values("estimate", ascending=wanted_low, ignore_index=True)


def _span(rows: pd.DataFrame, limits: list[float]) -> tuple[float, float]:
    shown = rows[rows["kind"] != "few"]
    ends = shown[["estimate", "lower", "upper", "raw"]].to_numpy(float).ravel()
    low = float(np.nanmin([*ends, *limits]))
    high = float(np.nanmax([*ends, *limits]))
    bottom = 0.0 if low < 0.4 else np.floor(10 * (low - 0.02)) / 10
    step = 0.1 if high > 0.25 else 0.05 if high > 0.08 else 0.01
    return float(bottom), float(min(1.0, np.ceil(high / step + 1e-9) * step))


def _bands(
    green: float | None, yellow: float | None, direction: str, span: tuple[float, float]
) -> tuple[tuple[float, float, str], ...]:
    if green is None:
        return ()
    yellow = green if yellow is None else yellow
    if direction == "high":
        bands = [(green, span[1], "high"), (yellow, green, "moderate"), (span[0], yellow, "low")]
    else:
        bands = [(span[0], green, "high"), (green, yellow, "moderate"), (yellow, span[1], "low")]
    return tuple(band for band in bands if band[1] > band[0])


def _draw_bands(axes: Any, caterpillar: Caterpillar) -> None:
    bottom = len(caterpillar.rows) - 0.5
    for low, high, level in caterpillar.bands:
        if level in TINTS:
            axes.fill_betweenx([-0.5, bottom], low, high, color=TINTS[level], lw=0, zorder=0)
    # their words over them, moved apart where a range is narrower than its word
    inch = (caterpillar.span[1] - caterpillar.span[0]) / (PLACE[1] * 170 / 25.4)
    middles = [(low + high) / 2 / inch for low, high, _level in caterpillar.bands]
    widths = [0.34 + LETTER * len(text(level)) for *_, level in caterpillar.bands]
    up = -0.5 - 0.12 / caterpillar.row
    for (*_, level), middle, width in zip(
        caterpillar.bands, spread(middles, widths), widths, strict=True
    ):
        left = (middle - width / 2 + 0.1) * inch
        draw_level(axes, left, up, level, size=5.5)
        style = {"va": "center_baseline", "fontsize": 8, "color": LEVELS[level][1]}
        axes.text(left + 0.09 * inch, up, text(level), **style)


def _draw_row(axes: Any, at: int, row: Mapping[str, Any]) -> None:
    kind, across = row["kind"], axes.get_yaxis_transform()
    colour = {"own": OWN, "nation": INK, "few": COMMON}.get(kind, SOFT)
    weight = "bold" if kind in {"own", "nation"} else "normal"
    ink = INK if kind == "unit" else colour
    style = {"transform": across, "va": "center_baseline", "weight": weight, "color": ink}
    axes.text(-0.03, at, row["name"], ha="right", **style)
    if kind == "few":
        axes.text(1.03, at, row["reason"], ha="left", **style)
        return
    axes.text(1.17, at, percent(row["estimate"]), ha="right", **style)
    axes.text(1.42, at, row["of"], ha="right", **style)
    axes.plot([axes.get_xlim()[0], axes.get_xlim()[1]], [at, at], color=LINE, lw=0.5, zorder=0.5)
    if not np.isnan(row["lower"]):
        width = 2.0 if weight == "bold" else 1.3
        axes.plot([row["lower"], row["upper"]], [at, at], color=colour, lw=width, zorder=2)
    mark = {"own": ("o", 8.0), "nation": ("D", 6.5)}.get(kind, ("o", 5.0))
    if not np.isnan(row["raw"]):
        axes.plot([row["raw"]], [at], "o", ms=4.6, mfc="white", mec=colour, mew=1.0, zorder=3)
    axes.plot(
        [row["estimate"]], [at], mark[0], ms=mark[1], color=colour, mec="white", mew=0.6,
        clip_on=False, zorder=4,
    )  # fmt: skip
