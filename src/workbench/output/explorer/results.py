"""What the page shows of a state: each part passes the gate, or says why it is not shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html import escape
from typing import Any

from workbench.analysis import competing, survival
from workbench.analysis.cohort.covariates import variable_words
from workbench.analysis.cohort.follow_up import causes_of
from workbench.analysis.count_table import count_marked
from workbench.errors import WorkbenchError
from workbench.language import inside, speaking
from workbench.output.disclosure import Released, release, release_reading
from workbench.output.explorer.pictures import draw_curve, draw_flow, draw_incidence, draw_units
from workbench.output.explorer.queries import Chosen
from workbench.output.figures import panel_figure, survival_figure
from workbench.output.tables import to_html
from workbench.registers.profiles import ReleaseProfile

CURVE, FLOW, TABLE, UNITS = "curve", "flow", "table", "units"
PARTS = (CURVE, FLOW, TABLE, UNITS)
FLOW_TITLE = "From the extract to the study population"


@dataclass(frozen=True)
class Part:
    """One part of the page: its HTML, the released result behind it, or why there is none."""

    name: str
    html: str
    released: Released | None = None
    released_more: tuple[Released, ...] = ()
    refusal: str = ""


@dataclass(frozen=True)
class Results:
    """The parts of a state that are worked out so far."""

    parts: dict[str, Part] = field(default_factory=dict)
    n_rows: int | None = None

    def __getitem__(self, name: str) -> Part:
        """A part by its name: curve, flow, table or units."""
        return self.parts[name]


def parts_of(
    chosen: Chosen, profile: ReleaseProfile, still_wanted: Callable[[], None]
) -> Iterator[Part]:
    """The parts of a state, the curve first, each as soon as it is ready."""
    with speaking(chosen.study.language):
        if chosen.n_left == 0:
            yield from (_not_shown(name, _nobody(chosen)) for name in PARTS)
            return
        makers = {CURVE: _curve, FLOW: _flow, TABLE: _table, UNITS: _units}
        for name, make in makers.items():
            still_wanted()
            try:
                part = make(chosen, profile)
            except WorkbenchError as reason:
                part = _not_shown(name, str(reason))
            yield part


def labels_of(chosen: Chosen) -> dict[str, str]:
    """The study's words for its variables, as a run's report has them."""
    table = chosen.facts.sources.table(chosen.study.main_table)
    words = {}
    for name, one in chosen.study.variables.items():
        own = name if one.link else variable_words(chosen.study.source_of(name), table)
        words[name] = one.label or own
    return words


def message(words: str, *, is_alert: bool = False) -> str:
    """A sentence in place of a result, read out by a screen reader."""
    role = "alert" if is_alert else "status"
    return f'<p role="{role}" class="explorer-message">{escape(words)}</p>'


def _not_shown(name: str, why: str) -> Part:
    return Part(name, message(why), refusal=why)


def _curve(chosen: Chosen, profile: ReleaseProfile) -> Part:
    """Survival where one thing ends follow-up, incidence where several compete."""
    study = chosen.study
    if study.follow_up is None:
        return _not_shown(CURVE, "No outcome is chosen, so that nobody is followed.")
    group = [study.group] if study.group else []
    persons = chosen.counted_out([*group, "follow_up", "has_event", "cause"])
    unit, labels = study.follow_up.unit, labels_of(chosen)
    longest = float(persons["follow_up"].max()) if len(persons) else 0.0
    horizon = min(_horizon(study.parameters.get("horizon")) or longest, longest) or longest
    if (persons["cause"] > 1).any():
        found = competing.cumulative_incidence(
            persons, duration="follow_up", event="cause", by=study.group
        )
        names = [one.replace("_", " ") for one in causes_of(study)[1:]]
        words = dict(enumerate([study.follow_up.outcome, *names], start=1))
        named = found["cause"].map(words).astype("category")
        seen = [words[one] for one in sorted(found["cause"].unique())]
        told = release(
            found.assign(cause=named.cat.set_categories(seen)), profile, title=study.title
        )
        panels = panel_figure.plan_incidence(told, unit=unit, horizon=horizon, labels=labels)
        return Part(CURVE, _figure(draw_incidence(panels, title=study.title), told), told)
    columns: dict[str, Any] = {"duration": "follow_up", "event": "has_event", "by": study.group}
    ticks = [one for one in survival_figure.even_ticks(horizon) if one <= horizon]
    at_risk = survival.number_at_risk(persons, times=ticks, **columns)
    curve = survival.kaplan_meier(persons, **columns)
    told = release(curve, profile, title=study.title, at_risk=at_risk)
    is_death = study.follow_up.outcome.startswith("death")
    outcome = "Survival" if is_death else f"Free of {study.follow_up.outcome}"
    plan = survival_figure.plan(told, unit=unit, outcome=outcome, logrank=None, labels=labels)
    return Part(CURVE, _figure(draw_curve(plan, title=study.title), told), told)


def _horizon(given: object) -> float | None:
    try:
        return float(str(given)) if given is not None else None
    except ValueError:
        return None


def _flow(chosen: Chosen, profile: ReleaseProfile) -> Part:
    """Who left at which step and what they were like."""
    told = release(chosen.ledger(), profile, title=FLOW_TITLE)
    leavers = told.parts["leavers"]
    labels = labels_of(chosen)
    tables = _details("The steps in numbers", to_html(told, labels=labels))
    tables += _details("Who they were that left", to_html(leavers, labels=labels))
    return Part(FLOW, _figure(draw_flow(told), told) + tables, told, (leavers,))


def _table(chosen: Chosen, profile: ReleaseProfile) -> Part:
    labels = labels_of(chosen)
    group = labels.get(chosen.study.group or "", "study population")
    title = f"Characteristics by {inside(group)}"
    told = release(chosen.table_one(), profile, title=title)
    return Part(TABLE, f'<div class="explorer-table">{to_html(told, labels=labels)}</div>', told)


def _units(chosen: Chosen, profile: ReleaseProfile) -> Part:
    study = chosen.study
    if study.units is None:
        return _not_shown(UNITS, "No unit is chosen.")
    if not chosen.facts.indicators:
        return _not_shown(UNITS, "No indicator of this table is chosen.")
    name = chosen.facts.indicators[0]
    one = chosen.known.indicators[name].definition.told_in(study.language)
    limits = {what: str(limit) for what, limit in one.limit_values.items()}
    counts = count_marked(chosen.marked(name), by=[study.units.by])
    released = release(counts, profile, title=one.label)
    shares = release_reading(
        released, "shares", title=one.label, direction=one.direction,
        minimum=one.minimum_denominator or 0, **limits,
    )  # fmt: skip
    picture = draw_units(shares, unit=study.units.by, title=one.label)
    numbers = _details("The units in numbers", to_html(shares, labels=labels_of(chosen)))
    return Part(UNITS, _figure(picture, shares) + numbers, shares, (released,))


def _figure(svg: str, released: Released) -> str:
    notes = " ".join(released.notes)
    under = f"<figcaption>{escape(notes)}</figcaption>" if notes else ""
    return f'<figure class="explorer-figure">{svg}{under}</figure>'


def _details(title: str, inside: str) -> str:
    return (
        f"<details><summary>{escape(title)}</summary>"
        f'<div class="explorer-table">{inside}</div></details>'
    )


def _nobody(chosen: Chosen) -> str:
    """Where the last one left, without saying how many they were."""
    steps = chosen.ledger().steps
    emptied = steps[(steps["n_rows_in"] > 0) & (steps["n_rows_in"] == steps["n_rows_out"])]
    at = f' The last ones leave at "{emptied["reason"].iloc[0]}".' if len(emptied) else ""
    return f"Nobody is left with these choices.{at} Widen a choice, or undo the last one."
