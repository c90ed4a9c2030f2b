"""Results to release, made from few lines."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from workbench.analysis import description, regression, survival
from workbench.analysis.cohort.ledger import Ledger
from workbench.output.disclosure import release
from workbench.registers.profiles import load_profile

FOLLOW_UP = {"duration": "years", "event": "died"}


@pytest.fixture
def policy():
    return load_profile("standard")


@pytest.fixture
def persons():
    """600 persons in three stages, followed to ten years; the worse the stage the shorter."""
    draw = np.random.default_rng(7)
    stage = draw.integers(0, 3, 600)
    years = draw.exponential(12 / (1 + 0.7 * stage))
    return pd.DataFrame(
        {
            "years": np.minimum(years, 10).round(3),
            "died": (years < 10).astype(int),
            "stage": pd.Categorical(np.array(["I", "II", "III"])[stage]),
            "sex": pd.Categorical(np.where(draw.random(600) < 0.5, "men", "women")),
            "age": draw.normal(65, 10, 600).round(1),
        }
    )


@pytest.fixture
def make_ledger():
    """A ledger from the rows left out at each step, and the population that stays."""

    def make(outs, *, population=100, persons_outs=None, leavers=(), checks=()):
        outs = [*outs, 0]
        persons = [*(persons_outs or outs[:-1]), 0]
        steps = pd.DataFrame(
            {"step": range(len(outs)), "reason": [f"r{i}" for i in range(len(outs))]}
        )
        for what, left in (("rows", outs), ("persons", persons)):
            remaining = population + np.cumsum(left[::-1])[::-1]
            steps[f"n_{what}_in"] = pd.array(remaining, dtype="Int64")
            steps[f"n_{what}_out"] = pd.array(left, dtype="Int64")
        profile = ["step", "variable", "level", "n", "n_missing", "mean"]
        return Ledger(
            steps,
            pd.DataFrame(leavers, columns=profile),
            pd.DataFrame(checks, columns=["check", "n_rows"]),
        )

    return make


@pytest.fixture
def ledger(make_ledger, policy):
    return release(make_ledger([7, 2, 40]), policy, title="Study population")


@pytest.fixture
def curve(persons, policy):
    frame = survival.kaplan_meier(persons, by="stage", **FOLLOW_UP)
    at_risk = survival.number_at_risk(persons, by="stage", times=[0, 2, 4, 6, 8], **FOLLOW_UP)
    return release(frame, policy, title="Survival by stage", at_risk=at_risk)


@pytest.fixture
def logrank(persons, policy):
    return release(
        survival.logrank(persons, by="stage", **FOLLOW_UP), policy, title="Log-rank test"
    )


@pytest.fixture
def cox(persons, policy):
    fit = regression.cox(persons, "age + sex + stage", **FOLLOW_UP)
    return release(fit, policy, title="Hazard of death")


@pytest.fixture
def table_one(persons, policy):
    frame = description.table_one(persons, variables=["age", "stage"], by="sex")
    return release(frame, policy, title="Persons by sex")
