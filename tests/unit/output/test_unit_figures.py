"""Figures of units: what they place, name and leave out, and the words beside them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from workbench.analysis import charts, units
from workbench.analysis.count_table import CountTable
from workbench.errors import DisclosureError, StudyError
from workbench.output.disclosure import release, release_reading, require_released
from workbench.output.figures import (
    caterpillar_figure,
    chart_figure,
    comparison_figures,
    funnel_figure,
    indicator_table_figure,
    label_places,
    lag_figure,
    type_bars_figure,
    unit_marks,
    unit_trends,
)
from workbench.output.figures.drawing import STYLE, WIDTH
from workbench.output.figures.unit_marks import Nation
from workbench.output.gate.judgement import Judgement, nothing_hidden
from workbench.output.gate.seals import seal

mpl_figure = pytest.importorskip("matplotlib.figure")


@pytest.fixture
def counts():
    """Fourteen units around 61 per cent, one far below and one far above."""
    draw = np.random.default_rng(5)
    n = draw.integers(40, 160, 14)
    share = np.full(14, 0.61)
    share[[2, 5]] = 0.25, 0.92
    names = [f"Unit {letter}" for letter in "ABCDEFGHIJKLMN"]
    return pd.DataFrame({"unit": names, "n": n, "events": draw.binomial(n, share)})


@pytest.fixture
def nation(counts):
    events, n = int(counts["events"].sum()), int(counts["n"].sum())
    one = units.proportion([events], [n]).iloc[0]
    return Nation(one["estimate"], events, n, one["lower"], one["upper"])


@pytest.fixture
def shares(counts):
    return counts.join(units.proportion(counts["events"], counts["n"]))


def drawn(module, plan):
    """The drawing on a page as it is published, and every text in it."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with mpl.rc_context({**mpl.rcParamsDefault, **STYLE, "backend": "agg"}):
        figure = mpl_figure.Figure(figsize=(WIDTH, plan.height))
        FigureCanvasAgg(figure)
        module.draw(plan, figure)
        figure.canvas.draw()
    told = [text for axes in figure.axes for text in axes.texts if text.get_text()]
    return figure, told


def n_words(text):
    return sum(part != "%" for part in text.split())


def assert_inside(figure, texts):
    page = figure.bbox
    for text in texts:
        box = text.get_window_extent()
        assert box.x0 >= -1 and box.x1 <= page.x1 + 1, text.get_text()
        assert box.y0 >= -1 and box.y1 <= page.y1 + 1, text.get_text()
        assert text.get_fontsize() >= 8, text.get_text()


# ---- units over the years ---------------------------------------------------------------------


def test_long_names_over_panels_do_not_reach_the_next(policy):
    names = ["Sahlgrenska universitetssjukhuset, Mölndal", "Västra Götaland", "Kort", "D", "E", "F"]
    rows = [
        {"unit": name, "year": 2015 + at, "n": 200, "events": 80 + 12 * at}
        for name in names for at in range(6)
    ]  # fmt: skip
    counts = release(CountTable(pd.DataFrame(rows), ("unit", "year")), policy, title="t")
    trends = release_reading(counts, "trends", title="t", direction="high")
    figure = mpl_figure.Figure(figsize=(WIDTH, unit_trends.height_of(trends)))
    unit_trends.draw(trends, figure, own=None)
    figure.canvas.draw()
    titles = [one for one in figure.axes[0].texts if "▲" in one.get_text()]
    assert len(titles) == len(names)
    boxes = [one.get_window_extent() for one in titles]
    assert not any(one.overlaps(other) for at, one in enumerate(boxes) for other in boxes[at + 1 :])


# ---- the funnel -------------------------------------------------------------------------------


def funnel_plan(counts, nation, **how):
    found = units.funnel(counts, events="events", n="n", overdispersion="additive")
    asked = {"unit": "unit", "nation": nation, "direction": "high", **how}
    return funnel_figure.plan(found.table, found.curve, **asked)


