"""A study beside its life table: units, words for the sexes, the law behind invented persons."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from workbench.analysis import relative
from workbench.data.invent.mortality import hazards
from workbench.errors import DataError, StudyError
from workbench.registers.documents import parse_document
from workbench.registers.life_tables import LifeTableDefinition, LifeTableFile, load_life_table
from workbench.registers.variables import Variable
from workbench.runner.sessions.population import beside_population, open_life_table
from workbench.study import Study

ROOT = Path(__file__).parents[3]
CONTENT = {
    "title": "t", "question": "q", "register": "r", "table": "t", "notebook": "n",
    "as_of": "2020-01-01",
    "cohort": {"index_date": "start"},
    "follow_up": {"outcome": "death", "event_date": "died", "unit": "years"},
    "relative_survival": {"life_table": "small", "age": "age", "sex": "sex"},
    "variables": {"age": {"unit": "years"}, "sex": {}},
}  # fmt: skip
AGE = Variable(type="decimal", unit="years")


def small_table(folder: Path, **changes: object) -> LifeTableFile:
    """A population that dies by 0.1 a year, whatever the age."""
    ages = pd.DataFrame({"age": range(100)})
    frame = ages.merge(pd.DataFrame({"sex": ["M", "F"]}), how="cross").assign(year=1990, h=0.1)
    frame.to_csv(folder / "small.csv", index=False)
    content = {
        "name": "small", "label": "s", "source": "t", "file": "small.csv", "hazard": "h",
        "sexes": {"male": "M", "female": "F"}, **changes,
    }  # fmt: skip
    definition = parse_document(content, LifeTableDefinition, where="small.yaml")
    return LifeTableFile(definition, folder / "small.csv")


def persons_of(n: int = 400, **columns: object) -> pd.DataFrame:
    draw = np.random.default_rng(4)
    years = draw.exponential(5.0, n).round(2)
    return pd.DataFrame(
        {
            "index_date": pd.Timestamp("2005-06-01"),
            "age": draw.uniform(40, 70, n),
            "sex": pd.Categorical(draw.choice(["male", "female"], n)),
            "follow_up": np.minimum(years, 8.0),
            "has_event": years < 8.0,
            **columns,
        }
    )


def study_of(**changes: object) -> Study:
    return parse_document({**CONTENT, **changes}, Study, where="study.yaml")


def test_expected_survival_is_that_of_the_table_in_the_studys_unit(tmp_path):
    table = open_life_table(small_table(tmp_path, days_per_year=365.2425))
    found = beside_population(persons_of(), study_of(), table, AGE, times=[1, 5], by=None)
    assert found["time"].tolist() == [0, 1, 5]
    np.testing.assert_allclose(found["expected"], np.exp([0, -0.1, -0.5]), rtol=1e-9)
    # everybody has the population's hazard, so that net is observed over expected
    np.testing.assert_allclose(found["estimate"], found["observed"] / found["expected"], atol=0.02)


def test_a_time_unit_makes_no_difference(tmp_path):
    table = open_life_table(small_table(tmp_path))
    persons = persons_of()
    months = persons.assign(follow_up=persons["follow_up"] * 365.2425 / 30.436875)
    follow_up = {**CONTENT["follow_up"], "unit": "months"}
    years = beside_population(persons, study_of(), table, AGE, times=[1, 5], by="sex")
    other = beside_population(
        months, study_of(follow_up=follow_up), table, AGE, times=[12, 60], by="sex"
    )
    columns = ["at_risk", "events", "estimate", "std_error", "observed", "expected"]
    np.testing.assert_allclose(years[columns], other[columns], rtol=1e-6)


def test_sexes_that_the_table_does_not_know_are_refused(tmp_path):
    table = open_life_table(small_table(tmp_path))
    with pytest.raises(DataError, match="sex"):
        beside_population(persons_of(sex="unknown"), study_of(), table, AGE, times=[1], by=None)


def test_a_study_without_a_life_table_is_refused(tmp_path):
    table = open_life_table(small_table(tmp_path))
    study = study_of(relative_survival=None)
    with pytest.raises(StudyError, match="names no life table"):
        beside_population(persons_of(), study, table, AGE, times=[1], by=None)


def test_the_invented_life_table_is_the_law_that_persons_are_invented_by():
    table = open_life_table(load_life_table("invented", [ROOT / "params"]))
    assert table.rows["sex"].tolist() == ["female", "male"]
    law = hazards(2040)[:, :, 50:]  # sex (male, female), age, year from 1950
    for row, sex in enumerate((1, 0)):
        ours = table.hazard[row] * 365.25
        np.testing.assert_allclose(ours.T[: law.shape[1]], law[sex], rtol=1e-8)


def test_the_slovene_life_table_gives_the_frame_as_it_lies_there():
    folder = ROOT / "examples" / "colorectal" / "params"
    table = open_life_table(load_life_table("slovenia", [folder]))
    frame = pd.read_csv(folder.parent / "data" / "slopop.csv.gz")
    assert isinstance(table, relative.LifeTable)
    one = frame[(frame["sex"] == "female") & (frame["year"] == 1996) & (frame["age"] == 60)]
    persons = pd.DataFrame(
        {"start": [pd.Timestamp("1996-03-01")], "age": [60.2], "sex": ["female"], "t": [10.0]}
    )
    alone = relative.expected_survival(
        persons, table, age="age", sex="sex", start_date="start", duration="t", method="individual"
    )
    assert alone["cumulative_hazard"].iloc[0] == pytest.approx(10 * one["hazard_per_day"].iloc[0])
