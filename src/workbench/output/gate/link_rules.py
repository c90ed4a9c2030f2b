"""The rule for a link report: how a cohort fits the other registers.

Years are merged with their neighbours until matched and unmatched are 0 or at least the threshold
in each, with the same years for every table, so that no two tables can be subtracted. A table for
which even all years together are not safe shows no number but the size of the cohort: neither
matched nor unmatched, no total, no contradiction.

Everything is judged by persons: a number of rows is shown only where it can stand on no few
persons, and where no two shown numbers subtract to few. What is judged by and not shown itself (the
others with several rows, the persons behind contradictions) is taken for few when it is missing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from workbench.analysis.cohort.link_report import PERSONS_BEHIND_ROWS, LinkReport
from workbench.errors import DisclosureError
from workbench.output.gate.judgement import (
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
ROWS = ["n_rows", "n_rows_of_cohort", "n_rows_of_others", "n_rows_without_person"]
OTHERS = ["n_persons", "n_persons_of_others"]
DEGREES = ["n_one_row", "n_several_rows"]
RENUMBERED = ["n_rows_renumbered"]
TOTALS = [*ROWS, "n_persons", "n_persons_of_cohort", "n_persons_of_others", *DEGREES, *RENUMBERED]
CONFLICTS = ["n_rows", "n_conflicts"]


def judge_links(links: LinkReport, policy: ReleaseProfile) -> Judgement:
    """Merge years until each cell is safe; hide what of the totals would still tell of few."""
    matches = _checked(links)
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
    tables, closed = _judge_tables(links.tables, unsafe, policy)
    conflicts = _judge_conflicts(links, closed, n_cohort, policy)
    parts = {"tables": tables, "conflicts": conflicts}
    return Judgement("links", frame, hidden, hidden_only(counts), tuple(notes), parts=parts)


def _checked(links: LinkReport) -> pd.DataFrame:
    """The matches in whole numbers of persons, the same persons for every table."""
    checked = links.matches.copy()
    for column in ("n_cohort", *MATCHED):
        checked[column] = whole_counts(checked[column], what=f"the links' {column}").astype(int)
    if not (checked["n_cohort"] == checked[MATCHED].sum(axis=1)).all():
        raise DisclosureError("The link report's matches do not add up, so it cannot be judged.")
    sizes = checked.pivot_table(
        index="year", columns="table", values="n_cohort", fill_value=0, aggfunc="sum"
    )
    persons = links.tables.set_index("table")["n_persons_of_cohort"]
    found = checked.groupby("table")["n_matched"].sum()
    if sizes.nunique(axis=1).gt(1).any() or not found.sort_index().equals(
        persons.astype(found.dtype).rename("n_matched").sort_index()
    ):
        raise DisclosureError(
            "The link report's matches do not count the same persons as its totals, each once, so "
            "that few persons could hide behind many rows. Make the cohort again with this "
            "workbench."
        )
    return checked


def _merged(
    matches: pd.DataFrame, unsafe: list[str], policy: ReleaseProfile
) -> tuple[pd.DataFrame, int]:
    """One row a table and span of years, the same spans for every table.

    A person counts in one year only, so that years can be added.
    """
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


def _judge_tables(
    tables: pd.DataFrame, unsafe: list[str], policy: ReleaseProfile
) -> tuple[Judgement, list[str]]:
    """Totals of each table, and the tables whose rows of the cohort must not be told elsewhere."""
    told = tables.reset_index(drop=True)
    for column in TOTALS:
        told[column] = whole_counts(told[column], what=f"the links' {column}")

    def few(counts: Any) -> np.ndarray:
        return np.asarray(is_small(counts, policy.threshold))

    closed = told["table"].isin(unsafe).to_numpy()
    # The cohort's persons are known from the matches: what is left of all of them are the others.
    others = few(told[OTHERS]).any(axis=1)
    degrees = few(told[DEGREES]).any(axis=1)
    rows = told["n_rows_of_cohort"]
    further = rows - told["n_persons_of_cohort"]  # rows beyond the first of each
    third = further - told["n_several_rows"]  # rows beyond the second of each
    own = degrees | few(further) | few(third)
    spare = told["n_rows_of_others"] - told["n_persons_of_others"]
    several = _judged_by(told, "n_several_of_others")
    any_rows = own | others | few(told[ROWS]).any(axis=1) | few(spare) | few(several)
    moved = _judged_by(told, "n_persons_renumbered")
    renumbered = few(told["n_rows_renumbered"]) | few(rows - told["n_rows_renumbered"])
    renumbered = renumbered | few(moved) | few(told["n_persons_of_cohort"] - moved)
    frame = told[["table", *TOTALS]]
    hidden, n_hidden = nothing_hidden(frame), 0
    for where, columns in (
        (closed, TOTALS),
        (others, OTHERS),
        (degrees, DEGREES),
        (any_rows, ROWS),
        (renumbered, RENUMBERED),
    ):
        frame, hidden, n_cells = take_out(frame, hidden, rows=where, columns=columns)
        n_hidden += n_cells
    counts = {"totals of a table with few": n_hidden}
    judged = Judgement("link_tables", frame, hidden, hidden_only(counts))
    return judged, told.loc[closed | own, "table"].tolist()


def _judged_by(told: pd.DataFrame, column: str) -> pd.Series:
    """Persons behind rows, counted for the gate; one where nobody counted them, which is few."""
    if column not in told:
        return pd.Series(1, index=told.index)
    return pd.to_numeric(told[column]).fillna(1)


def _judge_conflicts(
    links: LinkReport, closed: list[str], n_cohort: int, policy: ReleaseProfile
) -> Judgement:
    """Rows compared and rows in conflict, where no few persons are in, out or left aside."""
    told = links.conflicts.reset_index(drop=True)
    for column in CONFLICTS:
        told[column] = whole_counts(told[column], what=f"the contradictions' {column}")
    persons = links.tables.set_index("table")["n_persons_of_cohort"]
    own_rows = links.tables.set_index("table")["n_rows_of_cohort"]

    def few(counts: Any) -> np.ndarray:
        return np.asarray(is_small(np.abs(np.asarray(counts, dtype=float)), policy.threshold))

    n_rows, n_conflicts = told["n_rows"], told["n_conflicts"]
    conflicting, agreeing, left_aside = (_judged_by(told, one) for one in PERSONS_BEHIND_ROWS)
    some = few(n_conflicts) | few(n_rows - n_conflicts) | few(conflicting) | few(agreeing)
    all_rows = few(n_rows) | few(left_aside) | _near_another(told, policy)
    # The numbers from which these rows could be subtracted, and the other way round.
    for known in (told["table"].map(own_rows), told["table"].map(persons), n_cohort):
        all_rows = all_rows | few(known - n_rows)
        some = some | few(known - n_conflicts)
    all_rows = all_rows | told["table"].isin(closed).to_numpy()
    # Rows of the study's own table subtract from the ledger's persons, which are not known here.
    own_table = ~told["table"].isin(persons.index).to_numpy()
    frame = told[["table", "question", *CONFLICTS]]
    frame, hidden, n_first = take_out(
        frame, nothing_hidden(frame), rows=some | all_rows, columns=["n_conflicts"]
    )
    frame, hidden, n_second = take_out(frame, hidden, rows=all_rows | own_table, columns=["n_rows"])
    counts = {"contradictions with few persons": n_first + n_second}
    return Judgement("link_conflicts", frame, hidden, hidden_only(counts))


def _near_another(told: pd.DataFrame, policy: ReleaseProfile) -> np.ndarray:
    """Whether another question to the same table was asked of only few rows more or less."""
    near = np.zeros(len(told), dtype=bool)
    for _, block in told.groupby("table"):
        n_rows = block["n_rows"].to_numpy()
        apart = np.abs(n_rows[:, None] - n_rows[None, :])
        near[block.index] = is_small(apart, policy.threshold).any(axis=1)
    return near
