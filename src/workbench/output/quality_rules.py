"""The rule for a table's quality: deliveries, faults, rows and missing values by year, repeats.

Years are merged with their neighbours until each holds 0 or at least the threshold of rows and
persons. Missing values are hidden where few rows lack a value, or few have one.
"""

from __future__ import annotations

import pandas as pd

from workbench.analysis.quality import NO_YEAR, Quality, find_breaks
from workbench.errors import DisclosureError
from workbench.output.judgement import (
    Judgement,
    hidden_only,
    is_small,
    nothing_hidden,
    safe_spans,
    take_out,
    whole_counts,
)
from workbench.registers.profiles import ReleaseProfile


def judge_quality(quality: Quality, policy: ReleaseProfile) -> Judgement:
    """Show missing values by variable and year; the rest as parts."""
    years = quality.years.sort_values("year", ignore_index=True)
    n_rows = whole_counts(years["n_rows"], what="the rows by year").astype(int)
    n_persons = whole_counts(years["n_persons"], what="the persons by year").astype(int)
    if is_small(n_persons.max(initial=0), policy.threshold):
        raise DisclosureError(
            f"No year has {policy.threshold} persons or more, the smallest number that profile "
            f'"{policy.name}" shows.'
        )
    spans = safe_spans(n_rows.tolist(), n_persons.tolist(), threshold=policy.threshold)
    words = {
        str(year): _span_words([str(one) for one in years["year"].iloc[first:end]])
        for first, end in spans
        for year in years["year"].iloc[first:end]
    }
    shown = pd.DataFrame({"years": words.values(), "n_rows": n_rows})
    shown = shown.groupby("years", sort=False, as_index=False).sum()
    missing, hidden, n_cells = _judge_missing(quality.missing, words, policy)
    n_merged = len(years) - len(spans)
    notes = ["Years with few rows are shown together."] if n_merged else []
    counts = {"years merged with a neighbour": n_merged, "few with or without a value": n_cells}
    parts = {
        "years": Judgement("years", shown, nothing_hidden(shown)),
        "deliveries": _judge_deliveries(quality.deliveries, policy),
        "faults": _judge_counts("faults", quality.faults, policy),
        "repeats": _judge_counts("repeats", quality.repeats, policy),
    }
    return Judgement("quality", missing, hidden, hidden_only(counts), tuple(notes), parts=parts)


def _span_words(years: list[str]) -> str:
    dated = [year for year in years if year != NO_YEAR]
    if not dated:
        return NO_YEAR
    span = dated[0] if len(dated) == 1 else f"{dated[0]} to {dated[-1]}"
    return span if len(dated) == len(years) else f"{span} and {NO_YEAR}"


def _judge_missing(
    missing: pd.DataFrame, words: dict[str, str], policy: ReleaseProfile
) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    """Missing values by variable and span of years, with the shares that jump from year to year."""
    frame = missing.assign(years=missing["year"].map(words)).drop(columns="year")
    for column in ("n_rows", "n_missing"):
        frame[column] = whole_counts(frame[column], what=f"the quality's {column}").astype(int)
    keys = ["variable", "years"]
    frame = frame.groupby(keys, sort=False, as_index=False)[["n_rows", "n_missing"]].sum()
    n_known = frame["n_rows"] - frame["n_missing"]
    few = is_small(frame["n_missing"], policy.threshold) | is_small(n_known, policy.threshold)
    few_rows = is_small(frame["n_rows"], policy.threshold)
    frame, hidden, n_cells = take_out(
        frame, nothing_hidden(frame), rows=few | few_rows, columns=["n_missing"]
    )
    frame, hidden, n_more = take_out(frame, hidden, rows=few_rows, columns=["n_rows"])
    n_missing = frame["n_missing"].astype("Float64")
    frame["percent"] = (100 * n_missing / frame["n_rows"].astype("Float64")).round(1)
    frame["is_break"] = find_breaks(frame.rename(columns={"years": "year"})).to_numpy()
    hidden["percent"], hidden["is_break"] = hidden["n_missing"], False
    return frame, hidden, n_cells + n_more


def _judge_deliveries(deliveries: pd.DataFrame, policy: ReleaseProfile) -> Judgement:
    """Versions with their rows; few rows set aside are hidden, with the rows kept."""
    frame = deliveries.reset_index(drop=True)
    counts = ["n_rows_read", "n_rows_kept", "n_rows_set_aside"]
    for column in counts:
        whole_counts(frame[column], what=f"the deliveries' {column}")
    few = is_small(frame[counts], policy.threshold).any(axis=1)
    frame, hidden, n_cells = take_out(
        frame, nothing_hidden(frame), rows=few, columns=["n_rows_kept", "n_rows_set_aside"]
    )
    return Judgement("deliveries", frame, hidden, hidden_only({"few rows set aside": n_cells}))


def _judge_counts(kind: str, told: pd.DataFrame, policy: ReleaseProfile) -> Judgement:
    """Counts of rows, each by itself; small ones hidden."""
    frame = told.reset_index(drop=True)
    small = is_small(whole_counts(frame["n_rows"], what=f"the {kind}"), policy.threshold)
    frame, hidden, n_cells = take_out(frame, nothing_hidden(frame), rows=small, columns=["n_rows"])
    return Judgement(kind, frame, hidden, hidden_only({f"{kind} with few rows": n_cells}))
