"""The attack: what can a reader work out about hidden counts?

The reader knows every shown cell, every sum, every printed number that was worked out from counts,
the rule, and that counts are whole and not negative. A small count is safe when for every protected
value a whole table exists that gives the cell this value and fits all of it. Such a table is looked
for in three ways, each checked exactly: tables handed over, boxes, and solvers. What no table was
found for within the time is not safe.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from workbench.errors import DisclosureError
from workbench.output.gate.suppression.bands import Bands
from workbench.output.gate.suppression.cells import Cells
from workbench.output.gate.suppression.doubts import Doubt, Doubts
from workbench.output.gate.suppression.protection import Protection
from workbench.output.gate.suppression.readers import as_readers
from workbench.output.gate.suppression.search import TABLES, Search
from workbench.output.gate.suppression.solving import FOUND
from workbench.output.gate.suppression.sums import possible_by_sums

SHOWN, SUMS = "shown", "sums"


def attack(
    cells: Cells,
    hidden: np.ndarray,
    protection: Protection,
    *,
    bands: Bands | None = None,
    readers: np.ndarray | None = None,
    earlier: np.ndarray | None = None,
    doubts: Iterable[Doubt] = (),
    seconds: float = 60,
) -> pd.DataFrame:
    """Find out what readers could work out about every small count.

    Parameters
    ----------
    cells
        All cells with their true counts.
    hidden
        One truth a cell: not shown to anybody. Cells that nobody prints count as hidden.
    protection
        What is small, and which values must stay possible.
    bands
        Other published numbers that depend on the counts.
    readers
        Readers x cells: which hidden cells a reader knows besides what is shown (the counts of the
        own unit, an earlier release). Without it there is one reader who knows none. A reader's
        own cells are not judged against that reader.
    earlier
        One truth a cell: shown in an earlier release of the same counts, and so to everybody.
    doubts
        Tables to try first, as a pattern carries them; each is checked again.
    seconds
        How long solvers may look. What is undecided then is not safe.

    Returns
    -------
    pandas.DataFrame
        One row a small count: the columns of `cells.names`, then `lowest` and `highest` (the least
        and the greatest value known to be possible for every reader; where it is not safe, the two
        enclose the true count alone or what is possible), `is_safe`, and `decided_by`: "tables"
        (shown by other tables), "shown" (it stands there), "sums" (one sum after the other gives
        it away), "lp", "milp" or "timed out".

    Raises
    ------
    DisclosureError
        `hidden` or `readers` do not fit the cells.
    """
    unknown = _unknown(cells, hidden)
    if earlier is not None:
        unknown &= ~np.asarray(earlier, dtype=bool)
    knowing = as_readers(cells, readers)
    found = Doubts(cells, protection, knowing, bands)
    for doubt in doubts:
        if unknown[doubt.cells].all():
            found.add(doubt)
    reasons = np.full(len(cells), TABLES, dtype=object)
    failed = _given_away(cells, unknown, bands, found, reasons)
    search = Search(cells, found, knowing, bands, seconds=seconds)
    _search(cells, unknown, found, search, reasons, failed)
    return _told(cells, found, failed, reasons)


def _unknown(cells: Cells, hidden: np.ndarray) -> np.ndarray:
    """The cells that are not shown."""
    given = np.asarray(hidden)
    if given.shape != (len(cells),) or given.dtype != bool:
        raise DisclosureError(f"hidden: expected one truth for each of the {len(cells)} cells.")
    return given | ~cells.is_printed


def _given_away(
    cells: Cells, unknown: np.ndarray, bands: Bands | None, found: Doubts, reasons: np.ndarray
) -> np.ndarray:
    """Small counts that stand there, or that one sum after the other gives away to everybody."""
    failed = np.zeros(len(cells), dtype=bool)
    failed[found.targets] = ~unknown[found.targets]
    reasons[failed] = SHOWN
    if len(left := found.open_targets()):
        lowest, highest = found.limits
        least, most = possible_by_sums(cells, unknown, bands)
        told = (least > lowest) | (most < highest)
        told &= unknown & np.isin(np.arange(len(cells)), left)
        reasons[told] = SUMS
        failed |= told
    return failed


def _search(
    cells: Cells,
    unknown: np.ndarray,
    found: Doubts,
    search: Search,
    reasons: np.ndarray,
    failed: np.ndarray,
) -> None:
    """Look for the tables that are still missing, by boxes everywhere before any solver."""
    cost = np.where(unknown, 0.0, np.inf)
    left = [int(one) for one in found.open_targets() if not failed[one]]
    left = [target for target in left if not search.by_boxes(target, cost)]
    for target in left:
        answer = search.thoroughly(target, cost)
        reasons[target] = answer.decided_by
        failed[target] = answer.status != FOUND


def _told(cells: Cells, found: Doubts, failed: np.ndarray, reasons: np.ndarray) -> pd.DataFrame:
    """The report, one row a small count."""
    targets = found.targets
    report = cells.names.iloc[targets].reset_index(drop=True)
    is_shown = reasons[targets] == SHOWN
    true = cells.counts[targets]
    lowest, highest = found.possible()
    report["lowest"] = np.where(is_shown, true, lowest)
    report["highest"] = np.where(is_shown, true, highest)
    is_open = np.isin(targets, found.open_targets())
    report["is_safe"] = ~(failed[targets] | is_open)
    report["decided_by"] = reasons[targets]
    return report
