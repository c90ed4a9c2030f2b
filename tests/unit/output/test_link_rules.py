"""A link report that leaves tells of no few persons, in no cell and by no subtraction."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from attacker import interval, tells_of_few
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.analysis.cohort.link_report import PERSONS_BEHIND_ROWS, LinkReport
from workbench.errors import DisclosureError
from workbench.output.disclosure import release

STAYS, DRUGS = "care.stays", "drugs.dispensings"
PER_TEST = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def totals_of(name, n_matched, **told):
    """The totals of one table: half of the cohort's persons have one row, the others three."""
    one = told.pop("n_one_row", n_matched // 2)
    several = n_matched - one
    line = {
        "table": name,
        "n_rows_of_cohort": one + 3 * several,
        "n_rows_of_others": 200,
        "n_rows_without_person": 0,
        "n_persons_of_cohort": n_matched,
        "n_persons_of_others": 60,
        "n_one_row": one,
        "n_several_rows": several,
        "n_rows_renumbered": 0,
        "n_several_of_others": 30,
        "n_persons_renumbered": 0,
        **told,
    }
    kinds = ("cohort", "others")
    line["n_persons"] = sum(line[f"n_persons_of_{kind}"] for kind in kinds)
    line["n_rows"] = sum(line[f"n_rows_of_{kind}"] for kind in kinds)
    line["n_rows"] += line["n_rows_without_person"]
    return line


def report_of(matched, *, conflicts=(), **totals):
    """A report from matched and unmatched by table and year; conflicts are lines of that table."""
    matches = [
        {
            "table": name, "year": 2010 + at, "n_cohort": yes + no,
            "n_matched": yes, "n_unmatched": no,
        }
        for name, years in matched.items()
        for at, (yes, no) in enumerate(years)
    ]  # fmt: skip
    tables = [
        totals_of(name, sum(yes for yes, _ in years), **totals) for name, years in matched.items()
    ]
    columns = ["question", "n_rows", "n_conflicts", *PERSONS_BEHIND_ROWS]
    told = pd.DataFrame(list(conflicts), columns=columns)
    told.insert(0, "table", STAYS)
    return LinkReport(pd.DataFrame(matches), pd.DataFrame(tables), told)


def attack(released, name):
    """What an attacker makes of one table: the interval of each number worth protecting."""
    matches = released.frame[released.frame["table"] == name]
    totals = released.parts["tables"].frame.set_index("table").loc[name].dropna()
    shown = {str(column): float(value) for column, value in totals.items()}
    if matches["n_matched"].notna().all():
        shown["n_persons_of_cohort"] = float(matches["n_matched"].sum())
    third = {"n_rows_of_cohort": 1, "n_one_row": -1, "n_several_rows": -2}
    equal = [
        {"n_rows": 1, "n_rows_of_cohort": -1, "n_rows_of_others": -1, "n_rows_without_person": -1},
        {"n_persons": 1, "n_persons_of_cohort": -1, "n_persons_of_others": -1},
        {"n_persons_of_cohort": 1, "n_one_row": -1, "n_several_rows": -1},
    ]
    at_least = [
        third,
        {"n_rows_of_others": 1, "n_persons_of_others": -1},
        {"n_rows_of_cohort": 1, "n_rows_renumbered": -1},
        {"n_persons_of_others": 1, "several_of_others": -1},
        {"n_rows_of_others": 1, "n_persons_of_others": -1, "several_of_others": -1},
    ]
    wanted = [
        {"n_persons_of_others": 1}, {"n_one_row": 1}, {"n_several_rows": 1}, third,
        {"n_rows_of_cohort": 1, "n_persons_of_cohort": -1},
        {"n_rows_of_others": 1, "n_persons_of_others": -1},
        {"n_rows_of_cohort": 1, "n_rows_renumbered": -1},
        {"n_rows_without_person": 1}, {"n_rows_renumbered": 1},
    ]  # fmt: skip
    return [interval(one, shown, equal_zero=equal, at_least_zero=at_least) for one in wanted]


@PER_TEST
@given(data=st.data(), n_years=st.integers(1, 6))
def test_no_few_can_be_read_or_subtracted_between_tables(policy, data, n_years):
    sizes = data.draw(st.lists(st.integers(0, 30), min_size=n_years, max_size=n_years))
    matched = {}
    for name in (STAYS, DRUGS):
        found = [data.draw(st.integers(0, size)) for size in sizes]
        matched[name] = [(yes, size - yes) for yes, size in zip(found, sizes, strict=True)]
    report = report_of(matched)
    if sum(sizes) < 5:
        if sum(sizes):
            with pytest.raises(DisclosureError, match="fewer than 5"):
                release(report, policy, title="links")
        return
    frame = release(report, policy, title="links").frame
    shown = frame[["n_cohort", "n_matched", "n_unmatched"]].stack().dropna()
    assert not shown.between(1, 4).any()
    spans = frame.groupby("table")["years"].apply(list)
    assert spans.iloc[0] == spans.iloc[1]
    for name, rows in frame.groupby("table"):
        if rows["n_matched"].notna().all():
            assert rows["n_matched"].sum() == sum(yes for yes, _ in matched[name])


COUNT = st.one_of(st.integers(0, 6), st.integers(0, 60))


@settings(PER_TEST, max_examples=60)
@given(one=COUNT, several=COUNT, third=COUNT, others=COUNT, spare=COUNT, lost=COUNT, moved=COUNT)
def test_an_attacker_with_all_totals_finds_no_few(
    policy, one, several, third, others, spare, lost, moved
):
    if one + several < 5:
        return
    third = third if several else 0
    totals = {
        "n_one_row": one,
        "n_rows_of_cohort": one + 2 * several + third,
        "n_persons_of_others": others,
        "n_rows_of_others": others + (spare if others else 0),
        "n_several_of_others": min(others, spare),
        "n_rows_without_person": lost,
        "n_rows_renumbered": min(moved, one + several),
        "n_persons_renumbered": min(moved, one + several),
    }
    report = report_of({STAYS: [(one + several, 10)]}, **totals)
    released = release(report, policy, title="links")
    assert not any(tells_of_few(ends, 5) for ends in attack(released, STAYS))
    assert not released.parts["tables"].frame.drop(columns="table").stack().between(1, 4).any()


def test_the_attacker_would_find_the_others_in_an_unjudged_table(policy):
    """The attack is real: with the persons of a table shown, 3 others are left of 93."""
    report = report_of({STAYS: [(50, 10), (40, 10)]}, n_persons_of_others=3, n_rows_of_others=80)
    released = release(report, policy, title="links")
    totals = released.parts["tables"].frame.iloc[0]
    assert totals[["n_persons", "n_persons_of_others", "n_rows"]].isna().all()
    assert totals["n_persons_of_cohort"] == released.frame["n_matched"].sum() == 90
    known = {"n_persons": 93, "n_persons_of_cohort": 90}
    sums = [{"n_persons": 1, "n_persons_of_cohort": -1, "n_persons_of_others": -1}]
    others = {"n_persons_of_others": 1}
    assert interval(others, known, equal_zero=sums, at_least_zero=[]) == (3, 3)


def test_where_all_years_together_have_few_unmatched_no_number_of_the_table_is_shown(policy):
    told = [("other sex", 250, 30, 20, 60, 8)]
    report = report_of({STAYS: [(50, 1), (40, 1)], DRUGS: [(41, 10), (31, 10)]}, conflicts=told)
    released = release(report, policy, title="links")
    frame = released.frame.set_index("table")
    assert frame.loc[[STAYS], ["n_matched", "n_unmatched"]].isna().all(axis=None)
    assert frame.loc[[DRUGS], "n_matched"].tolist() == [41, 31]
    totals = released.parts["tables"].frame.set_index("table")
    assert totals.loc[STAYS].isna().all()
    assert totals.loc[DRUGS].notna().all()
    conflicts = released.parts["conflicts"]
    assert conflicts.frame[["n_rows", "n_conflicts"]].isna().all(axis=None)
    assert conflicts.texts().iloc[0].tolist() == [STAYS, "other sex", "[c]", "[c]"]


@pytest.mark.parametrize(
    ("line", "n_rows", "n_conflicts"),
    [
        (("other sex", 100, 0, 0, 50, 20), 100, 0),
        (("other sex", 100, 20, 15, 45, 20), 100, 20),
        (("other sex", 100, 3, 3, 50, 20), 100, None),  # few rows
        (("other sex", 100, 98, 50, 2, 20), 100, None),  # few agree
        (("other sex", 100, 20, 1, 50, 20), 100, None),  # many rows of one person
        (("other sex", 100, 60, 30, 2, 20), 100, None),  # the other rows are of two persons
        (("other sex", 100, 20, 15, 45, 2), None, None),  # rows left aside are of two persons
        (("other sex", 118, 20, 15, 45, 5), None, None),  # 120 rows are known from the totals
        (("other sex", 3, 0, 0, 3, 55), None, None),
        (("other sex", 63, 20, 15, 45, 20), None, None),  # beside 60 persons
    ],
)
def test_contradictions_are_judged_by_persons(policy, line, n_rows, n_conflicts):
    report = report_of({STAYS: [(60, 10)]}, conflicts=[line])
    released = release(report, policy, title="links")
    assert released.parts["tables"].frame["n_rows_of_cohort"].tolist() == [120]
    frame = released.parts["conflicts"].frame
    found = [None if pd.isna(one) else int(one) for one in frame.iloc[0, 2:4]]
    assert found == [n_rows, n_conflicts]
    assert frame.columns.tolist() == ["table", "question", "n_rows", "n_conflicts"]


def test_questions_asked_of_nearly_the_same_rows_are_hidden_together(policy):
    told = [("other sex", 100, 20, 15, 45, 20), ("after death", 98, 30, 15, 45, 20)]
    released = release(report_of({STAYS: [(60, 10)]}, conflicts=told), policy, title="links")
    assert released.parts["conflicts"].frame["n_rows"].isna().all()


def test_rows_of_the_studys_own_table_are_hidden_and_its_contradictions_shown(policy):
    report = report_of({STAYS: [(60, 10)]}, conflicts=[("other sex", 76, 20, 15, 45, 20)])
    own = replace(report, conflicts=report.conflicts.assign(table="renal.starts"))
    frame = release(own, policy, title="links").parts["conflicts"].frame
    assert frame["n_rows"].isna().all()
    assert frame["n_conflicts"].tolist() == [20]


def test_contradictions_nobody_counted_the_persons_of_are_hidden(policy):
    report = report_of({STAYS: [(60, 10)]}, conflicts=[("other sex", 100, 20, 15, 45, 20)])
    uncounted = report.conflicts[["table", "question", "n_rows", "n_conflicts"]]
    released = release(replace(report, conflicts=uncounted), policy, title="links")
    assert released.parts["conflicts"].frame["n_conflicts"].isna().all()


@pytest.mark.parametrize(
    "totals",
    [
        {"n_one_row": 57},  # three persons have several rows
        {"n_one_row": 2},
        {"n_one_row": 50, "n_rows_of_cohort": 72},  # two have a third row
        {"n_several_of_others": 1},
        {"n_rows_of_others": 63},
        {"n_rows_without_person": 2},
    ],
)
def test_rows_that_tell_of_few_with_several_are_hidden(policy, totals):
    released = release(report_of({STAYS: [(60, 10)]}, **totals), policy, title="links")
    frame = released.parts["tables"].frame
    rows = ["n_rows", "n_rows_of_cohort", "n_rows_of_others", "n_rows_without_person"]
    assert frame[rows].isna().all(axis=None)
    assert frame[["n_one_row", "n_several_rows"]].isna().any(axis=None) == (
        totals.get("n_one_row") in (57, 2)
    )


def test_where_few_have_several_rows_the_rows_compared_are_hidden_too(policy):
    told = [("other sex", 100, 20, 15, 45, 20)]
    report = report_of({STAYS: [(60, 10)]}, conflicts=told, n_one_row=57)
    released = release(report, policy, title="links")
    assert released.parts["conflicts"].frame["n_rows"].isna().all()


def test_many_rows_under_an_earlier_number_of_one_person_are_hidden(policy):
    for n_persons, shown in ((1, False), (9, True)):
        totals = {"n_rows_renumbered": 12, "n_persons_renumbered": n_persons}
        released = release(report_of({STAYS: [(60, 10)]}, **totals), policy, title="links")
        assert released.parts["tables"].frame["n_rows_renumbered"].notna().all() == shown


def test_what_is_only_judged_by_is_not_shown(policy):
    released = release(report_of({STAYS: [(60, 10)]}), policy, title="links")
    columns = released.parts["tables"].frame.columns
    assert not {"n_several_of_others", "n_persons_renumbered"} & set(columns)


def test_a_report_that_counts_events_for_persons_is_refused(policy):
    report = report_of({STAYS: [(60, 10)]})
    events = report.matches.assign(n_matched=90, n_cohort=100)
    with pytest.raises(DisclosureError, match="do not count the same persons"):
        release(replace(report, matches=events), policy, title="links")
    other = report_of({STAYS: [(60, 10)], DRUGS: [(40, 20)]})
    with pytest.raises(DisclosureError, match="do not count the same persons"):
        release(other, policy, title="links")


def test_a_report_that_does_not_add_up_cannot_be_made():
    report = report_of({STAYS: [(50, 10)]})
    broken = report.matches.assign(n_matched=49)
    with pytest.raises(AssertionError, match="do not add up"):
        replace(report, matches=broken)
