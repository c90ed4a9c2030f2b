"""The whole set of registers: the same every time, linked, and nothing later than its day."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from workbench.data.invent import invent_registers
from workbench.errors import DataError

EVENTS = {
    "patients.inpatient": "admission_date", "patients.outpatient": "visit_date",
    "deaths.deaths": "death_date", "cancer.tumours": "diagnosis_date",
    "drugs.dispensings": "dispensed_date", "renal.starts": "start_date",
    "renal.census": "census_date", "renal.questionnaires": "sent_date",
    "palliative.deaths_reported": "death_date",
    "vascular.procedures": "procedure_date", "vascular.followups": "followup_date",
    "blood_cancer.lymphoma": "diagnosis_date", "blood_cancer.aml": "diagnosis_date",
}  # fmt: skip


def sums(folder: Path) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


@pytest.fixture(scope="session")
def people(invented, read, days) -> pd.DataFrame:
    """The population register by the number in use now, with earlier numbers beside it."""
    persons = read(invented, "population.persons")
    changes = read(invented, "population.number_changes")
    born, died = days(persons["birth_date"]), days(persons["death_date"])
    people = persons[["personal_number", "sex"]].assign(born=born, died=died)
    earlier = changes[["personal_number", "earlier_number"]].merge(people, on="personal_number")
    earlier = earlier.assign(personal_number=earlier["earlier_number"])
    return pd.concat([people, earlier]).set_index("personal_number")


def test_the_same_seed_gives_the_same_bytes(dirty, invented, tmp_path):
    again = invent_registers(
        tmp_path / "again", persons=dirty.persons, seed=dirty.seed, as_of=dirty.as_of, dirty=True
    )
    assert sums(again.folder) == sums(dirty.folder)
    assert sums(invented.folder).keys() == sums(dirty.folder).keys()
    other = invent_registers(tmp_path / "other", persons=400, seed=dirty.seed + 1)
    assert sums(other.folder) != sums(dirty.folder)


def test_every_table_is_there_with_as_many_rows_as_told(invented, read, tables):
    assert {f"{one.register}.{one.table}" for one in invented.tables} == set(tables)
    for one in invented.tables:
        assert len(read(invented, f"{one.register}.{one.table}")) == one.n_rows
    assert invented.n_rows == sum(one.n_rows for one in invented.tables)


def test_nothing_is_later_than_the_last_day(invented, read, tables, definitions, days):
    for name in tables:
        register, table = name.split(".")
        rows = read(invented, name)
        for variable, one in definitions[register].table(table).variables.items():
            if one.type == "date":
                assert not (days(rows[variable]) > pd.Timestamp(invented.as_of)).any()


def test_nothing_in_the_truth_that_is_seen_is_later_either(truth, invented):
    cases = truth("cases")
    assert cases["event_date"].max() <= pd.Timestamp(invented.as_of)
    seen = cases[cases["captured"] == "yes"]
    assert seen["registered_date"].max() <= pd.Timestamp(invented.as_of)


def test_everybody_in_a_register_is_in_the_population(invented, read, tables, people, numbers):
    for name in tables:
        who = numbers(read(invented, name)["personal_number"])
        assert who.isin(people.index).all(), name


@pytest.mark.parametrize(("name", "dated"), EVENTS.items())
def test_nothing_happens_before_birth_or_after_death(
    invented, read, people, numbers, days, name, dated
):
    rows = read(invented, name)
    day = days(rows[dated]).to_numpy()
    person = people.loc[numbers(rows["personal_number"])]
    assert (person["born"].to_numpy() <= day).all()
    assert not (person["died"].to_numpy() < day).any()


def test_nothing_happens_abroad(invented, read, truth, numbers, days):
    persons = truth("persons").set_index("personal_number")
    for name, dated in EVENTS.items():
        rows = read(invented, name)
        who = numbers(rows["personal_number"])
        one = persons.reindex(who)
        day = days(rows[dated]).to_numpy()
        back = one["returned_date"].fillna(pd.Timestamp(2100, 1, 1)).to_numpy()
        assert not ((one["left_date"].to_numpy() < day) & (day < back)).any(), name


def test_sex_and_birth_date_are_those_of_the_number(
    invented, read, tables, definitions, people, numbers, days
):
    for name in tables:
        register, table = name.split(".")
        rows, one = read(invented, name), definitions[register].table(table)
        person = people.loc[numbers(rows["personal_number"])]
        if sex := one.meaning("sex"):
            assert (rows[sex].to_numpy() == person["sex"].to_numpy()).all()
        if birth := one.meaning("birth_date"):
            assert (days(rows[birth]).to_numpy() == person["born"].to_numpy()).all()


def test_deaths_are_the_same_in_the_three_registers_that_tell_them(
    invented, read, people, numbers, days
):
    for name in ("deaths.deaths", "palliative.deaths_reported"):
        rows = read(invented, name)
        told = people.loc[numbers(rows["personal_number"]), "died"].to_numpy()
        assert (days(rows["death_date"]).to_numpy() == told).all()
    n_dead = people["died"].notna().groupby(level=0).first()
    dead_numbers = set(numbers(read(invented, "deaths.deaths")["personal_number"]))
    assert dead_numbers <= set(n_dead.index[n_dead])


def test_a_changed_number_is_used_from_its_day_on(invented, read, days):
    changes = read(invented, "population.number_changes").set_index("earlier_number")
    dispensings = read(invented, "drugs.dispensings")
    earlier = dispensings[dispensings["personal_number"].isin(changes.index)]
    assert len(earlier) > 0
    changed = days(changes.loc[earlier["personal_number"], "changed_date"]).to_numpy()
    assert (days(earlier["dispensed_date"]).to_numpy() < changed).all()
    counts = pd.read_csv(invented.truth / "earlier_numbers.csv").set_index("table")
    assert counts.loc["dispensings", "n_rows"] == len(earlier)


def test_a_small_population_works(tmp_path):
    small = invent_registers(tmp_path, persons=200, seed=3, as_of=date(2008, 5, 1), dirty=True)
    assert small.n_rows > 1000
    assert (small.truth / "truth.yaml").is_file()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"persons": 199}, "expected 200 to"),
        ({"persons": 99_000_000}, "have room for"),
        ({"as_of": date(1999, 1, 1)}, "expected 2006-12-31 to"),
    ],
)
def test_impossible_settings_are_refused(tmp_path, settings, message):
    with pytest.raises(DataError, match=message):
        invent_registers(tmp_path, **settings)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        invent_registers(tmp_path / "file" / "inside", persons=200)


def test_a_clean_set_has_no_faults(invented):
    faults = (invented.truth / "faults.csv").read_text()
    assert faults == "register,table,rule,column,n_rows,sets_aside\n"
