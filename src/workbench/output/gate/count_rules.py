"""The rule for tables of counts: patients of units, cases of sources, reports of regions.

A row is not shown where one of its numbers of persons is small, or what is left of them is (those
without the event, those without an answer). Everything that is made of such a table (shares,
limits, levels, charts) is read off what is shown of it, so that it cannot tell more.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.analysis.count_table import CountTable
from workbench.errors import DisclosureError
from workbench.output.gate.judgement import (
    Judgement,
    hidden_only,
    is_small,
    nothing_hidden,
    rounded,
    take_out,
    whole_counts,
)
from workbench.registers.profiles import ReleaseProfile

N, EVENTS = "n", "events"
OTHER_COUNTS = ("both", "only_register", "only_reference", "reported")
MEASURES = ("expected", "exposure")  # sums over the same persons
SMALL, COMPLEMENT = "rows with small numbers", "rows from which small ones could be worked out"


def judge_counts(counted: CountTable, policy: ReleaseProfile) -> Judgement:
    """Leave out rows with small numbers, and as many more as keep every sum from telling them.

    Sums over each of the columns that name a row are taken to be known.
    """
    table, keys = counted.table, list(counted.by)
    counts = [one for one in (N, EVENTS, *OTHER_COUNTS) if one in table.columns]
    measures = [one for one in MEASURES if one in table.columns]
    _require_counts(table, keys, [*keys, *counts, *measures])
    shown = table[[*keys, *counts, *measures]].reset_index(drop=True)
    for name in counts:
        shown[name] = whole_counts(shown[name], what=f"the table's {name}")
    parts = _parts(shown, counts)
    is_primary = is_small(parts, policy.threshold).any(axis=1)
    is_out = with_complements(shown[keys], parts, is_primary, policy, apart=counted.apart)
    if is_out.all():
        raise DisclosureError(
            f'No row has numbers that can be shown under profile "{policy.name}" (each 0 or at '
            f"least {policy.threshold}, and so what is left of them). Join groups or years."
        )
    totals: dict[str, float] = {name: int(shown[name].sum()) for name in counts}
    totals |= {name: round(float(shown[name].sum()), policy.decimals) for name in measures}
    safe = rounded(shown, measures, decimals=policy.decimals)
    columns = [*counts, *measures]
    safe, hidden, _ = take_out(safe, nothing_hidden(safe), rows=is_out, columns=columns)
    n_primary, n_out = int(is_primary.sum()), int(is_out.sum())
    reasons = hidden_only({SMALL: n_primary, COMPLEMENT: n_out - n_primary})
    if counted.n_missing >= policy.threshold:
        totals["n_missing"] = counted.n_missing
    facts = {"by": tuple(keys), "n_rows": len(safe), "n_hidden": n_out, **totals}
    return Judgement("counts", safe, hidden, reasons, _notes(policy, n_out, len(safe)), facts)


def _require_counts(table: pd.DataFrame, keys: list[str], known: list[str]) -> None:
    if table.empty or len(known) == len(keys):
        raise DisclosureError("The table has no rows or no counts (n, events, ...).")
    if unknown := [str(one) for one in table.columns if one not in known]:
        raise DisclosureError(
            f"The gate does not know what the columns {', '.join(unknown)} count. Release the "
            "counts alone, and read the rest off them (release_reading)."
        )
    if table[keys].isna().any(axis=None) or table.duplicated(keys).any():
        raise DisclosureError(f"Each row needs its own {', '.join(keys)}; some are missing or two.")


def _parts(table: pd.DataFrame, counts: list[str]) -> np.ndarray:
    """Numbers of persons that do not overlap, and those that they add up to: rows x numbers."""
    parts = [table[name] for name in counts]
    if N in counts and EVENTS in counts:
        rest = table[N] - table[EVENTS]
        if (rest < 0).any():
            raise DisclosureError("The table counts more events than persons in some rows.")
        parts.append(rest)
    return np.column_stack(parts)


def with_complements(
    keys: pd.DataFrame, parts: np.ndarray, is_primary: np.ndarray, policy: ReleaseProfile, *,
    apart: tuple[str, ...] = (),
) -> np.ndarray:  # fmt: skip
    """Which rows are not shown: in no sum over one key may what is missing be few, or one row."""
    is_out = is_primary.copy()
    lines = _lines(keys, apart)
    changed = bool(is_out.any())
    while changed:
        changed = False
        for line in lines:
            changed |= _complete(line, parts, is_out, policy.threshold)
    return is_out


def _complete(line: np.ndarray, parts: np.ndarray, is_out: np.ndarray, threshold: int) -> bool:
    """Leave out more rows of one sum, the smallest first; whether any was."""
    out = line[is_out[line]]
    if not len(out):
        return False
    # those with nobody last: they hide little
    rest = sorted(line[~is_out[line]], key=lambda at: (not parts[at].any(), *parts[at]))
    added = False
    while rest and _tells(parts[out], threshold):
        at = rest.pop(0)
        is_out[at] = added = True
        out = np.append(out, at)
    return added


def _tells(parts: np.ndarray, threshold: int) -> bool:
    return len(parts) == 1 or bool(is_small(parts.sum(axis=0), threshold).any())


def _lines(keys: pd.DataFrame, apart: tuple[str, ...]) -> list[np.ndarray]:
    """The places of the rows of every sum over one of the keys."""
    if keys.shape[1] == 1:
        return [np.arange(len(keys))]
    lines = []
    for name in (one for one in keys.columns if one not in apart):
        others = [one for one in keys.columns if one != name]
        number = keys.groupby(others, observed=True, sort=True).ngroup().to_numpy()
        order = np.argsort(number, kind="stable")
        lines += np.split(order, np.flatnonzero(np.diff(number[order])) + 1)
    return lines


def _notes(policy: ReleaseProfile, n_out: int, n_rows: int) -> tuple[str, ...]:
    if not n_out:
        return ()
    return (
        f"{n_out} of {n_rows} rows are not shown: fewer than {policy.threshold} persons in them "
        "or with one answer, or rows from which those could be worked out.",
    )
