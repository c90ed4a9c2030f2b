"""What the numbers of an indicator say, in sentences made by rules and by nothing else.

Each sentence stands on released results. A difference is named only where it is more than chance;
whether missing cases could explain it is said beside it; nothing is ranked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import pandas as pd

from workbench.analysis import indicators
from workbench.output import wording
from workbench.output.disclosure import Released

MOST_NAMES = 6
WAYS = {"rises": "rising", "falls": "falling"}
TREND_LEVEL = 0.05  # of an arrow, where nothing changes
SURE = 0.05  # of the test that units do not differ at all


@dataclass(frozen=True)
class Evidence:
    """The released results of one indicator by unit; what is missing was not released.

    `shares`, `funnel`, `effects`, `trends` and `basis` are readings of the same counts; `own` the
    unit the pack is for.
    """

    shares: Released
    funnel: Released
    effects: Released | None = None
    trends: Released | None = None
    basis: Released | None = None
    own: str | None = None

    @property
    def unit(self) -> str:
        """The column that names units."""
        return str(self.shares.facts["by"][0])


def findings(evidence: Evidence) -> tuple[str, ...]:
    """Say in plain words who differs, whether that is decided, and how much lies between units.

    Sentences in the order in which a meeting needs them: the nation and its target, the own unit,
    units outside chance, whether missing cases could be why, targets by unit, variation between
    units, change over time. Sentences whose numbers were not released are left out; that coverage
    is not known is said.
    """
    return (
        *_nation(evidence),
        *_own(evidence),
        *_outside(evidence),
        *_targets(evidence),
        *_variation(evidence),
        *_change(evidence),
    )


def flagged(evidence: Evidence, side: str) -> list[str]:
    """Units outside the 99.8 % limits on a side ("low", "high"), by name.

    Where units differ by more than chance anyway, those that still lie outside wider limits.
    """
    frame = evidence.funnel.frame
    column = "adjusted_flag" if "adjusted_flag" in frame else "flag"
    return sorted(frame.loc[frame[column] == f"{side} 99.8", evidence.unit].astype(str))


def _nation(evidence: Evidence) -> tuple[str, ...]:
    facts = evidence.shares.facts
    told = (
        f"In the nation: {_share(facts['nation_estimate'])} "
        f"({wording.count(facts['events'])} of {wording.count(facts['n'])}; 95 % interval "
        f"{_span(facts['nation_lower'], facts['nation_upper'])})."
    )
    if facts.get("green") is None:
        return (told,)
    green, wanted = facts["green"], facts["direction"]
    level = indicators.level(
        [facts["events"]], [facts["n"]], green=green, yellow=facts.get("yellow"), direction=wanted
    ).iloc[0]
    target = f"The target is {_share(float(Fraction(green)))} or {_or_more(wanted)}: "
    if not level["level_decided"]:
        return (told, f"{target}whether the nation reaches it is not decided.")
    reached = "reaches it" if level["level"] == "high" else "does not reach it"
    return (told, f"{target}the nation {reached}.")


def _own(evidence: Evidence) -> tuple[str, ...]:
    if evidence.own is None:
        return ()
    row = _row_of(evidence.shares, evidence.unit, evidence.own)
    if row is None:
        return (f"{evidence.own}: not shown here, since the unit has too few patients.",)
    told = f"{evidence.own}: {_share(row['estimate'])} ({_span(row['lower'], row['upper'])})"
    flag = _row_of(evidence.funnel, evidence.unit, evidence.own)
    side = "none" if flag is None else str(flag["flag"])
    if side.endswith("99.8"):
        words = "above" if side.startswith("high") else "below"
        return (f"{told}, {words} the nation by more than chance.",)
    if side.endswith("95"):
        return (f"{told}; it could be chance, which one unit in twenty shows so far out.",)
    return (f"{told}; a difference from the nation no larger than chance makes.",)


def _outside(evidence: Evidence) -> tuple[str, ...]:
    frame = evidence.funnel.frame
    n_units = int(frame["flag"].notna().sum())
    sides = {side: flagged(evidence, side) for side in ("low", "high")}
    is_wide = "adjusted_flag" in frame
    allowing = ", units differing as much as they do anyway" if is_wide else ""
    if not any(sides.values()):
        return (f"None of {n_units} units lies outside what chance makes{allowing}.",)
    told = tuple(
        f"{'Below' if side == 'low' else 'Above'} what chance makes (99.8 %){allowing}: "
        f"{_names(names)} ({len(names)} of {n_units} units)."
        for side, names in sides.items()
        if names
    )
    return (*told, *_explained(evidence, sides))


def _explained(evidence: Evidence, sides: dict[str, list[str]]) -> tuple[str, ...]:
    """Whether the cases that are missing could be why a unit lies outside."""
    if evidence.basis is None:
        return (
            "How complete the register is by unit is not known, so that missing cases may explain "
            "a part of this.",
        )
    frame = evidence.basis.frame.set_index(evidence.basis.frame[evidence.unit].astype(str))
    nation = float(evidence.basis.facts["nation_estimate"])
    could: list[str] = []
    could_not: list[str] = []
    for side, names in sides.items():
        for name in (one for one in names if one in frame.index):
            lowest, highest = frame.loc[name, "lowest"], frame.loc[name, "highest"]
            if pd.isna(lowest):
                continue
            (could if _reaches(side, lowest, highest, nation) else could_not).append(name)
    told = []
    if could:
        told.append(f"Cases that are missing could alone explain it at {_names(could)}.")
    if could_not:
        told.append(f"Missing cases cannot alone explain it at {_names(could_not)}.")
    return tuple(told)


def _reaches(side: str, lowest: float, highest: float, nation: float) -> bool:
    return highest >= nation if side == "low" else lowest <= nation


def _targets(evidence: Evidence) -> tuple[str, ...]:
    frame, facts = evidence.shares.frame, evidence.shares.facts
    if facts.get("green") is None or "level_words" not in frame:
        return ()
    words = frame["level_words"].astype(str)
    sure = {level: int((words == level).sum()) for level in ("high", "moderate", "low")}
    open_ones = int(words.str.startswith("not decided").sum())
    missed = sure["moderate"] + sure["low"]
    few = int(words.str.startswith("fewer").sum())
    told = (
        f"Surely at the target: {sure['high']} units; surely not: {missed}; not decided: "
        f"{open_ones}"
    )
    return (f"{told}; too few patients to say: {few}." if few else f"{told}.",)


def _variation(evidence: Evidence) -> tuple[str, ...]:
    if evidence.effects is None:
        return ()
    facts = evidence.effects.facts
    ratio, shared = facts["median_odds_ratio"], facts["icc"]
    if not facts["p_value"] < SURE:
        return ("Between units there is no more variation than chance alone makes.",)
    return (
        f"For two like patients at two units the odds differ by a factor of {ratio:.2f} in the "
        f"median; {_share(shared)} of the variation lies between units.",
    )


def _change(evidence: Evidence) -> tuple[str, ...]:
    if evidence.trends is None:
        return ()
    arrows = evidence.trends.frame.drop_duplicates(evidence.unit)
    ways = {way: _trending(arrows, way, evidence.unit) for way in ("rises", "falls")}
    if not any(ways.values()):
        return ("No unit changes over the years by more than chance.",)
    told = [f"{WAYS[way]} at {_names(names)}" for way, names in ways.items() if names]
    chance = TREND_LEVEL * len(arrows)
    return (
        f"Over the years: {'; '.join(told)}; elsewhere no more than chance. Of {len(arrows)} units "
        f"about {chance:.1g} would show a change by chance alone.",
    )


def _trending(arrows: pd.DataFrame, way: str, unit: str) -> list[str]:
    return sorted(arrows.loc[arrows["trend"] == way, unit].astype(str))


def _row_of(result: Released, unit: str, own: str) -> pd.Series | None:
    frame = result.frame
    rows = frame[frame[unit].astype(str) == own]
    return None if rows.empty else rows.iloc[0]


def _names(names: Sequence[str]) -> str:
    if len(names) <= MOST_NAMES:
        return ", ".join(names)
    return f"{', '.join(names[:MOST_NAMES])} and {len(names) - MOST_NAMES} more"


def _share(value: float) -> str:
    return f"{100 * float(value):.1f} %"


def _span(lower: float, upper: float) -> str:
    return f"{100 * float(lower):.1f} to {100 * float(upper):.1f}"


def _or_more(direction: str) -> str:
    return "less" if direction == "low" else "more"
