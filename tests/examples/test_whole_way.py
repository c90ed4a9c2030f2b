"""Both examples go the whole way on real extracts, and the numbers are those of a plain answer."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter, KaplanMeierFitter

from workbench.analysis import relative
from workbench.output.departure import check_folder
from workbench.project import open_project
from workbench.runner.execute import run_study
from workbench.runner.plan import plan_run

EXAMPLES = Path(__file__).parents[2] / "examples"
DAYS_A_YEAR = 365.2425
TODAY = date(2026, 1, 1)


def colon_patients() -> pd.DataFrame:
    """The colon study's persons by pandas alone, from the extract itself."""
    rows = pd.read_csv(EXAMPLES / "colorectal" / "data" / "colrec.csv", parse_dates=["diag"])
    known = (pd.Timestamp("2005-12-31") - rows["diag"]).dt.days
    rows = rows.assign(
        years=np.minimum(rows["time"], known) / DAYS_A_YEAR,
        dead=(rows["stat"] == 1) & (rows["time"] <= known),
    )
    in_period = rows["diag"].between("1994-01-01", "2000-12-31")
    in_study = (rows["site"] == "colon") & (rows["age"] >= 6574) & (rows["stage"] != 99)
    return rows[in_period & in_study]


def released(run, name: str) -> pd.DataFrame:
    return pd.read_csv(run.folder / "release" / f"{name}.csv", na_values="[c]")


def test_every_study_of_both_examples_finishes(demo):
    runs, _ = demo
    assert set(runs) >= {"colon", "rectum", "colorectal_cohort", "lung_by_sex"}
    assert {run.manifest.state for run in runs.values()} == {"finished"}


def test_every_study_was_made_once(demo):
    """The batch makes the runs; what tells of them afterwards only reads them."""
    assert all(run.was_there for run in demo[0].values())


def test_the_cohort_is_the_one_pandas_chooses(demo):
    persons = colon_patients()
    counts = demo[0]["colon"].manifest.counts
    assert counts == {"n_persons": len(persons), "n_events": int(persons["dead"].sum())}


def test_the_released_curve_stays_close_to_lifelines(demo):
    persons = colon_patients()
    at_times = released(demo[0]["colon"], "survival-at-times").set_index(["stage", "time"])
    for stage, rows in persons.groupby("stage"):
        exact = KaplanMeierFitter().fit(rows["years"], rows["dead"])
        for years in (1, 3, 5):
            estimate = at_times.loc[(f"stage {stage}", years), "estimate"]
            assert estimate == pytest.approx(exact.predict(years), abs=0.03)


def test_the_exact_median_lies_where_the_released_one_says(demo):
    persons = colon_patients()
    medians = released(demo[0]["colon"], "median").set_index("stage")
    for stage, rows in persons.groupby("stage"):
        exact = KaplanMeierFitter().fit(rows["years"], rows["dead"]).median_survival_time_
        told = medians.loc[f"stage {stage}"]
        assert told["earliest"] <= exact * 1.005  # times are released with three digits
        assert exact <= told["latest"] * 1.005 or np.isnan(told["latest"])


def test_the_released_model_is_that_of_lifelines(demo):
    persons = colon_patients()
    design = pd.DataFrame(
        {
            "years": persons["years"],
            "dead": persons["dead"],
            "age": persons["age"] / DAYS_A_YEAR,
            "female": persons["sex"] == 2,
            "two": persons["stage"] == 2,
            "three": persons["stage"] == 3,
        }
    ).astype(float)
    expected = np.exp(CoxPHFitter().fit(design, "years", "dead").params_).to_numpy()
    model = released(demo[0]["colon"], "cox")
    estimated = model.loc[~model["is_reference"], "hazard_ratio"]
    np.testing.assert_allclose(estimated, expected, rtol=2e-3)  # released with few decimals


def test_a_register_without_dates_is_followed_in_its_own_durations(demo):
    rows = pd.read_csv(EXAMPLES / "lung" / "data" / "lung.csv")
    kept = rows[rows["ph.ecog"].isin([0, 1, 2])]  # missing and bedridden leave
    manifest = demo[0]["lung_by_sex"].manifest
    assert manifest.counts == {"n_persons": len(kept), "n_events": int(kept["status"].sum())}
    assert manifest.as_of is None


def test_released_ledgers_add_up_from_the_extract_to_the_study(demo):
    for run in demo[0].values():
        if not (run.folder / "release" / "flow.csv").exists():
            continue  # a register that was checked has no cohort
        steps = released(run, "flow")
        remaining = (steps["n_persons_in"] - steps["n_persons_out"]).iloc[:-1]
        following = steps["n_persons_in"].iloc[1:].set_axis(remaining.index)
        shown = remaining.notna()  # where fewer than the threshold left, the gate hides how many
        assert remaining[shown].tolist() == following[shown].tolist()
        if "comparison" not in run.manifest.study:
            assert steps["n_persons_in"].iloc[-1] == run.manifest.counts["n_persons"]


