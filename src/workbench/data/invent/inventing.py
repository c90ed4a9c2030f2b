"""Invent all nine registers at once, linked by fictitious numbers, and the truth beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.data.invent.blood_rows import blood_drafts
from workbench.data.invent.columns import Numbered
from workbench.data.invent.days import day_of
from workbench.data.invent.death_rows import death_drafts
from workbench.data.invent.dirt import NO_FAULTS, plant_faults
from workbench.data.invent.drafts import Draft, Names, names_of
from workbench.data.invent.drug_rows import drug_drafts
from workbench.data.invent.files import Written, write_table
from workbench.data.invent.numbers import check_size
from workbench.data.invent.palliative_rows import palliative_drafts
from workbench.data.invent.population_rows import population_drafts
from workbench.data.invent.renal_rows import renal_drafts
from workbench.data.invent.stay_rows import patient_drafts
from workbench.data.invent.truth import write_csv, write_truth
from workbench.data.invent.tumour_rows import tumour_drafts
from workbench.data.invent.vascular_rows import vascular_drafts
from workbench.data.invent.world import World, make_world
from workbench.errors import DataError
from workbench.registers.schema import Register, load_register

FIRST_AS_OF, LAST_AS_OF = date(2006, 12, 31), date(2060, 12, 31)
Drafts = Callable[[World, Names], Iterator[Draft]]
REGISTERS: dict[str, Drafts] = {
    "population": population_drafts,
    "patients": patient_drafts,
    "deaths": death_drafts,
    "cancer": tumour_drafts,
    "drugs": drug_drafts,
    "renal": renal_drafts,
    "blood_cancer": blood_drafts,
    "palliative": palliative_drafts,
    "vascular": vascular_drafts,
}


@dataclass(frozen=True)
class Invented:
    """What was written: the files of the registers, and the folder of the truth."""

    folder: Path
    truth: Path
    persons: int
    seed: int
    as_of: date
    tables: tuple[Written, ...]

    @property
    def n_rows(self) -> int:
        """How many rows all files have together."""
        return sum(table.n_rows for table in self.tables)


def invent_registers(
    folder: Path,
    *,
    persons: int = 20_000,
    seed: int = 1,
    as_of: date = date(2024, 12, 31),
    dirty: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Invented:
    """Write fictitious extracts of nine linked registers, and the truth about them.

    Parameters
    ----------
    folder
        Where the files go: `<register>.<table>.csv`, and `truth/` beside them. Files of these
        names are replaced.
    persons
        How many persons; from 200 to what the numbers set aside for tests have room for.
    seed
        The same seed, persons and `as_of` give the same bytes.
    as_of
        The last day that any file knows of.
    dirty
        Whether to plant counted faults; `truth/faults.csv` tells them.
    progress
        Told what is being done.

    Raises
    ------
    DataError
        Too few or too many persons, a day outside 2006-2060, or a folder that cannot be written.
    """
    check_size(persons, as_of)
    if not FIRST_AS_OF <= as_of <= LAST_AS_OF:
        raise DataError(
            f"as_of is {as_of}; expected {FIRST_AS_OF} to {LAST_AS_OF}, as the registers must have "
            "begun and the law of mortality is not meant for later."
        )
    try:
        return _invent(folder, persons, seed, as_of, dirty, progress)
    except OSError as reason:
        where = reason.filename or folder
        raise DataError(f"{where} cannot be written: {reason.strerror or reason}.") from None


def _invent(
    folder: Path,
    persons: int,
    seed: int,
    as_of: date,
    dirty: bool,
    progress: Callable[[str], None],
) -> Invented:
    truth = folder / "truth"
    truth.mkdir(parents=True, exist_ok=True)
    world = make_world(persons, seed, day_of(as_of), progress=progress)
    names = names_of(world)
    definitions = {name: load_register(name, []) for name in REGISTERS}
    written, cases, seen = _write(folder, definitions, world, names, progress)
    progress("writing the truth")
    write_truth(truth, world, names, cases, as_of=as_of)
    faults = other_forms = NO_FAULTS
    if dirty:
        progress("planting faults")
        faults, other_forms, written = plant_faults(written, definitions, world, seen)
    faults.to_csv(truth / "faults.csv", index=False, lineterminator="\n")
    other_forms.to_csv(truth / "other_forms.csv", index=False, lineterminator="\n")
    return Invented(folder, truth, persons, seed, as_of, tuple(written))


def _write(
    folder: Path,
    definitions: Mapping[str, Register],
    world: World,
    names: Names,
    progress: Callable[[str], None],
) -> tuple[list[Written], list[pd.DataFrame], NDArray[np.bool_]]:
    """Write every table; also every true case, and who has rows outside the population register."""
    written: list[Written] = []
    cases: list[pd.DataFrame] = []
    earlier: list[tuple[str, str, int]] = []
    seen = np.zeros(world.people.n, dtype=bool)
    for name, drafts in REGISTERS.items():
        register = definitions[name]
        for draft in drafts(world, names):
            progress(f"writing {name}.{draft.table}")
            written.append(write_table(folder, register, draft.table, draft.rows))
            cases += draft.cases
            if name != "population":
                seen[draft.rows.person] = True
                number = draft.rows.columns["personal_number"]
                assert isinstance(number, Numbered)
                earlier.append((name, draft.table, int((number.place >= world.people.n).sum())))
    counts = pd.DataFrame(earlier, columns=["register", "table", "n_rows"])
    write_csv(folder / "truth" / "earlier_numbers.csv", counts)
    return written, cases, seen