def test_a_funnel_names_the_nation_the_limits_and_only_units_far_out(counts, nation):
    plan = funnel_plan(counts, nation, own="Unit H", target=0.75)
    figure, texts = drawn(funnel_figure, plan)
    told = [text.get_text() for text in texts]
    assert any(one.startswith("Nation ") and " of " in one for one in told)
    assert told.count("99.8 % limit") == 2 and told.count("95 % limit") == 2
    assert "Target 75 %" in told
    assert {one for one in told if one.startswith("Unit")} == {"Unit C", "Unit F", "Unit H"}
    assert_inside(figure, texts)


def test_names_in_a_funnel_do_not_overlap(counts, nation):
    figure, texts = drawn(funnel_figure, funnel_plan(counts, nation, own="Unit H"))
    boxes = [one.get_window_extent() for one in texts if one.get_text().startswith("Unit")]
    assert not any(one.overlaps(other) for at, one in enumerate(boxes) for other in boxes[at + 1 :])
    assert figure.axes


def test_no_unit_vanishes_from_a_funnel(counts, nation):
    few = counts.assign(events=[0, *counts["n"][1:]])
    low, high = funnel_plan(few, nation).span
    assert low == 0.0 and high >= 1.0
    lifted = funnel_plan(counts.assign(events=(counts["n"] * 0.9).astype(int)), Nation(0.9))
    assert lifted.span[0] > 0 and lifted.points["value"].min() > lifted.span[0]
    figure, _ = drawn(funnel_figure, lifted)
    assert "axis begins at" in figure.axes[0].get_ylabel()


