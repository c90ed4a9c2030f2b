"""The plain summary: what a patient representative takes home, in round numbers."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from workbench.output import wording
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
    known = (
        "How many the register does not know of has not been measured."
        if coverage is None
        else f"Of all cases known elsewhere, the register has about "
        f"{_tenths(coverage.facts['nation_estimate'])}."
    )
    first = f"This report is about {wording.count(n_persons)} persons. {known}"
    return (first, *(_said(label, one) for label, one in evidence.items()))


def _said(label: str, evidence: Evidence) -> str:
    facts = evidence.shares.facts
    told = f"{label}: {_tenths(facts['nation_estimate'])}"
    if facts.get("green") is not None:
        wanted = "at most" if facts["direction"] == "low" else "at least"
        told += f"; the aim is {wanted} {_tenths(float(Fraction(facts['green'])))}"
    n_out = len(flagged(evidence, "low")) + len(flagged(evidence, "high"))
    told += (
        f". At {n_out} units it differs by more than chance."
        if n_out
        else ". Differences between units are no larger than chance makes."
    )
    return told


def _tenths(share: float) -> str:
    """A share as so many in ten, or in a hundred where ten is too coarse."""
    tenths = round(10 * share)
    if 1 <= tenths <= 9 and abs(10 * share - tenths) <= 0.25:
        return f"{tenths} in 10"
    return f"{round(100 * share)} in 100"
