"""What a register could do better: each rule speaks beyond its limit and not before."""

from __future__ import annotations

import pandas as pd
import pytest

from workbench.analysis.count_table import CountTable
from workbench.analysis.quality import Quality
from workbench.errors import DisclosureError, StudyError
from workbench.language import speaking
from workbench.output.disclosure import release, release_reading
from workbench.output.gate.lag_rules import LagTable
from workbench.output.reporting import suggest
from workbench.output.reporting.suggestions import LIMITS
from workbench.registers.profiles import load_profile

PROFILE = load_profile("standard")


def shares(n, events, **limits):
    table = pd.DataFrame({"region": [f"R{at}" for at in range(len(n))], "n": n, "events": events})
    counts = release(CountTable(table, ("region",)), PROFILE, title="t")
    return release_reading(counts, "shares", title="t", **limits)


def quality(*, n_missing=(40, 10), n_aside=0, n=100):
    """Two years of one variable each; the second variable is nearly complete."""
    years = pd.DataFrame({"year": ["2022", "2023"], "n_rows": n, "n_persons": n})
    rows = [
        {"variable": name, "year": year, "n_rows": n, "n_missing": lacks,
         "n_persons_missing": lacks, "n_persons_known": n - lacks}
        for name, lacks in (("smoking", n_missing[0]), ("stage", n_missing[1]))
        for year in ("2022", "2023")
    ]  # fmt: skip
    delivered = {"version": ["v1"], "n_rows_read": [200 + n_aside], "n_rows_kept": [200],
                 "n_rows_set_aside": [n_aside]}  # fmt: skip
    return release(
        Quality(
            deliveries=pd.DataFrame(delivered),
            faults=pd.DataFrame(columns=["rule", "column", "outcome", "n_rows"]),
            years=years,
            returns=pd.DataFrame(columns=["year", "year_before", "n_persons"]),
            missing=pd.DataFrame(rows),
            repeats=pd.DataFrame(columns=["check", "n_rows", "n_persons"]),
        ),
        PROFILE,
        title="t",
    )


def lags(p90):
    table = pd.DataFrame({"region": ["N", "S"], "n": [200, 160], "median_days": [48.0, 60.0],
                          "p90_days": p90, "share_30": [0.2, 0.25]})  # fmt: skip
    return release(LagTable(table, ("region",)), PROFILE, title="t")


def lines(**given):
    return " ".join(one.line for one in suggest(**given))


def test_what_was_not_measured_is_said():
    found = suggest()
    assert [one.topic for one in found] == ["coverage", "completeness"]
    assert all("not measured" in one.finding for one in found)


def test_coverage_is_low_only_where_the_interval_says_so():
    told = lines(coverage=shares([400, 400, 60], [380, 240, 46]), quality=quality())
    assert "surely below 80 % in R1." in told
    assert "R2" not in told  # 46 of 60 is below 80 per cent, but not surely
    fine = lines(coverage=shares([400, 400], [380, 370]), quality=quality())
    assert "surely" not in fine
    strict = lines(coverage=shares([400, 400], [380, 370]), quality=quality(),
                   limits={"coverage": 0.97})  # fmt: skip
    assert "surely below 97 %" in strict


def test_a_nation_covered_too_little_is_told_with_its_share():
    told = lines(coverage=shares([400, 400], [240, 240]), quality=quality())
    assert "The register has 60 % of the other source's cases, surely below 80 %." in told


def test_a_variable_is_named_beyond_the_limit_unless_it_may_be_empty():
    given = {"coverage": shares([400, 400], [380, 370]), "quality": quality()}
    assert "smoking is missing in 40 % of rows in 2023." in lines(**given)
    assert "stage" not in lines(**given)
    assert "smoking" not in lines(**given, may_be_empty=["smoking"])


def test_rows_set_aside_are_told_beyond_one_in_a_hundred():
    assert "newest delivery" in lines(quality=quality(n_aside=20))
    assert "newest delivery" not in lines(quality=quality())


def test_late_reports_and_missing_targets_are_told():
    told = lines(lag=lags([200.0, 120.0]), shares={"Fistula": shares([90, 90], [50, 60])})
    assert "takes longer than 180 days in N." in told and "No target is set for Fistula." in told
    fine = lines(lag=lags([90.0, 120.0]),
                 shares={"Fistula": shares([90, 90], [50, 60], green="0.6")})  # fmt: skip
    assert "takes longer" not in fine and "No target" not in fine


@pytest.mark.parametrize("spoken", ["sv", "nb"])
def test_suggestions_speak_the_readers_language(spoken):
    given = {
        "coverage": shares([400, 400], [240, 240]), "quality": quality(n_aside=20),
        "lag": lags([200.0, 120.0]), "shares": {"Fistel": shares([90, 90], [50, 60])},
    }  # fmt: skip
    english = [one.line for one in suggest(**given)]
    with speaking(spoken):
        told = [one.line for one in suggest(**given)]
    assert len(told) == len(english) and not set(told) & set(english)
    assert len({one.topic for one in suggest(**given)}) == 5


def test_what_was_not_released_and_unknown_limits_are_refused():
    with pytest.raises(DisclosureError):
        suggest(coverage=pd.DataFrame())
    with pytest.raises(StudyError, match='Did you mean "coverage"'):
        suggest(limits={"coverge": 1})
    assert set(LIMITS) == {"coverage", "missing_percent", "days_to_report", "set_aside",
                           "variables_named"}  # fmt: skip
