"""When and of what each person dies, and which cases of disease there were before that.

A person dies on the first of the days that the law of mortality and the person's diseases give.
Whoever dies abroad is not known to have died; causes fit the conditions that the person had.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.data.invent.blood import KINDS
from workbench.data.invent.cancers import SITES
from workbench.data.invent.cases import Cases
from workbench.data.invent.chance import Places, pick_in_rows, stream
from workbench.data.invent.days import NEVER, Days, age_at
from workbench.data.invent.illness import NAMES, Illness
from workbench.data.invent.moves import Moves
from workbench.data.invent.people import People
from workbench.data.invent.vessels import AREAS

LAW, KIDNEY = "law", "kidney failure"
# Causes of death by the law: ICD-10, ICD-9, weights at ages under 45, 45-64, 65-79, 80 and above,
# and the condition without which the cause is rare. Cancers held here are not among them.
CAUSES: dict[str, tuple[str, str, tuple[float, float, float, float], str]] = {
    "heart attack": ("I219", "410X", (2, 14, 16, 12), "ischaemic_heart_disease"),
    "chronic heart disease": ("I259", "414X", (1, 12, 16, 14), "ischaemic_heart_disease"),
    "heart failure": ("I509", "428X", (0, 3, 9, 14), "heart_failure"),
    "stroke": ("I639", "434X", (0, 4, 10, 13), "stroke"),
    "brain haemorrhage": ("I619", "431X", (1, 3, 3, 3), ""),
    "lung disease": ("J449", "496X", (0, 3, 12, 6), "lung_disease"),
    "dementia": ("F039", "290A", (0, 0, 5, 17), "dementia"),
    "diabetes": ("E119", "250B", (1, 5, 8, 6), "diabetes"),
    "kidney disease": ("N189", "585X", (0, 1, 3, 4), "kidney_disease"),
    "pneumonia": ("J189", "486X", (3, 4, 5, 7), ""),
    "sepsis": ("A419", "038X", (3, 4, 4, 4), ""),
    "urinary infection": ("N390", "599A", (0, 1, 2, 4), ""),
    "Parkinson's disease": ("G209", "332A", (0, 1, 4, 3), ""),
    "bowel obstruction": ("K566", "560X", (1, 2, 3, 3), ""),
    "liver disease": ("K703", "571C", (6, 10, 4, 1), ""),
    "accident": ("X599", "E928X", (30, 12, 5, 4), ""),
    "suicide": ("X700", "E953X", (28, 7, 1, 0), ""),
    "other": ("R999", "799X", (16, 9, 6, 5), ""),
}  # fmt: skip
WITH, WITHOUT = 4.0, 0.15  # times the weight with the condition, and without it
UNKNOWN_CAUSE = 0.012
# Diseased arteries kill by the heart and the brain more often than where they were operated on.
ARTERIES = {
    "CAR": ("I639", "I219"), "AAA": ("I714",), "LEG": ("I259", "I219", "I702", "I509"),
    "POP": ("I259", "I219"),
}  # fmt: skip
N_CODES = 4


@dataclass(frozen=True)
class Endings:
    """How each person's history ends; `cause` is a place in `groups`."""

    death: Days  # NEVER: alive on the last day
    known_death: Days  # as registers know it: not of those who died abroad
    last: Days  # the last day on which registers can hold the person
    returned: Days  # NEVER where death came before the return
    cause: NDArray[np.integer]
    groups: tuple[str, ...]

    def is_here(self, moves: Moves, person: Places, day: Days) -> NDArray[np.bool_]:
        """Whether persons are alive and in the country on a day."""
        abroad = (moves.left[person] <= day) & (day <= self.returned[person])
        return (day <= self.last[person]) & ~abroad


def settle(
    people: People,
    moves: Moves,
    tumours: Mapping[str, Cases],
    operations: Mapping[str, Cases],
    starts: Cases,
) -> tuple[Endings, dict[str, Cases], Cases]:
    """The end of every history, and the cases that came before it.

    So that each disease keeps its stated hazard, they do not pile up: only a person's first tumour
    kills, an operation no longer does after a tumour or the start of dialysis, and tumours and
    dialysis do not meet in one person.
    """
    groups = (LAW, KIDNEY, *tumours, *operations)
    law, start = people.law_death.copy(), _first_days(people, [starts])
    tumours = {name: one.only(one.day < start[one.person]) for name, one in tumours.items()}
    first = _first_days(people, tumours.values())
    # Who begins dialysis is no longer under the law of mortality.
    starts = starts.only((starts.day < law[starts.person]) & (starts.day < first[starts.person]))
    law[starts.person] = NEVER
    quiet = np.minimum(first, _first_days(people, [starts]))
    killing = [
        starts,
        *_first_of_each(people, list(tumours.values())),
        *(one.only(one.death <= quiet[one.person]) for one in operations.values()),
    ]
    death, cause = law, np.zeros(people.n, dtype=np.int64)
    for place, one in enumerate(killing, start=1):
        sooner = one.death < death[one.person]
        death[one.person[sooner]] = one.death[sooner]
        cause[one.person[sooner]] = place
    endings = _end(people, moves, death, cause, groups)
    kept = {name: _before(one, endings) for name, one in {**tumours, **operations}.items()}
    return endings, kept, _before(starts, endings)


