"""The renal register: starts of treatment, the yearly census of haemodialysis, questionnaires."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
from numpy.typing import NDArray

from workbench.data.invent.capture import capture, reporting
from workbench.data.invent.cases import Cases
from workbench.data.invent.chance import Places, happens, logistic, stream
from workbench.data.invent.columns import Coded, Column, Dated, Measured, Rows
from workbench.data.invent.days import Days, date_of, day_of, new_year, year_of
from workbench.data.invent.drafts import (
    Draft,
    Names,
    birth_of,
    gaps,
    hospital_column,
    region_column,
    sex_of,
    true_cases,
    unit_column,
    unknown_or_empty,
)
from workbench.data.invent.kidneys import DISEASES, FIRST_YEAR, MODALITIES
from workbench.data.invent.questionnaire_rows import questionnaire_draft
from workbench.data.invent.world import World

OLD_CODES_UNTIL = 2012
WHOLE_HAEMOGLOBIN_UNTIL = 2010
FIRST_CENSUS, CENSUS_DAY = 2005, (9, 30)
# Access as it is written: new codes, then those until 2012, in the order of kidneys.ACCESSES.
ACCESS_CODES = ("AVF", "AVG", "TCVC", "NTCVC", "U", "1", "2", "3", "3", "9")
YEARS_TO_FISTULA = 0.9  # mean time from a catheter at the start to a fistula, for those who get one
GETS_FISTULA = 0.62  # chance of that; its log-odds move with the unit
HOME = 0.06
COMMENTS = ("", "Remiss från annan ort.", "Uppgifterna är kompletterade.", "Önskar hemdialys.")


def renal_drafts(world: World, names: Names) -> Iterator[Draft]:
    """The three tables of the renal register."""
    chance = stream(world.seed, "renal register")
    cases = world.starts.only(world.starts.day >= new_year(FIRST_YEAR))
    starts, kept = _starts(chance, world, names, cases)
    yield starts
    yield _census(chance, world, names)
    yield questionnaire_draft(world, names, kept)


def _starts(
    chance: np.random.Generator, world: World, names: Names, cases: Cases
) -> tuple[Draft, Cases]:
    """The table of starts, and those of the true starts that are in it."""
    units, facts = world.units["nephrology"], cases.facts
    region = units.region[facts["unit"]]
    rules = reporting("renal", "starts", world.seed)
    found = capture(chance, rules, region, cases.day, last_day=world.last_day)
    truth = true_cases(
        world, names, found, cases.person, cases.day, region,
        register="renal", table="starts", sub_register="starts",
        unit=units.code[facts["unit"]],
        true_stage=np.where(facts["catheter"], "catheter", "no catheter"),
    )  # fmt: skip
    kept = cases.only(found.is_there)
    unit = kept.facts["unit"]
    columns: dict[str, Column] = {
        "personal_number": names.number(kept.person, kept.day, hyphen=True),
        "start_date": Dated(kept.day),
        "sex": sex_of(world, kept.person),
        "birth_date": birth_of(world, kept.person),
        "region": region_column(units.region[unit]),
        "hospital": hospital_column(units, unit),
        "unit": unit_column(units, unit),
        "registered_date": Dated(found.registered[found.is_there]),
        **_answers(chance, kept, units.effect[unit]),
    }
    return Draft("starts", Rows(kept.person, kept.day, columns), (truth,)), kept


def _answers(chance: np.random.Generator, cases: Cases, effect: NDArray) -> dict[str, Column]:
    n, facts = len(cases), cases.facts
    age, year = facts["age"], year_of(cases.day)
    unknown = gaps(chance, 0.02, age, effect)
    access = np.where(unknown, 4, facts["access"]) + 5 * (year <= OLD_CODES_UNTIL)
    asked = (facts["modality"] == 0) & ~gaps(chance, 0.01, age, effect)
    known = np.minimum(facts["known_months"], 600)
    known = np.where(gaps(chance, 0.05, age, effect), np.nan, known)
    haemoglobin = 104 + 12 * chance.standard_normal(n) - 6 * facts["acute"]
    haemoglobin = np.where(gaps(chance, 0.04, age, effect), np.nan, np.clip(haemoglobin, 45, 190))
    comment = np.where(happens(chance, 0.05, n), chance.integers(1, len(COMMENTS), n), -1)
    return {
        "modality": Coded(MODALITIES, facts["modality"]),
        "access": Coded(ACCESS_CODES, np.where(asked, access, -1)),
        "planned": unknown_or_empty(
            chance, facts["acute"].astype(np.int64), ("P", "A", "U"), age, effect
        ),
        "known_months": Measured(known),
        "primary_disease": Coded(DISEASES, facts["disease"]),
        "diabetes": unknown_or_empty(
            chance, facts["diabetes"].astype(np.int64), ("0", "1", "9"), age, effect
        ),
        "haemoglobin": Measured(haemoglobin, np.where(year <= WHOLE_HAEMOGLOBIN_UNTIL, 0, 1)),
        "comment": Coded(COMMENTS, comment),
    }


def _census(chance: np.random.Generator, world: World, names: Names) -> Draft:
    """Everybody in haemodialysis on the last of September; all units take part."""
    starts = world.starts
    treated = starts.only(starts.facts["modality"] == 0)
    days = [
        day_of(date(year, *CENSUS_DAY))
        for year in range(FIRST_CENSUS, date_of(world.last_day).year + 1)
    ]
    n, facts = len(treated), treated.facts
    units = world.units["nephrology"]
    gets_one = happens(
        chance, logistic(np.log(GETS_FISTULA / (1 - GETS_FISTULA)) + units.effect[facts["unit"]]), n
    )
    wait = np.minimum(chance.exponential(YEARS_TO_FISTULA * 365, n), 20_000)
    matures = treated.day + np.where(gets_one, wait, 30_000).astype(np.int32)
    at_home = happens(chance, HOME * (facts["age"] < 70), n)
    present = [
        np.flatnonzero(
            (treated.day < day) & (day < facts["transplant"]) & (day <= world.last_day)
            & world.endings.is_here(world.moves, treated.person, np.full(n, day, np.int32))
        )
        for day in days
    ]  # fmt: skip
    at = np.concatenate(present)
    day = np.repeat(np.array(days, np.int32), [len(one) for one in present])
    return Draft("census", _census_rows(chance, world, names, treated, at, day, matures, at_home))


def _census_rows(
    chance: np.random.Generator,
    world: World,
    names: Names,
    treated: Cases,
    at: Places,
    day: Days,
    matures: Days,
    at_home: NDArray[np.bool_],
) -> Rows:
    person, units = treated.person[at], world.units["nephrology"]
    unit, age = treated.facts["unit"][at], treated.facts["age"][at]
    effect, year = units.effect[unit], year_of(day)
    first = treated.facts["access"][at]
    access = np.where((first >= 2) & (matures[at] <= day), 0, np.minimum(first, 2))
    access = np.where(gaps(chance, 0.02, age, effect), 4, access)
    ktv = np.where(
        gaps(chance, 0.06, age, effect),
        np.nan,
        np.clip(2.2 - 0.12 * (access == 2) + 0.32 * chance.standard_normal(len(at)), 0.6, 4.5),
    )
    return Rows(
        person,
        day,
        {
            "personal_number": names.number(person, day, hyphen=True),
            "census_date": Dated(day),
            "sex": sex_of(world, person),
            "region": region_column(units.region[unit]),
            "hospital": hospital_column(units, unit),
            "unit": unit_column(units, unit),
            "modality": Coded(("HD", "HHD"), at_home[at].astype(np.int64)),
            "access": Coded(ACCESS_CODES, access + 5 * (year <= OLD_CODES_UNTIL)),
            "ktv": Measured(ktv, 2),
        },
    )
