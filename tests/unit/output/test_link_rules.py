"""A link report that leaves tells of no few persons, in no cell and by no subtraction."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.analysis.cohort.link_report import LinkReport
from workbench.errors import DisclosureError
from workbench.output.disclosure import release

TOTALS = {
    "n_rows": 500,
    "n_rows_of_cohort": 300,
    "n_rows_of_others": 200,
    "n_rows_without_person": 0,
    "n_persons": 150,
    "n_persons_of_cohort": 90,
    "n_persons_of_others": 60,
    "n_one_row": 40,
    "n_several_rows": 50,
    "n_rows_renumbered": 0,
}


def report_of(
    matched: dict[str, list[tuple[int, int]]], *, conflicts: tuple[int, int] = (100, 20), **totals
) -> LinkReport:
    """A report from matched and unmatched by table and year."""
    matches = pd.DataFrame(
        [
            {
                "table": name, "year": 2010 + at, "n_cohort": yes + no,
                "n_matched": yes, "n_unmatched": no,
            }
            for name, years in matched.items()
            for at, (yes, no) in enumerate(years)
        ]
    )  # fmt: skip
    tables = pd.DataFrame([{"table": name, **TOTALS, **totals} for name in matched])
    told = pd.DataFrame(
        [{"table": "care.stays", "question": "other sex", "n_rows": 0, "n_conflicts": 0}]
    ).assign(n_rows=conflicts[0], n_conflicts=conflicts[1])
    return LinkReport(matches, tables, told)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data(), n_years=st.integers(1, 6))
def test_no_few_can_be_read_or_subtracted_between_tables(policy, data, n_years):
    sizes = data.draw(st.lists(st.integers(0, 30), min_size=n_years, max_size=n_years))
    matched = {}
    for name in ("care.stays", "drugs.dispensings"):
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


def test_where_all_years_together_have_few_unmatched_neither_side_is_shown(policy):
    report = report_of({"care.stays": [(50, 1), (40, 1)]})
    released = release(report, policy, title="links")
    assert released.frame["n_matched"].isna().all()
    totals = released.parts["tables"].frame
    assert totals["n_persons_of_cohort"].isna().all()
    assert totals["n_rows_of_cohort"].isna().all()


def test_few_contradictions_are_hidden_and_none_are_shown(policy):
    matched = {"care.stays": [(50, 10)]}
    shown = release(report_of(matched, conflicts=(100, 0)), policy, title="links")
    assert shown.parts["conflicts"].frame["n_conflicts"].tolist() == [0]
    hidden = release(report_of(matched, conflicts=(100, 3)), policy, title="links")
    assert hidden.parts["conflicts"].frame["n_conflicts"].isna().all()
    agree = release(report_of(matched, conflicts=(100, 98)), policy, title="links")
    assert agree.parts["conflicts"].frame["n_conflicts"].isna().all()


def test_rows_beyond_one_a_person_are_hidden_when_few(policy):
    totals = {"n_rows_of_cohort": 93, "n_rows_of_others": 407, "n_one_row": 87, "n_several_rows": 3}
    released = release(report_of({"care.stays": [(50, 10)]}, **totals), policy, title="links")
    frame = released.parts["tables"].frame
    assert frame["n_rows_of_cohort"].isna().all()
    assert frame["n_several_rows"].isna().all()


def test_a_report_that_does_not_add_up_cannot_be_made():
    report = report_of({"care.stays": [(50, 10)]})
    broken = report.matches.assign(n_matched=49)
    with pytest.raises(AssertionError, match="do not add up"):
        replace(report, matches=broken)
