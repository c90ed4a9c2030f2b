"""Scores leave as whole points of groups with answers enough, and no sum tells the others."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from workbench.analysis import prom as proms
from workbench.errors import DisclosureError
from workbench.output import tables
from workbench.output.disclosure import release
from workbench.output.gate.prom_rules import PromTable
from workbench.registers.proms import load_prom

RAND12 = load_prom("rand12")
NAMES = list(RAND12.labels)


def scores(sizes, *, by=("unit",), rule=proms.DisplayRule(), seed=1):  # noqa: B008
    """A summary of units in which so many answered."""
    draw = np.random.default_rng(seed)
    units = np.repeat(list(sizes), list(sizes.values()))
    asked = pd.DataFrame({name: draw.uniform(0, 100, len(units)) for name in NAMES})
    asked = asked.assign(unit=units, answered=1)
    keys = list(by) or None
    return PromTable(
        proms.summarise(asked, RAND12, answered="answered", by=keys, rule=rule), tuple(by)
    )


def test_means_are_whole_points_and_no_number_of_persons_is_told(policy):
    shown = release(scores({"A": 60, "B": 45, "C": 50}), policy, title="Scores")
    assert shown.kind == "prom" and not shown.hidden.to_numpy().any()
    assert list(shown.frame) == ["unit", "scale", "mean", "std_dev", "lower", "upper"]
    numbers = shown.frame[["mean", "std_dev", "lower", "upper"]].to_numpy()
    assert (numbers == np.round(numbers)).all()
    assert len(shown.frame) == 3 * len(NAMES)


def test_a_unit_with_few_answers_is_hidden_and_not_missing(policy):
    shown = release(scores({"A": 60, "B": 45, "C": 12}), policy, title="Scores")
    frame = shown.frame.assign(hidden=shown.hidden["mean"])
    assert frame.loc[frame["unit"] == "C", "hidden"].all()
    assert not frame.loc[frame["unit"] == "A", "hidden"].any()
    assert shown.texts().loc[frame["unit"] == "C", "mean"].eq("[c]").all()


def test_a_unit_with_fewer_answers_than_the_threshold_takes_another_with_it(policy):
    rule = proms.DisplayRule(patients=1, answers=2)
    shown = release(scores({"A": 60, "B": 45, "C": 3}, rule=rule), policy, title="Scores")
    out = shown.frame.loc[shown.hidden["mean"], "unit"].unique().tolist()
    assert out == ["B", "C"]


def test_all_patients_together_and_none_at_all(policy):
    whole = release(scores({"A": 60}, by=()), policy, title="Scores")
    assert len(whole.frame) == len(NAMES) and whole.facts["by"] == ("scale",)
    with pytest.raises(DisclosureError, match="answers enough"):
        release(scores({"A": 6, "B": 7}), policy, title="Scores")


def test_the_table_is_written_in_whole_points(policy):
    shown = release(scores({"A": 60, "B": 45, "C": 50}), policy, title="Scores")
    page = tables.to_html(shown)
    assert "Standard deviation" in page and ".0" not in page
    assert "RAND" not in tables.to_csv(shown).decode()
