"""What is hidden of a table of counts, with regard to the tables that are told beside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from workbench.errors import DisclosureError
from workbench.output.gate.count_systems import (
    CountSystem,
    Nesting,
    prices,
    protection_of,
    require_known_sums,
    systems_of,
)
from workbench.output.gate.joint_cells import JointCells, join, shared_cells
from workbench.output.gate.suppression import Protection, attack, protect
from workbench.output.gate.suppression.doubts import Doubt
from workbench.output.gate.suppression.patterns import COMPLEMENTARY
from workbench.registers.profiles import ReleaseProfile

SECONDS = 60.0
NEXT_TO_NOTHING = 1e-6  # the price of hiding what another table hides already


@dataclass(frozen=True, eq=False)
class ShownCounts:
    """Counts that were let through: their cells, which are not shown, and the proof.

    It holds true counts, and so stays inside the gate. `reason` is "" where a cell is shown.
    """

    title: str
    system: CountSystem
    protection: Protection
    hidden: np.ndarray
    reason: np.ndarray
    doubts: tuple[Doubt, ...]
    has_left: bool = False  # in an earlier release

    @property
    def known(self) -> np.ndarray:
        """The cells that a reader may know; one truth a cell."""
        return self.system.cells.is_printed & ~self.hidden


def on_all_levels(shown: ShownCounts, nesting: Nesting) -> ShownCounts:
    """The same counts with the sums of levels that other tables tell of; these are not known."""
    own = shown.system
    if not (nesting.keys() - own.nesting.keys()):
        return shown
    (system,) = systems_of(own.table, own.keys, own.columns, nesting=own.nesting | nesting)
    if system.nesting.keys() == own.nesting.keys():
        return shown
    before = dict(zip(own.identities(), zip(shown.hidden, shown.reason, strict=True), strict=True))
    cells = [before.get(one, (True, COMPLEMENTARY)) for one in system.identities()]
    hidden = np.array([is_out for is_out, _ in cells]) & system.cells.is_printed
    reason = np.array([why if is_out else "" for is_out, why in cells], dtype=object)
    wider = replace(system, group=own.group, rows=own.rows)
    return replace(shown, system=wider, hidden=hidden, reason=reason, doubts=())


def nesting_of(systems: Iterable[CountSystem]) -> Nesting:
    """All levels that some of the systems tell of."""
    known: Nesting = {}
    for system in systems:
        for levels, labels in system.nesting.items():
            known[levels] = known.get(levels, {}) | labels
    return known


def linked_to(system: CountSystem, beside: Sequence[ShownCounts]) -> list[ShownCounts]:
    """Those that share sums with a system, or with one that does."""
    found: list[ShownCounts] = []
    waiting = [system]
    while waiting:
        one = waiting.pop()
        new = [other for other in beside if other not in found and shared_cells(one, other.system)]
        found += new
        waiting += [other.system for other in new]
    return [one for one in beside if one in found]


def hide(
    system: CountSystem, policy: ReleaseProfile, *, title: str, beside: Sequence[ShownCounts] = ()
) -> ShownCounts:
    """Choose what of a system is hidden, and prove by attack that it is enough.

    Parameters
    ----------
    system
        The cells to judge.
    policy
        The release profile.
    title
        What the table is called.
    beside
        Counts that were let through before, in the same release or an earlier one: whoever reads
        this table may hold them.

    Raises
    ------
    DisclosureError
        The sum of everything is small itself, nothing was found that keeps every small count
        safe, or the tables beside it tell too much.
    """
    require_known_sums(system, policy)
    levels = nesting_of([system, *(one.system for one in beside)])
    linked = linked_to(system, [on_all_levels(one, levels) for one in beside])
    if not linked:
        return _alone(system, policy, title)
    joint = join([system, *(one.system for one in linked)])
    try:
        return _beside(joint, system, policy, title, linked)
    except DisclosureError:
        names = ", ".join(f'"{one.title}"' for one in linked)
        raise DisclosureError(
            f'"{title}" cannot be shown beside {names}: together they would tell small numbers. '
            "Publish one of them, or join groups or years in this one."
        ) from None


def _alone(system: CountSystem, policy: ReleaseProfile, title: str) -> ShownCounts:
    found = protect(
        system.cells, protection_of(policy), price=prices(system, policy),
        earlier=system.roots & system.cells.is_printed, seconds=SECONDS,
    )  # fmt: skip
    return ShownCounts(
        title, system, protection_of(policy), found.hidden, found.reason, found.doubts
    )


def _beside(
    joint: JointCells, system: CountSystem, policy: ReleaseProfile, title: str,
    linked: Sequence[ShownCounts],
) -> ShownCounts:  # fmt: skip
    """First the table by itself, minding what is known; then all of them together."""
    own = joint.places[0]
    known = joint.whole([one.known for one in linked], of=1)
    known[own[system.roots & system.cells.is_printed]] = True
    hidden = joint.whole([one.hidden for one in linked], of=1) & ~known
    price = np.where(hidden[own], NEXT_TO_NOTHING, prices(system, policy))
    protection = protection_of(policy)
    with suppress(DisclosureError):  # sums that only the other tables have may still help
        pattern = protect(
            system.cells, protection, price=price, seconds=SECONDS,
            earlier=known[own] & system.cells.is_printed,
        )  # fmt: skip
        # a sum that this table does not print stays hidden where another one hides it
        more = hidden[own] & ~system.is_row & system.cells.is_printed
        reason = np.where(more & ~pattern.hidden, COMPLEMENTARY, pattern.reason)
        alone = ShownCounts(
            title, system, protection, pattern.hidden | more, reason, pattern.doubts
        )
        if _are_safe(joint, [alone, *linked]):
            return alone
    every = np.ones(len(joint))
    every[own] = prices(system, policy)
    every[hidden] = NEXT_TO_NOTHING
    # what only other tables print cannot be hidden any more, nor need it be
    found = protect(joint, protection, price=every, earlier=known, seconds=SECONDS)
    hidden = found.hidden[own] & system.cells.is_printed
    reason = np.where(hidden, found.reason[own], "")
    return ShownCounts(title, system, protection, hidden, reason, ())


def _are_safe(joint: JointCells, shown: Sequence[ShownCounts]) -> bool:
    """Attack tables together; those of `joint`, in its order."""
    known = joint.whole([one.known for one in shown])
    doubts = [joint.moved(at, doubt) for at, one in enumerate(shown) for doubt in one.doubts]
    report = attack(joint, ~known, shown[0].protection, doubts=doubts, seconds=SECONDS)
    return bool(report["is_safe"].all())


def require_safe_together(shown: Sequence[ShownCounts]) -> int:
    """Attack all tables of a release together, those that share sums as one.

    Returns how many linked tables were attacked.

    Raises
    ------
    DisclosureError
        Together some tables tell small numbers; says which.
    """
    levels = nesting_of(one.system for one in shown)
    left = [on_all_levels(one, levels) for one in {id(one): one for one in shown}.values()]
    n_linked = 0
    while left:
        first, *rest = left
        together = [first, *linked_to(first.system, rest)]
        left = [one for one in rest if one not in together]
        if len(together) == 1:  # proved when it was let through
            continue
        n_linked += len(together)
        if not _are_safe(join([one.system for one in together]), together):
            names = ", ".join(dict.fromkeys(f'"{one.title}"' for one in together))
            raise DisclosureError(
                f"The tables {names} would tell small numbers together. Publish fewer of them, or "
                "release the later ones through the session, so that they mind the earlier."
            )
    return n_linked
