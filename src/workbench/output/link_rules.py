"""The rule for a link report: how a cohort fits the other registers.

Years are merged with their neighbours until matched and unmatched are 0 or at least the threshold
in each, with the same years for every table, so that no two tables can be subtracted. A table for
which even all years together are not safe shows neither matched nor unmatched, here and among the
tables' totals.
"""

from __future__ import annotations

import pandas as pd

from workbench.analysis.cohort.link_report import LinkReport
from workbench.errors import DisclosureError
from workbench.output.judgement import (
    Judgement,
    are_safe,
    hidden_only,
    is_small,
    nothing_hidden,
    safe_spans,
    take_out,
    whole_counts,
)
from workbench.registers.profiles import ReleaseProfile

MATCHED = ["n_matched", "n_unmatched"]
COLUMNS = ["table", "years", "n_cohort", *MATCHED]
# Counts of one table that add up to each other: when one is small, all of its line are hidden.
SUMS = (
    ["n_rows_of_cohort", "n_rows_of_others", "n_rows_without_person"],
    ["n_persons_of_cohort", "n_persons_of_others"],
    ["n_one_row", "n_several_rows"],
    ["n_rows_renumbered"],
)


def judge_links(links: LinkReport, policy: ReleaseProfile) -> Judgement:
    """Merge years until each cell is safe; hide what of the totals would still tell of few."""
    matches = _checked(links.matches)
    n_cohort = int(matches.groupby("table")["n_cohort"].sum().max())
    if is_small(n_cohort, policy.threshold):
        raise DisclosureError(
            f"The cohort has fewer than {policy.threshold} persons, the smallest number that "
            f'profile "{policy.name}" shows. Widen the cohort.'
        )
    totals = matches.groupby("table")[MATCHED].sum()
    unsafe = [
        str(name)
        for name, row in totals.iterrows()
        if not are_safe(*row.tolist(), threshold=policy.threshold)
    ]
    shown, n_merged = _merged(matches, unsafe, policy)
    of_unsafe = shown["table"].isin(unsafe)
    frame, hidden, n_cells = take_out(shown, nothing_hidden(shown), rows=of_unsafe, columns=MATCHED)
    counts = {"years merged with a neighbour": n_merged, "matched or unmatched few": n_cells}
    notes = ["Years with few matched or unmatched are shown together."] if n_merged else []
    parts = {
        "tables": _judge_tables(links.tables, unsafe, policy),
        "conflicts": _judge_conflicts(links.conflicts, policy),
    }
    return Judgement("links", frame, hidden, hidden_only(counts), tuple(notes), parts=parts)


def _checked(matches: pd.DataFrame) -> pd.DataFrame:
    checked = matches.copy()
    for column in ("n_cohort", *MATCHED):
        checked[column] = whole_counts(checked[column], what=f"the links' {column}").astype(int)
    if not (checked["n_cohort"] == checked[MATCHED].sum(axis=1)).all():
        raise DisclosureError("The link report's matches do not add up, so it cannot be judged.")
    return checked


def _merged(
    matches: pd.DataFrame, unsafe: list[str], policy: ReleaseProfile
) -> tuple[pd.DataFrame, int]:
    """One row a table and span of years, the same spans for every table."""
    wide = matches.pivot_table(
        index="year", columns="table", values=["n_cohort", *MATCHED], fill_value=0, aggfunc="sum"
    ).sort_index()
    names = [name for name in dict.fromkeys(matches["table"]) if name not in unsafe]
    size = wide["n_cohort"].max(axis=1).astype(int).tolist()
    columns = [size] + [
        wide[count][name].astype(int).tolist() for name in names for count in MATCHED
    ]
    spans = safe_spans(*columns, threshold=policy.threshold)
    rows = []
    for name in dict.fromkeys(matches["table"]):
        for first, end in spans:
            years = wide.index[first:end]
            inside = wide.iloc[first:end]
            row = {count: int(inside[count][name].sum()) for count in ("n_cohort", *MATCHED)}
            words = f"{years[0]}" if len(years) == 1 else f"{years[0]} to {years[-1]}"
            rows.append({"table": name, "years": words, **row})
    return pd.DataFrame(rows, columns=COLUMNS), len(wide) - len(spans)


def _judge_tables(tables: pd.DataFrame, unsafe: list[str], policy: ReleaseProfile) -> Judgement:
    """Totals of each table; a group of counts with a small one is hidden together."""
    frame = tables.reset_index(drop=True)
    hidden, n_hidden = nothing_hidden(frame), 0
    for column in [name for name in frame.columns if name != "table"]:
        whole_counts(frame[column], what=f"the links' {column}")
    for group in SUMS:
        small = is_small(frame[group], policy.threshold).any(axis=1)
        if "n_persons_of_cohort" in group or "n_one_row" in group:
            small = small | frame["table"].isin(unsafe).to_numpy()
        if "n_rows_of_cohort" in group:  # rows beyond one a person tell who has several
            spare = tables["n_rows_of_cohort"] - tables["n_persons_of_cohort"]
            small = small | is_small(spare, policy.threshold)
            small = small | frame["table"].isin(unsafe).to_numpy()
        frame, hidden, n_cells = take_out(frame, hidden, rows=small, columns=group)
        n_hidden += n_cells
    counts = {"totals of a table with few": n_hidden}
    return Judgement("link_tables", frame, hidden, hidden_only(counts))


def _judge_conflicts(conflicts: pd.DataFrame, policy: ReleaseProfile) -> Judgement:
    """Rows compared and rows in conflict; few conflicts, or few that agree, are hidden."""
    frame = conflicts.reset_index(drop=True)
    n_rows = whole_counts(frame["n_rows"], what="the rows compared")
    n_conflicts = whole_counts(frame["n_conflicts"], what="the conflicts")
    few = is_small(n_rows, policy.threshold)
    some = few | is_small(n_conflicts, policy.threshold)
    some = some | is_small(n_rows - n_conflicts, policy.threshold)
    frame, hidden, n_first = take_out(
        frame, nothing_hidden(frame), rows=some, columns=["n_conflicts"]
    )
    frame, hidden, n_second = take_out(frame, hidden, rows=few, columns=["n_rows"])
    counts = {"conflicts with few rows": n_first + n_second}
    return Judgement("link_conflicts", frame, hidden, hidden_only(counts))