def _end(
    people: People,
    moves: Moves,
    death: Days,
    cause: NDArray[np.integer],
    groups: tuple[str, ...],
) -> Endings:
    """What is known of deaths, when some are abroad and some come after the last day."""
    death = np.where(death <= people.last_day, death, NEVER).astype(np.int32)
    cause = np.where(death == NEVER, 0, cause)
    dies_abroad = (moves.left < death) & (death <= moves.returned)
    known = np.where(dies_abroad, NEVER, death).astype(np.int32)
    returned = np.where(dies_abroad, NEVER, moves.returned).astype(np.int32)
    end = np.where(death < NEVER, death, people.last_day)
    gone = (moves.left < NEVER) & (returned == NEVER)
    last = np.where(gone, np.minimum(moves.left, end), end).astype(np.int32)
    return Endings(death, known, last, returned, cause, groups)


def _first_days(people: People, every: Iterable[Cases]) -> Days:
    """The first day of any of some cases for each person, or never."""
    day = np.full(people.n, NEVER, dtype=np.int32)
    for one in every:
        np.minimum.at(day, one.person, one.day.astype(np.int32))
    return day


def _first_of_each(people: People, every: list[Cases]) -> Iterator[Cases]:
    """Of each kind the cases that are the person's first of all; one where two share a day."""
    first = _first_days(people, every)
    taken = np.zeros(people.n, dtype=bool)
    for one in every:
        chosen = (one.day == first[one.person]) & ~taken[one.person]
        taken[one.person[chosen]] = True
        yield one.only(chosen)


def _before(cases: Cases, endings: Endings) -> Cases:
    return cases.only(cases.day < endings.last[cases.person])


def underlying_causes(
    people: People, illness: Illness, endings: Endings, person: Places, seed: int
) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    """The underlying cause of each person's death, in ICD-10 and in ICD-9."""
    chance = stream(seed, "causes of death")
    day = endings.death[person]
    band = np.digitize(age_at(day, people.birth[person]), (45, 65, 80))
    weights = np.array([weights for _, _, weights, _ in CAUSES.values()], dtype=float).T[band]
    for at, (_, _, _, condition) in enumerate(CAUSES.values()):
        if condition:
            has = illness.onset[person, NAMES.index(condition)] <= day
            weights[:, at] *= np.where(has, WITH, WITHOUT)
    weights[:, -1] += UNKNOWN_CAUSE
    chosen = pick_in_rows(chance, weights, np.arange(len(person)))
    new = np.array([codes[0] for codes in CAUSES.values()])[chosen]
    old = np.array([codes[1] for codes in CAUSES.values()])[chosen]
    group = endings.cause[person]
    turn = chance.integers(0, N_CODES, len(person))
    disease_new, disease_old = _disease_codes(endings.groups)
    return (
        np.where(group > 0, disease_new[group, turn], new),
        np.where(group > 0, disease_old[group, turn], old),
    )


def _disease_codes(groups: tuple[str, ...]) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    """What may stand as the cause when a disease kills: a row a disease, of `N_CODES` codes."""
    new: dict[str, tuple[str, ...]] = {LAW: ("R999",), KIDNEY: ("N185",), **ARTERIES}
    old: dict[str, tuple[str, ...]] = {LAW: ("799X",), KIDNEY: ("585X",)}
    old.update(dict.fromkeys(AREAS, ("440X",)))
    for name, site in SITES.items():
        new[name], old[name] = (site.icd10,), (site.icd9,)
    for name, kind in KINDS.items():
        new[name], old[name] = (kind.icd10[0],), (kind.icd9,)
    rows = [[codes[one][at % len(codes[one])] for at in range(N_CODES)]
            for codes in (new, old) for one in groups]  # fmt: skip
    return np.array(rows[: len(groups)]), np.array(rows[len(groups) :])


def stated() -> dict[str, object]:
    """How deaths come about, as it is written into the truth."""
    return {
        "death": "the first of the day by the law of mortality and the days of all diseases",
        "weights_of_causes_by_age_0_45_65_80": {
            name: {"icd10": new, "weights": weights, "condition": condition or "none"}
            for name, (new, _, weights, condition) in CAUSES.items()
        },
        "times_with_the_condition": WITH,
        "times_without_it": WITHOUT,
    }
