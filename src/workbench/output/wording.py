"""How numbers and names are written in tables, figures and reports, in the language spoken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from workbench import language
from workbench.language import text
from workbench.output.disclosure import HIDDEN, MISSING, Released

COLUMN_LABELS = {
    "step": "Step",
    "reason": "Left out because",
    "n_rows_in": "Rows in",
    "n_rows_out": "Rows out",
    "n_persons_in": "Persons in",
    "n_persons_out": "Persons out",
    "variable": "Variable",
    "level": "Category",
    "group": "Group",
    "check": "Check",
    "n_rows": "Rows",
    "n": "Persons",
    "n_missing": "Missing",
    "events": "Events",
    "censored": "Censored",
    "at_risk": "At risk",
    "observed": "Observed events",
    "expected": "Expected events",
    "time": "Time",
    "term": "Term",
    "statistic": "Chi-square",
    "degrees_of_freedom": "Degrees of freedom",
    "p_value": "p",
    "p_adjusted": "p, adjusted",
    "slope": "Change a year",
    "trend": "Trend",
    "indicator": "Indicator",
    "region": "Region",
    "cause": "Event",
    "reliability": "Enough to publish",
    "estimate": "Estimate",
    "std_error": "Standard error",
    "lower": "Lower limit",
    "upper": "Upper limit",
    "mean": "Mean",
    "q": "Share with the event",
    "table": "Register",
    "years": "Year",
    "year": "Year",
    "rule": "What was wrong",
    "column": "Column",
    "outcome": "Outcome",
    "version": "Version",
    "imported": "Imported",
    "as_of": "Judged from",
    "n_rows_read": "Rows read",
    "n_rows_kept": "Rows kept",
    "n_rows_set_aside": "Rows set aside",
    "percent": "Per cent missing",
    "is_break": "Jump",
    "question": "Contradiction",
    "n_cohort": "Cohort",
    "n_matched": "Found",
    "n_unmatched": "Not found",
    "n_rows_of_cohort": "Rows of the cohort",
    "n_rows_of_others": "Rows of others",
    "n_rows_without_person": "Rows without a person",
    "n_persons": "Persons",
    "n_persons_of_cohort": "Persons of the cohort",
    "n_persons_of_others": "Other persons",
    "n_one_row": "With one row",
    "n_several_rows": "With several rows",
    "n_rows_renumbered": "Rows under an earlier number",
    "n_conflicts": "Contradictions",
    "part": "Sub-register",
    "median_days": "Median, days",
    "p90_days": "90 % within, days",
    **{f"share_{days}": f"Within {days} days" for days in (30, 60, 90, 180)},
    "shrunken": "Shrunken",
    "shrunken_lower": "Lower limit (shrunken)",
    "shrunken_upper": "Upper limit (shrunken)",
    "unit_reliability": "Reliability",
    "expected_rank": "Expected rank",
    "rank_lower": "Rank from",
    "rank_upper": "Rank to",
    "reported": "Reported",
    "arrived": "Share arrived",
    "is_provisional": "Provisional",
    "both": "In both",
    "only_register": "Only in the register",
    "only_reference": "Only in the reference",
    "gold_standard": "Of the reference's cases",
    "union": "Of both together",
    "union_lower": "from",
    "union_upper": "to",
    "gold_standard_lower": "from",
    "gold_standard_upper": "to",
    "frequency": "By numbers alone",
    "reference_union": "The reference's own",
    "chapman": "Cases there are (Chapman)",
    "chapman_lower": "from",
    "chapman_upper": "to",
    "chapman_coverage": "Coverage (Chapman)",
    "forms_missing": "Forms missing",
    "hours": "Hours of work",
    "level_words": "How sure",
    "level_probability": "Probability of the level",
    "coverage": "Coverage",
    "n_before": "Persons before",
    "n_events_before": "Events before",
    "share_before": "Share before",
    "n_after": "Persons after",
    "n_events_after": "Events after",
    "share_after": "Share after",
    "first_signal": "First signal",
    "kind": "Change",
    "lowest": "Lowest",
    "highest": "Highest",
    "tipping_point": "Tipping point",
    "because": "Not shown because",
    "item": "No.",
    "target": "Target",
    "requirement": "Requirement",
    "answered_by": "Answered by",
    "answer": "Answer",
    "evidence": "Evidence",
    "needed_for": "Needed for",
    "n_unit": "Patients of the unit",
    "scale": "Scale",
    "std_dev": "Standard deviation",
    "earliest": "Exact value from",
    "latest": "to",
    "lower_95": "Lower limit, 95 %",
    "upper_95": "Upper limit, 95 %",
    "lower_998": "Lower limit, 99.8 %",
    "upper_998": "Upper limit, 99.8 %",
    "flag": "Outside limits of chance",
    "adjusted_lower_95": "Wider lower limit, 95 %",
    "adjusted_upper_95": "Wider upper limit, 95 %",
    "adjusted_lower_998": "Wider lower limit, 99.8 %",
    "adjusted_upper_998": "Wider upper limit, 99.8 %",
    "adjusted_flag": "Outside wider limits",
    "value": "Value",
    "centre": "Centre line",
    "lower_2s": "Lower warning limit",
    "upper_2s": "Upper warning limit",
    "signal": "Signal",
    "segment": "Stretch",
    "quarter": "Quarter",
}


# Columns whose words are ours, not the study's or the register's.
OUR_WORDS = {
    "reason", "check", "question", "rule", "outcome", "reliability", "level_words", "trend", "kind",
    "flag", "adjusted_flag", "because", "answered_by", "answer", "evidence", "needed_for",
}  # fmt: skip


def is_ours(column: object, result: Released) -> bool:
    """Whether a column's words are ours, so that they are told in the language spoken.

    Grouping columns are the study's; `level` is a level where how sure it is stands beside it.
    """
    if column == "scale" and result.kind == "prom":
        return True
    if column in result.facts.get("by", ()):
        return False
    return column in OUR_WORDS or (column == "level" and "level_words" in result.frame)


def label(name: object, labels: Mapping[str, str] | None = None) -> str:
    """A column or variable as readers see it: the study's word, ours, or the name without `_`."""
    plain = str(name)
    own = (labels or {}).get(plain)
    if own:
        return own
    ours = COLUMN_LABELS.get(plain)
    return text(ours) if ours else plain.replace("_", " ")


