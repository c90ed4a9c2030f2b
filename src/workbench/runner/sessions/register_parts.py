"""What a session does for a register's yearly report: what came, what is known, how it stands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

from workbench.analysis.quality import describe_quality
from workbench.analysis.standing import Standing, evaluate
from workbench.errors import DefinitionError, StudyError
from workbench.output.disclosure import Released, release_reading
from workbench.output.figures import draw_caterpillar, draw_charts, draw_missing, draw_tile_map
from workbench.output.pack import plain_summary
from workbench.output.reporting import suggest
from workbench.registers.indicators import IndicatorDefinition
from workbench.registers.standing import Answers, load_answers, load_scheme
from workbench.registers.tiles import load_tile_map
from workbench.runner.sessions.pack_parts import PackParts
from workbench.runner.sessions.prom_parts import PromParts
from workbench.runner.task import Task

HIDDEN_QUARTERS = (
    "Some quarters are hidden, so that before and after would be told of the others alone."
)


class RegisterParts(PackParts, PromParts):
    """The part of a session that makes a register's yearly report."""

    task: Task
    release: Callable[..., Released]
    _quality: Released | None = None
    _lags: Released | None = None

    def publish_quality(self, *, words: dict[str, str]) -> None:
        """Put deliveries, faults and what is missing by year into the report."""
        chapter = "What came, and how complete it is"
        quality = describe_quality(self.store, self.study.main_table)
        released = self.release(quality, title=f"What is missing in {self.study.main_table}")
        self._quality = released
        for part, heading in (("deliveries", "What came"), ("faults", "What was wrong")):
            told = {"heading": heading, "method": part, "chapter": chapter}
            self.publish(released.parts[part], name=part, **told)
        caption = self.caption("Missing: no value, or a code for not known")
        figure = draw_missing(released, labels=words, caption=caption)
        told = {"heading": "What is missing", "method": "quality", "chapter": chapter}
        self.publish(figure, name="missing", **told)

    def release_coverage(self) -> Released | None:
        """The share of cases that the register has, by what sources are compared by.

        Without a source to compare with, a line at the head of the report says that coverage is
        not known.
        """
        rules = self.study.compare_sources
        if rules is None:
            self.refusals["Coverage"] = "The study names no other source: coverage is not known."
            return None
        self.read_cases()
        counts = self.release_if_allowed(self.found_counts(rules.by), title="Coverage")
        title = "Cases that reached the register"
        return None if counts is None else release_reading(counts, "shares", title=title)

    def publish_coverage(self, found: Released | None) -> None:
        """Put coverage by region, reporting lag and cases to come into the report."""
        rules = self.study.compare_sources
        if rules is None:
            return
        chapter = "Coverage and reporting lag"
        if found is not None:
            caption = self.caption(f"Reference: {rules.reference.table}")
            figure = draw_caterpillar(found, words="Coverage", caption=caption)
            told = {"heading": "Coverage", "method": "found", "chapter": chapter}
            self.publish(figure, name="coverage", **told)
            self._publish_map(found, "coverage-map", "Coverage", chapter)
        if rules.lag is not None:
            self._publish_lag(rules.by, chapter)

    def _publish_lag(self, by: str, chapter: str) -> None:
        lags = self.release_if_allowed(self.lags(by), title="Days from event to report")
        self._lags = lags
        if lags is not None:
            told = {"heading": "Reporting lag", "method": "lag", "chapter": chapter}
            self.publish(lags, name="lag", **told)
        years = self.release_if_allowed(self.nowcasts(), title="Cases reported and expected")
        if years is not None:
            told = {"heading": "Still to come", "method": "nowcast", "chapter": chapter}
            self.publish(years, name="expected-cases", **told)

    def _publish_map(self, shares: Released, name: str, words: str, chapter: str) -> None:
        """Put a tile map into the report, where the study names one that has its units."""
        rules = self.study.units
        if rules is None or rules.tiles is None or rules.others == "numbered":
            return  # a place on a map is a name
        tiles = load_tile_map(rules.tiles, self.task.project.params_folders)
        caption = self.caption("Tiles of equal size; hatched: hidden")
        figure = draw_tile_map(shares, tiles=tiles, words=words, own=rules.own, caption=caption)
        self.publish(figure, name=name, heading="On the map", method="found", chapter=chapter)

    def suggestions(self, coverage: Released | None) -> tuple[str, ...]:
        """What the register could do better, by rules, from what the report has released."""
        labels = {one.name: one.label for one in self.indicators}
        shares = {labels[name]: one.shares for name, one in self._evidence.items()}
        found = suggest(coverage=coverage, quality=self._quality, lag=self._lags, shares=shares)
        return tuple(one.line for one in found)

    def publish_charts(self) -> None:
        """Put a control chart of the nation into the report for each indicator, by quarter."""
        for one in self.indicators:
            if one.name not in self.cohort.marks:
                continue
            title = f"{one.label}, by quarter"
            counts = self.release_if_allowed(self.quarterly_counts(one.name), title=title)
            if counts is None:
                continue
            wanted = self.limits(one.name)["direction"]
            chart = release_reading(counts, "charts", title=title, direction=wanted)
            figure = draw_charts(chart, words=one.label, caption=self.caption("P' chart"))
            told = {"heading": title, "method": "charts", "chapter": "The nation over time"}
            self.publish(figure, name=f"{one.name.replace('_', '-')}-chart", **told)

    def publish_change(self, *, at: str, because: str) -> None:
        """Put before and after a change into the report, for each indicator of the own unit.

        `at` is the first quarter of the new way of working ("2019Q1"); `because` what was changed.
        Without an own unit in the study it is the nation's.
        """
        for one in self.indicators:
            if one.name not in self.cohort.marks:
                continue
            counts = self.release_if_allowed(
                self.quarterly_counts(one.name, own=self._own), title=one.label
            )
            if counts is not None:
                self._publish_change(one, counts, at, because)

    def _publish_change(
        self, one: IndicatorDefinition, counts: Released, at: str, because: str
    ) -> None:
        slug = one.name.replace("_", "-")
        how = {"direction": self.limits(one.name)["direction"], "because": because}
        chart = release_reading(counts, "charts", title=one.label, rebase=at, **how)
        caption = self.caption("P' chart, limits begin anew at the change")
        figure = draw_charts(chart, words=one.label, reasons={at: because}, caption=caption)
        told = {"heading": "By quarter", "method": "charts", "chapter": one.label}
        self.publish(figure, name=f"{slug}-chart", text=self.target_words(one.name), **told)
        if counts.facts["n_hidden"]:
            self.refusals[f"{one.label}, before and after"] = HIDDEN_QUARTERS
            return
        change = release_reading(counts, "change", title=one.label, at=at, **how)
        words = " ".join(change.frame["words"].astype(str))
        told |= {"heading": "Before and after", "method": "change"}
        self.publish(change, name=f"{slug}-change", text=words, **told)

    def publish_standing(
        self, scheme_name: str, *, coverage: Released | None, points: Sequence[str] = ()
    ) -> Standing:
        """Put where the register stands into the report: what data answer, what it says itself.

        `points` stand in a box under it: what could be done better.
        """
        folders = self.task.project.params_folders
        scheme = load_scheme(scheme_name, folders)
        try:
            answers = load_answers(self.study.register_name, folders)
        except DefinitionError as missing:
            self.refusals[f"{scheme.label}, own answers"] = str(missing)
            answers = Answers.model_validate({"register": self.study.register_name, "answers": {}})
        standing = evaluate(answers, self._facts(coverage), scheme)
        released = self.release(standing, title=scheme.label)
        told = {"heading": scheme.label, "chapter": "Where the register stands"}
        self.publish(
            released, name=f"standing-{scheme_name}", text=standing.words, method="standing",
            points=points, **told,
        )  # fmt: skip
        return standing

    def plain_words(self, ledger: Released, *, coverage: Released | None) -> tuple[str, ...]:
        """The plain summary for patient representatives: round numbers, by rules."""
        labels = {one.name: one.label for one in self.indicators}
        evidence = {labels[name]: one for name, one in self._evidence.items()}
        return plain_summary(evidence, n_persons=ledger.facts["n_persons"], coverage=coverage)

    def _facts(self, coverage: Released | None) -> dict[str, Any]:
        as_of = self.study.as_of
        if as_of is None:
            raise StudyError("as_of: the standing of a register is judged from a day. Give one.")
        every = self.indicators
        facts: dict[str, Any] = {
            "as_of": as_of,
            "completeness_year": as_of.year,  # this report documents it
            "indicators": len(every),
            "indicators_with_target": sum(one.limits is not None for one in every),
            "guideline_indicators_by_unit": len(self._evidence),
            "open_indicators_by_unit": len(self._evidence),
        }
        if self.n_scales:
            facts |= {"patient_reported_indicators": self.n_scales}
            facts |= {"patient_reported_by_unit": self.n_scales_by_unit}
        if coverage is not None:
            year = self._last_day.year
            facts |= {"coverage": float(coverage.facts["nation_estimate"])}
            facts |= {"coverage_year": min(year, as_of.year), "coverage_is_individual": True}
        return facts

    @property
    def _last_day(self) -> dt.date:
        period = self.study.cohort.period
        return period.last if period else self.study.as_of
