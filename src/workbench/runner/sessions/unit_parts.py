"""What a session does for studies that compare units: who counts, how many, what is expected."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ibis
import pandas as pd

from workbench.analysis import indicators as quality_indicators
from workbench.analysis import units
from workbench.analysis.cohort import Cohort
from workbench.analysis.count_table import CountTable, count_marked, count_types
from workbench.data.store import Store
from workbench.errors import StudyError
from workbench.language import share, text
from workbench.output.disclosure import Released, release_reading
from workbench.output.figures import Caption
from workbench.output.figures.comparison_figures import draw_caterpillar, draw_funnel
from workbench.registers.indicator_model import Limit
from workbench.registers.indicators import Indicator, IndicatorDefinition
from workbench.study import Definitions, Study

NATION = "nation"


def _origin_of(limit: Limit) -> dict[str, str]:
    """Who set a limit, and when if that is known, for a sentence."""
    is_told = limit.year == "not stated" or str(limit.year) in limit.source
    year = "" if is_told else f" {limit.year}"
    return {"source": f"{limit.source}{year}", "origin": text(limit.origin)}


class UnitParts:
    """The part of a session that sets units beside the nation."""

    study: Study
    store: Store
    definitions: Definitions
    cohort: Cohort | None
    release_if_allowed: Callable[..., Released | None]
    publish: Callable[..., Any]

    @property
    def formula(self) -> str:
        """The right side of the study's model: its covariates, or the case mix of its units."""
        return " + ".join(self.study.model)

    @property
    def indicators(self) -> list[IndicatorDefinition]:
        """The study's indicators of shares, in the order it names them."""
        every = [self.told(name) for name in self.definitions.indicators]
        return [one for one in every if one.type == "proportion"]

    def told(self, indicator: str) -> IndicatorDefinition:
        """An indicator's definition with its words in the study's language."""
        return self.definitions.indicators[indicator].definition.told_in(self.study.language)

    def marked(self, indicator: str) -> pd.DataFrame:
        """The cohort's persons with who is in the indicator's denominator and numerator."""
        persons = self.cohort.persons
        marks = self.cohort.marks[indicator]
        if "index_date" in persons:
            persons = persons.assign(year=pd.to_datetime(persons["index_date"]).dt.year)
        return persons.assign(**{name: marks[name] for name in marks})

    def unit_counts(self, indicator: str, *, by: Sequence[str] = ()) -> CountTable:
        """Patients of each unit (and year ...) in the indicator, to be released.

        Of the cohort where the indicator is of its table; else of its own table in the period.
        """
        if indicator not in self.cohort.marks:
            return self._counted_elsewhere(indicator, [self._unit, *by])
        return count_marked(self.marked(indicator), by=[self._unit, *by])

    def release_indicators(self) -> dict[str, Released]:
        """The counts of every indicator by unit, as far as the gate shows them, by name."""
        found = {
            one.name: self.release_if_allowed(self.unit_counts(one.name), title=one.label)
            for one in self.indicators
        }
        return {name: one for name, one in found.items() if one is not None}

    def publish_levels(self, counts: Mapping[str, Released], *, caption: Caption) -> None:
        """Put each indicator by unit into the report: what it is, its target, figure and table."""
        for name, one in counts.items():
            shares = release_reading(one, "shares", title=one.title, **self.limits(name))
            figure = draw_caterpillar(shares, words=one.title, own=self._own, caption=caption)
            told = {"heading": one.title, "text": self.target_words(name), "method": "levels"}
            self.publish(figure, name=name.replace("_", "-"), **told)
            table = f"{name.replace('_', '-')}-levels"
            heading = f"{one.title}: levels in numbers"
            self.publish(shares, name=table, heading=heading, method="levels")

    def publish_funnels(self, counts: Mapping[str, Released], *, caption: Caption) -> None:
        """Put each indicator's funnel into the report."""
        for name, one in counts.items():
            funnel = release_reading(one, "funnel", title=one.title)
            wanted = {"direction": self.limits(name)["direction"], "own": self._own}
            figure = draw_funnel(funnel, words=one.title, caption=caption, **wanted)
            slug, heading = f"{name.replace('_', '-')}-funnel", f"{one.title}: is it chance?"
            self.publish(figure, name=slug, heading=heading, method="funnel")

    def yearly_counts(self, indicator: str, *, together: int = 1) -> CountTable:
        """As `unit_counts` by year; so many years together, called by their first."""
        counts = self.unit_counts(indicator, by=["year"])
        years = counts.table["year"].astype(int)
        bins = years.min() + (years - years.min()) // together * together
        keys = [self._unit, "year"]
        added = counts.table.assign(year=bins).groupby(keys, sort=True)[["n", "events"]].sum()
        return CountTable(added.reset_index(), (*keys,), n_missing=counts.n_missing)

    def quarterly_counts(self, indicator: str, *, own: str | None = None) -> CountTable:
        """Patients of the nation, or of one unit, in the indicator by quarter of the index date."""
        marked = self.marked(indicator)
        if own is not None:
            marked = marked[marked[self._unit].astype(str) == own]
            if marked.empty:
                raise StudyError(f'units.own: nobody of the study is at "{own}".')
        dates = pd.to_datetime(marked["index_date"])
        quarter = dates.dt.year.astype(str) + "Q" + dates.dt.quarter.astype(str)
        return count_marked(marked.assign(quarter=quarter), by=["quarter"])

    def expected_counts(self, indicator: str) -> CountTable:
        """As `unit_counts`, with what the nation's model on the study's variables expects."""
        marked = self.marked(indicator)
        known = marked[marked["in_numerator"].notna()].assign(
            outcome=lambda rows: rows["in_numerator"].astype(int)
        )
        unit = self._unit
        found = units.case_mix(known, self.formula, outcome="outcome", unit=unit)
        self.case_mix = found
        table = found.table.rename(columns={"observed": "events"})
        return CountTable(table[[unit, "n", "events", "expected"]], (unit,))

    def type_counts(self, kind: str) -> CountTable:
        """Patients of each unit by one of the study's variables: access, form of care."""
        return count_types(self.cohort.persons, by=self._unit, kind=kind)

    def limits(self, indicator: str) -> dict[str, Any]:
        """The indicator's target for the reading "shares": green, yellow, direction, minimum."""
        definition = self.definitions.indicators[indicator].definition
        values = {name: str(limit) for name, limit in definition.limit_values.items()}
        told: dict[str, Any] = {"direction": definition.direction, **values}
        return {**told, "minimum": definition.minimum_denominator or 0}

    def target_words(self, indicator: str) -> str:
        """What the indicator is, its target, and who set it: a paragraph for the report."""
        one = self.told(indicator)
        if one.limits is None:
            target = f"{text('No target:')} {one.no_limits_because.strip()}"
        else:
            target = " ".join(
                text(words, share=share(float(limit.value)), **_origin_of(limit))
                for words, limit in (
                    ("Target: {share} ({source}, {origin}).", one.limits.green),
                    ("Lower limit: {share} ({source}, {origin}).", one.limits.yellow),
                )
                if limit is not None
            )
        return f"{one.description.strip()} {one.how_to_read.strip()}\n\n{target}"

    def overview_counts(self, *, yearly: bool = False) -> CountTable:
        """Every proportion of the study, of any register, by region over the study's period.

        With `yearly` also by calendar year.
        """
        by = ["region", "year"] if yearly else ["region"]
        together: dict[tuple[str, str], list[Indicator]] = {}
        for one in self.definitions.indicators.values():
            if one.definition.type == "proportion":
                kind = one.definition.denominator_kind
                unit = one.definition.units.get("treatment", "")
                together.setdefault((kind, unit), []).append(one)
        if not together:
            raise StudyError("indicators: the study names none that are shares.")
        whole = pd.concat(
            [self._by_region(some, by) for some in together.values()], ignore_index=True
        )
        n_missing = int(whole["missing"].sum())
        keys = ("indicator", *by)
        counts = whole[[*keys, "n", "events"]]
        return CountTable(counts, keys, apart=("indicator",), n_missing=n_missing)

    def all_limits(self) -> dict[str, str]:
        """Every indicator's target as plain words, for the reading "overview"."""
        told: dict[str, str] = {}
        for known in self.definitions.indicators:
            definition = self.told(known)
            told[f"{definition.label}|direction"] = definition.direction
            for name, limit in definition.limit_values.items():
                told[f"{definition.label}|{name}"] = str(limit)
        return told

    def _counted_elsewhere(self, indicator: str, by: list[str]) -> CountTable:
        """Counts of an indicator of another table, by columns of that table and its years."""
        one = self.definitions.indicators[indicator]
        table = one.definition.table
        found = quality_indicators.aggregate(
            self._in_period(table), [one], as_of=self.study.as_of, by=by
        ).table
        of_all = found[(found["place_level"] == NATION) & found[by].notna().all(axis=1)]
        words = self.definitions.tables[table].variables[self._unit].codes
        named = of_all[self._unit].map(lambda code: words.get(code, code))
        rows = of_all[[*by, "n", "events"]].assign(**{self._unit: named})
        return CountTable(
            rows.sort_values(by, ignore_index=True).astype({"n": int, "events": int}), (*by,),
            n_missing=int(of_all["missing"].sum()),
        )  # fmt: skip

    def _by_region(self, chosen: Sequence[Indicator], by: Sequence[str]) -> pd.DataFrame:
        tables = list(dict.fromkeys(one.definition.table for one in chosen))
        rows = {name: self._in_period(name) for name in tables}
        as_of = self.study.as_of
        found = quality_indicators.aggregate(rows, chosen, as_of=as_of, by=[*by]).table
        of_all = found[found["place_level"] == NATION]
        nobody = text("not known")
        words = self.definitions.tables[tables[0]].variables["region"].codes
        labels = {one.name: self.told(one.name).label for one in chosen}
        return of_all.assign(
            region=of_all["region"].map(lambda code: words.get(code, code)).fillna(nobody),
            indicator=of_all["indicator"].map(labels),
        )

    def _in_period(self, table: str) -> ibis.Table:
        """Rows of a table in the study's period, by the table's own date."""
        rows, period = self.store.rows(table), self.study.cohort.period
        if period is None:
            return rows
        date = rows[str(self.definitions.tables[table].dated_by)]
        return rows.filter((date >= period.first) & (date <= period.last))

    @property
    def _unit(self) -> str:
        if self.study.units is None:
            raise StudyError("The study names no units: give it units, such as {by: hospital}.")
        return self.study.units.by

    @property
    def _own(self) -> str | None:
        return self.study.units.own if self.study.units else None
