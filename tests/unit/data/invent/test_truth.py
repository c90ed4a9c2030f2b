"""The truth beside the files: complete, readable, and what the files were made from."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.data.invent.plain_yaml import as_yaml
from workbench.registers.documents import read_tree_with_lines

FILES = {
    "truth.yaml", "life_table.csv", "persons.csv", "conditions.csv", "cases.csv",
    "not_captured.csv", "tumours.csv", "net_survival.csv", "units.csv", "earlier_numbers.csv",
    "faults.csv", "other_forms.csv",
}  # fmt: skip


def test_every_file_of_the_truth_is_there(invented):
    assert {file.name for file in invented.truth.iterdir()} == FILES


def test_the_stated_parameters_can_be_read_and_name_the_run(invented):
    stated, _ = read_tree_with_lines(invented.truth / "truth.yaml")
    assert stated["seed"] == str(invented.seed)
    assert stated["persons"] == str(invented.persons)
    assert stated["as_of"] == invented.as_of.isoformat()
    assert float(stated["kidneys"]["log_hazard_ratios"]["diabetes"]) > 0
    assert set(stated["reporting"]["registers"]) >= {"renal: starts", "blood_cancer: mds"}
    assert stated["mortality"]["constants"]["male"]["slope"] == "0.1012"


def test_persons_of_the_truth_are_those_of_the_population_register(invented, read, truth, days):
    persons = truth("persons").set_index("personal_number")
    register = read(invented, "population.persons").set_index("personal_number")
    assert set(persons.index) == set(register.index)
    told = days(register["death_date"])
    known = persons.loc[told.index, "known_death_date"]
    assert told.equals(known.rename(told.name).astype(told.dtype))


def test_net_survival_is_the_mean_over_first_tumours(truth):
    tumours, means = truth("tumours"), truth("net_survival")
    first = tumours[tumours["is_first"] == "yes"]
    whole = means[means["stage"].isna() & means["care_region"].isna()].set_index("group")
    for group, own in first.groupby("group"):
        assert whole.loc[group, "n"] == len(own)
        assert whole.loc[group, "net_survival_5"] == pytest.approx(
            own["net_survival_5"].mean(), abs=1e-5
        )


def test_survival_falls_with_stage_and_time(truth):
    first = truth("tumours")
    colon = first[first["group"] == "colon"]
    by_stage = colon.groupby("stage")["net_survival_5"].mean()
    assert by_stage.is_monotonic_decreasing
    assert (colon["net_survival_10"] <= colon["net_survival_1"]).all()


def test_units_are_of_very_unequal_size(truth):
    units = truth("units")
    for _, own in units.groupby("specialty"):
        assert own["weight"].max() > 15 * own["weight"].min()
    cases = truth("cases")
    forms = cases.loc[cases["register"] == "palliative", "unit"].value_counts()
    assert forms.max() > 5 * np.median(forms)


def test_access_at_the_start_of_dialysis_goes_with_the_units_effect(truth):
    """In a larger population each unit would show it; here, units above and below the median."""
    cases, units = truth("cases"), truth("units").set_index("unit")
    starts = cases[cases["register"] == "renal"]
    effect = units.loc[starts["unit"], "effect"].to_numpy()
    catheter = starts["true_stage"].eq("catheter").to_numpy()
    assert catheter[effect < np.median(effect)].mean() > catheter[effect > np.median(effect)].mean()


def test_diabetes_is_the_same_person_in_stays_and_drugs(invented, read, truth, numbers):
    conditions = truth("conditions")
    diabetic = set(conditions.loc[conditions["condition"].eq("diabetes"), "personal_number"])
    drugs = read(invented, "drugs.dispensings")
    metformin = set(drugs.loc[drugs["atc"] == "A10BA02", "personal_number"])
    changed = set(truth("persons")["earlier_number"].dropna())
    assert metformin - changed <= diabetic
    stays = read(invented, "patients.inpatient")
    e11 = stays["other_diagnoses"].str.contains("E119") | stays["main_diagnosis"].eq("E119")
    dying = stays["discharged_to"] == "4"  # the cause of death may be named where nothing was known
    assert set(numbers(stays.loc[e11 & ~dying, "personal_number"])) - changed <= diabetic


def test_amputations_after_operations_are_in_stays_and_follow_ups(invented, read, numbers):
    followups = read(invented, "vascular.followups")
    amputated = followups[followups["amputation"] == "1"]
    stays = read(invented, "patients.inpatient")
    operated = stays[stays["procedures"].isin(["NGQ19", "NFQ19"])]
    assert len(amputated) > 0
    assert set(numbers(amputated["personal_number"])) <= set(numbers(operated["personal_number"]))


def test_plain_data_becomes_yaml_that_is_read_as_it_was(tmp_path):
    data = {"a": 1, "b c": [0.5, "x: y"], "d": {"e": "07", "yes?": True}, "f": {}}
    (tmp_path / "t.yaml").write_text(as_yaml(data))
    tree, _ = read_tree_with_lines(tmp_path / "t.yaml")
    assert tree == {"a": "1", "b c": ["0.5", "x: y"], "d": {"e": "07", "yes?": "true"}, "f": {}}


def test_moving_between_regions_shows_in_residences(invented, read):
    residences = read(invented, "population.residences")
    assert residences["personal_number"].duplicated().mean() > 0.1
    assert (residences["municipality"].str[:2] == residences["region"]).all()
    halland = residences[residences["region"] == "13"]
    assert halland["municipality"].nunique() == 6


def test_some_leave_and_some_come_back(invented, read, truth):
    persons = truth("persons")
    migrations = read(invented, "population.migrations")
    assert (migrations["direction"] == "Utv").sum() == persons["left_date"].notna().sum()
    assert persons["returned_date"].notna().any()
