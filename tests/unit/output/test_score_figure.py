"""Scores of a questionnaire as a figure: units by name, hidden ones counted, few answers told."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from workbench.analysis import prom
from workbench.analysis.count_table import count_marked
from workbench.errors import DisclosureError, StudyError
from workbench.output.disclosure import release, release_reading
from workbench.output.figures import Caption, draw_scores, score_figure
from workbench.output.gate.prom_rules import PromTable
from workbench.registers.proms import load_prom

RAND12 = load_prom("rand12")
DRAWN = list(RAND12.composites)


@pytest.fixture
def asked():
    """Units A to D: all answer, half answer, too few are asked, all answer."""
    draw = np.random.default_rng(3)
    parts = []
    for name, n, part, middle in (("D", 80, 1.0, 40), ("B", 80, 0.5, 60), ("C", 12, 1, 50),
                                  ("A", 60, 1.0, 55)):  # fmt: skip
        came = np.arange(n) < n * part
        points = {one: np.where(came, draw.normal(middle, 5, n), np.nan) for one in RAND12.labels}
        parts.append(pd.DataFrame({**points, "unit": name, "answered": came.astype(int)}))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture
def released(asked, policy):
    by_unit = prom.summarise(asked, RAND12, answered="answered", by="unit")
    by_unit = by_unit[by_unit["scale"].isin(DRAWN)].reset_index(drop=True)
    whole = prom.summarise(asked, RAND12, answered="answered")
    marked = asked.assign(in_denominator=True, in_numerator=asked["answered"] == 1)
    counts = release(count_marked(marked, by="unit"), policy, title="Answers")
    return {
        "units": release(PromTable(by_unit, ("unit",)), policy, title="Scores"),
        "nation": release(PromTable(whole, ()), policy, title="Scores"),
        "answers": release_reading(counts, "shares", title="Answers"),
    }


def test_units_stand_by_name_under_the_nation_and_hidden_ones_are_counted(released):
    plan = score_figure.plan(**released, own=None)
    assert plan.names == ("Nation", "A", "B", "D")
    assert plan.scales == tuple(RAND12.labels[name] for name in DRAWN)
    assert plan.n_hidden == 1


def test_what_is_drawn_is_what_was_released(released):
    plan = score_figure.plan(**released, own=None)
    drawn = plan.rows.set_index(["name", "scale"])["mean"]
    frame = released["units"].frame.set_index(["unit", "scale"])["mean"]
    for name in ("A", "B", "D"):
        for scale in plan.scales:
            assert drawn[name, scale] == frame[name, scale]
    assert abs(drawn["D", plan.scales[0]] - 40) <= 2 and abs(drawn["A", plan.scales[0]] - 55) <= 2


def test_words_under_and_behind_the_figure_tell_answers_and_what_is_not_shown(released):
    caption = Caption(period="2020", method="Sorted by name")
    figure = draw_scores(released["units"], released["nation"], answers=released["answers"],
                         own="C", caption=caption)  # fmt: skip
    svg_words = figure.alternative_text
    assert "3 units by name" in svg_words and "1 unit not shown (too few answers)" in svg_words
    assert "nation 5" in svg_words and "C is not shown" in svg_words
    assert figure.files["png"].startswith(b"\x89PNG") and figure.kind == "figure"


def test_a_unit_of_low_response_is_marked(released):
    plan = score_figure.plan(**released, own=None)
    assert plan.response["B"] == 0.5 and plan.is_low("B")
    assert not plan.is_low("A") and not plan.is_low("D")
    unknown = score_figure.plan(released["units"], released["nation"], answers=None, own=None)
    assert not unknown.is_low("B")


def test_only_released_scores_are_drawn(released):
    with pytest.raises(DisclosureError):
        draw_scores(released["answers"], released["nation"])
    whole = released["nation"]
    with pytest.raises(StudyError, match="3 scales"):
        score_figure.plan(_as_unit(released), whole, answers=None, own=None)


def _as_unit(released):
    """Ten scales by unit: more than stand beside each other."""
    units = released["units"]
    frame = released["nation"].frame.assign(unit="A")
    return type("Scores", (), {"frame": frame, "facts": units.facts})()
