"""The rules for reporting lags and for the cases that are still to come.

A lag is shown where enough reports stand behind it: a quantile where at least the threshold lie on
each side of it, a share where neither those within the days nor the others are few. A group whose
number of reports is small is not shown, nor as many more as keep sums from telling it.
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
    is_small,
    nothing_hidden,
    rounded,
    significant,
    take_out,
    whole_counts,
)
from workbench.registers.profiles import ReleaseProfile

QUANTILES = {"median_days": 0.5, "p90_days": 0.9}
FEW, SIDES = "groups with few reports", "lags with few reports on one side"


@dataclass(frozen=True)
class LagTable:
    """Reporting lags by groups, as `coverage.reporting_lag` gives them, for the gate."""

    table: pd.DataFrame
    by: tuple[str, ...]


@dataclass(frozen=True)
class NowcastTable:
    """Cases reported and expected, as `coverage.nowcast` gives them, for the gate."""

    table: pd.DataFrame
    by: tuple[str, ...]


def judge_lag(lags: LagTable, policy: ReleaseProfile) -> Judgement:
    """Take out lags that few reports stand behind."""
    table, keys = lags.table, list(lags.by)
    days = [one for one in table.columns if one.startswith("share_") and one.count("_") == 1]
    columns = ["n", *[one for one in QUANTILES if one in table], *days]
    safe = table[[*keys, *columns]].reset_index(drop=True)
    safe["n"] = whole_counts(safe["n"], what="the numbers of reports")
    n = safe["n"].to_numpy()
    is_out = hidden_rows(safe, keys, "n", policy)
    _require_some(is_out, policy)
    safe = rounded(safe, days, decimals=2)
    for name in columns[1:]:
        if name in QUANTILES:
            safe[name] = significant(safe[name], digits=2)
    safe, hidden, _ = take_out(safe, nothing_hidden(safe), rows=is_out, columns=columns)
    n_sides = 0
    for name in columns[1:]:
        share = QUANTILES[name] if name in QUANTILES else table[name].to_numpy(float)
        sides = np.round(np.column_stack([n * share, n * (1 - share)]))
        few = (sides < policy.threshold).any(axis=1) if name in QUANTILES else None
        few = is_small(sides, policy.threshold).any(axis=1) if few is None else few
        safe, hidden, n_cells = take_out(safe, hidden, rows=few & ~is_out, columns=[name])
        n_sides += n_cells
    facts = {"by": tuple(keys), "n": int(n.sum()), "n_hidden": int(is_out.sum())}
    counts = hidden_only({FEW: int(is_out.sum()), SIDES: n_sides})
    note = "Lags in days are rounded to two digits, shares to whole per cent."
    return Judgement("lag", safe, hidden, counts, (note,), facts)


def judge_nowcast(cases: NowcastTable, policy: ReleaseProfile) -> Judgement:
    """Take out periods with few reports; expected numbers are rounded to whole cases."""
    keys = list(cases.by)
    numbers = ["expected", "lower", "upper"]
    safe = cases.table[[*keys, "reported", "arrived", *numbers, "is_provisional"]]
    safe = safe.reset_index(drop=True)
    safe["reported"] = whole_counts(safe["reported"], what="the numbers of reports")
    n = safe["reported"].to_numpy()
    is_out = hidden_rows(safe, keys, "reported", policy)
    _require_some(is_out, policy)
    safe = rounded(rounded(safe, numbers, decimals=0), ["arrived"], decimals=2)
    columns = ["reported", *numbers]
    safe, hidden, _ = take_out(safe, nothing_hidden(safe), rows=is_out, columns=columns)
    facts = {"by": tuple(keys), "n": int(n.sum()), "n_hidden": int(is_out.sum())}
    return Judgement("nowcast", safe, hidden, hidden_only({FEW: int(is_out.sum())}), (), facts)


def _require_some(is_out: np.ndarray, policy: ReleaseProfile) -> None:
    if is_out.all():
        raise DisclosureError(
            f'No group has reports enough to be shown under profile "{policy.name}" (at least '
            f"{policy.threshold}). Join groups or years."
        )
