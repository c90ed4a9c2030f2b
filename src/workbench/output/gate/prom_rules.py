"""The rule for scores of questionnaires: means of groups large enough, in whole points.

A group is shown as the display rule of the summary says (patients asked, answers), and never with
fewer answers than the threshold; as many more are taken out as keep sums from telling how many
answered. Numbers of persons are not in it: release them as counts, with the response rate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.errors import DisclosureError
from workbench.output.gate.count_rules import hidden_rows
from workbench.output.gate.judgement import (
    Judgement,
    hidden_only,
    nothing_hidden,
    rounded,
    take_out,
    whole_counts,
)
from workbench.registers.profiles import ReleaseProfile

SHOWN = ["mean", "std_dev", "lower", "upper"]
FEW = "groups with few answers"
NOTE = "Means, their intervals and standard deviations are rounded to whole points."


@dataclass(frozen=True)
class PromTable:
    """Scores by groups, as `prom.summarise` gives them, for the gate."""

    table: pd.DataFrame
    by: tuple[str, ...]


def judge_prom(scores: PromTable, policy: ReleaseProfile) -> Judgement:
    """Take out scores that few answers stand behind."""
    keys, table = list(scores.by), scores.table.reset_index(drop=True)
    scored = whole_counts(table["n_scored"], what="the numbers of scores")
    is_few = (scored < policy.threshold) | table["estimate"].isna().to_numpy()
    is_out = is_few | _groups_out(table, keys, policy)
    if is_out.all():
        raise DisclosureError(
            f'No score has answers enough to be shown under profile "{policy.name}". Join groups '
            "or years."
        )
    named = table.drop(columns="scale").rename(columns={"label": "scale", "estimate": "mean"})
    safe = rounded(named[[*keys, "scale", *SHOWN]], SHOWN, decimals=0)
    safe, hidden, _ = take_out(safe, nothing_hidden(safe), rows=is_out, columns=SHOWN)
    hidden.loc[is_out, SHOWN] = True  # what the display rule left out is hidden, not missing
    facts = {"by": (*keys, "scale"), "n_hidden": int(is_out.sum())}
    counts = hidden_only({FEW: int(is_out.sum())})
    return Judgement("prom", safe, hidden, counts, (NOTE,), facts)


def _groups_out(table: pd.DataFrame, keys: list[str], policy: ReleaseProfile) -> np.ndarray:
    """Rows of groups whose number of answers could be told by subtraction."""
    if not keys:
        return np.zeros(len(table), dtype=bool)
    groups = table.groupby(keys, observed=True, sort=True)["n_answered"].first().reset_index()
    groups["n_answered"] = whole_counts(groups["n_answered"], what="the numbers of answers")
    groups["is_out"] = hidden_rows(groups, keys, "n_answered", policy)
    return table[keys].merge(groups, on=keys, how="left")["is_out"].to_numpy(bool)
