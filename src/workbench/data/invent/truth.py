"""What is true of the invented population, written beside the registers that only see parts of it.

All files are about fictitious persons and hold their fictitious numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv

from workbench.data.invent import (
    blood,
    cancers,
    capture,
    endings,
    illness,
    kidneys,
    mortality,
    moves,
    palliative_rows,
    people,
    places,
    questionnaire_rows,
    vessels,
)
from workbench.data.invent.blood import KINDS
from workbench.data.invent.days import NEVER, Days, year_of
from workbench.data.invent.drafts import Names
from workbench.data.invent.numbers import most_persons
from workbench.data.invent.places import CODES, care_region_of
from workbench.data.invent.plain_yaml import as_yaml
from workbench.data.invent.world import World

YEARS = (1, 3, 5, 10)
CASE_COLUMNS = [
    "register", "table", "sub_register", "personal_number", "event_date", "region", "unit",
    "true_stage", "registered_date", "captured",
]  # fmt: skip


def write_truth(
    folder: Path, world: World, names: Names, cases: Sequence[pd.DataFrame], *, as_of: date
) -> None:
    """Write every file of the truth but the planted faults."""
    (folder / "truth.yaml").write_text(_stated(world, as_of), encoding="utf-8")
    last_year = int(year_of(np.array([world.last_day]))[0])
    table = mortality.life_table(people.FIRST_YEAR, last_year)
    write_csv(folder / "life_table.csv", table)
    write_csv(folder / "persons.csv", _persons(world, names))
    write_csv(folder / "conditions.csv", _conditions(world, names))
    every = pd.concat(cases, ignore_index=True)[CASE_COLUMNS]
    write_csv(folder / "cases.csv", every)
    missed = every[every["captured"] == "no"].drop(columns="captured")
    write_csv(folder / "not_captured.csv", missed)
    tumours = _tumours(world, names)
    write_csv(folder / "tumours.csv", tumours)
    write_csv(folder / "net_survival.csv", _net_survival(tumours))
    write_csv(folder / "units.csv", _units(world))


def write_csv(file: Path, frame: pd.DataFrame) -> None:
    """Write a frame as plain CSV."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    columns = [
        column.cast(pa.date32()) if pa.types.is_timestamp(column.type) else column
        for column in table.columns
    ]
    with file.open("wb") as sink:
        sink.write((",".join(table.column_names) + "\n").encode())
        options = csv.WriteOptions(include_header=False, quoting_style="none")
        csv.write_csv(pa.table(columns, names=table.column_names), sink, options)


def _stated(world: World, as_of: date) -> str:
    return as_yaml(
        {
            "note": "All persons, numbers, hospitals and units are invented.",
            "seed": world.seed,
            "persons": world.people.n,
            "as_of": as_of.isoformat(),
            "numbers": {
                "series": "birth numbers 980-999, which the tax agency keeps for tests",
                "most_persons": most_persons(as_of),
                "birth_dates_moved_to_find_room": world.people.n_births_moved,
            },
            "people": people.stated(),
            "mortality": mortality.stated(),
            "moves": moves.stated(),
            "places": places.stated(),
            "conditions": illness.stated(),
            "deaths": endings.stated(),
            "cancers": cancers.stated(),
            "blood_cancers": blood.stated(),
            "kidneys": kidneys.stated(),
            "questionnaires": questionnaire_rows.stated(),
            "vessels": vessels.stated(),
            "palliative": palliative_rows.stated(),
            "reporting": capture.stated(world.seed),
        }
    )


def _dates(days: Days) -> pd.Series:
    return pd.Series(days.astype("datetime64[D]")).where(days < NEVER)


def _numbers(names: Names, person: NDArray) -> NDArray:
    return names.plain.take(pa.array(person)).to_numpy(zero_copy_only=False)


