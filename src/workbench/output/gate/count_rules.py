"""The rule for tables of counts: patients of units, cases of sources, reports of regions.

A number is not shown where it is small, or where what is left of its group is (those without the
event). As many more are hidden as it takes that none can be worked out, which an attack proves (see
`suppression`). Everything that is made of such a table (shares, limits, levels, charts) is read off
what is shown of it, so that it cannot tell more.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from workbench.analysis.count_table import CountTable
from workbench.errors import DisclosureError
from workbench.output.gate.count_systems import EVENTS, N, systems_of
from workbench.output.gate.earlier_counts import without_differences
from workbench.output.gate.joint_counts import ShownCounts, hide, nesting_of
from workbench.output.gate.judgement import (
    Judgement,
    hidden_only,
    nothing_hidden,
    round_counts,
    rounded,
    take_out,
    whole_counts,
)
from workbench.output.gate.suppression.patterns import COMPLEMENTARY
from workbench.registers.profiles import ReleaseProfile

OTHER_COUNTS = ("both", "only_register", "only_reference", "reported")
MEASURES = ("expected", "exposure")  # sums over the same persons
LARGEST = "exposure_largest"  # what one person gives to the sum, at most: judged, never shown
SMALL, COMPLEMENT = "rows with small numbers", "rows from which small ones could be worked out"
DOMINATED = "sums to which one person gives too much"


def judge_counts(
    counted: CountTable, policy: ReleaseProfile, *, title: str = "the table",
    beside: Sequence[ShownCounts] = (),
) -> Judgement:  # fmt: skip
    """Hide small numbers, and as many more as keep every sum from telling them.

    Sums over each of the columns that name a row are judged with the rows; `beside` are counts
    that readers of this table may hold as well.
    """
    table, keys = counted.table, list(counted.by)
    counts = [one for one in (N, EVENTS, *OTHER_COUNTS) if one in table.columns]
    measures = [one for one in MEASURES if one in table.columns]
    known = [*keys, *counts, *measures, *([LARGEST] if "exposure" in measures else [])]
    _require_counts(table, keys, known)
    shown = table[known].reset_index(drop=True)
    for name in counts:
        shown[name] = whole_counts(shown[name], what=f"the table's {name}")
    behind, is_told = _judged(shown, counted, counts, policy, title, beside)
    cells, is_small = _cells_out(shown, counts, behind, is_told)
    is_out = cells.any(axis=1)
    if cells.all(axis=None):
        raise DisclosureError(
            f'No row has numbers that can be shown under profile "{policy.name}" (each 0 or at '
            f"least {policy.threshold}, and so what is left of them). Join groups or years."
        )
    dominated = "exposure" in measures and _is_dominated(shown, policy)
    totals = _totals(shown[is_told], counts, measures, policy, without=dominated)
    safe = rounded(shown[[*keys, *counts, *measures]], measures, decimals=policy.decimals)
    hidden = nothing_hidden(safe)
    for name in counts:
        safe, hidden, _ = take_out(safe, hidden, rows=cells[name], columns=[name])
        safe[name] = round_counts(safe[name], policy)
    safe, hidden, _ = take_out(safe, hidden, rows=is_out, columns=measures)
    n_sums = 0
    if dominated:
        safe, hidden, n_sums = take_out(
            safe, hidden, rows=~hidden["exposure"], columns=["exposure"]
        )
    n_primary, n_out = int(is_small.sum()), int(is_out.sum())
    reasons = hidden_only({SMALL: n_primary, COMPLEMENT: n_out - n_primary, DOMINATED: n_sums})
    if counted.n_missing >= policy.threshold:
        totals["n_missing"] = int(round_counts([counted.n_missing], policy)[0])
    facts = {"by": tuple(keys), "n_rows": len(safe), "n_hidden": n_out, **totals}
    notes = _notes(policy, n_out, len(safe))
    return Judgement("counts", safe, hidden, reasons, notes, facts, behind=tuple(behind))


def hidden_rows(
    table: pd.DataFrame, keys: list[str], count: str, policy: ReleaseProfile
) -> np.ndarray:
    """Which rows of a table with one count are hidden; all, where even their sum is small."""
    try:
        (system,) = systems_of(table, keys, [count])
        found = hide(system, policy, title="the table")
    except DisclosureError:
        return np.ones(len(table), dtype=bool)
    return np.asarray(found.hidden[system.places[count]])


def _judged(
    shown: pd.DataFrame, counted: CountTable, counts: list[str], policy: ReleaseProfile,
    title: str, beside: Sequence[ShownCounts],
) -> tuple[list[ShownCounts], np.ndarray]:  # fmt: skip
    """What is hidden of every system, and which rows' sum may be told.

    A group that is never added up to others (an indicator) may be hidden as a whole; then it is
    in no sum.
    """
    if EVENTS in counts and N in counts and (shown[EVENTS] > shown[N]).any():
        raise DisclosureError("The table counts more events than persons in some rows.")
    is_told = np.ones(len(shown), dtype=bool)
    behind: list[ShownCounts] = []
    levels = nesting_of(one.system for one in beside)
    for system in systems_of(shown, list(counted.by), counts, counted.apart, levels):
        try:
            alone = hide(system, policy, title=title, beside=beside)
            behind.append(without_differences(alone, policy, beside))
        except DisclosureError:
            if not counted.apart:
                raise
            is_told[system.rows] = False
    return behind, is_told


def _cells_out(
    shown: pd.DataFrame, counts: list[str], behind: list[ShownCounts], is_told: np.ndarray
) -> tuple[pd.DataFrame, np.ndarray]:
    """Rows x counts: what is hidden; and the rows in which something is small."""
    cells = pd.DataFrame(False, index=shown.index, columns=counts)
    is_small = np.zeros(len(shown), dtype=bool)
    for one in behind:
        rows = one.system.rows
        for name, places in one.system.places.items():
            cells.loc[rows, name] = one.hidden[places]
            is_small[rows] |= one.hidden[places] & (one.reason[places] != COMPLEMENTARY)
    cells[~is_told] = True
    is_small |= ~is_told
    if set(counts) & set(OTHER_COUNTS):  # sums across the columns may be known
        cells[cells.any(axis=1)] = True
    return cells, is_small


def _totals(
    told: pd.DataFrame, counts: list[str], measures: list[str], policy: ReleaseProfile, *,
    without: bool,
) -> dict[str, float]:  # fmt: skip
    """The sums of everything that may be told."""
    sums = round_counts([int(told[name].sum()) for name in counts], policy)
    totals: dict[str, float] = dict(zip(counts, map(int, sums), strict=True))
    wanted = [one for one in measures if not (without and one == "exposure")]
    return totals | {name: round(float(told[name].sum()), policy.decimals) for name in wanted}


def _is_dominated(shown: pd.DataFrame, policy: ReleaseProfile) -> bool:
    """Whether one person gives too much to a sum; then no sum of the table is shown."""
    share = shown[LARGEST] / shown["exposure"].where(shown["exposure"] > 0)
    return bool((share > policy.dominance_percent / 100).any())


def _require_counts(table: pd.DataFrame, keys: list[str], known: list[str]) -> None:
    if table.empty or len(known) == len(keys):
        raise DisclosureError("The table has no rows or no counts (n, events, ...).")
    if LARGEST in known and LARGEST not in table:
        raise DisclosureError(
            f"The gate cannot judge exposure without the largest part of it that one person gives. "
            f"Put it beside it, as the column {LARGEST}."
        )
    if unknown := [str(one) for one in table.columns if one not in known]:
        raise DisclosureError(
            f"The gate does not know what the columns {', '.join(unknown)} count. Release the "
            "counts alone, and read the rest off them (release_reading)."
        )
    if table[keys].isna().any(axis=None) or table.duplicated(keys).any():
        raise DisclosureError(f"Each row needs its own {', '.join(keys)}; some are missing or two.")


def _notes(policy: ReleaseProfile, n_out: int, n_rows: int) -> tuple[str, ...]:
    told = []
    if n_out:
        told.append(
            f"{n_out} of {n_rows} rows are not shown in full: fewer than {policy.threshold} "
            "persons in them or with one answer, or rows from which those could be worked out."
        )
    if policy.rounding != "none":
        told.append(f"Counts are rounded ({policy.rounding}), so that parts need not add up.")
    return tuple(told)
