"""The register of palliative care: what the form says of deaths that were reported."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from workbench.data.invent.capture import capture, reporting
from workbench.data.invent.chance import Numbers, Places, happens, logistic, pick, stream
from workbench.data.invent.columns import Coded, Column, Dated, Measured, Rows
from workbench.data.invent.days import Days, new_year, year_of
from workbench.data.invent.drafts import (
    Draft,
    Names,
    gaps,
    region_column,
    sex_of,
    true_cases,
    unit_column,
)
from workbench.data.invent.last_care import FORMS, LastCare, last_care
from workbench.data.invent.population_rows import municipality_column
from workbench.data.invent.world import World

FIRST_YEAR = 2005
FULL_FROM = 2012  # until then the register grew; coverage rises in a straight line
ASKED_LATER = 2012  # oral health and ulcers
FORM_CODES = ("1", "2", "3", "4", "5", "6")
# Log-odds of each item for expected deaths by form of care, in the order of last_care.FORMS; the
# unit's effect is added, and a step a year since 2012.
ITEMS: dict[str, tuple[float, ...]] = {
    "end_of_life_talk": (1.5, 1.6, 2.9, 2.8, 0.7, 0.3),
    "pain_rated": (-0.2, 0.0, 1.3, 1.1, -0.9, -0.8),
    "opioid_prescribed": (2.8, 2.7, 3.9, 3.7, 1.9, 1.7),
    "anxiolytic_prescribed": (2.7, 2.6, 3.8, 3.6, 1.6, 1.5),
    "oral_health_assessed": (1.2, 1.1, 2.0, 1.3, -0.4, -0.3),
    "someone_present": (1.9, 1.7, 1.7, 2.3, 1.0, 1.6),
    "bereavement_talk_offered": (1.3, 1.2, 2.4, 2.3, 0.2, 0.3),
}
YEARLY_STEP = 0.06
UNEXPECTED = -1.3  # log-odds when the death was not expected
ULCER = (0.10, 0.13, 0.14, 0.11, 0.11, 0.09)  # any grade, by form of care
GRADES = (0.42, 0.34, 0.15, 0.09)
COMMENTS = (
    "",
    "Närstående var på plats.",
    "Lugnt förlopp; läkare informerad.",
    'Önskade dö hemma, "så länge det går".',
    "Plötslig försämring under natten.",
)


def palliative_drafts(world: World, names: Names) -> Iterator[Draft]:
    """The one table of the palliative register."""
    chance = stream(world.seed, "palliative register")
    care = last_care(world)
    day = world.endings.known_death[care.person]
    since = day >= new_year(FIRST_YEAR)
    person, day = care.person[since], day[since]
    form, expected = care.form[since], care.expected[since]
    units = world.units["palliative"]
    unit = units.of_patients(chance, world.moves.region_at(person, day))
    region = units.region[unit]
    grown = np.clip((year_of(day) - FIRST_YEAR + 1) / (FULL_FROM - FIRST_YEAR + 1), 0, 1)
    kept, registered, truths = [], [], []
    for place, name in enumerate(FORMS):
        own = np.flatnonzero(form == place)
        found = capture(
            chance, reporting("palliative", name, world.seed), region[own], day[own],
            last_day=world.last_day, times=grown[own] * np.where(expected[own], 1.0, 0.75),
        )  # fmt: skip
        truths.append(
            true_cases(
                world, names, found, person[own], day[own], region[own],
                register="palliative", table="deaths_reported", sub_register=name,
                unit=units.code[unit[own]],
                true_stage=np.where(expected[own], "expected", "not expected"),
            )
        )  # fmt: skip
        kept.append(own[found.is_there])
        registered.append(found.registered[found.is_there])
    at = np.concatenate(kept)
    chosen = LastCare(person[at], form[at], expected[at], expected[at], expected[at])
    columns = _columns(chance, world, names, chosen, day[at], unit[at])
    columns["registered_date"] = Dated(np.concatenate(registered))
    yield Draft("deaths_reported", Rows(person[at], day[at], columns), tuple(truths))


def _columns(
    chance: np.random.Generator,
    world: World,
    names: Names,
    care: LastCare,
    day: Days,
    unit: Places,
) -> dict[str, Column]:
    n, units = len(care.person), world.units["palliative"]
    effect, year = units.effect[unit], year_of(day)
    age = np.full(n, 65.0)  # gaps in this form do not depend on age
    region = units.region[unit]
    expected = np.where(gaps(chance, 0.03, age, effect), 2, care.expected.astype(np.int64))
    stay = np.rint(np.exp(np.array([6.3, 3.0, 2.3, 3.6, 1.8, 4.5])[care.form]
                          + 1.1 * chance.standard_normal(n)))  # fmt: skip
    comment = np.where(happens(chance, 0.06, n), chance.integers(1, len(COMMENTS), n), -1)
    return {
        "personal_number": names.number(care.person, day, hyphen=True),
        "death_date": Dated(day),
        "sex": sex_of(world, care.person),
        "region": region_column(region),
        "municipality": municipality_column(unit, region),
        "unit": unit_column(units, unit),
        "care_type": Coded(FORM_CODES, care.form),
        "expected": Coded(("0", "1", "9"), expected),
        **_items(chance, care, effect, year),
        "days_at_unit": Measured(
            np.where(gaps(chance, 0.08, age, effect), np.nan, np.clip(stay, 0, 9000))
        ),
        "comment": Coded(COMMENTS, comment),
    }


def _items(
    chance: np.random.Generator, care: LastCare, effect: Numbers, year: NDArray[np.integer]
) -> dict[str, Column]:
    n = len(care.person)
    age = np.full(n, 65.0)
    asked = year >= ASKED_LATER
    found: dict[str, Column] = {}
    for name, log_odds in ITEMS.items():
        by_form = np.array(log_odds)[care.form] + 1.6 * effect
        by_form = by_form + YEARLY_STEP * (year - ASKED_LATER) + UNEXPECTED * ~care.expected
        done = happens(chance, logistic(by_form), n).astype(np.int64)
        done = np.where(gaps(chance, 0.05, age, effect), 2, done)
        done = np.where(gaps(chance, 0.02, age, effect), -1, done)
        if name == "oral_health_assessed":
            done = np.where(asked, done, -1)
        found[name] = Coded(("0", "1", "9"), done)
    ulcer = happens(chance, np.array(ULCER)[care.form] * np.exp(0.5 * effect), n)
    grade = np.where(ulcer, 1 + pick(chance, GRADES, n), 0)
    grade = np.where(gaps(chance, 0.06, age, effect), 5, grade)
    found["pressure_ulcer"] = Coded(("0", "1", "2", "3", "4", "9"), np.where(asked, grade, -1))
    return found


def stated() -> dict[str, object]:
    """The indicators as they are written into the truth."""
    return {
        "forms_of_care": FORMS,
        "log_odds_of_items_by_form": ITEMS,
        "unit": "1.6 times the unit's effect in units.csv, on the log-odds scale",
        "yearly_step_from_2012": YEARLY_STEP,
        "not_expected": UNEXPECTED,
        "coverage_grows_until": FULL_FROM,
        "coverage_of_deaths_not_expected": "times 0.75",
        "pressure_ulcer_by_form": ULCER,
        "grades_of_ulcers": GRADES,
    }
