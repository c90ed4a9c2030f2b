"""What a session does for a questionnaire: who answered, and what they say of their health."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from workbench.analysis.count_table import count_marked
from workbench.analysis.prom import read_forms, score, summarise
from workbench.language import text
from workbench.output.disclosure import Released, release_reading
from workbench.output.figures import Caption, draw_caterpillar, draw_scores
from workbench.output.gate.prom_rules import PromTable
from workbench.registers.proms import Prom
from workbench.runner.sessions.unit_parts import UnitParts

CHAPTER = "What patients say"
NOT_ASKED = "The study reads no questionnaire: what patients say of their health is not known here."
MOST_DRAWN = 3  # scales beside each other


class PromParts(UnitParts):
    """The part of a session that tells what patients answered."""

    refusals: dict[str, str]
    caption: Callable[[str], Caption]
    n_scales: int = 0  # shown in the report, of all who answered
    n_scales_by_unit: int = 0

    def publish_questionnaire(self) -> None:
        """Put who answered, and scores of each unit and the nation, into the report.

        Without a questionnaire in the study a line at the head of the report says so.
        """
        rules, prom = self.study.questionnaire, self.definitions.prom
        if rules is None or prom is None:
            self.refusals[CHAPTER] = NOT_ASKED
            return
        forms = read_forms(self.study, self.store, self.cohort.persons, prom)
        scored = score(forms, prom, columns=rules.columns, missing_codes=rules.missing_codes)
        answers = self._publish_answers(scored, prom)
        self._publish_scores(scored, prom, answers)

    def _publish_answers(self, scored: pd.DataFrame, prom: Prom) -> Released | None:
        """The share of those asked who answered, by unit."""
        title = text("Answers to {form}", form=prom.label)
        marked = scored.assign(in_denominator=True, in_numerator=scored["answered"] == 1)
        counts = self.release_if_allowed(count_marked(marked, by=self._unit), title=title)
        if counts is None:
            return None
        shares = release_reading(counts, "shares", title=title)
        caption = self.caption("Of those who were sent the questionnaire")
        figure = draw_caterpillar(shares, words=title, own=self._own, caption=caption)
        told = {"heading": "Who answered", "method": "response", "chapter": CHAPTER}
        self.publish(figure, name="answers", **told)
        return shares

    def _publish_scores(self, scored: pd.DataFrame, prom: Prom, answers: Released | None) -> None:
        title = text("Scores of {form}", form=prom.label)
        whole = summarise(scored, prom, answered="answered")
        nation = self.release_if_allowed(PromTable(whole, ()), title=title)
        if nation is None:
            return
        self.n_scales = len(whole)
        by_unit = summarise(scored, prom, answered="answered", by=self._unit)
        drawn = list(prom.composites or prom.scales)[:MOST_DRAWN]
        chosen = by_unit[by_unit["scale"].isin(drawn)].reset_index(drop=True)
        units = self.release_if_allowed(PromTable(chosen, (self._unit,)), title=title)
        told = {"method": "prom", "chapter": CHAPTER}
        if units is not None:
            caption = self.caption("Sorted by name; not adjusted for case mix")
            figure = draw_scores(units, nation, answers=answers, own=self._own, caption=caption)
            self.publish(figure, name="scores", heading="Health by unit", **told)
            self.n_scales_by_unit = len(drawn)
        self.publish(nation, name="scores-nation", heading="Health of all who answered", **told)
