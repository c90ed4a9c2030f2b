"""What is read off released counts: from what is shown alone, by the analysis room's functions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from workbench.analysis import coverage, units
from workbench.analysis.count_table import CountTable, count_types
from workbench.errors import DisclosureError
from workbench.output import tables
from workbench.output.disclosure import release, release_reading
from workbench.output.figures.comparison_figures import (
    draw_caterpillar,
    draw_funnel,
    draw_type_bars,
)
from workbench.output.figures.unit_figures import draw_levels, draw_matrix, draw_trends
from workbench.output.gate.lag_rules import LagTable, NowcastTable
from workbench.registers.profiles import load_profile

PROFILE = load_profile("standard")
PNG = b"\x89PNG"


def counts_of(k: int = 14, seed: int = 1) -> CountTable:
    draw = np.random.default_rng(seed)
    n = draw.integers(30, 300, k)
    names = [f"unit {at:02}" for at in range(k)]
    chance = np.clip(draw.normal(0.5, 0.1, k), 0.2, 0.8)
    return CountTable(
        pd.DataFrame({"unit": names, "n": n, "events": draw.binomial(n, chance)}), ("unit",)
    )


def few(counted: CountTable) -> CountTable:
    """The same with two units of which hardly anybody has the event."""
    table = counted.table.copy()
    table.loc[:1, "events"] = [2, 3]
    return CountTable(table, counted.by)


def released(counted: CountTable):
    return release(counted, PROFILE, title="t")


def test_shares_levels_and_the_nation_of_all_units():
    counts = released(few(counts_of()))
    shares = release_reading(counts, "shares", title="t", green="0.60", yellow="0.40", minimum=50)
    frame = shares.frame
    assert len(frame) == 12 and not shares.hidden.any(axis=None)
    assert "unit 00" not in frame["unit"].tolist()
    whole = few(counts_of()).table
    assert shares.facts["nation_estimate"] == pytest.approx(
        whole["events"].sum() / whole["n"].sum()
    )
    small = frame[frame["n"] < 50]
    assert small["level"].isna().all() and small["level_words"].eq("fewer than 50 patients").all()
    expected = units.proportion(frame["events"], frame["n"])["lower"].round(3)
    assert frame["lower"].tolist() == expected.tolist()


def test_a_funnel_is_that_of_the_units_shown_around_the_whole_nation():
    counts = released(few(counts_of()))
    funnel = release_reading(counts, "funnel", title="t")
    shown = funnel.frame[["unit", "n", "events"]]
    whole = few(counts_of()).table
    centre = whole["events"].sum() / whole["n"].sum()
    again = units.funnel(shown, events="events", n="n", centre=centre, overdispersion="additive")
    assert funnel.frame["flag"].tolist() == again["flag"].tolist()
    assert funnel.facts["centre"] == pytest.approx(centre)
    assert {"size", "lower_95", "upper_998"} <= set(funnel.parts["curve"].frame.columns)


def test_ratios_need_what_was_expected():
    table = counts_of().table.assign(expected=lambda d: d["n"] * 0.5)
    ratios = release_reading(released(CountTable(table, ("unit",))), "ratios", title="t")
    assert ratios.facts["centre"] == 1 and "expected" in ratios.frame
    assert (ratios.frame["upper"] <= 2).all()  # all have it, where half are expected to
    figure = draw_funnel(ratios, words="Access", direction="high")
    assert figure.files["png"].startswith(PNG)


def test_effects_are_drawn_to_the_nation_and_a_rank_of_chance_is_not_shown():
    effects = release_reading(released(counts_of()), "effects", title="t")
    frame = effects.frame
    middle = frame["events"].sum() / frame["n"].sum()
    assert ((frame["shrunken"] - middle).abs() <= (frame["estimate"] - middle).abs() + 0.01).all()
    same = pd.DataFrame({"unit": list("abcdefgh"), "n": 60, "events": 30})
    alike = release_reading(released(CountTable(same, ("unit",))), "effects", title="t")
    assert "expected_rank" not in alike.frame and alike.facts["median_odds_ratio"] == 1
    assert any("no variation between units" in note for note in alike.notes)


def yearly() -> CountTable:
    draw = np.random.default_rng(4)
    rows = [
        (unit, year, 80, int(draw.binomial(80, 0.3 + (0.06 * at if unit == "rising" else 0))))
        for unit in ("rising", "steady", "other")
        for at, year in enumerate(range(2015, 2023))
    ]
    return CountTable(pd.DataFrame(rows, columns=["unit", "year", "n", "events"]), ("unit", "year"))


def test_an_arrow_only_where_there_is_evidence():
    trends = release_reading(released(yearly()), "trends", title="t", direction="high")
    first = trends.frame.drop_duplicates("unit").set_index("unit")
    assert first.loc["rising", ["trend", "kind"]].tolist() == ["rises", "improvement"]
    assert first.loc["steady", "trend"] == "none"
    figure = draw_trends(trends, own="rising")
    assert "1 rises (rising)" in figure.alternative_text and figure.files["png"].startswith(PNG)


def test_kinds_of_units_of_which_every_kind_is_shown():
    draw = np.random.default_rng(3)
    persons = pd.DataFrame(
        {"unit": draw.choice(list("abc"), 400), "access": draw.choice(list("xyz"), 400)}
    )
    persons.loc[persons["unit"] == "a", "access"] = "x"
    parts = release_reading(released(count_types(persons, by="unit", kind="access")), "composition",
                            title="t")  # fmt: skip
    sums = parts.frame.groupby("unit")["estimate"].sum()
    assert sums.round(2).eq(1).all()
    assert draw_type_bars(parts).files["svg"].startswith(b"<?xml")


def test_coverage_by_every_formula_says_what_chapman_supposes():
    cells = pd.DataFrame({"part": ["a", "b"], "both": [90, 300], "only_register": [12, 20],
                          "only_reference": [30, 8]})  # fmt: skip
    table = release_reading(released(CountTable(cells, ("part",))), "coverage", title="t")
    expected = coverage.from_counts(cells)["union"].round(3)
    assert table.frame["union"].tolist() == expected.tolist()
    assert any("Chapman" in note for note in table.notes)


def test_many_indicators_each_with_its_own_target():
    table = pd.DataFrame(
        {"indicator": ["P", "P", "Q", "Q"], "region": ["N", "S"] * 2, "n": 200,
         "events": [190, 100, 190, 100]}
    )  # fmt: skip
    counts = released(CountTable(table, ("indicator", "region"), apart=("indicator",)))
    options = {"P|green": "0.80", "P|direction": "high"}
    overview = release_reading(counts, "overview", title="t", **options)
    assert overview.frame["level_words"].tolist() == ["high", "low", "no target", "no target"]
    assert "P: 1 regions surely high" in draw_levels(overview).alternative_text
    laid = tables.lay_out(overview)  # an indicator's name stands over its regions, once
    assert [name for name, _ in laid.sections] == ["P", "Q"] and laid.header[0] == "Region"


def changing(events: dict[str, list[int]]) -> CountTable:
    """Two indicators by region over six years, of 200 patients each."""
    rows = [
        {"indicator": indicator, "region": region, "year": 2015 + at, "n": 200, "events": one}
        for indicator in ("P", "Q") for region, yearly in events.items()
        for at, one in enumerate(yearly)
    ]  # fmt: skip
    return CountTable(pd.DataFrame(rows), ("indicator", "region", "year"), apart=("indicator",))


def test_changes_are_told_the_surest_first_and_adjusted_for_their_number():
    level = [100, 104, 97, 101, 99, 102]
    counts = released(changing({"A": level, "B": [90, 100, 112, 120, 131, 140], "C": level}))
    told = release_reading(counts, "changes", title="t", **{"P|direction": "low"})
    first = told.frame.head(2)
    assert first["region"].tolist() == ["B", "B"] and first["trend"].tolist() == ["rises"] * 2
    assert first["kind"].tolist() == ["concern", "no direction"]  # of Q nothing is wanted
    assert first["slope"].tolist() == pytest.approx([0.05, 0.05], abs=0.002)
    assert set(told.frame["trend"].iloc[2:]) == {"none"}
    assert (told.frame["p_adjusted"] >= told.frame["p_value"]).all()
    assert told.facts["n_tested"] == 6 and told.facts["n_sure"] == 2


def test_one_sure_year_in_many_regions_is_no_change():
    """A trend that is sure by itself (p = 0.02) is not among forty."""
    level = [100] * 6
    many = {f"R{at:02d}": level for at in range(39)} | {"Z": [88, 92, 103, 100, 104, 106]}
    told = release_reading(released(changing(many)), "changes", title="t").frame
    assert told.loc[0, "region"] == "Z" and 0.001 < told.loc[0, "p_value"] < 0.05
    assert set(told["trend"]) == {"none"}


def test_forms_that_are_missing_in_hours():
    table = pd.DataFrame({"region": ["N", "S"], "n": [100, 200], "events": [90, 140]})
    found = release_reading(
        released(CountTable(table, ("region",))), "backlog", title="t", minutes=30
    )
    assert found.frame[["region", "forms_missing", "hours"]].to_numpy().tolist() == [
        ["S", 60, 30.0], ["N", 10, 5.0],
    ]  # fmt: skip


@pytest.mark.parametrize(("reading", "options", "told"), [
    ("rank", {}, "no reading"), ("shares", {"green": pd.Series([1])}, "plain words"),
])  # fmt: skip
def test_nothing_else_can_be_read_off(reading, options, told):
    with pytest.raises(DisclosureError, match=told):
        release_reading(released(counts_of()), reading, title="t", **options)


def test_only_released_counts_can_be_read_off():
    shares = release_reading(released(counts_of()), "shares", title="t")
    with pytest.raises(DisclosureError, match="counts"):
        release_reading(shares, "funnel", title="t")
    with pytest.raises(DisclosureError, match="Only released"):
        release_reading(counts_of().table, "funnel", title="t")


def test_figures_have_words_and_are_the_same_each_time():
    counts = released(few(counts_of()))
    shares = release_reading(counts, "shares", title="t", green="0.60", direction="high")
    first, again = (draw_caterpillar(shares, words="Access", own="unit 05") for _ in range(2))
    assert first.files["png"] == again.files["png"]
    assert "nit 05 has" in first.alternative_text and "2 units" in first.alternative_text


def lags() -> LagTable:
    table = pd.DataFrame(
        {
            "region": ["N", "S", "W"], "n": [200, 60, 3], "median_days": [48.0, 123.0, 40.0],
            "p90_days": [181.0, 355.0, 90.0], "share_30": [0.2, 0.05, 0.3],
            "share_30_lower": 0.1, "share_30_upper": 0.4, "share_180": [0.9, 0.95, 1.0],
        }
    )  # fmt: skip
    return LagTable(table, ("region",))


def test_lags_that_few_reports_stand_behind_are_not_shown():
    shown = release(lags(), PROFILE, title="t")
    hidden = shown.hidden.set_index(shown.frame["region"])
    # three reports are few, and the next smallest goes with them
    assert hidden.loc["W", "n"] and hidden.loc["S", "n"] and not hidden.loc["N", "n"]
    assert shown.frame.set_index("region").loc["N", ["median_days", "p90_days"]].tolist() == [
        48,
        180,
    ]
    more = lags().table.assign(n=[200, 60, 40])
    sides = release(LagTable(more, ("region",)), PROFILE, title="t")
    assert sides.hidden["p90_days"].tolist() == [False, False, True]  # four lie above it
    assert sides.hidden["share_30"].tolist() == [False, True, False]  # three lie below it


def test_expected_cases_are_whole_and_few_reports_hidden():
    table = pd.DataFrame(
        {"year": ["2021", "2022", "2023"], "reported": [50, 48, 2], "arrived": [1.0, 0.9, 0.2],
         "expected": [50.0, 53.3, 10.0], "lower": [50.0, 49.0, 3.0], "upper": [50.0, 60.0, 30.0],
         "is_provisional": [False, True, True]}
    )  # fmt: skip
    shown = release(NowcastTable(table, ("year",)), PROFILE, title="t")
    assert shown.hidden["reported"].tolist() == [False, True, True]
    assert shown.frame["expected"].iloc[0] == 50


def test_a_matrix_says_where_it_is_worst():
    table = pd.DataFrame(
        {"region": ["N", "N", "S", "S"], "part": ["a", "b"] * 2, "n": [100, 90, 80, 70],
         "events": [90, 45, 70, 60]}
    )  # fmt: skip
    counts = release(CountTable(table, ("region", "part")), PROFILE, title="t")
    shares = release_reading(counts, "shares", title="t")
    figure = draw_matrix(shares, value="estimate", words="Coverage", best=1, worst=0.5, factor=100)
    assert "Worst: N b 50" in figure.alternative_text


def test_the_basis_stands_beside_its_coverage_and_says_why_a_share_is_not_shown():
    table = pd.DataFrame(
        {
            "unit": list("abcd"),
            "n": [100, 100, 100, 100],
            "events": [50, 60, 40, 50],
            "both": [90, 40, 100, 0],
            "only_reference": [10, 60, 0, 0],
        }
    )
    counts = released(CountTable(table, ("unit",)))
    basis = release_reading(counts, "basis", title="t", least_coverage=0.6)
    frame = basis.frame.set_index("unit")
    assert frame.loc["a", "coverage"] == 0.9
    assert frame.loc["a", ["lowest", "highest"]].tolist() == [
        round(50 / 110, 3),
        round(60 / 110, 3),
    ]
    assert frame.loc["a", "tipping_point"] == pytest.approx(0.5)  # the nation is at one half
    assert frame.loc["b", "because"] == "coverage under 60 %"
    assert frame.loc["d", "because"] == "the other source has no case"
    assert frame.loc[["b", "d"], ["estimate", "lower", "upper", "lowest"]].isna().all(axis=None)
    assert pd.isna(frame.loc["c", "tipping_point"])  # nothing is missing, nothing can tip


def test_charts_by_unit_and_year_have_limits_from_ten_points_on():
    rows = [(unit, 2010 + at, 200, 100) for unit in "ab" for at in range(12)]
    table = pd.DataFrame(rows, columns=["unit", "year", "n", "events"])
    table.loc[11, "events"] = 180
    chart = release_reading(
        released(CountTable(table, ("unit", "year"))), "charts", title="t", direction="high"
    )
    frame = chart.frame
    assert len(frame) == 24 and frame["centre"].notna().all()
    signal = frame[(frame["unit"] == "a") & (frame["year"] == 2021)].iloc[0]
    assert signal["rule"] == "outside limits" and signal["kind"] == "improvement"


def test_a_chart_begins_anew_with_its_reason():
    table = pd.DataFrame({"year": range(2000, 2024), "n": 300, "events": [100] * 12 + [180] * 12})
    chart = release_reading(
        released(CountTable(table, ("year",))), "charts", title="t",
        rebase=2012, because="a new form",
    )  # fmt: skip
    assert chart.frame["segment"].tolist() == [0] * 12 + [1] * 12
    assert chart.facts["because"] == "a new form"


def test_units_covered_too_little_have_no_share_level_or_point():
    table = counts_of(6).table.assign(both=[90] * 5 + [40], only_reference=[10] * 5 + [60])
    counts = released(CountTable(table, ("unit",)))
    limit = {"least_coverage": 0.6}
    shares = release_reading(counts, "shares", title="t", green="0.5", direction="high", **limit)
    last = shares.frame.iloc[-1]
    assert pd.isna(last["estimate"]) and pd.isna(last["events"]) and pd.isna(last["level"])
    assert last["level_words"] == "coverage under 60 %"
    assert shares.frame["estimate"].notna().sum() == 5
    assert draw_caterpillar(shares, words="x").files["png"].startswith(PNG)
    funnel = release_reading(counts, "funnel", title="t", **limit)
    assert len(funnel.frame) == 5


def test_a_change_is_told_with_its_interval_and_what_it_does_not_prove():
    quarters = [f"{year}Q{at}" for year in range(2015, 2021) for at in (1, 2, 3, 4)]
    table = pd.DataFrame({"quarter": quarters, "n": 300, "events": [150] * 12 + [210] * 12})
    counts = released(CountTable(table, ("quarter",)))
    change = release_reading(
        counts, "change", title="t", at="2018Q1", because="a routine", direction="high"
    ).frame.iloc[0]
    assert (change["n_before"], change["n_events_after"]) == (3600, 2520)
    assert change["estimate"] == pytest.approx(0.2) and change["lower"] > 0.17
    assert change["kind"] == "improvement" and "not proof" in change["words"]
