"""Models and tests: enough events, and no category that points at persons."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from workbench.analysis import competing, counts, regression, survival
from workbench.errors import DisclosureError
from workbench.output.disclosure import release
from workbench.output.figures import draw_forest
from workbench.output.tables import to_frame

FOLLOW_UP = {"duration": "years", "event": "died"}


@pytest.fixture
def fit(persons):
    return regression.cox(persons, "age + stage", **FOLLOW_UP)


def _with_level(fit, at, **numbers):
    levels = fit.levels.copy()
    for column, value in numbers.items():
        levels.loc[at, column] = value
    return dataclasses.replace(fit, levels=levels)


def test_a_model_with_few_events_is_refused_with_what_is_needed(persons, policy):
    few = regression.cox(persons.iloc[:60], "age", **FOLLOW_UP)
    assert few.events < 50
    with pytest.raises(DisclosureError, match="at least 50 events"):
        release(few, policy, title="x")


def test_a_model_with_few_events_for_its_parameters_is_refused(fit, policy):
    crowded = dataclasses.replace(
        fit,
        events=59,
        coefficients=pd.concat([fit.coefficients.iloc[:1]] * 6, ignore_index=True),
    )
    with pytest.raises(DisclosureError, match="6 parameters needs at least 60 events"):
        release(crowded, policy, title="x")


def test_a_safe_model_keeps_everything(fit, policy):
    released = release(fit, policy, title="x")
    assert not released.hidden.any(axis=None)
    assert released.facts["n"] == 600


@pytest.mark.parametrize(
    "numbers", [{"n": 4, "events": 0}, {"events": 4}, {"n": 103, "events": 100}]
)
def test_a_small_category_loses_its_estimate_and_the_variable_its_counts(fit, policy, numbers):
    released = release(_with_level(fit, 2, **numbers), policy, title="x")
    stage = released.frame["variable"] == "stage"
    assert released.hidden.loc[stage, ["n", "events"]].all(axis=None)
    assert released.frame["hazard_ratio"].isna().tolist() == [False, True, True, False]
    assert released.hidden["hazard_ratio"].tolist() == [False, False, True, False]
    assert released.hidden_counts["categories of the model with few persons or events"] == 1


def test_a_small_reference_hides_the_whole_variable(fit, policy):
    released = release(_with_level(fit, 1, n=4, events=4), policy, title="x")
    assert released.frame["hazard_ratio"].isna().tolist() == [False, True, True, True]


@pytest.mark.parametrize("change", [{"n_missing": 3}, {"events": 597}])
def test_totals_that_subtract_to_few_persons_are_hidden(fit, policy, change):
    released = release(dataclasses.replace(fit, **change), policy, title="x")
    assert released.facts["n"] is None
    assert released.frame["n"].isna().all()
    assert released.frame["hazard_ratio"].notna().sum() == 3


def test_a_term_without_persons_behind_it_is_refused(fit, policy):
    blind = dataclasses.replace(fit, levels=fit.levels.iloc[:-1])
    with pytest.raises(DisclosureError, match="persons behind every term"):
        release(blind, policy, title="x")


def test_a_term_without_a_finite_estimate_is_refused(fit, policy):
    endless = dataclasses.replace(fit, coefficients=fit.coefficients.assign(coefficient=np.inf))
    with pytest.raises(DisclosureError, match="no finite estimate"):
        release(endless, policy, title="x")


def test_a_logrank_test_keeps_its_table_when_every_number_is_safe(persons, policy):
    test = survival.logrank(persons, by="stage", **FOLLOW_UP)
    released = release(test, policy, title="x")
    assert released.frame["n"].sum() == 600
    assert released.facts["degrees_of_freedom"] == 2


def test_a_logrank_test_with_a_small_group_keeps_only_its_statistic(persons, policy):
    persons["unit"] = ["a"] * 4 + ["b"] * 596
    released = release(survival.logrank(persons, by="unit", **FOLLOW_UP), policy, title="x")
    assert released.frame[["n", "events", "observed", "expected"]].isna().all(axis=None)
    assert released.facts["statistic"] >= 0


def test_a_logrank_test_on_few_events_is_refused(persons, policy):
    few = persons.assign(died=[1] * 3 + [0] * 597)
    with pytest.raises(DisclosureError, match="fewer than 5 events"):
        release(survival.logrank(few, by="sex", **FOLLOW_UP), policy, title="x")


CAUSES = {"duration": "years", "event": "cause"}


@pytest.fixture
def competing_persons(persons):
    """The same persons, a third of whose deaths are of another cause."""
    other = (np.arange(len(persons)) % 3 == 0) & (persons["died"] == 1)
    return persons.assign(cause=np.where(other, 2, persons["died"]))


def test_a_fine_gray_model_is_judged_as_a_cox_model(competing_persons, policy):
    fit = competing.fine_gray(competing_persons, "age + stage", **CAUSES, cause=1)
    released = release(fit, policy, title="x")
    assert released.kind == "fine_gray" and not released.hidden.any(axis=None)
    assert released.facts["competing_events"] == int((competing_persons["cause"] == 2).sum())
    figure = draw_forest(released)
    assert "stage" in figure.alternative_text
    few = dataclasses.replace(fit, competing_events=3)
    hidden = release(few, policy, title="x")
    assert hidden.facts["n"] is None and hidden.facts["competing_events"] is None
    assert hidden.hidden[["n", "events"]].all(axis=None)


def test_grays_test_hides_its_small_groups_and_keeps_its_statistic(competing_persons, policy):
    test = competing.gray_test(competing_persons, **CAUSES, cause=1, by="stage")
    released = release(test, policy, title="x")
    assert released.kind == "gray" and not released.hidden.any(axis=None)
    small = test.table.assign(events=[3, *test.table["events"][1:]])
    hidden = release(dataclasses.replace(test, table=small), policy, title="x")
    assert hidden.hidden[["n", "events", "observed", "expected"]].all(axis=None)
    assert hidden.facts["p_value"] == released.facts["p_value"]


def test_the_test_of_proportional_hazards_is_shown_in_the_readers_words(fit, policy):
    released = release(fit.proportional_hazards_test(), policy, title="x")
    assert released.frame["term"].tolist() == ["age", "stage", "GLOBAL"]
    told = to_frame(released, labels={"age": "Age"})
    assert told.iloc[:, 0].tolist() == ["Age", "stage", "All together"]


def test_counts_and_covariances_never_leave(persons, policy):
    made = counts.event_counts(persons, **FOLLOW_UP)
    with pytest.raises(DisclosureError, match="cannot judge a EventCounts"):
        release(made, policy, title="x")
    with pytest.raises(DisclosureError, match="cannot judge|judged together"):
        release(made.frame(), policy, title="x")
