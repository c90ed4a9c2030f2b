"""The plain summary: what a patient representative takes home, in round numbers."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from workbench.language import counted, number, text
from workbench.output.disclosure import Released
from workbench.output.pack.words import Evidence, flagged


def plain_summary(
    evidence: Mapping[str, Evidence], *, n_persons: int, coverage: Released | None = None
) -> tuple[str, ...]:
    """Say in round numbers how many are in the register and what was done for them.

    Parameters
    ----------
    evidence
        What was released of each indicator, by its label.
    n_persons
        Persons in the study, as its released ledger says.
    coverage
        A reading "shares" of the cases that the register has; without it the summary says that
        coverage is not known.
    """
    first = text("This report is about {n} persons.", n=number(n_persons))
    known = (
        text("How many the register does not know of has not been measured.")
        if coverage is None
        else text(
            "Of all cases known elsewhere, the register has about {part}.",
            part=_tenths(coverage.facts["nation_estimate"]),
        )
    )
    return (f"{first} {known}", *(_said(label, one) for label, one in evidence.items()))


def _said(label: str, evidence: Evidence) -> str:
    facts = evidence.shares.facts
    told = f"{label}: {_tenths(facts['nation_estimate'])}."
    if facts.get("green") is not None:
        words = "The aim is at least {part}."
        if facts["direction"] == "low":
            words = "The aim is at most {part}."
        told += " " + text(words, part=_tenths(float(Fraction(facts["green"]))))
    n_out = len(flagged(evidence, "low")) + len(flagged(evidence, "high"))
    if n_out:
        return f"{told} " + counted(
            n_out,
            "At {n} unit it differs by more than chance.",
            "At {n} units it differs by more than chance.",
        )
    return f"{told} " + text("Differences between units are no larger than chance makes.")


def _tenths(part: float) -> str:
    """A share as so many in ten, or in a hundred where ten is too coarse."""
    tenths = round(10 * part)
    if 1 <= tenths <= 9 and abs(10 * part - tenths) <= 0.25:
        return text("{n} in 10", n=tenths)
    return text("{n} in 100", n=round(100 * part))