def test_a_funnel_of_ratios_is_logarithmic_and_shows_a_zero(counts):
    ratios = counts.assign(expected=counts["n"] * counts["events"].sum() / counts["n"].sum())
    ratios.loc[0, ["events", "expected"]] = 0, 3.0
    found = units.funnel(ratios, events="events", expected="expected")
    plan = funnel_figure.plan(
        found.table, found.curve, unit="unit", size="expected", nation=Nation(1.0)
    )
    figure, _ = drawn(funnel_figure, plan)
    assert figure.axes[0].get_yscale() == "log"
    assert "0" in [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    assert "The nation is 1" in funnel_figure.describe(plan, title="Deaths")


def test_a_wide_range_of_sizes_stands_on_a_square_root(counts, nation):
    assert not funnel_plan(counts, nation).by_root
    large = counts.assign(n=[4000, *counts["n"][1:]], events=[2400, *counts["events"][1:]])
    figure, _ = drawn(funnel_figure, funnel_plan(large, nation))
    assert "square-root" in figure.axes[0].get_xlabel()


def test_adjusted_limits_draw_their_own_flags(counts, nation):
    plan = funnel_plan(counts, nation, is_adjusted=True)
    assert "adjusted_lower_998" in plan.curve
    assert "more than chance" in funnel_figure.describe(plan, title="x")


@pytest.mark.parametrize("own", [None, "Unit C"])
def test_a_funnels_words_count_who_is_outside_and_who_is_not_shown(counts, nation, own):
    plan = funnel_plan(counts, nation, own=own, n_hidden=2, hidden_because="fewer than 5 patients")
    told = funnel_figure.describe(plan, title="Fistula or graft at start of haemodialysis")
    assert "1 unit below the 99.8 % limits: Unit C" in told
    assert "2 units not shown (fewer than 5 patients)" in told
    assert funnel_figure.notes(plan) == ["2 units not shown (fewer than 5 patients)"]
    assert 40 <= n_words(told) <= 80
    assert ("Unit C has" in told) == (own is not None)


def test_a_funnel_of_one_unit_and_of_none(counts, nation):
    alone = units.funnel(counts.head(1), events="events", n="n")
    plan = funnel_figure.plan(alone.table, alone.curve, unit="unit", nation=nation)
    drawn(funnel_figure, plan)
    empty = alone.table.assign(n=0)
    with pytest.raises(StudyError, match="no unit with patients"):
        funnel_figure.plan(empty, alone.curve, unit="unit", nation=nation)
    with pytest.raises(StudyError, match='unit "X" is not among'):
        funnel_plan(counts, nation, own="X")


# ---- sorted units -----------------------------------------------------------------------------


def test_the_nation_stands_in_its_place_among_the_units(shares, nation):
    plan = caterpillar_figure.plan(shares, unit="unit", nation=nation)
    values = plan.rows["estimate"].tolist()
    assert values == sorted(values, reverse=True)
    assert 0 < plan.rows["kind"].tolist().index("nation") < len(plan.rows) - 1
    low = caterpillar_figure.plan(shares, unit="unit", nation=nation, direction="low")
    assert low.rows["estimate"].is_monotonic_increasing


def test_units_with_few_patients_stand_at_the_foot_without_value(shares, nation):
    few = shares.assign(n=[7, *shares["n"][1:]])
    plan = caterpillar_figure.plan(
        few, unit="unit", nation=nation, own="Unit C", minimum=10, green=0.75, yellow=0.6
    )
    assert plan.rows["name"].iloc[-1] == "Unit A" and plan.rows["kind"].iloc[-1] == "few"
    figure, texts = drawn(caterpillar_figure, plan)
    told = [text.get_text() for text in texts]
    assert "fewer than 10 patients" in told and {"high", "moderate", "low"} <= set(told)
    assert_inside(figure, texts)
    words = caterpillar_figure.describe(plan, title="Fistula or graft")
    assert "1 unit with too few patients" in words and 40 <= n_words(words) <= 80


def test_bands_follow_the_wanted_side(shares, nation):
    high = caterpillar_figure.plan(shares, unit="unit", nation=nation, green=0.7, yellow=0.6)
    low = caterpillar_figure.plan(
        shares, unit="unit", nation=nation, green=0.3, yellow=0.6, direction="low"
    )
    two = caterpillar_figure.plan(shares, unit="unit", nation=nation, green=0.7)
    assert [band[2] for band in high.bands] == ["high", "moderate", "low"]
    assert low.bands[0][:2] == (low.span[0], 0.3) and low.bands[0][2] == "high"
    assert [band[2] for band in two.bands] == ["high", "low"]


def test_units_sort_by_name_or_group_and_show_the_raw_value(shares, nation):
    named = caterpillar_figure.plan(shares, unit="unit", nation=nation, sort="name")
    assert named.rows["name"].is_monotonic_increasing
    grouped = shares.assign(region=["N", "S"] * 7, crude=shares["estimate"])
    plan = caterpillar_figure.plan(grouped, unit="unit", nation=nation, sort="region", raw="crude")
    assert plan.rows["kind"].iloc[0] == "nation"
    assert plan.rows["name"].iloc[1].endswith("(N)")
    drawn(caterpillar_figure, plan)
    assert "Hollow marks" in caterpillar_figure.notes(plan)[0]


def test_more_units_than_a_page_holds_are_refused(shares, nation):
    many = pd.concat([shares] * 5, ignore_index=True)
    with pytest.raises(StudyError, match="not 70"):
        caterpillar_figure.plan(many, unit="unit", nation=nation)
    with pytest.raises(StudyError, match="not 0"):
        caterpillar_figure.plan(shares.head(0), unit="unit", nation=nation)
    with pytest.raises(StudyError, match="not among"):
        caterpillar_figure.plan(shares, unit="unit", nation=nation, own="X")


# ---- parts of a whole -------------------------------------------------------------------------


@pytest.fixture
def access():
    kinds = ["Fistula", "Graft", "Catheter"]
    numbers = {"A": [40, 10, 50], "B": [60, 0, 40], "C": [20, 20, 60]}
    return pd.DataFrame(
        [(u, k, n) for u, row in numbers.items() for k, n in zip(kinds, row, strict=True)],
        columns=["unit", "kind", "n"],
    )


def test_bars_add_up_and_the_nation_is_among_them(access):
    plan = type_bars_figure.plan(
        access, unit="unit", kind="kind", order=("Fistula", "Graft", "Catheter"), own="C",
        nation={"Fistula": 300, "Graft": 100, "Catheter": 600},
    )  # fmt: skip
    assert plan.names == ("B", "A", "Nation", "C")
    assert plan.sizes == (100, 100, 1000, 100)
    assert np.allclose(plan.shares.sum(axis=1), 1)
    figure, texts = drawn(type_bars_figure, plan)
    assert_inside(figure, texts)
    told = type_bars_figure.describe(plan, title="Access at start of haemodialysis by unit")
    assert "Nation (1\N{NARROW NO-BREAK SPACE}000 patients): Fistula 30 %" in told
    assert 40 <= n_words(told) <= 80


def test_bars_without_the_nations_numbers_say_whose_they_are(access):
    plan = type_bars_figure.plan(access, unit="unit", kind="kind", n_hidden=1)
    assert "All units shown" in plan.names
    assert type_bars_figure.notes(plan) == ["1 unit not shown (too few patients)"]


def test_bars_that_cannot_be_told_apart_are_refused(access):
    many = pd.concat([access.assign(kind=access["kind"] + str(i)) for i in range(3)])
    with pytest.raises(StudyError, match="not 3 and 9"):
        type_bars_figure.plan(many, unit="unit", kind="kind")
    with pytest.raises(StudyError, match="every kind"):
        type_bars_figure.plan(access, unit="unit", kind="kind", order=("Fistula",))
    with pytest.raises(StudyError, match="not among"):
        type_bars_figure.plan(access, unit="unit", kind="kind", own="X")
    with pytest.raises(StudyError, match="not 0 and"):
        type_bars_figure.plan(access.assign(n=0), unit="unit", kind="kind", order=("Fistula",))


# ---- control charts ---------------------------------------------------------------------------

PERIODS = [f"{year}-{month:02d}" for year in (2022, 2023) for month in range(1, 13)]
REASONS = {"2023-01": "new form"}


@pytest.fixture
def chart():
    draw = np.random.default_rng(9)
    rows = []
    for unit, late in (("A", 0.6), ("B", 0.25), ("C", 0.95), ("D", 0.6)):
        for at, period in enumerate(PERIODS):
            share = late if at >= 16 else 0.6
            rows.append((unit, period, 60, draw.binomial(60, share)))
    points = pd.DataFrame(rows, columns=["unit", "period", "n", "events"])
    return charts.p_chart(
        points, events="events", n="n", by="unit", direction="high", rebase=REASONS
    )


def test_charts_share_one_scale_and_the_latest_signal_comes_first(chart):
    national = pd.DataFrame({"period": PERIODS, "value": 0.6})
    plan = chart_figure.plan(
        chart, unit="unit", own="D", nation=national, target=0.7, reasons=REASONS,
        assurance={"A": "hit or miss", "B": "misses"}, n_hidden=1,
    )  # fmt: skip
    assert [one.kind for one in plan.charts][:2] == ["concern", "improvement"]
    assert plan.charts[0].name == "B" and plan.charts[1].name == "C"
    figure, texts = drawn(chart_figure, plan)
    assert len({axes.get_ylim() for axes in figure.axes}) == 1
    told = [text.get_text() for text in texts]
    assert {"Concern", "Improvement", "Target missed", "a"} <= set(told)
    assert_inside(figure, texts)
    words = chart_figure.describe(plan, title="Fistula or graft at start")
    assert "new form (2023-01)" in words and 40 <= n_words(words) <= 80
    assert any("limits begin anew" in one for one in chart_figure.notes(plan))


def test_limits_break_where_they_begin_anew(chart):
    figure, _ = drawn(chart_figure, chart_figure.plan(chart, unit="unit", reasons=REASONS))
    means = [line for line in figure.axes[0].lines if line.get_linewidth() == 1.3]
    assert len(means) == 2 and max(means[0].get_xdata()) < min(means[1].get_xdata())


def test_one_chart_has_its_reason_and_values_in_full(chart):
    one = chart[chart["unit"] == "B"]
    plan = chart_figure.plan(one, reasons=REASONS, target=0.7)
    figure, texts = drawn(chart_figure, plan)
    told = [text.get_text() for text in texts]
    assert "a: new form" in told and "Target 70 %" in told
    assert_inside(figure, texts)
    assert n_words(chart_figure.describe(plan, title="Fistula or graft at the start")) >= 40


def test_a_chart_with_few_points_has_no_limits_and_says_so():
    points = pd.DataFrame({"period": PERIODS[:5], "value": [3.0, 5, 2, 4, 6]})
    plan = chart_figure.plan(charts.xmr(points), is_share=False)
    _figure, texts = drawn(chart_figure, plan)
    assert "Too few points (5)" in [text.get_text() for text in texts]
    assert any("No limits under 10 points" in one for one in chart_figure.notes(plan))


def test_dates_are_written_as_months(chart):
    dated = chart.assign(period=pd.to_datetime(chart["period"]))
    plan = chart_figure.plan(dated, unit="unit")
    assert plan.periods[0] == "Jan 2022"


def test_charts_that_cannot_be_drawn_are_refused(chart):
    many = pd.concat([chart.assign(unit=chart["unit"] + str(i)) for i in range(7)])
    with pytest.raises(StudyError, match="not 28"):
        chart_figure.plan(many, unit="unit")
    with pytest.raises(StudyError, match="not among"):
        chart_figure.plan(chart, unit="unit", own="X")


# ---- indicators -------------------------------------------------------------------------------


@pytest.fixture
def cells():
    rows = [
        ("Fistula or graft at start", "A", 0.8, 120, "high", True, None),
        ("Fistula or graft at start", "B", 0.65, 40, "moderate", False, None),
        ("Fistula or graft at start", "Nation", 0.66, 2314, "moderate", True, None),
        ("Home dialysis", "A", 0.1, 80, "low", True, None),
        ("Home dialysis", "B", None, None, None, None, "fewer than 10 patients"),
        ("Home dialysis", "Nation", 0.22, 2000, "moderate", True, None),
    ]
    names = ["indicator", "unit", "estimate", "n", "level", "level_decided", "reason"]
    return pd.DataFrame(rows, columns=names)


def test_levels_have_shape_and_word_and_open_ones_a_question_mark(cells):
    plan = indicator_table_figure.plan(
        cells, own="B", directions={"Home dialysis": "high"}, targets={"Home dialysis": "30 %"}
    )
    assert [name for name, _role in plan.columns] == ["B", "A", "Nation"]
    figure, texts = drawn(indicator_table_figure, plan)
    told = [text.get_text() for text in texts]
    assert {"high", "moderate?", "low", "80 %", "high wanted, 30 %"} <= set(told)
    assert any("fewer than" in one for one in told)
    shapes = {line.get_marker() for line in figure.axes[0].lines} - {"None", None}
    assert {"o", "v"} <= shapes
    assert_inside(figure, texts)
    words = indicator_table_figure.describe(plan, title="Haemodialysis in a county, 2023")
    assert "B, moderate level: Fistula or graft at start" in words
    assert "1 indicator without a value" in words


def test_a_table_too_large_for_a_page_is_refused(cells):
    many = pd.concat([cells.assign(unit=cells["unit"] + str(i)) for i in range(4)])
    with pytest.raises(StudyError, match="Choose some"):
        indicator_table_figure.plan(many)
    with pytest.raises(StudyError, match="not among"):
        indicator_table_figure.plan(cells, own="X")


# ---- lag ---------------------------------------------------------------------------


@pytest.fixture
def arrived():
    days = np.arange(366)
    parts = [
        pd.DataFrame({"region": name, "days": days, "estimate": np.minimum(1, days / slow)})
        for name, slow in (("North", 300), ("South", 100), ("Nation", 200))
    ]
    return pd.concat([*parts, pd.DataFrame({"region": "East", "days": days, "estimate": np.nan})])


@pytest.mark.parametrize("own", [None, "North"])
def test_lag_curves_are_named_with_the_day_half_has_come(arrived, own):
    plan = lag_figure.plan(arrived, by="region", own=own)
    figure, texts = drawn(lag_figure, plan)
    told = " ".join(text.get_text() for text in texts)
    assert "half by 100 days" in told and ("grey: 1 other region" in told) == bool(own)
    assert_inside(figure, texts)
    words = lag_figure.describe(plan, title="Reports to the register by region")
    assert "Not yet to be told: East" in words and 40 <= n_words(words) <= 80
    assert "within 365 days" in words


def test_lag_curves_that_cannot_be_told_apart_are_refused(arrived):
    north = arrived[arrived["region"] == "North"]
    many = pd.concat([north.assign(region=f"R{i}") for i in range(7)])
    with pytest.raises(StudyError, match="6 regions apart"):
        lag_figure.plan(many, by="region")
    drawn(lag_figure, lag_figure.plan(many, by="region", own="R3"))
    with pytest.raises(StudyError, match="not among"):
        lag_figure.plan(arrived, by="region", own="East")
    with pytest.raises(StudyError, match="can be told"):
        lag_figure.plan(arrived[arrived["region"] == "East"], by="region")


LONG = "Universitetssykehuset i Nord-Norge avdeling"


def test_long_names_stay_on_the_page_and_apart(counts, shares, nation, access, chart):
    far = [f"{LONG} {letter}" for letter in "ABCDEFGHIJKLMN"]
    named = {"own": far[2], "nation": nation, "unit": "unit"}
    found = units.funnel(counts.assign(unit=far), events="events", n="n")
    renamed = {"A": far[0], "B": far[1], "C": far[2], "D": far[3]}
    kinds = {"Fistula": "Arteriovenous fistula", "Catheter": "Tunnelled central catheter"}
    parts = access.replace({"unit": renamed, "kind": kinds})
    plans = {
        funnel_figure: funnel_figure.plan(found.table, found.curve, **named),
        caterpillar_figure: caterpillar_figure.plan(shares.assign(unit=far), **named),
        type_bars_figure: type_bars_figure.plan(parts, unit="unit", kind="kind", own=far[0]),
        chart_figure: chart_figure.plan(chart.replace({"unit": renamed}), unit="unit", own=far[1]),
    }
    for module, plan in plans.items():
        figure, texts = drawn(module, plan)
        assert_inside(figure, texts)
    rows = plans[caterpillar_figure].rows
    assert rows["name"].is_unique


# ---- words and places -------------------------------------------------------------------------


def test_labels_are_moved_apart_in_their_order():
    placed = unit_marks.spread([1.0, 1.02, 0.99], [0.2, 0.4, 0.2])
    assert placed[2] < placed[0] < placed[1]
    assert placed[1] - placed[0] >= 0.3 - 1e-6 and placed[0] - placed[2] >= 0.2 - 1e-6


def test_a_name_without_room_is_left_out():
    places = label_places.place_names(
        [(0.5, 0.5), (0.5, 0.5)], [0.3, 9.0], height=0.1, within=(0, 0, 1, 1), marks=[(0.5, 0.5)]
    )
    assert places[0] is not None and places[1] is None
    tight = label_places.place_names(
        [(0.5, 0.5)], [0.9], height=0.9, within=(0, 0, 2, 2), marks=[(1.2, 0.6)], must=1
    )
    assert tight[0] is not None


def test_numbers_in_words():
    assert unit_marks.percent(0.034) == "3.4 %" and unit_marks.percent(0.61) == "61 %"
    assert unit_marks.percent(None) == "–" and unit_marks.counted(1, "unit") == "1 unit"
    assert unit_marks.listed(["a", "b", "c"], most=2) == "a, b and 1 more"
    assert unit_marks.listed([]) == "" and unit_marks.listed(["a", "b"]) == "a and b"


# ---- from released results --------------------------------------------------------------------


@pytest.fixture
def released(counts, policy):
    few = pd.DataFrame({"unit": ["Tiny"], "n": [4], "events": [2]})
    table = CountTable(pd.concat([counts, few], ignore_index=True), ("unit",))
    return release(table, policy, title="Fistula or graft at start")


def test_hidden_units_are_counted_and_not_drawn(released):
    funnel = release_reading(released, "funnel", title="Fistula or graft at start")
    figure = comparison_figures.draw_funnel(funnel, words="Fistula or graft", direction="high")
    require_released(figure, "figure")
    assert "units not shown (fewer than 5 patients" in figure.alternative_text
    assert "Tiny" not in figure.alternative_text
    again = comparison_figures.draw_funnel(funnel, words="Fistula or graft", direction="high")
    assert dict(figure.files) == dict(again.files)
    comparison_figures.draw_funnel(funnel, words="Fistula", is_adjusted=True)


def test_an_own_unit_that_is_hidden_is_said_to_be(released):
    funnel = release_reading(released, "funnel", title="Fistula or graft at start")
    assert comparison_figures._shown_own(funnel, "Tiny") is None
    assert comparison_figures._own_note(funnel, "Tiny", None) == [
        "Tiny is not shown, or has no patients here"
    ]
    comparison_figures.draw_funnel(funnel, words="Fistula or graft", own="Tiny")


def test_the_caption_tells_what_is_missing_and_not_shown():
    caption = comparison_figures.UnitCaption(
        period="2023", coverage="93 %", method="Mid-p limits", missing="2 %", further=("x hidden",)
    )
    assert caption.line({"n": 12}) == (
        "Persons: 12. Period: 2023. Coverage: 93 %. Mid-p limits. Missing: 2 %. X hidden."
    )


def test_released_shares_become_sorted_units_and_an_indicator_table(released):
    shares = release_reading(
        released, "shares", title="Fistula or graft at start", green="0.75", yellow="0.6",
        minimum=50,
    )  # fmt: skip
    sorted_units = comparison_figures.draw_caterpillar(
        shares, words="Fistula or graft", own="Unit D", minimum=50
    )
    assert "Unit D has" in sorted_units.alternative_text
    table = comparison_figures.draw_indicators(
        {"Access": shares}, units=("Unit D", "Unit E", "Tiny"), own="Unit D"
    )
    assert "Table of 1 indicator for 3 units" in table.alternative_text
    assert "Unit D, " in table.alternative_text


def test_released_kinds_become_bars(policy):
    rows = [(u, k, n) for u in "ABCD" for k, n in (("Fistula", 40), ("Catheter", 60))]
    table = CountTable(pd.DataFrame(rows, columns=["unit", "kind", "n"]), ("unit", "kind"))
    parts = release_reading(
        release(table, policy, title="Access"), "composition", title="Access at start"
    )
    figure = comparison_figures.draw_type_bars(parts, order=("Fistula", "Catheter"), own="A")
    assert "All units shown" in figure.alternative_text


def sealed(kind, frame, by, **facts):
    """A released result of a kind that has no reading yet."""
    judgement = Judgement(kind, frame, nothing_hidden(frame), facts={"by": by, **facts})
    return seal(judgement, "standard", {"threshold": 5, "decimals": 3}, "Title")


def test_released_charts_and_lags_are_drawn(chart, arrived):
    comparison_figures.draw_charts(
        sealed("charts", chart, ("unit", "period")), words="Fistula", reasons=REASONS
    )
    comparison_figures.draw_arrivals(sealed("arrivals", arrived, ("region",)), own="North")


def test_what_was_not_released_or_is_another_kind_is_not_drawn(counts, released):
    with pytest.raises(DisclosureError, match="Only released results"):
        comparison_figures.draw_funnel(counts, words="x")
    with pytest.raises(DisclosureError, match="Expected a released funnel or ratios"):
        comparison_figures.draw_funnel(released, words="x")
