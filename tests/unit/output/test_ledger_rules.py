"""The ledger that leaves adds up, and nothing small can be worked out from it."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.analysis.cohort.link_report import PERSONS_BEHIND_ROWS, LinkReport
from workbench.errors import DisclosureError
from workbench.output.disclosure import release
from workbench.output.figures import flow_figure

OUTS = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 4)), min_size=1, max_size=9)
PER_TEST = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
CONCERNED, NOT_FOUND = "n_persons_concerned", "no comparison person alike was found"


def counted(ledger, concerned):
    """The ledger with the persons that have a row leaving at each step."""
    return replace(ledger, steps=ledger.steps.assign(**{CONCERNED: [*concerned, 0]}))


def _shown(released):
    frame = released.frame
    for what in ("rows", "persons"):
        yield (
            frame[f"n_{what}_in"].dropna().astype(int),
            frame[f"n_{what}_out"].dropna().astype(int),
        )


@PER_TEST
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


@PER_TEST
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
    ledger = counted(make_ledger([20, 30], persons_outs=[20, 28]), [20, 28])
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


@PER_TEST
@given(data=st.data(), n_steps=st.integers(1, 6), population=st.integers(5, 60))
def test_rows_are_shown_only_where_they_may_stand_on_enough_persons(
    make_ledger, policy, data, n_steps, population
):
    persons = data.draw(st.lists(st.integers(0, 9), min_size=n_steps, max_size=n_steps))
    stayers = data.draw(st.lists(st.integers(0, 9), min_size=n_steps, max_size=n_steps))
    rows = [out + (data.draw(st.integers(5, 60)) if more else 0)
            for out, more in zip(persons, stayers, strict=True)]  # fmt: skip
    concerned = [out + more for out, more in zip(persons, stayers, strict=True)]
    ledger = counted(make_ledger(rows, persons_outs=persons, population=population), concerned)
    frame = release(ledger, policy, title="x").frame
    assert not frame["n_persons_out"].between(1, 4).any()
    assert CONCERNED not in frame
    if frame["n_rows_out"].isna().any():
        return
    at = 0
    for reason, n_rows in zip(frame["reason"], frame["n_rows_out"].astype(int), strict=True):
        inside = slice(at, at + reason.count(";") + 1)
        at = inside.stop
        # At least those who leave, and at least those of the fullest step.
        surely = max([sum(persons[inside]), *concerned[inside]], default=0)
        assert n_rows == 0 or surely >= 5


def test_many_rows_of_one_person_are_not_a_step_of_their_own(make_ledger, policy):
    ledger = counted(make_ledger([30, 40], persons_outs=[0, 20]), [1, 20])
    frame = release(ledger, policy, title="x").frame
    assert frame["n_rows_out"].tolist() == [70, 0]
    alone = counted(make_ledger([30], persons_outs=[0]), [1])
    frame = release(alone, policy, title="x").frame
    assert frame["n_rows_out"].isna().all()
    assert frame["n_persons_in"].tolist() == [100, 100]
    enough = counted(make_ledger([30], persons_outs=[0]), [12])
    assert release(enough, policy, title="x").frame["n_rows_out"].tolist() == [30, 0]


def test_rows_whose_persons_nobody_counted_are_hidden(make_ledger, policy):
    frame = release(make_ledger([30], persons_outs=[0]), policy, title="x").frame
    assert frame["n_rows_in"].isna().all()
    assert frame["n_persons_in"].tolist() == [100, 100]
    left = release(make_ledger([30], persons_outs=[10]), policy, title="x").frame
    assert left["n_rows_out"].tolist() == [30, 0]  # ten who leave have a row there


@pytest.mark.parametrize(
    ("n_rows", "n_persons", "shown"),
    [(0, 0, True), (3, 3, False), (30, 2, False), (30, 9, True), (30, None, True),
     (98, 60, False), (107, 60, False)],
)  # fmt: skip
def test_checks_are_judged_by_persons_and_beside_the_totals(
    make_ledger, policy, n_rows, n_persons, shown
):
    ledger = make_ledger([9])  # 109 delivered, 100 studied
    checks = pd.DataFrame([{"check": "x", "n_rows": n_rows, "n_persons": n_persons}])
    part = release(replace(ledger, checks=checks), policy, title="x").parts["checks"]
    assert part.frame.columns.tolist() == ["check", "n_rows"]
    assert part.frame["n_rows"].notna().tolist() == [shown]


def compared_ledger(make_ledger, *, short, outs, drawn_twice=0, n_short=None, told=True, n=2):
    """100 patients, two wanted for each; `short` could not be found, `outs` left afterwards."""
    n_rows = n * 100 - short - sum(outs)
    steps = make_ledger(outs, population=n_rows).steps.assign(**{CONCERNED: [*outs, 0]})
    for end in ("in", "out"):
        steps[f"n_persons_{end}"] = steps[f"n_rows_{end}"]
    steps["n_persons_in"] -= drawn_twice
    wanted = {"n_wanted": n * 100, "n_short": n_short} if told else {}
    return replace(make_ledger([9]), comparison=steps, **wanted)


@PER_TEST
@given(
    outs=st.lists(st.integers(0, 12), min_size=1, max_size=4),
    drawn_twice=st.integers(0, 9),
    n_short=st.integers(0, 9),
    share=st.integers(1, 3),
    told=st.booleans(),
)
def test_no_few_comparison_persons_that_lack_can_be_worked_out(
    make_ledger, policy, outs, drawn_twice, n_short, share, told
):
    n, short = 3, n_short * share
    ledger = compared_ledger(
        make_ledger,
        short=short,
        outs=outs,
        drawn_twice=drawn_twice,
        n_short=n_short,
        told=told,
        n=n,
    )
    part = release(ledger, policy, title="x").parts["comparison"]
    frame = part.frame
    for what in ("rows", "persons"):
        entered = frame[f"n_{what}_in"].dropna().astype(int)
        assert not (300 - entered).between(1, 4).any()
        assert not frame[f"n_{what}_out"].dropna().between(1, 4).any()
    # The check on patients with too few is hidden when few; what is short must not narrow it.
    first = frame.iloc[0]
    if first["reason"] == NOT_FOUND and pd.notna(first["n_rows_out"]):
        assert first["n_rows_out"] == short
        assert n_short == 0 or n_short >= 5


def test_the_ledger_of_comparison_persons_begins_with_those_wanted(make_ledger, policy):
    ledger = compared_ledger(make_ledger, short=12, outs=[20], n_short=8)
    frame = release(ledger, policy, title="x").parts["comparison"].frame
    assert frame["reason"].tolist() == [NOT_FOUND, "r0", "r1"]
    assert frame["n_rows_in"].tolist() == [200, 188, 168]
    assert frame["n_persons_in"].isna().tolist() == [True, False, False]


def test_few_that_were_not_found_are_shown_with_the_next_step(make_ledger, policy):
    ledger = compared_ledger(make_ledger, short=2, outs=[20], n_short=2)
    part = release(ledger, policy, title="x").parts["comparison"]
    assert part.frame["reason"].tolist() == [f"{NOT_FOUND}; r0", "r1"]
    assert part.frame["n_rows_out"].tolist() == [22, 0]
    alone = release(compared_ledger(make_ledger, short=2, outs=[0], n_short=2), policy, title="x")
    part = alone.parts["comparison"]
    assert part.frame.filter(like="n_").isna().all(axis=None)
    assert part.facts == {"n_rows": None, "n_persons": None}


def test_where_nobody_tells_how_many_were_wanted_only_the_population_is_shown(make_ledger, policy):
    ledger = compared_ledger(make_ledger, short=12, outs=[20], told=False)
    frame = release(ledger, policy, title="x").parts["comparison"].frame
    assert frame["n_rows_in"].isna().tolist() == [True, False]
    few = compared_ledger(make_ledger, short=3, outs=[0], told=False)
    frame = release(few, policy, title="x").parts["comparison"].frame
    assert frame["n_rows_in"].isna().all()


def test_more_comparison_persons_than_wanted_are_refused(make_ledger, policy):
    ledger = replace(compared_ledger(make_ledger, short=12, outs=[20]), n_wanted=187)
    with pytest.raises(DisclosureError, match="more comparison persons"):
        release(ledger, policy, title="x")


def test_few_comparison_persons_who_are_patients_too_do_not_follow_from_the_links(
    make_ledger, policy
):
    """100 patients and 168 comparison persons make 266 of the link report's cohort."""
    ledger = compared_ledger(make_ledger, short=12, outs=[20], n_short=8)
    matches = {"table": "care.stays", "year": 2015, "n_matched": 200, "n_unmatched": 66}
    tables = pd.DataFrame(columns=["n_rows", "n_rows_of_cohort", "n_rows_of_others",
        "n_rows_without_person", "n_persons", "n_persons_of_cohort", "n_persons_of_others",
        "n_one_row", "n_several_rows"])  # fmt: skip
    conflicts = pd.DataFrame(
        columns=["table", "question", "n_rows", "n_conflicts", *PERSONS_BEHIND_ROWS]
    )
    links = LinkReport(pd.DataFrame([matches | {"n_cohort": 266}]), tables, conflicts)
    frame = release(replace(ledger, links=links), policy, title="x").parts["comparison"].frame
    assert frame[["n_rows_in", "n_persons_in"]].isna().all(axis=None)


def test_the_flow_figure_says_that_rows_are_hidden_where_nobody_left(make_ledger, policy):
    ledger = counted(make_ledger([30], persons_outs=[0]), [1])
    text = flow_figure.describe(release(ledger, policy, title="x"))
    assert "0 persons ([c] rows) left out: R0" in text
