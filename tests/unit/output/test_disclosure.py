"""The gate itself: what gets through, and that there is no way round it."""

from __future__ import annotations

import copy
import dataclasses
import pickle

import pandas as pd
import pytest

from workbench.analysis import survival
from workbench.errors import DisclosureError
from workbench.output import disclosure
from workbench.output.disclosure import (
    Released,
    release,
    release_at_times,
    release_quantiles,
    require_released,
)

FOLLOW_UP = {"duration": "years", "event": "died"}


@pytest.mark.parametrize(
    "result",
    [3, 0.5, "12 persons", None, [1, 2], {"n": 3}, object(), pd.Series([1, 2])],
)
def test_what_has_no_rule_is_refused(result, policy):
    with pytest.raises(DisclosureError, match="cannot judge"):
        release(result, policy, title="x")


def test_rows_of_persons_are_refused(persons, policy):
    with pytest.raises(DisclosureError, match="rows of persons never leave"):
        release(persons, policy, title="x")


def test_numbers_at_risk_without_their_curve_are_refused_with_the_way_out(persons, policy):
    alone = survival.number_at_risk(persons, times=[0, 1], **FOLLOW_UP)
    with pytest.raises(DisclosureError, match=r"release\(curve, policy, title=..., at_risk"):
        release(alone, policy, title="x")


def test_exact_quantiles_are_refused_with_the_way_out(persons, policy):
    with pytest.raises(DisclosureError, match="release_quantiles"):
        release(survival.quantiles(persons, **FOLLOW_UP), policy, title="x")


def test_at_risk_goes_with_a_curve_only(make_ledger, policy, persons):
    alone = survival.number_at_risk(persons, times=[0, 1], **FOLLOW_UP)
    with pytest.raises(DisclosureError, match="survival curve only"):
        release(make_ledger([9]), policy, title="x", at_risk=alone)


def test_a_released_result_is_not_released_twice(ledger, policy):
    with pytest.raises(DisclosureError, match="already"):
        release(ledger, policy, title="x")


def test_a_policy_that_is_no_profile_is_refused(make_ledger):
    with pytest.raises(DisclosureError, match="release profile"):
        release(make_ledger([9]), {"threshold": 0}, title="x")


def test_a_released_cannot_be_made_by_hand(ledger):
    fields = {f.name: getattr(ledger, f.name) for f in dataclasses.fields(Released)}
    with pytest.raises(DisclosureError, match="only be made by"):
        Released(**fields, token=object())
    with pytest.raises(TypeError):
        Released(**fields)


def test_a_released_cannot_be_replaced_copied_or_pickled(ledger):
    with pytest.raises(ValueError, match="token"):
        dataclasses.replace(ledger, title="y")
    with pytest.raises(DisclosureError):
        dataclasses.replace(ledger, title="y", token=None)
    for way in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(DisclosureError, match="cannot be copied"):
            way(ledger)


def test_a_released_cannot_be_subclassed():
    with pytest.raises(DisclosureError, match="subclassed"):
        type("Mine", (Released,), {})


def test_an_empty_shell_is_no_released(ledger):
    shell = object.__new__(Released)
    with pytest.raises(DisclosureError, match="not made by release"):
        require_released(shell)


def test_a_result_changed_by_force_is_noticed(ledger):
    object.__setattr__(ledger, "_frame", ledger.frame.assign(n_persons_out=3))
    with pytest.raises(DisclosureError, match="was changed"):
        require_released(ledger)


def test_changing_what_is_given_out_changes_nothing(ledger):
    before = ledger.csv()
    frame, hidden = ledger.frame, ledger.hidden
    frame.loc[0, "n_persons_out"] = 3
    hidden.loc[0, "n_persons_out"] = True
    with pytest.raises(TypeError):
        ledger.facts["n_persons"] = 3
    assert ledger.csv() == before


def test_a_rule_that_leaves_a_hidden_value_is_stopped(monkeypatch, make_ledger, policy):
    honest = disclosure.judge(make_ledger([9]), policy)
    careless = dataclasses.replace(honest, hidden=~honest.hidden)
    monkeypatch.setattr(disclosure, "judge", lambda *_, **__: careless)
    with pytest.raises(DisclosureError, match="left a hidden value"):
        release(make_ledger([9]), policy, title="x")


def test_hidden_and_missing_are_written_differently(make_ledger, policy):
    checks = [("born after death", 3), ("died twice", 0)]
    released = release(make_ledger([9], checks=checks), policy, title="x").parts["checks"]
    assert released.csv() == b"check,n_rows\nborn after death,[c]\ndied twice,0\n"


def test_the_record_tells_rules_and_reasons_but_no_result(ledger):
    record = ledger.record()
    assert record["rules"]["threshold"] == 5
    assert record["hidden"] == {"ledger steps merged with a neighbour": 1}
    assert len(record["sha256"]) == 64


def test_quantiles_are_the_times_of_shown_steps(curve):
    released = release_quantiles(curve, title="Median")
    assert released.frame.columns.tolist() == [
        *("stage", "q", "estimate", "lower", "upper", "earliest", "latest")
    ]
    assert set(released.frame["estimate"].dropna()) <= set(curve.frame["time"])


def test_survival_at_a_time_is_a_shown_estimate_and_missing_past_the_end(curve):
    released = release_at_times(curve, title="At times", times=[0, 5, 99]).frame
    assert (released.loc[released["time"] == 0, "estimate"] == 1).all()
    assert released.loc[released["time"] == 99, "estimate"].isna().all()
    shown = set(curve.frame["estimate"])
    assert set(released.loc[released["time"] == 5, "estimate"]) <= shown


def test_a_notebook_shows_a_table(ledger):
    bundle = ledger._repr_mimebundle_()
    assert "<table" in bundle["text/html"]
    assert "Study population" in bundle["text/plain"]
