"""The studies on invented registers: what pandas finds in the extracts, and no identity number."""

from __future__ import annotations

import re
import zipfile
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from workbench.data.invent import invent_registers
from workbench.project import house_folder, open_project
from workbench.registers.schema import load_register
from workbench.runner.demo import INVENTED_AS_OF, PERSONS, SEED
from workbench.runner.execute import run_study
from workbench.runner.plan import plan_run

STUDIES = {
    "dialysis_access", "dialysis_comparison", "end_of_life", "leg_amputation",
    "lymphoma_quality", "lymphoma_survival",
}  # fmt: skip
# Twelve or ten digits, with or without a sign before the last four, standing alone.
NUMBER = re.compile(rb"(?<![0-9a-fA-F.])(?:\d\d)?(\d{6})[-+]?(\d{4})(?![0-9a-fA-F])")


@pytest.fixture(scope="session")
def extracts(tmp_path_factory) -> Path:
    """The extracts that the demonstration imported, made once more."""
    folder = tmp_path_factory.mktemp("extracts")
    invent_registers(folder, persons=PERSONS, seed=SEED, as_of=INVENTED_AS_OF)
    return folder


def read(extracts: Path, table: str, sep: str) -> pd.DataFrame:
    encoding = "windows-1252" if table.startswith(("renal", "palliative")) else "utf-8"
    return pd.read_csv(extracts / f"{table}.csv", sep=sep, dtype=str, encoding=encoding)


@pytest.fixture(scope="session")
def people(extracts) -> pd.DataFrame:
    """The population by today's number: born, died; and every earlier number."""
    persons = read(extracts, "population.persons", ";").set_index("PersonNr")
    return pd.DataFrame(
        {
            "born": pd.to_datetime(persons["FodelseDatum"], format="%Y%m%d"),
            "died": pd.to_datetime(persons["DodDatum"], format="%Y%m%d"),
        }
    )


def with_people(rows: pd.DataFrame, people: pd.DataFrame, extracts: Path, day: str) -> pd.DataFrame:
    """Rows of persons who are in the country on the day, under the number in use now."""
    changes = read(extracts, "population.number_changes", ";")
    now = dict(zip(changes["TidigarePersonNr"], changes["PersonNr"], strict=True))
    number = rows["PERSONNR"].str.replace("-", "")
    rows = rows.assign(person=number.map(lambda one: now.get(one, one)), day=rows[day])
    rows["day"] = pd.to_datetime(rows["day"])
    rows = rows.join(people, on="person", how="inner")
    moves = read(extracts, "population.migrations", ";")
    moves["moved"] = pd.to_datetime(moves["PostDatum"], format="%Y%m%d")
    moves["mover"] = moves["PersonNr"].map(lambda one: now.get(one, one))
    joined = rows[["person", "day"]].merge(moves, left_on="person", right_on="mover")
    last = joined[joined["moved"] < joined["day"]].sort_values("moved")
    last = last.groupby(["person", "day"])["Posttyp"].last()
    at = pd.MultiIndex.from_frame(rows[["person", "day"]])
    abroad = last.reindex(at).eq("Utv").to_numpy()
    return rows[~abroad & ~(rows["died"] < rows["day"])]


def test_every_study_of_the_four_specialties_finishes(demo):
    runs, _ = demo
    assert set(runs) >= STUDIES
    assert {run.manifest.state for run in runs.values()} == {"finished"}


def test_the_dialysis_cohort_is_the_one_pandas_chooses(demo, extracts, people):
    starts = read(extracts, "renal.starts", ";")
    starts = starts[starts["STARTDATUM"].between("2013-01-01", "2023-12-31")]
    starts = starts[
        (starts["BEHANDLING"] == "HD") & starts["ACCESS"].isin(["AVF", "TCVC", "NTCVC"])
    ]
    rows = with_people(starts, people, extracts, "STARTDATUM")
    adults = rows[rows["born"] + pd.DateOffset(years=18) <= rows["day"]]
    counts = demo[0]["dialysis_access"].manifest.counts
    assert counts["n_persons"] == len(adults)


def test_the_lymphoma_cohort_is_the_one_pandas_chooses(demo, extracts, people):
    rows = read(extracts, "blood_cancer.lymphoma", ";")
    rows = rows[rows["DIADAT"].between("2005-01-01", "2023-12-31")]
    rows = rows[~rows["STADIUM"].isin(["U", "9"]) & rows["STADIUM"].notna()]
    rows = with_people(rows, people, extracts, "DIADAT")
    adults = rows[rows["born"] + pd.DateOffset(years=18) <= rows["day"]]
    first = adults.sort_values("day").drop_duplicates("person")
    counts = demo[0]["lymphoma_survival"].manifest.counts
    assert counts["n_persons"] == len(first)


