"""Control charts, run charts, CUSUM and trends equal the reference values of their field."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from agreement import HERE, SHARED, Reference, agrees

from workbench.analysis import charts
from workbench.analysis.charts.limits import i_limits
from workbench.analysis.charts.trend import trend_test

REFERENCES: dict[str, tuple[Reference, dict[str, Any]]] = {}
for topic in ("units_spc", "units_models"):
    for path in (HERE / "vectors" / f"{topic}.json", SHARED / "reference" / f"{topic}.json"):
        for one in json.loads(path.read_text("utf-8"))["vectors"] if path.exists() else ():
            ref = Reference(topic, one["id"], "", one["call"], "", one["output"])
            REFERENCES.setdefault(one["id"], (ref, one))
DIRECTIONS = {"increase": "high", "decrease": "low", "neutral": None}
RULES = {
    "outside limits": ("Above UCL", "Below LCL"),
    "7 on one side": ("7 Points Above CL", "7 Points Below CL"),
    "2 of 3": ("2 in 3 Above CL", "2 in 3 Below CL"),
    "7 rising or falling": ("7 Point Trend (Increasing)", "7 Point Trend (Decreasing)"),
}
KINDS = {"improvement": "special_cause_improvement", "concern": "special_cause_concern",
         "common cause": "common_cause", "no direction": "special_cause_neutral"}  # fmt: skip


def of(name: str) -> tuple[Reference, dict[str, Any], dict[str, Any]]:
    if name not in REFERENCES:
        pytest.skip("the shared folder is not here")
    ref, whole = REFERENCES[name]
    return ref, whole["input"], whole["output"]


def points_of(values: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"period": range(1, len(values) + 1), "value": values})


# xmr_nhs_short has four points: ours gives no limits below ten
@pytest.mark.parametrize("name", [
    "xmr_nhs_1", "xmr_nhs_noscreen", "xmr_nhs_outlier", "xmr_nhs_rebase", "xmr_nhs_two_in_three",
    "xmr_nhs_neutral",
])  # fmt: skip
def test_xmr_with_the_nhs_rules(name):
    ref, given, out = of(name)
    at = given["rebase_at_index"]
    at = at if isinstance(at, list) or not at else [at]
    found = charts.xmr(
        points_of(given["y"]), direction=DIRECTIONS[given["improvement_direction"]],
        screening=given["screen_outliers"], rebase=dict.fromkeys(at, "new form") if at else None,
    )  # fmt: skip
    for ours, theirs in {"centre": "mean", "lower": "lower", "upper": "upper"}.items():
        agrees(ref, f"charts.xmr: {ours}", found[ours], out[theirs])
    for rule, kind, theirs, point in zip(
        found["rule"], found["kind"], out["special_cause"], out["point_type"], strict=True
    ):
        assert theirs in RULES[rule] if rule else theirs == "Common Cause"
        assert point.startswith(KINDS[kind])
    target = given.get("target")
    if target is not None:
        words = {
            "consistent_fail": "misses",
            "consistent_pass": "hits",
            "inconsistent": "hit or miss",
        }
        direction = DIRECTIONS[given["improvement_direction"]]
        line = charts.icons(found, target=target, direction=direction).iloc[0]
        assert line["assurance"] == words[out["assurance"]]
        assert KINDS[line["variation"]] == out["latest_variation"]


def test_a_constant_series_gives_no_signal_where_the_reference_has_no_limits():
    _, given, _ = of("xmr_nhs_constant")
    found = charts.xmr(points_of(given["y"]))
    assert (found["upper"] == 7).all() and not found["signal"].any()
    assert any("no width" in note for note in found.attrs["notes"])


def test_assurance_on_and_beside_the_limits():
    _, given, out = of("assurance_1")
    words = {"consistent_fail": "misses", "consistent_pass": "hits", "inconsistent": "hit or miss"}
    for wanted, direction in (("increase", "high"), ("decrease", "low")):
        found = charts.xmr(points_of(given["y"]), direction=direction)
        for target, theirs in zip(given["targets"], out[wanted], strict=True):
            line = charts.icons(found, target=target, direction=direction).iloc[0]
            assert line["assurance"] == words[theirs]


CHARTS = sorted(name for name in REFERENCES if name.startswith("qic_") and "run" not in name)
KNOWN = {
    "i": "i_chart",
    "p": "p_chart",
    "pp": "p_prime",
    "u": "u_chart",
    "up": "u_prime",
    "g": "g_chart",
}


PARTS = ("qic_i_freeze", "qic_i_part")  # of eight points, for which a chart of ours has no limits


@pytest.mark.parametrize("name", PARTS)
def test_limits_of_a_part_of_the_points(name):
    ref, given, out = of(name)
    value, base = np.array(given["y"], dtype=float), np.arange(len(given["y"])) < 8
    parts = (
        [(value, base)]
        if name == "qic_i_freeze"
        else [(value[:8], base[:8]), (value[8:], base[:8])]
    )
    found = [i_limits(some, which, screening=True) for some, which in parts]
    for what in ("centre", "lower", "upper"):
        ours = np.concatenate([getattr(one, what) for one in found])
        agrees(ref, f"charts.i_chart: {what}", ours, out[what])


@pytest.mark.parametrize("name", [n for n in CHARTS if n.split("_")[1] in KNOWN and n not in PARTS])
def test_shewhart_charts(name):
    ref, given, out = of(name)
    kind = name.split("_")[1]
    whole = REFERENCES[name][1]
    frame = points_of(given["y"]).rename(
        columns={"value": {"i": "value", "g": "between"}.get(kind, "events")}
    )
    if kind in {"p", "pp", "u", "up"}:
        frame["n" if kind in {"p", "pp"} else "exposure"] = given["n"]
    how = (
        {}
        if kind == "g"
        else {"screening": bool((whole["options"] or {}).get("screen_moving_ranges"))}
    )
    found = getattr(charts, KNOWN[kind])(frame, **how)
    for ours, theirs in {
        "centre": "centre",
        "lower": "lower",
        "upper": "upper",
        "value": "y",
    }.items():
        agrees(ref, f"charts.{KNOWN[kind]}: {ours}", found[ours], out[theirs])


@pytest.mark.parametrize("name", ["qic_run_1", "qic_run_few", "qic_run_flat", "qic_run_zigzag"])
def test_run_charts(name):
    ref, given, out = of(name)
    found = charts.run_chart(points_of(given["y"]))
    for what in (
        "centre",
        "n_useful",
        "longest_run",
        "longest_run_max",
        "n_crossings",
        "n_crossings_min",
    ):
        theirs = [np.nan if one is None else one for one in out[what]]
        agrees(ref, f"charts.run_chart: {what}", found[what], theirs)
    assert found["signal"].tolist() == out["runs_signal"]


def test_limits_of_runs():
    ref, given, out = of("anhoej_limits")
    found = [charts.run_limits(n) for n in given["n_useful"]]
    agrees(ref, "charts.run_limits: longest", [a for a, _ in found], out["longest_run_max"])
    agrees(ref, "charts.run_limits: crossings", [b for _, b in found], out["crossings_min"])


def test_risk_adjusted_cusum_and_vlad():
    ref, given, out = of("racusum_1")
    persons = pd.DataFrame({"y": given["y"], "p": given["p"]})
    high = charts.cusum(persons, outcome="y", risk="p", limit=100)
    for what in ("score_up", "score_down", "cusum_up", "cusum_down", "vlad"):
        agrees(ref, f"charts.cusum: {what}", high[what], out[what])
    limit = given["h"]
    found = charts.cusum(persons, outcome="y", risk="p", limit=limit)
    agrees(ref, "charts.cusum: cusum_up after a signal", found["cusum_up"], out["cusum_up_reset"])


def test_run_lengths_of_a_cusum():
    ref, given, out = of("racusum_arl")
    why = "both divide the sum's values into steps; 2 % is good enough to choose a limit"
    risk = np.array(given["p"])
    for limit, truth, theirs in ((1.6, 1, "arl_in_control_h1.6"), (3, 1, "arl_in_control_h3"),
                                 (3, 2, "arl_doubled_odds_h3")):  # fmt: skip
        found = charts.run_length(risk, limit=limit, truth=truth)
        agrees(ref, f"charts.run_length: {theirs}", found, out[theirs], rtol=0.02, because=why)
    limit = charts.cusum_limit(risk, run_length_wanted=out["arl_in_control_h3"])
    agrees(ref, "charts.cusum_limit", limit, 3, rtol=0.02, because=why)


def test_trends_of_shares():
    ref, given, out = of("trend_1")
    x, n, year = (np.array(given[name], dtype=float) for name in ("x", "n", "year"))
    z, _, p_value = trend_test(x, n, year)
    why = "ours is given the number of events: a factor of (N - 1) / N"
    agrees(
        ref,
        "charts.trend: chi-square",
        z**2 * n.sum() / (n.sum() - 1),
        out["cochran_armitage_chi2"],
    )
    assert p_value >= out["cochran_armitage_p"] and p_value < 1.2 * out["cochran_armitage_p"], why