def test_the_release_record_names_every_file_with_its_sum(demo):
    for run in demo[0].values():
        folder = run.folder / "release"
        text = (folder / "release.json").read_text(encoding="utf-8")
        for path in folder.iterdir():
            if path.name != "release.json":
                assert hashlib.sha256(path.read_bytes()).hexdigest() in text, path.name


def test_what_is_released_may_leave(demo):
    """What a person is told to run before a folder leaves finds nothing in our own."""
    found = {
        name: [str(one) for one in check_folder(run.folder / "release", threshold=5, as_of=TODAY)]
        for name, run in demo[0].items()
    }
    assert {name: faults for name, faults in found.items() if faults} == {}


def test_the_same_study_on_the_same_store_gives_the_same_bytes(demo, demo_project):
    first = demo[0]["lung_by_sex"]
    study_file = EXAMPLES / "lung" / "params" / "studies" / "lung_by_sex.yaml"
    here = open_project(demo_project.root, runs=demo_project.root / "again", study_file=study_file)
    again = run_study(plan_run(study_file, here))

    def sums(run) -> dict[str, str]:
        return {name: s for name, s in run.manifest.outputs.items() if name.startswith("release/")}

    assert sums(again) == sums(first)
    assert len(sums(first)) > 10


def test_a_notebook_opened_by_hand_makes_the_same_release(demo, demo_project, tmp_path):
    """What a newcomer does in JupyterLab: run all cells, nothing but the defaults set."""
    shutil.copytree(demo_project.store_folder, tmp_path / "store")
    shutil.copytree(EXAMPLES.parent / "notebooks", tmp_path / "notebooks")
    (tmp_path / "params").mkdir()
    shutil.copytree(EXAMPLES, tmp_path / "examples")
    command = "import papermill as p; p.execute_notebook('20_estimate_survival.ipynb', None)"
    subprocess.run(
        [sys.executable, "-c", command],
        cwd=tmp_path / "notebooks",
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        check=True,
        capture_output=True,
    )
    by_hand = tmp_path / "runs" / "colon" / "by-hand" / "release" / "survival.csv"
    assert by_hand.read_bytes() == (demo[0]["colon"].folder / "release/survival.csv").read_bytes()


def test_the_manifest_says_everything_that_went_in(demo):
    manifest = json.loads((demo[0]["colon"].folder / "manifest.json").read_text(encoding="utf-8"))
    inputs = manifest["inputs"]
    assert inputs["parameters"] == {"times": [1.0, 3.0, 5.0], "horizon": 10.0}
    assert inputs["study"]["as_of"] == manifest["as_of"] == "2005-12-31"
    extract = (EXAMPLES / "colorectal" / "data" / "colrec.csv").read_bytes()
    (source,) = inputs["tables"]["colorectal.patients"]["sources"]
    assert source["sha256"] == hashlib.sha256(extract).hexdigest()
    assert {"python", "pandas", "lifelines", "duckdb"} <= set(manifest["environment"])


def test_what_is_private_is_for_its_owner_only(demo, demo_project):
    assert oct(demo_project.store_folder.stat().st_mode)[-3:] == "700"
    assert oct(demo_project.runs_folder.stat().st_mode)[-3:] == "700"
    assert oct(demo[0]["colon"].folder.stat().st_mode)[-3:] == "700"


def test_net_survival_is_that_of_the_extract_beside_the_slovene_population(demo):
    data = EXAMPLES / "colorectal" / "data"
    slovenia = relative.LifeTable.from_frame(
        pd.read_csv(data / "slopop.csv.gz"),
        age="age", year="year", sex="sex", hazard="hazard_per_day", per="day",
    )  # fmt: skip
    persons = colon_patients()
    persons = persons.assign(days=persons["years"] * DAYS_A_YEAR, dead=persons["dead"].astype(int))
    found = relative.net_survival(
        persons, slovenia, duration="days", event="dead", age="age", age_unit="days", sex="sex",
        sex_codes={1: "male", 2: "female"}, start_date="diag", by="stage",
        times=[years * DAYS_A_YEAR for years in (1, 3, 5)],
    ).set_index("stage")  # fmt: skip
    told = released(demo[0]["colon_net_survival"], "net-at-times").set_index("stage")
    for stage in (1, 2, 3):
        rows = told.loc[f"stage {stage}"]
        shown = rows["estimate"].notna().to_numpy()
        assert shown.any()
        exact = found.loc[stage, ["estimate", "lower", "upper"]].to_numpy()[shown]
        assert rows.loc[shown, ["estimate", "lower", "upper"]].to_numpy() == pytest.approx(
            exact, abs=0.0006
        )


def test_incidences_of_all_causes_and_survival_without_add_up_to_1(demo):
    for study in ("dialysis_transplantation", "leg_amputation_incidence"):
        table = pd.read_csv(demo[0][study].folder / "release" / "incidence.csv")
        group = next(name for name in table.columns if name not in {"cause", "time"})
        last = table.groupby([group, "cause"])["estimate"].last()
        assert table["cause"].nunique() == 2
        assert last.groupby(level=0).sum().between(0.2, 1.001).all()