def test_scores_of_the_questionnaire_are_those_pandas_finds(demo, extracts, people):
    starts = read(extracts, "renal.starts", ";")
    starts = starts[starts["STARTDATUM"].between("2013-01-01", "2023-12-31")]
    starts = starts[starts["BEHANDLING"].isin(["HD", "PD"])]
    rows = with_people(starts, people, extracts, "STARTDATUM")
    adults = rows[rows["born"] + pd.DateOffset(years=18) <= rows["day"]]
    forms = with_people(read(extracts, "renal.questionnaires", ";"), people, extracts, "UTSKICK")
    asked = forms[forms["person"].isin(adults["person"])]
    came = asked[asked["SVARDATUM"].notna()]
    items = came.filter(like="RAND").astype(float)
    walking = 50 * (items[["RAND2A", "RAND2B"]] - 1)
    expected = {
        "General health": 25 * (5 - items["RAND1"]),
        "Pain": 25 * (5 - items["RAND5"]),
        "Social functioning": 25 * (items["RAND7"] - 1),
        "Physical functioning": walking.mean(axis=1),  # one item of the two is enough
    }
    release = demo[0]["yearly_renal"].folder / "release"
    told = pd.read_csv(release / "scores-nation.csv").set_index("scale")["mean"]
    assert {name: told[name] for name in expected} == {
        name: round(points.mean()) for name, points in expected.items()
    }
    page = (release / "report.html").read_text(encoding="utf-8")
    assert f"Answered: {len(came)} of {len(asked)}" in page


def test_released_links_add_up_in_every_register(demo):
    folder = demo[0]["end_of_life"].folder / "release"
    links = pd.read_csv(next(folder.rglob("links.csv")), na_values=["[c]"])
    assert (links["n_cohort"] == links["n_matched"] + links["n_unmatched"]).all()
    assert links.groupby("table")["n_cohort"].sum().nunique() == 1


def test_no_identity_number_is_anywhere_below_store_and_runs(demo, demo_project, extracts):
    known = set()
    for file in extracts.glob("*.csv"):
        found = NUMBER.findall(file.read_bytes())
        known |= {left + right for left, right in found if right[:2] in {b"98", b"99"}}
    assert len(known) > 0.95 * PERSONS  # some share their last ten digits with another century
    leaks = []
    for folder in (demo_project.store_folder, demo_project.runs_folder):
        for path in (path for path in folder.rglob("*") if path.is_file()):
            text = _text_of(path)
            if any(left + right in known for left, right in NUMBER.findall(text)):
                leaks.append(path.name)
    assert leaks == []


def _text_of(path: Path) -> bytes:
    """A file as text: the columns of a Parquet file that hold any, every other file as it is."""
    if path.suffix != ".parquet":
        return path.read_bytes()
    columns = pq.read_table(path)
    texts = [
        str(value)
        for name in columns.column_names
        if str(columns.schema.field(name).type) not in {"date32[day]", "int64", "double", "bool"}
        for value in set(map(str, columns.column(name).to_pylist()))
    ]
    return " ".join(texts).encode()


def test_invented_registers_know_nothing_after_their_day(demo, demo_project):
    from workbench.data.store import open_store

    for name, versions in open_store(demo_project.store_folder).catalogue.tables.items():
        if not name.startswith(("colorectal", "lung")):
            assert versions[-1].n_rows_set_aside == 0
            assert versions[-1].last_date is None or versions[-1].last_date <= date(2024, 12, 31)


TARGETS_FROM = "Region Västra Götaland, regional chart".encode()  # a source, not a unit


def test_a_units_own_pack_names_no_other_unit(demo, demo_project):
    study_file = house_folder("params") / "studies" / "dialogue_palliative.yaml"
    here = open_project(demo_project.root, runs=demo_project.root / "own", study_file=study_file)
    view = {"units.own": "Uppsala", "units.others": "numbered", "formats": ["workbook"]}
    run = run_study(plan_run(study_file, here, overrides=view))
    regions = load_register("palliative", ()).tables["deaths_reported"].variables["region"].codes
    others = {name.encode() for name in regions.values()} - {b"Uppsala"}
    seen = set()
    for file in (run.folder / "release").iterdir():
        content = file.read_bytes()
        if file.suffix == ".xlsx":
            with zipfile.ZipFile(file) as book:
                content = b"".join(book.read(name) for name in book.namelist())
        content = content.replace(TARGETS_FROM, b"")
        seen |= {(file.name, name) for name in others if name in content}
    assert seen == set()
    assert b"Uppsala" in (run.folder / "release" / "report.html").read_bytes()
