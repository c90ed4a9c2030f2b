"""What a session does for a dialogue pack: one chapter an indicator, in the order of a meeting."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from workbench.analysis.count_table import CountTable
from workbench.errors import DisclosureError, StudyError
from workbench.output.disclosure import Released, release_overview, release_reading
from workbench.output.figures import (
    Caption,
    draw_caterpillar,
    draw_funnel,
    draw_levels,
    draw_trends,
    draw_type_bars,
)
from workbench.output.pack import Evidence, findings, questions
from workbench.registers.indicators import IndicatorDefinition
from workbench.runner.sessions.source_parts import SourceParts
from workbench.runner.sessions.unit_parts import UnitParts

FEWEST = 2  # units to compare
UNKNOWN = "Nothing is known of how complete the register is by unit."


class PackParts(UnitParts, SourceParts):
    """The part of a session that makes dialogue packs."""

    refusals: dict[str, str]
    caption: Callable[[str], Caption]
    model_words: Callable[[], str]

    def publish_practice(self, *, points: Sequence[str] = ()) -> None:
        """Put all indicators by unit into the report: levels as marks and words, and a box."""
        title = "All indicators by unit"
        overview = self.overview(title=title)
        figure = draw_levels(overview, caption=self.caption("Sorted by name, never by rank"))
        self.publish(figure, name="practice", heading=title, points=points, method="levels")

    def publish_results(self, coverage: Released | None) -> None:
        """Put one table of coverage and results into the report: a line a unit."""
        title = "Coverage and results"
        first = {} if coverage is None else {"Coverage": coverage}
        overview = self.overview(title=title, first=first)
        caption = self.caption("A unit covered too little has no result")
        figure = draw_levels(overview, caption=caption)
        self.publish(figure, name="coverage-and-results", heading=title, method="levels")
        self.publish(
            overview,
            name="coverage-and-results-table",
            heading="Coverage and results in numbers",
            method="levels",
        )

    def overview(self, *, title: str, first: Mapping[str, Released] | None = None) -> Released:
        """The released shares of all indicators in one table, `first` before them."""
        shares = dict(first or {}) | {
            one.label: self._evidence[one.name].shares
            for one in self.indicators
            if one.name in self._evidence
        }
        return release_overview(shares, title=title)

    def publish_bounds(self) -> None:
        """Put into the report how far missing cases could move each unit's result."""
        for one in self.indicators:
            evidence = self._evidence.get(one.name)
            if evidence is not None and evidence.basis is not None:
                name = f"{one.name.replace('_', '-')}-basis"
                told = {"heading": one.label, "chapter": "What missing cases could do"}
                self.publish(evidence.basis, name=name, method="basis", **told)

    def publish_kinds(self, kind: str, *, title: str) -> None:
        """Put bars of one of the study's variables by unit into the report."""
        counts = self.release_if_allowed(self.type_counts(kind), title=title)
        if counts is None:
            return
        try:
            parts = release_reading(counts, "composition", title=title)
        except DisclosureError as refused:
            self.refusals[title] = str(refused)
            return
        figure = draw_type_bars(parts, own=self._own, caption=self.caption(""))
        self.publish(figure, name="kinds", heading=title, method="composition")

    def gather_evidence(self, *, years_together: int = 1) -> dict[str, Evidence]:
        """Release the counts of every indicator by unit and year, and read off them what is told.

        Also kept in the session, for the chapters. An indicator of which fewer than two units can
        be shown is left out, with a line at the head of the report.
        """
        found = {one.name: self._read(one, years_together) for one in self.indicators}
        self._evidence = {name: one for name, one in found.items() if one is not None}
        if not self._evidence:
            raise StudyError("indicators: none has two units that can be shown. Join units.")
        return self._evidence

    def publish_chapters(self) -> None:
        """Put a chapter for each indicator into the report."""
        for one in self.indicators:
            if one.name in self._evidence:
                self._publish_chapter(one, self._evidence[one.name])

    def _publish_chapter(self, one: IndicatorDefinition, evidence: Evidence) -> None:
        slug, told = one.name.replace("_", "-"), {"chapter": one.label}
        adjusted = self._adjusted(one)
        caption = self.caption("Wilson intervals, 95 %; unadjusted")
        wanted: dict[str, Any] = {"words": one.label, "own": evidence.own, "caption": caption}
        figure = draw_caterpillar(evidence.shares, **wanted)
        words = f"{self.target_words(one.name)}\n\n{' '.join(findings(evidence))}"
        told |= {"heading": "Where units stand", "method": "levels"}
        self.publish(figure, name=slug, text=words, **told)
        self._publish_funnels(one, evidence, adjusted)
        if evidence.trends is not None:
            is_alone = self.study.units.others == "numbered"  # a number's past tells nobody much
            trends, own = evidence.trends, evidence.own
            figure = draw_trends(trends, own=own, is_alone=is_alone, caption=self.caption(""))
            told |= {"heading": "Does it change?", "method": "trends"}
            self.publish(figure, name=f"{slug}-trends", **told)
        told |= {"heading": "What the numbers rest on"}
        told |= {"method": "basis" if evidence.basis else "levels"}
        told |= {"text": "" if evidence.basis else UNKNOWN}
        points = questions(evidence, is_adjusted=adjusted is not None)
        rests_on = evidence.basis or evidence.shares
        self.publish(rests_on, name=f"{slug}-basis", points=points, **told)

    def _publish_funnels(
        self, one: IndicatorDefinition, evidence: Evidence, adjusted: Released | None
    ) -> None:
        slug = one.name.replace("_", "-")
        wanted: dict[str, Any] = {"own": evidence.own, "words": one.label}
        wanted |= {"direction": self.limits(one.name)["direction"]}
        caption = self.caption("Mid-p binomial limits, not adjusted for case mix")
        figure = draw_funnel(evidence.funnel, caption=caption, **wanted)
        told = {"chapter": one.label, "heading": "Is it chance?", "method": "funnel"}
        self.publish(figure, name=f"{slug}-funnel", **told)
        if adjusted is None:
            return
        ratios = release_reading(adjusted, "ratios", title=f"{one.label}, adjusted")
        caption = self.caption(f"Case mix: {self.model_words()}; mid-p binomial limits")
        figure = draw_funnel(ratios, caption=caption, **wanted)
        told |= {"heading": "Is it who the patients are?", "method": "ratios"}
        self.publish(figure, name=f"{slug}-adjusted", **told)

    def _read(self, one: IndicatorDefinition, years_together: int) -> Evidence | None:
        title, wanted = one.label, self.limits(one.name)
        counts = self.release_if_allowed(self._whole(one), title=title)
        if counts is None:
            return None
        if len(counts.frame) - int(counts.facts["n_hidden"]) < FEWEST:
            self.refusals[title] = "Fewer than two units can be shown; there is nothing to compare."
            return None
        least = {"least_coverage": self.study.units.least_coverage}
        return Evidence(
            shares=release_reading(counts, "shares", title=title, **wanted, **least),
            funnel=release_reading(counts, "funnel", title=title, **least),
            effects=self._effects(counts, title),
            trends=self._trends(one, years_together),
            basis=self._basis(counts, title),
            own=self._own,
        )

    def _effects(self, counts: Released, title: str) -> Released | None:
        """How much lies between units, unless nobody or everybody has the event."""
        shown = counts.frame[~counts.hidden.any(axis=1)]
        if not 0 < shown["events"].sum() < shown["n"].sum():
            return None
        return release_reading(counts, "effects", title=title)

    def _trends(self, one: IndicatorDefinition, years_together: int) -> Released | None:
        title = f"{one.label}, by year"
        counts = self.yearly_counts(one.name, together=years_together)
        yearly = self.release_if_allowed(counts, title=title)
        if yearly is None:
            return None
        direction = self.limits(one.name)["direction"]
        trends = release_reading(yearly, "trends", title=title, direction=direction)
        if (trends.frame["trend"] == "too short").all():
            self.refusals[title] = "No unit has three years that can be shown; join years."
            return None
        return trends

    def _adjusted(self, one: IndicatorDefinition) -> Released | None:
        if one.name not in self.study.units.adjusted:
            return None
        counts = self.expected_counts(one.name)
        return self.release_if_allowed(counts, title=f"{one.label}, expected")

    def _basis(self, counts: Released, title: str) -> Released | None:
        if "both" not in counts.frame:
            return None
        least = self.study.units.least_coverage
        return release_reading(
            counts, "basis", title=f"{title}, beside coverage", least_coverage=least
        )

    def _whole(self, one: IndicatorDefinition) -> CountTable:
        """The indicator by unit with the same units' cases in the other source, judged together."""
        counts = self.unit_counts(one.name)
        sources = self._sources if one.table == self.study.main_table else None
        return counts if sources is None else counts.beside(sources)

    @cached_property
    def _sources(self) -> CountTable | None:
        rules = self.study.compare_sources
        if rules is None or rules.by != self._unit:
            return None
        self.read_cases()
        columns = [self._unit, "both", "only_reference"]
        return CountTable(self.source_counts(self._unit).table[columns], (self._unit,))
