"""Levels and certainty against the rules of the Norwegian portal, written down as vectors."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest
from agreement import HERE, SHARED, Reference, agrees

from workbench.analysis.indicators import level, level_of_estimate
from workbench.analysis.units.intervals import proportion

WORDS = {"high": "H", "moderate": "M", "low": "L"}
DIRECTION = {1: "high", 0: "low"}


def _vectors(path: Path) -> dict[str, dict]:
    if not path.exists():
        return {}
    vectors = json.loads(path.read_text(encoding="utf-8"))["vectors"]
    return {one["id"]: one for one in vectors if one["topic"] == "target_level"}


VECTORS = _vectors(HERE / "vectors" / "levels.json") | _vectors(
    SHARED / "reference" / "units_rules.json"
)


def reference(name: str) -> Reference:
    one = VECTORS[name]
    return Reference("units_rules", name, "", one["call"], one["title"], one["output"])


def numbered(levels: list[str]) -> list[int]:
    return ["LMH".index(one) for one in levels]


def test_every_vector_of_levels_is_compared():
    assert set(VECTORS) == {"level_1", "level_rounding", "target_uncertainty_1"}


def test_levels_are_those_of_the_portal():
    ref, found = reference("level_1"), []
    for case in VECTORS["level_1"]["input"]:
        share = Fraction(str(case["value"]))
        counts = (share.numerator, share.denominator)
        limits = {"green": case["green"], "yellow": case["yellow"]}
        one = level(*counts, **limits, direction=DIRECTION[case["direction"]])
        found.append(WORDS[one["level"].item()])
    agrees(ref, "indicators.level: level", numbered(found), numbered(ref.value))


def test_levels_of_values_are_those_of_the_portal():
    ref, found = reference("level_1"), []
    for case in VECTORS["level_1"]["input"]:
        limits = {"green": case["green"], "yellow": case["yellow"]}
        direction = DIRECTION[case["direction"]]
        one = level_of_estimate(case["value"], std_error=[0.0], direction=direction, **limits)
        found.append(WORDS[one["level"].item()])
    agrees(ref, "indicators.level_of_estimate: level", numbered(found), numbered(ref.value))


@pytest.mark.parametrize("green", [0.07, "0.07"])
def test_a_share_on_a_limit_is_not_lost_to_rounding(green):
    ref, case = reference("level_rounding"), VECTORS["level_rounding"]["input"]
    keys = {"yellow": case["yellow"], "direction": DIRECTION[case["direction"]]}
    found = WORDS[level(case["x"], case["n"], green=green, **keys)["level"].item()]
    expected = ref.value["level_from_ratio"]
    agrees(ref, "indicators.level: level", numbered([found]), numbered([expected]))


def test_what_chance_could_explain_is_told():
    ref = reference("target_uncertainty_1")
    for case, expected in zip(VECTORS[ref.id]["input"], ref.value, strict=True):
        share = proportion(case["x"], case["n"])
        direction = DIRECTION[case["direction"]]
        ends = {name: share[name] for name in ("lower", "upper")}
        met = level_of_estimate(
            share["estimate"], **ends, green=case["target"], direction=direction
        ).iloc[0]
        names = {"estimate": "value", "lower": "lower95", "upper": "upper95"}
        for ours, theirs in names.items():
            agrees(ref, f"units.proportion: {ours}", share[ours].item(), expected[theirs])
        agrees(ref, "indicators.level: met", met["level"] == "high", expected["meets"])
        what = "indicators.level_of_estimate: level_decided"
        agrees(ref, what, met["level_decided"], expected["certain"])
