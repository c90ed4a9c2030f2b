"""Tables are told apart by their columns and put together by indicator."""

from __future__ import annotations

import pytest
from releases import UNITS, shares, write_run

from workbench.output.portal.releases import find_releases
from workbench.output.portal.results import Nation, is_hidden, results_of, together, value

NAME = "Catheter at the first haemodialysis"


def found(runs, **more):
    write_run(runs, **more)
    return results_of(find_releases(runs)[0])


def test_shares_limits_and_years_of_an_indicator_are_one_result(result):
    assert (result.indicator, result.unit) == (NAME, "region")
    assert result.period == "2018-01-01 – 2023-12-31"
    assert (len(result.rows), len(result.limits), len(result.years)) == (7, 7, 17)
    assert result.units == tuple(sorted(UNITS, key=str.casefold))
    assert result.years_shown == ("2018", "2019", "2020", "2021", "2022", "2023")


def test_hidden_and_missing_stay_two_things(result):
    by_unit = {row["region"]: row for row in result.rows}
    assert is_hidden(by_unit["Berga"], "events") and value(by_unit["Berga"], "events") is None
    assert not is_hidden(by_unit["Dalby"], "events") and value(by_unit["Dalby"], "events") is None


def test_the_nation_is_the_released_one(result):
    assert result.nation == Nation(0.4, 2000, 800)


def test_without_a_released_nation_the_units_shown_stand_together(tmp_path):
    table = "region,n,events,estimate,lower,upper\nA,10,5,0.5,0.2,0.8\nB,30,5,0.167,0.1,0.3\n"
    results, _ = found(tmp_path, tables={"one": (NAME, table)})
    assert results[0].nation == Nation(0.25, 40, 10, is_whole=False)


def test_no_sum_is_made_where_a_count_is_hidden(result):
    assert together(result.rows) is None


def test_one_year_has_its_own_rows_notes_and_no_nation_of_the_whole_period(result):
    year = result.in_year("2021")
    assert {row["year"] for row in year.rows} == {"2021"} and len(year.rows) == 3
    assert year.nation is None and year.limits == () and year.period == "2021"
    assert year.notes == {"rows": result.notes["years"]}


def test_a_table_of_many_indicators_gives_a_result_for_each(tmp_path):
    table = (
        "indicator,hospital,n,events,estimate,lower,upper\n"
        "X,A,10,5,0.5,0.2,0.8\nX,B,10,6,0.6,0.3,0.8\nY,A,20,5,0.25,0.1,0.5\n"
    )
    results, _ = found(tmp_path, tables={"levels": ("All", table)})
    assert [(one.indicator, one.unit, len(one.rows)) for one in results] == [
        ("X", "hospital", 2),
        ("Y", "hospital", 1),
    ]


def test_a_ratio_stands_beside_one(tmp_path):
    table = (
        "region,n,events,expected,estimate,lower_95,upper_95,lower_998,upper_998,flag,lower,upper\n"
        "A,10,5,4.0,1.25,0.5,1.5,0.3,1.9,none,0.5,2.0\n"
    )
    results, _ = found(tmp_path, tables={"adjusted": (f"{NAME}, adjusted", table)})
    assert results[0].is_ratio and results[0].nation == Nation(1.0)
    assert results[0].rows == results[0].limits


@pytest.mark.parametrize(
    "table",
    [
        "step,reason,n_rows_in\n1,first,10\n",
        "term,estimate,lower,upper,n\nage,1,0.9,1.1,10\n",
        "time,estimate,lower,upper,n\n1,1,1,1,9\n",
        "sex,n,events,estimate,lower,upper\nw,10,5,0.5,0.2,0.8\n",
        "region,n,events,estimate,lower,upper\n",
        "",
    ],
)
def test_what_is_no_indicator_by_unit_is_left_to_the_report(tmp_path, table):
    assert found(tmp_path, tables={"one": ("Something", table)}) == ([], [])


def test_a_file_that_vanished_after_the_start_is_told(tmp_path):
    write_run(tmp_path)
    releases, _ = find_releases(tmp_path)
    (releases[0].folder / "catheter.csv").unlink()
    results, faults = results_of(releases)
    assert results == [] and "catheter.csv" in faults[0]


def test_the_newer_release_of_the_same_result_counts(tmp_path):
    write_run(tmp_path, run="old", finished_at="2025", changed={"a": "1"})
    write_run(tmp_path, run="new", finished_at="2026", tables={"one": (NAME, shares())})
    results, _ = results_of(find_releases(tmp_path)[0])
    assert len(results) == 1 and results[0].years == ()
