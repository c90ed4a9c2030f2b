"""Sentences made by rules: what they say, and what they must not say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from workbench.analysis.count_table import CountTable
from workbench.output.disclosure import release, release_overview, release_reading
from workbench.output.pack import Evidence, findings, questions
from workbench.output.pack.words import flagged
from workbench.registers.profiles import load_profile

PROFILE = load_profile("standard")


def units_of(events: list[int], n: int = 200, **more: list[int]) -> pd.DataFrame:
    names = [f"unit {at:02}" for at in range(len(events))]
    return pd.DataFrame({"unit": names, "n": n, "events": events, **more})


def evidence_of(table: pd.DataFrame, *, own: str | None = None, **wanted: object) -> Evidence:
    counts = release(CountTable(table, ("unit",)), PROFILE, title="t")
    basis = None
    if "both" in table:
        basis = release_reading(counts, "basis", title="t")
    return Evidence(
        shares=release_reading(counts, "shares", title="t", **wanted),
        funnel=release_reading(counts, "funnel", title="t"),
        effects=release_reading(counts, "effects", title="t"),
        basis=basis,
        own=own,
    )


ALIKE = [98, 102, 97, 103, 100, 101, 99, 100]


def test_units_alike_are_said_to_be_alike():
    told = " ".join(findings(evidence_of(units_of(ALIKE))))
    assert "In the nation: 50.0 % (800 of 1\N{NARROW NO-BREAK SPACE}600;" in told
    assert "None of 8 units lies outside what chance makes." in told
    assert "no more variation than chance alone makes" in told
    assert "target" not in told  # none was given


def test_a_unit_far_out_is_named_and_that_coverage_is_unknown():
    told = " ".join(findings(evidence_of(units_of([*ALIKE[:7], 150]))))
    assert "Above what chance makes (99.8 %): unit 07 (1 of 8 units)." in told
    assert "is not known, so that missing cases may explain" in told


def test_missing_cases_that_could_explain_it_are_told_from_those_that_cannot():
    events = [*ALIKE[:6], 60, 150]
    known = {"both": [100] * 8, "only_reference": [10, 10, 10, 10, 10, 10, 8, 160]}
    told = " ".join(findings(evidence_of(units_of(events, **known))))
    assert "could alone explain it at unit 07" in told
    assert "cannot alone explain it at unit 06" in told


def test_the_target_is_reached_surely_or_not_decided():
    surely = findings(evidence_of(units_of(ALIKE), green="0.40", direction="high"))
    assert "The nation reaches the target, at least 40.0 %." in surely
    missed = findings(evidence_of(units_of(ALIKE), green="0.40", direction="low"))
    assert "The nation does not reach the target, at most 40.0 %." in missed
    close = findings(evidence_of(units_of(ALIKE), green="0.50", direction="high"))
    assert any("not decided" in one for one in close)


@pytest.mark.parametrize(
    ("events", "words"),
    [(150, "above the nation by more than chance"), (101, "no farther from the nation")],
)
def test_the_own_unit_has_a_sentence(events, words):
    told = findings(evidence_of(units_of([*ALIKE[:7], events]), own="unit 07"))
    assert any(one.startswith("unit 07: ") and words in one for one in told)


def test_an_own_unit_that_is_hidden_gets_a_sentence_without_numbers():
    table = units_of([*ALIKE[:6], 2, 3])
    told = findings(evidence_of(table, own="unit 06"))
    assert "unit 06 is not shown here: too few patients." in told


def test_trends_name_units_that_change_and_what_chance_would_make():
    rows = [
        (f"unit {at:02}", 2015 + year, 200, 60 + (12 * year if at == 0 else 0))
        for at in range(6)
        for year in range(6)
    ]
    yearly = pd.DataFrame(rows, columns=["unit", "year", "n", "events"])
    counts = release(CountTable(yearly, ("unit", "year")), PROFILE, title="t")
    trends = release_reading(counts, "trends", title="t", direction="high")
    whole = evidence_of(units_of(ALIKE))
    told = findings(Evidence(whole.shares, whole.funnel, trends=trends))[-2:]
    assert told[0] == "Rising over the years: unit 00."
    assert "Of 6 units about 0.3 would" in told[1]


def test_sentences_follow_wide_limits_where_units_differ_anyway():
    draw = np.random.default_rng(4)
    events = draw.binomial(200, np.clip(draw.normal(0.5, 0.12, 30), 0.1, 0.9)).tolist()
    evidence = evidence_of(units_of(events))
    frame = evidence.funnel.frame
    assert "adjusted_flag" in frame
    plain = (frame["flag"].str.endswith("99.8")).sum()
    assert len(flagged(evidence, "low")) + len(flagged(evidence, "high")) < plain


def test_questions_go_from_data_over_patients_and_structure_to_process():
    for is_adjusted in (True, False):
        asked = questions(evidence_of(units_of(ALIKE)), is_adjusted=is_adjusted)
        heads = [one.split(":")[0] for one in asked]
        assert heads[:4] == ["Data", "Patients", "Structure", "Process"]


def test_an_overview_holds_the_shares_as_they_were_released():
    table = units_of([*ALIKE[:6], 2, 3])
    one = evidence_of(table, green="0.40", direction="high").shares
    other = evidence_of(units_of(ALIKE)).shares
    overview = release_overview({"first": one, "second": other}, title="t")
    frame = overview.frame
    first = frame[frame["indicator"] == "first"]
    assert first["estimate"].tolist() == one.frame["estimate"].tolist()
    assert frame.loc[frame["indicator"] == "second", "level_words"].eq("no target").all()
    assert len(frame) == len(one.frame) + len(other.frame)
