"""Comparison persons are alike, alive, in the country and no patients; the seed draws them."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from linked import cohort_of, make_store

from workbench.analysis.cohort import Cohort
from workbench.data.store import Store

FACTS = {
    "age": {"link": "people.persons", "take": "age"},
    "sex": {"link": "people.persons", "take": "value", "from": "sex"},
    "stays": {"link": "care.stays", "take": "any", "days": {"from": -365, "to": -1}},
}


def cohort_with(store: Store, **changes: Any) -> Cohort:
    """A cohort with two comparison persons each."""
    wanted = {"n": 2, "match_on": ["birth_year", "sex", "region"]}
    return cohort_of(store, **{"comparison": wanted, "variables": FACTS, **changes})


@pytest.fixture(scope="module")
def world() -> dict[str, list[list[Any]]]:
    """Two thousand persons in two regions, some dead, abroad or moved; forty patients."""
    draw = np.random.default_rng(3)
    persons, homes, moves = [], [], []
    for at in range(2000):
        born = date(1940 + int(draw.integers(0, 4)), 1, 1) + timedelta(int(draw.integers(0, 365)))
        died = date(2012, 1, 1) + timedelta(int(draw.integers(0, 3000)))
        dies = draw.random() < 0.4
        persons.append([f"p{at}", born, str(1 + at % 2), died if dies else None])
        homes.append([f"p{at}", born, f"0{1 + at % 3}"])
        if at % 7 == 0:
            homes.append([f"p{at}", date(2014, 1, 1), "01"])
        if at % 11 == 0:
            moves.append([f"p{at}", date(2013, 6, 1), "out"])
        if at % 22 == 0:
            moves.append([f"p{at}", date(2016, 6, 1), "in"])
    starts = [
        [f"p{at}", date(2013, 1, 1) + timedelta(int(draw.integers(0, 1500))), "f"]
        for at in range(0, 400, 10)
    ]
    return {
        "people.persons": persons, "people.homes": homes, "people.migrations": moves,
        "renal.starts": starts,
    }  # fmt: skip


def region_of(homes: list[list[Any]], person: str, day: date) -> str:
    return [row[2] for row in homes if row[0] == person and row[1] <= day][-1]


def test_each_is_alike_alive_in_the_country_and_no_patient(tmp_path, world):
    persons = cohort_with(make_store(tmp_path / "store", world)).persons
    facts = {row[0]: row for row in world["people.persons"]}
    first = {}
    for person, day, _access in world["renal.starts"]:
        first[person] = min(day, first.get(person, day))
    patients = persons[persons["matched_as"] == "patient"].set_index("matched_set")
    drawn = persons[persons["matched_as"] == "comparison person"]
    assert len(drawn) > 40
    for row in drawn.to_dict("records"):
        patient = patients.loc[row["matched_set"]]
        day = row["index_date"].date()
        mine, theirs = facts[row["person"]], facts[patient["person"]]
        assert row["index_date"] == patient["index_date"]
        assert mine[1].year == theirs[1].year
        assert mine[2] == theirs[2]
        assert mine[3] is None or mine[3] > day
        homes = world["people.homes"]
        assert region_of(homes, mine[0], day) == region_of(homes, theirs[0], day)
        assert first.get(mine[0], date.max) > day
        moves = [move for move in world["people.migrations"] if move[0] == mine[0]]
        before = [move[2] for move in moves if move[1] <= day]
        assert before[-1:] != ["out"]
    assert not drawn.duplicated(["matched_set", "person"]).any()
    assert drawn.groupby("matched_set").size().max() == 2


def test_the_same_seed_draws_the_same_and_another_seed_others(tmp_path, world):
    store = make_store(tmp_path / "store", world)
    one, same, other = (cohort_with(store, seed=seed).persons for seed in (1, 1, 2))
    assert one["person"].tolist() == same["person"].tolist()
    assert one["person"].tolist() != other["person"].tolist()


def test_comparison_persons_have_a_ledger_that_adds_up_and_shortage_is_told(tmp_path, world):
    cohort = cohort_with(make_store(tmp_path / "store", world))
    steps = cohort.ledger.comparison
    n_drawn = int((cohort.persons["matched_as"] == "comparison person").sum())
    assert steps["n_rows_in"].iloc[-1] == n_drawn
    assert steps["reason"].iloc[-1] == "comparison persons"
    checks = cohort.ledger.checks.set_index("check")["n_rows"]
    n_sets = cohort.persons.groupby("matched_set").size()
    assert checks["patients with fewer than 2 comparison persons alike"] == int((n_sets < 3).sum())


def test_patients_without_anybody_alike_stay(tmp_path):
    store = make_store(
        Path(tmp_path) / "store",
        {
            "people.persons": [["a", "1950-01-01", "1", None], ["b", "1950-01-01", "2", None]],
            "people.homes": [["a", "1950-01-01", "01"], ["b", "1950-01-01", "01"]],
            "renal.starts": [["a", "2015-01-01", "f"]],
        },
    )
    cohort = cohort_with(store)
    assert cohort.persons["matched_as"].tolist() == ["patient"]
    checks = cohort.ledger.checks.set_index("check")["n_rows"]
    assert checks["patients with fewer than 2 comparison persons alike"] == 1
