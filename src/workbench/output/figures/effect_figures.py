"""Figures of effects: the forest plot of a Cox model, and differences between groups."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from workbench.errors import DisclosureError
from workbench.language import retold, text
from workbench.output import wording
from workbench.output.disclosure import HIDDEN, Released
from workbench.output.tables import cox_texts

ROW = 0.215
LEFT, RIGHT = -1.44, 1.92  # of the forest plot's lines, in widths of its axis
INK, SOFT, BLUE = "#1a1a1a", "#555555", "#00548c"
NOTEWORTHY = 0.1  # Austin, Stat Med 2009;28:3083-107: a standardised difference worth a look
ROUND_RATIOS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)


def forest_height(cox: Released) -> float:
    """Inches the drawing needs."""
    return ROW * (len(_forest_rows(cox, {})) + 1) + 0.55


def draw_forest(cox: Released, figure: Any, labels: Mapping[str, str]) -> None:
    """Names, persons and events at the left, ratios in the middle, their numbers at the right."""
    rows = _forest_rows(cox, labels)
    height = forest_height(cox)
    axes = figure.add_axes((0.43, 0.5 / height, 0.29, 1 - 0.55 / height))
    axes.set_ylim(len(rows) - 0.5, -1.4)
    limits = _ratio_limits(cox.frame)
    axes.set_xscale("log")
    axes.set_xlim(*limits)
    ticks = [tick for tick in ROUND_RATIOS if limits[0] <= tick <= limits[1]]
    axes.set_xticks(ticks, [wording.number(float(tick)) for tick in ticks])
    axes.set_xticks([], minor=True)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(text("Hazard ratio (logarithmic scale)"))
    axes.plot([1, 1], [len(rows) - 0.5, -0.5], color=SOFT, lw=0.8, zorder=0)
    across = axes.get_yaxis_transform()
    # a long word for events moves the persons beside it
    persons = -0.1 - max(0.26, 0.041 * len(text("Events")))
    places = (
        (LEFT, "left"),
        (persons, "right"),
        (-0.1, "right"),
        (1.63, "right"),
        (RIGHT, "right"),
    )
    heading = ("Covariate", "Persons", "Events", "Ratio (95 % interval)", "p")
    for (x, align), words in zip(places, heading, strict=True):
        axes.text(x, -1, text(words), transform=across, ha=align, va="center", color=SOFT)
    axes.plot([LEFT, RIGHT], [-0.5, -0.5], transform=across, color=SOFT, lw=0.6, clip_on=False)
    for at, row in enumerate(rows):
        texts = (row["name"], row["n"], row["events"], row["ratio"], row["p"])
        for column, ((x, align), cell) in enumerate(zip(places, texts, strict=True)):
            inset = 0.05 if column == 0 and row["is_inside"] else 0
            weight = "bold" if row["is_heading"] else "normal"
            axes.text(
                x + inset, at, cell, transform=across, ha=align, va="center_baseline", weight=weight
            )
        _mark(axes, at, row)


def describe_forest(cox: Released, labels: Mapping[str, str]) -> str:
    """The same ratios as text."""
    parts, variable = [], ""
    for row in _forest_rows(cox, labels):
        if row["is_heading"]:
            variable = row["name"]
            continue
        name = f"{variable}, {row['name']}" if row["is_inside"] else row["name"]
        parts.append(f"{name}: {row['ratio']}")
    return f"{retold(cox.title)}. {text('Hazard ratios with 95 % intervals.')} {'; '.join(parts)}."


def differences_height(table_one: Released) -> float:
    """Inches the drawing needs."""
    return ROW * 1.15 * len(_differences(table_one, {})) + 0.62


def draw_differences(table_one: Released, figure: Any, labels: Mapping[str, str]) -> None:
    """One dot a variable, the largest difference at the top."""
    found = _differences(table_one, labels)
    height = differences_height(table_one)
    left = min(0.45, 0.05 + 0.0115 * max(len(name) for name in found.index))
    axes = figure.add_axes((left, 0.5 / height, 0.93 - left, 1 - 0.56 / height))
    at = np.arange(len(found))
    axes.hlines(at, 0, found.to_numpy(), color="#c9d3da", lw=1.2)
    axes.plot(found.to_numpy(), at, "o", color=BLUE, ms=5, clip_on=False)
    for place, value in zip(at, found.to_numpy(), strict=True):
        axes.annotate(
            wording.number(value, decimals=2), (value, place), (7, 0),
            textcoords="offset points", va="center",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
        )  # fmt: skip
    axes.axvline(NOTEWORTHY, color=SOFT, lw=0.8, ls=(0, (4, 2)), zorder=0)
    axes.set_xlim(0, max(0.25, float(found.max()) * 1.15))
    axes.set_ylim(len(found) - 0.4, -0.6)
    axes.set_yticks(at, found.index.tolist())
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(
        text(
            "Standardised difference between groups (dashed line: {limit})",
            limit=wording.number(NOTEWORTHY),
        )
    )


def describe_differences(table_one: Released, labels: Mapping[str, str]) -> str:
    """The same differences as text."""
    found = _differences(table_one, labels)
    told = "; ".join(f"{name} {wording.number(v, decimals=2)}" for name, v in found.items())
    words = text("Standardised differences between groups, largest first: {names}.", names=told)
    return f"{retold(table_one.title)}. {words}"


def _forest_rows(cox: Released, labels: Mapping[str, str]) -> list[dict[str, Any]]:
    """What stands on each line: a heading per variable with categories, then its levels."""
    rows: list[dict[str, Any]] = []
    decimals = min(cox.rules["decimals"], 2)
    variable = None
    for row in cox.texts().to_dict("records"):
        is_inside = row["level"] != ""
        name = wording.label(row["variable"], labels)
        if is_inside and row["variable"] != variable:
            blank = dict.fromkeys(["n", "events", "ratio", "p"], "")
            rows.append({**blank, "name": name, "is_heading": True, "is_inside": False})
        variable = row["variable"]
        ratio, limits = cox_texts(row, decimals=decimals)
        p = "" if row["is_reference"] else wording.p_value(row["p_value"])
        rows.append(
            {
                "name": row["level"] if is_inside else name,
                "n": wording.count(row["n"]),
                "events": wording.count(row["events"]),
                "ratio": f"{ratio} ({limits})" if limits not in {"", HIDDEN} else ratio,
                "p": p,
                "is_heading": False,
                "is_inside": is_inside,
                "numbers": [row[c] for c in ("hazard_ratio", "lower", "upper")],
                "is_reference": bool(row["is_reference"]),
            }
        )
    return rows


def _mark(axes: Any, at: int, row: Mapping[str, Any]) -> None:
    """A square with its interval; the reference is an open diamond; hidden draws nothing."""
    if row["is_heading"] or HIDDEN in row["numbers"]:
        return
    if row["is_reference"]:
        axes.plot(1, at, "D", ms=4.5, mfc="white", mec=INK, mew=0.9)
        return
    ratio, lower, upper = row["numbers"]
    axes.plot([lower, upper], [at, at], color=BLUE, lw=1.3, solid_capstyle="butt")
    axes.plot(ratio, at, "s", color=BLUE, ms=4.5)


def _ratio_limits(frame: pd.DataFrame) -> tuple[float, float]:
    """Round limits that hold every interval, within a factor of a hundred."""
    low = min(float(frame["lower"].min()), 0.8) if frame["lower"].notna().any() else 0.5
    high = max(float(frame["upper"].max()), 1.25) if frame["upper"].notna().any() else 2.0
    low, high = max(low, 0.01), min(high, 100)
    below = [tick for tick in ROUND_RATIOS if tick <= low * 1.001]
    above = [tick for tick in ROUND_RATIOS if tick >= high * 0.999]
    edges = below[-1] if below else 0.01, above[0] if above else 100
    pad = math.exp(0.04 * math.log(edges[1] / edges[0]))
    return edges[0] / pad, edges[1] * pad


def _differences(table_one: Released, labels: Mapping[str, str]) -> pd.Series:
    """Shown differences, largest first."""
    frame = table_one.frame.drop_duplicates("variable").set_index("variable")
    found = frame["standardised_difference"].dropna().sort_values(ascending=False, kind="stable")
    if found.empty:
        raise DisclosureError(
            "Table 1 shows no standardised differences: it has no groups, or they are hidden."
        )
    return found.rename(index=lambda name: wording.label(name, labels))
