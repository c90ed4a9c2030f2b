"""Figures: from released results only, the same bytes each time, with words beside them."""

from __future__ import annotations

import itertools
import re

import pytest

from workbench.analysis import survival
from workbench.errors import DisclosureError, StudyError
from workbench.language import speaking
from workbench.output import figures
from workbench.output.disclosure import release, require_released
from workbench.output.figures import survival_figure

CAPTION = figures.Caption(period="2001 to 2010", coverage="nationwide", method="Kaplan–Meier")


@pytest.fixture
def draw(ledger, curve, logrank, cox, table_one):
    ways = {
        "flow": lambda: figures.draw_flow(ledger, caption=CAPTION),
        "survival": lambda: figures.draw_survival(
            curve, unit="years", logrank=logrank, caption=CAPTION
        ),
        "forest": lambda: figures.draw_forest(cox, caption=CAPTION),
        "differences": lambda: figures.draw_standardised_differences(table_one, caption=CAPTION),
    }
    return lambda name: ways[name]()


@pytest.mark.parametrize("name", ["flow", "survival", "forest", "differences"])
def test_a_figure_is_released_and_the_same_bytes_each_time(draw, name):
    first, second = draw(name), draw(name)
    require_released(first, "figure")
    assert dict(first.files) == dict(second.files)
    assert first.files["png"].startswith(b"\x89PNG")
    assert b"Software" not in first.files["png"]
    assert not re.search(rb"<dc:date>|Matplotlib v", first.files["svg"])
    assert first.title in first.alternative_text or name == "flow"


def test_a_notebook_shows_the_picture(draw):
    bundle = draw("flow")._repr_mimebundle_()
    assert bundle["image/png"].startswith(b"\x89PNG")


def test_no_settings_of_the_notebook_reach_the_figure(draw):
    mpl = pytest.importorskip("matplotlib")
    plain = draw("flow").files["svg"]
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red"}):
        assert draw("flow").files["svg"] == plain


def test_the_alternative_text_has_the_numbers(draw):
    assert "100 persons" in draw("flow").alternative_text
    text = draw("survival").alternative_text
    assert re.search(r"at 4 years \d+ % \(\d+ to \d+\)", text)
    assert "1 (reference)" in draw("forest").alternative_text
    assert "largest first" in draw("differences").alternative_text


def test_a_caption_tells_persons_period_coverage_and_method():
    line = CAPTION.line({"n": 1234, "events": None})
    assert line == (
        "Persons: 1\N{NARROW NO-BREAK SPACE}234. Period: 2001 to 2010. Coverage: nationwide. "
        "Kaplan–Meier."
    )


def test_what_was_not_released_is_not_drawn(persons):
    exact = survival.kaplan_meier(persons, duration="years", event="died")
    with pytest.raises(DisclosureError, match="Only released results"):
        figures.draw_survival(exact, unit="years")


def test_another_kind_is_not_drawn(ledger):
    with pytest.raises(DisclosureError, match="Expected a released survival_curve"):
        figures.draw_survival(ledger, unit="years")


def test_too_many_groups_are_refused(persons, policy):
    persons["unit"] = [f"u{i % 7}" for i in range(len(persons))]
    frame = survival.kaplan_meier(persons, by="unit", duration="years", event="died")
    with pytest.raises(StudyError, match="6 groups apart, not 7"):
        figures.draw_survival(release(frame, policy, title="x"), unit="years")


def test_numbers_under_the_axis_add_up_with_the_curve(curve, logrank):
    plan = survival_figure.plan(curve, unit="y", outcome="S", logrank=logrank, labels={})
    numbers = curve.parts["at_risk"].frame
    for line in plan.lines:
        own = numbers[numbers["stage"] == line.name]
        assert list(line.at_risk) == own["at_risk"].tolist()
        assert list(line.events) == own["events"].tolist()


def test_names_at_the_curves_ends_do_not_overlap():
    placed = sorted(survival_figure.apart([0.2, 0.21, 0.2, 0.9], least=0.06))
    assert all(b - a >= 0.059 for a, b in itertools.pairwise(placed))


def test_a_curve_that_falls_to_zero_is_drawn(policy, persons):
    gone = persons.assign(died=1)
    frame = survival.kaplan_meier(gone, duration="years", event="died")
    figures.draw_survival(release(frame, policy, title="x"), unit="years")


def test_a_table_without_groups_has_no_differences_to_draw(persons, policy):
    from workbench.analysis import description

    alone = release(description.table_one(persons, variables=["age"]), policy, title="x")
    with pytest.raises(DisclosureError, match="no standardised differences"):
        figures.draw_standardised_differences(alone)


def test_a_figure_counts_what_its_sources_hide(draw):
    assert draw("flow").all_hidden_counts == {"ledger steps merged with a neighbour": 1}


@pytest.mark.parametrize(
    ("spoken", "told"),
    [("en", "Survival over time in years"), ("sv", "Överlevnad över tid i år"),
     ("nb", "Overlevelse over tid i år")],
)  # fmt: skip
def test_a_figure_speaks_the_language_of_its_caption(curve, spoken, told):
    caption = figures.Caption(method="Kaplan-Meier", language=spoken)
    figure = figures.draw_survival(curve, unit="years", caption=caption)
    assert told in figure.alternative_text
    with speaking(spoken):
        assert figures.Caption().language == spoken
