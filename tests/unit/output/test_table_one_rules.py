"""Table 1: a small number hides its variable in every group."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.analysis import description
from workbench.errors import DisclosureError
from workbench.output.disclosure import release

PERSON = st.tuples(st.sampled_from(["men", "women"]), st.sampled_from(["I", "II", None]))


def _release(persons, policy, **options):
    return release(description.table_one(persons, **options), policy, title="x")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(PERSON, min_size=5, max_size=80))
def test_a_variable_is_shown_whole_or_not_at_all(policy, rows):
    persons = pd.DataFrame(rows, columns=["sex", "stage"])
    persons["stage"] = pd.Categorical(persons["stage"], categories=["I", "II"])
    shown = _release(persons, policy, variables=["stage"], by="sex").frame
    assert shown["n"].isna().nunique() == 1
    assert not shown["n"].dropna().between(1, 4).any()
    groups = shown.loc[shown["group"] != "all", "n_group"]
    assert not groups.between(1, 4).any()


def test_one_small_cell_hides_counts_percentages_and_difference_everywhere(persons, policy):
    persons["rare"] = pd.Categorical(["yes"] * 3 + ["no"] * 597)
    released = _release(persons, policy, variables=["rare", "stage"], by="sex")
    rare = released.frame["variable"] == "rare"
    hidden = released.hidden[["n", "percent", "standardised_difference"]]
    assert hidden[rare].all(axis=None)
    assert not hidden[~rare].any(axis=None)
    assert released.hidden_counts == {
        "cells of variables with a small number of persons": 3 * 3 * 4
    }


def test_few_missing_hide_counts_of_a_number_but_not_its_mean(persons, policy):
    persons.loc[:2, "age"] = np.nan
    released = _release(persons, policy, variables=["age"], by="sex")
    assert released.frame["n"].isna().all()
    assert released.hidden["n"].all()
    assert released.frame["mean"].notna().sum() == 3


def test_means_and_quartiles_are_rounded_to_significant_digits(persons, policy):
    shown = _release(persons, policy, variables=["age"]).frame
    for column, exact in (("median", persons["age"].median()), ("mean", persons["age"].mean())):
        rounded = shown[column].iloc[0]
        assert rounded == round(rounded, 1) == pytest.approx(exact, abs=0.051)


def test_quartiles_need_twice_the_threshold(persons, policy):
    few = persons.iloc[:8]
    shown = _release(few, policy, variables=["age"])
    assert shown.frame["median"].isna().all()
    assert shown.frame["mean"].notna().any()
    assert shown.hidden_counts == {"quartiles and means of few persons": 3}


def test_a_small_group_leaves_only_the_column_for_everyone(persons, policy):
    persons["unit"] = pd.Categorical(["a"] * 4 + ["b"] * 596)
    released = _release(persons, policy, variables=["stage"], by="unit")
    assert set(released.frame["group"]) == {"all"}
    assert released.frame["standardised_difference"].isna().all()
    assert released.hidden_counts == {"groups of Table 1 hidden because one of them is small": 2}


def test_a_table_of_few_persons_is_refused(persons, policy):
    with pytest.raises(DisclosureError, match="fewer than 5 persons"):
        _release(persons.iloc[:4], policy, variables=["stage"])
