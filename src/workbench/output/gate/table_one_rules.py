"""The rule for Table 1.

The rows of a variable add up to the group, and the groups to everyone: one hidden cell would be
worked out by subtraction. The rule is therefore blunt. When any number of persons in a variable
(a level, or missing, in any group) is 1 to threshold - 1:

- of a category, every number of the variable is hidden in every group, percentages and the
  standardised difference included;
- of a number, the counts are hidden in every group; mean, spread and quartiles stay, since rounded
  they do not tell how many they stand on.

A mean needs at least `threshold` persons, quartiles twice as many (each half then holds
`threshold`); both are rounded to significant digits, and no least or greatest value is ever shown.
Where the profile hides 0 % and 100 %, an empty category counts as small. Percentages need the
profile's smallest denominator. When a group has fewer than `threshold` persons only the column for
everyone is shown.
"""

from __future__ import annotations

import pandas as pd

from workbench.analysis.description import COLUMNS, EVERYONE
from workbench.errors import DisclosureError
from workbench.output.gate.judgement import (
    Judgement,
    hidden_only,
    is_small,
    nothing_hidden,
    rounded,
    significant,
    take_out,
    whole_counts,
)
from workbench.registers.profiles import ReleaseProfile

COUNTS = ["n", "n_missing", "percent"]
MOMENTS = ["mean", "std_dev"]
QUARTILES = ["median", "lower_quartile", "upper_quartile"]
DIFFERENCE = ["standardised_difference"]


def judge_table_one(table: pd.DataFrame, policy: ReleaseProfile) -> Judgement:
    """Hide a variable's numbers in all groups when any of them is small."""
    table = table.reset_index(drop=True)
    for column in ("n", "n_group", "n_missing"):
        table[column] = whole_counts(table[column], what=f"Table 1's {column}")
    everyone = table["group"] == EVERYONE
    if not everyone.any() or is_small(table.loc[everyone, "n_group"], policy.threshold).any():
        raise DisclosureError(
            f"Table 1 stands on fewer than {policy.threshold} persons, the smallest number that "
            f'profile "{policy.name}" shows. Widen the cohort.'
        )
    table, n_groups = _without_small_groups(table, policy)
    is_category = table["variable"].isin(table.loc[table["kind"] == "category", "variable"])
    small = pd.Series(is_small(table["n"], policy.threshold), index=table.index)
    if policy.hides_zero:  # then others of the variable may be all of the group
        small |= is_category & (table["n"] == 0) & (table["n_group"] > 0)
    unsafe = small.groupby(table["variable"]).transform("any")
    few, fewer = table["n"] < 2 * policy.threshold, table["n"] < policy.threshold
    shown = _rounded(table, policy)
    hidden = nothing_hidden(shown)
    n_cells = []
    for rows, columns in (
        (unsafe, COUNTS),
        (unsafe & is_category, DIFFERENCE),
        (table["n_group"] < policy.minimum_denominator, ["percent"]),
        (few, QUARTILES),
        (fewer, MOMENTS),
    ):
        shown, hidden, n = take_out(shown, hidden, rows=rows, columns=columns)
        n_cells.append(n)
    counts = {
        "groups of Table 1 hidden because one of them is small": n_groups,
        "cells of variables with a small number of persons": n_cells[0] + n_cells[1],
        "percentages of small groups": n_cells[2],
        "quartiles and means of few persons": n_cells[3] + n_cells[4],
    }
    facts = {"n_persons": int(table.loc[table["group"] == EVERYONE, "n_group"].iloc[0])}
    notes = _notes(policy, counts)
    return Judgement("table_one", shown, hidden, hidden_only(counts), notes, facts)


def _without_small_groups(table: pd.DataFrame, policy: ReleaseProfile) -> tuple[pd.DataFrame, int]:
    if not is_small(table["n_group"], policy.threshold).any():
        return table, 0
    everyone = table["group"] == EVERYONE
    n_groups = table.loc[~everyone, "group"].nunique()
    kept = table[everyone].reset_index(drop=True)
    # The difference is between groups that are no longer there.
    return kept.assign(standardised_difference=float("nan")), n_groups


def _rounded(table: pd.DataFrame, policy: ReleaseProfile) -> pd.DataFrame:
    """Counts as whole numbers that may be missing; the rest no finer than the profile allows."""
    shown = rounded(table[COLUMNS], DIFFERENCE, decimals=policy.decimals)
    # A percentage with two decimals fewer is as fine as a share with the profile's.
    shown = rounded(shown, ["percent"], decimals=max(policy.decimals - 2, 0))
    for column in (*MOMENTS, *QUARTILES):
        shown[column] = significant(shown[column], digits=policy.significant_digits)
    return shown.astype(dict.fromkeys(["n", "n_group", "n_missing"], "Int64"))


def _notes(policy: ReleaseProfile, counts: dict[str, int]) -> tuple[str, ...]:
    if not any(counts.values()):
        return ()
    return (
        f"A variable in which any number of persons is below {policy.threshold} has its numbers "
        "hidden in every group, since they would subtract to it.",
    )
