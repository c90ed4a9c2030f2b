"""Figures drawn from released results, and from nothing else; the only door to matplotlib.

Each function takes what `release` gave and returns a `Released` of kind "figure" that holds the
picture as SVG and PNG, the numbers drawn and an alternative text made of the same numbers. The
same input gives the same bytes. Figures are 170 mm wide with type of 8 points or more; groups
differ by line style as well as colour, so that they survive a grey printer.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, ParamSpec

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from workbench.language import current, retold, speaking, text
from workbench.output import wording
from workbench.output.disclosure import Released, make_figure, require_released
from workbench.output.figures import (
    diagnostic_figure,
    effect_figures,
    flow_figure,
    panel_figure,
    quality_figure,
    survival_figure,
)

WIDTH = 170 / 25.4  # inches; the text width of an A4 page
DOTS_PER_INCH = 200
INK, SOFT = "#1a1a1a", "#555555"
Given = ParamSpec("Given")

STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so that every machine draws the same
    "font.size": 8.5,
    "axes.labelsize": 8.5,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": SOFT,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.direction": "out",
    "svg.fonttype": "path",
    "svg.hashsalt": "workbench",
    "path.simplify": False,
}


@dataclass(frozen=True)
class Caption:
    """What must stand under a figure wherever it is copied to: the numbers come by themselves.

    The figure is drawn in `language`, the one spoken when its caption was made.
    """

    period: str = ""
    coverage: str = ""
    method: str = ""
    language: str = field(default_factory=current, kw_only=True)

    def line(self, facts: Mapping[str, Any]) -> str:
        """Persons, events, period, coverage and method, as far as they are known."""
        parts = []
        words = (("n", "Persons"), ("n_persons", "Persons"), ("events", "Events"))
        for key, word in (*words, ("n_missing", "Not known")):
            if facts.get(key) is not None:
                parts.append(f"{text(word)}: {wording.count(facts[key])}")
        for word, told in (("Period", self.period), ("Coverage", self.coverage)):
            parts += [f"{text(word)}: {retold(told)}"] if told else []
        parts += [retold(self.method)] if self.method else []
        return "".join(f"{part.rstrip('.')}. " for part in parts).rstrip()


def in_its_language(draw: Callable[Given, Released]) -> Callable[Given, Released]:
    """Draw in the language of the caption that is given, else in the one that is spoken."""

    @wraps(draw)
    def speak(*args: Given.args, **kwargs: Given.kwargs) -> Released:
        caption = kwargs.get("caption")
        with speaking(caption.language if isinstance(caption, Caption) else current()):
            return draw(*args, **kwargs)

    return speak


@in_its_language
def draw_flow(ledger: Released, *, caption: Caption | None = None) -> Released:
    """Draw who was delivered, who was left out and why, down to the study population."""
    require_released(ledger, "ledger")
    height = flow_figure.height_of(ledger)
    alternative = flow_figure.describe(ledger)
    return seal_drawing(ledger, flow_figure.draw, height, alternative, caption)


@in_its_language
def draw_survival(
    curve: Released,
    *,
    unit: str,
    outcome: str = "Survival",
    logrank: Released | None = None,
    labels: Mapping[str, str] | None = None,
    caption: Caption | None = None,
) -> Released:
    """Draw released survival curves with intervals, and the numbers at risk under the axis.

    Parameters
    ----------
    curve
        A released `survival.kaplan_meier`. The numbers under the axis stand at the times of the
        `at_risk` it was released with, else at even ones.
    unit
        Unit of the time, such as "years".
    outcome
        What the vertical axis shows, such as "Relapse-free survival".
    logrank
        A released `survival.logrank`, to print beside the curves.
    labels
        Names for groups and variables, as readers know them.

    Raises
    ------
    DisclosureError
        What is given was not released.
    StudyError
        More groups than can be told apart.
    """
    require_released(curve, "survival_curve")
    if logrank is not None:
        require_released(logrank, "logrank")
    plan = survival_figure.plan(curve, unit=unit, outcome=outcome, logrank=logrank, labels=labels)
    sources = [curve] if logrank is None else [curve, logrank]

    def draw(_: Released, figure: Figure) -> None:
        survival_figure.draw(plan, figure)

    alternative = survival_figure.describe(plan, title=retold(curve.title))
    return seal_drawing(curve, draw, plan.height, alternative, caption, sources=sources)


@in_its_language
def draw_incidence(
    curve: Released,
    *,
    unit: str,
    horizon: float | None = None,
    labels: Mapping[str, str] | None = None,
    caption: Caption | None = None,
) -> Released:
    """Draw released cumulative incidences with intervals, one panel for each cause.

    `curve` is a released `competing.cumulative_incidence`; `horizon` where the time axis ends.
    Refuses what was not released (DisclosureError), and more groups or causes than can be told
    apart (StudyError).
    """
    require_released(curve, "incidence_curve")
    plan = panel_figure.plan_incidence(curve, unit=unit, horizon=horizon, labels=labels)
    return _drawn_panels(plan, curve, caption)


@in_its_language
def draw_net_survival(
    curve: Released,
    *,
    unit: str,
    labels: Mapping[str, str] | None = None,
    caption: Caption | None = None,
) -> Released:
    """Draw released net survival, beside observed and expected survival where these are given.

    `curve` is a released `relative.net_survival`. Refuses what was not released
    (DisclosureError), and more groups than can be told apart (StudyError).
    """
    require_released(curve, "net_survival")
    return _drawn_panels(panel_figure.plan_net(curve, unit=unit, labels=labels), curve, caption)


@in_its_language
def draw_log_log(
    curve: Released,
    *,
    unit: str,
    labels: Mapping[str, str] | None = None,
    caption: Caption | None = None,
) -> Released:
    """Draw released survival curves as log(-log S) against log time: are hazards proportional?

    Refuses what was not released (DisclosureError), and one group alone (StudyError).
    """
    require_released(curve, "survival_curve")
    lines = diagnostic_figure.plan(curve, labels or {})

    def draw(_: Released, figure: Figure) -> None:
        diagnostic_figure.draw(lines, figure, unit=unit)

    alternative = diagnostic_figure.describe(lines, title=retold(curve.title))
    return seal_drawing(curve, draw, diagnostic_figure.HEIGHT, alternative, caption)


def _drawn_panels(plan: panel_figure.Plan, curve: Released, caption: Caption | None) -> Released:
    def draw(_: Released, figure: Figure) -> None:
        panel_figure.draw(plan, figure)

    alternative = panel_figure.describe(plan, title=retold(curve.title))
    return seal_drawing(curve, draw, plan.height, alternative, caption)


@in_its_language
def draw_forest(
    model: Released, *, labels: Mapping[str, str] | None = None, caption: Caption | None = None
) -> Released:
    """Draw a released Cox or Fine-Gray model's ratios on a logarithmic axis, with their numbers."""
    require_released(model, "cox", "fine_gray")

    def draw(result: Released, figure: Figure) -> None:
        effect_figures.draw_forest(result, figure, labels or {})

    height = effect_figures.forest_height(model)
    alternative = effect_figures.describe_forest(model, labels or {})
    return seal_drawing(model, draw, height, alternative, caption)


