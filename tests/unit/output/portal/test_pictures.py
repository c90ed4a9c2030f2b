"""Pictures hold what was released, in shapes and words, and nothing that could run."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.output.portal.marks import FLAGS, LEVELS, PLAIN, level_mark, of_line
from workbench.output.portal.pictures import caterpillar, funnel, trend
from workbench.output.portal.results import Result
from workbench.output.sheet import Scale, scale_over

DRAWN = {"caterpillar": caterpillar.draw, "funnel": funnel.draw, "trend": trend.draw}
SVG = "{http://www.w3.org/2000/svg}"
cells = st.one_of(
    st.sampled_from(["", "[c]", "nan?", "0", "1"]),
    st.floats(0, 1, allow_nan=False).map(lambda one: f"{one:.3f}"),
)


def words(picture):
    return [one.text for one in ElementTree.fromstring(picture).iter(f"{SVG}text")]


@pytest.mark.parametrize("name", list(DRAWN))
@pytest.mark.parametrize("language", ["sv", "nb", "en"])
def test_a_picture_is_whole_and_says_in_words_what_it_shows(result, name, language):
    picture = DRAWN[name](result, ("Alvik", "Ekeby"), language)
    root = ElementTree.fromstring(picture)
    assert root.get("role") == "img"
    ids = root.get("aria-labelledby").split()
    told = {one.get("id"): one.text for one in root if one.tag in (f"{SVG}title", f"{SVG}desc")}
    assert list(told) == ids and all(told.values())
    assert picture == DRAWN[name](result, ("Alvik", "Ekeby"), language)


@pytest.mark.parametrize("name", list(DRAWN))
def test_words_from_a_release_are_text_and_never_markup(result, name):
    hostile = replace(result, indicator="<script>alert(1)</script>")
    picture = DRAWN[name](hostile, ("Hög <b>",), "en")
    assert "<script" not in picture and "<b>" not in picture
    ElementTree.fromstring(picture)


def test_a_caterpillar_tells_hidden_and_missing_apart(result):
    told = words(caterpillar.draw(result, (), "en"))
    assert "[c]" in told and "–" in told and "Nation 40 % (800 of 2\u202f000)" in told


def test_levels_have_a_shape_and_a_word(result):
    told = words(caterpillar.draw(result, (), "sv"))
    assert {"hög", "inte avgjort"} <= set(told)
    shapes = {one.shape for one in LEVELS.values()}
    assert len(shapes) == len(LEVELS)
    assert len({of_line(at).shape for at in range(5)}) == 5
    assert len({(one.shape, one.is_hollow) for one in FLAGS.values()}) == 4  # both "outside 95 %"


def test_a_level_that_is_not_decided_is_hollow():
    row = {"level": "high", "level_words": "not decided between high and low"}
    assert level_mark(row).is_hollow and level_mark(row).word == "not decided"
    assert not level_mark({"level": "high", "level_words": "high"}).is_hollow
    assert level_mark({"level": "[c]"}) is PLAIN


def test_a_funnel_names_units_outside_the_outer_limits_and_chosen_ones(result):
    told = words(funnel.draw(result, ("Alvik",), "en"))
    assert "Forsa" in told and "Alvik" in told and "Gimo" not in told


def test_a_trend_has_a_line_for_each_chosen_unit_and_none_for_others(result):
    told = words(trend.draw(result, ("Alvik", "Gimo"), "en"))
    assert "Alvik" in told and "Berga" not in told
    assert "Gimo: no year that may be shown." in told


def test_a_trend_breaks_where_a_year_is_not_there_and_marks_a_hidden_one(result):
    picture = trend.draw(result, ("Alvik", "Berga"), "en")
    paths = [one.get("d") for one in ElementTree.fromstring(picture).iter(f"{SVG}path")]
    assert [path.count("M") for path in paths] == [2, 2] and "[c]" in words(picture)


@given(st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=12))
@settings(max_examples=60, deadline=None)
def test_any_released_cells_can_be_drawn(rows):
    result = Result(
        "s", "t", "r", "i", "region", "p",
        rows=tuple(
            {"region": f"u{at}", "n": "10", "events": "5", "estimate": a, "lower": b, "upper": c}
            for at, (a, b, c) in enumerate(rows)
        ),
        limits=tuple(
            {"region": f"u{at}", "n": a, "estimate": b, "lower_95": c, "upper_95": c,
             "lower_998": a, "upper_998": b, "flag": "none"}
            for at, (a, b, c) in enumerate(rows)
        ),
        years=tuple(
            {"region": "u0", "year": str(2000 + at), "estimate": a}
            for at, (a, _, _) in enumerate(rows)
        ),
    )  # fmt: skip
    for draw in DRAWN.values():
        assert "nan" not in draw(result, ("u0",), "en").replace("nan?", "")


@given(
    st.lists(st.floats(-1e6, 1e6, allow_nan=False), min_size=1, max_size=20),
)
@settings(max_examples=100, deadline=None)
def test_a_scale_holds_its_values_and_has_few_round_ticks(values):
    scale = scale_over(values, 0.0, 100.0, least=-1e9)
    assert scale.low <= min(values) + 1e-6 and max(values) <= scale.high + 1e-6
    assert all(-1e-6 <= scale.at(one) <= 100 + 1e-6 for one in values)
    assert 1 <= len(scale.ticks()) <= 8


def test_a_value_outside_a_scale_is_drawn_at_its_edge():
    assert Scale(0, 1, 10, 20).at(2) == 20
