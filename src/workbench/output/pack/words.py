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
from workbench.language import number, share, text
from workbench.output.disclosure import Released

MOST_NAMES = 6
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
    told = text(
        "In the nation: {share} ({events} of {n}; 95 % interval {lower} to {upper}).",
        share=share(facts["nation_estimate"], 1),
        events=number(facts["events"]),
        n=number(facts["n"]),
        **_span(facts["nation_lower"], facts["nation_upper"]),
    )
    if facts.get("green") is None:
        return (told,)
    green, wanted = facts["green"], facts["direction"]
    level = indicators.level(
        [facts["events"]], [facts["n"]], green=green, yellow=facts.get("yellow"), direction=wanted
    ).iloc[0]
    limit = share(float(Fraction(green)), 1)
    if not level["level_decided"]:
        words = "Whether the nation reaches the target, {limit}, is not decided."
    elif level["level"] == "high":
        words = "The nation reaches the target, {limit}."
    else:
        words = "The nation does not reach the target, {limit}."
    return (told, text(words, limit=_at_limit(limit, wanted)))


def _at_limit(limit: str, direction: str) -> str:
    return text("at most {limit}" if direction == "low" else "at least {limit}", limit=limit)


def _own(evidence: Evidence) -> tuple[str, ...]:
    if evidence.own is None:
        return ()
    row = _row_of(evidence.shares, evidence.unit, evidence.own)
    if row is None or pd.isna(row["estimate"]):
        return (text("{unit} is not shown here: too few patients.", unit=evidence.own),)
    flag = _row_of(evidence.funnel, evidence.unit, evidence.own)
    side = "none" if flag is None else str(flag["flag"])
    words = {
        "high 99.8": "{unit}: {share} ({lower} to {upper}), above the nation by more than chance.",
        "low 99.8": "{unit}: {share} ({lower} to {upper}), below the nation by more than chance.",
        "high 95": "{unit}: {share} ({lower} to {upper}); one unit in twenty lies so far out by "
        "chance.",
        "low 95": "{unit}: {share} ({lower} to {upper}); one unit in twenty lies so far out by "
        "chance.",
    }.get(
        side,
        "{unit}: {share} ({lower} to {upper}); no farther from the nation than chance makes.",
    )
    told = {"unit": evidence.own, "share": share(row["estimate"], 1)}
    return (text(words, **told, **_span(row["lower"], row["upper"])),)


def _outside(evidence: Evidence) -> tuple[str, ...]:
    frame = evidence.funnel.frame
    n_units = int(frame["flag"].notna().sum())
    sides = {side: flagged(evidence, side) for side in ("low", "high")}
    is_wide = "adjusted_flag" in frame
    if not any(sides.values()):
        words = (
            "None of {n} units lies outside what chance makes and units differ anyway."
            if is_wide
            else "None of {n} units lies outside what chance makes."
        )
        return (text(words, n=number(n_units)),)
    told = []
    for side, names in sides.items():
        if names:
            words = {
                "low": "Below what chance makes (99.8 %): {units} ({n_out} of {n} units).",
                "high": "Above what chance makes (99.8 %): {units} ({n_out} of {n} units).",
            }[side]
            numbers = {"n_out": number(len(names)), "n": number(n_units)}
            told.append(text(words, units=_names(names), **numbers))
    if is_wide:
        told.append(text("How much units differ anyway is allowed for."))
    return (*told, *_explained(evidence, sides))


def _explained(evidence: Evidence, sides: dict[str, list[str]]) -> tuple[str, ...]:
    """Whether the cases that are missing could be why a unit lies outside."""
    if evidence.basis is None:
        return (
            text(
                "How complete the register is by unit is not known, so that missing cases may "
                "explain a part of this."
            ),
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
        words = "Cases that are missing could alone explain it at {units}."
        told.append(text(words, units=_names(could)))
    if could_not:
        words = "Missing cases cannot alone explain it at {units}."
        told.append(text(words, units=_names(could_not)))
    return tuple(told)


def _reaches(side: str, lowest: float, highest: float, nation: float) -> bool:
    return highest >= nation if side == "low" else lowest <= nation


def _targets(evidence: Evidence) -> tuple[str, ...]:
    frame, facts = evidence.shares.frame, evidence.shares.facts
    if facts.get("green") is None or "level_words" not in frame:
        return ()
    words = frame["level_words"].astype(str)
    sure = {level: int((words == level).sum()) for level in ("high", "moderate", "low")}
    told = text(
        "Units surely at the target: {n_sure}; surely not: {n_not}; not decided: {n_open}.",
        n_sure=number(sure["high"]),
        n_not=number(sure["moderate"] + sure["low"]),
        n_open=number(int(words.str.startswith("not decided").sum())),
    )
    few = int(words.str.startswith("fewer").sum())
    if not few:
        return (told,)
    return (told, text("Units with too few patients to say: {n}.", n=number(few)))


def _variation(evidence: Evidence) -> tuple[str, ...]:
    if evidence.effects is None:
        return ()
    facts = evidence.effects.facts
    if not facts["p_value"] < SURE:
        return (text("Between units there is no more variation than chance alone makes."),)
    return (
        text(
            "For two like patients at two units the odds differ by a factor of {factor} in the "
            "median; {share} of the variation lies between units.",
            factor=number(facts["median_odds_ratio"], 2),
            share=share(facts["icc"], 1),
        ),
    )


def _change(evidence: Evidence) -> tuple[str, ...]:
    if evidence.trends is None:
        return ()
    arrows = evidence.trends.frame.drop_duplicates(evidence.unit)
    ways = {way: _trending(arrows, way, evidence.unit) for way in ("rises", "falls")}
    if not any(ways.values()):
        return (text("No unit changes over the years by more than chance."),)
    words = {
        "rises": "Rising over the years: {units}.",
        "falls": "Falling over the years: {units}.",
    }
    told = [text(words[way], units=_names(names)) for way, names in ways.items() if names]
    chance = text(
        "Of {n} units about {chance} would show a change by chance alone.",
        n=number(len(arrows)),
        chance=number(TREND_LEVEL * len(arrows), 0 if len(arrows) >= 20 else 1),
    )
    return (*told, chance)


def _trending(arrows: pd.DataFrame, way: str, unit: str) -> list[str]:
    return sorted(arrows.loc[arrows["trend"] == way, unit].astype(str))


def _row_of(result: Released, unit: str, own: str) -> pd.Series | None:
    frame = result.frame
    rows = frame[frame[unit].astype(str) == own]
    return None if rows.empty else rows.iloc[0]


def _names(names: Sequence[str]) -> str:
    if len(names) <= MOST_NAMES:
        return ", ".join(names)
    first = ", ".join(names[:MOST_NAMES])
    return text("{units} and {n} more", units=first, n=number(len(names) - MOST_NAMES))


def _span(lower: float, upper: float) -> dict[str, str]:
    """Both ends of an interval in per cent, for a sentence."""
    return {"lower": number(100 * float(lower), 1), "upper": number(100 * float(upper), 1)}