@in_its_language
def draw_standardised_differences(
    table_one: Released,
    *,
    labels: Mapping[str, str] | None = None,
    caption: Caption | None = None,
) -> Released:
    """Draw how far the groups of a released Table 1 are apart, variable by variable."""
    require_released(table_one, "table_one")

    def draw(result: Released, figure: Figure) -> None:
        effect_figures.draw_differences(result, figure, labels or {})

    height = effect_figures.differences_height(table_one)
    alternative = effect_figures.describe_differences(table_one, labels or {})
    return seal_drawing(table_one, draw, height, alternative, caption)


@in_its_language
def draw_missing(
    quality: Released, *, labels: Mapping[str, str] | None = None, caption: Caption | None = None
) -> Released:
    """Draw what is missing in a table, by variable and year, and where that jumps."""
    require_released(quality, "quality")

    def draw(result: Released, figure: Figure) -> None:
        quality_figure.draw(result, figure, labels or {})

    height = quality_figure.height_of(quality)
    alternative = quality_figure.describe(quality, labels or {})
    return seal_drawing(quality, draw, height, alternative, caption)


def seal_drawing(
    source: Released,
    draw: Callable[[Released, Figure], None],
    height: float,
    alternative_text: str,
    caption: Caption | None,
    *,
    sources: list[Released] | None = None,
) -> Released:
    """The sealed figure: the drawing, and under it what must not be torn off."""
    line = (caption or Caption()).line(source.facts)
    foot = textwrap.wrap(line, 112)
    with mpl.rc_context({**mpl.rcParamsDefault, **STYLE, "backend": "agg"}):
        figure = Figure(figsize=(WIDTH, height + 0.16 * len(foot) + 0.1), facecolor="white")
        FigureCanvasAgg(figure)
        top = figure.subfigures(
            2, 1, height_ratios=[height, 0.16 * len(foot) + 0.1], hspace=0, squeeze=False
        )
        draw(source, top[0, 0])
        if foot:
            top[1, 0].text(0.012, 0.95, "\n".join(foot), va="top", fontsize=8, color=SOFT)
        files = {"svg": _saved(figure, "svg"), "png": _saved(figure, "png")}
    return make_figure(
        *(sources or [source]),
        title=source.title,
        files=files,
        alternative_text=alternative_text,
    )


def _saved(figure: Figure, ending: str) -> bytes:
    """The picture's bytes without date, software or anything else that differs between runs."""
    metadata = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}[ending]
    buffer = io.BytesIO()
    figure.savefig(buffer, format=ending, dpi=DOTS_PER_INCH, metadata=metadata)
    return buffer.getvalue()
