"""Coverage and delay are as stated, by region and sub-register; late reports are not there yet."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from workbench.data.invent.capture import SLOW_REGION, capture, reporting
from workbench.data.invent.chance import stream
from workbench.data.invent.days import NEVER
from workbench.data.invent.places import CODES

SUBS = [("renal", "starts"), ("blood_cancer", "mds"), ("vascular", "LEG")]


@pytest.mark.parametrize(("register", "sub"), SUBS)
def test_reports_follow_the_stated_coverage_and_delay(register, sub):
    rules = reporting(register, sub, 1)
    region = np.repeat(np.arange(len(CODES)), 4000)
    day = np.zeros(len(region), dtype=np.int32)
    found = capture(stream(1, "t"), rules, region, day, last_day=100_000)
    reported = found.registered < NEVER
    for at in range(len(CODES)):
        own = region == at
        assert reported[own].mean() == pytest.approx(rules.coverage[at], abs=0.03)
        median = np.median(found.registered[own & reported])
        assert median == pytest.approx(rules.median_days[at], rel=0.12)


def test_the_slow_region_reports_less_and_later_than_all_others():
    for register, sub in SUBS:
        rules = reporting(register, sub, 1)
        slow = CODES.index(SLOW_REGION)
        assert rules.median_days[slow] > 2 * np.delete(rules.median_days, slow).max()
        assert rules.coverage[slow] < np.median(rules.coverage)


def test_what_is_reported_after_the_last_day_is_not_there():
    rules = reporting("renal", "starts", 1)
    region, day = np.zeros(2000, dtype=np.int64), np.full(2000, 1000, dtype=np.int32)
    found = capture(stream(1, "t"), rules, region, day, last_day=1030)
    assert (found.registered[found.is_there] <= 1030).all()
    assert 0.2 < found.is_there.mean() < 0.6


def test_the_file_holds_the_captured_cases_and_no_others(invented, read, truth, numbers):
    cases = truth("cases")
    for name in ("renal.starts", "cancer.tumours", "vascular.procedures", "blood_cancer.myeloma"):
        register, table = name.split(".")
        own = cases[(cases["register"] == register) & (cases["table"] == table)]
        there = own[own["captured"] == "yes"]
        rows = read(invented, name)
        assert len(rows) == len(there)
        told = pd.to_datetime(rows["registered_date"]).sort_values().to_list()
        assert told == there["registered_date"].sort_values().to_list()
    missed = truth("not_captured")
    assert len(missed) == (cases["captured"] == "no").sum()


def test_coverage_in_the_files_is_as_stated(truth):
    """Old enough cases of all registers together, against the mean of their stated chances."""
    cases = truth("cases")
    old = cases[(cases["register"] == "cancer") & (cases["event_date"] < "2019-01-01")]
    rules = reporting("cancer", "tumours", 5)
    stated = rules.coverage[[CODES.index(region) for region in old["region"]]].mean()
    assert (old["captured"] == "yes").mean() == pytest.approx(stated, abs=0.03)


def test_recent_cases_are_fewest_where_reports_are_slow(truth, invented):
    cases = truth("cases")
    recent = cases[cases["event_date"] > pd.Timestamp(invented.as_of) - pd.DateOffset(years=2)]
    there = recent["captured"].eq("yes").groupby(recent["region"].eq(SLOW_REGION)).mean()
    assert there[True] < there[False] - 0.1
