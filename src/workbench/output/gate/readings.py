"""What is read off a released table of counts: shares, limits, levels, trends.

Every number is computed from what the table shows and from its totals, by the analysis room's own
functions, so that nothing new is told and nothing can leak. Rows that are not shown are not in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from workbench.analysis import charts, coverage, indicators, units
from workbench.errors import DisclosureError
from workbench.output.gate.coverage_readings import read_basis
from workbench.output.gate.judgement import Judgement, nothing_hidden, rounded
from workbench.output.gate.time_readings import read_change, read_changes, read_charts

DISTANCE = 10  # units from which over-dispersion can be told
SHARE = ["estimate", "lower", "upper"]
LEVEL = ["level", "level_probability", "level_words"]
ENDS = ("", "_lower", "_upper")


def read_shares(
    counts: pd.DataFrame, facts: Mapping[str, Any], *, green: str | None = None,
    yellow: str | None = None, direction: str = "high", minimum: int = 0,
    least_coverage: float = 0,
) -> tuple[pd.DataFrame, dict[str, Any]]:  # fmt: skip
    """Shares with Wilson intervals; with limits their level and how sure it is.

    Where counts of another source stand beside them, a group covered less than `least_coverage`
    has neither share nor level, and its words say why.
    """
    found = counts.join(units.proportion(counts["events"], counts["n"]))
    few = counts["n"] < minimum
    if green is not None:
        level = indicators.level(
            counts["events"], counts["n"], green=green, yellow=yellow, direction=direction
        )
        level = level.drop(columns="level_decided").astype({"level": object})
        level.loc[few, ["level", "level_probability"]] = None
        level.loc[few, "level_words"] = f"fewer than {minimum} patients"
        found = found.join(level)
    if least_coverage and "both" in counts:
        found = _covered(found, least_coverage)
    told = {"green": green, "yellow": yellow, "direction": direction, **_nation(facts)}
    return found, told


def _poor(counts: pd.DataFrame, least: float) -> pd.Series:
    """Groups of which the register has less than so much of the other source's cases."""
    known = counts["both"] + counts["only_reference"]
    return ~(counts["both"] >= least * known) | (known == 0)


def _covered(shares: pd.DataFrame, least: float) -> pd.DataFrame:
    poor = _poor(shares, least)
    emptied = dict.fromkeys([*SHARE, "level_probability"], np.nan)
    words = {"level": None, "level_words": f"coverage under {100 * least:g} %"}
    given = {name: one for name, one in (emptied | words).items() if name in shares}
    events = shares["events"].astype("Int64").where(~poor)
    return shares.assign(
        events=events,
        **{name: shares[name].astype(object).where(~poor, one) if name in words
           else shares[name].where(~poor, one) for name, one in given.items()}
    )  # fmt: skip


