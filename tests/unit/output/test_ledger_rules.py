"""The ledger that leaves adds up, and nothing small can be worked out from it."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.errors import DisclosureError
from workbench.output.disclosure import release

OUTS = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 4)), min_size=1, max_size=9)


def _shown(released):
    frame = released.frame
    for what in ("rows", "persons"):
        yield (
            frame[f"n_{what}_in"].dropna().astype(int),
            frame[f"n_{what}_out"].dropna().astype(int),
        )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(OUTS, st.integers(5, 60))
def test_no_small_number_can_be_subtracted_from_a_released_ledger(
    make_ledger, policy, outs, population
):
    rows_out = [rows + spare for rows, spare in outs]
    ledger = make_ledger(rows_out, persons_outs=[rows for rows, _ in outs], population=population)
    released = release(ledger, policy, title="x")
    for entered, left in _shown(released):
        assert not left.between(1, 4).any()
        for first in range(len(entered)):
            for second in range(first, len(entered)):
                assert not 0 < entered.iloc[first] - entered.iloc[second] < 5
    assert released.frame["n_persons_in"].iloc[-1] == population
    for end in ("in", "out"):
        spare = (released.frame[f"n_rows_{end}"] - released.frame[f"n_persons_{end}"]).dropna()
        assert not spare.abs().between(1, 4).any()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.integers(0, 12), min_size=1, max_size=9))
def test_a_released_ledger_adds_up_to_what_was_left_out(make_ledger, policy, outs):
    released = release(make_ledger(outs), policy, title="x").frame
    if released["n_persons_out"].iloc[:-1].isna().any():
        assert 0 < sum(outs) < 5
        return
    left = released["n_persons_in"] - released["n_persons_out"]
    assert (left.iloc[:-1].to_numpy() == released["n_persons_in"].iloc[1:].to_numpy()).all()
    assert released["n_persons_out"].sum() == sum(outs)
    reasons = "; ".join(released["reason"]).split("; ")
    assert reasons == [f"r{i}" for i in range(len(outs) + 1)]


def test_small_steps_are_shown_with_a_neighbour(make_ledger, policy):
    released = release(make_ledger([2, 0, 6, 30]), policy, title="x")
    assert released.frame["reason"].tolist() == ["r0; r1; r2", "r3", "r4"]
    assert released.frame["n_persons_out"].tolist() == [8, 30, 0]
    assert released.hidden_counts == {"ledger steps merged with a neighbour": 2}


def test_when_all_steps_stay_small_only_the_population_is_shown(make_ledger, policy):
    released = release(make_ledger([1, 2]), policy, title="x")
    assert released.frame["n_persons_in"].isna().tolist() == [True, False]
    assert released.hidden["n_persons_in"].tolist() == [True, False]
    assert released.facts == {"n_rows": 100, "n_persons": 100}


def test_a_small_study_population_is_refused(make_ledger, policy):
    with pytest.raises(DisclosureError, match="fewer than 5 persons"):
        release(make_ledger([20], population=4), policy, title="x")


def test_rows_nearly_equal_to_persons_are_hidden(make_ledger, policy):
    ledger = make_ledger([20, 30], persons_outs=[20, 28])
    released = release(ledger, policy, title="x")
    assert released.frame["n_rows_in"].isna().all()
    assert released.frame["n_persons_out"].tolist() == [20, 28, 0]
    assert released.facts["n_rows"] is None


def test_persons_unknown_at_import_stay_missing_not_hidden(make_ledger, policy):
    ledger = make_ledger([9, 20])
    ledger.steps.loc[0, ["n_persons_in", "n_persons_out"]] = pd.NA
    released = release(ledger, policy, title="x")
    assert released.frame["n_rows_out"].tolist() == [9, 20, 0]
    assert pd.isna(released.frame["n_persons_out"].iloc[0])
    assert not released.hidden.any(axis=None)


def test_leavers_are_profiled_only_where_every_cell_is_safe(make_ledger, policy):
    leavers = [
        (0, "sex", "men", 12, 0, None),
        (0, "sex", "women", 8, 0, None),
        (0, "stage", "I", 17, 0, None),
        (0, "stage", "II", 3, 0, None),
        (0, "age", "", 20, 0, 66.789),
        (1, "sex", "men", 3, 0, None),
    ]
    released = release(make_ledger([20, 3, 30], leavers=leavers), policy, title="x")
    shown = released.parts["leavers"].frame
    assert shown["variable"].tolist() == ["sex", "sex", "age"]
    assert shown["mean"].iloc[-1] == 66.8
    assert released.parts["leavers"].hidden_counts == {"profiles of persons left out": 2}


def test_levels_that_lack_a_few_persons_are_not_profiled(make_ledger, policy):
    leavers = [(0, "sex", "men", 12, 0, None), (0, "sex", "women", 6, 0, None)]
    released = release(make_ledger([20], leavers=leavers), policy, title="x")
    assert released.parts["leavers"].frame.empty


def test_a_ledger_that_somebody_leaves_at_the_end_is_refused(make_ledger, policy):
    ledger = make_ledger([9])
    ledger.steps.loc[1, "n_rows_out"] = 7
    with pytest.raises(DisclosureError, match="do not add up"):
        release(ledger, policy, title="x")
