"""What a session does for studies of coverage and lag: cases of two sources, counted and timed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from workbench.analysis import coverage
from workbench.analysis.cases import Cases, read_cases
from workbench.analysis.cohort import Cohort
from workbench.analysis.count_table import CountTable
from workbench.data.store import Store
from workbench.output.disclosure import Released, release_reading
from workbench.output.gate.lag_rules import LagTable, NowcastTable
from workbench.runner.task import COUNTS
from workbench.study import Definitions, Study

CELLS = ["both", "only_register", "only_reference"]


class SourceParts:
    """The part of a session that sets a register beside its reference."""

    study: Study
    store: Store
    folder: Path
    definitions: Definitions
    cohort: Cohort | None

    def read_cases(self) -> Cases:
        """The cases of the register and of its reference; also kept as `session.cases`."""
        self.cases = read_cases(self.study, self.store, code_lists=self.definitions.code_lists)
        if self.cohort is None:  # otherwise the run's persons are those of the cohort
            counts = {"n_persons": len(self.cases.register), "n_events": 0}
            (self.folder / COUNTS).write_text(json.dumps(counts), encoding="utf-8")
        return self.cases

    def source_counts(self, *by: str) -> CountTable:
        """Cases in both sources and in one of them, by part, year or what is compared by."""
        found = self._compared([*by])
        return CountTable(found[[*by, *CELLS]], by)

    def found_counts(self, *by: str) -> CountTable:
        """Of the reference's cases (`n`), how many are in the register (`events`)."""
        found = self._compared([*by])
        table = found[[*by]].assign(n=found["both"] + found["only_reference"], events=found["both"])
        return CountTable(table, by)

    def lags(self, *by: str) -> LagTable:
        """How long reports take, by groups; recent cases allowed for."""
        found = coverage.reporting_lag(self._reported, by=by or None, **self._lag)
        return LagTable(found, by)

    def nowcasts(self, *by: str) -> NowcastTable:
        """Cases reported and expected, by groups and year."""
        found = coverage.nowcast(self._reported, by=by or None, **self._lag)
        first, last = (str(year) for year in self._years)
        found = found[(found["period"] >= first) & (found["period"] <= last)]
        return NowcastTable(found.rename(columns={"period": "year"}), (*by, "year"))

    def backlog(self, found: Released, *, title: str = "Forms that are missing") -> Released:
        """Forms that are missing by the released counts of cases found, and the hours they take."""
        minutes = self.study.compare_sources.lag.minutes_per_form
        return release_reading(found, "backlog", title=title, minutes=minutes)

    @property
    def _reported(self) -> pd.DataFrame:
        """The register's cases from the study's first day on, with a date of report."""
        cases, period = self.cases.register, self.study.cohort.period
        chosen = (cases["date"] >= pd.Timestamp(period.first)) & cases["reported_date"].notna()
        return cases[chosen].astype({"part": str})

    @property
    def _lag(self) -> dict[str, Any]:
        rules = self.study.compare_sources.lag
        return {
            "event_date": "date",
            "reported_date": "reported_date",
            "as_of": self.study.as_of,
            "within": rules.within_days,
            "window_days": rules.recent_days,
        }

    @property
    def _years(self) -> tuple[int, int]:
        period = self.study.cohort.period
        return period.first.year, period.last.year

    def _compared(self, by: Sequence[str]) -> pd.DataFrame:
        """Linked cases of the study's years, counted by groups.

        Cases are paired before years are chosen, so that a pair across New Year stays a pair.
        """
        within = self.study.compare_sources.within_days
        dated: dict[str, Any] = {} if within is None else {"date": "date", "window_days": within}
        register, reference = (
            side.assign(
                person=side["person"] + "|" + side["part"].astype(str),
                year=side["date"].dt.year,
                part=side["part"].astype(str),
            )
            for side in (self.cases.register, self.cases.reference)
        )
        keys = list(dict.fromkeys([*by, "year"]))
        found = coverage.compare_sources(register, reference, person="person", by=keys, **dated)
        first, last = self._years
        found = found[found["year"].between(first, last)]
        return found.groupby([*by], observed=True)[CELLS].sum().reset_index()
