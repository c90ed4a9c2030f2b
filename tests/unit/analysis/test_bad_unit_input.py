"""What becomes of counts of units that cannot be: a test for each line of docs/bad-input.md."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from workbench.analysis import charts, coverage, indicators, units
from workbench.analysis.count_table import count_marked
from workbench.errors import WorkbenchError

PAGE = Path(__file__).parents[3] / "docs" / "bad-input.md"
HEADING = "## Units, indicators, coverage"


def table_of(k: int = 12, **changes: object) -> pd.DataFrame:
    draw = np.random.default_rng(3)
    n = draw.integers(30, 200, k)
    frame = pd.DataFrame(
        {"unit": [f"u{at}" for at in range(k)], "n": n, "events": draw.binomial(n, 0.4)}
    )
    return frame.assign(**changes)


def with_value(column: str, value: object) -> pd.DataFrame:
    table = table_of()
    table[column] = table[column].astype(object)
    table.loc[0, column] = value
    return table.infer_objects()


def funnel(table: pd.DataFrame, **how: object) -> pd.DataFrame:
    return units.funnel(table, events="events", n="n", unit="unit", **how)


def persons_of(**changes: object) -> pd.DataFrame:
    draw = np.random.default_rng(4)
    frame = pd.DataFrame({"unit": draw.choice(list("abc"), 300), "age": draw.normal(60, 9, 300)})
    return frame.assign(died=draw.integers(0, 2, 300)).assign(**changes)


def strata(**changes: object) -> pd.DataFrame:
    frame = pd.DataFrame(
        {"unit": list("aabb"), "age": ["young", "old"] * 2, "n": 50, "events": [0, 5, 0, 9]}
    )
    return frame.assign(**changes)


def points(n: int = 20, **changes: object) -> pd.DataFrame:
    return pd.DataFrame({"period": range(n), "n": 100, "events": 40}).assign(**changes)


def reports(days: int) -> pd.DataFrame:
    diagnosed = pd.Series(pd.date_range("2020-01-01", periods=60))
    return pd.DataFrame({"date": diagnosed, "reported": diagnosed + pd.Timedelta(days=days)})


def lag(cases: pd.DataFrame) -> pd.DataFrame:
    told = {"event_date": "date", "reported_date": "reported", "as_of": "2022-01-01"}
    return coverage.reporting_lag(cases, **told, within=365)


def level(**limits: object) -> pd.DataFrame:
    return indicators.level(
        [5], [10], **{"green": "0.6", "yellow": "0.4", "direction": "high", **limits}
    )


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "more events than patients": (lambda: funnel(with_value("events", 999)), "events"),
    "a count that is not whole": (lambda: funnel(with_value("events", 1.5)), "events"),
    "a negative count": (lambda: funnel(with_value("events", -1)), "events"),
    "a missing count": (lambda: funnel(with_value("events", None)), "events"),
    "a unit in two rows": (lambda: funnel(with_value("unit", "u1")), "repeat a unit"),
    "a missing unit": (lambda: funnel(with_value("unit", None)), "unit"),
    "one unit in a case-mix or random-intercept model": (
        lambda: units.case_mix(persons_of(unit="a"), "age", outcome="died", unit="unit"),
        "one unit",
    ),
    "fewer than ten units with over-dispersion": (
        lambda: funnel(table_of(9), overdispersion="additive"),
        "10 or more",
    ),
    "the same outcome for all patients in a model": (
        lambda: units.case_mix(persons_of(died=1), "age", outcome="died", unit="unit"),
        "same for all",
    ),
    "events where none are expected": (
        lambda: units.indirect_standardised(
            strata(events=[1, 5, 0, 9]),
            unit="unit", stratum="age", events="events", n="n",
            reference=pd.DataFrame({"age": ["young", "old"], "n": 100, "events": [0, 20]}),
        ),
        "young",
    ),
    "a stratum that a unit lacks": (
        lambda: units.direct_standardised(
            strata().iloc[:3], unit="unit", stratum="age", events="events", n="n"
        ),
        "lack a stratum",
    ),
    "a target outside 0 to 1": (lambda: level(green="60"), "0"),
    "a yellow limit on the wrong side of green": (lambda: level(yellow="0.9"), "yellow"),
    "two points of a chart at one time": (
        lambda: charts.p_chart(points(period=[0, 0, *range(2, 20)])),
        "period",
    ),
    "limits that begin anew without a reason": (
        lambda: charts.p_chart(points(), rebase={10: ""}),
        "write why",
    ),
    "a coverage above 1 for bounds": (
        lambda: coverage.bounds(table_of(coverage=1.2), coverage="coverage"),
        "coverage",
    ),
    "nobody in the denominator": (
        lambda: count_marked(
            pd.DataFrame({"unit": ["a"], "in_denominator": False, "in_numerator": None}),
            by="unit",
        ),
        "Nobody",
    ),
}  # fmt: skip


@pytest.mark.parametrize("line", REFUSED)
def test_it_is_refused_with_what_is_wrong(line):
    call, told = REFUSED[line]
    with pytest.raises(WorkbenchError, match=told):
        call()


def test_one_unit_in_a_funnel_is_the_nation():
    assert funnel(table_of(1))["flag"].tolist() == ["none"]


def test_all_units_equal_have_no_flag_and_no_overdispersion():
    found = funnel(table_of(n=100, events=40), overdispersion="additive")
    assert found["flag"].eq("none").all() and found.tau2 == 0


def test_without_any_event_shares_are_0_with_their_intervals():
    found = funnel(table_of(events=0))
    assert found["estimate"].eq(0).all() and found["flag"].eq("none").all()
    shares = units.proportion([0], [50])
    assert shares["lower"].item() == 0 and shares["upper"].item() > 0


def test_a_unit_without_patients_stays_without_share_and_flag():
    table = table_of()
    table.loc[0, ["n", "events"]] = 0
    found = funnel(table)
    assert len(found) == len(table)
    assert pd.isna(found.loc[0, "estimate"]) and pd.isna(found.loc[0, "flag"])


def test_under_ten_points_a_chart_has_no_limits_and_no_signal():
    found = charts.p_chart(points(9, events=[1, 90, 1, 90, 1, 90, 1, 90, 1]))
    assert found["upper"].isna().all() and not found["signal"].any()


def test_a_report_before_its_event_is_left_out_and_counted():
    found = lag(pd.concat([reports(30), reports(-3)]))
    assert found.loc[0, "n"] == 60 and found.loc[0, "n_negative"] == 60


def test_every_line_of_the_page_has_its_test():
    text = PAGE.read_text("utf-8").split(HEADING)[1]
    lines = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| ")]
    told = {line for line in lines if line != "input"}
    kept = {
        "one unit in a funnel", "all units equal", "no event at any unit",
        "a unit without patients", "fewer than ten points of a chart", "a report before its event",
    }  # fmt: skip
    assert told == {*REFUSED, *kept}
