"""Everything that is true of the invented population, before any register writes it down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from workbench.data.invent.blood import KINDS, draw_blood_cancers
from workbench.data.invent.cancers import SITES, draw_cancers
from workbench.data.invent.cases import Cases
from workbench.data.invent.endings import Endings, settle
from workbench.data.invent.illness import Illness, draw_illness
from workbench.data.invent.kidneys import draw_starts
from workbench.data.invent.moves import Moves, draw_moves
from workbench.data.invent.people import People, draw_people
from workbench.data.invent.places import Units, make_units
from workbench.data.invent.vessels import AREAS, draw_operations


@dataclass(frozen=True)
class World:
    """The truth: persons, where they live, what they have, and how it ends."""

    seed: int
    people: People
    moves: Moves
    illness: Illness
    endings: Endings
    tumours: dict[str, Cases]  # solid, by site
    blood: dict[str, Cases]  # by kind
    operations: dict[str, Cases]  # by area
    starts: Cases  # of kidney replacement
    units: dict[str, Units]  # by specialty

    @property
    def last_day(self) -> int:
        """The day from which all is seen; nothing later exists."""
        return self.people.last_day


def make_world(persons: int, seed: int, last_day: int, *, progress: Callable[[str], None]) -> World:
    """Draw the truth; a register only chooses from it what it holds, and when it learnt of it."""
    units = {
        specialty: make_units(specialty, seed)
        for specialty in ("hospital", "nephrology", "haematology", "vascular", "palliative")
    }
    progress("inventing persons")
    people = draw_people(persons, seed, last_day)
    moves = draw_moves(people, seed)
    progress("inventing diseases")
    illness = draw_illness(people, seed)
    tumours = {
        **draw_cancers(people, moves, illness, seed),
        **draw_blood_cancers(people, moves, units["haematology"], seed),
    }
    operations = draw_operations(people, moves, illness, units["vascular"], seed)
    starts = draw_starts(people, moves, illness, units["nephrology"], seed)
    endings, kept, starts = settle(people, moves, tumours, operations, starts)
    return World(
        seed=seed,
        people=people,
        moves=moves,
        illness=illness,
        endings=endings,
        tumours={name: kept[name] for name in SITES},
        blood={name: kept[name] for name in KINDS},
        operations={name: kept[name] for name in AREAS},
        starts=starts,
        units=units,
    )
