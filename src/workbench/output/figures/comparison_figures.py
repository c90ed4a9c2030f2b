"""Figures that set units beside the nation, drawn from released results and from nothing else.

Each gives a `Released` of kind "figure", as those of `figures` do. Under each stand period,
persons, coverage, what is missing and the method, and how many units are not shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd

from workbench.analysis import indicators
from workbench.errors import DisclosureError
from workbench.language import number, retold, text
from workbench.output.disclosure import Released, require_released
from workbench.output.figures import (
    caterpillar_figure,
    chart_figure,
    funnel_figure,
    indicator_table_figure,
    lag_figure,
    score_figure,
    type_bars_figure,
)
from workbench.output.figures.drawing import Caption, in_its_language, seal_drawing
from workbench.output.figures.unit_marks import Nation, name_of, sentences

METHOD = "Mid-p limits, not adjusted for case mix"
RATIO_METHOD = "Mid-p limits; expected numbers from a model of the nation's patients"


@dataclass(frozen=True)
class UnitCaption(Caption):
    """A caption that also tells the share missing, and what the drawing adds."""

    missing: str = ""
    further: tuple[str, ...] = ()

    def line(self, facts: Mapping[str, Any]) -> str:
        """Persons, events, period, coverage, method; then what is missing and not shown."""
        told = super().line(facts)
        missing = f"{text('Missing')}: {retold(self.missing)}" if self.missing else ""
        return f"{told} {sentences([missing, *self.further])}".strip()


@in_its_language
def draw_funnel(
    funnel: Released, *, words: str, own: str | None = None, direction: str | None = None,
    target: float | None = None, is_adjusted: bool | None = None,
    labels: Mapping[str, str] | None = None, caption: Caption | None = None,
) -> Released:  # fmt: skip
    """Draw units by size around the nation, with the limits of chance.

    Parameters
    ----------
    funnel
        A released reading "funnel" (shares) or "ratios" (observed over expected).
    words
        What is counted: "Fistula or graft at start".
    own
        The unit to point out; a line under the figure where it is not shown.
    direction
        Which side is wanted: "high", "low", or neither; decides colours outside the limits.
    target
        A line of its own beside the nation's.
    is_adjusted
        Draw and flag by the limits that allow for differences beside chance, and the others in
        grey; if not said, where they were released (ten units or more).

    Raises
    ------
    DisclosureError, StudyError
        What was not released; no unit to draw; no adjusted limits.
    """
    require_released(funnel, "funnel", "ratios")
    facts, is_ratio, words = funnel.facts, "expected" in funnel.frame, retold(words)
    is_wide = "adjusted_flag" in funnel.frame
    is_adjusted = is_wide if is_adjusted is None else is_adjusted
    if is_adjusted and not is_wide:
        raise DisclosureError("The funnel was released without adjusted limits (ten units needed).")
    nation = Nation(float(facts["centre"]), facts.get("events"), facts.get("n"))
    plan = funnel_figure.plan(
        funnel.frame, funnel.parts["curve"].frame, unit=facts["by"][0],
        nation=Nation(1.0) if is_ratio else nation, size="expected" if is_ratio else "n",
        own=_shown_own(funnel, own),
        direction=_side(direction), target=target, is_adjusted=is_adjusted, labels=labels,
        size_words=text("Events expected") if is_ratio else text("Patients"),
        value_words=text("{what}, observed over expected", what=words) if is_ratio else words,
        **_hidden(funnel),
    )  # fmt: skip
    further = [
        *funnel_figure.notes(plan),
        *_own_note(funnel, own, labels),
        *_between(facts, is_adjusted=is_adjusted),
    ]
    method = RATIO_METHOD if is_ratio else METHOD
    return _sealed(funnel_figure, plan, [funnel], caption, further, method)


@in_its_language
def draw_caterpillar(
    shares: Released, *, words: str, own: str | None = None, minimum: int = 0,
    sort: str = "value", labels: Mapping[str, str] | None = None, caption: Caption | None = None,
) -> Released:  # fmt: skip
    """Draw units sorted by their share with intervals, the nation in its place, the target tinted.

    `shares` is a released reading "shares" of one key; units with fewer patients than `minimum`
    stand grey at the foot. Errors as `draw_funnel`.
    """
    require_released(shares, "shares")
    facts = shares.facts
    plan = caterpillar_figure.plan(
        shares.frame.dropna(subset=["estimate"]), unit=facts["by"][0], nation=_nation(facts),
        own=_shown_own(shares, own),
        green=_limit(facts.get("green")), yellow=_limit(facts.get("yellow")), minimum=minimum,
        direction=facts.get("direction") or "high", sort=sort, labels=labels,
        value_words=text("{what}, with 95 % interval", what=retold(words)), **_hidden(shares),
    )  # fmt: skip
    further = [*caterpillar_figure.notes(plan), *_own_note(shares, own, labels)]
    return _sealed(caterpillar_figure, plan, [shares], caption, further, "Wilson intervals")


@in_its_language
def draw_type_bars(
    parts: Released, *, own: str | None = None, order: tuple[str, ...] | None = None,
    nation: Mapping[str, int] | None = None, labels: Mapping[str, str] | None = None,
    caption: Caption | None = None,
) -> Released:  # fmt: skip
    """Draw what kinds (of access, of care) each unit's patients have, the nation in its place.

    `parts` is a released reading "composition". Without `nation` its bar is that of all units
    shown, and says so. Errors as `draw_funnel`.
    """
    require_released(parts, "composition")
    unit, kind = parts.facts["by"]
    plan = type_bars_figure.plan(
        parts.frame,
        unit=unit,
        kind=kind,
        own=_shown_own(parts, own),
        order=order,
        nation=nation,
        labels=labels,
    )
    further = [
        *type_bars_figure.notes(plan),
        *_own_note(parts, own, labels),
        *map(retold, parts.notes),
    ]
    return _sealed(type_bars_figure, plan, [parts], caption, further, "")


@in_its_language
def draw_charts(
    chart: Released, *, words: str, own: str | None = None, target: float | None = None,
    assurance: Mapping[str, str] | None = None, reasons: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None, caption: Caption | None = None,
) -> Released:  # fmt: skip
    """Draw control charts of units side by side on one scale, the latest signal first.

    `chart` is a released chart by unit and period; `reasons` why limits begin anew, by period.
    Errors as `draw_funnel`.
    """
    require_released(chart, "charts")
    *units, period = chart.facts["by"]
    unit = units[0] if units else None
    plan = chart_figure.plan(
        chart.frame, unit=unit, period=period, own=_shown_own(chart, own), target=target,
        assurance=assurance, reasons=reasons, value_words=retold(words), labels=labels,
        **_hidden(chart),
    )  # fmt: skip
    further = [*chart_figure.notes(plan), *_own_note(chart, own, labels)]
    return _sealed(chart_figure, plan, [chart], caption, further, "")


@in_its_language
def draw_indicators(
    shares: Mapping[str, Released], *, units: tuple[str, ...], own: str | None = None,
    targets: Mapping[str, str] | None = None, labels: Mapping[str, str] | None = None,
    caption: Caption | None = None,
) -> Released:  # fmt: skip
    """Draw a table of indicators for some units beside the nation, with levels in shape and word.

    Parameters
    ----------
    shares
        By indicator, a released reading "shares" made with the indicator's limits.
    units
        The units to show; one that an indicator does not show gets a dash and the reason.
    """
    for one in shares.values():
        require_released(one, "shares")
    cells = pd.concat([_cells(name, one, units) for name, one in shares.items()])
    directions = {name: str(one.facts.get("direction") or "") for name, one in shares.items()}
    plan = indicator_table_figure.plan(
        cells, nation=text("Nation"), own=own, directions=directions, targets=targets, labels=labels
    )
    sources = list(shares.values())
    return _sealed(indicator_table_figure, plan, sources, caption, [], "", has_counts=False)


@in_its_language
def draw_arrivals(
    arrived: Released, *, own: str | None = None, labels: Mapping[str, str] | None = None,
    caption: Caption | None = None,
) -> Released:  # fmt: skip
    """Draw how long reports take: the share arrived by each day, a curve a region.

    `arrived` is a released `coverage.arrival_curve` by region. Errors as `draw_funnel`.
    """
    require_released(arrived, "arrivals")
    plan = lag_figure.plan(arrived.frame, by=arrived.facts["by"][0], own=_shown_own(arrived, own),
                           labels={"Nation": text("Nation"), **(labels or {})})  # fmt: skip
    method = "Recent cases whose report is still to come are allowed for"
    further = [*lag_figure.notes(plan), *_own_note(arrived, own, labels)]
    return _sealed(lag_figure, plan, [arrived], caption, further, method)


@in_its_language
def draw_scores(
    units: Released, nation: Released, *, answers: Released | None = None, own: str | None = None,
    caption: Caption | None = None,
) -> Released:  # fmt: skip
    """Draw mean scores of a questionnaire by unit, with the nation on top.

    `units` and `nation` are released scores, by unit and of all; `answers` the released reading
    "shares" of who answered: a unit with a low share is hollow and grey.
    """
    for scores in (units, nation):
        require_released(scores, "prom")
    if answers is not None:
        require_released(answers, "shares")
    plan = score_figure.plan(units, nation, answers=answers, own=own)
    sources = [units, nation] if answers is None else [units, nation, answers]
    further = score_figure.notes(plan)
    return _sealed(score_figure, plan, sources, caption, further, "Student's intervals")


def _sealed(
    drawing: Any, plan: Any, sources: list[Released], caption: Caption | None,
    further: list[str], method: str, *, has_counts: bool = True,
) -> Released:  # fmt: skip
    """Seal a drawing; its own notes join the caption that was given."""
    first = sources[0]
    given = caption or UnitCaption(method=method)
    kept = {one.name: getattr(given, one.name) for one in fields(given)}
    kept["further"] = (*kept.get("further", ()), *further)
    footer = UnitCaption(**kept) if has_counts else _WithoutCounts(**kept)
    return seal_drawing(
        first, lambda _source, figure: drawing.draw(plan, figure), plan.height,
        drawing.describe(plan, title=retold(first.title)), footer, sources=sources,
    )  # fmt: skip


@dataclass(frozen=True)
class _WithoutCounts(UnitCaption):
    """Under several indicators no single number of persons is right."""

    def line(self, facts: Mapping[str, Any]) -> str:
        return super().line({})


def _hidden(source: Released) -> dict[str, Any]:
    threshold = source.rules["threshold"]
    because = text("fewer than {n} patients, or such could be worked out", n=threshold)
    return {"n_hidden": int(source.facts.get("n_hidden") or 0), "hidden_because": because}


def _shown_own(source: Released, own: str | None) -> str | None:
    """The own unit where it is shown; of a hidden one the figure tells that it is not."""
    return own if own in set(source.frame[source.facts["by"][0]].astype(str)) else None


def _own_note(source: Released, own: str | None, labels: Mapping[str, str] | None) -> list[str]:
    if own is None or _shown_own(source, own) is not None:
        return []
    return [text("{unit} is not shown, or has no patients here", unit=name_of(own, labels))]


def _nation(facts: Mapping[str, Any]) -> Nation:
    values = [float(facts[f"nation_{name}"]) for name in ("estimate", "lower", "upper")]
    return Nation(values[0], facts.get("events"), facts.get("n"), values[1], values[2])


def _side(direction: str | None) -> str | None:
    return direction if direction in {"high", "low"} else None


def _limit(told: Any) -> float | None:
    return None if told is None else float(told)


def _between(facts: Mapping[str, Any], *, is_adjusted: bool) -> list[str]:
    """One sentence on variation beside chance, where it was measured."""
    phi, tau2 = facts.get("phi"), facts.get("tau2")
    if not is_adjusted or phi is None or not tau2:
        return []
    return [text("Limits widened for differences beside chance (phi {phi}, tau {tau})",
                 phi=number(phi, 2), tau=number(tau2**0.5, 3))]  # fmt: skip


def _cells(name: str, shares: Released, units: tuple[str, ...]) -> pd.DataFrame:
    """One indicator's cells of the units asked for, and the nation's."""
    frame = shares.frame.rename(columns={shares.facts["by"][0]: "unit"})
    frame["unit"] = frame["unit"].astype(str)
    shown = frame.set_index("unit").reindex(list(units)).reset_index()
    shown["reason"] = text("not shown")
    if "level_words" in shown:
        few = shown["level"].isna() & shown["level_words"].notna()
        shown.loc[few, "reason"] = shown.loc[few, "level_words"].map(retold)  # "fewer than ..."
        shown.loc[few, "estimate"] = np.nan
        settled = ~shown["level_words"].astype(str).str.startswith("not decided")
        shown["level_decided"] = settled
    facts = shares.facts
    nation = {"unit": text("Nation"), "estimate": facts["nation_estimate"], "n": facts["n"]}
    nation |= {"level": _level(facts), "level_decided": True}
    columns = ["unit", "estimate", "n", "level", "level_decided", "reason"]
    both = pd.concat(
        [shown.reindex(columns=columns).astype(object), pd.DataFrame([nation]).astype(object)],
        ignore_index=True,
    )
    return both.assign(indicator=name)


def _level(facts: Mapping[str, Any]) -> str | None:
    """The nation's level, by its own counts."""
    if facts.get("green") is None:
        return None
    found = indicators.level(
        [facts["events"]], [facts["n"]], green=facts["green"], yellow=facts.get("yellow"),
        direction=facts.get("direction") or "high",
    )  # fmt: skip
    return str(found["level"].iloc[0])