def is_missing(value: Any) -> bool:
    """Whether a cell holds nothing (of any library's kind of nothing)."""
    return bool(pd.isna(value))


def count(value: Any) -> str:
    """A count with a narrow space between thousands; hidden and missing as their symbols."""
    if isinstance(value, str):
        return value
    return MISSING if is_missing(value) else language.number(int(value))


def number(value: Any, *, decimals: int | None = None) -> str:
    """A number with so many decimals, or as short as it is when none are given."""
    if isinstance(value, str):
        return value
    if is_missing(value):
        return MISSING
    return language.number(value, decimals)


def p_value(value: Any) -> str:
    """A p value: three decimals, and never 0."""
    if isinstance(value, str) or is_missing(value):
        return number(value)
    return f"<{language.number(0.001, 3)}" if value < 0.001 else language.number(value, 3)


def p_equals(value: Any) -> str:
    """A p value in a sentence."""
    told = p_value(value)
    return f"p < {told[1:]}" if told.startswith("<") else f"p = {told}"


def interval(lower: str, upper: str) -> str:
    """The two ends of an interval: "0.8 to 1.2"."""
    return text("{lower} to {upper}", lower=lower, upper=upper)


def key_line(threshold: int, *, has_hidden: bool, has_missing: bool) -> str:
    """The line under a table that tells its two symbols apart."""
    lines = []
    if has_hidden:
        told = "{sign} is hidden: a number below {threshold}, or one it could be worked out from."
        lines.append(text(told, sign=HIDDEN, threshold=count(threshold)))
    if has_missing:
        told = "{sign} does not apply or is not available; it hides nothing."
        lines.append(text(told, sign=MISSING))
    return " ".join(lines)


def symbols() -> str:
    """What the two symbols stand for, in a sentence."""
    return text(
        "In tables, {hidden} (confidential) stands for a number that is hidden, and {missing} for "
        "one that does not apply or is not available.",
        hidden=HIDDEN,
        missing=MISSING,
    )
