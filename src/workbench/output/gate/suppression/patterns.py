"""Which cells to hide, so that no small count can be worked out from all that is shown.

Small counts come first. For each of them other tables are then built that fit all sums and give
the cell every protected value; the cells in which these tables differ from the true one are hidden
as well. Small tables are solved exactly; in large ones each table is a walk over the cheapest boxes
(`walks`), or a solver's where boxes do not lead there. What is hidden without need is shown again
(`cleaning`), and the result is attacked before it is given.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.errors import DisclosureError
from workbench.output.gate.suppression.attacks import attack
from workbench.output.gate.suppression.bands import Bands
from workbench.output.gate.suppression.cells import Cells
from workbench.output.gate.suppression.cleaning import show_again
from workbench.output.gate.suppression.doubts import Doubt, Doubts
from workbench.output.gate.suppression.exact import EXACT_UP_TO, fewest_hidden
from workbench.output.gate.suppression.protection import Protection
from workbench.output.gate.suppression.readers import as_readers
from workbench.output.gate.suppression.search import Search

SMALL, REST_SMALL, COMPLEMENTARY = "small", "the rest is small", "complementary"
PRICE_OF_SIZE = 0.05  # of two patterns with as many cells, the one with the smaller counts


@dataclass(frozen=True, eq=False)
class Pattern:
    """What to hide: `hidden` and `reason` ("" where shown), one element a cell of `cells`.

    `doubts` are the tables that prove it, `rounds` how often the search went over the cells that
    were still open. Cells that nobody prints are not hidden: there is nothing to hide.
    """

    cells: Cells
    hidden: np.ndarray
    reason: np.ndarray
    doubts: tuple[Doubt, ...]
    rounds: int

    @property
    def kept_share(self) -> float:
        """The share of printed cells that are shown."""
        return 1 - float(self.hidden.sum()) / float(self.cells.is_printed.sum())

    @property
    def table(self) -> pd.DataFrame:
        """The printed cells: columns of `cells.names`, `count` (missing if hidden), `reason`."""
        table = self.cells.names.copy()
        table["count"] = pd.array(self.cells.counts, dtype="Int64")
        table["count"] = table["count"].mask(self.hidden)
        table["reason"] = self.reason
        return table[self.cells.is_printed].reset_index(drop=True)


def protect(
    cells: Cells,
    protection: Protection,
    *,
    bands: Bands | None = None,
    readers: np.ndarray | None = None,
    earlier: np.ndarray | None = None,
    price: np.ndarray | None = None,
    seconds: float = 60,
) -> Pattern:
    """Choose the cells to hide, as few as possible, so that every small count is safe.

    Parameters
    ----------
    cells
        All cells that are published together, with their true counts.
    protection
        What is small, and which values must stay possible.
    bands
        Numbers that are printed whatever is hidden, and depend on the counts.
    readers
        Readers x cells: what each reader knows besides what is shown (see `readers.holders`).
    earlier
        One truth a cell: shown in an earlier release, so that hiding it now is of no use.
    price
        What hiding each cell costs, above 0; without it 1, and a little more for a large count.
    seconds
        How long solvers may look.

    Returns
    -------
    Pattern
        Already attacked: every small count is safe from every reader.

    Raises
    ------
    DisclosureError
        A small count was shown before, is given away by printed numbers, or nothing was found in
        time: the release is refused. The message counts the cells and names none.
    """
    knowing = as_readers(cells, readers)
    frozen = np.zeros(len(cells), dtype=bool) if earlier is None else np.asarray(earlier, bool)
    reason = _first_reasons(cells, protection)
    _refuse_shown(reason, frozen)
    cost = 1 + PRICE_OF_SIZE * np.log1p(cells.counts) if price is None else np.array(price, float)
    if cost.shape != (len(cells),) or not (cost > 0).all():
        raise DisclosureError("price: expected a number above 0 for each cell.")
    cost[(reason != "") | ~cells.is_printed] = 0
    cost[frozen] = np.inf
    found = Doubts(cells, protection, knowing, bands)
    search = Search(cells, found, knowing, bands, seconds=seconds)
    exact = bands is None and readers is None and len(found.targets) * len(cells) <= EXACT_UP_TO
    rounds = _settle(cells, found, cost, search, exact=exact)
    hidden = cells.is_printed & (cost == 0)
    reason[hidden & (reason == "")] = COMPLEMENTARY
    doubts = tuple(found)
    report = attack(
        cells, hidden, protection, bands=bands, readers=readers, earlier=earlier, doubts=doubts,
        seconds=seconds,
    )  # fmt: skip
    if not report["is_safe"].all():
        raise DisclosureError(
            f"{int((~report['is_safe']).sum())} small counts cannot be proved safe with what is "
            "printed. Publish fewer tables or broader groups together."
        )
    return Pattern(cells, hidden, reason, doubts, rounds)


def _first_reasons(cells: Cells, protection: Protection) -> np.ndarray:
    """Why a printed cell is hidden to begin with; empty where it is not."""
    small = protection.small(cells)
    reason = np.full(len(cells), "", dtype=object)
    counted = np.flatnonzero(cells.rest_of >= 0)
    reason[counted[small[cells.rest_of[counted]]]] = REST_SMALL
    reason[small] = SMALL
    reason[~cells.is_printed] = ""
    return reason


def _refuse_shown(reason: np.ndarray, frozen: np.ndarray) -> None:
    """Refuse what an earlier release has told."""
    n_told = int((frozen & (reason == SMALL)).sum())
    if n_told:
        raise DisclosureError(
            f"{n_told} small counts were shown in an earlier release, so that nothing protects "
            "them now. Leave their rows out of this release, or merge them with others."
        )


def _settle(cells: Cells, found: Doubts, cost: np.ndarray, search: Search, *, exact: bool) -> int:
    """Find doubts for all targets; hides in `cost` (0) what they change. Gives the rounds."""
    first = cost.copy()
    if exact:
        cost[fewest_hidden(cells, found, cost)] = 0
        chosen = np.where(cost == 0, 0.0, np.inf)
        for target in found.open_targets():
            search.thoroughly(int(target), chosen)
    rounds = 0
    while len(left := found.open_targets()):
        rounds += 1
        # the smallest first: they need the most doubt, and what hides them hides others, too
        for target in left[np.argsort(cells.counts[left], kind="stable")]:
            mark = found.mark
            settle = search.by_boxes if rounds == 1 else search.thoroughly
            settle(int(target), cost)
            for doubt in found.since(mark).values():
                cost[doubt.cells] = 0
        if rounds > 1 and len(found.open_targets()) >= len(left):
            break
    show_again(cells, found, search, cost, first)
    return rounds
