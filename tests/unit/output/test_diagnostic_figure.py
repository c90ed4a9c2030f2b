"""The log-log figure is drawn from a released curve and tells how far groups lie apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from workbench.analysis import survival
from workbench.errors import DisclosureError, StudyError
from workbench.output.disclosure import release
from workbench.output.figures import draw_log_log
from workbench.output.figures.diagnostic_figure import describe, plan
from workbench.registers.profiles import load_profile

PROFILE = load_profile("standard")


def curve_of(ratio: float, n: int = 4000) -> pd.DataFrame:
    """Two groups whose hazards have this ratio at all times."""
    draw = np.random.default_rng(8)
    group = np.repeat(["a", "b"], n // 2)
    time = draw.exponential(3.0, n) / np.where(group == "b", ratio, 1.0)
    persons = pd.DataFrame({"t": np.minimum(time, 5.0), "e": time < 5.0, "g": group})
    return survival.kaplan_meier(persons, duration="t", event="e", by="g")


def test_proportional_hazards_lie_their_log_ratio_apart():
    released = release(curve_of(2.0), PROFILE, title="t")
    a, b = plan(released, {})
    middle = np.log(1.5)
    heights = [line.height[np.searchsorted(line.log_time, middle)] for line in (a, b)]
    assert heights[1] - heights[0] == pytest.approx(np.log(2.0), abs=0.1)
    assert "b lies" in describe((a, b), title="t")


def test_the_figure_is_drawn_with_its_alternative_text():
    figure = draw_log_log(release(curve_of(2.0), PROFILE, title="By arm"), unit="years")
    assert figure.alternative_text.startswith("By arm.")
    assert figure.files["svg"].startswith(b"<?xml")


def test_one_group_is_refused():
    one = curve_of(1.0)
    one = one[one["g"] == "a"]
    with pytest.raises(StudyError, match="2 to"):
        draw_log_log(release(one, PROFILE, title="t"), unit="years")


def test_what_was_not_released_is_refused():
    with pytest.raises(DisclosureError, match="Only released"):
        draw_log_log(curve_of(1.0), unit="years")
