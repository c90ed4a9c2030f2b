"""Follow-up gathered into batches of persons, from which curves are made that may be shown.

In each group everybody who leaves in one way (with the event, by a cause, censored) is put in
order of time and gathered into batches of at least the profile's threshold, all counted at the
time of their middle one. Estimates on the batches tell no more than the batches do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from workbench.output.gate.judgement import are_safe, safe_spans, significant
from workbench.registers.profiles import ReleaseProfile

Key = tuple[object, ...]
Groups = dict[Key, pd.DataFrame]


def by_group(frame: pd.DataFrame, by: Sequence[str]) -> Groups:
    """The rows of each group, in the order in which the groups stand."""
    if not by:
        return {(): frame.reset_index(drop=True)}
    grouped = frame.groupby(list(by), observed=True, sort=False)
    return {key: rows.reset_index(drop=True) for key, rows in grouped}


def groups_left_out(totals: Mapping[Key, Sequence[int]], threshold: int) -> list[Key]:
    """Groups that cannot be shown, and as many more as keep their sum from being small.

    `totals` gives of each group the persons, and those who left in each way.
    """
    left_out = [key for key, counts in totals.items() if not are_safe(*counts, threshold=threshold)]
    remaining = sorted(
        (key for key in totals if key not in left_out), key=lambda key: tuple(totals[key])
    )

    def together() -> list[int]:
        return [sum(counts) for counts in zip(*(totals[key] for key in left_out), strict=True)]

    while left_out and remaining and not are_safe(*together(), threshold=threshold):
        left_out.append(remaining.pop(0))
    return left_out


def batches_of(
    groups: Groups, by: Sequence[str], leaving: Mapping[str, int], policy: ReleaseProfile
) -> pd.DataFrame:
    """The groups' coarsened follow-up: one row a batch.

    `leaving` names the columns that count who leaves, with the code `event` of each. Gives the
    columns of `by`, `time`, `event`, and `n`, the persons of the batch.
    """
    parts = []
    for rows in groups.values():
        time = significant(rows["time"], digits=policy.significant_digits)
        for column, code in leaving.items():
            numbers = rows.groupby(time)[column].sum()
            numbers = numbers[numbers > 0]
            if numbers.empty:
                continue
            spans = safe_spans(numbers.tolist(), threshold=policy.threshold)
            batch = rows[list(by)].iloc[np.zeros(len(spans), dtype=int)]
            times = [_middle_time(numbers.iloc[first:end]) for first, end in spans]
            sizes = [int(numbers.iloc[first:end].sum()) for first, end in spans]
            parts.append(batch.assign(time=times, event=code, n=sizes))
    return pd.concat(parts, ignore_index=True)


def _middle_time(numbers: pd.Series) -> float:
    """The time of the middle person; never the first or last time of anyone by rule."""
    running = numbers.cumsum().to_numpy()
    return float(numbers.index[int(np.searchsorted(running, running[-1] / 2))])