def _persons(world: World, names: Names) -> pd.DataFrame:
    one, end = world.people, world.endings
    everybody = np.arange(one.n)
    changed = names.changed < NEVER
    earlier = pd.Series(_numbers(names, everybody + one.n)).where(changed)
    under_law = end.last.copy()
    under_law[world.starts.person] = world.starts.day
    return pd.DataFrame(
        {
            "personal_number": _numbers(names, everybody),
            "earlier_number": earlier,
            "changed_date": _dates(names.changed),
            "sex": np.array(mortality.SEXES)[one.sex],
            "birth_date": _dates(one.birth),
            "entry_date": _dates(one.entry),
            "left_date": _dates(np.where(world.moves.left <= end.last, world.moves.left, NEVER)),
            "returned_date": _dates(np.where(end.returned <= end.last, end.returned, NEVER)),
            "last_date": _dates(end.last),
            "under_law_until_date": _dates(under_law),
            "death_date": _dates(end.death),
            "known_death_date": _dates(end.known_death),
            "cause_group": np.where(end.death < NEVER, np.array(end.groups)[end.cause], ""),
        }
    )


def _conditions(world: World, names: Names) -> pd.DataFrame:
    onset = world.illness.onset
    person, at = np.nonzero(onset <= world.endings.last[:, None])
    return pd.DataFrame(
        {
            "personal_number": _numbers(names, person),
            "condition": np.array(illness.NAMES)[at],
            "onset_date": _dates(onset[person, at]),
        }
    )


def _tumours(world: World, names: Names) -> pd.DataFrame:
    """Every tumour found in life, with its true chance to survive the disease alone."""
    parts = []
    for name, one in {**world.tumours, **world.blood}.items():
        shape = blood.SHAPES[KINDS[name].shape] if name in KINDS else cancers.SHAPE
        facts = one.facts
        part = {
            "personal_number": _numbers(names, one.person),
            "group": np.full(len(one), name),
            "diagnosis_date": _dates(one.day),
            "age": np.round(facts["age"], 2),
            "region": np.array(CODES)[facts["region"]],
            "care_region": (care_region_of(facts["region"]) + 1).astype(str),
            "stage": facts["stage"],
            "factor": np.round(facts["factor"], 6),
            "hazard": facts["hazard"],
        }
        for years in YEARS:
            survival = cancers.net_survival(
                facts["hazard"], facts["factor"], years, np.array(shape)
            )
            part[f"net_survival_{years}"] = np.round(survival, 6)
        parts.append(pd.DataFrame(part))
    tumours = pd.concat(parts, ignore_index=True)
    # Two on one day: the one that comes first here is the one that kills.
    order = tumours.sort_values(["personal_number", "diagnosis_date"], kind="stable").index
    again = tumours.loc[order, "personal_number"].duplicated()
    return tumours.assign(is_first=np.where(again.reindex(tumours.index), "no", "yes"))


def _net_survival(tumours: pd.DataFrame) -> pd.DataFrame:
    """The mean over persons' first tumours, which is what an estimate of net survival estimates."""
    tumours = tumours[tumours["is_first"] == "yes"]
    columns = [f"net_survival_{years}" for years in YEARS]
    found = []
    for by in (["group"], ["group", "stage"], ["group", "care_region"]):
        means = tumours.groupby(by, sort=True)[columns].mean().round(6)
        means["n"] = tumours.groupby(by, sort=True).size()
        found.append(means.reset_index())
    table = pd.concat(found, ignore_index=True)
    table["stage"] = table["stage"].astype("Int64")
    return table[["group", "stage", "care_region", "n", *columns]]


def _units(world: World) -> pd.DataFrame:
    parts = [
        pd.DataFrame(
            {
                "specialty": np.full(len(units.code), specialty),
                "unit": units.code,
                "hospital": units.hospital,
                "region": np.array(CODES)[units.region],
                "weight": np.round(units.weight, 6),
                "effect": np.round(units.effect, 6),
            }
        )
        for specialty, units in world.units.items()
    ]
    return pd.concat(parts, ignore_index=True)
