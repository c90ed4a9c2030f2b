"""Places for visitors: each has one kernel, and there are only so many."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

SECONDS_ALONE = 60  # a page that has lost its line for longer gives its place to who waits


@dataclass(eq=False)
class Seat:
    """One visitor's place, and the kernel that was given to it."""

    kernel_id: str = ""
    is_waiting: bool = True
    settled_at: float = 0.0


@dataclass
class Seats:
    """The places there are, and who has one.

    A place is taken from the moment a page is asked for until its kernel has ended.
    """

    places: int
    taken: list[Seat] = field(default_factory=list)

    def take(self, kernels: Any) -> Seat | None:
        """A free place; nothing when all are taken."""
        self.taken = [one for one in self.taken if one.is_waiting or one.kernel_id in kernels]
        if len(self.taken) >= self.places:
            return None
        seat = Seat()
        self.taken.append(seat)
        return seat

    def settle(self, seat: Seat) -> None:
        """The page has been made, or could not be: from now on the kernel tells."""
        seat.is_waiting, seat.settled_at = False, time.monotonic()

    async def clear(self, kernels: Any) -> None:
        """End the kernels of pages that are gone without having said so."""
        for one in [one for one in self.taken if not one.is_waiting]:
            is_old = time.monotonic() - one.settled_at > SECONDS_ALONE
            if is_old and one.kernel_id in kernels and not _lines(kernels, one.kernel_id):
                await kernels.shutdown_kernel(one.kernel_id, now=True)


def _lines(kernels: Any, kernel_id: str) -> int:
    """How many pages are connected with a kernel."""
    return int(kernels.kernel_model(kernel_id)["connections"])


class Usher:
    """The keeper of kernels as one visitor's page sees it; notes the kernel it was given."""

    def __init__(self, keeper: Any, seat: Seat) -> None:
        self._keeper, self._seat = keeper, seat

    async def start_kernel(self, **wanted: Any) -> str:
        """Start a kernel for this visitor."""
        self._seat.kernel_id = str(await self._keeper.start_kernel(**wanted))
        return self._seat.kernel_id

    async def get_rendered_notebook(self, *args: Any, **wanted: Any) -> Any:
        """Give this visitor a kernel that was made ready before."""
        given = await self._keeper.get_rendered_notebook(*args, **wanted)
        self._seat.kernel_id = str(given[2])
        return given

    def __getattr__(self, name: str) -> Any:
        """Everything else as the keeper has it."""
        return getattr(self._keeper, name)
