"""Intervals hold the truth as often as they say: part of benchmarks/interval_coverage.py."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
REPEATS, SHARE = 150, 0.95
# Four standard errors of a share: an interval that is right fails once in 16,000 tries.
TOLERANCE = 4 * (SHARE * (1 - SHARE) / REPEATS) ** 0.5


@pytest.fixture(scope="module")
def benchmark():
    spec = importlib.util.spec_from_file_location(
        "coverage_benchmark", ROOT / "benchmarks" / "interval_coverage.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["kaplan_meier", "net_survival", "cox"])
def test_intervals_hold_the_truth_about_as_often_as_they_say(benchmark, name):
    found = benchmark.coverage(getattr(benchmark, name), REPEATS)
    assert found.between(SHARE - TOLERANCE, 1.0).all(), found.to_dict()


def test_an_interval_that_is_too_narrow_is_seen(benchmark):
    def narrow(draw):
        found = benchmark.survival.kaplan_meier(
            benchmark.censored(draw, benchmark.SCALE * draw.weibull(benchmark.SHAPE, 600)),
            duration="time", event="died", times=[3.0], confidence=0.8,
        )  # fmt: skip
        truth = [2.718281828 ** -((3.0 / benchmark.SCALE) ** benchmark.SHAPE)]
        return benchmark.held(found, truth, ["narrow"])

    benchmark.METHODS = (*benchmark.METHODS, narrow)
    assert benchmark.coverage(narrow, REPEATS)["narrow"] < SHARE - TOLERANCE
