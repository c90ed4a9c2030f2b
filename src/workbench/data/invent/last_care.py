"""Where people die and who cares for them, drawn once for every register that asks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.data.invent.chance import Places, happens, pick_in_rows, stream
from workbench.data.invent.days import NEVER, age_at
from workbench.data.invent.world import World

# Form of care at the end, the place of death in the cause of death register, and the weights for
# deaths of cancer under 80, of cancer later, of other causes under 80, of other causes later.
CARE: dict[str, tuple[str, tuple[float, float, float, float]]] = {
    "nursing home": ("2", (8, 22, 14, 46)),
    "short-term care": ("2", (7, 10, 3, 5)),
    "palliative ward": ("1", (24, 20, 2, 2)),
    "palliative home care": ("3", (26, 19, 3, 2)),
    "hospital ward": ("1", (29, 24, 44, 31)),
    "home care": ("3", (6, 5, 34, 14)),
}
FORMS = tuple(CARE)
HOSPITAL_FORMS = (2, 4)
# Chance that a death was expected: of the cancers held here, of other causes.
EXPECTED = {"cancer": 0.93, "other": 0.60}


@dataclass(frozen=True)
class LastCare:
    """The deaths that are known here, one entry a death."""

    person: Places
    form: NDArray[np.integer]  # place in FORMS
    expected: NDArray[np.bool_]
    of_cancer: NDArray[np.bool_]
    in_hospital: NDArray[np.bool_]


def last_care(world: World) -> LastCare:
    """Where and how each known death happened."""
    chance = stream(world.seed, "last care")
    person = np.flatnonzero(world.endings.known_death < NEVER)
    group = world.endings.cause[person]
    of_cancer = np.isin(
        group,
        [
            at
            for at, name in enumerate(world.endings.groups)
            if name in world.tumours or name in world.blood
        ],
    )
    age = age_at(world.endings.death[person], world.people.birth[person])
    weights = np.array([weights for _, weights in CARE.values()], dtype=float).T
    row = np.where(of_cancer, 0, 2) + (age >= 80)
    form = pick_in_rows(chance, weights, row)
    share = np.where(of_cancer, EXPECTED["cancer"], EXPECTED["other"])
    return LastCare(
        person=person,
        form=form,
        expected=happens(chance, share, len(person)),
        of_cancer=of_cancer,
        in_hospital=np.isin(form, HOSPITAL_FORMS),
    )