def read_funnel(
    counts: pd.DataFrame, facts: Mapping[str, Any], *, least_coverage: float = 0
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """A funnel around the nation's share; over-dispersion from the units shown, if ten or more.

    Groups covered less than `least_coverage` are not in it.
    """
    if least_coverage and "both" in counts:
        counts = counts[~_poor(counts, least_coverage)].reset_index(drop=True)
    centre = facts["events"] / facts["n"]
    return _funnel(counts, {"events": "events", "n": "n", "centre": centre}, _nation(facts))


def read_ratios(
    counts: pd.DataFrame, facts: Mapping[str, Any]
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Observed over expected with Wilson intervals and a binomial funnel around 1."""
    some = counts[counts["expected"] > 0].reset_index(drop=True)
    how = {"events": "events", "expected": "expected", "n": "n"}
    found, told = _funnel(some, how, _nation(facts))
    # of a patient's chances, so that no limit lies beyond what the unit's patients can have
    share = units.proportion(some["events"], some["n"])[["lower", "upper"]]
    return found.join(share.mul(some["n"] / some["expected"], axis=0)), told


def read_effects(
    counts: pd.DataFrame, facts: Mapping[str, Any]
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Shrunken shares of a random-intercept model on the units shown, with reliability."""
    unit = facts["by"][0]
    some = counts[counts["n"] > 0]
    found = units.random_intercept(some, outcome="events", unit=unit, n="n")
    columns = [
        unit, "n", "events", "estimate", "shrunken", "shrunken_lower", "shrunken_upper",
        "reliability", "expected_rank", "rank_lower", "rank_upper",
    ]  # fmt: skip
    told = {
        name: round(float(getattr(found, name)), 3)
        for name in ("median_odds_ratio", "icc", "rankability", "p_value")
    }
    if not found.ranks_tell:  # a rank that chance made is not shown
        columns = columns[:-3]
    table = found.table[columns].rename(columns={"reliability": "unit_reliability"})
    return table, {**told, "note": found.note}


def read_trends(
    counts: pd.DataFrame, facts: Mapping[str, Any], *, direction: str | None = None
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Shares of units by year, and whether each unit's trend is more than chance."""
    unit, year = facts["by"]
    shares = counts.join(units.proportion(counts["events"], counts["n"]))
    wanted = None if direction == "none" else direction
    points = counts.assign(**{year: pd.to_numeric(counts[year])})
    arrows = charts.trend(points, period=year, by=unit, direction=wanted)
    arrows = arrows[[unit, "trend", "kind", "p_value"]]
    return shares.merge(arrows, on=unit, how="left"), {"direction": direction, **_nation(facts)}


def read_composition(
    counts: pd.DataFrame, facts: Mapping[str, Any]
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The share of each kind within each unit, of those units of which every kind is shown."""
    unit, _ = facts["by"]
    total = counts.groupby(unit, observed=True)["n"].transform("sum")
    found = counts.assign(n_unit=total, estimate=counts["n"] / total.where(total > 0))
    return found, {}


def read_coverage(
    counts: pd.DataFrame, facts: Mapping[str, Any]
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Coverage by every formula, and Chapman's number with what it supposes."""
    found = coverage.from_counts(counts)
    cells = ["both", "only_register", "only_reference"]
    shares = [f"{name}{end}" for name in ("union", "gold_standard") for end in ENDS]
    columns = [*facts["by"], *cells, *shares, "frequency", "chapman", "chapman_coverage"]
    return found[columns], {"note": found.attrs["assumption"]}


def read_overview(
    counts: pd.DataFrame, facts: Mapping[str, Any], **limits: str
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Shares and levels of many indicators; limits are given as "indicator|green" and so on."""
    key = facts["by"][0]
    parts = []
    for name, rows in counts.groupby(key, sort=True):
        told: dict[str, Any] = {
            word: limits.get(f"{name}|{word}") for word in ("green", "yellow", "direction")
        }
        one = {"n": max(int(rows["n"].sum()), 1), "events": int(rows["events"].sum())}
        found, _ = read_shares(rows.reset_index(drop=True), one, **told)
        parts.append(found.assign(target=told["green"]))
    whole = pd.concat(parts, ignore_index=True)
    words = whole.get("level_words", pd.Series("", index=whole.index))
    return whole.assign(level_words=words.fillna("no target")), {}


def read_backlog(
    counts: pd.DataFrame, facts: Mapping[str, Any], *, minutes: float
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Cases without a form, and the hours of work that these are."""
    missing = counts[[*facts["by"]]].assign(forms_missing=counts["n"] - counts["events"])
    found = coverage.backlog(missing, forms="forms_missing", minutes_per_form=minutes)
    return found.sort_values("hours", ascending=False, ignore_index=True), {"minutes": minutes}


READINGS: dict[str, Callable[..., tuple[pd.DataFrame, dict[str, Any]]]] = {
    "shares": read_shares,
    "funnel": read_funnel,
    "ratios": read_ratios,
    "effects": read_effects,
    "trends": read_trends,
    "composition": read_composition,
    "coverage": read_coverage,
    "overview": read_overview,
    "backlog": read_backlog,
    "basis": read_basis,
    "charts": read_charts,
    "change": read_change,
    "changes": read_changes,
}
KEPT = ("n_rows", "n_hidden", "n_missing")


def judge_reading(
    reading: str, frame: pd.DataFrame, hidden: pd.DataFrame, facts: Mapping[str, Any],
    notes: tuple[str, ...], options: Mapping[str, Any], *, decimals: int, fewest: int = 1,
) -> Judgement:  # fmt: skip
    """Compute a reading from the rows that are shown and stand on at least `fewest` persons.

    Raises
    ------
    DisclosureError
        No such reading, options that are no plain values, or no row that is shown.
    """
    if reading not in READINGS:
        raise DisclosureError(f'There is no reading "{reading}". Known: {", ".join(READINGS)}.')
    if not all(isinstance(one, (str, int, float, type(None))) for one in options.values()):
        raise DisclosureError("Options of a reading are plain words and numbers, never data.")
    is_out = hidden.any(axis=1)
    if reading == "composition":  # of a unit with a kind that is hidden the shares are not known
        unit = frame[facts["by"][0]]
        is_out = unit.isin(unit[is_out])
    few = _stands_on_few(frame, facts, reading, fewest) & ~is_out
    if few.any():
        notes = (*notes, f"{int(few.sum())} rows of fewer than {fewest} persons are left out.")
    is_out |= few
    shown = frame[~is_out].reset_index(drop=True)
    counted = [one for one in shown.columns if one not in facts["by"] and one != "expected"]
    shown = shown.astype(dict.fromkeys(counted, "int64"))
    if shown.empty:
        what = "unit is shown with every kind" if reading == "composition" else "row is shown"
        raise DisclosureError(f"No {what}, so that nothing can be read off the table.")
    found, told = READINGS[reading](shown, facts, **options)
    numbers = [one for one in found if pd.api.types.is_float_dtype(found[one])]
    safe = rounded(found, numbers, decimals=decimals)
    kept = {name: facts[name] for name in KEPT if name in facts}
    more = (told["note"],) if told.get("note") else ()
    curve = told.pop("curve", None)
    parts = {} if curve is None else {"curve": _curve(curve, decimals)}
    facts = {"by": facts["by"], **kept, **told}
    hidden = nothing_hidden(safe)
    return Judgement(reading, safe, hidden, {}, (*notes, *more), facts, parts)


def _stands_on_few(
    frame: pd.DataFrame, facts: Mapping[str, Any], reading: str, fewest: int
) -> pd.Series:
    """Rows of which shares would be worked out from too few persons."""
    if "n" not in frame:
        return pd.Series(False, index=frame.index)
    size = frame["n"].astype("Int64")
    if reading == "composition":
        size = size.groupby(frame[facts["by"][0]]).transform("sum")
    return ((size > 0) & (size < fewest)).fillna(False).astype(bool)


def overview_of(
    shares: Mapping[str, tuple[pd.DataFrame, Mapping[str, Any]]],
) -> Judgement:
    """Released shares of several indicators as one table: frame and facts by indicator."""
    parts = []
    for name, (frame, facts) in shares.items():
        told = {"indicator": name, "target": facts.get("green") or ""}
        whole = frame.assign(**told)
        if "level" not in frame:
            whole = whole.assign(level="", level_probability=np.nan, level_words="no target")
        parts.append(whole.assign(level=whole["level"].fillna("")))
    whole = pd.concat(parts, ignore_index=True)
    every = [facts for _, facts in shares.values()]
    by = ("indicator", *every[0]["by"])
    counted = {
        name: sum(int(one.get(name) or 0) for one in every) for name in ("n_rows", "n_hidden")
    }
    whole = whole[[*by, "n", "events", *SHARE, *LEVEL, "target"]]
    return Judgement("overview", whole, nothing_hidden(whole), {}, (), {"by": by, **counted})


def _curve(curve: pd.DataFrame, decimals: int) -> Judgement:
    safe = rounded(curve, [*curve.columns], decimals=decimals + 2)
    return Judgement("curve", safe, nothing_hidden(safe), {}, (), {"by": ()})


def _funnel(
    counts: pd.DataFrame, how: Mapping[str, Any], told: dict[str, Any]
) -> tuple[pd.DataFrame, dict[str, Any]]:
    size = counts[how.get("expected", how.get("n"))]
    wide = "additive" if int((size > 0).sum()) >= DISTANCE else None
    found = units.funnel(counts, **how, overdispersion=wide)
    more = {"centre": found.centre, "curve": found.curve, "note": found.note, "phi": found.phi}
    more |= {"tau2": found.tau2, "p_heterogeneity": found.heterogeneity["p_value"]}
    plain = {
        key: round(one, 4) if isinstance(one, float) and key != "centre" else one
        for key, one in more.items()
    }
    return found.table, told | plain


def _nation(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The nation's own numbers: of all rows, those that are not shown too."""
    one = units.proportion(facts["events"], facts["n"]).iloc[0]
    shares = {f"nation_{name}": float(one[name]) for name in SHARE}
    return {"n": facts["n"], "events": facts["events"], **shares}
